"""Samples memory four times a second until its standard input closes: `python -m collector.memory.sampler`.

Each line on standard output is one sample as JSON: the system's figures, and under `engine` those of each watched
process. A line on standard input says whose: `tree PID` is a process and its descendants, looked up anew for each
sample, `only PID,PID` just these. Any line, an empty one too, asks for a sample at once.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from typing import Any

from collector import children
from collector.measure import clock, sleep
from collector.memory import readings
from collector.memory.engine import tree

PERIOD_S = 0.25
WALK_PERIOD, WALK_MOVED = 40, 0.02  # samples, and the share by which resident memory must have moved
PATIENCE = 100  # looks, 2 ms apart, for a sample that was asked for


class Sampler:
    """The sampling process, seen from the collector. Samples wait in a file without a name: nothing can be left over,
    and no results folder that is full or gone takes them.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # `close` closes it
        self._read_to = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "collector.memory.sampler"],
            stdin=subprocess.PIPE,
            stdout=self._file,
            stderr=subprocess.DEVNULL,  # what ends it is no matter of the person's: its samples are missing
            text=True,
            env=children.environment(),
            start_new_session=True,  # Ctrl-C must not end it before the run is written
        )

    def watch_tree(self, pid: int) -> None:
        """From now on, sample this process and its descendants; a look-up costs some ms, so not while timing."""
        self._say(f"tree {pid}")

    def watch_only(self, pids: Iterable[int]) -> None:
        """From now on, sample these processes."""
        self._say(f"only {','.join(map(str, sorted(pids)))}")

    def nudge(self) -> None:
        """Have a sample taken about now, without waiting for it: a write to a pipe."""
        self._say("")

    def sample_now(self) -> None:
        """Take a sample at once, beside the regular ones, and wait for it (a few ms)."""
        before = self._size()
        self.nudge()
        for _ in range(PATIENCE):
            if self._size() > before:
                return
            sleep(0.002)

    def take(self) -> list[dict[str, Any]]:
        """The samples that came since the last call, oldest first; `at_ns` by `measure.clock`."""
        lines = os.pread(self._file.fileno(), self._size() - self._read_to, self._read_to)
        whole = lines[: lines.rfind(b"\n") + 1]
        self._read_to += len(whole)
        return [sample for line in whole.splitlines() if (sample := _sample(line))]

    def close(self) -> None:
        """End the process; again is harmless."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._file.close()

    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # a sampler that died leaves gaps in memory figures, nothing else
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()


def _sample(line: bytes) -> dict[str, Any] | None:
    """What a line says; None where a full disk took but a piece of it."""
    try:
        sample: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return sample


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
