"""What the machine is doing: readings, or NULL with a reason where this system cannot give them yet."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

IS_MACOS = sys.platform == "darwin"


@dataclass(frozen=True)
class Reading:
    """A value in the unit its name says, or None and why."""

    value: float | str | None
    reason: str | None = None


def cpu_busy_percent(seconds: float = 0.5) -> Reading:
    """Share of all cores that is busy, in percent."""
    return Reading(psutil.cpu_percent(interval=seconds))


def swap_used_bytes() -> Reading:
    """Swap in use."""
    return Reading(psutil.swap_memory().used)


def memory_pressure() -> Reading:
    """normal, warn or critical, by the macOS kernel."""
    if not IS_MACOS:
        return Reading(None, "only macOS tells its memory pressure")
    told = _output("sysctl", "-n", "kern.memorystatus_vm_pressure_level")
    level = {"1": "normal", "2": "warn", "4": "critical"}.get(told)
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
    """nominal, moderate, heavy or trapping."""
    return Reading(None, "not read yet")


def gpu_busy_percent() -> Reading:
    """Share of the GPU that is busy, in percent."""
    return Reading(None, "not read yet")


def survey(folder: Path) -> list[dict[str, float | str | None]]:
    """All readings as rows of the schema's `environment`."""
    readings = {
        "thermal_pressure": thermal_pressure(),
        "memory_pressure": memory_pressure(),
        "power_source": power_source(),
        "power_mode": power_mode(),
        "gpu_busy_percent": gpu_busy_percent(),
        "cpu_busy_percent": cpu_busy_percent(0.1),
        "swap_used_bytes": swap_used_bytes(),
    }
    return [
        {
            "name": name,
            "number": float(r.value) if isinstance(r.value, int | float) else None,
            "text": r.value if isinstance(r.value, str) else None,
            "reason": r.reason,
        }
        for name, r in readings.items()
    ]


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
