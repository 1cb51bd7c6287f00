"""Which low-level readings work on this machine, each beside another source, with the buffers they were decoded from.

The buffers go into a file to commit: a test decodes them again, so one look on a new system confirms or refutes the
decoding for good. No names, process ids, times of day or identifiers are in it.
"""

import json
import os
import platform
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from collector import environment
from collector.memory import macos, readings
from collector.schema import CLONE

NEAR = 0.1  # two sources are asked one after the other, and memory moves meanwhile
NAMELESS = {"uuid": slice(0, 16), "times": slice(80, 96)}  # of struct rusage_info_v4


@dataclass(frozen=True)
class Probe:
    """One reading: what it is decoded from and to, and whether another source agrees; None where there is none."""

    name: str
    buffer: str | None
    decoded: dict[str, int] | None
    said: str
    agrees: bool | None


def probe() -> list[Probe]:
    """Every reading that is decoded from bytes or text of the kernel's."""
    return [_vm_statistics(), _usage(), _rollup(), *_others()]


def decode(name: str, buffer: str) -> dict[str, int] | None:
    """What a saved buffer says."""
    if name == "vm_statistics64":
        return asdict(macos.vm_statistics(bytes.fromhex(buffer)))
    if name == "rusage_info_v4":
        return asdict(macos.usage(bytes.fromhex(buffer)))
    return readings.rollup(buffer)


def save(probes: list[Probe], folder: Path | None = None) -> Path:
    """Write the buffers as a fixture, in the clone's tests if it is one; returns the path."""
    tests = CLONE / "tests"
    place = folder or (tests / "probes" if tests.is_dir() else Path.cwd())
    place.mkdir(exist_ok=True)
    version = platform.mac_ver()[0] or re.sub(r"[^0-9.].*", "", platform.release())
    path = place / f"{platform.system().lower()}-{version}-{platform.machine()}.json"
    kept = [asdict(found) for found in probes if found.buffer is not None]
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return path


def _vm_statistics() -> Probe:
    buffer = macos.read_vm_statistics()
    if buffer is None:
        return Probe("vm_statistics64", None, None, "host_statistics64 cannot be called here", None)
    pages, size = macos.vm_statistics(buffer), os.sysconf("SC_PAGE_SIZE")
    total = readings.total() or 0
    said = f"wired {pages.wire * size / 1e9:.2f} GB; "
    return Probe(
        "vm_statistics64",
        buffer.hex(),
        asdict(pages),
        f"{said}used {pages.used() * size / 1e9:.2f} of {total / 1e9:.2f} GB",
        0 < pages.used() * size < total,
    )


def _usage() -> Probe:
    buffer = macos.read_usage(os.getpid())
    if buffer is None:
        return Probe("rusage_info_v4", None, None, "proc_pid_rusage cannot be called here", None)
    used, rss = macos.usage(buffer), psutil.Process().memory_info().rss
    nameless = bytearray(buffer)
    for span in NAMELESS.values():
        nameless[span] = bytes(span.stop - span.start)
    said = f"resident {used.resident / 1e6:.1f} MB, psutil says {rss / 1e6:.1f} MB; "
    return Probe(
        "rusage_info_v4",
        nameless.hex(),
        asdict(used),
        f"{said}footprint {used.footprint / 1e6:.1f} MB, at most {used.footprint_max / 1e6:.1f} MB",
        _near(used.resident, rss) and 0 < used.footprint <= used.footprint_max,
    )


def _rollup() -> Probe:
    try:
        text = Path("/proc/self/smaps_rollup").read_text()
    except OSError:
        return Probe("smaps_rollup", None, None, "there is no /proc/self/smaps_rollup here", None)
    nameless = "\n".join(["[rollup]", *text.splitlines()[1:]]) + "\n"
    decoded, rss = readings.rollup(text), psutil.Process().memory_info().rss
    if decoded is None:
        return Probe("smaps_rollup", nameless, None, "it lacks Rss or Pss", False)
    said = f"RSS {decoded['rss_bytes'] / 1e6:.1f} MB, psutil says {rss / 1e6:.1f} MB; "
    agrees = _near(decoded["rss_bytes"], rss) and decoded["pss_bytes"] <= decoded["rss_bytes"]
    return Probe("smaps_rollup", nameless, decoded, f"{said}PSS {decoded['pss_bytes'] / 1e6:.1f} MB", agrees)


def _others() -> list[Probe]:
    """Readings with nothing to decode: whether they tell anything."""
    asked = (
        environment.memory_pressure,
        environment.thermal_pressure,
        environment.gpu_busy_percent,
        environment.power_source,
        environment.power_mode,
    )
    told = [(ask.__name__, ask()) for ask in asked]
    return [Probe(name, None, None, str(reading.value or reading.reason), None) for name, reading in told]


def _near(one: int, other: int) -> bool:
    return abs(one - other) <= NEAR * max(one, other)
