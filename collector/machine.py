"""Who this computer is, by allow-list: nothing that names a person, a network or one single machine."""

import platform
import plistlib
import re
import subprocess
import sys
from pathlib import Path
from xml.parsers.expat import ExpatError

import psutil

from collector import children
from collector.backends import Facts


def describe() -> Facts:
    """Run columns about the computer; what this system does not tell is missing."""
    facts: Facts = {
        "cpu_cores": psutil.cpu_count(logical=False),
        "memory_bytes": psutil.virtual_memory().total,
    }
    facts |= _macos() if sys.platform == "darwin" else _linux()
    return {name: value for name, value in facts.items() if value is not None}


def _macos() -> Facts:
    return {
        "os_name": "macOS",
        "os_version": platform.mac_ver()[0],
        "os_build": _output("sw_vers", "-buildVersion"),
        "machine_model": _output("sysctl", "-n", "hw.model"),
        "chip": _output("sysctl", "-n", "machdep.cpu.brand_string"),
        "cpu_performance_cores": _number(_output("sysctl", "-n", "hw.perflevel0.physicalcpu")),
        "cpu_efficiency_cores": _number(_output("sysctl", "-n", "hw.perflevel1.physicalcpu")),
        "gpu_cores": _gpu_cores(),
        "wired_limit_mb": _number(_output("sysctl", "-n", "iogpu.wired_limit_mb")),
    }


def _gpu_cores() -> int | None:
    told = _output("ioreg", "-r", "-c", "AGXAccelerator", "-a")
    try:
        entries = plistlib.loads(told.encode()) if told else []
    except (plistlib.InvalidFileException, ExpatError):
        return None
    return next((int(entry["gpu-core-count"]) for entry in entries if "gpu-core-count" in entry), None)


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


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=10, env=children.environment()
        )
    except (OSError, ValueError, subprocess.SubprocessError):  # ValueError: what was printed is no UTF-8
        return None
    return done.stdout.strip() or None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
