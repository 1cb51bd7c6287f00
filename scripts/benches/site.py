"""The site as a reader's browser gets it: bytes of the first view, time to the first chart, seconds to build.

With --full every page of every world (tests/worlds.py) is loaded anew light and dark, wide and narrow, and looked at
with axe-core: Chinese ones wide and light, narrow and dark. What is wrong is told, and the exit code says whether
anything was. That takes half an hour.
"""

import argparse
import gzip
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Error, sync_playwright

from collector.schema import Results
from tests import programs, worlds
from tests.browsing import BASE, PHONE, WIDE, Handler, draw, serving, tab
from tests.built_worlds import build
from tests.site_checks import CONTRAST, TRIM, accessibility, overflow

GOAL_S, LIMIT_KB = 1.5, 300
WORLD = "two machines"
LOOKS = [(width, scheme) for width in (WIDE, PHONE) for scheme in ("light", "dark")]
LOOKS_OF_OTHERS = [(WIDE, "light"), (PHONE, "dark")]  # a translation has the same pages, styles and charts
# Runs in the page before anything of it: goes to the first chart as soon as there is one, and notes when it is live.
WATCH = """
new MutationObserver((_, own) => {
  const chart = document.querySelector("figure.chart");
  if (!chart) return;
  if (!window.wentThere && document.readyState !== "loading") { window.wentThere = true; chart.scrollIntoView(); }
  if (chart.dataset.drawn === "live") { window.firstChart ??= performance.now(); own.disconnect(); }
}).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ["data-drawn"]});
"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="more repeats, and the whole matrix of worlds and looks")
    is_full = parser.parse_args().full
    print(f"site: {os.cpu_count()} cores, load average before it began: {os.getloadavg()[0]:.1f}\n", flush=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        sites = {name: made(name, Path(folder)) for name in (worlds.NAMES if is_full else (WORLD,))}
        with serving(sites[WORLD], Handler) as address:
            first_view(browser, address, sites[WORLD])
            first_chart(browser, address, 15 if is_full else 5)
        return matrix(browser, sites) if is_full else 0


@contextmanager
def chromium() -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=programs.chromium(), args=[*programs.CHROMIUM_FLAGS])
        yield browser
        browser.close()


def made(name: str, folder: Path) -> Path:
    """The site over a world, and how long it took to build."""
    results, site = Results(folder / name / "results"), folder / name / "site"
    worlds.make(name, results.root)
    began = time.perf_counter()
    done = build(results, site)
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds = time.perf_counter() - began
    runs = len(list(results.runs.glob("*.parquet")))
    pages = len(list(site.rglob("*.html")))
    print(f"build of {name!r}: {seconds:6.1f} s for {runs} runs, {pages} pages in two languages", flush=True)
    return site


def first_view(browser: Any, address: str, site: Path) -> None:
    """Bytes of all that the front page fetches before a chart comes into view, compressed as a server would."""
    with browser.new_context(viewport={"width": WIDE, "height": 300}) as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address, wait_until="networkidle")
    print("\nfirst view of the front page, gzip level 6, KB")
    total = 0
    for url in dict.fromkeys(url for url in asked if not url.startswith("data:")):
        size = compressed(site, url)
        total += size
        print(f"  {size / 1000:7.1f}  {urlsplit(url).path.removeprefix(BASE) or 'index.html'}")
    print(f"  {total / 1000:7.1f}  together; limit {LIMIT_KB}", flush=True)


def compressed(site: Path, url: str) -> int:
    path = site / urlsplit(url).path.removeprefix(BASE)
    return len(gzip.compress((path / "index.html" if path.is_dir() else path).read_bytes(), 6))


def first_chart(browser: Any, address: str, count: int) -> None:
    """From the click to the first picture, and to the first live chart, which the page is scrolled to; cold cache."""
    painted, live = [], []
    for _ in range(count):
        with browser.new_context(viewport={"width": WIDE, "height": 900}) as context:
            page = context.new_page()
            page.add_init_script(WATCH)
            page.goto(address)
            page.wait_for_function("() => window.firstChart")
            painted.append(page.evaluate(PAINTED) / 1000)
            live.append(page.evaluate("window.firstChart") / 1000)
    print(f"\n{'cold cache, s':44} {'n':>3} {'median':>8} {'min':>8} {'max':>8}")
    for what, values in (("first paint, the static picture in the page", painted), ("first live chart", live)):
        figures = " ".join(f"{value:8.2f}" for value in (statistics.median(values), min(values), max(values)))
        print(f"{what:44} {count:>3} {figures}{f'   goal {GOAL_S}' if values is live else ''}", flush=True)


def matrix(browser: Any, sites: dict[str, Path]) -> int:
    """Every page of every world in every look; the number of looks in which something is wrong."""
    print("\nevery page light and dark, wide and narrow")
    print(f"{'':20} {'pages':>6} {'looks':>6} {'charts':>7} {'wrong':>6} {'s':>6}")
    wrong_in_all = 0
    for name, site in sites.items():
        began, charts, looks, problems = time.perf_counter(), 0, 0, []
        pages = sorted(page.parent.relative_to(site).as_posix() for page in site.rglob("index.html"))
        with serving(site, Handler) as address:
            for page in pages:
                for width, scheme in LOOKS if page.split("/")[0] != "zh" else LOOKS_OF_OTHERS:
                    drawn, wrong = look(browser, f"{address}{'' if page == '.' else f'{page}/'}", width, scheme)
                    charts, looks = charts + drawn, looks + 1
                    problems += [f"  {name} {page} {width} {scheme}: {one}" for one in wrong]
        wrong_in_all += len(problems)
        seconds = time.perf_counter() - began
        print(f"{name:20} {len(pages):>6} {looks:>6} {charts:>7} {len(problems):>6} {seconds:>6.0f}", flush=True)
        print("".join(f"{one}\n" for one in problems[:40]), end="", flush=True)
    return min(wrong_in_all, 1)


def look(browser: Any, url: str, width: int, scheme: str) -> tuple[int, list[str]]:
    """Charts drawn on a page loaded anew, and what is wrong; all rules of axe-core in light, contrast in dark."""
    try:
        with tab(browser, url, width=width, scheme=scheme) as opened:
            charts = draw(opened.page)
            problems = [*overflow(opened.page, width)]
            opened.page.evaluate(TRIM)
            return charts, [*problems, *accessibility(opened.page, *([CONTRAST] if scheme == "dark" else []))]
    except (AssertionError, Error) as error:
        return 0, [f"{type(error).__name__}: {str(error)[:300]}"]


if __name__ == "__main__":
    sys.exit(main())
