"""One memory sample on this system: of the whole machine, and of a process.

On Linux the weights of a memory-mapped file count as page cache, which the system's figure leaves out, so a process's
proportional set size (PSS) is read too. On macOS a process's footprint leaves mapped weights out and the system's
figure has them once the GPU has wired them.
"""

import functools
import os
import sys
from pathlib import Path

import psutil

from collector.memory import macos

IS_MACOS = sys.platform == "darwin"
NOTHING = dict.fromkeys(("wired_bytes", "compressor_bytes", "pressure_level", "thermal_level"))  # told by macOS only


@functools.cache
def method() -> str:
    """What samples hold on this system, for `memory_method`."""
    if not IS_MACOS:
        return "linux: PSS of the engine's processes; system used is total - available"
    if macos.read_vm_statistics() is None:
        return "macos: footprint of the engine's processes; system used is total - available"
    return "macos: footprint of the engine's processes; system used is internal - purgeable + wired + compressor"


def system() -> dict[str, int | None]:
    """The fields of a memory sample that speak of the whole machine; None where this system cannot tell."""
    if not IS_MACOS:
        return {**NOTHING, **meminfo(Path("/proc/meminfo").read_text())}
    swap = psutil.swap_memory().used
    if buffer := macos.read_vm_statistics():
        pages, size = macos.vm_statistics(buffer), os.sysconf("SC_PAGE_SIZE")
        read = {
            "system_used_bytes": pages.used() * size,
            "wired_bytes": pages.wire * size,
            "compressor_bytes": pages.compressor * size,
        }
    else:
        memory = psutil.virtual_memory()
        read = {"system_used_bytes": memory.total - memory.available}
    return {
        **NOTHING,
        **read,
        "swap_used_bytes": swap,
        "pressure_level": macos.sysctl(macos.PRESSURE),
        "thermal_level": macos.thermal_level(),
    }


def meminfo(text: str) -> dict[str, int]:
    """Decode Linux's `meminfo`: in use is total less available, as psutil has it, in a third of its time."""
    fields = dict(line.split()[:2] for line in text.splitlines())
    size = {name: int(fields[f"{name}:"]) * 1024 for name in ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")}
    return {
        "system_used_bytes": size["MemTotal"] - size["MemAvailable"],
        "swap_used_bytes": size["SwapTotal"] - size["SwapFree"],
    }


def of_process(pid: int) -> dict[str, int] | None:
    """Bytes of one process: `rss_bytes` and, by system, `pss_bytes` or `footprint_bytes` and its maximum.

    None for a process that has gone or is not ours to see.
    """
    if IS_MACOS:
        buffer = macos.read_usage(pid)
        if buffer is None:
            return None
        used = macos.usage(buffer)
        return {
            "rss_bytes": used.resident,
            "footprint_bytes": used.footprint,
            "footprint_max_bytes": used.footprint_max,
        }
    try:
        return rollup(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except OSError:
        return None


def resident(pid: int) -> int | None:
    """Resident bytes of one process, by Linux's `statm`: some 0.02 ms, where `smaps_rollup` walks all its pages."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return None


def rollup(text: str) -> dict[str, int] | None:
    """Decode Linux's `smaps_rollup`; None of a process without memory of its own."""
    fields = dict(line.split()[:2] for line in text.splitlines()[1:])
    if "Pss:" not in fields or "Rss:" not in fields:
        return None
    return {"rss_bytes": int(fields["Rss:"]) * 1024, "pss_bytes": int(fields["Pss:"]) * 1024}
