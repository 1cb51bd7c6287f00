"""The site in Chinese: nothing of it is missing, and it says what the English one says."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import altair as alt
import jinja2
import pytest
from markdown.extensions.toc import slugify
from mkdocs.config import load_config

from collector.schema import CLONE, Results
from site_src import build, charts, drawing
from site_src.blocks import ON_PAGES
from site_src.warehouse import VIEWS, Warehouse
from site_src.words import read
from tests import planted, worlds
from tests.energy_rows import metered
from tests.test_blocks import Page

CHINESE = read("zh")
ENGLISH = read("en")
PAGES = {
    path.relative_to(build.PAGES).as_posix(): path.read_text(encoding="utf-8") for path in build.PAGES.rglob("*.md")
}
BLOCKS = re.compile(rf"\b(?:{'|'.join({*ON_PAGES} - {'value', 'counted'})})\([^)]*\)")
VALUES = re.compile(r'(?:\w+\.)?(?:value|counted)\("([\w.]+)"')
RESTS = re.compile(r'\.((?:interval|runs)\("\w+"\))')
ATTRIBUTES = re.compile(r"\b(?:here|all)\.(?!(?:value|counted|scope|interval|runs)\b)(\w+)")
CODE = re.MULTILINE | re.DOTALL
MARTS = sorted({path.stem for path in (VIEWS / "3_marts").glob("*.sql")} - {"badge", "feed"})  # on no page
FREE = ("reason", "evidence", "note", "meaning")  # columns that may hold what a server or a person said


@pytest.fixture(scope="module", params=["two machines", "whole plan"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Plenty of rows of every kind."""
    results = worlds.make(request.param, tmp_path_factory.mktemp("world") / "results")
    planted.written(results, *metered(**planted.gguf()))
    return Warehouse(results)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return Warehouse(Results(tmp_path_factory.mktemp("nothing") / "results"))


# ---------------------------------------------------------------- pages


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_there_and_shows_the_same(name: str) -> None:
    """The same charts, tables, conditions and values; how often one is said, and in which order, is the language's."""
    english, chinese = PAGES[name], (CHINESE.pages / name).read_text(encoding="utf-8")
    assert Counter(BLOCKS.findall(chinese)) == Counter(BLOCKS.findall(english))
    assert set(VALUES.findall(chinese)) == set(VALUES.findall(english))
    assert set(RESTS.findall(chinese)) == set(RESTS.findall(english))
    assert set(ATTRIBUTES.findall(chinese)) == set(ATTRIBUTES.findall(english))
    assert re.findall(r"^```$.*?^```$", chinese, CODE) == re.findall(r"^```$.*?^```$", english, CODE)


@pytest.mark.parametrize("name", PAGES)
def test_headings_have_the_names_of_the_english_ones(name: str) -> None:
    """So that a link to a part of a page leads there in both languages."""
    english = [slugify(heading, "-") for heading in re.findall(r"^##+ (.+)$", PAGES[name], re.MULTILINE)]
    chinese = (CHINESE.pages / name).read_text(encoding="utf-8")
    assert re.findall(r"^##+ .+ \{: #([\w-]+) \}$", chinese, re.MULTILINE) == english
    assert len(re.findall(r"^##+ ", chinese, re.MULTILINE)) == len(english)


def test_no_page_is_in_one_language_only() -> None:
    assert {path.relative_to(CHINESE.pages).as_posix() for path in CHINESE.pages.rglob("*.md")} == set(PAGES)


def test_a_page_that_is_missing_is_english_and_says_so(nothing: Warehouse, tmp_path: Path) -> None:
    made = build.page(nothing, "answers.md", set(), words=replace(CHINESE, pages=tmp_path))
    assert made.startswith('<p class="untranslated-page">本页尚无中文')
    assert "# Nine questions" in made
    assert "untranslated-page" not in build.page(nothing, "answers.md", set(), words=CHINESE)


# ---------------------------------------------------------------- words


def test_every_column_on_a_page_has_a_name(nothing: Warehouse) -> None:
    tables = re.findall(r'table\("\w+", "([^"]*)"', " ".join(PAGES.values()))
    of_tables = {name for columns in tables for name in columns.split()}
    of_charts = {
        column
        for name in charts.names()
        for column in nothing.comments(charts.read(name).view)
        if not column.endswith(("_low", "_high", "_id"))
    }
    assert sorted((of_tables | of_charts) - CHINESE.headings.keys()) == []


def test_every_chart_has_a_title_and_a_caption() -> None:
    assert sorted(CHINESE.charts) == charts.names()
    assert [name for name, said in CHINESE.charts.items() if not said["title"] or not said["caption"]] == []


@pytest.mark.parametrize("name", charts.names())
def test_a_caption_says_what_the_english_one_says_now(name: str) -> None:
    """Who changes the English one looks at the Chinese one, and notes the new hash beside it."""
    chart = charts.read(name)
    assert CHINESE.charts[name]["of"] == sha256(f"{chart.title}\n{chart.caption}".encode()).hexdigest()[:8]


def test_every_word_of_a_block_is_there_with_the_same_gaps() -> None:
    """The feed and the badge are shared by all languages."""
    own = {name for name in ENGLISH.blocks if not name.startswith(("feed_", "badge_"))}
    untouched = {name for name in own if CHINESE.blocks[name] == ENGLISH.blocks[name]}
    assert untouched == set()
    gaps = {name: (set(re.findall(r"{\w+}", words.blocks[name])) for words in (ENGLISH, CHINESE)) for name in own}
    assert [name for name, (english, chinese) in gaps.items() if english != chinese] == []


def said_in(part: Any, key: str = "") -> Iterator[str]:
    """The titles within a chart."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name not in ("datasets", "config", "$schema"):
                yield from said_in(value, name)
    elif isinstance(part, list):
        for one in part:
            yield from said_in(one)
    elif isinstance(part, str) and key == "title":
        yield part


def test_every_title_within_a_chart_is_translated(world: Warehouse) -> None:
    titles = set()
    for chart in map(charts.read, charts.names()):
        rows = world.rows(f"select * from {chart.view} where {chart.where}")  # noqa: S608  # our own chart's words
        titles |= set(said_in(drawing.said(drawing.spec(chart, rows), ENGLISH))) if rows else set()
    assert sorted(title for title in titles if not all(known for _, known in CHINESE.phrases.said(title))) == []


def test_every_word_that_a_view_says_is_translated(world: Warehouse) -> None:
    """Verdicts, states and grades without exception; of reasons nearly all."""
    missing: Counter[tuple[str, str]] = Counter()
    count = 0
    for view in MARTS:
        for row in world.rows(f"from {view}"):
            for column, value in row.items():
                if isinstance(value, str) and CHINESE.prose.fullmatch(column):
                    pieces = CHINESE.pieces(column, value)
                    count += len(pieces)
                    missing.update((f"{view}.{column}", text) for text, known in pieces if not known)
    assert [(column, text) for column, text in missing if not column.endswith(FREE)] == []
    print(f"{missing.total()} of {count} pieces are not translated: {missing.most_common(20)}")
    assert missing.total() < 0.01 * count


def test_a_chart_compares_its_data_in_the_language_that_they_are_in() -> None:
    """A filter on a category, its place in a scale and the category itself are translated alike."""

    def chart(rows: alt.InlineData) -> alt.TopLevelMixin:
        color = alt.Color("verdict:N", scale=alt.Scale(domain=["pass", "fail"]), sort=["fail"])
        x = alt.X("model:N", scale=alt.Scale(domain=["pass"]))
        tooltip = [alt.Tooltip("ttft_ms:Q"), alt.Tooltip("verdict:N", title="gate")]
        return (
            alt.Chart(rows)
            .mark_point()
            .encode(x=x, color=color, tooltip=tooltip)
            .transform_filter("datum.verdict == 'pass' && datum.model != 'pass'")
        )

    rows = [{"verdict": "pass", "model": "pass", "ttft_ms": 1.0}]
    spec = drawing.said(drawing.spec(charts.Chart("made", "", "", "", "true", chart), rows), CHINESE)
    encoding = spec["encoding"]
    assert next(iter(spec["datasets"].values())) == [{"verdict": "通过", "model": "pass", "ttft_ms": 1.0}]
    assert encoding["color"]["scale"]["domain"] == ["通过", "未通过"]
    assert encoding["color"]["sort"] == ["未通过"]
    assert encoding["x"]["scale"]["domain"] == ["pass"]
    assert [one["title"] for one in encoding["tooltip"]] == ["首 token 延迟（ms）", "质量门槛"]
    assert spec["transform"] == [{"filter": "datum.verdict == \"\\u901a\\u8fc7\" && datum.model != 'pass'"}]


# ---------------------------------------------------------------- around the pages


def pages_of(nav: list[dict[str, Any]]) -> list[str]:
    """The pages of a navigation in order, its groups opened."""
    return [
        page
        for entry in nav
        for target in entry.values()
        for page in (pages_of(target) if isinstance(target, list) else [target])
    ]


def test_both_languages_have_the_same_navigation_styles_and_scripts() -> None:
    english, chinese = (load_config(str(CLONE / name)) for name in ("mkdocs.yml", "site_src/zh/mkdocs.yml"))
    assert pages_of(chinese["nav"]) == pages_of(english["nav"])
    assert set(pages_of(english["nav"])) == {name for name in PAGES if "[" not in name}
    for what in ("extra_css", "extra_javascript"):
        assert [str(path) for path in chinese[what]] == [f"../{path}" for path in english[what]]


@pytest.mark.parametrize(
    ("config", "page", "link"),
    [
        ("mkdocs.yml", "decide/", "zh/decide/"),
        ("mkdocs.yml", "", "zh/"),
        ("site_src/zh/mkdocs.yml", "decide/", "../decide/"),
        ("site_src/zh/mkdocs.yml", "configuration/0123/", "../configuration/0123/"),
    ],
)
def test_the_switch_leads_to_the_same_page_of_the_other_language(config: str, page: str, link: str) -> None:
    environment = jinja2.Environment(autoescape=True)
    environment.filters["url"] = str
    text = (CLONE / "site_src/theme/partials/alternate.html").read_text(encoding="utf-8")
    made = environment.from_string(text).render(config=load_config(str(CLONE / config)), page={"url": page})
    [switch] = [attributes for tag, attributes in Page(made).elements if tag == "a"]
    assert switch["href"] == link
