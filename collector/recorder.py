"""What is learned of a run while it lasts, kept in the journal from the first moment."""

from collections.abc import Callable
from typing import Any

from collector import measure
from collector.backends import Facts
from collector.journal import Journal
from collector.memory.engine import Engine
from collector.memory.sampler import Sampler
from collector.privacy import clean

# Told of each operation before (`begin`) and after (`end`), never while it is timed; when the server is waited for
# (`wait`); and when the journal cannot be written (`trouble`).
Watch = Callable[[str, Facts], None]


class Recorder:
    """Keeps what is learned of the run, and gives each memory sample to the operation it fell into."""

    def __init__(self, journal: Journal, sampler: Sampler, watch: Watch) -> None:
        self.facts: Facts = {}
        self.operations: list[Facts] = []
        self.sampler = sampler
        self.engine: Engine | None = None
        self._journal = journal
        self._watch = watch
        self._origin = measure.clock()

    def now(self) -> int:
        """Ns since the run began."""
        return measure.clock() - self._origin

    def learn(self, facts: Facts) -> None:
        """Add run columns."""
        facts = clean(facts)
        self.facts |= facts
        self._journaled(lambda: self._journal.facts(facts))

    def begin(self, op: str, about: Facts) -> None:
        """Tell the watcher what comes next."""
        self._watch("begin", {"op": op, **about})

    def wait(self, said: str | None) -> None:
        """Tell the watcher that the server is waited for, and what it said."""
        self._watch("wait", {"op": "warmup", "error_detail": said})

    def end(self, op: str, facts: Facts, began: int | None = None) -> None:
        """Store a finished operation that began at `began` (by the clock), and the idle time before it."""
        samples = self._samples()
        started = began - self._origin if began is not None else self.now()
        before = [sample for sample in samples if sample["at_ns"] < started]
        if before:
            self._store({"op": "idle", "started_ns": before[0]["at_ns"], "memory": before})
        during = [sample for sample in samples if sample["at_ns"] >= started]
        self._store({"op": op, "started_ns": started, **facts, "memory": during or None})
        self._watch("end", self.operations[-1])

    def idle(self) -> None:
        """Store the samples since the last operation as idle time."""
        if samples := self._samples():
            self._store({"op": "idle", "started_ns": samples[0]["at_ns"], "memory": samples})

    def _store(self, row: Facts) -> None:
        row = clean(row)
        row["op_index"] = len(self.operations)
        self.operations.append(row)
        self._journaled(lambda: self._journal.operation(row))

    def _journaled(self, write: Callable[[], None]) -> None:
        before = self._journal.failure
        write()
        if self._journal.failure and self._journal.failure != before:
            self._watch("trouble", {"op": "journal", "error_detail": self._journal.failure})

    def _samples(self) -> list[dict[str, Any]]:
        """New samples in the schema's form: figures of the engine's processes summed."""
        return [
            {**sample, "at_ns": sample["at_ns"] - self._origin, **self._of_engine(sample.pop("engine"))}
            for sample in self.sampler.take()
        ]

    def _of_engine(self, processes: dict[str, dict[str, int]]) -> dict[str, int]:
        chosen = [part for pid, part in processes.items() if self.engine and int(pid) in self.engine.pids]
        names = dict.fromkeys(name for part in chosen for name in part)
        # a figure that one process lacks would be a sum of the others only
        return {
            f"engine_{name}": sum(part[name] for part in chosen) for name in names if all(name in p for p in chosen)
        }
