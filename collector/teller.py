"""A process of ours that reads something when it is told to, and says each reading as a line of JSON.

Its lines wait in a file without a name: nothing can be left over, and no results folder that is full or gone takes
them.
"""

import contextlib
import json
import os
import subprocess
import tempfile
from typing import Any

from collector import children
from collector.clock import sleep

LOOK_S, LOOKS = 0.002, 100  # how often it is looked for a line that was asked for


class Teller:
    """Such a process, seen from the collector. One that has died leaves readings away, nothing else."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # `close` closes it
        self._read_to = 0
        self._process: subprocess.Popen[str] | None = None

    def _start(self, command: list[str]) -> None:
        """Begin. Raises OSError."""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=self._file,
            stderr=subprocess.DEVNULL,  # what ends it is no matter of the person's: its readings are missing
            text=True,
            env=children.environment(),
            start_new_session=True,  # Ctrl-C must not end it before the run is written
        )

    def nudge(self) -> None:
        """Have it read about now, without waiting for it: a write to a pipe."""
        self._say("")

    def _say(self, line: str) -> None:
        if self._process:
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(f"{line}\n")
                self._process.stdin.flush()

    def _read_now(self) -> None:
        """Have it read at once, and wait for it (a few ms)."""
        before = self._size()
        self.nudge()
        for _ in range(LOOKS):
            if self._size() > before:
                return
            sleep(LOOK_S)

    def _lines(self) -> list[dict[str, Any]]:
        """What it has said in whole lines since the last call; without those of which a full disk took but a piece."""
        said = os.pread(self._file.fileno(), self._size() - self._read_to, self._read_to)
        whole = said[: said.rfind(b"\n") + 1]
        self._read_to += len(whole)
        found: list[dict[str, Any]] = []
        for line in whole.splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return found

    def close(self) -> None:
        """End the process; again is harmless."""
        if self._process:
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
