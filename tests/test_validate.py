"""`collect validate`: each rule is broken by one file, and by nothing that was measured or is made up honestly."""

import re
import struct
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from collector import store, suite
from collector.backends import Facts
from collector.commands import _checks, _faults, validate
from collector.commands._checks import _size
from collector.schema import CLONE, Results
from site_src import form
from tests import worlds
from tests.conftest import STARTED, request
from tests.test_review import changed, stored

GB = 10**9
LONG = max(suite.known().values(), key=lambda prompt: len(prompt.text))
SAMPLE = {"at_ns": 10**9, "system_used_bytes": 200 * GB, "engine_footprint_bytes": 150 * GB, "pressure_level": 1}


def run_file(results: Results, number: int = 0) -> Path:
    """Two requests that a Mac could have answered; by its number it is another run."""
    known = {"max_tokens": 512, "started_ns": 0, "memory": [SAMPLE], "elapsed_ns": 2_200_000_000 + number}
    rows = [request("short", repeat, **known) for repeat in (1, 2)]
    return stored(results, *rows, run_id=f"{number:012x}", run_seconds=60.0)


def said(*arguments: object) -> tuple[int, list[str]]:
    """Exit code and lines of `collect validate`, less those that say whose the files are and what they change."""
    done = CliRunner().invoke(validate.command, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, [line for line in done.output.splitlines() if re.match("error|warning|.* checked: ", line)]


def both(path: Path, **values: Any) -> Path:
    """The same value in both rows."""
    return changed(path, **{name: [value, value] for name, value in values.items()})


def rows(path: Path) -> list[Facts]:
    read: list[Facts] = pq.read_table(path).to_pylist()
    return read


def first_chunk(**other: Any) -> Callable[[Path], Path]:
    """Both rows with something else in their first chunk."""

    def spoil(path: Path) -> Path:
        chunks = rows(path)[0]["chunks"]
        return both(path, chunks=[{**chunks[0], **other}, *chunks[1:]])

    return spoil


def with_memory(**figures: int) -> Callable[[Path], Path]:
    return lambda path: both(path, memory=[{**SAMPLE, **figures}])


def three_times_as_fast(path: Path) -> Path:
    """150 tokens/s, and every time in the file agrees."""
    row = rows(path)[0]
    gaps = [row["chunks"][0], *({**chunk, "gap_us": chunk["gap_us"] // 3} for chunk in row["chunks"][1:])]
    end = sum(chunk["gap_us"] for chunk in gaps) * 1000
    return both(path, chunks=gaps, last_text_ns=end, done_ns=end, elapsed_ns=end)


def twin(path: Path) -> None:
    later = [{**row, "run_started_at": STARTED + timedelta(hours=1)} for row in rows(path)]
    store.write(Results(path.parent.parent), later[0], later)


def copied(path: Path) -> None:
    again = [{**row, "run_id": "c" * 12} for row in rows(path)]
    store.write(Results(path.parent.parent), again[0], again)


def of_2099(path: Path) -> None:
    ahead = [{**row, "run_started_at": datetime(2099, 1, 1)} for row in rows(path)]
    path.unlink()
    store.write(Results(path.parent.parent), ahead[0], ahead)


def in_bursts(path: Path) -> Path:
    """24 chunks at a time, every 480 ms."""
    chunks = rows(path)[0]["chunks"]
    gaps = [
        {**chunk, "gap_us": 480_000 if n and n % 24 == 0 else 0 if n else 200_000} for n, chunk in enumerate(chunks)
    ]
    end = sum(chunk["gap_us"] for chunk in gaps) * 1000
    return both(path, chunks=gaps, last_text_ns=end, done_ns=end)


def doubled(path: Path) -> Path:
    chunks = [each for chunk in rows(path)[0]["chunks"] for each in (chunk, {**chunk, "gap_us": 0})]
    return both(path, chunks=chunks, completion_tokens=202)


def without_its_first_half(path: Path) -> Path:
    """51 of 101 tokens were no text."""
    chunks = rows(path)[0]["chunks"][51:]
    chunks[0] = {**chunks[0], "gap_us": 200_000 + 51 * 20_000}
    first = chunks[0]["gap_us"] * 1000
    return both(path, chunks=chunks, first_text_ns=first, first_answer_ns=first, output_text="word" * 50)


def shorter(path: Path) -> Path:
    """The same prompt has twenty times the tokens in another run."""
    other = run_file(Results(path.parent.parent), 999)
    both(other, prompt_sha256="another", prompt_tokens=2088)
    return both(path, prompt_sha256="another")


# Each rule, how a file breaks just that one, and what is said of it.
BROKEN: dict[str, list[tuple[Callable[[Path], object], str]]] = {
    "above_ceiling": [(three_times_as_fast, "decode_tps: 150.0 tokens/s, at most 1")],
    "copy": [(copied, "also in: llama.cpp-unsloth-minimax-m2.1-q4_k_m-q4_k_m-20261122t120000z-")],
    "disagreeing_rows": [(lambda path: changed(path, os_build=["25B78", "25C1"]), "os_build: 25C1 (row 1)")],
    "from_the_future": [(of_2099, "run_started_at: 2099-01-01 00:00:00")],
    "fewer_tokens": [
        (lambda path: both(path, completion_tokens=90), "completion_tokens: 90, beside 101 chunks with text (row 0)"),
        (lambda path: both(path, completion_tokens=0), "completion_tokens: 0, beside 101 chunks with text"),
    ],
    "gaps_disagree": [
        (first_chunk(gap_us=100_000), "first_text_ns: 200000000, by its chunks 100000000 (row 0)"),
        (lambda path: both(path, last_text_ns=None), "last_text_ns: , by its chunks 2200000000"),
    ],
    "large_cells": [
        (lambda path: changed(path, output_text=["x" * 2_000_001, None]), "output_text: 2,000,001 bytes, at most"),
    ],
    "longer_than_run": [(lambda path: both(path, run_seconds=2.0), "elapsed_ns: 2.200 s from 0.000 s on, in a run of")],
    "memory_above_machine": [
        (with_memory(system_used_bytes=600 * GB), "memory.system_used_bytes: 600.0 GB, at most 549.8 (row 0)"),
        (with_memory(engine_rss_bytes=600 * GB), "memory.engine_rss_bytes: 600.0 GB, at most 549.8"),
        (with_memory(engine_footprint_bytes=3000 * GB), "memory.engine_footprint_bytes: 3000.0 GB"),
    ],
    "metadata": [(lambda path: changed(path, {b"pandas": b"x"}), "that the collector does not write: pandas.")],
    "name": [(lambda path: path.rename(path.with_name(f"x-{path.name}")), "gives: llama.cpp-unsloth-minimax-m2.1")],
    "nameless": [(lambda path: both(path, run_id=""), "run_id: none")],
    "numbering": [(lambda path: changed(path, op_index=[1, 1]), "op_index: 1 (row 1)")],
    "only_bursts": [(in_bursts, "chunks: 2 requests")],
    "out_of_order": [
        (lambda path: both(path, headers_ns=200_000_001), "first_text_ns: 200000000, before headers_ns 200000001"),
        (lambda path: both(path, done_ns=2_199_999_999), "done_ns: 2199999999, before last_text_ns 2200000000"),
    ],
    "private": [
        (lambda path: both(path, served_by="/Users/wang/x"), "served_by: /Users/wang/x (row 0)"),
        (lambda path: both(path, kept_awake_by="192.168.1.20"), "kept_awake_by: 192.168.1.20"),
        (lambda path: both(path, os_build="C02XG2JMH7JY"), "os_build: C02XG2JMH7JY"),
    ],
    "prompt_cut": [
        (
            lambda path: both(path, prompt_sha256=LONG.sha256, prompt_tokens=520),
            f"prompt_tokens: 520 for {len(LONG.text.encode()):,} bytes (row 0)",
        ),
        (lambda path: both(path, prompt_chars=4711, prompt_tokens=520), "prompt_tokens: 520 for 4,711 characters"),
    ],
    "prompt_shorter": [(shorter, "prompt_tokens: 100 (row 0)")],
    "range": [
        (lambda path: changed(path, started_ns=[-1, 0]), "started_ns: -1 (row 0)"),
        (lambda path: both(path, top_p=1.5), "top_p: 1.5"),
        (first_chunk(gap_us=-5), "chunks.gap_us: -5 (row 0)"),
        (with_memory(at_ns=-7), "memory.at_ns: -7 (row 0)"),
    ],
    "reasoning_beyond_all": [
        (lambda path: both(path, reasoning_tokens=102), "reasoning_tokens: 102, of 101 in all (row 0)"),
    ],
    "suite": [(lambda path: both(path, suite_sha256="f" * 64), "suite_sha256: ffffffffffff of suite smoke")],
    "tokens_without_text": [
        (
            lambda path: both(path, completion_tokens=1649, max_tokens=2000, chip="of unknown speed"),
            "completion_tokens: 1649 for 404 characters",
        ),
        (without_its_first_half, "completion_tokens: 101 for 200 characters in 50 events (row 0)"),
    ],
    "text_twice": [(doubled, "chunks: 101 pairs (row 0)")],
    "too_many_tokens": [(lambda path: both(path, max_tokens=100), "completion_tokens: 101, at most 100 (row 0)")],
    "twin": [(twin, "also in: ")],
    "words": [
        (lambda path: both(path, run_state="perfect"), "run_state: perfect (row 0)"),
        (lambda path: changed(path, op=["request", None]), "op: none (row 1)"),
        (first_chunk(kind="/home/wang"), "chunks.kind: /home/wang"),
    ],
}  # fmt: skip


def test_every_rule_has_a_file_that_breaks_it() -> None:
    assert sorted(BROKEN) == _checks.names()


CASES = [(rule, number) for rule, cases in BROKEN.items() for number in range(len(cases))]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], list[str]]:
    """What is said of each broken file: all of them lie in one folder."""
    results = Results(tmp_path_factory.mktemp("broken") / "results")
    for place, (rule, number) in enumerate(CASES):
        BROKEN[rule][number][0](run_file(results, place))
    code, lines = said(results.root)
    assert code == 1
    return {case: [line for line in lines if f"{place:012x}.parquet: " in line] for place, case in enumerate(CASES)}


@pytest.mark.parametrize(("rule", "number"), CASES)
def test_a_file_that_breaks_a_rule_is_told_which_where_and_what_to_do(
    rule: str, number: int, told: dict[tuple[str, int], list[str]]
) -> None:
    happened, remedy = sentences(rule)
    line = next(line for line in told[rule, number] if happened in line)
    assert BROKEN[rule][number][1] in line
    assert line.startswith("error: runs/")
    assert line.endswith(f". {remedy}")
    assert [line for line in told[rule, number] if happened not in line] == []


def sentences(rule: str) -> tuple[str, str]:
    path = _checks.FOLDER / f"{rule}.sql"
    if path.exists():
        happened, remedy = (line.removeprefix("-- ") for line in path.read_text(encoding="utf-8").splitlines()[:2])
        return happened, remedy
    if rule in form.OF_RUNS:
        return form.OF_RUNS[rule].happened, form.OF_RUNS[rule].remedy
    module = __import__(f"collector.commands._checks.{rule}", fromlist=["HAPPENED"])
    return module.HAPPENED, module.REMEDY


@pytest.mark.parametrize(
    ("column", "value"),
    [("reported_load_s", float("nan")), ("reported_load_s", float("inf")), ("done_ns", 2**63 - 1)],
)
def test_a_number_that_no_view_could_bear_is_refused_before_any_rule(
    results: Results, column: str, value: float
) -> None:
    path = both(run_file(results), **{column: value})
    [fault] = _faults.of_file(path, "runs").faults
    assert fault.happened == "It cannot be trusted:"
    assert column in fault.shown


@pytest.mark.parametrize("rule", _checks.names())
def test_a_rule_says_in_a_sentence_each_what_is_wrong_and_what_to_do(rule: str) -> None:
    happened, remedy = sentences(rule)
    assert happened.startswith(("It ", "Its ", "One ", "An ", "A ", "The "))
    assert happened.endswith(":")
    assert remedy.endswith(".")


# ---------------------------------------------------------------- what passes


def test_every_committed_file_passes() -> None:
    code, lines = said("--results", CLONE / "results")
    assert code == 0
    assert [line for line in lines if line.startswith("error: ")] == []


def test_honest_made_up_results_pass(tmp_path: Path) -> None:
    results = worlds.make("two machines", tmp_path / "results")
    assert said("--results", results.root)[1][-1].endswith(" files checked: 0 errors, 0 warnings.")


def test_an_old_file_passes_with_columns_missing(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    old = runs / "schema-1.parquet"
    old.write_bytes((CLONE / "tests" / "old_runs" / "schema-1.parquet").read_bytes())
    old.rename(runs / store.file_name(rows(old)[0]))
    assert said(runs)[1] == ["1 file checked: 0 errors, 0 warnings."]


def test_a_request_that_failed_is_data(results: Results) -> None:
    failed = {
        "op": "request",
        "elapsed_ns": 10**9,
        "done_ns": 10**9,
        "error_kind": "connect",
        "error_detail": "refused",
    }
    stored(results, failed, run_seconds=60.0)
    assert said(results.root) == (0, ["1 file checked: 0 errors, 0 warnings."])


# ---------------------------------------------------------------- new and old


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_what_git_holds_is_warned_of_and_what_is_new_is_an_error(results: Results) -> None:
    old = both(run_file(results), run_state="perfect")
    git(results.root, "init", "-q")
    git(results.root, "add", ".")
    git(results.root, "commit", "-qm", "Old")
    code, lines = said(results.root)
    assert (code, lines[-1]) == (0, "1 file checked: 0 errors, 1 warning.")
    assert lines[0].startswith(f"warning: runs/{old.name}: It holds a word")
    # With other content it is no longer the file that is stored; nor is it under another name.
    both(old, run_state="good")
    assert said(results.root)[1][-1] == "1 file checked: 1 error, 0 warnings."
    git(results.root, "commit", "-qam", "New")
    assert said(results.root)[0] == 0
    assert said(results.root, "--since", "HEAD~1")[0] == 1
    assert said(old, "--since", "HEAD~1")[0] == 1
    old.rename(old.with_name("other.parquet"))
    assert said(results.root)[0] == 1


def test_a_commit_that_git_does_not_know_is_a_mistake(results: Results) -> None:
    run_file(results)
    done = CliRunner().invoke(validate.command, [str(results.root), "--since", "no-such"])
    assert "Git knows no commit 'no-such'" in str(done.exception)


# ---------------------------------------------------------------- what is not even unpacked


def dictionary_bomb(path: Path) -> str:
    """A long text once, meant by each of 700 rows."""
    table = pq.read_table(path)
    long = pa.array(["x" * 100_000] * 700)
    table = pa.concat_tables([table] * 350)
    table = table.set_column(table.schema.get_field_index("served_by"), "served_by", long)
    pq.write_table(table, path, compression="zstd", write_page_checksum=True, use_dictionary=["served_by"])
    return " MB, more than 50 MB."


def list_bomb(path: Path) -> str:
    """One row with 200,000 chunks, all alike."""
    table = pq.read_table(path)
    place = table.schema.get_field_index("chunks")
    kind = table.schema.field(place).type
    count = 200_000
    first = pa.array([0] * count)
    values = dict(zip(("gap_us", "kind", "chars"), (1, "answer", 1), strict=True))
    alike = [pa.array([values[of.name]], of.type).take(first) for of in kind.value_type]
    entries = pa.StructArray.from_arrays(alike, fields=list(kind.value_type))
    lists = pa.ListArray.from_arrays(pa.array([0, count, count], pa.int32()), entries)
    table = table.set_column(place, table.schema.field(place), lists)
    pq.write_table(table, path, compression="zstd", write_page_checksum=True)
    return "It would unpack to 200,001 values of one column, more than 200,000: chunks.list.element.gap_us."


def row_bomb(path: Path) -> str:
    table = pa.table({"op_index": pa.array([0]).take(pa.array([0] * 100_001))})
    pq.write_table(table, path, compression="zstd")
    return "It would unpack to 100,001 rows, more than 100,000."


def plain_bomb(path: Path) -> str:
    table = pa.table({"output_text": ["x" * 1_000_000] * 51})
    pq.write_table(table, path, compression="zstd", use_dictionary=False)
    return "It would unpack to 51 MB, more than 50 MB."


def shared_beginnings_bomb(path: Path) -> str:
    """Each text is the one before, and so takes no place at all."""
    table = pa.table({"output_text": ["x" * 20_000] * 2600})
    pq.write_table(
        table, path, compression="zstd", use_dictionary=False, column_encoding={"output_text": "DELTA_BYTE_ARRAY"}
    )
    return "more than 50 MB."


BOMBS = [dictionary_bomb, list_bomb, row_bomb, plain_bomb, shared_beginnings_bomb]


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.__name__)
def test_a_bomb_is_refused_before_it_is_read(
    bomb: Callable[[Path], str], results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_size, "LARGEST_UNPACKED_MB", 50)  # a tenth, so that it takes a tenth of the time
    monkeypatch.setattr(_size, "MOST_LISTED", 200_000)
    path = run_file(results)
    words = bomb(path)
    assert path.stat().st_size < 1_000_000
    monkeypatch.setattr("site_src.run_file.read_rows", lambda path: pytest.fail("it was read"))
    code, [line, _] = said(path)
    assert code == 1
    assert words in line
    assert line.endswith("Leave it out: no run is that large.")


def test_an_honest_dictionary_is_no_bomb(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_size, "LARGEST_UNPACKED_MB", 0.05)  # more than the file becomes, less than it could
    assert said(run_file(results))[0] == 0


def lying(path: Path) -> None:
    """1.6 GB whose summary speaks of a few bytes."""
    table = pa.table({"output_text": ["x" * 1_000_000] * 80})
    with pq.ParquetWriter(path, table.schema, compression="zstd", use_dictionary=False, write_statistics=False) as file:
        for _ in range(20):
            file.write_table(table)
    data = bytearray(path.read_bytes())
    footer = len(data) - 8 - struct.unpack("<I", data[-8:-4])[0]
    group = pq.ParquetFile(path).metadata.row_group(0)
    for size in {group.total_byte_size, group.column(0).total_uncompressed_size}:
        told = varint(size)
        for number in range(footer, len(data)):
            if data[number : number + len(told)] == told:
                data[number : number + len(told)] = varint(100, len(told))
    path.write_bytes(data)


def varint(value: int, length: int = 0) -> bytes:
    """A number as Thrift's compact protocol has it, at least so many bytes long."""
    left, made = value << 1, []
    while left > 127 or len(made) < length - 1:
        made.append(left & 127 | 128)
        left >>= 7
    return bytes([*made, left])


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has no limit of address space")
def test_a_file_whose_summary_lies_ends_at_the_limit_that_the_scripts_set(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    lying(path)
    assert _size.too_large(path) is None
    limits = [(CLONE / "scripts" / name).read_text(encoding="utf-8") for name in ("validate", "review-runs")]
    assert all("ulimit -v 8000000 " in script for script in limits)
    ask = 'ulimit -v 1500000; ARROW_DEFAULT_MEMORY_POOL=system exec "$0" -c "$1" "$2"'
    read = "import sys; from pathlib import Path; from collector.commands import _faults; "
    read += "print(_faults.of_file(Path(sys.argv[1]), 'runs').faults)"
    done = subprocess.run(
        ["bash", "-c", ask, sys.executable, read, str(path)], capture_output=True, text=True, check=False, cwd=CLONE
    )
    assert done.returncode == 0, done.stderr
    assert "It cannot be trusted:" in done.stdout


# ---------------------------------------------------------------- what is printed


def test_what_a_file_says_stays_on_its_line_and_steers_no_terminal(results: Results) -> None:
    evil = "x\x1b[2J\n\rerror: runs/other.parquet: It is fine.\u202e\x9b31m\x07"
    path = both(run_file(results), run_state=evil)
    for line in said(path)[1]:
        assert line.isprintable()
    assert len(said(path)[1]) == 2


def test_a_thousand_faults_of_one_kind_are_one_line(results: Results) -> None:
    path = run_file(results)
    chunks = [{"gap_us": -number, "kind": "answer", "chars": 1} for number in range(1, 1001)]
    both(path, chunks=chunks)
    _, [line, _] = said(path)
    assert "chunks.gap_us: -5 (row 0); and 1995 more. " in line


def test_a_file_without_a_single_value_is_refused_in_words(results: Results) -> None:
    path = run_file(results)
    schema = pq.read_table(path).schema
    pq.write_table(
        pa.Table.from_arrays([pa.nulls(2, field.type) for field in schema], schema=schema),
        path,
        write_page_checksum=True,
    )
    code, lines = said(path)
    assert code == 1
    assert any("op: none (row 0)" in line for line in lines)
