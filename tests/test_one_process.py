"""Warehouses of one process share an instance of DuckDB and what was read; none sees anything of another's."""

import gc
import os
import shutil
from pathlib import Path

import pytest

from collector import store, suite
from collector.judgments import gradable
from collector.schema import CLONE, Results
from site_src import intake, layers, run_file
from site_src.remembered import Remembered
from site_src.run_file import Untrusted, read_run
from site_src.warehouse import Warehouse
from tests.conftest import RUN, STARTED, request


def stored(results: Results, run_id: str, **facts: object) -> Path:
    """A run of one request."""
    columns = {**RUN, "run_id": run_id, "run_started_at": STARTED, **facts}
    return store.write(results, columns, [{**request(elapsed_ns=10**10 + int(run_id, 16)), "op_index": 0}])


def databases() -> set[str]:
    return {name for (name,) in intake.connect().execute("select database_name from duckdb_databases()").fetchall()}


def test_two_at_once_have_their_own_runs_and_tables(tmp_path: Path) -> None:
    one, other = Results(tmp_path / "one"), Results(tmp_path / "other")
    stored(one, "a" * 12)
    stored(other, "b" * 12)
    (other.root / "models.csv").write_text((CLONE / "results" / "models.csv").read_text().replace("MiniMax", "Renamed"))
    first, second = Warehouse(one), Warehouse(other, here={"chip": "Apple M9"})
    second.ask("a", "b")
    stored(one, "c" * 12)
    first.refresh()
    assert [row["run_id"] for row in first.rows("select run_id from runs order by run_id")] == ["a" * 12, "c" * 12]
    assert second.rows("select run_id, model from runs") == [{"run_id": "b" * 12, "model": "Renamed-M2.1"}]
    assert first.rows("select distinct model from runs") == [{"model": "MiniMax-M2.1"}]
    counts = "select (select count(*) from raw_here) as here, (select count(*) from raw_asked) as asked"
    assert (first.rows(counts), second.rows(counts)) == ([{"here": 0, "asked": 0}], [{"here": 1, "asked": 1}])


def test_what_is_said_of_columns_is_ones_own(tmp_path: Path) -> None:
    one, other = Warehouse(Results(tmp_path)), Warehouse(Results(tmp_path))
    other._con.execute("comment on column stg_streams.file is 'Something else.'")
    assert one.comments("stg_streams")["file"] == "The run file."
    assert one.grain("runs") == Warehouse(Results(tmp_path)).grain("runs")
    assert None not in one.comments("runs").values()


def test_a_database_goes_with_its_warehouse_and_leaves_its_answers(tmp_path: Path) -> None:
    stored(Results(tmp_path), "a" * 12)
    gc.collect()
    before = databases()
    warehouse = Warehouse(Results(tmp_path))
    answer = warehouse.table("select run_id from runs")
    assert len(databases() - before) == 2  # and that of the question
    del warehouse
    gc.collect()
    assert len(databases() - before) == 1
    assert answer.to_pylist() == [{"run_id": "a" * 12}]


def test_a_file_of_the_same_name_time_and_size_is_read_by_its_bytes(tmp_path: Path) -> None:
    path = stored(Results(tmp_path), "a" * 12, chip="Apple M1")
    status = path.stat()
    assert read_run(path)["chip"][0].as_py() == "Apple M1"
    path.unlink()
    assert stored(Results(tmp_path), "a" * 12, chip="Apple M2").stat().st_size == status.st_size
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert read_run(path)["chip"][0].as_py() == "Apple M2"


def test_a_file_that_is_refused_is_refused_again_in_the_same_words(tmp_path: Path) -> None:
    path = stored(Results(tmp_path), "a" * 12, run_seconds=-1.0)
    reasons = []
    for _ in range(2):
        with pytest.raises(Untrusted, match="run_seconds: -1") as refused:
            read_run(path)
        reasons.append((str(refused.value), refused.value.origin))
    assert reasons[0] == reasons[1]


def test_some_columns_of_a_remembered_file_are_those_of_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stored(Results(tmp_path), "a" * 12)
    for columns in (("output_text", "op_index"), ("nothing",), ("chip",)):
        monkeypatch.setattr(run_file, "_tables", Remembered(run_file.REMEMBERED_BYTES))
        new = read_run(path, columns)
        monkeypatch.setattr(run_file, "_tables", Remembered(run_file.REMEMBERED_BYTES))
        read_run(path)
        known = read_run(path, columns)
        assert known.equals(new, check_metadata=True)


def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    kept: Remembered[str] = Remembered(24)
    for name in "abcdefgh":
        kept.put(name, name, 3)
    kept.put("large", "too large", 4)
    assert (kept.get("a"), kept.get("large")) == ("a", None)
    kept.put("i", "i", 3)
    kept.put("i", "again", 3)
    assert [kept.get(name) for name in "abci"] == ["a", None, "c", "again"]


def test_an_edited_view_makes_what_is_kept_of_a_file_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = Results(tmp_path / "results")
    stored(results, "a" * 12)
    shutil.copytree(layers.VIEWS, tmp_path / "views")
    monkeypatch.setattr(layers, "VIEWS", tmp_path / "views")
    asked = "select answer_chars, sd_low(1) as low from stg_texts"
    [before] = Warehouse(results).rows(asked)
    for file, old, new in (
        ("1_staging/stg_texts.sql", "length(output_text)", "1 + length(output_text)"),
        ("0_macros.sql", "sqrt(df / chi975)", "2 * sqrt(df / chi975)"),
    ):
        path = tmp_path / "views" / file
        path.write_text(path.read_text().replace(old, new))
    assert Warehouse(results).rows(asked) == [{"answer_chars": before["answer_chars"] + 1, "low": 2 * before["low"]}]


def test_an_edited_view_or_suite_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    views, suites = tmp_path / "views", tmp_path / "suites"
    for folder in (views, suites):
        folder.mkdir()
    monkeypatch.setattr(layers, "VIEWS", views)
    monkeypatch.setattr(suite, "FOLDER", suites)
    for number in (1, 2):
        (views / "one.sql").write_text(f"create or replace view one as select {number * 'a'};")
        prompt = f'[[prompt]]\nid = "a"\ncategory = "b"\ntext = "{number * "c"}"\nmax_tokens = 1\n'
        check = '[[prompt.check]]\ngrader = "answer_facts"\n'
        (suites / "s.toml").write_text(f'name = "s"\ntitle = "t"\n{prompt}{check * (number - 1)}')
        assert layers.in_layers()["one"].sql.endswith(f"select {number * 'a'};")
        assert [one.text for one in suite.known().values()] == [number * "c"]
        assert len(gradable()[1]) == number - 1
