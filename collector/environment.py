"""What the machine is doing: readings, or None with a reason where this system cannot give them."""

import plistlib
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.parsers.expat import ExpatError

import psutil

from collector import children
from collector.memory import macos

IS_MACOS = sys.platform == "darwin"
THERMAL = ("nominal", "moderate", "heavy", "trapping", "sleeping")  # by level
PRESSURE = {1: "normal", 2: "warn", 4: "critical"}
CPU_LOOK_S = 0.1  # of a survey, which must not take long between two requests


@dataclass(frozen=True)
class Reading:
    """A value in the unit its name says, or None and why."""

    value: float | str | None
    reason: str | None = None


def survey(folder: Path) -> list[dict[str, float | str | None]]:
    """All readings as rows of the schema's `environment`; `folder` says which disk."""
    readings = {
        "thermal_pressure": thermal_pressure(),
        "memory_pressure": memory_pressure(),
        "power_source": power_source(),
        "power_mode": power_mode(),
        "gpu_busy_percent": gpu_busy_percent(),
        "cpu_busy_percent": cpu_busy_percent(CPU_LOOK_S),
        "swap_used_bytes": swap_used_bytes(),
        "free_memory_bytes": free_memory_bytes(),
        "disk_free_bytes": disk_free_bytes(folder),
    }
    return [
        {
            "name": name,
            "number": None if isinstance(reading.value, str) or reading.value is None else float(reading.value),
            "text": reading.value if isinstance(reading.value, str) else None,
            "reason": reading.reason,
        }
        for name, reading in readings.items()
    ]


def cpu_busy_percent(seconds: float = 0.5) -> Reading:
    """Share of all cores that is busy, in percent."""
    return Reading(psutil.cpu_percent(interval=seconds))


def swap_used_bytes() -> Reading:
    """Swap in use."""
    return Reading(psutil.swap_memory().used)


def free_memory_bytes() -> Reading:
    """Memory that can be had without swapping."""
    return Reading(psutil.virtual_memory().available)


def disk_free_bytes(folder: Path) -> Reading:
    """Free on the disk that holds `folder`, or will."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    return Reading(psutil.disk_usage(str(existing)).free)


def memory_pressure() -> Reading:
    """normal, warn or critical, by the macOS kernel."""
    if not IS_MACOS:
        return Reading(None, "only macOS tells its memory pressure")
    level = PRESSURE.get(macos.sysctl(macos.PRESSURE) or 0)
    return Reading(level, None if level else "the kernel did not tell")


def power_source() -> Reading:
    """AC or battery."""
    if IS_MACOS:
        found = re.search(r"'(AC|Battery) Power'", _output("pmset", "-g", "batt"))
        return Reading(found[1].lower() if found else None, None if found else "pmset did not tell")
    battery = psutil.sensors_battery()
    if battery is None:
        return Reading(None, "no battery is seen")
    return Reading("ac" if battery.power_plugged else "battery")


def power_mode() -> Reading:
    """low, normal or high, by macOS."""
    if not IS_MACOS:
        return Reading(None, "only macOS has power modes")
    found = re.search(r"^\s*(?:powermode|lowpowermode)\s+(\d)", _output("pmset", "-g"), re.MULTILINE)
    mode = {"0": "normal", "1": "low", "2": "high"}.get(found[1]) if found else None
    return Reading(mode, None if mode else "pmset did not tell")


def thermal_pressure() -> Reading:
    """nominal, moderate, heavy, trapping or sleeping."""
    if not IS_MACOS:
        return Reading(None, "only macOS tells its thermal pressure")
    level = macos.thermal_level()
    if level is not None and level < len(THERMAL):
        return Reading(THERMAL[level])
    return thermal_of(_output("pmset", "-g", "therm"))


def thermal_of(said: str) -> Reading:
    """From `pmset -g therm`, which knows less: whether the CPU was slowed down."""
    limit = re.search(r"CPU_Speed_Limit\s*=\s*(\d+)", said)
    if limit:
        return Reading("nominal" if int(limit[1]) >= 100 else "heavy")
    if "No thermal warning level has been recorded" in said:
        return Reading("nominal")
    return Reading(None, "neither the notification center nor pmset told")


def gpu_busy_percent() -> Reading:
    """Share of the GPU that is busy, in percent."""
    if not IS_MACOS:
        return Reading(None, "read on macOS only")
    return gpu_of(_output("ioreg", "-r", "-c", "AGXAccelerator", "-a"))


def gpu_of(said: str) -> Reading:
    """From `ioreg -r -c AGXAccelerator -a`: the driver's own count."""
    try:
        entries = plistlib.loads(said.encode()) if said else []
    except (plistlib.InvalidFileException, ExpatError):
        entries = []
    for entry in entries if isinstance(entries, list) else []:
        told = entry.get("PerformanceStatistics", {}).get("Device Utilization %")
        if isinstance(told, int | float):
            return Reading(float(told))
    return Reading(None, "the driver did not tell")


def _output(*command: str) -> str:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=10, env=children.environment()
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
