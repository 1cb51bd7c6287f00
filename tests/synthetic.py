"""Made-up requests put in the place of measured ones: the statistics above them are the views' own SQL, unchanged.

The warehouse computes a view once and keeps it. So the three views that everything above reads can be given other rows
(`fill`), and hundreds or thousands of data sets go through pair_prompts, pair_speed, framework_delta, stability,
run_speed and run_summary in one query each: a set is a machine of its own, and nothing is ever compared between
machines. `refresh` brings the measured ones back.

    rows = [row for number in range(200) for row in two_sides(chance, f"set {number}", ratio=1.25, noise=0.01)]
    fill(warehouse, rows)
    warehouse.rows("from framework_delta")      # 200 rows
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import pyarrow as pa

from site_src.warehouse import Warehouse

MLX, LLAMA = "mlx", "llama.cpp"
STARTED = datetime(2026, 1, 1)
# What runs of all sides have in common, as stg_runs names it; both sides may be compared in everything.
ALIKE: dict[str, Any] = {
    "run_state": "complete",
    "is_forced": False,
    "is_macos": True,
    "server": "lmstudio",
    "endpoint": "/v1/chat/completions",
    "model": "a model",
    "quantization": "4bit",
    "bits": 4,
    "context_effective": 131072,
    "parallel": 1,
    "suite": "standard",
    "sampling": "temperature=0.7",
}


class Row(NamedTuple):
    """One request. Runs of one machine and runtime are one configuration; a later number began later."""

    machine: str
    runtime: str
    run: int
    prompt: str
    repeat: int
    decode_tps: float | None
    ttft_ms: float | None
    exclusion: str | None = None


def two_sides(
    chance: Random,
    machine: str,
    *,
    ratio: float = 1.0,
    noise: float,
    spread: float = 0.0,
    between: float = 0.0,
    prompts: int = 7,
    repeats: int = 5,
    runs: int = 1,
) -> Iterator[Row]:
    """Runs of each side, with the true ratio of MLX over llama.cpp for prompts like these.

    One prompt's ratio is off the true one by a normal deviate of `spread`, a run's speed by one of `between`, a
    request's by one of `noise`, all on the logarithm, so that 0.01 is a CV of 1 %.
    """
    usual = {LLAMA: [math.log(30) + chance.gauss(0, 0.2) for _ in range(prompts)]}
    usual[MLX] = [center + math.log(ratio) + chance.gauss(0, spread) for center in usual[LLAMA]]
    for runtime, centers in usual.items():
        for run in range(1, runs + 1):
            off = chance.gauss(0, between)
            for number, center in enumerate(centers):
                for repeat in range(1, repeats + 1):
                    decode = math.exp(center + off + chance.gauss(0, noise))
                    ttft = math.exp(math.log(6000) - center - off + chance.gauss(0, noise))
                    yield Row(machine, runtime, run, f"prompt {number}", repeat, decode, ttft)


def fill(warehouse: Warehouse, rows: Iterable[Row], **facts: Any) -> None:
    """Let request_speed, request_flags and stg_runs have these rows and no others. `facts`: columns of stg_runs for all
    runs, over `ALIKE`. The configuration's id is `machine runtime`, the run's `machine runtime number`."""
    columns = list(zip(*rows, strict=True))
    machines, runtimes, numbers, prompts, repeats, decode, ttft, exclusions = columns
    owners = [f"{machine} {runtime}" for machine, runtime in zip(machines, runtimes, strict=True)]
    run_ids = [f"{owner} {number}" for owner, number in zip(owners, numbers, strict=True)]
    runs = dict(zip(run_ids, zip(machines, runtimes, owners, numbers, strict=True), strict=True))
    machines, runtimes, owners, numbers = zip(*runs.values(), strict=True)
    stand_in(
        warehouse,
        "stg_runs",
        {name: [value] * len(runs) for name, value in {**ALIKE, **facts}.items()}
        | {
            "run_id": list(runs),
            "machine": machines,
            "runtime": runtimes,
            "configuration_id": owners,
            "ladder_id": owners,
            "label": owners,
            "run_started_at": [STARTED + timedelta(hours=number) for number in numbers],
        },
    )
    requests = {
        "run_id": run_ids,
        "op_index": range(len(run_ids)),
        "prompt_id": prompts,
        "position": range(len(run_ids)),
    }
    stand_in(
        warehouse,
        "request_speed",
        {
            **requests,
            "prompt_category": ["synthetic"] * len(run_ids),
            "prompt_sha256": prompts,
            "repeat": repeats,
            "is_failed": [False] * len(run_ids),
            "completion_tokens": [400] * len(run_ids),
            "decode_tps": pa.array(decode, pa.float64()),
            "ttft_ms": pa.array(ttft, pa.float64()),
        },
    )
    flags = {"is_failed": [False] * len(run_ids), "exclusion": pa.array(exclusions, pa.string())}
    stand_in(warehouse, "request_flags", {**requests, **flags})


def stand_in(warehouse: Warehouse, view: str, columns: "dict[str, Sequence[Any] | pa.Array]") -> None:
    """Let a view hold just this until the next `refresh`; a column not given is NULL."""
    warehouse.rows(f"from {view} limit 0")  # computes it, with what it reads
    con = warehouse._con
    con.sql(f"truncate {view}")
    con.register("incoming", pa.table({name: _array(values) for name, values in columns.items()}))
    con.sql(f"insert into {view} by name from incoming")
    con.unregister("incoming")
    stale = {view}
    for name, other in warehouse._views.items():
        if other.reads & stale:
            stale.add(name)
    warehouse._made -= stale - {view}


def _array(values: "Sequence[Any] | pa.Array") -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values)
