"""Every page of a site over two machines in a real browser: light and dark, wide and narrow, with scripts and without.

Here each page is loaded once and turned four ways, and of pages made for rows, and of the Chinese ones, some are looked
at. `scripts/bench site --full` loads every page of every world anew for each look.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from site_src import build
from tests.browsing import BASE, MARKS, Handler, Site, draw, serving, tab
from tests.built_worlds import built
from tests.site_checks import four_looks
from tests.worlds import LAPTOP_NAME, STUDIO_NAME

STATIC = {path.relative_to(build.PAGES).with_suffix("").as_posix() for path in build.PAGES.rglob("*.md")}
CHINESE = ("zh/", "zh/results/", "zh/decide/")
LIGHT_BYTES = 300_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    world = built("two machines", tmp_path_factory)
    with serving(world.site, Handler) as address:
        names = [page.parent.relative_to(world.site).as_posix() for page in world.pages if page.name == "index.html"]
        yield Site(world.site, address, tuple(f"{address}{'' if name == '.' else f'{name}/'}" for name in names))


@pytest.fixture(scope="module")
def looked_at(site: Site) -> list[str]:
    """English pages: all that have a file of their own, and the first and the last of those made for a view's rows."""
    english = {url.removeprefix(site.address): url for url in site.pages}
    own = [url for name, url in english.items() if (name.strip("/") or "index") in STATIC]
    folders: dict[str, list[str]] = {}
    for name, url in english.items():
        if (name.strip("/") or "index") not in STATIC and not name.startswith("zh/"):
            folders.setdefault(name.strip("/").rpartition("/")[0], []).append(url)
    return [*own, *(url for urls in folders.values() for url in {urls[0]: 0, urls[-1]: 0})]


# Of what belongs to a machine, how much the style sheet hides.
HIDDEN = "all => all.filter(one => !one.hidden && getComputedStyle(one).display === 'none').length"
# Of each chart: its name, its description, whether picture and caption are visible, how many marks there are.
PICTURES = f"""
all => all.map(one => [
  one.id,
  one.querySelector(".chart-box[role=img]").getAttribute("aria-label"),
  [".chart-box svg", "figcaption"].every(part => one.querySelector(part).checkVisibility()),
  one.querySelectorAll("svg {MARKS}").length,
])
"""
# Compare's own table is made of rows that stand in another of the page; without scripts its block is hidden.
CELLS = ".md-content td:not(.compare td)"
ANSWERS = ".md-content .answer"


@dataclass(frozen=True)
class Seen:
    """What a page is like with scripts: its charts, what is wrong in any look, the texts that must be there without."""

    charts: int
    problems: list[str]
    cells: list[str]
    answers: list[str]


@pytest.fixture(scope="module")
def seen(site: Site, looked_at: list[str], browser: Any) -> dict[str, Seen]:
    """Each page loaded once, the Chinese ones last."""
    found = {}
    for url in (*looked_at, *(f"{site.address}{name}" for name in CHINESE)):
        with tab(browser, url) as opened:
            cells, answers = (opened.page.locator(which).all_text_contents() for which in (CELLS, ANSWERS))
            found[url] = Seen(*four_looks(opened.page, is_brief=url not in looked_at), cells, answers)
    return found


def test_every_page_draws_fits_and_is_accessible_in_each_look(
    site: Site, seen: dict[str, Seen], capsys: pytest.CaptureFixture[str]
) -> None:
    charts = sum(page.charts for page in seen.values())
    with capsys.disabled():
        print(f"\n{len(seen)} of {len(site.pages)} pages in four looks each, {charts} charts drawn", flush=True)
    assert {url.removeprefix(site.address): page.problems for url, page in seen.items() if page.problems} == {}
    assert charts >= 5


def test_without_scripts_every_number_table_and_picture_is_there(
    looked_at: list[str], seen: dict[str, Seen], browser: Any
) -> None:
    for url in looked_at:
        with tab(browser, url, scripts=False) as opened:
            page = opened.page
            assert page.locator(CELLS).all_text_contents() == seen[url].cells, url
            assert page.locator(ANSWERS).all_text_contents() == seen[url].answers, url
            hidden = page.locator("[data-machine]").evaluate_all(HIDDEN)
            assert hidden == 0, url
            for name, described, is_shown, marks in page.locator("figure.chart").evaluate_all(PICTURES):
                assert is_shown, name
                assert marks > 0, name
                assert len(described) > 40, name


SHOWN = "all => [...new Set(all.filter(one => one.checkVisibility()).map(one => one.dataset.machine))]"


def machines_shown(page: Any) -> list[str]:
    """Of what belongs to a machine, whose is shown."""
    shown: list[str] = page.locator(".md-content [data-machine]").evaluate_all(SHOWN)
    return shown


def test_a_machine_is_picked_once_and_every_page_follows(site: Site, looked_at: list[str], browser: Any) -> None:
    with tab(browser, site.address) as opened:
        page = opened.page
        assert machines_shown(page) == [STUDIO_NAME]  # the one with most runs of the plan
        select = page.locator(".machine-picker select")
        assert select.input_value() == STUDIO_NAME
        select.select_option(LAPTOP_NAME)
        assert machines_shown(page) == [LAPTOP_NAME]
        page.evaluate("window.isTheFirstDocument = true")
        links = page.locator(".md-tabs__link").evaluate_all("links => links.map(link => link.href)")
        for link in links[1:]:
            page.locator(".md-tabs__link").evaluate_all(
                "(links, wanted) => links.find(link => link.href === wanted).click()", link
            )
            page.wait_for_url(link)
            page.wait_for_function(
                "wanted => document.querySelector('link[rel=canonical]')?.href.endsWith(wanted)",
                arg=link.removeprefix(site.address),
            )
            assert set(machines_shown(page)) <= {LAPTOP_NAME}, link
        assert page.evaluate("window.isTheFirstDocument") is True
        followed = 0
        for url in looked_at:
            if "/configuration/" not in url:  # a page of one machine's configuration shows it whoever is picked
                page.goto(url)
                assert set(machines_shown(page)) <= {LAPTOP_NAME}, url
                followed += machines_shown(page) == [LAPTOP_NAME]
        assert followed >= 10
        page.goto(f"{site.address}results/?machine={STUDIO_NAME}")
        assert machines_shown(page) == [STUDIO_NAME]
        draw(page)


def test_the_first_view_of_the_front_page_is_light_and_charts_come_later(site: Site, browser: Any) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 300}) as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(site.address, wait_until="networkidle")
        assert not [url for url in asked if "vega" in url]
        sizes = {url: compressed(site.folder, url) for url in dict.fromkeys(asked) if not url.startswith("data:")}
        assert sum(sizes.values()) < LIGHT_BYTES, sizes
        page.locator("figure.chart:visible").first.scroll_into_view_if_needed()
        page.locator("figure.chart[data-drawn=live]").first.wait_for()
        assert len([url for url in asked if "vega" in url]) == 1


def compressed(folder: Path, url: str) -> int:
    """Bytes that a server sends for a file of the site when it compresses."""
    inside = urlsplit(url).path.removeprefix(BASE)
    path = folder / inside
    return len(gzip.compress((path / "index.html" if path.is_dir() else path).read_bytes(), 6))
