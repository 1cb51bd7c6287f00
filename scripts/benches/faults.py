"""Every call of the operating system failing once, in every command: does anybody meet a traceback, or lose a request?

    scripts/bench faults [--full]     each point with one error, or with every error

In this process, against a scripted server; a point is a line of ours that led to a call, see `_faults.py`.
"""

import argparse
import collections
import itertools
import os
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from collector import environment, run, store
from collector.backends.openai_chat import OpenAIChat
from collector.commands import _ask
from collector.schema import CLONE, Results
from scripts.benches._faults import ERRORS, Victim

sys.path.insert(0, str(CLONE))
from tests import asked_here  # what the double answers is no part of the package
from tests.conftest import RUN, STARTED, request
from tests.loopback import Loopback, NoSampler

QUICK = ("--suite", "smoke", "--quick", "--force")
BENCH = '[{"model_filename": "m.gguf", "n_prompt": 512, "n_gen": 0, "avg_ts": 100.0, "samples_ts": [100.0]}]\n'


def two_runs(results: Results) -> tuple[str, ...]:
    """Two runs are stored."""
    for number in (0, 1):
        facts = {**RUN, "run_id": f"{number:012x}", "run_started_at": STARTED + timedelta(minutes=number)}
        store.write(results, facts, [{**request(), "op_index": 0, "elapsed_ns": 10**10 + number}])
    return ()


def a_run_to_report(results: Results) -> tuple[str, ...]:
    two_runs(results)
    return ("0" * 12,)


def a_file_to_review(results: Results) -> tuple[str, ...]:
    two_runs(results)
    return (str(next(results.runs.iterdir())),)


def a_file_to_import(results: Results) -> tuple[str, ...]:
    file = results.root.parent / "bench.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(BENCH)
    return (str(file),)


def victims(url: str) -> list[Victim]:
    """Every command, as it is mostly used."""
    return [
        Victim("collect", ("--url", url, *QUICK)),
        Victim("context", ("context", "--url", url, "--force")),
        Victim("check", ("check", "--url", url)),
        Victim("plan", ("plan",), two_runs),
        Victim("grade", ("grade",), two_runs),
        Victim("report", ("report",), a_run_to_report),
        Victim("compare", ("compare", "0" * 12, f"{1:012x}"), two_runs),
        Victim("import", ("import",), a_file_to_import),
        Victim("validate", ("validate",), lambda results: (*two_runs(results), str(results.root))),
        Victim("review", ("review",), a_file_to_review),
        Victim("vote", ("vote",), two_runs),
    ]


def brisk() -> None:
    """No waiting where only a real machine gains from it."""
    environment.CPU_LOOK_S = run.SETTLE_S = 0  # type: ignore[assignment]
    _ask.rows = asked_here.rows
    run.Sampler = NoSampler  # type: ignore[assignment,misc]
    OpenAIChat.engine_pid = lambda self: None  # type: ignore[method-assign]
    environment.cpu_busy_percent = lambda seconds=0.5: environment.Reading(1.0)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--full", action="store_true")
    options.add_argument("names", nargs="*", help="of commands; all by default")
    asked = options.parse_args()
    brisk()
    faults = count = 0
    began = time.monotonic()
    with Loopback() as server:
        for victim in victims(server.url):
            if asked.names and victim.name not in asked.names:
                continue
            found: collections.Counter[str] = collections.Counter()
            with tempfile.TemporaryDirectory() as name:
                os.environ["LLM_CONFIG"] = f"{name}/key"  # nobody's own
                places = (Path(name) / str(number) for number in itertools.count())
                points = victim.points(next(places))
                tries = [
                    (point, number)
                    for at, point in enumerate(points)
                    for number in (ERRORS if asked.full else (ERRORS[at % len(ERRORS)],))
                ]
                for point, number in tries:
                    if wrong := victim.strike(next(places), point, number):
                        call, file, line, before = point
                        found[f"{call} at {file}:{line} ({before + 1}.), {os.strerror(number)}: {wrong}"] += 1
            count += len(tries)
            faults += found.total()
            print(
                f"{victim.name:10} {len(points):4} points, {len(tries):5} failures, {found.total():3} faults",
                flush=True,
            )
            for fault in sorted(found):
                print(f"    {fault}")
    print(f"\nall: {count} failures, {faults} faults; {time.monotonic() - began:.0f} s")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
