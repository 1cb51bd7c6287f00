"""What a small file that is made to cost takes: of `validate`, `review`, all views and a whole site, beside none.

`tests/bombs.py` makes them. A few of those that are taken; --full: all, those that are refused too.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from collector.schema import CLONE, Results
from tests import bombs

VIEWS = (
    "import sys; from pathlib import Path; from collector.schema import Results; "
    "from site_src.warehouse import Warehouse; w = Warehouse(Results(Path(sys.argv[1]))); w._make(set(w.views))"
)
BESIDE = 6  # runs of the clone that lie there, too
REDUCED = ("one answer in many chunks", "many samples of memory", "long texts")
MOST_MB, MOST_S = 600, 60  # that a file may cost beside none


def main() -> None:
    """A line each: bytes of the file, then MB of memory and s of each program, and MB of the site."""
    wanted = [bomb for bomb in bombs.BOMBS if "--full" in sys.argv or bomb.name in REDUCED]
    print("what it costs beside none        file KB   validate   review    views     site      site itself")
    print(f"(MB of memory, s of CPU time{'' if '--full' in sys.argv else '; reduced'})", flush=True)
    nothing = costs(None)
    print(row("none, in full", 0, nothing), flush=True)
    worst = [0.0, 0.0]
    for bomb in wanted:
        own = costs(bomb)
        beside = [(a - c, b - d) for (a, b), (c, d) in zip(own[1], nothing[1], strict=True)]
        worst = [max(worst[0], *(mb for mb, _ in beside)), max(worst[1], *(s for _, s in beside))]
        print(row(bomb.name, own[0], (0, beside, own[2] - nothing[2])), flush=True)
    print(f"\nat most {worst[0]:.0f} MB (limit {MOST_MB}) and {worst[1]:.0f} s (limit {MOST_S})")


Costs = tuple[int, list[tuple[float, float]], float]  # bytes of the file; MB and s of each program; MB of the site


def costs(bomb: bombs.Bomb | None) -> Costs:
    """Of each program, over a few runs of the clone and this file."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        results = Results(place / "results")
        results.runs.mkdir(parents=True)
        for path in sorted((CLONE / "results" / "runs").glob("*.parquet"))[:BESIDE]:
            shutil.copy(path, results.runs)
        file = bomb.make(results) if bomb else next(results.runs.iterdir())
        site = place / "site"
        programs = (
            ("collect", "validate", results.root),
            ("collect", "review", file, "--results", results.root),
            ("python", "-c", VIEWS, results.root),
            ("mkdocs", "build", "--strict", "-q", "--site-dir", site),
        )
        told = [cost(results, *program) for program in programs]
        return file.stat().st_size, told, sum(one.stat().st_size for one in site.rglob("*") if one.is_file()) / 1e6


def cost(results: Results, program: str, *arguments: object) -> tuple[float, float]:
    """Most MB of memory, and s of CPU time, of a program that reads every file anew. Raises RuntimeError."""
    shutil.rmtree(results.journals, ignore_errors=True)
    ask = "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], capture_output=True, text=True); "
    ask += "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
    ask += "print(done.returncode, used.ru_maxrss / (1e6 if sys.platform == 'darwin' else 1e3), "
    ask += "used.ru_utime + used.ru_stime, 'Traceback' in done.stderr)"
    command = [sys.executable, "-c", ask, str(Path(sys.executable).with_name(program)), *map(str, arguments)]
    env = {
        "LLM_RESULTS": str(results.root),
        "NO_MKDOCS_2_WARNING": "1",
        "PATH": "/usr/bin:/bin",
        "HOME": str(Path.home()),
    }
    env["PYTHONPATH"] = str(CLONE)
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=CLONE, env=env)
    code, megabytes, seconds, is_traceback = done.stdout.split()
    if is_traceback == "True" or (code != "0" and program == "mkdocs"):
        raise RuntimeError(f"{program} ended with {code} after {time.monotonic() - began:.0f} s")
    return float(megabytes), float(seconds)


def row(name: str, size: int, told: Costs) -> str:
    """One line of the table."""
    cells = "".join(f"{megabytes:6.0f} {seconds:4.0f}" for megabytes, seconds in told[1])
    return f"{name:34s}{size / 1000:7.0f}{cells}{told[2]:10.1f}"


if __name__ == "__main__":
    main()
