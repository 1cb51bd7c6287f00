"""What is learned of a run while it lasts, kept in the journal from the first moment."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from collector import measure, said
from collector.backends import Facts
from collector.energy import disk
from collector.energy.meter import Meter
from collector.journal import Journal
from collector.memory.engine import Engine
from collector.memory.sampler import Sampler
from collector.privacy import clean, withheld, without_tokens

# Told of each operation before (`begin`) and after (`end`), never while it is timed; when the server is waited for
# (`wait`); and of `trouble`: the journal, or in the end the run, cannot be written, or the server sent the API token
# back. After an operation the watcher sees the whole of what was said of a failure, the API token apart; stored are the
# words that are known.
Watch = Callable[[str, Facts], None]


class Recorder:
    """Keeps what is learned of the run, and gives each memory sample to the operation it fell into."""

    def __init__(self, journal: Journal, sampler: Sampler, meter: Meter, watch: Watch) -> None:
        self.facts: Facts = {}
        self.operations: list[Facts] = []
        self.said: dict[int, str] = {}  # by `op_index`: the beginning of what was said of its failure
        self.sampler = sampler
        self.meter = meter
        self.engine: Engine | None = None
        self._journal = journal
        self._watch = watch
        self._origin = measure.clock()
        self._read_before: int | None = None  # what the engine had read from disk when the operation began

    def now(self) -> int:
        """Ns since the run began."""
        return measure.clock() - self._origin

    def learn(self, facts: Facts) -> None:
        """Add run columns."""
        for column in withheld(facts):
            self._watch("trouble", {"op": "token", "error_detail": f"the server sent it back as its {column}"})
        facts = clean(facts, self.facts)
        self.facts |= facts
        self._journaled(lambda: self._journal.facts(facts))

    def begin(self, op: str, about: Facts) -> None:
        """Tell the watcher what comes next, and read what energy has flowed so far."""
        self._watch("begin", {"op": op, **about})
        self._read_before = self._disk()
        self.meter.read_now()

    def at_first_text(self) -> None:
        """Have memory and energy read about now: two writes to pipes."""
        self.meter.nudge()
        self.sampler.nudge()

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
        flowed = {"energy": self._energy() or None, "engine_read_bytes": self._disk_since()}
        whole = self._store({"op": op, "started_ns": started, **facts, "memory": during or None, **flowed})
        told = self.operations[-1]
        self._watch("end", {**told, "error_detail": whole} if whole else told)

    def log(self) -> Path | None:
        """Add to the log, word for word, what was said of failures and is not stored, once the run is sure to be kept.

        Where the log lies; None where nothing of this run is in it.
        """
        rows = [(self.operations[index], text) for index, text in self.said.items()]
        log = self._journal.path.with_name(said.NAME)
        said.keep(log, str(self.facts.get("run_id")), [(row["op"], row.get("error_kind"), text) for row, text in rows])
        return log if rows else None

    def idle(self) -> None:
        """Store the samples since the last operation as idle time."""
        if samples := self._samples():
            self._store({"op": "idle", "started_ns": samples[0]["at_ns"], "memory": samples})

    def _store(self, row: Facts) -> str:
        """Keep what may be stored of a row; the whole of what was said of its failure, without the API token."""
        whole = without_tokens(row.pop("said", None) or row.get("error_detail") or "")
        row = clean(row, self.facts)
        row["op_index"] = len(self.operations)
        self.operations.append(row)
        self._journaled(lambda: self._journal.operation(row))
        if whole and whole != row.get("error_detail"):
            self.said[row["op_index"]] = whole
        return whole

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

    def _energy(self) -> list[dict[str, int]]:
        """New readings of the energy counters in the schema's form."""
        self.meter.read_now()
        read = [{**reading, "at_ns": reading["at_ns"] - self._origin} for reading in self.meter.take()]
        return [reading for reading in read if reading["at_ns"] >= 0]  # the process is started before the run's clock

    def _disk(self) -> int | None:
        return disk.bytes_read(self.engine.pids) if self.engine else None

    def _disk_since(self) -> int | None:
        """What the engine has read from disk since the operation began; None where that began unseen."""
        before, now, self._read_before = self._read_before, self._disk(), None
        return None if before is None or now is None or now < before else now - before

    def _of_engine(self, processes: dict[str, dict[str, int]]) -> dict[str, int]:
        chosen = [part for pid, part in processes.items() if self.engine and int(pid) in self.engine.pids]
        names = dict.fromkeys(name for part in chosen for name in part)
        # a figure that one process lacks would be a sum of the others only
        return {
            f"engine_{name}": sum(part[name] for part in chosen) for name in names if all(name in p for p in chosen)
        }
