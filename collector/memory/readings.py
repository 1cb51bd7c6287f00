"""One memory sample on this system, and in words what it holds.

On Linux the weights of a memory-mapped file count as page cache, which the system's figure leaves out, so the
engine's proportional set size (PSS) is read too. On macOS only the system's figure is read here.
"""

import sys
from collections.abc import Sequence

import psutil

IS_LINUX = sys.platform == "linux"
METHOD = (
    "linux: PSS of the engine's process tree; system used is total - available"
    if IS_LINUX
    else "macos: system used is total - available; engine RSS"
)


def read(engine: Sequence[psutil.Process]) -> dict[str, int | None]:
    """The fields of a memory sample less its time. Engine figures are None without an engine to look at."""
    memory = psutil.virtual_memory()
    parts = [part for part in map(_of_process, engine) if part is not None]
    pss = [part["pss"] for part in parts if "pss" in part]
    return {
        "system_used_bytes": memory.total - memory.available,
        "engine_pss_bytes": sum(pss) if pss else None,
        "engine_rss_bytes": sum(part["rss"] for part in parts) if parts else None,
        "swap_used_bytes": psutil.swap_memory().used,
    }


def _of_process(process: psutil.Process) -> dict[str, int] | None:
    try:
        full = process.memory_full_info() if IS_LINUX else process.memory_info()
    except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
        return None
    return {"rss": full.rss, "pss": full.pss} if IS_LINUX else {"rss": full.rss}
