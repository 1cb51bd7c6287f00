"""What streams, answers, files and texts that went wrong, by accident or on purpose, can do to the figures.

Every mutant has a number that it is made from, so a finding can be looked at again. Readers run in processes of their
own: one that dies or hangs is counted, and the next goes on behind it. *Wrong* is any figure other than the right one
without a word, any exception that is none of the project's, any broken rule of a row, any mutant that takes more than a
second of CPU time, twice. Made and checked in the same time as read, so the times are those of all three.
"""

import argparse
import importlib.util
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.reduced import REDUCED

PROCESSES = 2
PARTS = 4  # of each count, by processes one after the other
SHOWN = 8
COVERAGE_S = 60


@dataclass
class Found:
    """What came of the mutants of one kind."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, said: dict[str, object]) -> None:
        """One line of a process."""
        self.counts += Counter(said["counts"])  # type: ignore[call-overload]
        self.slowest_s = max(self.slowest_s, float(said["slowest_s"]))  # type: ignore[arg-type]
        self.found += [(number, why) for number, why in said["found"]]  # type: ignore[attr-defined]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="a million streams, 10,000 files; else a hundredth of that")
    parser.add_argument("--only", choices=REDUCED, help="one kind")
    options = parser.parse_args()
    print("fuzz, all of it" if options.full else "fuzz, reduced: a hundredth of every count", flush=True)
    for what, (_, many) in REDUCED.items():
        if options.only in (None, what):
            kind(what, many if options.full else many // 100)
    if options.full and not options.only:
        guided()


def kind(what: str, count: int) -> None:
    """Try all mutants of a kind, and print what came of them."""
    started, found = time.perf_counter(), Found()
    size = -(-count // PARTS)
    with ThreadPoolExecutor(PROCESSES) as pool:
        list(pool.map(lambda first: part(what, first, min(first + size, count), found), range(0, count, size)))
    wrong = sum(times for outcome, times in found.counts.items() if outcome.startswith("wrong"))
    took = time.perf_counter() - started
    print(f"{what}: {sum(found.counts.values()):,} of {count:,} in {took:.0f} s, {wrong} wrong", flush=True)
    for outcome, times in found.counts.most_common(SHOWN):
        print(f"  {times:>9,}  {outcome}")
    for number, why in sorted(found.found)[:SHOWN]:
        print(f"  number {number}: {why}")
    print(f"  slowest {found.slowest_s:.2f} s of CPU", flush=True)


def part(what: str, first: int, last: int, found: Found) -> None:
    """Numbers from `first` to before `last`; where a process dies on the way, one by one, to know at which."""
    step = 200
    while first < last:
        upto, ended = attempt(what, first, last, step, found)
        if ended == 0:
            return
        if step > 1:
            first, step = upto, 1
            continue
        found.add({"counts": {f"wrong: {ended}": 1}, "slowest_s": 0, "found": [[upto, f"wrong: {ended}"]]})
        first, step = upto + 1, 200


def attempt(what: str, first: int, last: int, step: int, found: Found) -> tuple[int, str | int]:
    """Up to which number a process came, and 0 or how it ended."""
    command = [sys.executable, "-m", "scripts.benches._fuzz_tries", what, *map(str, (first, last, step))]
    upto = first
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            said = json.loads(line)
            upto = int(said["upto"])
            found.add(said)
        code = process.wait()
    return upto, "hung" if code == -signal.SIGPROF else f"the process died with {code}" if code else 0


def guided() -> None:
    """The same reading code under atheris, which looks for streams that take another way through it."""
    if not sys.platform.startswith("linux") or importlib.util.find_spec("atheris") is None:
        print("atheris: not installed here (Linux only: pip install atheris), so no stream was found by coverage")
        return
    command = [sys.executable, "-m", "scripts.benches._fuzz_guided", str(COVERAGE_S)]
    done = subprocess.run(command, capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if line.startswith(("Done", "stat::")) or "DONE" in line]
    print(f"atheris, {COVERAGE_S} s: {'no crash' if done.returncode == 0 else f'ended with {done.returncode}'}")
    for line in told if done.returncode == 0 else done.stderr.splitlines()[-SHOWN:]:
        print(f"  {line}")


if __name__ == "__main__":
    main()
