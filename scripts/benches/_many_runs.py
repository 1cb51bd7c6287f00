"""Made-up run files by the thousand: the project's own schema and encoding, over as many configurations at any size.

A few runs of each cell of the plan are made row by row, with every chunk and every memory sample; the others are these
with other ids, times, speeds and texts. Speeds are nobody's measurements. The same number gives the same file.
"""

import hashlib
import math
import random
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from functools import cache
from multiprocessing import get_context
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from collector import store
from collector.backends import Facts
from collector.haystack import SOURCE
from collector.schema import COLUMNS, SCHEMA_VERSION, Results, arrow_schema
from tests import worlds

BEGAN = datetime(2026, 1, 1)
APART = timedelta(minutes=30)
SUITE = "standard+coding-agent"  # seven prompts
REPEATS = 5
CHUNKS = 500
SAMPLE_S = 0.25  # as the sampler's
VARIANTS = 2
MACHINES = (worlds.STUDIO, worlds.LAPTOP)
RUNS_OF_A_VERSION = 500
TIMES = ("headers_ns", "first_event_ns", "first_text_ns", "first_answer_ns", "last_text_ns", "done_ns", "elapsed_ns")


def cells() -> list[worlds.Cell]:
    """What can be loaded of the plan."""
    return [
        cell
        for cell in worlds.plan().values()
        if cell.quantization in worlds.SPEEDS[cell.model] and cell.quantization != "BF16"
    ]


def configurations() -> int:
    """How many there are, as soon as there are as many runs."""
    return len(cells()) * len(MACHINES)


def make(results: Results, first: int, end: int) -> None:
    """Write the runs numbered from `first` to below `end`, in two processes."""
    results.runs.mkdir(parents=True, exist_ok=True)
    numbers = range(first, end)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(_write_all, [results] * 2, [numbers[::2], numbers[1::2]]))


def write(results: Results, number: int) -> None:
    """Write one run, as `collect` does at its end."""
    facts, table = run(number)
    store.keep(results, table, results.runs / store.file_name(facts), facts["run_id"], "The run", "")


def _write_all(results: Results, numbers: Iterable[int]) -> None:
    for number in numbers:
        write(results, number)


def run(number: int) -> tuple[Facts, pa.Table]:
    """A run's facts, and its rows as they are stored."""
    place, machine = number // len(MACHINES), MACHINES[number % len(MACHINES)]
    which = place % len(cells())
    cell = cells()[which]
    chance = random.Random(number)
    facts: Facts = {
        **machine,
        **cell.facts,
        "runtime_version": f"2.{number // RUNS_OF_A_VERSION}.0",
        "run_id": hashlib.sha256(str(number).encode()).hexdigest()[:12],
        "run_started_at": BEGAN + number * APART,
    }
    table = template(which, place // len(cells()) % VARIANTS, CHUNKS)
    rows = len(table)
    pace = math.exp(chance.gauss(0, 0.01))
    paces = pa.array([pace * math.exp(chance.gauss(0, 0.006)) for _ in range(rows)])
    changed = {name: pa.array([value] * rows, table.schema.field(name).type) for name, value in facts.items()}
    changed |= {name: _scaled(table[name].combine_chunks(), paces) for name in TIMES}
    changed["chunks"] = _paced(table["chunks"].combine_chunks(), paces)
    texts = [text and excerpt(chance, len(text)) for text in table["output_text"].to_pylist()]
    changed["output_text"] = pa.array(texts, pa.string())
    for name, values in changed.items():
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), values)
    return facts, table


def _scaled(values: pa.Array, paces: pa.Array) -> pa.Array:
    return pc.cast(pc.round(pc.multiply(pc.cast(values, pa.float64()), paces)), pa.int64())


def _paced(chunks: pa.ListArray, paces: pa.Array) -> pa.ListArray:
    gap, kind, chars = chunks.flatten().flatten()
    gap = _scaled(gap, paces.take(chunks.value_parent_indices()))
    fields = list(chunks.type.value_type)
    return pa.ListArray.from_arrays(
        chunks.offsets, pa.StructArray.from_arrays([gap, kind, chars], fields=fields), mask=chunks.is_null()
    )


@cache
def template(which: int, variant: int, chunks: int | None) -> pa.Table:
    """A run of a cell row by row: so many chunks a request, or as many as the plan's token limits allow."""
    cell = cells()[which]
    chance = random.Random(f"{which} {variant}")
    known = worlds.prompts_of(SUITE)
    limits = {prompt.id: chunks or prompt.max_tokens for prompt in known.prompts}
    requests, at_ns = [], 90 * worlds.SECOND
    for row in worlds.timed(cell, known, chance, cell.tps, 0.01, REPEATS, None):
        tps = cell.tps * math.exp(chance.gauss(0, 0.01))
        ttft_ms = 110 + row["prompt_tokens"] * 30_000 / 1000 / cell.tps
        new = {**row, **streamed(chance, tps, ttft_ms, limits[row["prompt_id"]]), "started_ns": at_ns}
        requests.append({**new, "output_text": excerpt(chance, 2 * limits[row["prompt_id"]])})
        at_ns += new["elapsed_ns"] + worlds.SECOND
    warm = [
        {**row, "op": "warm", **streamed(chance, cell.tps, 150, 16), "output_text": excerpt(chance, 32)}
        for row in requests[REPEATS - 1 :: REPEATS]
    ]
    load = {"op": "load", "started_ns": 5 * worlds.SECOND, "elapsed_ns": 30 * worlds.SECOND, "load_is_repeat": True}
    before = {"op": "idle", "started_ns": 0, "elapsed_ns": 5 * worlds.SECOND}
    unload = {"op": "unload", "started_ns": at_ns, "elapsed_ns": 2 * worlds.SECOND}
    after = {"op": "idle", "started_ns": at_ns + 3 * worlds.SECOND, "elapsed_ns": 20 * worlds.SECOND}
    probes = worlds.survey(worlds.SECOND * 40), worlds.survey(at_ns)
    rows: list[Facts] = [before, load, probes[0], *requests, *warm, probes[1], unload, after]
    for index, row in enumerate(rows):
        row["op_index"] = index
        if row["op"] in ("idle", "load", "request", "warm"):
            row["memory"] = sampled(chance, cell, row["started_ns"], row["elapsed_ns"], row["op"])
    checks = [{"name": f"check {n}", "verdict": "pass", "detail": f"as it should be, {n}"} for n in range(12)]
    facts = {"suite": SUITE, "suite_sha256": known.sha256, "repeats": REPEATS, "preflight": checks}
    facts |= {"run_seconds": at_ns / 1e9 + 40, "kept_awake_by": "caffeinate", "collector_version": "0.1.0"}
    facts |= {"schema_version": SCHEMA_VERSION, "run_state": "complete"}
    columns = {
        column.name: [facts.get(column.name)] * len(rows)
        if column.scope == "run"
        else [row.get(column.name) for row in rows]
        for column in COLUMNS
    }
    schema = arrow_schema()
    return pa.table([pa.array(columns[field.name], field.type) for field in schema], schema=schema)


def streamed(chance: random.Random, tps: float, ttft_ms: float, tokens: int) -> Facts:
    """A stream of one token a chunk: gaps with a machine's noise to the microsecond, characters as words have them."""
    made = worlds.answered(chance, tps, ttft_ms, 1)
    usual = 1e6 / tps
    gaps = [round(1000 * ttft_ms), *(max(1, round(chance.gauss(usual, usual * 0.03))) for _ in range(tokens - 1))]
    last = sum(gaps) * 1000
    return {
        **made,
        **dict.fromkeys(("last_text_ns", "done_ns", "elapsed_ns"), last),
        "completion_tokens": tokens,
        "chunks": [{"gap_us": gap, "kind": "answer", "chars": chance.choice((1, 1, 2, 2, 3, 4))} for gap in gaps],
        "slept_ms": 0,
        "finish_reason": "length",
        "client_cpu_us": 40 * tokens,
    }


def sampled(chance: random.Random, cell: worlds.Cell, from_ns: int, elapsed_ns: int, op: str) -> list[dict[str, Any]]:
    """What the sampler would have seen: figures that wander by pages of 16 KiB."""
    found, used = [], 0.0
    for number in range(max(1, int(elapsed_ns / 1e9 / SAMPLE_S))):
        at_ns = from_ns + round((number + 0.5 + chance.gauss(0, 0.02)) * SAMPLE_S * 1e9)
        sample = worlds.sample(at_ns, cell, chance.random() / 10)
        used += chance.gauss(0, 40)
        if op == "idle":
            sample = {**sample, "system_used_bytes": round(worlds.AT_REST_GB * worlds.GB)}
            sample["engine_footprint_bytes"] = None
        for name in ("system_used_bytes", "engine_footprint_bytes"):
            sample[name] = sample[name] and (sample[name] // 16384 + round(used)) * 16384
        found.append(sample)
    return found


@cache
def _novel() -> str:
    return SOURCE.read_text(encoding="utf-8")


def excerpt(chance: random.Random, length: int) -> str:
    """So many characters of a novel."""
    start = chance.randrange(len(_novel()) - length)
    return _novel()[start : start + length]
