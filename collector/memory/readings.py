"""One memory sample on this system, and in words what it holds.

On Linux the weights of a memory-mapped file count as page cache, which the system's figure leaves out, so the
engine's proportional set size (PSS) is read too. On macOS only the system's figure is read here.
"""

import sys
from pathlib import Path

import psutil

IS_LINUX = sys.platform == "linux"
METHOD = (
    "linux: PSS of the engine's process tree; system used is total - available"
    if IS_LINUX
    else "macos: system used is total - available; engine RSS"
)


def system() -> dict[str, int | None]:
    """The fields of a memory sample that speak of the whole machine."""
    memory = psutil.virtual_memory()
    return {
        "system_used_bytes": memory.total - memory.available,
        "swap_used_bytes": psutil.swap_memory().used,
        "wired_bytes": None,
        "compressor_bytes": None,
        "pressure_level": None,
        "thermal_level": None,
    }


def of_process(pid: int) -> dict[str, int] | None:
    """Memory of one process; None when it is gone or not ours to see."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return None
    fields = {line.split()[0]: int(line.split()[1]) * 1024 for line in text.splitlines()[1:]}
    return {"pss_bytes": fields["Pss:"], "rss_bytes": fields["Rss:"]} if fields else None
