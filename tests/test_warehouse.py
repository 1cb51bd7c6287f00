"""What the warehouse takes in: every file it can trust, and of each other one its name and the reason."""

import csv
import functools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collector import store
from collector.schema import CLONE, FORMAT, SCHEMA_VERSION, Results, TableInvalid
from site_src import layers
from site_src.warehouse import Warehouse
from tests.conftest import RUN, STARTED, of_its_own, request


def stored(results: Results, run_id: str = "0" * 12, **facts: Any) -> Path:
    """One run file with two requests."""
    rows = [{**request(repeat=number), "op_index": number} for number in (1, 2)]
    rows = of_its_own(rows, int(run_id, 16) % 1000)
    return store.write(results, {**RUN, "run_id": run_id, "run_started_at": STARTED, **facts}, rows)


def rewritten(path: Path, change: Callable[[pa.Table], pa.Table], metadata: dict[str, str] | None = None) -> None:
    """The same file with another content; `metadata` replaces what it says of itself."""
    table = change(pq.read_table(path))
    said = pq.read_schema(path).metadata if metadata is None else metadata
    pq.write_table(table.replace_schema_metadata(said), path, write_page_checksum=True)


def same(table: pa.Table) -> pa.Table:
    return table


def know(results: Results, model: str, alias: str) -> None:
    """A `models.csv` of the folder's own with this model only; whatever else the clone's has is empty."""
    with (CLONE / "results" / "models.csv").open(encoding="utf-8") as file:
        header = next(csv.reader(file))
    results.root.mkdir(exist_ok=True)
    with (results.root / "models.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerow({"model": model, "aliases": alias})


@functools.cache
def shared() -> Warehouse:
    """Making all views takes half a second, taking other files in none; so most tests here share one warehouse."""
    return Warehouse(Results(CLONE / "no such folder"))


def over(results: Results) -> Warehouse:
    """The shared warehouse over this results folder."""
    shared().results = results
    shared().refresh()
    return shared()


def loaded(warehouse: Warehouse) -> list[str]:
    """Ids of the runs that were taken in."""
    return [row["run_id"] for row in warehouse.rows("select distinct run_id from raw_operations order by run_id")]


def damaged(warehouse: Warehouse) -> dict[str, str]:
    """Files that were not, with the reason."""
    return {row["file"]: row["reason"] for row in warehouse.rows("from damaged_files")}


# ---------------------------------------------------------------- nothing, and old files


def test_no_results_folder_is_an_ordinary_case(tmp_path: Path) -> None:
    warehouse = Warehouse(Results(tmp_path / "not there"))
    assert warehouse.rows("select count(*)::int as n from runs") == [{"n": 0}]
    assert damaged(warehouse) == {}
    assert not (tmp_path / "not there").exists()


def test_no_files_is_an_ordinary_case(results: Results) -> None:
    results.runs.mkdir(parents=True)
    (results.runs / ".gitkeep").touch()
    assert loaded(over(results)) == []


def test_missing_tables_come_from_the_clone(results: Results) -> None:
    assert over(results).rows("select count(*) > 0 as any from stg_models") == [{"any": True}]


def test_a_table_of_the_folder_comes_before_the_clones(results: Results) -> None:
    know(results, "My Model", "minimax-m2.1")
    stored(results)
    assert over(results).rows("select model from runs") == [{"model": "My Model"}]


def test_an_old_file_reads_as_null_in_newer_columns(results: Results) -> None:
    path = stored(results)
    newer = ["parallel", "cached_tokens", "forced", "memory", "quantization_source"]
    rewritten(path, lambda table: table.drop_columns(newer))
    warehouse = over(results)
    assert damaged(warehouse) == {}
    row = warehouse.rows("from raw_operations limit 1")[0]
    assert {name: row[name] for name in newer} == dict.fromkeys(newer)
    assert warehouse.rows("select decode_count from runs") == [{"decode_count": 2}]


def test_an_old_file_may_lack_a_field_inside_a_column(results: Results) -> None:
    path = stored(results)
    samples = [[{"at_ns": 5, "system_used_bytes": 7}], None]
    kind = pa.list_(pa.struct([("at_ns", pa.int64()), ("system_used_bytes", pa.int64())]))

    def older(table: pa.Table) -> pa.Table:
        return table.set_column(table.column_names.index("memory"), "memory", pa.array(samples, kind))

    rewritten(path, older)
    warehouse = over(results)
    assert damaged(warehouse) == {}
    asked = "select at_ns, system_used_bytes, engine_pss_bytes from stg_memory"
    assert warehouse.rows(asked) == [{"at_ns": 5, "system_used_bytes": 7, "engine_pss_bytes": None}]


# ---------------------------------------------------------------- what is refused, by name


def as_text(name: str) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.set_column(
        table.column_names.index(name), name, pa.array([str(value) for value in table[name].to_pylist()], pa.string())
    )


def test_a_column_of_another_type_is_refused_by_name(results: Results) -> None:
    columns = ["completion_tokens", "run_started_at", "chunks", "memory", "roundtrip_us"]
    paths = [stored(results, f"{number:012x}") for number in range(len(columns))]
    for path, column in zip(paths, columns, strict=True):
        rewritten(path, as_text(column))
    stored(results, "f" * 12)
    warehouse = over(results)
    assert loaded(warehouse) == ["f" * 12]
    for path, column in zip(paths, columns, strict=True):
        assert f"its column {column} is string, not " in damaged(warehouse)[path.name]


def test_a_column_nested_otherwise_is_refused_by_name(results: Results) -> None:
    path = stored(results)
    gaps = pa.array([[{"gap_us": "12", "kind": "answer", "chars": 1}], None])

    def other(table: pa.Table) -> pa.Table:
        return table.set_column(table.column_names.index("chunks"), "chunks", gaps)

    rewritten(path, other)
    assert "chunks" in damaged(over(results))[path.name]


def test_a_column_no_schema_knows_is_refused_by_name(results: Results) -> None:
    """Page checksums do not cover column names: one flipped bit in a name would silently make a column NULL."""
    path = stored(results)
    rewritten(
        path,
        lambda table: table.rename_columns([name.replace("file_bytes", "fild_bytes") for name in table.column_names]),
    )
    assert "fild_bytes" in damaged(over(results))[path.name]


def test_a_newer_schema_is_refused_with_the_reason(results: Results) -> None:
    path = stored(results)
    rewritten(path, same, {"format": FORMAT, "schema_version": str(SCHEMA_VERSION + 1)})
    reason = damaged(over(results))[path.name]
    assert f"newer version (schema {SCHEMA_VERSION + 1})" in reason
    assert "update this clone" in reason


def test_a_parquet_file_that_is_not_ours_is_refused(results: Results) -> None:
    others: list[dict[str, str]] = [{}, {"format": "something else"}, {"schema_version": "1"}]
    paths = [stored(results, f"{number:012x}") for number in range(len(others))]
    for path, metadata in zip(paths, others, strict=True):
        rewritten(path, same, metadata)
    assert damaged(over(results)) == {path.name: "it is not a run file of this project" for path in paths}


def test_a_file_without_rows_is_refused(results: Results) -> None:
    path = stored(results)
    rewritten(path, lambda table: table.slice(0, 0))
    assert damaged(over(results)) == {path.name: "it has no rows"}


def test_damaged_files_are_named_and_the_others_still_load(results: Results) -> None:
    whole = stored(results).read_bytes()
    stored(results, "1" * 12)
    contents = {
        "truncated": whole[: len(whole) // 2],
        "without its last byte": whole[:-1],
        "empty": b"",
        "short": b"PAR1",
        "garbage": b"not a Parquet file at all" * 100,
        "only magic": b"PAR1PAR1",
        "long footer": whole[:-8] + b"\xff\xff\xff\x7fPAR1",
    }
    for name, content in contents.items():
        (results.runs / f"{name}.parquet").write_bytes(content)
    (results.runs / "folder.parquet").mkdir()
    (results.runs / "dangling.parquet").symlink_to(results.runs / "nowhere")
    warehouse = over(results)
    assert loaded(warehouse) == ["0" * 12, "1" * 12]
    refused = damaged(warehouse)
    assert sorted(refused) == sorted(f"{name}.parquet" for name in [*contents, "folder", "dangling"])
    said = {"folder.parquet": "it is no regular file", "dangling.parquet": "nothing can be read by its name: "}
    assert all(reason.startswith(said.get(name, "it is damaged: ")) for name, reason in refused.items())
    assert not any("\n" in reason for reason in refused.values())


def test_reasons_name_no_folder_of_this_machine(results: Results) -> None:
    """They are shown on the published page."""
    results.runs.mkdir(parents=True)
    (results.runs / "empty.parquet").touch()
    (results.runs / "folder.parquet").mkdir()
    (results.runs / "dangling.parquet").symlink_to(results.runs / "nowhere")
    assert not [reason for reason in damaged(over(results)).values() if str(results.root) in reason]


def test_one_run_under_two_names_counts_once(results: Results) -> None:
    path = stored(results)
    copy = results.runs / "zz-copy.parquet"
    shutil.copy(path, copy)
    warehouse = over(results)
    assert warehouse.rows("select run_count, request_count from overview") == [{"run_count": 1, "request_count": 2}]
    assert damaged(warehouse) == {copy.name: f"it holds the run that {path.name} holds already"}


# ---------------------------------------------------------------- refresh


def test_refresh_picks_up_a_new_file(results: Results) -> None:
    warehouse = over(results)
    stored(results)
    warehouse.refresh()
    assert loaded(warehouse) == ["0" * 12]
    stored(results, "1" * 12)
    warehouse.refresh()
    assert loaded(warehouse) == ["0" * 12, "1" * 12]


def test_refresh_forgets_a_vanished_file(results: Results) -> None:
    path = stored(results)
    stored(results, "1" * 12)
    warehouse = over(results)
    path.unlink()
    warehouse.refresh()
    assert loaded(warehouse) == ["1" * 12]


def test_refresh_reads_a_changed_file_again(results: Results) -> None:
    path = stored(results)
    whole = path.read_bytes()
    warehouse = over(results)
    path.write_bytes(whole[:100])
    warehouse.refresh()
    assert (loaded(warehouse), list(damaged(warehouse))) == ([], [path.name])
    path.write_bytes(whole)
    warehouse.refresh()
    assert (loaded(warehouse), damaged(warehouse)) == (["0" * 12], {})
    assert warehouse.rows("select count(*)::int as n from raw_operations") == [{"n": 2}]


def test_refresh_takes_a_renamed_file_once(results: Results) -> None:
    path = stored(results)
    warehouse = over(results)
    path.rename(results.runs / "aa.parquet")
    warehouse.refresh()
    assert warehouse.rows("select file from runs") == [{"file": "aa.parquet"}]
    assert damaged(warehouse) == {}


def test_refresh_takes_the_copy_when_the_original_has_gone(results: Results) -> None:
    path = stored(results)
    copy = results.runs / "zz-copy.parquet"
    shutil.copy(path, copy)
    warehouse = over(results)
    path.unlink()
    warehouse.refresh()
    assert (loaded(warehouse), damaged(warehouse)) == (["0" * 12], {})


def test_refresh_reads_an_unchanged_file_only_once(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(results)
    warehouse = over(results)

    def again(path: Path) -> pa.Table:
        raise AssertionError(f"{path.name} was read again")

    monkeypatch.setattr("site_src.intake.read_run", again)
    warehouse.refresh()
    assert loaded(warehouse) == ["0" * 12]


def test_refresh_sees_an_edited_table(results: Results) -> None:
    stored(results)
    warehouse = over(results)
    know(results, "Renamed", "minimax-m2.1")
    warehouse.refresh()
    assert warehouse.rows("select model from runs") == [{"model": "Renamed"}]


def test_refresh_computes_again_only_what_may_have_changed(results: Results) -> None:
    warehouse = Warehouse(results)
    warehouse.rows("from runs")
    made = set(warehouse._made)
    warehouse.refresh()
    assert warehouse._made == made
    know(results, "Renamed", "minimax-m2.1")
    warehouse.refresh()
    assert "runs" in made - warehouse._made


def test_a_catalog_of_columns_has_what_every_view_says_of_them(results: Results) -> None:
    warehouse = Warehouse(results)
    own = "from duckdb_columns() where database_name = current_database() and table_name = 'runs'"
    assert warehouse.rows(f"select count(*) > 0 as is_told, count(*) filter (comment is null) as silent {own}") == [
        {"is_told": True, "silent": 0}
    ]


def test_a_file_of_grades_that_came_while_a_table_was_broken_is_not_missed(results: Results) -> None:
    """The table is mended to what it was, so that nothing but the file has changed."""
    know(results, "Renamed", "minimax-m2.1")
    warehouse = Warehouse(results)
    assert warehouse.rows("from damaged_files") == []
    table = results.table("models.csv")
    whole = table.read_text()
    table.write_text("nonsense")
    results.grades.mkdir(parents=True)
    (results.grades / "broken.parquet").write_bytes(b"no parquet")
    with pytest.raises(TableInvalid):
        warehouse.refresh()
    table.write_text(whole)
    warehouse.refresh()
    assert [row["file"] for row in warehouse.rows("from damaged_files")] == ["broken.parquet"]


# ---------------------------------------------------------------- hostile names


def test_a_file_name_with_sql_in_it_does_no_harm(results: Results) -> None:
    names = ["x'; drop table raw_operations; --", 'a"b', "$file", "%s {0}", "a\nb", "通义", "*?[x]", "-rf ;&|"]
    for number, name in enumerate(names):
        stored(results, f"{number:012x}").rename(results.runs / f"{name}.parquet")
        (results.runs / f"{name} damaged.parquet").touch()
    warehouse = over(results)
    files = [row["file"] for row in warehouse.rows("select file from runs")]
    assert sorted(files) == sorted(f"{name}.parquet" for name in names)
    assert sorted(damaged(warehouse)) == sorted(f"{name} damaged.parquet" for name in names)
    for name in names[1:]:
        (results.runs / f"{name}.parquet").unlink()
        (results.runs / f"{name} damaged.parquet").unlink()
    warehouse.refresh()
    assert warehouse.rows("select file from runs") == [{"file": f"{names[0]}.parquet"}]
    assert list(damaged(warehouse)) == [f"{names[0]} damaged.parquet"]


def test_a_model_name_with_sql_or_globs_in_it_is_only_a_name(results: Results) -> None:
    keys = ["m'; drop view runs; --", "[a-z*", "*", "minimax-m2.?", '"', "a|b", "\\", "$view", "{x}"]
    for number, key in enumerate(keys):
        stored(results, f"{number:012x}", model_key=key)
    rows = over(results).rows("select model, model_key from stg_runs order by run_id")
    assert rows == [{"model": key, "model_key": key} for key in keys]


def test_a_query_takes_values_not_text(results: Results) -> None:
    stored(results)
    warehouse = over(results)
    assert warehouse.rows("select run_id from runs where run_id = $id", id="' or true --") == []
    assert warehouse.rows("select run_id from runs where run_id = $id", id="0" * 12) == [{"run_id": "0" * 12}]


# ---------------------------------------------------------------- views


def test_a_view_may_read_another_of_its_folder(results: Results, tmp_path: Path, monkeypatch: Any) -> None:
    views = tmp_path / "views"
    shutil.copytree(layers.VIEWS, views)
    (views / "4_first").mkdir()
    (views / "5_second").mkdir()
    (views / "0_more.sql").write_text("create or replace macro one_more(x) as x + 1;")
    (views / "4_first" / "a.sql").write_text("create or replace view a as select one_more(n) as n from z -- from b")
    (views / "4_first" / "z.sql").write_text("create or replace view z as select 1 as n, 'from a' as text")
    (views / "5_second" / "b.sql").write_text("create or replace view b as select a.n from z join a on true")
    monkeypatch.setattr("site_src.layers.VIEWS", views)
    assert Warehouse(results).rows("from b") == [{"n": 2}]


def test_views_that_read_each_other_in_a_circle_are_named(results: Results, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "views").mkdir()
    for name, other in (("this_one", "that_one"), ("that_one", "this_one")):
        (tmp_path / "views" / f"{name}.sql").write_text(f"create or replace view {name} as from {other}")
    monkeypatch.setattr("site_src.layers.VIEWS", tmp_path / "views")
    with pytest.raises(RuntimeError, match="that_one, this_one"):
        Warehouse(results)


def test_the_same_files_give_the_same_last_digit(results: Results) -> None:
    """Or two builds of the same results would differ: sums of floats depend on their order."""
    for number in range(10):
        rows = [{**request(repeat=n, tps=40.1 + number + n / 7), "op_index": n} for n in (1, 2, 3)]
        store.write(results, {**RUN, "run_id": f"{number:012x}", "run_started_at": STARTED}, rows)
    warehouse = over(results)
    first, *others = (warehouse.table("from plan_coverage") for _ in range(8))
    assert [number for number, other in enumerate(others) if not other.equals(first)] == []


def test_columns_carry_their_comments(results: Results) -> None:
    assert over(results).comments("damaged_files")["reason"] == "Why it cannot be trusted."
