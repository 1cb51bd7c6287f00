"""Samples memory four times a second until its standard input closes: `python -m collector.memory.sampler`.

Each line on standard output is one sample as JSON: the system's figures, and under `engine` those of each watched
process. A line on standard input says whose: `tree PID` is a process and its descendants, looked up anew for each
sample, `only PID,PID` just these. Any line, an empty one too, asks for a sample at once.
"""

import contextlib
import json
import os
import select
import sys
from collections.abc import Iterable
from typing import Any

from collector.measure import clock
from collector.memory import readings
from collector.memory.engine import tree
from collector.teller import Teller

PERIOD_S = 0.25
WALK_PERIOD, WALK_MOVED = 40, 0.02  # samples, and the share by which resident memory must have moved


class Sampler(Teller):
    """The sampling process, seen from the collector."""

    def __init__(self) -> None:
        super().__init__()
        try:
            self._start([sys.executable, "-m", "collector.memory.sampler"])
        except OSError:
            self.close()
            raise

    def watch_tree(self, pid: int) -> None:
        """From now on, sample this process and its descendants; a look-up costs some ms, so not while timing."""
        self._say(f"tree {pid}")

    def watch_only(self, pids: Iterable[int]) -> None:
        """From now on, sample these processes."""
        self._say(f"only {','.join(map(str, sorted(pids)))}")

    def sample_now(self) -> None:
        """Take a sample at once, beside the regular ones, and wait for it (a few ms)."""
        self._read_now()

    def take(self) -> list[dict[str, Any]]:
        """The samples that came since the last call, oldest first; `at_ns` by `measure.clock`."""
        return self._lines()


class _Watched:
    """Whose memory is read, as standard input last said it."""

    def __init__(self) -> None:
        self._root: int | None = None
        self._pids: list[int] = []
        self._walked: dict[int, int] = {}  # resident bytes when PSS was last read
        self._since = 0  # samples since then

    def told(self, line: str) -> None:
        kind, _, who = line.partition(" ")
        if kind == "tree":
            self._root = int(who)
        elif kind == "only":
            self._root, self._pids = None, [int(pid) for pid in who.split(",") if pid]

    def read(self) -> dict[int, dict[str, int]]:
        pids = self._pids if self._root is None else tree(self._root)
        resident = (
            {} if readings.IS_MACOS else {pid: rss for pid in pids if (rss := readings.resident(pid)) is not None}
        )
        if readings.IS_MACOS or self._is_due(resident):
            return {pid: part for pid in pids if (part := readings.of_process(pid))}
        return {pid: {"rss_bytes": rss} for pid, rss in resident.items()}

    def _is_due(self, resident: dict[int, int]) -> bool:
        """Whether page tables are walked: when resident memory of one has moved, since a sum needs all, or after ten
        seconds. That costs some ms for each 300 MB.
        """
        self._since += 1
        before = {pid: self._walked.get(pid, 0) for pid in resident}
        moved = any(abs(rss - before[pid]) > WALK_MOVED * before[pid] for pid, rss in resident.items())
        if not moved and self._since <= WALK_PERIOD:
            return False
        self._walked, self._since = resident, 0
        return True


def main() -> None:
    """Sample until standard input closes."""
    watched, system, is_asked = _Watched(), readings.System(), True
    while True:
        sample = {"at_ns": clock(), **system.read(is_asked), "engine": watched.read()}
        with contextlib.suppress(OSError):  # a full disk costs samples, and the next may find room
            sys.stdout.write(json.dumps(sample) + "\n")
            sys.stdout.flush()
        is_asked = bool(select.select([0], [], [], PERIOD_S)[0])
        if is_asked:
            said = os.read(0, 4096).decode()
            if not said:
                return
            for line in said.splitlines():
                watched.told(line)


if __name__ == "__main__":
    main()
