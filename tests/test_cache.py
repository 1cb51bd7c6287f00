"""The file of run files read once: it saves reading, and changes no answer."""

import fcntl
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collector import store
from collector.schema import Results
from site_src import cache, intake
from site_src.run_file import Untrusted
from site_src.warehouse import Warehouse
from tests.conftest import RUN, STARTED, request

KEPT = "warehouse.duckdb"
ATTACHED = cache.attached  # the real one, before `brisk` takes it away
VIEWS = ("raw_facts", "stg_streams", "stg_texts", "run_peaks", "raw_operations", "damaged_files", "run_summary", "runs")


def stored(results: Results, run_id: str, tps: float = 50.0) -> Path:
    """One run of three requests."""
    rows = [{**request(repeat=number, tps=tps + number), "op_index": number} for number in (1, 2, 3)]
    return store.write(results, {**RUN, "run_id": run_id * 12, "run_started_at": STARTED}, rows)


@pytest.fixture(autouse=True)
def kept(brisk: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read once is kept, here."""
    monkeypatch.setattr(cache, "attached", ATTACHED)


@pytest.fixture
def three(results: Results) -> Results:
    """Three runs, and a file that is none."""
    for number in "123":
        stored(results, number, 40 + int(number))
    (results.runs / "broken.parquet").write_bytes(b"no parquet")
    return results


def told(warehouse: Warehouse) -> list[object]:
    """What the views say that speak of every run and file."""
    return [warehouse.rows(f"from {view}") for view in VIEWS]


def never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(path: Path) -> pa.Table:
        raise AssertionError(f"{path.name} was read")

    monkeypatch.setattr("site_src.intake.read_run", read)


def test_a_file_is_read_once_for_all_warehouses(three: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    first = told(Warehouse(three))
    never_read(monkeypatch)
    assert told(Warehouse(three)) == first


def test_only_new_and_changed_files_are_read(three: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    Warehouse(three)
    changed = stored(three, "4")
    read: list[str] = []

    def refuse(path: Path) -> pa.Table:
        read.append(path.name)
        raise Untrusted("for this test")

    monkeypatch.setattr("site_src.intake.read_run", refuse)
    Warehouse(three)
    assert read == [changed.name]
    shutil.copy(next(three.runs.glob("*1111*")), changed)
    Warehouse(three)
    assert read == [changed.name] * 2


def test_a_file_that_has_gone_is_forgotten(three: Results) -> None:
    Warehouse(three)
    next(three.runs.glob("*2222*")).unlink()
    (three.runs / "broken.parquet").unlink()
    after = Warehouse(three)
    assert [row["run_id"][0] for row in after.rows("select run_id from runs order by run_id")] == ["1", "3"]
    assert after.rows("from damaged_files") == []


def test_from_scratch_and_step_by_step_give_the_same_to_the_last_digit(three: Results) -> None:
    grown = Warehouse(three)
    for number in "97586":
        stored(three, number, 50 + int(number) / 7)
        grown.refresh()
    kept = told(Warehouse(three))
    (three.journals / KEPT).unlink()
    assert told(grown) == kept == told(Warehouse(three))


def test_names_of_files_and_order_of_rows_change_nothing(three: Results, tmp_path: Path) -> None:
    other = Results(tmp_path / "other")
    other.runs.mkdir(parents=True)
    shuffle = random.Random(7)
    names = [f"{number}.parquet" for number in range(3)]
    shuffle.shuffle(names)
    for path, name in zip(sorted(three.runs.glob("*-*.parquet")), names, strict=True):
        table = pq.read_table(path)
        order = list(range(len(table)))
        shuffle.shuffle(order)
        pq.write_table(table.take(order), other.runs / name, write_page_checksum=True)

    def without_names(results: Results) -> list[object]:
        warehouse = Warehouse(results)
        columns = "* exclude (file)"
        return [
            warehouse.rows(f"select {columns} from {view}")  # noqa: S608
            for view in ("raw_operations", "runs")
        ]

    assert without_names(other) == without_names(three)


def test_of_two_files_with_one_run_the_first_name_counts_whichever_came_first(three: Results) -> None:
    grown = Warehouse(three)
    original = next(three.runs.glob("*1111*"))
    copy = three.runs / "aa-copy.parquet"
    shutil.copy(original, copy)
    grown.refresh()
    assert told(grown) == told(Warehouse(three))
    reasons = {row["file"]: row["reason"] for row in grown.rows("from damaged_files")}
    assert reasons[original.name] == f"it holds the run that {copy.name} holds already"


@pytest.mark.parametrize("content", [b"", b"no database", b"\0" * 20_000])
def test_a_broken_one_is_made_anew(three: Results, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = told(Warehouse(three))
    (three.journals / KEPT).write_bytes(content)
    assert told(Warehouse(three)) == expected
    never_read(monkeypatch)
    assert told(Warehouse(three)) == expected


@pytest.mark.parametrize("place", ["kept.raw_facts", "kept.run_peaks", "the copy"])
def test_one_that_fails_on_the_way_is_done_without(three: Results, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of keeping rows, or of copying them."""
    expected = told(Warehouse(three))
    shutil.rmtree(three.journals)
    insert, append = intake.insert, intake.append

    def failing(con: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
        insert(con, table, rows)
        if table.endswith(place):
            raise duckdb.IOException("the disk is full")

    def failing_too(con: duckdb.DuckDBPyConnection, table: str, source: str, files: Sequence[str]) -> None:
        append(con, table, source, files)
        if place == "the copy" and table == "run_peaks":
            raise duckdb.IOException("the disk is full")

    monkeypatch.setattr(intake, "insert", failing)
    monkeypatch.setattr(intake, "append", failing_too)
    assert told(Warehouse(three)) == expected


def test_another_version_makes_it_anew(three: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    Warehouse(three)
    monkeypatch.setattr(cache, "_version", lambda: "another")
    read: list[str] = []
    monkeypatch.setattr("site_src.cache.intake.take_in", lambda con, paths, place: read.extend(paths))
    Warehouse(three)
    assert len(read) == 4


def test_who_cannot_have_it_does_without(three: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = told(Warehouse(three))
    monkeypatch.setattr(cache, "PATIENCE", 1)
    with (three.journals / "warehouse.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert told(Warehouse(three)) == expected


def test_it_is_closed_before_any_query(three: Results) -> None:
    warehouse = Warehouse(three)
    assert warehouse.rows("select path from duckdb_databases() where path is not null") == []
    with (three.journals / "warehouse.lock").open("w") as free:
        fcntl.flock(free, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    Warehouse(Results(tmp_path / "none"))
    assert not (tmp_path / "none").exists()
