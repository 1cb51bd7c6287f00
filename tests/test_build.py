"""The whole site, built as its owner builds it: with none, one and many runs."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from collector import store
from collector.backends import Facts
from collector.schema import CLONE, Results
from site_src import build, downloads
from site_src.warehouse import Warehouse
from tests import built_worlds
from tests.built_worlds import BuiltWorld
from tests.conftest import RUN, STARTED, request
from tests.programs import ENGLISH_SITE
from tests.test_blocks import EVERYTHING, HOSTILE, Page, squeezed


@dataclass
class Site:
    """A built site, and what its builder said."""

    folder: Path
    results: Results
    done: "subprocess.CompletedProcess[str]"

    def page(self, name: str = "index.html") -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def pages(self) -> list[Path]:
        return sorted(self.folder.rglob("*.html"))


def run(results: Results, *command: str, cwd: Path = CLONE, **more: str) -> "subprocess.CompletedProcess[str]":
    """A command of the project's Python over this results folder."""
    environment = os.environ | {"LLM_RESULTS": str(results.root), "NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"} | more
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def built(results: Results, folder: Path) -> Site:
    """The English site; every language is made of the same blocks."""
    return Site(folder, results, run(results, "-c", ENGLISH_SITE, "build", "--strict", "--site-dir", str(folder)))


def stored(results: Results, number: int, rows: list[Facts], **facts: Any) -> None:
    columns = {**RUN, "run_id": f"{number:012x}", "run_started_at": STARTED + timedelta(minutes=number), **facts}
    store.write(results, columns, [{**row, "op_index": index} for index, row in enumerate(rows)])


def speeds(*values: float) -> list[Facts]:
    """Two prompts at these speeds, with memory."""
    sample = {"at_ns": 10**10, "system_used_bytes": 150 * 10**9, "engine_pss_bytes": 140 * 10**9}
    return [
        request(prompt, repeat, tps=tps, memory=[sample])
        for prompt in ("short", "long")
        for repeat, tps in enumerate(values, start=1)
    ]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Results]:
    """A results folder with so many runs, hostile and failed ones among many."""

    def fill(count: int) -> Results:
        results = Results(tmp_path_factory.mktemp("site") / "results")
        for number in range(count):
            stored(results, number, speeds(40 + number, 41 + number, 43 + number), os_name="Ubuntu")
        if count > 2:
            for number in (1, 2):
                next(results.runs.glob(f"*{number:012x}.parquet")).unlink()
            failed = {
                "op": "load",
                "started_ns": 1,
                "elapsed_ns": 1,
                "error_kind": "engine",
                "error_detail": EVERYTHING,
            }
            stored(results, 1, [failed], model_key="never-loaded")
            stored(results, 99, speeds(30, 31), model_key=EVERYTHING, quantization=EVERYTHING, suite=EVERYTHING)
        return results

    return fill


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> BuiltWorld:
    return built_worlds.built("nothing", tmp_path_factory)


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> BuiltWorld:
    return built_worlds.built("one run", tmp_path_factory)


@pytest.fixture(scope="module")
def many(make: Callable[[int], Results]) -> Site:
    results = make(12)
    return built(results, results.root.parent / "site")


# ---------------------------------------------------------------- it builds


def test_a_site_without_runs_says_what_to_do_and_leaves_no_folder_behind(empty: BuiltWorld) -> None:
    front = (empty.site / "index.html").read_text(encoding="utf-8")
    assert "Nothing is measured yet" in front
    assert "collect --embedded --suite smoke" in front
    assert not empty.results.runs.exists()


def test_a_site_of_many_runs_passes_strictly_and_shows_all(many: Site) -> None:
    assert many.done.returncode == 0, many.done.stderr
    shown = Page(many.page("results/index.html")).text
    assert "never-loaded" in shown
    run_count = len(list(many.results.runs.iterdir()))
    assert run_count == 12
    assert f"{run_count} runs" in squeezed(shown)


def test_charts_are_drawn_in_the_page_before_any_script_runs(single: BuiltWorld, many: Site) -> None:
    for paths in (single.pages, many.pages()):
        pages = [Page(path.read_text(encoding="utf-8")) for path in paths]
        figures = [tag for page in pages for tag, attributes in page.elements if attributes.get("class") == "chart"]
        drawings = [tag for page in pages for tag, attributes in page.elements if attributes.get("class") == "marks"]
        assert len(figures) == len(drawings) >= 3


# ---------------------------------------------------------------- nothing hostile, nothing from outside


def test_hostile_words_are_text_on_every_page_and_in_the_search(single: BuiltWorld, many: Site) -> None:
    for path in many.pages():
        page = Page(path.read_text(encoding="utf-8"))
        same = single.site / path.relative_to(many.folder)
        if same.parent.parent.name == "configuration":  # each has a name of its own
            same = next(same.parent.parent.glob("*/index.html"))
        benign = Page(same.read_text(encoding="utf-8"))
        scripts = [attributes for tag, attributes in page.elements if tag == "script"]
        assert scripts == [attributes for tag, attributes in benign.elements if tag == "script"], path.name
        for tag, attributes in page.elements:
            assert not [name for name in attributes if name.startswith("on")], f"<{tag} {attributes}>"
            assert "javascript:" not in (attributes.get("href") or ""), f"<{tag} {attributes}>"
            leads = [link for link in (attributes.get("href"), attributes.get("src")) if link and link[0] != "#"]
            assert not [link for link in leads if "evil" in link], f"<{tag} {attributes}>"
    shown = squeezed(Page(many.page("results/index.html")).text)
    assert [words for words in HOSTILE if squeezed(words) not in shown] == []
    found = json.loads((many.folder / "search" / "search_index.json").read_text(encoding="utf-8"))
    allowed = re.compile(
        r"</?(p|ul|ol|li|code|pre|strong|em|table|thead|tbody|tr|t[hd]|figure|figcaption|h\d|br)\b[^<>]*>"
    )
    for entry in found["docs"]:
        rest = allowed.sub("", entry["text"] + entry["title"])
        assert "<" not in rest, rest[max(0, rest.index("<") - 80) :][:160]


FETCHED = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "object": "data",
    "use": "href",
}


def resources(site: Site) -> list[tuple[Path, str]]:
    """What pages and our style sheets make a browser fetch, with the file that does."""
    found = []
    for path in site.pages():
        for tag, attributes in Page(path.read_text(encoding="utf-8")).elements:
            rel = attributes.get("rel") or ""
            if (
                tag in FETCHED
                and attributes.get(FETCHED[tag])
                and rel not in ("canonical", "next", "prev", "alternate")
            ):
                found.append((path, str(attributes[FETCHED[tag]])))
            found += [(path, url) for url in re.findall(r"url\(([^)]*)\)", attributes.get("style") or "")]
    for path in (site.folder / "assets").glob("*.css"):
        style = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        found += [
            (path, url.strip("'\"")) for url in re.findall(r"url\(([^)]*)\)|@import\s+([^;]*);", style) for url in url
        ]
    return [(path, url) for path, url in found if url]


def test_nothing_is_fetched_from_another_host(many: Site) -> None:
    wrong = [
        f"{path.name}: {url}"
        for path, url in resources(many)
        if (urlsplit(url).scheme not in ("", "data") or urlsplit(url).netloc) and not url.startswith("#")
    ]
    assert wrong == []
    for path in (many.folder / "assets").glob("*.js"):
        code = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://|[\"']//\w|\bfetch\(|XMLHttpRequest|import\(", code), path.name


def test_everything_a_page_fetches_or_offers_is_there(many: Site) -> None:
    links = [
        (path, str(attributes["href"]))
        for path in many.pages()
        for tag, attributes in Page(path.read_text(encoding="utf-8")).elements
        if tag == "a" and "download" in attributes
    ]
    assert len(links) >= 6
    missing = []
    for path, url in [*resources(many), *links]:
        target = urlsplit(url).path
        start = many.folder if target.startswith("/") else path.parent
        if target and not url.startswith("data:") and not (start / target.lstrip("/")).exists():
            missing.append(f"{path.relative_to(many.folder)}: {url}")
    assert missing == []


def test_every_page_forbids_other_hosts(many: Site) -> None:
    for path in many.pages():
        metas = [attributes for tag, attributes in Page(path.read_text(encoding="utf-8")).elements if tag == "meta"]
        policy = [str(meta["content"]) for meta in metas if meta.get("http-equiv") == "Content-Security-Policy"]
        assert len(policy) == 1, path.name
        assert "default-src 'self'" in policy[0]
        assert "http" not in policy[0]


# ---------------------------------------------------------------- downloads


def offered(site: Path) -> list[str]:
    views = {path.stem for path in (site / "data").glob("*.parquet")} - {"operations"}  # whole, and facts alone
    assert {path.stem for path in (site / "data").glob("*.csv")} - {"run_facts"} == views
    return sorted(views)


def test_downloads_hold_the_rows_of_the_view(many: Site) -> None:
    warehouse = Warehouse(many.results)
    assert {"runs", "run_summary", "tps_per_gb"} <= set(offered(many.folder))
    for view in offered(many.folder):
        truth = warehouse.table(f"from {view}")
        assert pq.read_table(many.folder / "data" / f"{view}.parquet").equals(truth), view
        nested = [field.name for field in truth.schema if pa.types.is_nested(field.type)]
        options = pyarrow.csv.ConvertOptions(
            column_types={field.name: field.type for field in truth.schema if field.name not in nested},
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        )
        found = pyarrow.csv.read_csv(
            many.folder / "data" / f"{view}.csv",
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=options,
        )
        assert found.column_names == truth.column_names
        for name in found.column_names:  # a ' before each text that a spreadsheet would compute: one is taken away
            if name not in nested and pa.types.is_string(found[name].type):
                texts = [text and text.removeprefix("'") for text in found[name].to_pylist()]
                found = found.set_column(found.column_names.index(name), name, pa.array(texts, pa.string()))
        assert found.drop_columns(nested).equals(truth.drop_columns(nested)), view


def test_a_csv_of_no_rows_still_has_its_columns(empty: BuiltWorld) -> None:
    warehouse = Warehouse(empty.results)
    for view in offered(empty.site):
        with (empty.site / "data" / f"{view}.csv").open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file)) == list(warehouse.comments(view))


def test_a_nested_column_becomes_text_in_a_csv() -> None:
    table = pa.table({"n": [1, 2], "list": [["a", None], None]})
    assert downloads.csv(table).decode() == '"n","list"\n1,"[\'a\', None]"\n2,\n'


# ---------------------------------------------------------------- what goes wrong


def test_a_damaged_file_is_named_and_skipped_and_ends_no_strict_build(
    make: Callable[[int], Results], tmp_path: Path
) -> None:
    """All pages are made and tell of the file: whether it may come in is what `collect validate` decides."""
    results = make(1)
    whole = next(results.runs.iterdir())
    (results.runs / "cut.parquet").write_bytes(whole.read_bytes()[:3000])
    site = built(results, tmp_path / "site")
    assert site.done.returncode == 0
    assert "results/runs/cut.parquet is skipped: it is damaged" in site.done.stderr
    shown = Page(site.page("results/index.html")).text
    assert "cut.parquet" in shown
    assert "41.0" in shown
    assert "cut.parquet" in build.page(Warehouse(results), "results.md", set())


def test_a_page_that_names_an_unknown_chart_fails_the_build_with_its_name(results: Results, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for name in ("collector", "site_src"):
        shutil.copytree(CLONE / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    (clone / "results").mkdir()
    for path in (CLONE / "results").glob("*.csv"):
        shutil.copy(path, clone / "results")
    shutil.copy(CLONE / "mkdocs.yml", clone)
    (clone / "site_src" / "pages" / "answers.md").write_text('# Answers\n\n{{ chart("no_such_chart") }}\n')
    done = run(results, "-m", "mkdocs", "build", cwd=clone, PYTHONPATH=str(clone))
    assert done.returncode != 0
    assert "page answers.md: KeyError" in done.stderr
    assert "no chart 'no_such_chart'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (clone / "site" / "index.html").exists()
