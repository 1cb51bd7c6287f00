"""What does a build cost, over what MkDocs alone costs? Cold, with nothing changed, and after one more run.

    scripts/bench refresh [--full] [--keep DIR]

The floor is MkDocs with the same theme over the exported pages of both languages, all blocks already text, as
`scripts/build` calls it: what no cache of ours can save. Each figure is a median, taken in turn with the floor's. Then
where the time of a refresh goes. --full: 34 and 10,000 made-up runs of 30 configurations; else 34. Made files stay in
DIR for the next time: 10,000 are 1.7 GB.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from collector.schema import CLONE, Results
from scripts.benches import _many_runs
from scripts.benches.scale import build, refresh
from site_src.reuse.store import CACHE
from tests.programs import environment, finish, program

ROUNDS = 3
FLOOR = ("site_src/plain.yml", "site_src/zh/plain.yml")
BOUNDS = {  # over the floor, by number of runs; None: of all
    ("one more run, page open", 34): 1.5,
    ("one more run, page open", 10_000): 2.5,
    ("again, nothing changed", None): 1.2,
    ("cold", None): 4.0,
}
MOST_MB = 1_110


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="10,000 runs as well")
    parser.add_argument("--keep", type=Path, help="where made files stay")
    asked = parser.parse_args()
    print(f"refresh: {os.cpu_count()} cores, load average before it began: {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for runs in (34, 10_000) if asked.full else (34,):
            measure(runs, asked.keep or Path(folder), Path(folder))
        if asked.full:
            edits(Path(folder))


def measure(runs: int, made: Path, folder: Path) -> None:
    """Every figure with so many runs."""
    results = Results(made / str(runs))
    if not results.runs.exists() or len(list(results.runs.glob("*.parquet"))) != runs:
        shutil.rmtree(results.root, ignore_errors=True)
        _many_runs.make(results, 0, runs)
    site = folder / f"site {runs}"
    figures: dict[str, list[float]] = {"floor": [], "cold": [], "again, nothing changed": []}
    build(results, site)  # reads the run files, compiles Python, fills the system's file cache
    export(results)
    peaks = []
    for _ in range(ROUNDS):
        figures["floor"].append(floor(folder))
        CACHE.unlink(missing_ok=True)
        shutil.rmtree(site)
        seconds, _, peak = build(results, site)
        figures["cold"].append(seconds)
        peaks.append(peak)
        figures["floor"].append(floor(folder))
        figures["again, nothing changed"].append(build(results, site)[0])
    extra: list[Path] = []
    more = iter(range(runs, runs + 100))

    def add() -> None:
        before = set(results.runs.iterdir())
        _many_runs.write(results, next(more))
        extra.extend(set(results.runs.iterdir()) - before)

    try:
        figures["one more run, page open"] = [refresh(results, add)]
        figures["floor"].append(floor(folder))
        parts = program("python", "-m", "scripts.benches._refresh_parts", str(results.root), str(next(more)))
        taken = json.loads(subprocess.run(parts, cwd=CLONE, check=True, capture_output=True).stdout)
    finally:
        for path in extra:
            path.unlink()
        shutil.rmtree(site)
    told(runs, {name: statistics.median(values) for name, values in figures.items()}, max(peaks), taken)


def edits(folder: Path) -> None:
    """Builds over a warm cache after each edit, in a copy of the clone, held against builds from nothing."""
    clone = folder / "clone"
    for name in ("collector", "site_src", "tests", "results"):
        left_out = shutil.ignore_patterns("__pycache__", ".journal", "runs")
        shutil.copytree(CLONE / name, clone / name, ignore=left_out)
    command = program("python", "-m", "tests.edited_builds", str(folder / "edited"), "--by-one")
    done = finish(command, cwd=clone, timeout=3600, PYTHONPATH=str(clone))
    assert done.returncode == 0, done.stderr
    print("after an edit, over a warm cache: files that are not what a build from nothing makes, blocks made, reused")
    for one in json.loads(done.stdout):
        print(f"  {one['edited']:22}{len(one['wrong']):4}{one['made']:6}{one['reused']:6}")


def export(results: Results) -> None:
    """What `scripts/build` writes for MkDocs to build."""
    for folder, language in (("export", "en"), ("export-zh", "zh")):
        shutil.rmtree(CLONE / ".cache" / folder, ignore_errors=True)
        command = program("python", "-m", "site_src", "--export", f".cache/{folder}", "--language", language)
        done = finish(command, cwd=CLONE, timeout=3600, LLM_RESULTS=str(results.root))
        assert done.returncode == 0, done.stderr


def floor(folder: Path) -> float:
    """Seconds of MkDocs alone, both languages."""
    return timed(lambda: [mkdocs(name, folder / "floor" / str(place)) for place, name in enumerate(FLOOR)])


def mkdocs(configuration: str, site: Path) -> None:
    command = program(
        "python", "-m", "mkdocs", "build", "--strict", "--config-file", configuration, "--site-dir", str(site)
    )
    subprocess.run(command, cwd=CLONE, check=True, capture_output=True, env=environment())


def timed(do: Callable[[], Any]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def told(runs: int, figures: dict[str, float], peak: float, taken: dict[str, float]) -> None:
    """The figures, their ratios to the floor, and whether each bound holds."""
    print(f"\n{f'{runs:,} runs':32}{'s':>8}{'over the floor':>16}")
    for name, seconds in figures.items():
        ratio = seconds / figures["floor"]
        bound = BOUNDS.get((name, runs)) or BOUNDS.get((name, None))
        verdict = f"   bound {bound}: {'holds' if ratio <= bound else 'does not hold'}" if bound else ""
        print(f"  {name:30}{seconds:8.2f}{ratio:16.2f}{verdict}")
    holds = "holds" if peak <= MOST_MB else "does not hold"
    print(f"  most memory of a cold build: {peak:,.0f} MB   bound {MOST_MB:,}: {holds}")
    print("  one more run, made again in one process without MkDocs, s of CPU:")
    for name, seconds in sorted(taken.items(), key=lambda part: -part[1]):
        print(f"    {name:34}{seconds:6.2f}")
    print(flush=True)


if __name__ == "__main__":
    main()
