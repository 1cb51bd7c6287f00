"""What the machine is doing: readings, or None with a reason where this system cannot give them."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from collector import machine, measure
from collector.memory import macos, readings
from collector.output import entries, output

IS_MACOS = sys.platform == "darwin"
THERMAL = ("nominal", "moderate", "heavy", "trapping", "sleeping")  # by level
PRESSURE = {1: "normal", 2: "warn", 4: "critical"}
CPU_LOOK_S = 0.1  # of a survey, which must not take long between two requests
GPU_LOOKS, GPU_LOOK_S = 3, 0.1


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
    """Share of all cores that is busy, in percent.

    Each core is asked for: for the sum of them macOS gives other programs copies of its last answer, and two of those
    look like rest (psutil gh-2368).
    """
    busy, every = _cpu_seconds()
    measure.sleep(seconds)
    busy_then, every_then = _cpu_seconds()
    if every_then <= every:
        return Reading(None, "the kernel's counts stood still")
    return Reading(100 * max(busy_then - busy, 0.0) / (every_then - every))


def _cpu_seconds() -> tuple[float, float]:
    """Busy and all, over every core. On Linux a guest's time is also in its host's."""
    cores = psutil.cpu_times(percpu=True)
    every = sum(sum(core) - getattr(core, "guest", 0.0) - getattr(core, "guest_nice", 0.0) for core in cores)
    return every - sum(core.idle + getattr(core, "iowait", 0.0) for core in cores), every


def swap_used_bytes() -> Reading:
    """Swap in use."""
    used = readings.swap_used()
    return Reading(used, None if used is not None else "the kernel did not tell")


def free_memory_bytes() -> Reading:
    """Memory that can be had without swapping."""
    available = readings.available()
    return Reading(available, None if available is not None else "the kernel did not tell")


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


def translation() -> Reading:
    """native, or translated where this Python runs under Rosetta."""
    if not IS_MACOS:
        return Reading(None, "only macOS has Rosetta")
    return Reading("translated" if macos.sysctl(macos.TRANSLATED) else "native")


def power_source() -> Reading:
    """AC or battery."""
    if IS_MACOS:
        found = re.search(r"'(AC|Battery) Power'", output("pmset", "-g", "batt") or "")
        return Reading(found[1].lower() if found else None, None if found else "pmset did not tell")
    battery = psutil.sensors_battery()
    if battery is None:
        return Reading(None, "no battery is seen")
    return Reading("ac" if battery.power_plugged else "battery")


def power_mode() -> Reading:
    """low, normal or high, by macOS."""
    if not IS_MACOS:
        return Reading(None, "only macOS has power modes")
    found = re.search(r"^\s*(?:powermode|lowpowermode)\s+(\d)", output("pmset", "-g") or "", re.MULTILINE)
    mode = {"0": "normal", "1": "low", "2": "high"}.get(found[1]) if found else None
    return Reading(mode, None if mode else "pmset did not tell")


def thermal_pressure() -> Reading:
    """nominal, moderate, heavy, trapping or sleeping."""
    if not IS_MACOS:
        return Reading(None, "only macOS tells its thermal pressure")
    level = macos.thermal_level()
    if level is not None and level < len(THERMAL):
        return Reading(THERMAL[level])
    return thermal_of(output("pmset", "-g", "therm") or "")


def thermal_of(said: str) -> Reading:
    """From `pmset -g therm`, which knows less: whether the CPU was slowed down."""
    limit = re.search(r"CPU_Speed_Limit\s*=\s*(\d+)", said)
    if limit:
        return Reading("nominal" if int(limit[1]) >= 100 else "heavy")
    if "No thermal warning level has been recorded" in said:
        return Reading("nominal")
    return Reading(None, "neither the notification center nor pmset told")


def gpu_busy_percent() -> Reading:
    """Share of the GPU that is busy, in percent: the least of three looks, since each is of one moment only."""
    if not IS_MACOS:
        return Reading(None, "read on macOS only")
    shares: list[float] = []
    while len(shares) < GPU_LOOKS and (not shares or shares[-1] > 0):
        if shares:
            measure.sleep(GPU_LOOK_S)
        look = gpu_of(machine.gpu_entries())
        if not isinstance(look.value, float):
            return look
        shares.append(look.value)
    return Reading(min(shares))


def gpu_of(said: str | None) -> Reading:
    """From `ioreg -r -c AGXAccelerator -a`: the driver's own count, of the busiest GPU."""
    statistics = [entry.get("PerformanceStatistics") for entry in entries(said)]
    told = [one.get("Device Utilization %") for one in statistics if isinstance(one, dict)]
    shares = [float(share) for share in told if isinstance(share, int | float)]
    return Reading(max(shares)) if shares else Reading(None, "the driver did not tell")
