"""Who this computer is, by allow-list: nothing that names a person, a network or one single machine."""

import platform
import re
import sys
from pathlib import Path

import psutil

from collector.backends import Facts
from collector.memory import readings
from collector.output import entries, output


def describe() -> Facts:
    """Run columns about the computer; what this system does not tell is missing."""
    facts: Facts = {
        "cpu_cores": psutil.cpu_count(logical=False),
        "memory_bytes": readings.total(),
    }
    facts |= _macos() if sys.platform == "darwin" else _linux()
    return {name: value for name, value in facts.items() if value is not None}


def _macos() -> Facts:
    return {
        "os_name": "macOS",
        "os_version": macos_version(),
        "os_build": output("sw_vers", "-buildVersion"),
        "machine_model": output("sysctl", "-n", "hw.model"),
        "chip": output("sysctl", "-n", "machdep.cpu.brand_string"),
        "cpu_performance_cores": _number(output("sysctl", "-n", "hw.perflevel0.physicalcpu")),
        "cpu_efficiency_cores": _number(output("sysctl", "-n", "hw.perflevel1.physicalcpu")),
        "gpu_cores": _gpu_cores(),
        "wired_limit_mb": _number(output("sysctl", "-n", "iogpu.wired_limit_mb")),
    }


def macos_version() -> str | None:
    """Its true version: a Python built for an older macOS is otherwise told that 26 is 16."""
    return output("sw_vers", "-productVersion", SYSTEM_VERSION_COMPAT="0")


def gpu_entries() -> str | None:
    """What the graphics driver tells of itself; `-d 1` leaves out which programs draw, by name."""
    return output("ioreg", "-r", "-c", "AGXAccelerator", "-d", "1", "-a")


def _gpu_cores() -> int | None:
    counts = (entry.get("gpu-core-count") for entry in entries(gpu_entries()))
    return next((count for count in counts if isinstance(count, int)), None)


def _linux() -> Facts:
    release = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    return {
        "os_name": release.get("NAME", "Linux"),
        "os_version": release.get("VERSION_ID"),
        "chip": linux_chip(Path("/proc/cpuinfo").read_text()),
    }


def linux_chip(cpuinfo: str) -> str | None:
    """The processor's name from /proc/cpuinfo, which ARM kernels leave out."""
    found = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
