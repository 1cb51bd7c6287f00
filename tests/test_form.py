"""A file of which nothing can be told from its rows is not read, but named: it changes no figure of the others."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collector import store
from collector.commands import _faults
from collector.judgments import GRADE, GRADES_FORMAT
from collector.schema import CLONE, Results
from site_src import form
from site_src.run_file import read_run
from site_src.warehouse import Warehouse
from site_src.words import read
from tests.conftest import RUN, STARTED, request
from tests.test_review import changed, stored

FIGURES = "select run_count, request_count, decode_count, decode_tps from run_summary"
FIRST = [request("short", repeat, tps=50 + repeat) for repeat in (1, 2)]
SECOND = [request("short", repeat, tps=70 + repeat) for repeat in (1, 2)]
PREFLIGHT = [{"name": "context", "verdict": "pass", "detail": "8,192 tokens"}]


def again(path: Path, number: int) -> Path:
    """Its second row a second time, by this number."""
    table = pq.read_table(path)
    row = table.slice(1, 1)
    place = table.schema.get_field_index("op_index")
    row = row.set_column(place, table.schema.field(place), pa.array([number], pa.int32()))
    pq.write_table(pa.concat_tables([table, row]), path, write_page_checksum=True)
    return path


def both(**values: Any) -> Callable[[Path], Path]:
    return lambda path: changed(path, **{name: [value, value] for name, value in values.items()})


# What breaks each rule, and what is said of it.
BROKEN: dict[str, list[tuple[Callable[[Path], object], str]]] = {
    "range": [
        (both(elapsed_ns=-1), "elapsed_ns: -1 (row 0)"),
        (lambda path: changed(path, completion_tokens=[101, -5]), "completion_tokens: -5 (row 1)"),
        (both(run_started_at=datetime(2001, 1, 1)), "run_started_at: 978307200000000 (row 0)"),
    ],
    "too_long": [
        (both(model_key="m" * 1001), "model_key: 1,001 characters, at most 1,000 (row 0)"),
        (both(output_text="x" * 2_000_001), "output_text: 2,000,001 bytes, at most 2,000,000 (row 0)"),
        (both(preflight=[{"name": "x", "verdict": "pass", "detail": "x" * 10_001}]), "preflight.detail: 10,001 char"),
    ],
    "too_many": [
        (both(loaded_instances=[str(number) for number in range(501)]), "loaded_instances: 501 names, at most 500"),
        (
            both(chunks=[{"gap_us": 1, "kind": "answer", "chars": 1}] * 150_001),
            "chunks: 150,001 entries, at most 150,000 (row 0)",
        ),
    ],
    "asked_twice": [
        (both(nonce="123456", repeat=1), "nonce: 123456 (row 1)"),
        (both(op="quality", nonce="123456"), "nonce: 123456 (row 1)"),
        (lambda path: changed(both(op="quality", nonce="123456")(path), repeat=[1, 2]), "nonce: 123456 (row 1)"),
    ],
    "nameless": [
        (both(run_id=None), "run_id: none"),
        (both(run_id=""), "run_id: none"),
        (both(run_started_at=None), "run_started_at: none"),
    ],
    "numbering": [
        (lambda path: again(path, 1), "op_index: 1 (row 2)"),
        (both(op_index=7), "op_index: 7 (row 1)"),
        (lambda path: changed(path, op_index=[0, None]), "op_index: none (row 1)"),
    ],
    "disagreeing_rows": [
        (lambda path: changed(path, run_id=["a" * 12, "b" * 12]), "run_id: bbbbbbbbbbbb (row 1)"),
        (lambda path: changed(path, quantization=["Q4_K_M", None]), "quantization (row 1)"),
        (lambda path: changed(path, preflight=[None, PREFLIGHT]), "preflight: [{'name': 'context'"),
    ],
    "out_of_order": [
        (both(last_text_ns=100_000_000), "last_text_ns: 100000000, before first_text_ns 200000000 (row 0)"),
        (both(elapsed_ns=5), "elapsed_ns: 5, before done_ns"),
        (lambda path: changed(path, headers_ns=[0, 300_000_000]), "before headers_ns 300000000 (row 1)"),
    ],
}


def test_every_rule_of_form_is_broken() -> None:
    assert BROKEN.keys() == form.OF_RUNS.keys()


@pytest.fixture(scope="module")
def of_one(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The figures of one file, which are others with a second that is whole."""
    results = Results(tmp_path_factory.mktemp("two"))
    stored(results, *FIRST)
    [before] = Warehouse(results).rows(FIGURES)
    stored(results, *SECOND, run_id="e" * 12)
    assert Warehouse(results).rows(FIGURES) != [before]
    return before


@pytest.mark.parametrize(("rule", "number"), [(rule, number) for rule in BROKEN for number in range(len(BROKEN[rule]))])
def test_a_file_that_cannot_be_is_not_read_but_named(
    rule: str, number: int, results: Results, of_one: dict[str, Any]
) -> None:
    stored(results, *FIRST)
    path = stored(results, *SECOND, run_id="e" * 12)
    spoil, found = BROKEN[rule][number]
    spoil(path)
    warehouse = Warehouse(results)
    assert warehouse.rows(FIGURES) == [of_one]
    [damaged] = warehouse.rows("from damaged_files")
    happened = form.OF_RUNS[rule].happened
    assert damaged["reason"].startswith(f"{happened[0].lower()}{happened[1:]} ")
    assert found in damaged["reason"]
    assert all(is_said for _, is_said in read("zh").phrases.said(damaged["reason"]))
    # And whoever is asked whether it may be added says the same.
    assert happened in [fault.happened for fault in _faults.of_file(path, "runs").faults]


def test_what_is_for_a_person_to_judge_is_read(results: Results) -> None:
    """More tokens than were allowed: a server may do so."""
    both(max_tokens=100)(stored(results, request("short", 1), request("short", 2)))
    warehouse = Warehouse(results)
    assert warehouse.rows("from damaged_files") == []
    assert warehouse.rows("select count(*) as n from runs") == [{"n": 1}]


def test_grades_of_another_age_are_not_read(results: Results) -> None:
    grade = {"run_id": "a" * 12, "op_index": 0, "check_id": "x", "graded_at": datetime(1999, 1, 1)}
    table = store.rows_as_table([grade], GRADE, GRADES_FORMAT)
    store.keep(results, table, results.grades / "old.parquet", "grades", "Grades", "")
    warehouse = Warehouse(results)
    assert warehouse.rows("select count(*) as n from raw_grades") == [{"n": 0}]
    [damaged] = warehouse.rows("from damaged_files")
    assert damaged["reason"].startswith("it holds a number that cannot be: graded_at: ")


@pytest.mark.parametrize(
    "path", sorted((CLONE / "results" / "runs").glob("*.parquet")), ids=lambda path: path.stem[-12:]
)
def test_every_run_that_was_ever_published_is_read(path: Path) -> None:
    assert len(read_run(path)) > 0


def test_a_run_of_the_first_version_is_read() -> None:
    assert len(read_run(CLONE / "tests" / "old_runs" / "schema-1.parquet")) > 0


def test_a_run_without_a_request_is_read(results: Results) -> None:
    """All that is unknown is NULL: no rule may take that for a fault."""
    store.write(results, {**RUN, "run_id": "a" * 12, "run_started_at": STARTED}, [{"op": "idle", "op_index": 0}])
    assert Warehouse(results).rows("from damaged_files") == []
