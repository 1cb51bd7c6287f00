"""Made-up requests put in the place of measured ones: the statistics above them are the views' own SQL, unchanged.

The warehouse computes a view once and keeps it. So the three views that everything above reads can be given other rows
(`fill`, or `put` where there are millions), and hundreds or thousands of data sets go through set_cells,
machine_spread, set_speed, pair_speed, framework_delta, stability and runtime_history in one query each: a set is a
machine of its own, and nothing is ever compared or pooled between machines. `refresh` brings the measured ones back.

    rows = [Row("m", runtime, 1, "a", repeat, 40, 200) for runtime in (MLX, LLAMA) for repeat in (1, 2)]
    fill(warehouse, rows)
    warehouse.rows("from framework_delta")      # one row
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
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
    """One request. Runs of one machine, runtime and model are one configuration; a later number began later."""

    machine: str
    runtime: str
    run: int
    prompt: str
    repeat: int
    decode_tps: float | None
    ttft_ms: float | None
    exclusion: str | None = None
    model: str = ""
    version: str | None = None  # of the runtime
    system: str | None = None
    is_interrupted: bool = False
    tokens: int = 400
    early_tps: float | None = None  # decode speed over the first 256 tokens

    @property
    def configuration(self) -> str:
        return f"{self.machine} {self.runtime} {self.model}".strip()

    @property
    def run_id(self) -> str:
        return f"{self.configuration} {self.run}"


def fill(warehouse: Warehouse, rows: Iterable[Row], **facts: Any) -> None:
    """Let request_speed, request_flags and stg_runs have these rows and no others.

    `facts`: columns of stg_runs for all runs, over `ALIKE`. The configuration's id is `machine runtime`, with the model
    where it has a name, the run's that and its number.
    """
    given = list(rows)
    run_ids = [row.run_id for row in given]
    runs = list(dict(zip(run_ids, given, strict=True)).values())
    put(
        warehouse,
        {
            "run_id": [row.run_id for row in runs],
            "configuration_id": [row.configuration for row in runs],
            "machine": [row.machine for row in runs],
            "runtime": [row.runtime for row in runs],
            "model": [row.model or ALIKE["model"] for row in runs],
            "runtime_version": pa.array([row.version for row in runs], pa.string()),
            "os": pa.array([row.system for row in runs], pa.string()),
            "run_state": ["interrupted" if row.is_interrupted else "complete" for row in runs],
            "run_started_at": [STARTED + timedelta(hours=row.run) for row in runs],
        },
        {
            "run_id": run_ids,
            "prompt_id": [row.prompt for row in given],
            "repeat": [row.repeat for row in given],
            "decode_tps": pa.array([row.decode_tps for row in given], pa.float64()),
            "decode_256_tps": pa.array([row.early_tps for row in given], pa.float64()),
            "ttft_ms": pa.array([row.ttft_ms for row in given], pa.float64()),
            "completion_tokens": [row.tokens for row in given],
            "exclusion": pa.array([row.exclusion for row in given], pa.string()),
        },
        **facts,
    )


def put(warehouse: Warehouse, runs: Mapping[str, Any], requests: Mapping[str, Any], **facts: Any) -> None:
    """The same of columns: those of stg_runs beside `ALIKE`, and those of request_speed with `exclusion`."""
    count = len(requests["run_id"])
    places = range(count)
    failed = pa.repeat(pa.scalar(False), count)
    owners = runs["configuration_id"]
    alike = {name: [value] * len(owners) for name, value in {**ALIKE, **facts}.items()}
    stand_in(warehouse, "stg_runs", {**alike, "ladder_id": owners, "label": owners, **runs})
    speeds = {name: values for name, values in requests.items() if name != "exclusion"}
    stand_in(
        warehouse,
        "request_speed",
        {
            "op_index": places,
            "position": places,
            "prompt_category": pa.repeat(pa.scalar("synthetic"), count),
            "prompt_sha256": requests["prompt_id"],
            "is_failed": failed,
            **speeds,
        },
    )
    flags = {"run_id": requests["run_id"], "prompt_id": requests["prompt_id"], "op_index": places, "position": places}
    told = requests.get("exclusion", pa.nulls(count, pa.string()))
    stand_in(warehouse, "request_flags", {**flags, "is_failed": failed, "exclusion": told})


def stand_in(warehouse: Warehouse, view: str, columns: "Mapping[str, Sequence[Any] | pa.Array]") -> None:
    """Let a view hold just this until the next `refresh`; a column not given is NULL."""
    con = warehouse._con
    own = "from duckdb_tables() where database_name = current_database() and table_name = $view"
    if not con.sql(own, params={"view": view}).fetchall():
        warehouse.rows(f"from {view} limit 0")  # computes it, with what it reads
    warehouse._made.add(view)
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
    return values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
