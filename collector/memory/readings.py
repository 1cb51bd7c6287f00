"""One memory sample on this system: of the whole machine, and of a process.

On Linux the weights of a memory-mapped file count as page cache, which the system's figure leaves out, so a process's
proportional set size (PSS) is read too. On macOS a process's footprint leaves mapped weights out and the system's
figure has them once the GPU has wired them. psutil is not asked for memory or swap there: on macOS 27 it raises. What
cannot be read is None, and never what another formula gives.
"""

import os
import sys
from pathlib import Path

import psutil

from collector.memory import macos

IS_MACOS = sys.platform == "darwin"
NOTHING = dict.fromkeys(
    ("system_used_bytes", "swap_used_bytes", "wired_bytes", "compressor_bytes", "pressure_level", "thermal_level")
)


def method() -> str:
    """What samples hold on this system, and why a figure is missing, for `memory_method`."""
    if not IS_MACOS:
        return "linux: PSS of the engine's processes; system used is total - available"
    formula = "system used is internal - purgeable + wired + compressor"
    return f"macos: footprint of the engine's processes; {formula}; NULL: not asked for, a copy of before, or not told"


class System:
    """The whole machine's fields of memory samples, one after another."""

    def __init__(self) -> None:
        self._last: bytes | None = None
        self._was_left_out = False

    def read(self, is_asked: bool = True) -> dict[str, int | None]:
        """The next sample's fields; None where this system cannot tell.

        On macOS page counts are read for every other sample only, but for those that were asked for: the kernel answers
        few such calls. What it copies from its last answer is of that moment and not of this one, so it is None; that
        shows in equal bytes, since page faults are counted in them and never stand still.
        """
        if not IS_MACOS:
            return {**NOTHING, **meminfo(Path("/proc/meminfo").read_text())}
        self._was_left_out = not is_asked and not self._was_left_out
        buffer = None if self._was_left_out else macos.read_vm_statistics()
        is_copy = buffer == self._last
        self._last = buffer or self._last
        return {
            **NOTHING,
            **({} if buffer is None or is_copy else _of_pages(buffer)),
            "swap_used_bytes": swap_used(),
            "pressure_level": macos.sysctl(macos.PRESSURE),
            "thermal_level": macos.thermal_level(),
        }


def total() -> int | None:
    """Bytes of memory built in."""
    return macos.sysctl(macos.MEMORY) if IS_MACOS else int(psutil.virtual_memory().total)


def available() -> int | None:
    """Bytes that can be had without swapping: the total less what samples call used.

    On macOS psutil's figure counts what was in a file that is no longer mapped as taken, up to the file's size.
    """
    if not IS_MACOS:
        return int(psutil.virtual_memory().available)
    buffer, size = macos.read_vm_statistics(), total()
    used = _of_pages(buffer).get("system_used_bytes") if buffer else None
    return None if used is None or size is None else size - used


def swap_used() -> int | None:
    """Bytes of swap in use."""
    if not IS_MACOS:
        return int(psutil.swap_memory().used)
    buffer = macos.read_sysctl(macos.SWAP, macos.SWAP_BYTES)
    return None if buffer is None else macos.swap_used(buffer)


def _of_pages(buffer: bytes) -> dict[str, int]:
    """Bytes of a `struct vm_statistics64`; nothing where the kernel does not tell its page size."""
    pages, size = macos.vm_statistics(buffer), macos.page_size()
    if size is None:
        return {}
    return {
        "system_used_bytes": pages.used() * size,
        "wired_bytes": pages.wire * size,
        "compressor_bytes": pages.compressor * size,
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
