"""A run file: whole or not at all, named harmlessly, never replaced, and damage to it never goes unnoticed."""

import errno
import os
import random
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collector import store
from collector.backends import Facts
from collector.errors import StoreFailed
from collector.journal import Journal
from collector.schema import COLUMNS, FORMAT, OPERATION, RUN, SCHEMA_VERSION, Results, arrow_schema
from site_src.run_file import Untrusted, read_run
from tests.conftest import RUN as RUN_FACTS
from tests.conftest import STARTED, request

FACTS: Facts = {**RUN_FACTS, "run_id": "0123456789ab", "run_started_at": STARTED}
ROWS: list[Facts] = [{**request(repeat=number, tps=40.0 + number), "op_index": number} for number in (1, 2, 3)]
SAMPLES: dict[str, Any] = {
    "VARCHAR": "text with 数 and \u2028 in it",
    "INTEGER": 2**31 - 1,
    "BIGINT": 2**62,
    "DOUBLE": 0.1,
    "BOOLEAN": True,
    "TIMESTAMP": datetime(2026, 11, 22, 12, 0, 0, 123456),
}


def written(results: Results, **facts: Any) -> Path:
    return store.write(results, {**FACTS, **facts}, ROWS)


def lying_in(results: Results) -> list[str]:
    """Every file below the results folder."""
    return sorted(str(path.relative_to(results.root)) for path in results.root.rglob("*") if path.is_file())


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("unsloth/MiniMax-M2.1@q4_k_m", "unsloth-minimax-m2.1-q4_k_m"),
        ("../../x", "x"),
        ("..", "x"),
        ("/etc/passwd", "etc-passwd"),
        ("a model  with   spaces", "a-model-with-spaces"),
        ("通义千问", "x"),
        ("qwen 通义 3", "qwen-3"),
        ("m" * 300, "m" * 40),
        ("a" * 39 + "/b", "a" * 39),
        ("", "x"),
        (".hidden", "hidden"),
        ("--rm -rf", "rm--rf"),
        ("a\x00b\nc", "a-b-c"),
    ],
)
def test_slug_keeps_harmless_characters_only(text: str, slug: str) -> None:
    assert store.slug(text) == slug


@pytest.mark.parametrize("name", ["../../x", "a b", "通义千问", "m" * 300, "", None, "x';--", "a/b\\c", "\n", ".."])
def test_hostile_model_name_makes_a_harmless_file_name(results: Results, name: str | None) -> None:
    path = written(results, model_key=name, quantization=name, runtime=name)
    assert path.parent == results.runs
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*\.parquet", path.name)
    assert len(path.name) < 200
    assert path.name.endswith("-20261122t120000z-0123456789ab.parquet")
    assert lying_in(results) == [f"runs/{path.name}"]


def test_file_name_says_runtime_model_quantization_time_and_id() -> None:
    facts = {**FACTS, "model_key": "SmolLM2-135M", "quantization": "Q4_1"}
    assert store.file_name(facts) == "llama.cpp-smollm2-135m-q4_1-20261122t120000z-0123456789ab.parquet"


# ---------------------------------------------------------------- what stands in the file


def test_every_column_of_the_schema_reads_back(results: Results) -> None:
    def sample(kind: str) -> Any:
        if kind.endswith("[]"):
            return [sample(kind.removesuffix("[]"))] * 2
        if kind.startswith("STRUCT("):
            fields = [field.split() for field in kind.removeprefix("STRUCT(").removesuffix(")").split(", ")]
            return {name: sample(kind) for name, kind in fields}
        return SAMPLES[kind]

    own = {"run_id": "0123456789ab", "run_started_at": STARTED, "schema_version": SCHEMA_VERSION}
    facts = {column.name: sample(column.type) for column in RUN} | own
    row = {column.name: sample(column.type) for column in OPERATION}
    table = pq.read_table(store.write(results, facts, [row, row]))
    assert table.schema.equals(arrow_schema())
    assert table.column_names == [column.name for column in COLUMNS]
    assert table.to_pylist() == [{**facts, **row}] * 2


def test_file_says_its_format_and_version(results: Results) -> None:
    path = written(results)
    metadata = pq.read_schema(path).metadata
    assert (metadata[b"format"].decode(), metadata[b"schema_version"].decode()) == (FORMAT, str(SCHEMA_VERSION))
    assert pq.read_table(path)["schema_version"].to_pylist() == [SCHEMA_VERSION] * 3


def test_a_run_without_operations_is_one_row(results: Results) -> None:
    table = pq.read_table(store.write(results, FACTS, []))
    assert (table["run_id"].to_pylist(), table["op"].to_pylist()) == (["0123456789ab"], [None])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("prompt_tokens", "many"),
        ("prompt_tokens", 2**40),
        ("prompt_tokens", 1.5),
        ("prompt_tokens", {"n": 1}),
        ("completion_tokens", 2**70),
        ("reported_decode_tps", "fast"),
        ("reported_decode_tps", [1.0]),
        ("finish_reason", {"type": "stop"}),
        ("finish_reason", 7),
        ("output_text", ["a"]),
        ("chunks", "none"),
        ("chunks", [{"gap_us": "x", "kind": "answer", "chars": 1}]),
        ("memory", {"at_ns": 1}),
    ],
)
def test_a_value_of_the_wrong_type_becomes_null_and_costs_nothing_else(
    results: Results, column: str, value: Any
) -> None:
    rows = [{**ROWS[0]}, {**ROWS[1], column: value}, {**ROWS[2]}]
    table = pq.read_table(store.write(results, FACTS, rows))
    assert table[column].to_pylist() == [ROWS[0].get(column), None, ROWS[2].get(column)]
    others = [name for name in table.column_names if name != column]
    assert table.select(others).equals(
        pq.read_table(store.write(results, {**FACTS, "run_id": "b" * 12}, ROWS))
        .select(others)
        .set_column(others.index("run_id"), "run_id", table["run_id"])
    )


def test_a_wrong_run_column_becomes_null(results: Results) -> None:
    table = pq.read_table(written(results, cpu_cores="eight", quantization=4, preflight="fine"))
    for column in ("cpu_cores", "quantization", "preflight"):
        assert table[column].to_pylist() == [None] * 3


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_becomes_null(results: Results, value: float) -> None:
    """Python's JSON reader takes NaN and Infinity from a server; NaN equals nothing, not even itself read back."""
    table = pq.read_table(store.write(results, FACTS, [{**ROWS[0], "reported_decode_tps": value}]))
    assert table["reported_decode_tps"].to_pylist() == [None]


def test_half_an_emoji_costs_one_character_not_the_text(results: Results) -> None:
    """A server that cuts its text in UTF-16 sends the two halves of an emoji in two events."""
    texts = ["two halves \ud83d\ude00.", "one half \ud83d."]
    table = pq.read_table(store.write(results, FACTS, [{**ROWS[0], "output_text": text} for text in texts]))
    assert table["output_text"].to_pylist() == ["two halves \U0001f600.", "one half \ufffd."]


# ---------------------------------------------------------------- whole or not at all


def test_an_existing_file_is_never_replaced(results: Results) -> None:
    path = written(results)
    before = path.read_bytes()
    with pytest.raises(StoreFailed):
        store.write(results, FACTS, ROWS[:1])
    assert path.read_bytes() == before
    assert lying_in(results) == [f"runs/{path.name}"]


def test_an_existing_file_is_never_replaced_where_there_are_no_links(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    path = written(results)
    assert read_run(path).num_rows == 3
    before = path.read_bytes()
    with pytest.raises(StoreFailed):
        store.write(results, FACTS, ROWS[:1])
    assert path.read_bytes() == before
    assert lying_in(results) == [f"runs/{path.name}"]


def test_the_temporary_file_is_no_parquet_and_lies_outside_runs(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = []
    link = os.link

    def watch(source: Path, target: Path) -> None:
        linked.append((Path(source), lying_in(results)))
        link(source, target)

    monkeypatch.setattr(os, "link", watch)
    path = written(results)
    [(part, lay_there)] = linked
    assert part.suffix == ".part"
    assert results.runs not in part.parents
    assert lay_there == [str(part.relative_to(results.root))]  # nothing in runs/ before the file is whole
    assert lying_in(results) == [f"runs/{path.name}"]


def refuse(number: int, after: int = 0) -> Any:
    """A system call that fails with this error, after `after` calls that do nothing."""
    calls = []

    def call(*_: Any, **__: Any) -> None:
        calls.append(1)
        if len(calls) > after:
            raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "fsync"), ("tempfile", "mkstemp"), ("pyarrow.parquet", "ParquetWriter"), ("pathlib.Path", "mkdir")],
)
def test_a_full_disk_or_a_read_only_folder_leaves_nothing(
    results: Results, monkeypatch: pytest.MonkeyPatch, module: str, name: str
) -> None:
    results.runs.mkdir(parents=True)
    monkeypatch.setattr(f"{module}.{name}", refuse(errno.ENOSPC if name != "mkstemp" else errno.EROFS))
    with pytest.raises(StoreFailed) as failed:
        written(results)
    assert os.strerror(errno.ENOSPC) in failed.value.happened or os.strerror(errno.EROFS) in failed.value.happened
    assert "next `collect` saves it" in failed.value.remedy
    assert lying_in(results) == []


def test_a_folder_that_takes_neither_link_nor_rename_holds_nothing_afterwards(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("link", "replace", "rename"):
        monkeypatch.setattr(os, name, refuse(errno.ENOSPC))
    with pytest.raises(StoreFailed):
        written(results)
    assert lying_in(results) == []


def test_a_file_system_that_cannot_sync_folders_still_holds_the_run(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file itself was synced, and it lies there: to call that a failure would be wrong."""
    monkeypatch.setattr(os, "fsync", refuse(errno.EINVAL, after=1))
    assert read_run(written(results)).num_rows == 3


def test_what_reads_back_differently_is_not_placed(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    write_table = pq.ParquetWriter.write_table

    def lose_a_row(writer: pq.ParquetWriter, table: pa.Table) -> None:
        write_table(writer, table.slice(1))

    monkeypatch.setattr(pq.ParquetWriter, "write_table", lose_a_row)
    with pytest.raises(StoreFailed):
        written(results)
    assert lying_in(results) == []


def test_what_was_damaged_on_its_way_to_the_disk_is_not_placed(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "sync", lambda descriptor: os.pwrite(descriptor, b"\0\0\0\0\0\0\0\0", 300))
    with pytest.raises(StoreFailed):
        written(results)
    assert lying_in(results) == []


# ---------------------------------------------------------------- damage


def test_no_damaged_byte_loads_as_other_values(results: Results) -> None:
    """60 single-byte damages that change what an unsuspecting reader gets; each must be refused."""
    path = written(results)
    whole = path.read_bytes()
    truth = read_run(path)
    chance = random.Random(512)
    damaged = results.root / "damaged.parquet"
    tried = changed = 0
    while changed < 60:
        tried += 1
        assert tried < 3000, "single-byte damages hardly change anything: the file is not what this test thinks it is"
        place = chance.randrange(len(whole))
        damaged.write_bytes(whole[:place] + bytes([whole[place] ^ chance.randrange(1, 256)]) + whole[place + 1 :])
        if _without_checksums(damaged, truth) in ("same", "unreadable"):
            continue
        changed += 1
        with pytest.raises(Untrusted):
            read_run(damaged)
            pytest.fail(f"byte {place} of {len(whole)} is damaged, and the file loads with other values")


def _without_checksums(path: Path, truth: pa.Table) -> str:
    try:
        table = pq.ParquetFile(path).read(use_threads=False)
    except (pa.ArrowException, OSError, ValueError):
        return "unreadable"
    return "same" if table.equals(truth) else "other values"


def test_pages_carry_checksums(results: Results) -> None:
    """Without them, damage inside a page's values would load."""
    path = written(results)
    whole = bytearray(path.read_bytes())
    column = pq.ParquetFile(path).metadata.row_group(0).column(0)
    whole[column.data_page_offset + column.total_compressed_size - 1] ^= 0xFF
    path.write_bytes(whole)
    with pytest.raises(Untrusted):
        read_run(path)


# ---------------------------------------------------------------- what a reader would not take

MOST = 250  # chunks of a file, for the reader of these tests


def picky(path: Path) -> store.Refused | None:
    """A reader that takes so many chunks, and no run of another kind of server."""
    rows = pq.read_table(path).to_pylist()
    if rows[0]["server"] == "none of ours":
        return store.Refused("its server is none of ours", is_size=False)
    count = sum(len(row["chunks"] or ()) for row in rows)
    return store.Refused(f"it holds {count} chunks", is_size=True) if count > MOST else None


def sized(*counts: int) -> list[Facts]:
    return [{**request(repeat=n + 1, tokens=count), "op_index": n} for n, count in enumerate(counts)]


def stored(results: Results, *counts: int, **facts: Any) -> list[Any]:
    path = store.write(
        results, {**RUN_FACTS, "run_id": "a" * 12, "run_started_at": STARTED, **facts}, sized(*counts), picky
    )
    return [(len(row["chunks"] or ()), row["error_kind"]) for row in pq.read_table(path).to_pylist()]


@pytest.mark.parametrize(
    ("counts", "kept"),
    [
        ((100, 150), [(100, None), (150, None)]),
        ((100, 251, 100), [(100, None), (0, "too_large"), (100, None)]),
        ((100, 200, 120, 200), [(100, None), (0, "too_large"), (120, None), (0, "too_large")]),
        ((900,), [(0, "too_large")]),
    ],
)
def test_what_is_more_than_a_reader_takes_is_a_failed_row(
    results: Results, counts: tuple[int, ...], kept: list[Any]
) -> None:
    assert stored(results, *counts) == kept
    assert [path.name for path in results.journals.iterdir()] == []


def test_a_run_that_a_reader_refuses_for_another_reason_is_not_stored(results: Results) -> None:
    with pytest.raises(StoreFailed, match="would be read by nobody: its server is none of ours"):
        stored(results, 5, server="none of ours")
    assert list(results.runs.iterdir()) == list(results.journals.iterdir()) == []


def test_a_journal_of_a_run_that_a_reader_refuses_is_kept_and_hides_no_other(results: Results) -> None:
    for run_id, server in (("a" * 12, "none of ours"), ("b" * 12, "lmstudio")):
        with Journal(results, run_id) as left:
            left.facts({**RUN_FACTS, "run_id": run_id, "run_started_at": STARTED, "server": server})
            left.operation(sized(5)[0])
    [saved] = store.recover(results, picky)
    assert "b" * 12 in saved.name
    assert [path.name for path in store.set_aside(results)] == [f"{'a' * 12}.damaged"]
