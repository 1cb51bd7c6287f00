"""What the machine's own counters say of energy, without root: facts only, joules a token are SQL.

A source reads counters that only grow: IOReport on macOS, RAPL on Linux. `Meter` keeps one in a process of its own, so
that no reading ever falls into the time of a request.
"""

import sys
from typing import NamedTuple, Protocol

IS_MACOS = sys.platform == "darwin"
RAILS = ("gpu_uj", "cpu_uj", "ane_uj", "dram_uj")
ELSEWHERE = "the server is on another machine"  # so these counters say nothing of it
COUNTERS = (*RAILS, "gpu_busy_ticks", "gpu_ticks")

Counters = dict[str, int]  # since the source was opened, of those of COUNTERS that it has


class Channel(NamedTuple):
    """One counter of the system's, and what it is counted to; `unit` as the system says it."""

    rail: str
    name: str
    unit: str


class Source(Protocol):
    """Where readings come from."""

    name: str
    channels: list[Channel]

    def read(self) -> Counters | None:
        """All counters now; None where they could not be read this time."""


class Unreadable(Exception):
    """No counter can be read here; the message is a reason for the run file."""


def find() -> Source:
    """The source of the system that we run on. Raises Unreadable."""
    if IS_MACOS:
        from collector.energy.ioreport import IOReport

        return IOReport()
    from collector.energy.rapl import Rapl

    return Rapl()
