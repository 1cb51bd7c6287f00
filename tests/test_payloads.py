"""A stranger's file may say anything in every text it has: nothing of it runs, is fetched, or breaks a page.

One value holds all payloads, and every text that a file can hold has it; the site over that, without its policy, is
looked at in a browser. Taking away any one escape is found. `scripts/bench payloads` tries each payload alone.
"""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import markdown
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from markupsafe import Markup
from mkdocs.config import load_config

from collector.judgments import GRADE, VOTE
from collector.schema import CLONE, COLUMNS, Results
from collector.store import slug
from site_src import (
    blocks,
    build,
    compare,
    data_table,
    decide_html,
    decide_svg,
    differences,
    downloads,
    drawing,
    figures,
    here,
    publishing,
    report,
    review,
    set_aside,
    side_by_side,
    visible,
    words,
)
from site_src.reuse import drawings
from site_src.tables import TABLES
from site_src.warehouse import Warehouse
from tests import payload_browser, strange
from tests.browsing import serving
from tests.payloads import FAMILIES, PAYLOADS, STRETCHED, TOGETHER
from tests.planting import lift, plant, texts_of, texts_of_table
from tests.programs import ENGLISH_SITE, finish, program
from tests.test_blocks import ENGLISH
from tests.test_blocks import blocks as blocks_of

UNCUT = 7000  # characters of a text on a page: elsewhere a longer one is cut, and most payloads with it
ONE_LANGUAGE = f"""
from site_src import figures
from tests.planting import lift
lift()
figures.LONGEST = {UNCUT}
{ENGLISH_SITE}"""
ToHtml = Callable[[str], str]


@pytest.fixture(scope="module", autouse=True)
def uncut() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "LONGEST", UNCUT)
        lift(patch.setattr)
        yield


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """All payloads in every text; and what no layout was made for."""
    planted = Results(tmp_path_factory.mktemp("payloads") / "results")
    plant(planted, {"together": TOGETHER, "stretched": STRETCHED})
    return planted


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """All payloads in every text."""
    planted = Results(tmp_path_factory.mktemp("together") / "results")
    plant(planted, {"together": TOGETHER})
    return Warehouse(planted)


@pytest.fixture(scope="module")
def to_html() -> ToHtml:
    """Markdown to HTML as MkDocs and the hook make it."""
    config = load_config(str(CLONE / "mkdocs.yml"))

    def convert(text: str) -> str:
        page: Any = SimpleNamespace(url="page")
        maker = markdown.Markdown(extensions=config.markdown_extensions, extension_configs=config.mdx_configs)
        _, _, body = text.partition("\n---\n") if text.startswith("---\n") else ("", "", text)
        return set_aside.on_post_page(maker.convert(set_aside.on_page_markdown(body, page)), page)

    return convert


# ---------------------------------------------------------------- the corpus, and where it is planted


def test_there_are_at_least_a_hundred_payloads_and_no_two_are_alike(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(set(PAYLOADS.values())) == len(PAYLOADS) >= 100
    assert all(len(texts) >= 3 for texts in FAMILIES.values())
    assert all(text in TOGETHER for name, text in PAYLOADS.items() if not name.startswith("layout"))
    with capsys.disabled():
        print(f"\n{len(PAYLOADS)} payloads of {len(FAMILIES)} families, in one value each field", flush=True)


def test_every_text_of_every_file_holds_all_payloads(results: Results) -> None:
    """Which texts there are is read from the schemas here as well: a new column that is not planted is named."""
    for folder, columns in ((results.runs, COLUMNS), (results.grades, GRADE), (results.votes, VOTE)):
        rows = [row for path in folder.iterdir() for row in pq.read_table(path).to_pylist()]
        for name, parts in texts_of(columns).items():
            values = [row[name] if parts or isinstance(row[name], str) else " ".join(row[name] or ()) for row in rows]
            inner = {part: [one[part] for value in values for one in value or () if one] for part in parts}
            for what, held in (inner or {name: values}).items():
                assert any(TOGETHER in (text or "") for text in held), f"{folder.name}: {name} {what}"
                assert any(STRETCHED in (text or "") for text in held), f"{folder.name}: {name} {what}"
    for name in TABLES:
        with (results.root / name).open(encoding="utf-8", newline="") as file:
            planted = list(csv.DictReader(file))[-2:]
        for column in texts_of_table(name):
            assert [row[column] for row in planted] == [TOGETHER, STRETCHED], f"{name}: {column}"


def test_no_file_is_left_out_for_what_it_says(warehouse: Warehouse) -> None:
    assert warehouse.rows("from damaged_files") == []
    assert len(warehouse.rows("from runs")) >= 4


# ---------------------------------------------------------------- without a browser


def test_pages_reports_and_downloads_hold_nothing_strange(site: Path, to_html: ToHtml) -> None:
    looked_at = {}
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        name, kind = path.relative_to(site).as_posix(), path.suffix
        found: list[str] = []
        if kind == ".html":
            _, _, article = path.read_text(encoding="utf-8").partition("<article")
            found = strange.in_page(f"<article{article.partition('</article>')[0]}")
        elif name.startswith("data/reports/"):
            text = path.read_text(encoding="utf-8")
            found = strange.in_terminal(text) + (strange.in_page(to_html(text)) if kind == ".md" else [])
        elif kind == ".csv":
            found = strange.in_csv(path.read_bytes())
        elif kind == ".parquet":
            assert pq.read_table(path).column_names
        elif name == "feed.xml":
            found = strange.in_feed(
                path.read_text(encoding="utf-8"),
                pq.read_table(site / "data/feed.parquet").num_rows + len(publishing.notices()),
            )
        else:
            continue
        assert found == [], name
        looked_at[kind] = looked_at.get(kind, 0) + 1
    assert looked_at[".html"] >= 20
    assert looked_at[".csv"] == looked_at[".parquet"] >= 50
    assert looked_at[".md"] + 1 == looked_at[".json"] + looked_at[".xml"] >= 5


@pytest.mark.parametrize("name", PAYLOADS)
def test_each_payload_alone_is_text_wherever_it_stands(name: str, to_html: ToHtml) -> None:
    """What a value begins or ends with matters, too."""
    text = PAYLOADS[name]
    for kind, make in PLACES.items():
        assert strange.in_page(to_html(make(text))) == [], kind
    assert strange.in_page(_preview(text)) == []
    assert strange.in_csv(downloads.csv(pa.table({"text": [text, "x"], "number": [-1.5, 2.0]}))) == []
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,39}", slug(text))
    assert not re.search(r"^[.]|/", slug(text))


# ---------------------------------------------------------------- one escape less


def _as_it_is(text: Any, *_: Any, **__: Any) -> Any:
    return text


ROW = {"label": "", "reason": "", "machine": "", "prompt_id": "", "prompt_sha256": "", "prompt_category": ""}
OUTPUT = ("model", "outcome", "taken_from", "output_text", "reasoning_text")


def _row(text: str, *more: str) -> dict[str, Any]:
    return dict.fromkeys((*ROW, *more), text)


def _table(text: str) -> str:
    made = blocks_of(_row(text), comment=text).table("runs", "label reason")
    return f"{made}"


def _sentence(text: str) -> str:
    return f"# T\n\n**{blocks_of({'label': text}).value('runs.label')}** and more\n"


def _outputs(text: str) -> str:
    """Two outputs of a prompt, of which the second is compared with the first."""
    rows = [{**_row(text, *OUTPUT), "is_truncated": True, "output_text": f"{text} {end}"} for end in ("one", "two")]
    return str(here.html(side_by_side.html(rows, ENGLISH)))


def _chart(text: str) -> str:
    row = {"seconds": 0.5, "characters": 3, "kind": text, "chunk_number": 1, "machine": "a"}
    return str(blocks_of(row).chart("token_arrival"))


def _compared(text: str) -> str:
    side = {"configuration_id": text, "label": text, **{name: None for name, *_ in compare.FIGURES}}
    pair: dict[str, Any] = {f"{end}_{name}": value for end in "ab" for name, value in side.items()}
    pair |= {"machine": text, "prompt_count": 1, "request_count": 1}
    pair |= {name: None for _, _, ratio, verdict in compare.FIGURES for name in (ratio, verdict) if name}
    pair |= {name: text for name, _ in compare.REASONS}
    pair |= {"runs_a_side": 1}
    return str(here.html(compare.html([pair], ENGLISH, lambda name: None)))


def _report(text: str) -> str:
    run = {"run_id": text, "run_state": text, "file": text, "reason": text}
    bench = dict.fromkeys(("bench_test", "bench_settings"), text) | dict.fromkeys(
        ("bench_depth", "repetition_count", "mean_tps", "sd_tps", "min_tps", "max_tps"), 1
    )
    told = {"title": text, "run": run, "llama_bench": [bench], "settings": {"chip": text}}
    output = {"prompt_id": text, "finish_reason": text, "error_kind": text, "output_text": text}
    told |= {"preflight": [{"name": text, "verdict": text, "detail": text}], "failures": [], "checks": []}
    return report.markdown({**told, "outputs": [{**output, "completion_tokens": 1, "reasoning_characters": 1}]})


def _reviewed(text: str) -> str:
    fault = review.Fault("It is wrong.", "Mend it.", text)
    one = review.Reviewed(Path(f"{slug(text)}.parquet"), faults=[fault], notes=[text])
    return review.markdown([one], [])


def _preview(text: str) -> str:
    value = blocks_of({"label": text}).value("runs.label")
    said = publishing.described(f'<div class="answer" markdown>\n{value} is\n</div>\n')
    front = re.match(r"---\n(.*?\n)---\n", said, re.DOTALL)
    description = yaml.safe_load(front[1])["description"] if front else ""
    return f'<meta name="description" content="{description}">'  # as Material does it


def _each(make: Callable[[str], str]) -> Callable[[str], str]:
    """Of each payload alone, whatever text is asked for."""
    return lambda _: "\n\n".join(make(text) for text in PAYLOADS.values())


PLACES: dict[str, Callable[[str], str]] = {
    "table": _table,
    "sentence": _sentence,
    "outputs": _outputs,
    "compare": _compared,
    "report": _report,
    "review": _reviewed,
}


def _decide(warehouse: Warehouse) -> str:
    return build.page(warehouse, "decide.md", set())


class _Nothing:
    """A pattern that finds nothing."""

    def sub(self, _: str, text: str) -> str:
        return text


Page = Callable[[str], str]
TAKEN: dict[str, tuple[Any, str, Any, Page]] = {
    "words.escape, of a cell": (words, "escape", _as_it_is, _table),
    "data_table.escape, of a heading's comment and a machine": (data_table, "escape", _as_it_is, _table),
    "here.words_of, of a value in a sentence": (here, "words_of", Markup, _sentence),
    "side_by_side.escape, of a name": (side_by_side, "escape", _as_it_is, _outputs),
    "differences.escape, of an output": (differences, "escape", _as_it_is, _outputs),
    "blocks.escape, of a chart's data and description": (blocks, "escape", _as_it_is, _chart),
    "drawing.NOT_IN_XML, of what no drawing can hold": (drawing, "NOT_IN_XML", _Nothing(), _each(_chart)),
    "compare._quoted, of the pairs": (compare, "_quoted", _as_it_is, _compared),
    "report._text, of a name": (report, "_text", _as_it_is, _report),
    "report._fenced, of an output": (report, "_fenced", lambda text: f"```text\n{text}\n```", _each(_report)),
    "review.code, of a note": (review, "code", _as_it_is, _each(_reviewed)),
}


@pytest.mark.parametrize("name", TAKEN)
def test_an_escape_that_is_taken_away_is_missed(name: str, monkeypatch: pytest.MonkeyPatch, to_html: ToHtml) -> None:
    module, place, instead, make = TAKEN[name]
    monkeypatch.setattr(drawings, "draw", lambda specification: "")  # one character in it would end the process
    assert strange.in_page(to_html(make(TOGETHER))) == []
    monkeypatch.setattr(module, place, instead)
    assert is_missed(to_html, make(TOGETHER))


def is_missed(to_html: ToHtml, text: str) -> bool:
    """Something strange is in the page, or it names a block that it has not."""
    try:
        return bool(strange.in_page(to_html(text)))
    except IndexError:
        return True


def test_each_payload_can_be_drawn() -> None:
    """One character that XML has not would end the process, and with it the build."""
    rows = [
        {"seconds": n, "characters": n, "kind": text, "chunk_number": n} for n, text in enumerate(PAYLOADS.values())
    ]
    assert strange.in_page(str(blocks_of(*rows).chart("token_arrival"))) == []


@pytest.mark.parametrize("name", ["constructor", "__proto__", "toString"])
def test_a_runtime_called_as_what_every_object_has_can_be_drawn(name: str) -> None:
    row = {"ladder_name": "a", "runtime": name, "label": "a", "context_advertised": 9, "context_effective": 8}
    row |= {"context_accepted": 7, "context_usable": 6, "context_usable_below": 7, "request_count": 1}
    assert "<svg" in str(blocks_of(row).chart("context_use"))


@pytest.mark.parametrize("before", ["", "x"])
def test_a_long_name_of_characters_in_two_halves_can_be_drawn(before: str) -> None:
    assert "<svg" in _chart(f"{before}{'𒐫' * 90}")


@pytest.mark.parametrize(
    ("module", "place"),
    [(decide_html, "escape"), (decide_svg, "escape"), (decide_html, "plain")],
)
def test_so_is_one_of_the_decision_tree(
    module: Any, place: str, monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse, to_html: ToHtml
) -> None:
    monkeypatch.setattr(module, place, _as_it_is)
    assert is_missed(to_html, _decide(warehouse))


def test_so_is_the_line_that_a_block_stays_on(monkeypatch: pytest.MonkeyPatch, to_html: ToHtml) -> None:
    """What is set aside as finished ends with its line; the rest of it would be Markdown."""
    monkeypatch.setattr(side_by_side, "_text", lambda *_: "long enough to be set aside " * 20)
    html = side_by_side.html([{**_row(TOGETHER, *OUTPUT), "is_truncated": False}], ENGLISH)
    assert strange.in_page(to_html(str(here.html(html)))) == []
    assert strange.in_page(to_html(f"\n\n{html}\n\n")) != []


def test_so_are_those_of_downloads_previews_and_feeds(monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse) -> None:
    table = pa.table({"text": list(PAYLOADS.values())})
    monkeypatch.setattr(downloads, "FORMULA", r"([^\s\S])")
    assert len(strange.in_csv(downloads.csv(table))) >= 10
    monkeypatch.setattr(publishing, "QUOTES", {})
    assert strange.in_page(_each(_preview)("")) != []
    count = len(warehouse.rows("from feed")) + len(publishing.notices())
    monkeypatch.setattr(publishing, "_clean", _as_it_is)
    with pytest.raises(Exception, match="not well-formed"):
        strange.in_feed(publishing.feed(warehouse, ENGLISH, "http://127.0.0.1/"), count)


def test_so_are_those_against_steering_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for make in (_report, _each(_reviewed)):
        assert strange.in_terminal(make(TOGETHER)) == []
    assert strange.in_terminal(visible.json_of({"text": TOGETHER})) == []
    monkeypatch.setattr(visible, "CONTROLS", {})
    monkeypatch.setattr(review, "visible", _as_it_is)
    for made in (_report(TOGETHER), _each(_reviewed)(TOGETHER), visible.json_of({"text": TOGETHER})):
        assert strange.in_terminal(made) != []


# ---------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def site(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The English site; every language is made of the same blocks."""
    folder = tmp_path_factory.mktemp("payloads") / "site"
    command = program("python", "-c", ONE_LANGUAGE, "build", "--strict", "--site-dir", str(folder))
    done = finish(command, cwd=CLONE, timeout=600, LLM_RESULTS=str(results.root))
    assert done.returncode == 0, done.stderr
    return folder


def test_no_payload_runs_fetches_or_breaks_the_layout_of_any_page(
    site: Path, browser: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the policy, so that only escaping stands against them. Of pages made for rows two are looked at."""
    names = sorted(page.parent.relative_to(site).as_posix() for page in site.rglob("index.html"))
    rows = [name for name in names if name.startswith("configuration/")]
    with serving(site, payload_browser.Unprotected) as address:
        urls = [f"{address}{'' if name == '.' else f'{name}/'}" for name in names if name not in rows[1:-1]]
        seen = payload_browser.look(browser, urls, site, address)
    assert seen.ran == []
    assert seen.wrong == []
    assert seen.charts >= 20
    with capsys.disabled():
        print(
            f"\n{seen.pages} of {len(names)} pages, {seen.charts} charts, wide and narrow, without policy", flush=True
        )


def test_a_long_text_is_cut_and_in_charts_two_that_begin_alike_stay_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing a word of ten thousand characters takes minutes, and a page of such words is nobody's."""
    monkeypatch.undo()
    assert figures.plain("label", "W" * 10_000) == "W" * figures.LONGEST + "…"
    rows = [
        {"seconds": n, "characters": n, "kind": "W" * 10_000 + end, "chunk_number": n} for n, end in enumerate("ab")
    ]
    html = str(blocks_of(*rows).chart("token_arrival"))
    kinds = set(re.findall(r"W{100}… \([0-9a-f]{6}\)", html))
    assert len(kinds) == 2
    assert "W" * 101 not in html.partition("<details>")[0]
