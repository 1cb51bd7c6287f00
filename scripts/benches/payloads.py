"""Does anything that a stranger's file says run in a reader's browser, ask for anything, or break a page?

Sites are built over results in which every text of every file is a payload (tests/payloads.py, tests/planting.py), both
languages, and opened in headless Chromium wide and on a phone: machines shown, charts drawn and pointed at, everything
unfolded, tables sorted, searched. That is without the policy, so that only escaping stands against them; the site whose
values hold all payloads is looked at with it, too. With --full each payload stands alone in every text as well. Exit
code 1 if anything ran, was asked for, or is wider than its window.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from collector.schema import Results
from tests import programs
from tests.browsing import Handler, serving
from tests.built_worlds import build
from tests.payload_browser import Seen, Unprotected, look
from tests.payloads import FAMILIES, PAYLOADS, STRETCHED, TOGETHER
from tests.planting import plant

SHARING = 15  # payloads alone that share a site: each has machines and configurations of its own


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="each payload alone as well")
    is_full = parser.parse_args().full
    print(f"{len(PAYLOADS)} payloads of {len(FAMILIES)} families, in every text of every file", flush=True)
    print(f"\n{'in a value':44} {'pages':>6} {'charts':>7} {'ran':>4} {'wrong':>6} {'s':>6}", flush=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=programs.chromium(), args=[*programs.CHROMIUM_FLAGS])
        wrong = sum(tried(browser, what, texts) for what, texts in values(is_full))
        browser.close()
    return min(wrong, 1)


def values(is_full: bool) -> Iterator[tuple[str, dict[str, str]]]:
    """What is planted in one site: its name, and the texts."""
    yield "all together; what breaks no line", {"together": TOGETHER, "stretched": STRETCHED}
    names = list(PAYLOADS) if is_full else []
    for start in range(0, len(names), SHARING):
        some = names[start : start + SHARING]
        yield f"{some[0]} to {some[-1]}, each alone", {name: PAYLOADS[name] for name in some}


def tried(browser: Any, what: str, texts: dict[str, str]) -> int:
    """Build it, open every page with the policy and without; how much is wrong."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        results, site = Results(Path(name) / "results"), Path(name) / "site"
        plant(results, texts)
        done = build(results, site)
        if done.returncode:
            print(done.stderr)
            return 1
        pages = sorted(page.parent.relative_to(site).as_posix() for page in site.rglob("index.html"))
        both = Seen()
        for handler in (Unprotected, *([Handler] if TOGETHER in texts.values() else [])):
            with serving(site, handler) as address:
                urls = [f"{address}{'' if page == '.' else f'{page}/'}" for page in pages]
                seen = look(browser, urls, site, address)
            both = Seen(
                both.pages + seen.pages, both.charts + seen.charts, both.ran + seen.ran, both.wrong + seen.wrong
            )
    seconds = time.perf_counter() - began
    figures = f"{both.pages:>6} {both.charts:>7} {len(both.ran):>4} {len(both.wrong):>6} {seconds:>6.0f}"
    print(f"{what:44} {figures}", flush=True)
    for one in [*both.ran[:5], *both.wrong[:10]]:
        print(f"    {one[:300]}", flush=True)
    return len(both.ran) + len(both.wrong)


if __name__ == "__main__":
    print(f"payloads: {os.cpu_count()} cores, load average before it began: {os.getloadavg()[0]:.1f}", flush=True)
    sys.exit(main())
