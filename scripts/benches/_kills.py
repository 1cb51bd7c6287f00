"""Chains of killed processes in one results folder, and what must be found there afterwards."""

import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import psutil

from collector import journal
from collector.schema import Results
from site_src.run_file import Untrusted, read_run

# The command line as it is, with short prompts and without the waits that let a real machine come to rest.
COLLECT = """
import sys
from pathlib import Path
from collector import cooldown, environment, plan, quality, run, suite
from collector.suite import Prompt
suite.FOLDER = Path(sys.argv.pop(1))
run.BASELINE_S = 0.3
run.SETTLE_S = 0
run.WARMUP = Prompt("warmup", "warmup", "Count from one to ten.", 4)
cooldown.MOST_S = 0
environment.CPU_LOOK_S = 0
quality.ALLOWANCE = 8
from collector.cli import main
main()
"""
SUITE = """name = "standard"
title = "short ones"
[[prompt]]
id = "a"
category = "test"
max_tokens = 12
text = "Write a long story about a lighthouse keeper."
[[prompt]]
id = "b"
category = "test"
max_tokens = 20
text = "Describe in great detail how a wooden sailing ship is built, step by step."
"""
TOLD = re.compile(r"^\[\d+/\d+\] (\S+) #(\d+)(?:, (\w+))?: ")  # what the process says of a finished request
LAST = re.compile(r"^\[(\d+)/\1\] ")
SAME = ("op", "prompt_id", "repeat", "nonce", "started_ns", "done_ns", "completion_tokens", "output_text", "error_kind")
KEPT = ("warehouse.", "loads.json", "runs.lock")  # what lies beside the journals for good
PATIENCE_S = 60
Operation = tuple[str, int]  # run and place


@dataclass(frozen=True)
class Victim:
    """What is killed: `collect` with these arguments, or the child of it that has `marker` in its command line."""

    name: str
    arguments: Sequence[str]
    marker: str | None = None


@dataclass
class Tally:
    """What came of a number of kills."""

    kills: int = 0
    phases: Counter[str] = field(default_factory=Counter)
    operations: int = 0  # that had finished in a run that was hit
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)  # exit codes and tracebacks that no kill explains

    def add(self, other: "Tally") -> None:
        """The sum."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def faults(self) -> list[str]:
        """Everything that must not be."""
        named = vars(self).items()
        return [f"{name}: {one}" for name, value in named if isinstance(value, list) for one in value]


class Started:
    """A `collect` at work, with the lines it has said."""

    def __init__(self, arguments: Sequence[str], folder: Path) -> None:
        self.began = time.monotonic()
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-c", COLLECT, str(folder / "suites"), *arguments, "--results", str(folder / "results")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stderr is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stderr,))
        self._reader.start()

    def _read(self, pipe: IO[str]) -> None:
        with pipe:
            self.lines.extend(pipe)

    def family(self) -> list[psutil.Process]:
        """What it has started and still lives."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def child(self, marker: str) -> psutil.Process | None:
        """The child with this word in its command line."""
        for one in self.family():
            try:
                if any(marker in word for word in one.cmdline()):
                    return one
            except psutil.Error:
                continue
        return None

    def wait(self) -> int:
        """Until it has ended and everything it said was read."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def told(self) -> "Counter[tuple[str, ...]]":
        """The requests it said had finished: prompt, repeat, operation."""
        found = (TOLD.match(line) for line in self.lines)
        return Counter((one[1], one[2], one[3] or "request") for one in found if one)


class Chain:
    """Kills in one results folder, each followed by the next start, which may be killed as well."""

    def __init__(self, victim: Victim, folder: Path, chance: random.Random) -> None:
        self.victim, self.folder, self.chance = victim, folder, chance
        self.results = Results(folder / "results")
        self.tally = Tally()
        self._finished: dict[Operation, tuple[Any, ...]] = {}  # by the journals at the moment of each kill
        self._told: list[tuple[set[str], Counter[tuple[str, ...]]]] = []  # new runs of a process, and what it said
        self._known: set[str] = set()  # runs of earlier processes
        self._is_done = False  # nothing is left to be measured: a plan ends
        (folder / "suites").mkdir()
        (folder / "suites" / "standard.toml").write_text(SUITE)
        self.results.root.mkdir()

    def run(self, kills: int) -> Tally:
        """Measure once undisturbed, kill so often, measure undisturbed again, and look."""
        lasts = self._undisturbed()
        while self.tally.kills < kills and not self._is_done:
            self._kill(lasts)
        self._undisturbed()
        self._look()
        return self.tally

    def _undisturbed(self) -> list[float]:
        """Seconds until the journal stands, until all was asked, until the run file stands, until the end."""
        started = Started(self.victim.arguments, self.folder)
        moments = [time.monotonic()]
        for reached in (self._is_journaled, self._is_at_its_end, self._is_stored, lambda _: False):
            self._until(started, reached)
            moments.append(time.monotonic())
        if started.wait() not in (0, 3):
            self.tally.surprises.append(f"an undisturbed start ended so: {''.join(started.lines)[-800:]}")
        self._witness(started)
        return [end - begin for begin, end in pairwise(moments)]

    def _kill(self, lasts: list[float]) -> None:
        started = Started(self.victim.arguments, self.folder)
        family, hit = self._strike(started, lasts)
        if hit:
            self.tally.kills += 1
            self.tally.phases[self._phase(started)] += 1
        if self.victim.marker:  # the run goes on; what comes after it is of no interest here
            self._until(started, self._is_stored)
            started.process.kill()
        code = started.wait()
        self._is_done = not self._witness(started) and not hit
        expected = (0, 1, 3, -signal.SIGKILL) if self.victim.marker or not hit else (-signal.SIGKILL,)
        if code not in expected or any("Traceback" in line for line in started.lines):
            self.tally.surprises.append(f"exit code {code}: {''.join(started.lines)[-800:]}")
        _, alive = psutil.wait_procs(family, timeout=20)
        self.tally.orphans += [" ".join(one.cmdline())[-80:] for one in alive]

    def _strike(self, started: Started, lasts: list[float]) -> tuple[list[psutil.Process], bool]:
        """Wait for the moment, and kill; what had been started until then, and whether it was still there to be hit.

        Of eight kills of `collect` one is before its journal stands, four while it measures, two from there until the
        run file stands, one after that.
        """
        target: psutil.Process | None = None
        share = self.chance.random()
        if self.victim.marker:
            while started.process.poll() is None and not (target := started.child(self.victim.marker)):
                time.sleep(0.05)  # looking through all processes costs more than looking at files
            time.sleep(share * lasts[1])
        else:
            target = psutil.Process(started.process.pid)
            part = self.chance.choices(range(4), weights=(1, 4, 2, 1))[0]
            for reached in (self._is_journaled, self._is_at_its_end, self._is_stored)[:part]:
                self._until(started, reached)
            time.sleep(share * lasts[part])
        family = started.family()
        if target is None or started.process.poll() is not None or not target.is_running():
            return family, False
        target.send_signal(signal.SIGKILL)
        return family, True

    def _until(self, started: Started, reached: Callable[[Started], bool]) -> None:
        """Wait for a point of the run, or its end."""
        while started.process.poll() is None and not reached(started):
            time.sleep(0.01)

    def _is_journaled(self, started: Started) -> bool:
        return any(path.stem not in self._known for path in self.results.journals.glob("*.jsonl"))

    def _is_at_its_end(self, started: Started) -> bool:
        """Everything was asked; without a model to unload only the last request tells."""
        return any(line.startswith("unloading") or LAST.match(line) for line in started.lines)

    def _is_stored(self, started: Started) -> bool:
        return any(run_of(path) not in self._known for path in self.results.runs.glob("*.parquet"))

    def _phase(self, started: Started) -> str:
        """How far it had got when it was hit."""
        if any(self.results.journals.glob("*.part")):
            return "while a run file was written"
        if self._is_stored(started):
            return "after the run file stood"
        if self._is_at_its_end(started):
            return "after the last request"
        if started.told():
            return "between the first request and the last"
        return "in loading or warming up" if self._is_journaled(started) else "before measuring"

    def _witness(self, started: Started) -> set[str]:
        """What had finished: by the journals' whole lines, and by what the process had said. The process's runs."""
        new = {path.stem for path in self.results.journals.glob("*.jsonl")}
        new |= {run_of(path) for path in self.results.runs.glob("*.parquet")}
        self._told.append((new - self._known, started.told()))
        self._known |= new
        for path in self.results.journals.glob("*.jsonl"):
            rows = journal.read(path).operations
            self._finished |= {(path.stem, row["op_index"]): essence(row) for row in rows}
        return self._told[-1][0]

    def _look(self) -> None:
        tally, found = self.tally, Counter[Operation]()
        stored: dict[Operation, dict[str, Any]] = {}
        for path in sorted(self.results.runs.iterdir()):
            try:
                rows = read_run(path).to_pylist()
            except Untrusted as reason:
                tally.unreadable.append(f"{path.name}: {reason}")
                continue
            for row in rows:
                found[row["run_id"], row["op_index"]] += 1
                stored[row["run_id"], row["op_index"]] = row
        tally.operations += len(stored)
        tally.twice += [str(place) for place, count in found.items() if count > 1]
        tally.lost += [
            f"{place}: {row}" for place, row in self._finished.items() if essence(stored.get(place, {})) != row
        ]
        for runs, told in self._told:
            own = [row for (run_id, _), row in stored.items() if run_id in runs]
            there = Counter((row["prompt_id"], str(row["repeat"]), row["op"]) for row in own)
            tally.lost += [f"said to have finished: {one}" for one in (told - there).elements()]
        tally.left += [path.name for path in self.results.journals.iterdir() if not path.name.startswith(KEPT)]


def run_of(path: Path) -> str:
    """The run's id, from the name of its file."""
    return path.stem.rpartition("-")[2]


def essence(row: dict[str, Any]) -> tuple[Any, ...]:
    """What tells an operation from others, and that it is whole."""
    return tuple(row.get(name) for name in SAME)
