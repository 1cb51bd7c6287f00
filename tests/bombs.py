"""Small files of results that are made to cost: some at the very limits, which are taken, and some beyond.

Each bomb is a function of a results folder; it writes one file there, of no more than some megabytes, and gives its
path. A `tame` one keeps to every rule about what a file may hold: of these the site's cost is bounded by the limits.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from collector import capacity, store
from collector.backends import Facts
from collector.judgments import GRADE, GRADES_FORMAT, VOTE, VOTES_FORMAT
from collector.nonce import nonce, shared
from collector.schema import Column, Results, arrow_schema
from tests.conftest import RUN, STARTED, request
from tests.raw_parquet import DELTA, Raw

RUN_ID = "0badc0ffee00"
MS = 1_000_000


@dataclass(frozen=True)
class Bomb:
    """What it is called, how it is made, and whether it is taken."""

    make: Callable[[Results], Path]
    tame: bool

    @property
    def name(self) -> str:
        return self.make.__name__.replace("_", " ")


BOMBS: list[Bomb] = []


def tame(make: Callable[[Results], Path]) -> Callable[[Results], Path]:
    BOMBS.append(Bomb(make, tame=True))
    return make


def wild(make: Callable[[Results], Path]) -> Callable[[Results], Path]:
    BOMBS.append(Bomb(make, tame=False))
    return make


def kept(results: Results, rows: list[Facts], **facts: Any) -> Path:
    """These operations as a run of a machine of its own."""
    about = {**RUN, "run_id": RUN_ID, "run_started_at": STARTED, "run_seconds": 9e5, **facts}
    return store.write(results, about, [{"op_index": index, **row} for index, row in enumerate(rows)])


def asked(count: int, prompts: int = 8, op: str = "request", **more: Any) -> Iterator[Facts]:
    """So many requests, one after the other, of these prompts in turn."""
    began = 0
    for number in range(count):
        prompt, repeat = f"prompt-{number % prompts}", number // prompts + 1
        row = request(prompt, repeat, tps=50 + number % 7, tokens=4)
        digits = shared(row["prompt_sha256"], repeat) if op == "quality" else nonce(RUN_ID, prompt, repeat, number + 1)
        yield {**row, "op": op, "position": number + 1, "nonce": digits, "started_ns": began, **more}
        began += row["elapsed_ns"] + MS


def entries(count: int, kind: str, of: dict[str, Any]) -> pa.Array:
    """One list of so many equal entries, made without a Python object for each."""
    listed = arrow_schema().field(kind).type
    places = pa.repeat(pa.scalar(0), count)
    inner = listed.value_type
    if pa.types.is_struct(inner):
        fields = [pa.array([of.get(field.name)], field.type).take(places) for field in inner]
        values: pa.Array = pa.StructArray.from_arrays(fields, fields=list(inner))
    else:
        values = pa.array([of[""]], inner).take(places)
    return pa.ListArray.from_arrays(pa.array([0, count], pa.int32()), values)


def with_lists(path: Path, lists: dict[str, tuple[int, dict[str, Any]]], **how: Any) -> Path:
    """The run's rows, the last of which has lists of so many entries instead."""
    table = pq.read_table(path)
    for name, (count, of) in lists.items():
        place = table.schema.get_field_index(name)
        column = pa.concat_arrays([table[name].combine_chunks().slice(0, len(table) - 1), entries(count, name, of)])
        table = table.set_column(place, table.schema.field(place), column)
    return written(path, table, **how)


def written(path: Path, table: pa.Table, **how: Any) -> Path:
    own = {"compression": "zstd", "compression_level": 9, "use_dictionary": False, "write_statistics": False}
    pq.write_table(table, path, write_page_checksum=True, **{**own, **how})
    return path


def by_number(text: str, count: int) -> pa.Array:
    """The text so many times, which stands there once."""
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), count), [text])


def with_column(path: Path, name: str, values: pa.Array, **how: Any) -> Path:
    table = pq.read_table(path)
    place = table.schema.get_field_index(name)
    return written(path, table.set_column(place, table.schema.field(place), values), **how)


CHUNK = {"gap_us": 20_000, "kind": "answer", "chars": 4}
SAMPLE = {"at_ns": 10**9, "system_used_bytes": 2 * 10**11, "engine_footprint_bytes": 10**11, "pressure_level": 1}
READING = {"name": "load", "number": 0.5}

# ---------------------------------------------------------------- at the limits


@tame
def as_many_operations_as_may_be(results: Results) -> Path:
    return kept(results, list(asked(capacity.ROWS)))


@tame
def a_request_of_each_of_many_prompts(results: Results) -> Path:
    return kept(results, list(asked(capacity.ROWS, prompts=capacity.DISTINCT)))


@tame
def a_quality_pass_of_many_prompts(results: Results) -> Path:
    return kept(results, list(asked(capacity.DISTINCT, prompts=capacity.DISTINCT, op="quality")))


@tame
def one_answer_in_many_chunks(results: Results) -> Path:
    path = kept(results, list(asked(2)))
    return with_lists(path, {"chunks": (capacity.AT_ONCE["chunks"], CHUNK)})


@tame
def many_answers_in_many_chunks(results: Results) -> Path:
    path = kept(results, list(asked(capacity.ROWS)))
    table = pq.read_table(path)
    each = capacity.LISTED["chunks"] // capacity.ROWS
    one = entries(each * capacity.ROWS, "chunks", CHUNK).values
    lists = pa.ListArray.from_arrays(pa.array(range(0, each * capacity.ROWS + 1, each), pa.int32()), one)
    place = table.schema.get_field_index("chunks")
    return written(path, table.set_column(place, table.schema.field(place), lists))


@tame
def many_samples_of_memory(results: Results) -> Path:
    path = kept(results, list(asked(2)))
    return with_lists(path, {"memory": (capacity.LISTED["memory"] - 100, SAMPLE)})


@tame
def every_list_at_once(results: Results) -> Path:
    path = kept(results, list(asked(2)))
    most = capacity.LISTED_ELSE - 100
    lists: dict[str, tuple[int, dict[str, Any]]] = {
        "chunks": (capacity.AT_ONCE["chunks"], CHUNK),
        "memory": (100_000, SAMPLE),
        "environment": (most, READING),
        "needles": (most, {"depth": 0.5, "name": "x", "number": "1", "found": True}),
        "roundtrip_us": (most, {"": 100}),
        "bench_tps": (most, {"": 50.0}),
        "loaded_instances": (most, {"": "a model"}),
    }
    return with_lists(path, lists)


@tame
def many_probes(results: Results) -> Path:
    readings = [{"name": f"reading {number}", "number": 0.5, "text": None, "reason": None} for number in range(10)]
    probe = {"op": "probe", "started_ns": 0, "roundtrip_us": [100] * 10, "environment": readings}
    return kept(results, [*asked(2), *([probe] * (capacity.ROWS - 2))])


@tame
def long_texts(results: Results) -> Path:
    long = "word " * (capacity.TEXT_BYTES // 5)
    texts = {"output_text": long, "reasoning_text": long}
    return kept(results, [{**row, **texts} for row in asked(capacity.WRITTEN_BYTES // capacity.TEXT_BYTES)])


@tame
def an_error_of_many_words_in_each_row(results: Results) -> Path:
    said = "refused " * (capacity.DESCRIBING_BYTES // capacity.ROWS // 8)
    failed = {"error_kind": "http", "error_detail": said, "chunks": None, "output_text": None}
    return kept(results, [{**row, **failed} for row in asked(capacity.ROWS)])


@tame
def names_as_long_as_may_be(results: Results) -> Path:
    long = "n" * (capacity.NAME - 8)
    named = dict.fromkeys(("model_key", "model_publisher", "model_variant", "quantization", "server_version"), long)
    named |= dict.fromkeys(("runtime_version", "runtime", "server", "chip", "os_name", "suite"), long)
    rows = [{**row, "prompt_id": f"{long}{row['prompt_id'][-4:]}"} for row in asked(1000, prompts=500)]
    return kept(results, rows, **named)


@tame
def many_rungs(results: Results) -> Path:
    needles = [{"depth": 0.5, "name": "x", "number": "1", "found": True}]
    rows = [
        {
            **row,
            "context_rung": 100 + number,
            "prompt_tokens": 100 + number,
            "needles": needles,
            "prompt_id": "rung-1-1",
        }
        for number, row in enumerate(asked(capacity.ROWS, op="context"))
    ]
    return kept(results, rows, suite="context")


@tame
def many_tests_of_a_bench(results: Results) -> Path:
    rows = [
        {"op": "bench", "bench_test": f"pp{number % 500}", "bench_depth": number, "bench_tps": [50.0 + number]}
        for number in range(capacity.ROWS)
    ]
    return kept(results, rows, server="llama-bench", suite=None, suite_sha256=None)


@tame
def many_checks_of_one_answer(results: Results) -> Path:
    run = kept(results, list(asked(8, op="quality")))
    rows = [
        {"run_id": RUN_ID, "op_index": number % 8, "prompt_id": f"prompt-{number % 8}", "check_id": f"c{number % 500}",
         "tier": "Q1", "outcome": "pass", "share": 1.0, "grader": "x", "grader_version": 1, "detail": "d" * 390,
         "graded_at": STARTED + timedelta(seconds=number)}
        for number in range(capacity.ROWS)
    ]  # fmt: skip
    return judged(results, run, rows, GRADE, GRADES_FORMAT, "grades")


@tame
def many_votes_by_many_voters(results: Results) -> Path:
    run = kept(results, list(asked(8, op="quality")))
    pair = {"a_run_id": RUN_ID, "a_op_index": 0, "b_run_id": RUN_ID, "b_op_index": 1, "choice": "a", "shown_first": "a"}
    about = {"voted_at": STARTED, "prompt_sha256": "hash of prompt-1", "nonce": "123456"}
    named = [f"{number:012x}" for number in range(capacity.ROWS)]
    rows = [{"vote_id": name, "voter": name, **about, **pair} for name in named]
    return judged(results, run, rows, VOTE, VOTES_FORMAT, "votes")


def judged(results: Results, run: Path, rows: list[Facts], columns: tuple[Column, ...], form: str, folder: str) -> Path:
    table = store.rows_as_table(rows, columns, form)
    target = results.root / folder / f"{run.stem}-bomb.parquet"
    store.keep(results, table, target, "bomb", "It", "")
    return target


# ---------------------------------------------------------------- beyond them


def raw(results: Results, **how: Any) -> Path:
    results.runs.mkdir(parents=True, exist_ok=True)
    return Raw(**how).write(results.runs / "raw.parquet")


@wild
def a_few_bytes_that_stand_for_many_numbers(results: Results) -> Path:
    return raw(results, values=200_000_000, told=10)


@wild
def the_same_with_an_honest_summary(results: Results) -> Path:
    return raw(results, values=200_000_000)


@wild
def a_page_that_says_a_thing_twice(results: Results) -> Path:
    return raw(results, values=20_000_000, told=10, twice=True)


@wild
def a_dictionary_of_countless_entries(results: Results) -> Path:
    return raw(results, values=10, entries=2**31 - 1)


@wild
def a_page_that_would_unpack_to_gigabytes(results: Results) -> Path:
    return raw(results, values=10, unpacked=2**31 - 1)


@wild
def numbers_as_differences(results: Results) -> Path:
    return raw(results, values=10, encoding=DELTA)


@wild
def countless_rows(results: Results) -> Path:
    path = kept(results, list(asked(1)))
    rows = pa.repeat(pa.scalar(1, pa.int32()), 1_000_000)
    return written(path, pa.table({"op_index": rows}, metadata=arrow_schema().metadata))


@wild
def countless_parts(results: Results) -> Path:
    path = kept(results, list(asked(200)))
    return written(path, pq.read_table(path), row_group_size=1)


@wild
def a_name_of_many_letters(results: Results) -> Path:
    return kept(results, list(asked(2)), model_key="m" * 2_000_000)


@wild
def a_long_text_meant_by_each_row(results: Results) -> Path:
    path = kept(results, list(asked(200)))
    long = by_number("x" * 1_000_000, 200)
    table = pq.read_table(path).drop_columns(["output_text"]).append_column("output_text", long)
    return written(path, table, use_dictionary=["output_text"], store_schema=False)


@wild
def a_long_text_in_each_entry_of_a_list(results: Results) -> Path:
    path, count = kept(results, list(asked(1))), 40_000
    readings = pa.StructArray.from_arrays([by_number("x" * 100_000, count)], names=["text"])
    lists = pa.ListArray.from_arrays(pa.array([0, count], pa.int32()), readings)
    table = pq.read_table(path).drop_columns(["environment"]).append_column("environment", lists)
    return written(path, table, use_dictionary=True, store_schema=False)


@wild
def texts_that_share_their_beginnings(results: Results) -> Path:
    path = kept(results, list(asked(200)))
    texts = pa.array(["x" * 400_000] * 200)
    how = {"column_encoding": {"output_text": "DELTA_BYTE_ARRAY"}}
    return with_column(path, "output_text", texts, **how)


@wild
def texts_that_compress_to_nothing(results: Results) -> Path:
    path = kept(results, list(asked(40)))
    texts = pa.array(["x" * 1_900_000] * 40)
    return with_column(path, "output_text", texts)


@wild
def more_chunks_than_any_context(results: Results) -> Path:
    path = kept(results, list(asked(2)))
    return with_lists(path, {"chunks": (2_000_000, CHUNK)})


@wild
def more_samples_than_a_day_has(results: Results) -> Path:
    path = kept(results, list(asked(2)))
    return with_lists(path, {"memory": (1_000_000, SAMPLE)})


@wild
def one_request_answered_many_times(results: Results) -> Path:
    same = {"nonce": "123456", "prompt_sha256": "5" * 64, "prompt_id": "same", "repeat": 1}
    return kept(results, [{**row, **same, "op": "quality"} for row in asked(600)])


@wild
def many_repeats_of_one_answer(results: Results) -> Path:
    same = {"nonce": "123456", "prompt_sha256": "5" * 64, "prompt_id": "same"}
    return kept(results, [{**row, **same, "op": "quality", "repeat": n} for n, row in enumerate(asked(600))])


@wild
def more_prompts_than_there_are(results: Results) -> Path:
    return kept(results, list(asked(capacity.DISTINCT + 1, prompts=capacity.DISTINCT + 1)))


@wild
def errors_of_too_many_words(results: Results) -> Path:
    return kept(results, [{**row, "error_kind": "http", "error_detail": "x" * 9_000} for row in asked(400)])


@wild
def a_file_of_noise(results: Results) -> Path:
    results.runs.mkdir(parents=True, exist_ok=True)
    path = results.runs / "noise.parquet"
    path.write_bytes(b"PAR1" + bytes(10_000_000) + b"PAR1")
    return path
