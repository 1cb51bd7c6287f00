"""The reading process, seen from the collector."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from collector import children, energy
from collector.clock import clock, sleep
from collector.energy import rapl

COMMAND = [sys.executable, "-m", "collector.energy.reader"]
SILENT = "the process that reads the energy counters said nothing"
LOOK_S, PATIENCE_S, START_S = 0.002, 0.5, 10.0
REST_STEPS, REST_STEP_S = 8, 0.5  # readings while the machine is at rest: whether it is steady shows


class Meter:
    """Energy counters, read at moments that the collector names. Readings wait in a file without a name, as memory
    samples do. Where a system has no counters nothing is started, and no call does or costs anything.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # `close` closes it
        self._read_to = 0
        self._waiting: list[dict[str, Any]] = []
        self._facts: dict[str, Any] | None = None
        self._process: subprocess.Popen[str] | None = None
        try:
            if energy.IS_MACOS or rapl.POWERCAP.exists():
                self._process = self._started()
        except OSError:  # it costs figures, and no run
            self._facts = {"energy_reason": SILENT}

    def _started(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=self._file,
            stderr=subprocess.DEVNULL,  # what ends it is no matter of the person's: its readings are missing
            text=True,
            env=children.environment(),
            start_new_session=True,  # Ctrl-C must not end it before the run is written
        )

    def facts(self) -> dict[str, Any]:
        """Run columns: where readings come from, or why there are none. Waits for the process to say so."""
        if self._facts is None:
            until = clock() + START_S * 1e9
            while self._process and not self._take() and clock() < until and self._process.poll() is None:
                sleep(LOOK_S)
            said = self._take()
            self._facts = said.pop(0) if said else {"energy_reason": SILENT if self._process else rapl.NONE}
        return self._facts

    @property
    def is_on(self) -> bool:
        """Whether anything is read."""
        return self.facts().get("energy_source") is not None

    def nudge(self) -> None:
        """Have the counters read about now, without waiting for it: a write to a pipe."""
        if self._process:
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # a process that died leaves figures away, nothing else
                self._process.stdin.write("\n")
                self._process.stdin.flush()

    def read_now(self) -> None:
        """Read the counters at once and wait for it (a few ms)."""
        if self._process is None or self._process.poll() is not None or not self.is_on:
            return
        before, until = self._size(), clock() + PATIENCE_S * 1e9
        self.nudge()
        while self._size() <= before and clock() < until:
            sleep(LOOK_S)

    def rest(self) -> dict[str, Any]:
        """Read at even steps while nothing is asked of the machine."""
        for _ in range(REST_STEPS):
            self.read_now()
            sleep(REST_STEP_S)
        self.read_now()
        return {}

    def take(self) -> list[dict[str, int]]:
        """The readings since the last call, oldest first; `at_ns` by the clock."""
        self.facts()
        found, self._waiting = self._take(), []
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

    def _take(self) -> list[dict[str, Any]]:
        """What stands in the file in whole lines and was not taken; it waits in memory from now on."""
        said = os.pread(self._file.fileno(), self._size() - self._read_to, self._read_to)
        whole = said[: said.rfind(b"\n") + 1]
        self._read_to += len(whole)
        for line in whole.splitlines():
            with contextlib.suppress(ValueError):  # a full disk takes but a piece of one
                self._waiting.append(json.loads(line))
        return self._waiting

    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size
