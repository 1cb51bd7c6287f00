"""Two terminals: `mkdocs serve` in one, `collect` in the other, and the page that is open."""

import re
import signal
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from collector.schema import CLONE, Results
from site_src.warehouse import Warehouse
from tests.conftest import request
from tests.programs import ENGLISH_SITE, Running, engine, finish, free_port, operations, program, small_model, until

CHART = re.compile(r'<div class="chart-box"[^>]*>(.{4})')
Interval = tuple[float, float]  # Unix times

# What `mkdocs serve --verbose` says when. A build begins with the hook's wait, which is announced only while a run is
# measured. MAKES is said when the wait is over, before any page or data file is made; one of MADE when all are.
# ("Cleaning site directory" and "Documentation built" will not do: MkDocs drops a message it has given before.)
WAITS = "A run is being measured"
MAKES = "Running `files` event from plugin 'site_src/hooks.py'"  # of the first language; others follow within
MADE = ("Serving on", "Reloading browsers", "An error happened during the rebuild")


@pytest.fixture
def terminals(results: Results, browser: Any, tmp_path: Path) -> Iterator[tuple[Running, Any]]:
    """The first terminal, with the site server over an empty results folder, and a tab that shows its results page."""
    address = f"127.0.0.1:{free_port()}"
    (tmp_path / "mkdocs").write_text(ENGLISH_SITE)  # under this name, by which `collect` finds that a site is served
    command = program("python", str(tmp_path / "mkdocs"), "serve", "--verbose", "--dev-addr", address)
    with Running(command, cwd=CLONE, LLM_RESULTS=str(results.root)) as server:
        server.wait_for("Serving on")
        page = browser.new_page()
        page.goto(f"http://{address}/results/")
        yield server, page
        page.close()
        server.signal(signal.SIGINT)


def builds(server: Running) -> list[Interval]:
    """From when to when pages and data were made; a build that has not ended yet lasts for ever."""
    begun = [at for at, line in server.err if MAKES in line]
    ended = [at for at, line in server.err if any(words in line for words in MADE)]
    assert len(begun) - len(ended) in (0, 1), server.stderr
    return list(zip(begun, [*ended, float("inf")], strict=False))


def got(url: str) -> str:
    """A page as it is served now, without what scripts make of it."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        text: str = answer.read().decode()
        return text


def timed_requests(path: Path) -> list[Interval]:
    """From when to when requests were timed, the warm-up included."""
    rows = [row for row in operations(path) if row["op"] in ("warmup", "request")]
    began = rows[0]["run_started_at"].replace(tzinfo=UTC).timestamp()
    starts = [began + row["started_ns"] / 1e9 for row in rows]
    return [(start, start + row["elapsed_ns"] / 1e9) for start, row in zip(starts, rows, strict=True)]


def overlaps(builds: list[Interval], timed: list[Interval]) -> list[tuple[Interval, Interval]]:
    """Builds with the requests they ran beside."""
    return [(build, one) for build in builds for one in timed if build[0] < one[1] and one[0] < build[1]]


def test_the_open_page_shows_a_new_run_and_no_build_ran_beside_a_request(
    terminals: tuple[Running, Any], results: Results
) -> None:
    server, page = terminals
    assert page.locator("h1", has_text="Benchmark results").is_visible()
    assert "SmolLM2" not in page.content()
    before = len(builds(server))

    small_model()  # its first download is no part of this
    command = program("collect", "--embedded", "--repeats", "3", "--suite", "smoke", "--results", str(results.root))
    with Running(command) as collect:
        collect.wait_for("[1/6]")
        (results.runs / "a-watched-file.txt").touch()  # as if a view were edited meanwhile
        server.wait_for(WAITS)
        assert collect.exit_code() == 0, collect.stderr

    # Nobody reloads: the page does it itself, when the server says that the site has been built.
    cell = page.locator(".data-table td:visible", has_text="SmolLM2-135M-Instruct").first
    cell.wait_for(timeout=60_000)
    # One build may follow another, and the page may be loading just now.
    page.locator("figure.chart").nth(1).wait_for(state="attached", timeout=60_000)
    # Pages are shown before their pictures are drawn, which scripts draw meanwhile; then these are in the pages, too.
    until(lambda: CHART.findall(got(page.url)) == ["<svg"] * page.locator("figure.chart").count(), "pictures")

    [path] = results.runs.glob("*.parquet")
    findings = operations(path)[0]["preflight"]
    assert [found["verdict"] for found in findings if "mkdocs serve" in found["detail"]] == ["warn"]
    timed = timed_requests(path)
    worked = builds(server)
    assert len(timed) >= 7
    assert len(worked) > before
    assert overlaps(worked, timed) == [], server.stderr
    # The file was touched while requests were timed, and a build did begin then: it waited until they were over.
    waited = [at for at, line in server.err if WAITS in line]
    assert any(timed[0][0] < at < timed[-1][1] for at in waited)
    assert min(start for start, _ in worked[before:]) > timed[-1][1]


def test_a_run_that_begins_during_a_build_waits_for_its_end(
    terminals: tuple[Running, Any], results: Results, given: Callable[..., Warehouse]
) -> None:
    """As with one `collect` right after another, whose run file has just set off a build."""
    server, _ = terminals
    with engine() as address:
        given(*[[request(repeat=repeat) for repeat in range(1, 6)]] * 30)
        (results.runs / "a-watched-file.txt").touch()  # of the 30 some or all may be built already
        until(lambda: builds(server)[-1][1] == float("inf"), "a build")
        begun = len(builds(server)) - 1
        done = finish(
            program("collect", "--url", address, "--suite", "smoke", "--repeats", "1"), LLM_RESULTS=str(results.root)
        )
    assert done.returncode == 0, done.stderr
    until(lambda: builds(server)[begun][1] < float("inf"), "the end of the build")
    assert overlaps(builds(server), timed_requests(Path(done.stdout.strip()))) == [], server.stderr
