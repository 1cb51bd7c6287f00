"""What can be taken away: every mart twice, all runs as one table, a dictionary, an address that works."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from mkdocs.config import load_config
from mkdocs.structure.files import Files

from collector.schema import CLONE, COLUMNS, RUN, Results
from site_src import build, dictionary, downloads, hooks
from site_src.place import Place
from site_src.reuse.maker import Maker
from site_src.warehouse import VIEWS, Warehouse
from site_src.words import LANGUAGES
from tests.conftest import request
from tests.planted import Planted, everything, written
from tests.rows import sharing
from tests.test_blocks import Page

Given = Callable[..., Warehouse]
MARTS = sorted(path.stem for path in (VIEWS / "3_marts").glob("*.sql"))


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return sharing(given, monkeypatch)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A bit of all that a results folder may hold."""
    results = Results(tmp_path_factory.mktemp("all") / "results")
    written(results, *everything())
    return Warehouse(results)


@pytest.fixture(scope="module")
def offered(full: Warehouse) -> dict[str, bytes]:
    made = downloads.files(Maker(full), set())
    return {path: content if isinstance(content, bytes) else content.encode() for path, content in made}


# ---------------------------------------------------------------- files


def test_every_mart_is_offered_as_csv_and_parquet_with_the_same_rows(
    full: Warehouse, offered: dict[str, bytes]
) -> None:
    for mart in MARTS:
        table = pq.read_table(io.BytesIO(offered[f"data/{mart}.parquet"]))
        assert table.to_pylist() == full.rows(f"from {mart}"), mart
        [head, *lines] = csv.reader(io.StringIO(offered[f"data/{mart}.csv"].decode()))
        assert head == list(full.comments(mart)), mart
        assert len(lines) == len(table), mart
    assert len([path for path in offered if path.endswith(".parquet")]) == len(MARTS) + 1


def test_all_run_files_are_one_table(full: Warehouse, offered: dict[str, bytes], tmp_path: Path) -> None:
    table = pq.read_table(io.BytesIO(offered["data/operations.parquet"]))
    assert table.schema.names == ["file", *(column.name for column in COLUMNS)]
    assert table.to_pylist() == full.rows("from raw_operations")
    (tmp_path / "operations.parquet").write_bytes(offered["data/operations.parquet"])
    asked = f"from '{tmp_path}/operations.parquet' select count(distinct file), count(*)"
    assert duckdb.sql(asked).fetchall() == [
        tuple(full.rows("select count(distinct file) as a, count(*) as b from raw_operations")[0].values())
    ]


def test_facts_of_runs_are_a_row_each_without_nested_columns(full: Warehouse, offered: dict[str, bytes]) -> None:
    rows = [*csv.DictReader(io.StringIO(offered["data/run_facts.csv"].decode()))]
    runs = full.rows("from stg_runs order by run_started_at, run_id")
    assert [row["run_id"] for row in rows] == [row["run_id"] for row in runs]
    assert [*rows[0]] == ["file", *(column.name for column in RUN if not column.type.startswith("STRUCT"))]


def test_every_run_has_its_reports(full: Warehouse, offered: dict[str, bytes]) -> None:
    ids = {row["run_id"] for row in full.rows("from runs")}
    reports = {path for path in offered if path.startswith("data/reports/")}
    assert reports == {f"data/reports/{name}.{kind}" for name in ids for kind in ("md", "json")}


@pytest.mark.parametrize("run_id", ["../../evil", "a/b", "", ".hidden", "A b", "x\n"])
def test_a_run_whose_id_is_no_files_name_gets_no_report(run_id: str) -> None:
    assert downloads.report_of(run_id) is None


def test_a_hostile_run_id_writes_nothing_elsewhere(given: Given) -> None:
    warehouse = given([request()])
    warehouse._con.sql("update raw_facts set run_id = '../../../evil'")
    assert [*downloads.reports(warehouse)] == []


def test_a_report_in_markdown_is_no_page(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_config(str(CLONE / "mkdocs.yml"))
    config.plugins._current_plugin = "hooks"
    made = [build.Made("data.md", "# Data"), build.Made("data/reports/0.md", "# A run")]
    monkeypatch.setattr(build, "in_languages", lambda *_: dict.fromkeys(LANGUAGES, made))
    files = hooks.on_files(Files([]), config)
    assert [file.dest_uri for file in files] == ["data/index.html", "data/reports/0.md"]
    assert [file.src_uri for file in files.documentation_pages()] == ["data.md"]


def test_of_many_runs_the_newest_three_are_in_the_table_and_the_newest_five_have_reports(given: Given) -> None:
    offered = dict(downloads.files(Maker(given(*[[request()]] * 12)), set()))
    table = pq.read_table(io.BytesIO(offered["data/operations.parquet"]))
    assert sorted(set(table["run_id"].to_pylist())) == [f"{number:012x}" for number in (9, 10, 11)]
    reports = sorted(Path(name).stem for name in offered if name.startswith("data/reports/") and name.endswith(".md"))
    assert reports == [f"{number:012x}" for number in range(7, 12)]
    assert len(offered["data/run_facts.csv"].splitlines()) == 1 + 12


# ---------------------------------------------------------------- the page


def page(warehouse: Warehouse, address: str = "", folder: str = "") -> str:
    return build.page(warehouse, "data.md", set(), Place("data.md", folder, address=address))


def test_the_dictionary_has_every_column_of_the_schema_with_its_meaning(full: Warehouse) -> None:
    cells = {(tag, text) for tag, text in texts(page(full))}
    assert [column.name for column in COLUMNS if ("td", column.name) not in cells] == []
    assert [column.meaning for column in COLUMNS if ("td", column.meaning) not in cells] == []


def test_the_dictionary_has_every_mart_with_its_grain_and_columns(full: Warehouse) -> None:
    made = Page(page(full))
    for mart in MARTS:
        assert f"{mart} {full.grain(mart)}" in made.text, mart
        assert all(said in made.text for said in full.comments(mart).values() if said), mart
    links = {attributes.get("href") for tag, attributes in made.elements if tag == "a"}
    assert {f"../data/{mart}.{kind}" for mart in MARTS for kind in ("csv", "parquet")} <= links
    assert {"../data/operations.parquet", "../data/run_facts.csv"} <= links


def texts(html: str) -> list[tuple[str, str]]:
    """The cells of all tables, with their tags."""

    class Cells(Page):
        def __init__(self, html: str) -> None:
            self.cells: list[tuple[str, str]] = []
            super().__init__(html)

        def handle_data(self, data: str) -> None:
            super().handle_data(data)
            self.cells.append((self.open[-1] if self.open else "", data))

    return Cells(html).cells


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000/", "https://somebody.github.io/llm/"])
def test_the_line_to_copy_asks_the_published_address(full: Warehouse, address: str) -> None:
    made = page(full, address)
    assert f"duckdb -c \"from '{address}data/run_summary.parquet' select " in made
    chinese = page(full, address, "zh/")
    assert f"from '{address}data/run_summary.parquet'" in chinese
    assert 'href="../../data/operations.parquet"' in chinese


@pytest.mark.parametrize("folder", ["", "zh/"])
def test_languages_are_folders_of_one_address(folder: str) -> None:
    config = load_config(str(CLONE / "mkdocs.yml"), site_url=f"https://x.y/z/{folder}")
    config.extra["folder"] = folder
    assert hooks._address(config) == "https://x.y/z/"


def test_the_page_counts_what_there_is(full: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictionary, "marts", lambda *_: "")  # all of them take seconds
    [told] = full.rows("from data_overview")
    said = f"**{told['run_count']} runs with {told['operation_count']} operations,\n{told['request_count']} of them"
    assert said in page(full)
    few = Planted()
    few.put("data_overview", {"run_count": 1, "operation_count": 1200, "request_count": 1, "machine_count": 1})
    assert "**1 run with 1,200 operations,\n1 of them" in page(few.warehouse)
    few.put("data_overview", {"run_count": 0})
    assert "**There is no run to download yet.**" in page(few.warehouse)
