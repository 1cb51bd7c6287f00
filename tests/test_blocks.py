"""Blocks of a page, and that no word from a server, a file or a person ever becomes markup there."""

import importlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import markdown
import pyarrow as pa
import pytest
from mkdocs.config import load_config

from collector.backends import Facts
from collector.schema import CLONE, Results
from site_src import build, charts, drawing, layers
from site_src.blocks import Blocks
from site_src.place import Place
from site_src.reuse.maker import Maker
from site_src.warehouse import Warehouse
from site_src.words import Words, read
from tests.conftest import request

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script src=//evil.example/x.js></script>",
    "<img src=x onerror=alert(2)>",
    "](javascript:alert(3))",
    "[click](javascript:alert(4))",
    "![x](//evil.example/pixel.png)",
    "<javascript:alert(5)>",
    "\" onmouseover=\"alert(6)' onfocus='alert(7)",
    "`code` ``` ~~~",
    "| a | b |",
    "{{ 7*7 }} {% raw %} {# note #}",
    '<div markdown="1">**bold**</div>',
    "{: onclick=alert(8) .evil #id }",
    "one\n\n# Heading\n\n- item\n\n    indented\n\n<b>",
    "</td></tr></table></div></figure></details></code></pre>",
    "&lt;script&gt; &amp; &#60;",
    "<!-- comment --> <![CDATA[ x ]]> <?php ?>",
    "*stars* _lines_ **bold** ~~gone~~ \\*",
    "[ref]: javascript:alert(9)",
    "wzxhzdk:0 \x02wzxhzdk:1\x03",
    "https://evil.example/ www.evil.example",
    "!!! danger\n    text",
    "通义 \u2028 \u202e rtl",
]
EVERYTHING = f"a {' '.join(HOSTILE)}"
HARMLESS = "a harmless word 1"  # sorts as the others do, and has a digit to read bits from


class Page(HTMLParser):
    """The elements of a page in order, with their attributes, and the text between them."""

    VOID = ("br", "hr", "img", "input", "meta", "link")

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.structure: list[str] = []  # outside of drawings: a drawing's own depends on how long its texts are
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if "svg" not in self.open:
            self.structure.append(f"<{tag} {' '.join(sorted(name for name, _ in attrs))}>")
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass
        if "svg" not in self.open:
            self.structure.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.structure.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.structure.append(f"<!{decl}>")

    def unknown_decl(self, data: str) -> None:
        self.structure.append(f"<![{data}]>")

    def handle_pi(self, data: str) -> None:
        self.structure.append(f"<?{data}>")


DRAWN = {"svg", "g", "path", "text", "rect", "line", "defs", "clippath", "lineargradient", "stop", "title", "tspan"}


def assert_harmless(page: Page) -> None:
    """No element or attribute that could run or fetch anything."""
    for tag, attributes in page.elements:
        assert tag not in ("script", "img", "iframe", "object", "embed", "style", "link", "base", "form"), tag
        for name, value in attributes.items():
            assert not name.startswith("on"), f"<{tag} {name}={value!r}>"
            if name in ("href", "src", "xlink:href", "action"):
                assert "javascript:" not in (value or "").lower(), f"<{tag} {name}={value!r}>"
                assert not (value or "").startswith("//"), f"<{tag} {name}={value!r}>"


def squeezed(text: str) -> str:
    """Text as a reader sees it: white space is one space, and control characters are nothing."""
    return " ".join("".join(char for char in text if char not in "\x02\x03").split())


@pytest.fixture(scope="module")
def to_html() -> Callable[[str], str]:
    """Markdown to HTML as the site does it."""
    config = load_config(str(CLONE / "mkdocs.yml"))

    def convert(text: str) -> str:
        maker = markdown.Markdown(extensions=config.markdown_extensions, extension_configs=config.mdx_configs)
        return maker.convert(text)

    return convert


def test_a_character_no_drawing_can_hold_does_not_end_the_build() -> None:
    """The drawing library aborts the whole process at one, so this test would end the test run."""
    row = {"seconds": 0.5, "characters": 3, "kind": "a\x00\x02\x0b\x1f\ufffe\uffffb", "chunk_number": 1}
    page = Page(str(blocks(row).chart("token_arrival")))
    assert "a\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdb" in page.text


class Rows(Warehouse):
    """A warehouse that holds one view only, of rows given by hand."""

    def __init__(self, *rows: dict[str, Any], comment: str = "what it means") -> None:
        self._rows, self._comment = rows, comment

    def table(self, query: str, **values: Any) -> pa.Table:
        if "contributor is not null" in query:
            return pa.table({"machine": pa.array([], pa.string())})
        if asked := re.match("select (machine|configuration_id) from", query):
            known = {row.get(asked[1]) for row in self._rows} - {None}
            return pa.table({asked[1]: pa.array(sorted(known), pa.string())})
        return pa.Table.from_pylist([dict(row) for row in self._rows]) if self._rows else pa.table({"label": []})

    def comments(self, view: str) -> dict[str, str | None]:
        return dict.fromkeys(self._rows[0] if self._rows else (), self._comment)

    def sql(self, view: str) -> str:
        return layers.in_layers()[view].body


ENGLISH = read("en")


def blocks(*rows: dict[str, Any], words: Words = ENGLISH, **more: Any) -> Blocks:
    return Blocks(Maker(Rows(*rows, **more)), Place(), set(), words)


# ---------------------------------------------------------------- hostile words


@pytest.mark.parametrize("words", HOSTILE)
def test_a_value_in_a_sentence_is_shown_literally(words: str, to_html: Callable[[str], str]) -> None:
    """In headings, lists, bold text and tables of a page alike."""
    value = blocks({"label": words}).value("runs.label")
    page = Page(to_html(f"# T\n\n**{value}** and {value}\n\n- {value}\n\n| a | b |\n|---|---|\n| {value} | c |\n"))
    same = Page(to_html("# T\n\n**x** and x\n\n- x\n\n| a | b |\n|---|---|\n| x | c |\n"))
    assert page.structure == same.structure
    assert squeezed(page.text).count(squeezed(words)) == 4


@pytest.mark.parametrize("words", HOSTILE)
def test_a_value_in_a_table_is_shown_literally(words: str, to_html: Callable[[str], str]) -> None:
    def made(words: str) -> Page:
        block = blocks({"label": words, "reason": words}, comment=words).table("runs", "label reason")
        return Page(to_html(f"before\n\n{block}\n\nafter *words*\n"))

    page = made(words)
    assert page.structure == made("x").structure
    assert_harmless(page)
    assert squeezed(page.text).count(squeezed(words)) == 2
    titles = [attributes["title"] for tag, attributes in page.elements if tag == "th"]
    assert [squeezed(title or "") for title in titles] == [squeezed(words)] * 2


def pages(given: Callable[..., Warehouse], words: str) -> dict[str, str]:
    """Every page of the site, as Markdown, over runs in which every text that is not ours is `words`."""
    ours = {"model_key": words, "quantization": words, "runtime": words, "chip": words, "server": words, "suite": words}
    good: list[Facts] = [request(words, repeat, tps=40 + repeat, finish_reason=words) for repeat in (1, 2, 3)]
    bad = request("failed", 1, error_kind=words, error_detail=words)
    failed_load = {"op": "load", "started_ns": 1, "elapsed_ns": 1, "error_kind": words, "error_detail": words}
    warehouse = given([{**ours, "runtime_proof": words}, failed_load], [{"run_state": words, **ours}, *good, bad])
    return {
        made.path: str(made.content)
        for made in build.in_languages(Maker(warehouse), ["en"])["en"]
        if made.path.endswith(".md") and isinstance(made.content, str) and not made.path.startswith("data/")
    }


def test_no_page_takes_words_for_markup(
    given: Callable[..., Warehouse], results: Results, to_html: Callable[[str], str]
) -> None:
    hostile = {name: Page(to_html(text)) for name, text in pages(given, EVERYTHING).items()}
    for path in results.runs.iterdir():
        path.unlink()
    benign = {name: Page(to_html(text)) for name, text in pages(given, HARMLESS).items()}
    for page in hostile.values():
        assert_harmless(page)
    row_pages = [sorted(made.keys() - shared(made)) for made in (hostile, benign)]  # named by a hash of such words
    assert len(row_pages[0]) == len(row_pages[1]) == 1
    of_rows = [
        sorted(made[name].structure for name in names) for made, names in zip((hostile, benign), row_pages, strict=True)
    ]
    assert of_rows[0] == of_rows[1]
    assert shared(hostile) == shared(benign)
    for name in shared(hostile):
        page = hostile[name]
        assert Counter(page.structure) == Counter(benign[name].structure), name
        assert page.structure == benign[name].structure, name
    shown = squeezed(hostile["results.md"].text)
    assert squeezed(EVERYTHING) in shown
    assert squeezed(EVERYTHING) in squeezed(hostile["index.md"].text)
    figures = [attributes for page in hostile.values() for tag, attributes in page.elements if tag == "figure"]
    assert len(figures) >= 3
    specs = [json.loads(attributes["data-spec"] or "") for attributes in figures]
    labels = [str(row.get("label")) for spec in specs for row in data_of(spec)]
    drawn = re.sub("[\x02\x03\u2028]", "\ufffd", EVERYTHING)
    assert any(label.startswith(drawn[: drawing.LONGEST]) for label in labels)


def shared(pages: dict[str, Page]) -> set[str]:
    """The names of pages that there are whatever was measured."""
    return {name for name in pages if "/" not in name}


def data_of(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a chart."""
    [rows] = spec["datasets"].values()
    return list(rows)


# ---------------------------------------------------------------- blocks


def test_a_table_has_the_named_columns_with_their_comments() -> None:
    page = Page(str(blocks({"label": "a", "ttft_ms": 12.3, "hidden": 1}).table("runs", "label ttft_ms")))
    heads = [attributes for tag, attributes in page.elements if tag == "th"]
    assert [head["title"] for head in heads] == ["what it means"] * 2
    assert [head.get("class") for head in heads] == [None, "num"]
    assert "TTFT, ms" in page.text
    assert "hidden" not in page.text.partition("SQL and downloads")[0]


def test_a_table_sorts_numbers_by_their_exact_value() -> None:
    page = Page(str(blocks({"ttft_ms": 1234.5678}, {"ttft_ms": None}).table("runs", "ttft_ms")))
    cells = [attributes for tag, attributes in page.elements if tag == "td"]
    assert cells == [{"class": "num", "data-value": "1234.5678"}, {"class": "num"}]
    assert "–" in page.text


def test_a_table_without_rows_says_so() -> None:
    assert "No rows yet." in blocks().table("runs", "label")


def test_a_long_table_is_cut_and_says_where_the_rest_is() -> None:
    page = Page(str(blocks(*({"bits": number} for number in range(2345))).table("runs", "bits")))
    assert sum(tag == "td" for tag, _ in page.elements) == 200
    assert "2,145 more rows are in the download." in page.text


def test_a_column_that_is_not_there_fails() -> None:
    with pytest.raises(KeyError, match="no_such_column"):
        blocks({"label": "a"}).table("runs", "no_such_column")


@pytest.mark.parametrize(("value", "shown"), [(45.731, "45.7 tokens/s"), (None, "–"), (0.0, "0 tokens/s")])
def test_a_value_comes_with_its_unit_unless_it_is_missing(value: float | None, shown: str) -> None:
    assert Page(str(blocks({"decode_tps": value}).value("overview.decode_tps"))).text == shown


def test_a_value_needs_a_view_of_one_row() -> None:
    with pytest.raises(ValueError, match="runs has 2 rows, not one"):
        blocks({"label": "a"}, {"label": "b"}).value("runs.label")


@pytest.mark.parametrize(("count", "shown"), [(0, "0 runs"), (1, "1 run"), (1200, "1,200 runs")])
def test_a_counted_noun_is_singular_for_one(count: int, shown: str) -> None:
    assert blocks({"run_count": count}).counted("overview.run_count", "run") == shown


def test_downloads_are_linked_from_the_pages_place_and_asked_for() -> None:
    used: set[str] = set()
    page = Page(str(Blocks(Maker(Rows({"label": "a"})), Place("deep/p.md"), used, ENGLISH).table("runs", "label")))
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert links == ["../../data/runs.csv", "../../data/runs.parquet"]
    assert used == {"runs"}


def test_the_sql_that_made_a_table_is_shown_whole_and_without_comments() -> None:
    page = Page(str(blocks({"label": "a"}).table("runs", "label")))
    shown = page.text[page.text.index("create or replace view runs") :]
    assert "left join run_speed using (run_id)" in shown
    assert "comment on" not in shown
    assert shown.count("\n") > 20


def test_a_chart_edited_and_put_back_is_as_its_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under `mkdocs serve` edits show without a restart, the one that takes the last one back, too."""
    name = "decode_by_configuration"
    source = (charts.FOLDER / f"{name}.py").read_text(encoding="utf-8")
    file = tmp_path / f"{name}.py"
    monkeypatch.setattr(charts, "FOLDER", tmp_path)
    monkeypatch.setattr(charts, "__path__", [str(tmp_path)])
    titles = []
    for number, text in enumerate((source, source.replace('"""', '"""Edited: ', 1), source)):
        file.write_text(text, encoding="utf-8")
        os.utime(file, (number, number))
        titles.append(charts.read(name).title)
    monkeypatch.undo()
    importlib.reload(importlib.import_module(f"site_src.charts.{name}"))
    assert titles[0] == titles[2]
    assert titles[1] == f"Edited: {titles[0]}"


def test_a_chart_without_data_says_so(given: Callable[..., Warehouse]) -> None:
    made = Blocks(Maker(given()), Place(), set(), ENGLISH).chart("token_arrival")
    assert "no data yet" in made
    assert "<svg" not in made


def test_a_chart_stands_with_drawing_caption_data_sql_and_downloads(given: Callable[..., Warehouse]) -> None:
    warehouse = given([request(repeat=number, tps=40 + number) for number in (1, 2, 3)])
    for name in ("token_arrival", "decode_by_prompt"):
        page = Page(str(Blocks(Maker(warehouse), Place(), set(), ENGLISH).chart(name)))
        chart = charts.read(name)
        figure = next(attributes for tag, attributes in page.elements if tag == "figure")
        spec = json.loads(figure["data-spec"] or "")
        assert len(data_of(spec)) == len(warehouse.rows(f"from {chart.view}"))
        assert spec["width"] == "container"
        assert {"svg", "figcaption", "details", "table", "pre"} <= {tag for tag, _ in page.elements}
        box = next(attributes for tag, attributes in page.elements if attributes.get("role") == "img")
        assert (box["aria-label"] or "").startswith(f"{chart.title}. {chart.caption}")
        assert page.open == []


def test_times_reach_a_chart_as_text_in_utc() -> None:
    """Vega would read a time without a zone as the reader's."""
    assert drawing._readable({"at": datetime(2026, 1, 2, 3, 4)})["at"].startswith("2026-01-02T03:04:00")


def test_a_chart_carries_the_columns_it_names_and_no_others(given: Callable[..., Warehouse]) -> None:
    page = Page(str(Blocks(Maker(given([request(tps=40)])), Place(), set(), ENGLISH).chart("decode_by_configuration")))
    figure = next(attributes for tag, attributes in page.elements if tag == "figure")
    [row] = data_of(json.loads(figure["data-spec"] or ""))
    assert row["decode_tps"] == pytest.approx(40)
    assert "tps_per_file_gb" not in row


def test_an_unknown_chart_is_named_with_those_there_are() -> None:
    with pytest.raises(KeyError, match=r"no chart 'nothing'.*token_arrival"):
        blocks({"label": "a"}).chart("nothing")


@pytest.mark.parametrize("name", ["../charts_theme", "__init__", "", "os"])
def test_a_chart_is_only_a_file_of_its_folder(name: str) -> None:
    with pytest.raises(KeyError):
        charts.read(name)


# ---------------------------------------------------------------- machines, rows with a page, languages


def test_rows_of_a_machine_say_so_and_so_does_a_sentence() -> None:
    made = blocks({"label": "a", "machine": "m1"}, {"label": "b", "machine": "m2"}, {"label": "c", "machine": None})
    page = Page(str(made.table("runs", "label")))
    assert [row.get("data-machine") for tag, row in page.elements if tag == "tr"][1:] == ["m1", "m2", None]
    assert [str(here.scope) for here in made.each("runs")] == [' data-machine="m1"', ' data-machine="m2"', ""]


def test_a_chart_never_mixes_machines_and_the_first_stands_first(given: Callable[..., Warehouse]) -> None:
    warehouse = given(
        [request(tps=40)], [{"gpu_cores": 60}, request(tps=50)], [{"gpu_cores": 60}, request(repeat=2, tps=51)]
    )
    [first, second] = [row["machine"] for row in warehouse.rows("from machines")]
    page = Page(str(Blocks(Maker(warehouse), Place(), set(), ENGLISH).chart("decode_by_configuration")))
    figures = [attributes for tag, attributes in page.elements if tag == "figure"]
    assert [figure["data-machine"] for figure in figures] == [first, second]
    assert [figure["id"] for figure in figures] == ["chart-decode_by_configuration", "chart-decode_by_configuration-2"]
    speeds = [
        {round(row["decode_tps"]) for row in data_of(json.loads(figure["data-spec"] or ""))} for figure in figures
    ]
    assert speeds == [{50}, {40}]


def test_a_configurations_name_leads_to_its_page(given: Callable[..., Warehouse]) -> None:
    warehouse = given([request(tps=40)])
    [row] = warehouse.rows("from run_summary")
    table = Blocks(Maker(warehouse), Place("results.md"), set(), ENGLISH).table("run_summary", "label")
    links = [attributes.get("href") for tag, attributes in Page(str(table)).elements if tag == "a"]
    assert links[0] == f"../configuration/{row['configuration_id']}/"


def test_what_a_translation_lacks_stays_english_and_says_so() -> None:
    chinese = read("zh")
    row = {"verdict": "never translated", "machine": "m", "label": "never translated"}
    table = str(blocks(row, words=chinese).table("runs", "verdict machine label"))
    assert table.count('<span class="untranslated" lang="en">never translated</span>') == 1  # a name is no word
    assert "机器</th>" in table


def test_what_a_translation_lacks_says_so_within_a_sentence_too() -> None:
    [here] = blocks({"reason": "inconclusive; never *translated*"}, words=read("zh")).each("runs")
    page = Page(str(here.value("reason")))
    assert page.text == "无法判定；never *translated*"
    assert ("span", {"class": "untranslated", "lang": "en"}) in page.elements


def test_a_caption_that_is_not_translated_says_so(given: Callable[..., Warehouse]) -> None:
    words = read("zh")
    warehouse = given([request(tps=40)])
    for known, lang in ((words, None), (replace(words, charts={}), "en")):
        page = Page(str(Blocks(Maker(warehouse), Place(), set(), known).chart("decode_by_configuration")))
        [caption] = [attributes for tag, attributes in page.elements if tag == "figcaption"]
        assert caption.get("lang") == lang


# ---------------------------------------------------------------- pages


@pytest.fixture
def page_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A page of this text, made over one view."""

    def make(text: str, *rows: dict[str, Any], name: str = "page.md") -> str:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(build, "PAGES", tmp_path)
        return build.page(Rows(*rows), name, set())

    return make


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{{ chart("nothing") }}', "no chart 'nothing'"),
        ('{{ table("runs", "no_such_column") }}', "no_such_column"),
        ('{{ value("runs.no_such_column") }}', "no_such_column"),
        ("{{ no_such_block() }}", "no_such_block"),
        ("{% if %}", "Expected"),
        ('{{ "".__class__.__mro__ }}', "unsafe"),
    ],
)
def test_a_page_that_cannot_be_made_is_named(page_of: Callable[..., str], text: str, said: str) -> None:
    with pytest.raises(build.PageFailed, match=r"^page page\.md: ") as failed:
        page_of(text, {"label": "a"})
    assert said in str(failed.value)


@pytest.mark.parametrize(
    ("name", "link"),
    [("index.md", "data/"), ("page.md", "../data/"), ("deep/index.md", "../data/"), ("deep/p.md", "../../data/")],
)
def test_links_lead_from_a_page_to_the_sites_root(page_of: Callable[..., str], name: str, link: str) -> None:
    assert f'href="{link}runs.csv"' in page_of('{{ table("runs", "label") }}', {"label": "a"}, name=name)


def test_text_from_a_view_is_no_template(page_of: Callable[..., str]) -> None:
    made = page_of('{{ value("runs.label") }}', {"label": "{{ 7*7 }}"})
    assert "49" not in made
    assert "{{" not in made
