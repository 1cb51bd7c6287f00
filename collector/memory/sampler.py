"""Samples memory four times a second until its standard input closes: `python -m collector.memory.sampler FILE`.

Each line of FILE is one sample as JSON. A line on standard input names the engine's process and asks for a sample
at once; an empty one asks for a sample only.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from collector.measure import clock, sleep
from collector.memory.engine import tree
from collector.memory.readings import read

PERIOD_S = 0.25
PATIENCE = 100  # looks, 2 ms apart, for a sample that was asked for
TREE_PERIOD = 8  # samples after which the engine's children are looked up again; a look-up costs some ms


class Sampler:
    """The sampling process, seen from the collector."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.touch()
        self._read_to = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "collector.memory.sampler", str(file)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C must not end it before the run is written
        )

    def watch(self, pid: int | None) -> None:
        """From now on, sample this process and its children too."""
        self._say(str(pid or 0))

    def sample_now(self) -> None:
        """Take a sample at once, beside the regular ones, and wait for it (a few ms)."""
        before = self._file.stat().st_size
        self._say("")
        for _ in range(PATIENCE):
            if self._file.stat().st_size > before:
                return
            sleep(0.002)

    def take(self) -> list[dict[str, Any]]:
        """The samples that came since the last call, oldest first; `at_ns` by `measure.clock`."""
        with self._file.open("rb") as file:
            file.seek(self._read_to)
            lines = file.read()
        whole = lines[: lines.rfind(b"\n") + 1]
        self._read_to += len(whole)
        return [json.loads(line) for line in whole.splitlines()]

    def close(self) -> None:
        """End the process and remove its file."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._file.unlink(missing_ok=True)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # a sampler that died leaves gaps in memory figures, nothing else
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()


def main() -> None:
    """Sample until standard input closes."""
    engine: list[psutil.Process] = []
    pid = count = 0
    with Path(sys.argv[1]).open("a", buffering=1) as out:
        while True:
            if count % TREE_PERIOD == 0 and pid:
                engine = tree(pid)
            count += 1
            out.write(json.dumps({"at_ns": clock(), **read(engine)}) + "\n")
            if select.select([0], [], [], PERIOD_S)[0]:
                said = os.read(0, 4096).decode()
                if not said:
                    return
                for line in filter(None, said.split("\n")):
                    pid = int(line)
                    engine = tree(pid) if pid else []


if __name__ == "__main__":
    main()
