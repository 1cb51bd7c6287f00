"""An ordinary day at once: `mkdocs serve`, `collect --embedded` again and again, and `scripts/sql` in a loop.

Prints how often each ran, and everything that went wrong. `--full`: one minute, else 20 seconds.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from collector.schema import CLONE, Results
from site_src.warehouse import Warehouse

BIN = Path(sys.executable).parent
COLLECT = [str(BIN / "collect"), "--embedded", "--suite", "smoke", "--repeats", "1"]
SQL = [sys.executable, "-m", "site_src.sql", "--format", "json", "select count(*) as runs from run_summary"]
WRONG = ("ERROR", "Traceback", "error:", "WARNING")


@dataclass
class Tally:
    """How often a program was run to its end, and what it said when it failed."""

    done: int = 0
    failures: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    seconds = 60.0 if parser.parse_args().full else 20.0
    with tempfile.TemporaryDirectory() as folder:
        results = Results(Path(folder))
        tallies, builds, wrong = together(results, seconds)
        stored = Warehouse(results).rows("select count(*) as runs, sum(failed_count) as failed from runs")[0]
    print(f"together: {seconds:.0f} s")
    for name, tally in tallies.items():
        print(f"{name:<22} {tally.done:>4} times, {len(tally.failures)} failed")
        for failure in tally.failures:
            print(f"    {failure}")
    print(f"{'mkdocs serve, builds':<22} {builds:>4}, {len(wrong)} lines of warnings or errors")
    for line in wrong:
        print(f"    {line}")
    print(f"stored: {stored['runs']} runs, {stored['failed']} failed requests")


def together(results: Results, seconds: float) -> tuple[dict[str, Tally], int, list[str]]:
    """Both loops beside a running `mkdocs serve`: how they went, how often it built, and what it complained of."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    around = {**os.environ, "LLM_RESULTS": str(results.root), "NO_MKDOCS_2_WARNING": "1"}
    command = [str(BIN / "mkdocs"), "serve", "--strict", "--dev-addr", f"127.0.0.1:{port}"]
    tallies = {"collect --embedded": Tally(), "scripts/sql": Tally()}
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(command, cwd=CLONE, env=around, stdout=log, stderr=log)
        deadline = time.monotonic() + seconds
        loops = [
            threading.Thread(target=_again, args=(words, around, deadline, tally))
            for words, tally in zip((COLLECT, SQL), tallies.values(), strict=True)
        ]
        for loop in loops:
            loop.start()
        for loop in loops:
            loop.join()
        server.terminate()
        server.wait()
        log.seek(0)
        lines = log.read().splitlines()
    builds = sum("Documentation built" in line for line in lines)
    return tallies, builds, [line for line in lines if any(word in line for word in WRONG)]


def _again(command: list[str], around: dict[str, str], deadline: float, tally: Tally) -> None:
    while time.monotonic() < deadline:
        done = subprocess.run(command, env=around, cwd=CLONE, capture_output=True, text=True, check=False)
        tally.done += 1
        if done.returncode:
            tally.failures.append((done.stderr or done.stdout).strip()[-500:])


if __name__ == "__main__":
    main()
