"""Macs that are none: what the kernel, Metal, psutil and the system's programs say on macOS 15, 26 and 27.

Each has that system's quirks, and planted figures; `install` makes this process take Linux for it, and `launch` the
programs that a test starts.
"""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
PAGE, GIB = 16384, 2**30


@dataclass(frozen=True)
class Mac:
    """What one Mac says. Counts are of pages of 16 KiB, `weights` what the GPU wires while a model is loaded."""

    version: str
    told_version: str  # to a Python that was built for an older system
    vm_words: int  # of host_statistics64, in this kernel
    psutil_raises: bool = False
    memory: int = 512 * GIB
    internal: int = 3_000_000
    purgeable: int = 20_000
    wire: int = 500_000
    compressor: int = 40_000
    external: int = 2_000_000
    weights: int = 260_000
    swap: int = 3 * 2**20 + 4096
    pressure: int = 1
    thermal: int = 0
    working_set: int = 460 * 10**9
    wired_limit_mb: int = 0
    is_translated: bool = False
    gpu_percent: int = 3
    cpu_percent: float = 25.0
    engine_rss: int = 300 * 2**20
    engine_footprint: int = 700 * 2**20
    engine_footprint_max: int = 800 * 2**20
    other_rss: int = 20 * 2**20
    zombie_rss: int = 50 * GIB


MACS = {
    "15": Mac("15.7", "15.7", vm_words=38),
    "26": Mac("26.1", "16.1", vm_words=62),
    "27": Mac("27.0", "16.0", vm_words=104, psutil_raises=True),
}
