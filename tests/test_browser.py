"""The site in a real browser: drawn, readable, sortable, downloadable, and asking nobody but its own server."""

import csv
import functools
import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from collector.schema import CLONE
from site_src.warehouse import Warehouse
from tests.browsing import (
    BODY_TEXT,
    CONTRASTS,
    MARKS,
    PHONE,
    WIDE,
    AtRoot,
    Handler,
    Open,
    Site,
    column,
    draw,
    serving,
    sizes,
    tab,
    table_under,
)
from tests.programs import EngineRun, finish, program


@pytest.fixture(scope="module")
def site(engine_run: EngineRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site over the real engine's run, built strictly, served under a base path."""
    folder = tmp_path_factory.mktemp("site")
    with serving(folder, Handler) as address:
        build = program("mkdocs", "build", "--strict", "--site-dir", str(folder))
        done = finish(build, cwd=CLONE, LLM_RESULTS=str(engine_run.results.root), SITE_URL=address)
        assert done.returncode == 0, done.stderr
        assert "WARNING" not in done.stderr
        sitemap = ET.parse(folder / "sitemap.xml")
        pages = tuple(
            element.text or "" for element in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
        )
        assert address in pages and f"{address}results/" in pages
        yield Site(folder, address, pages)


@pytest.fixture
def opened(browser: Any) -> Open:
    """`with opened(url, …) as tab`, see `browsing.tab`."""
    return functools.partial(tab, browser)


# --- pages and charts ----------------------------------------------------------------------------------------------


def some(site: Site, *names: str) -> list[str]:
    """The addresses of these pages. `test_site_in_browser.py` looks at all."""
    return [f"{site.address}{name}/" for name in names]


def test_pages_open_and_their_charts_draw(site: Site, opened: Open) -> None:
    charts = 0
    for url in some(site, "results", "stability", "zh/quantization"):
        with opened(url) as tab:
            assert tab.page.locator("h1").count() == 1
            charts += draw(tab.page)
    assert charts >= 3


def test_the_same_files_work_at_the_root_of_a_host(site: Site, opened: Open) -> None:
    with serving(site.folder, AtRoot) as address, opened(f"{address}results/") as tab:
        assert draw(tab.page) >= 2


def test_a_chart_shows_one_dot_for_each_request(site: Site, opened: Open, engine_run: EngineRun) -> None:
    [counted] = Warehouse(engine_run.results).rows("select count(decode_tps) as speeds from request_speed")
    with opened(f"{site.address}results/") as tab:
        draw(tab.page)
        chart = tab.page.locator("#chart-decode_by_prompt")
        assert len(sizes(chart.locator("g.mark-symbol.role-mark path"))) == counted["speeds"]
        assert {"story", "ship"} <= set(chart.locator("svg text").all_text_contents())


def test_charts_draw_after_instant_navigation(site: Site, opened: Open) -> None:
    with opened(site.address) as tab:
        page = tab.page
        draw(page)
        page.evaluate("window.isTheFirstDocument = true")
        charts = 0
        names = page.locator(".md-tabs__link").all_inner_texts()
        assert len(names) >= 3
        for name in [*names[1:], names[0]]:
            link = page.locator(".md-tabs__link", has_text=name)
            target = link.evaluate("link => link.href")
            link.click()
            page.wait_for_url(target)
            page.locator(".md-tabs__item--active", has_text=name).wait_for()
            charts += draw(page)
        assert page.evaluate("window.isTheFirstDocument") is True  # else each click loaded the page anew
        assert charts >= 2


def test_a_chart_is_as_wide_as_its_page_gives_it(site: Site, opened: Open) -> None:
    widths = {}
    for width in (WIDE, PHONE):
        with opened(f"{site.address}results/", width=width) as tab:
            draw(tab.page)
            box = tab.page.locator("#chart-decode_by_prompt .chart-box").bounding_box()
            drawn = tab.page.locator("#chart-decode_by_prompt svg").bounding_box()
            assert box["width"] * 0.9 <= drawn["width"] <= box["width"] + 1
            widths[width] = drawn["width"]
    assert widths[PHONE] < PHONE < widths[WIDE]


# --- looks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scheme", "named"), [("light", "default"), ("dark", "slate")])
def test_text_is_readable_in_either_scheme(site: Site, opened: Open, scheme: str, named: str) -> None:
    for url in some(site, "results", "stability", "decide"):
        with opened(url, scheme=scheme) as tab:
            charts = draw(tab.page)
            assert tab.page.locator("body").get_attribute("data-md-color-scheme") == named
            body = tab.page.evaluate(CONTRASTS, BODY_TEXT)
            assert len(body) >= 5
            assert [text for contrast, text in body if contrast < 4.5] == []
            labels = tab.page.evaluate(CONTRASTS, "figure.chart svg text")
            assert len(labels) >= charts * 4
            assert [text for contrast, text in labels if contrast < 3] == []


# --- tables, downloads, no JavaScript ------------------------------------------------------------------------------


def sql(engine_run: EngineRun, query: str) -> list[dict[str, str]]:
    """What `scripts/sql --format csv` prints."""
    done = finish(
        program("python", "-m", "site_src.sql", "--format", "csv", query),
        cwd=CLONE,
        LLM_RESULTS=str(engine_run.results.root),
    )
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_the_results_page_shows_the_speed_that_sql_prints(site: Site, opened: Open, engine_run: EngineRun) -> None:
    [printed] = sql(engine_run, "select decode_tps, decode_tps_low, model from run_summary")
    decode_tps = float(printed["decode_tps"])
    with opened(f"{site.address}results/") as tab:
        table = table_under(tab.page, "By configuration")
        assert table.locator("tbody tr").count() == 1
        assert printed["model"] == "SmolLM2-135M-Instruct"
        assert printed["model"] in table.inner_text()
        [cell] = column(table, "decode, tokens/s")
        assert float(cell.get_attribute("data-value")) == decode_tps
        shown = cell.evaluate("cell => cell.firstChild.data")
        assert float(shown) == float(f"{decode_tps:.3g}")
        assert f"{float(printed['decode_tps_low']):.3g}" in cell.inner_text()


def test_a_click_on_a_heading_sorts_the_table(site: Site, opened: Open) -> None:
    with opened(f"{site.address}results/") as tab:
        table = table_under(tab.page, "Reference")
        heading = table.locator("thead th.num").first
        name = heading.inner_text().strip()

        def values() -> list[float]:
            texts = [cell.get_attribute("data-value") or cell.inner_text() for cell in column(table, name)]
            return [float(text) for text in texts if text.strip(" –")]

        original = values()
        assert len(set(original)) >= 3
        for state, expected in (
            ("ascending", sorted(original)),
            ("descending", sorted(original, reverse=True)),
            (None, original),
        ):
            heading.locator("button").click()
            assert heading.get_attribute("aria-sort") == state
            assert values() == expected
        assert table.locator("th[aria-sort]").count() == 0


def test_only_one_column_says_that_it_sorts(site: Site, opened: Open) -> None:
    with opened(f"{site.address}results/") as tab:
        table = table_under(tab.page, "Reference")
        for index in (0, 1):
            table.locator("thead th button").nth(index).press("Enter")  # buttons: a keyboard sorts too
            assert table.locator("th[aria-sort]").count() == 1
            assert table.locator("thead th").nth(index).get_attribute("aria-sort") == "ascending"


def test_downloads_hold_what_the_view_says(site: Site, opened: Open, engine_run: EngineRun, tmp_path: Path) -> None:
    columns = Warehouse(engine_run.results).table("from run_summary").column_names
    with opened(f"{site.address}results/") as tab:
        source = tab.page.locator("details.source", has_text="Download run_summary")
        source.locator("summary").click()
        for label in ("CSV", "Parquet"):
            with tab.page.expect_download() as download:
                source.get_by_role("link", name=label).click()
            download.value.save_as(tmp_path / label)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "CSV").read_text(encoding="utf-8"))))
    assert list(rows[0]) == columns
    assert rows == sql(engine_run, "from run_summary")
    assert pq.read_table(tmp_path / "Parquet").column_names == columns


def test_every_download_link_leads_to_a_file_under_its_name(site: Site, opened: Open) -> None:
    for url in some(site, "results", "data"):
        with opened(url) as tab:
            links = tab.page.locator(".downloads a").evaluate_all("links => links.map(link => link.href)")
            assert all(link.startswith(f"{site.address}data/") for link in links)
            assert [link for link in links if tab.page.request.get(link).status != 200] == []


def test_everything_but_interaction_works_without_javascript(site: Site, opened: Open) -> None:
    with opened(f"{site.address}results/", scripts=False) as tab:
        page = tab.page
        charts = page.locator("figure.chart")
        assert charts.count() >= 2
        for index in range(charts.count()):
            chart = charts.nth(index)
            assert chart.get_attribute("data-drawn") is None
            assert chart.locator("svg").is_visible()
            assert chart.locator(f"svg {MARKS}").count() > 0
            assert chart.locator("svg text").count() >= 4
            assert chart.locator("figcaption").is_visible()
        table = table_under(page, "By configuration")
        assert table.is_visible()
        assert "SmolLM2-135M-Instruct" in table.inner_text()
        assert table.locator("button").count() == 0  # nothing that would not answer
        source = page.locator("details.source", has_text="Download run_summary")
        source.locator("summary").click()
        assert source.get_by_role("link", name="CSV").is_visible()
        assert "create or replace view run_summary" in source.locator("pre").inner_text()
        charts.first.locator("summary").click()
        assert charts.first.locator("table").is_visible()


def test_a_chart_that_cannot_be_drawn_keeps_its_picture(site: Site, browser: Any) -> None:
    page = browser.new_page()
    page.route("**/vega.bundle.min.js", lambda route: route.abort())
    page.goto(f"{site.address}results/")
    chart = page.locator("figure.chart").first
    chart.scroll_into_view_if_needed()
    page.wait_for_function("chart => chart.dataset.drawn === 'failed'", arg=chart.element_handle())
    assert chart.locator("svg").is_visible()
    assert chart.locator(f"svg {MARKS}").count() > 0
    page.close()


def test_the_page_itself_forbids_other_hosts(site: Site, browser: Any) -> None:
    """A page shows texts of models and servers: whatever might get into it must not call home."""
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with serving(site.folder, AtRoot) as other:  # another port is another origin
        page.goto(f"{site.address}results/")
        assert (
            page.evaluate("url => fetch(url, {mode: 'no-cors'}).then(() => 'answered', () => 'refused')", other)
            == "refused"
        )
        assert [url for url in asked if url.startswith(other)] == []
    page.close()
