"""The reading process, seen from the collector."""

import sys
from typing import Any

from collector import energy
from collector.clock import clock, sleep
from collector.energy import rapl
from collector.teller import LOOK_S, Teller

COMMAND = [sys.executable, "-m", "collector.energy.reader"]
SILENT = "the process that reads the energy counters said nothing"
START_S = 10.0  # until the process has said where it reads
REST_STEPS, REST_STEP_S = 8, 0.5  # readings while the machine is at rest: whether it is steady shows


class Meter(Teller):
    """Energy counters, read at moments that the collector names. Where a system has none nothing is started, and no
    call does or costs anything.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[dict[str, Any]] = []
        self._facts: dict[str, Any] | None = None
        try:
            if energy.IS_MACOS or rapl.POWERCAP.exists():
                self._start(COMMAND)
        except OSError:  # it costs figures, and no run
            self._facts = {"energy_reason": SILENT}

    def facts(self) -> dict[str, Any]:
        """Run columns: where readings come from, or why there are none. Waits for the process to say so."""
        if self._facts is None:
            until = clock() + START_S * 1e9
            while self._process and not self._has_said() and clock() < until and self._process.poll() is None:
                sleep(LOOK_S)
            self._facts = {"energy_reason": SILENT if self._process else rapl.NONE}
            if self._has_said():
                self._facts = self._waiting.pop(0)
        return self._facts

    @property
    def is_on(self) -> bool:
        """Whether anything is read."""
        return self.facts().get("energy_source") is not None

    def read_now(self) -> None:
        """Read the counters at once and wait for it (a few ms)."""
        if self._process and self._process.poll() is None and self.is_on:
            self._read_now()

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
        found, self._waiting = [*self._waiting, *self._lines()], []
        return found

    def _has_said(self) -> bool:
        self._waiting += self._lines()
        return bool(self._waiting)
