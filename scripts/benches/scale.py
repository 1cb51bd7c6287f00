"""Is the site as quick with ten thousand runs as with a hundred? And what takes a run's bytes?

    scripts/bench scale [--full] [--keep DIR]

Made-up runs of the plan's cells on two machines (35 requests of 500 chunks with memory samples and texts each), so that
there are as many configurations, and pages, whatever the size. Printed for each size, with the exponent of growth from
the smallest to the largest; then where the time of a refresh goes, and whether each bound holds. --full: 100, 1,000 and
10,000 runs; else 40 and 160. Made files stay in DIR for the next time: 10,000 are 1.7 GB.
"""

import argparse
import io
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
from playwright.sync_api import Browser

from collector import store
from collector.schema import CLONE, Results
from scripts.benches import _many_runs
from scripts.benches.site import WATCH, chromium
from tests.browsing import WIDE, AtRoot, serving
from tests.programs import Running, environment, free_port, program

REFRESHES = 3
OPEN = """
import sys, time
from pathlib import Path
from collector.schema import Results
from site_src.warehouse import Warehouse
began = time.perf_counter()
warehouse = Warehouse(Results(Path(sys.argv[1])))
opened = time.perf_counter()
warehouse._make(set(warehouse.views))
print(opened - began, time.perf_counter() - opened)
sys.stdout.flush()
times = []
for line in sys.stdin:
    began = time.perf_counter()
    warehouse.refresh()
    print(time.perf_counter() - began)
    sys.stdout.flush()
"""
UNITS = {"s": "{:10.2f}", "MB": "{:10.1f}", "KB": "{:10.1f}", "": "{:10,.0f}"}


@dataclass
class Size:
    """What was measured with so many runs."""

    runs: int
    figures: dict[str, float] = field(default_factory=dict)
    refreshed: dict[str, float] = field(default_factory=dict)  # seconds of CPU by part


@dataclass(frozen=True)
class Bound:
    """What issue 8 asks for: a figure at the largest size, over that at the smallest unless it is absolute."""

    figure: str
    most: float
    is_ratio: bool = True


UNIT = {
    "a run's file": "KB",
    "ingest, nothing kept": "s",
    "open, all kept": "s",
    "take in one more run": "s",
    "all views": "s",
    "full build, all kept": "s",
    "of that CPU": "s",
    "rebuild after one more run": "s",
    "refresh of an open page": "s",
    "peak memory of a build": "MB",
    "pages": "",
    "files of the site": "",
    "the site": "MB",
    "first live chart": "s",
}
BOUNDS = (
    Bound("full build, all kept", 3),
    Bound("take in one more run", 2),
    Bound("refresh of an open page", 1.5),
    Bound("peak memory of a build", 1500, is_ratio=False),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="100, 1,000 and 10,000 runs")
    parser.add_argument("--keep", type=Path, help="where made files stay")
    asked = parser.parse_args()
    sizes = (100, 1_000, 10_000) if asked.full else (40, 160)
    print(f"scale: {os.cpu_count()} cores, load average before it began: {os.getloadavg()[0]:.1f}\n", flush=True)
    bytes_of_a_run()
    print(
        f"{_many_runs.configurations()} configurations; {', '.join(f'{size:,}' for size in sizes)} runs\n", flush=True
    )
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        measured = [measure(size, asked.keep or Path(folder), Path(folder), browser) for size in sizes]
    table(measured)
    refresh_parts(measured)
    bounds(measured)


def bytes_of_a_run() -> None:
    """A run at the plan's token limits, and which columns take its bytes."""
    rows = _many_runs.template(0, 0, None)
    chunks, samples = (sum(len(cell) for cell in rows[name].to_pylist() if cell) for name in ("chunks", "memory"))
    out = io.BytesIO()
    store._encode(rows, out)
    metadata = pq.ParquetFile(io.BytesIO(out.getvalue())).metadata
    taken: Counter[str] = Counter()
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            part = metadata.row_group(group).column(column)
            taken[part.path_in_schema.replace(".list.element", "")] += part.total_compressed_size
    size = len(out.getvalue()) / 1000
    print(f"7 prompts x 5 repeats at the plan's token limits: {chunks:,} chunks, {samples:,} memory samples, texts")
    print(f"{size:10.1f} KB; bound 300: {'holds' if size < 300 else f'{size - 300:.1f} KB too much'}")
    for name, count in taken.most_common(8):
        print(f"{count / 1000:10.1f} KB  {name}")
    print(f"{metadata.serialized_size / 1000:10.1f} KB  the file's own metadata\n", flush=True)


def measure(runs: int, made: Path, folder: Path, browser: Browser) -> Size:
    """Everything with so many runs."""
    results, found = Results(made / str(runs)), Size(runs)
    figures = found.figures
    there = len(list(results.runs.glob("*.parquet"))) if results.runs.exists() else 0
    if there != runs:
        shutil.rmtree(results.root, ignore_errors=True)
        _many_runs.make(results, 0, runs)
    said(runs, "made")
    figures["a run's file"] = statistics.mean(path.stat().st_size for path in results.runs.glob("*.parquet")) / 1000
    shutil.rmtree(results.journals, ignore_errors=True)
    more = iter(range(runs, runs + 100))
    extra: list[Path] = []

    def add() -> None:
        before = set(results.runs.iterdir())
        _many_runs.write(results, next(more))
        extra.extend(set(results.runs.iterdir()) - before)

    try:
        figures["ingest, nothing kept"], _, _ = opened(results)
        figures["open, all kept"], figures["all views"], figures["take in one more run"] = opened(results, add)
        said(runs, "read")
        site = folder / f"site {runs}"
        build(results, site)  # the first of a clone compiles Python and fills the system's file cache
        figures["full build, all kept"], figures["of that CPU"], figures["peak memory of a build"] = build(
            results, site
        )
        said(runs, "built")
        add()
        figures["rebuild after one more run"], _, _ = build(results, site)
        files = [path for path in site.rglob("*") if path.is_file()]
        figures["pages"] = sum(path.suffix == ".html" for path in files)
        figures["files of the site"] = len(files)
        figures["the site"] = sum(path.stat().st_size for path in files) / 1e6
        figures["first live chart"] = first_chart(browser, site)
        figures["refresh of an open page"] = refresh(results, add)
        parts = program("python", "-m", "scripts.benches._refresh_parts", str(results.root), str(next(more)))
        found.refreshed = json.loads(subprocess.run(parts, cwd=CLONE, check=True, capture_output=True).stdout)
        said(runs, "served")
    finally:
        for path in extra:
            path.unlink()
        shutil.rmtree(folder / f"site {runs}", ignore_errors=True)
    return found


def said(runs: int, what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {runs:,} runs {what}; load average {os.getloadavg()[0]:.1f}", file=sys.stderr)


def opened(results: Results, add: Any = None) -> tuple[float, float, float]:
    """Seconds to open the warehouse in a new process, to compute all views, and to take in one more run after that."""
    command = [*program("python", "-c", OPEN), str(results.root)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment(), "cwd": CLONE}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        began, views = map(float, process.stdout.readline().split())
        times = []
        for _ in range(REFRESHES if add else 0):
            add()
            process.stdin.write("\n")
            process.stdin.flush()
            times.append(float(process.stdout.readline()))
        process.stdin.close()
    return began, views, statistics.median(times) if times else math.nan


def build(results: Results, site: Path) -> tuple[float, float, float]:
    """A strict build in a new process: seconds, seconds of CPU, the most MB it had with its children."""
    command = program("python", "-m", "mkdocs", "build", "--strict", "--site-dir", str(site))
    began, peak, cpu = time.perf_counter(), 0, 0.0
    with Running(command, cwd=CLONE, LLM_RESULTS=str(results.root)) as running:
        while running._process.poll() is None:
            try:
                own = psutil.Process(running._process.pid)
                peak = max(peak, sum(one.memory_info().rss for one in (own, *running.descendants())))
                cpu = sum(own.cpu_times()[:2])
            except psutil.Error:
                break
            time.sleep(0.05)
        if running.exit_code():
            raise SystemExit(running.stderr)
    return time.perf_counter() - began, cpu, peak / 1e6


def refresh(results: Results, add: Any) -> float:
    """Seconds from a new run file to the reload of an open page under `mkdocs serve`."""
    port = free_port()
    address, times = f"http://127.0.0.1:{port}", []
    command = program("python", "-m", "mkdocs", "serve", "--strict", "--dev-addr", f"127.0.0.1:{port}")
    with Running(command, cwd=CLONE, LLM_RESULTS=str(results.root)) as running:
        while not any("Serving on" in line for _, line in running.err):
            if running._process.poll() is not None:
                raise SystemExit(running.stderr)
            time.sleep(0.2)
        for _ in range(REFRESHES):
            epoch, number = re.findall(r"livereload\((\d+), (\d+)\)", got(address))[0]
            add()
            began = time.perf_counter()
            while int(got(f"{address}/livereload/{epoch}/{number}")) <= int(epoch):
                pass
            got(address)
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def got(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        text: str = answer.read().decode()
        return text


def first_chart(browser: Browser, site: Path) -> float:
    """Median seconds to the first live chart of the front page, cold cache."""
    times = []
    with serving(site, AtRoot) as address:
        for _ in range(5):
            with browser.new_context(viewport={"width": WIDE, "height": 900}) as context:
                page = context.new_page()
                page.add_init_script(WATCH)
                page.goto(address)
                page.wait_for_function("() => window.firstChart")
                times.append(page.evaluate("window.firstChart") / 1000)
    return statistics.median(times)


def table(measured: list[Size]) -> None:
    first, last = measured[0], measured[-1]
    print(f"{'runs':34}" + "".join(f"{size.runs:10,}" for size in measured) + "  growth exponent")
    for name, unit in UNIT.items():
        values = [size.figures[name] for size in measured]
        grown = math.log(values[-1] / values[0]) / math.log(last.runs / first.runs)
        shown = "".join(UNITS[unit].format(value) for value in values)
        print(f"{f'{name}, {unit}' if unit else name:34}{shown}  {grown:8.2f}")
    print(flush=True)


def refresh_parts(measured: list[Size]) -> None:
    """Where the time of a refresh goes, and what of it grows."""
    print("one more run: pages and data made again in one process, without MkDocs, s of CPU")
    names = sorted(measured[-1].refreshed, key=lambda name: -measured[-1].refreshed[name])
    for name in names:
        print(f"  {name:32}" + "".join(f"{size.refreshed.get(name, 0):10.2f}" for size in measured))
    print(f"  {'all':32}" + "".join(f"{sum(size.refreshed.values()):10.2f}" for size in measured) + "\n")


def bounds(measured: list[Size]) -> None:
    """Whether each holds, or by how much not."""
    first, last = measured[0], measured[-1]
    for bound in BOUNDS:
        value = last.figures[bound.figure]
        what = f"{bound.figure}: {value:,.2f} {UNIT[bound.figure]}"
        if bound.is_ratio:
            value /= first.figures[bound.figure]
            what = f"{bound.figure}, {last.runs:,} over {first.runs:,} runs: {value:.2f}"
        verdict = "holds" if value <= bound.most else f"does not hold, by {value - bound.most:,.2f}"
        print(f"{what}; bound {bound.most:,}: {verdict}")


if __name__ == "__main__":
    main()
