"""Rows of run files with energy counters in them: what flows is planted in watts."""

from typing import Any

from collector.backends import Facts
from tests.conftest import request

RAILS = ("gpu_uj", "cpu_uj", "ane_uj", "dram_uj")
SECOND = 10**9
IOREPORT: Facts = {
    "energy_source": "IOReport Energy Model",
    "energy_channels": [{"rail": rail, "name": rail, "unit": "mJ"} for rail in RAILS],
    "server_place": "local",
}
RAPL: Facts = {
    "energy_source": "RAPL",
    "energy_channels": [{"rail": "cpu_uj", "name": "intel-rapl:0 package-0", "unit": "uJ"}],
    "server_place": "local",
}
STILL = (0, 0, 0, 0)


class Flowing:
    """A run as its time passes. Watts are of GPU, CPU, neural engine and memory; None: there is no such counter."""

    def __init__(self, rest: tuple[float | None, ...] = (0.5, 4, 0, 1.5)) -> None:
        self.now, self.uj, self.idle = 0, [0.0] * 4, rest
        self.counted = [watts is not None for watts in rest]
        self.ticks = [0, 0]
        self.rows: list[Facts] = []
        self._readings: list[dict[str, Any]] = []

    def flow(self, seconds: float, watts: tuple[float | None, ...] | None = None, busy: float = 0) -> "Flowing":
        """Time in which so much flows."""
        self.now += round(seconds * SECOND)
        self.uj = [
            joules + (flows or 0) * seconds * 1e6 for joules, flows in zip(self.uj, watts or self.idle, strict=True)
        ]
        self.ticks = [self.ticks[0] + round(seconds * busy * 24e6), self.ticks[1] + round(seconds * 24e6)]
        return self

    def read(self) -> "Flowing":
        """A reading of the counters."""
        rails = {
            rail: round(uj) if is_counted else None
            for rail, uj, is_counted in zip(RAILS, self.uj, self.counted, strict=True)
        }
        ticks = dict(zip(("gpu_busy_ticks", "gpu_ticks"), self.ticks if self.counted[0] else (None, None), strict=True))
        self._readings.append({"at_ns": self.now, **rails, **ticks})
        return self

    def _end(self, row: Facts) -> "Flowing":
        self.rows.append({**row, "energy": self._readings})
        self._readings = []
        return self

    def rest(self, *watts: tuple[float | None, ...]) -> "Flowing":
        """Eight steps of half a second, or a step for each of these."""
        started = self.now
        self.read()
        for one in watts or (self.idle,) * 8:
            self.flow(0.5, one).read()
        return self._end({"op": "rest", "started_ns": started, "elapsed_ns": self.now - started})

    def ask(
        self,
        prefill: tuple[float | None, ...],
        decode: tuple[float | None, ...],
        *,
        prefill_s: float = 2,
        tps: float = 50,
        tokens: int = 101,
        late_s: float = 0,
        reads: str = "first last",
        **more: Any,
    ) -> "Flowing":
        """One request; the readings at its first and last text come so late."""
        started = self.now
        self.read()
        self.flow(prefill_s, prefill)
        self.flow(late_s, decode, busy=1)
        if "first" in reads:
            self.read()
        self.flow((tokens - 1) / tps - late_s, decode, busy=1).flow(late_s)
        if "last" in reads:
            self.read()
        row = request(ttft_ms=prefill_s * 1000, tps=tps, tokens=tokens, **{"prompt_tokens": 1000, **more})
        return self._end({**row, "started_ns": started, "position": len(self.rows)}).flow(0.1)


def metered(**about: Any) -> list[list[Facts]]:
    """Two runs whose energy was read."""
    watts = [(100.0, 12.0, 0.0, 20.0), (101.0, 11.5, 0.0, 21.0)]
    rows = [Flowing().rest().ask(one, one).ask(one, one).rest().rows for one in watts]
    return [[{**about, **IOREPORT, "run_id": f"e{number:011x}"}, *own] for number, own in enumerate(rows)]
