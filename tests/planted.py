"""Made-up results whose truth is known: runs as they are stored, and rows put in the place of a view's own.

`Planted` is a warehouse of no results in which a view holds just the rows it is given; whatever reads it is computed
from them. So a rule is tried with the rows that matter to it, both sides of a threshold to the last digit, in
milliseconds:

    planted = Planted()
    planted.put("candidates", {"configuration_id": "a", "is_rated": True, "budget_gb": 200.0, …}, …)
    planted.rows("from recommendation")
"""

import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pytest
from scipy import stats

from collector import store
from collector.backends import Facts
from collector.judgments import VOTE, VOTES_FORMAT
from collector.schema import Results
from site_src import warehouse
from site_src.layers import View, in_layers
from site_src.warehouse import WIDE, Warehouse
from tests.conftest import RUN, STARTED, of_its_own, request
from tests.texts import LOOP, RIGHT, WRONG, answer, answers

Row = dict[str, Any]
Run = list[Facts]

GB = 10**9
MARGIN = math.log(1.03)
PROMPTS = ("qa", "quicksort", "backprop", "puzzle", "review", "agent1", "agent2")


# ---------------------------------------------------------------- rows in the place of a view's own


class Planted:
    """A warehouse of no results, and rows for any of its views or raw tables."""

    def __init__(self) -> None:
        self.warehouse = Warehouse(Results(Path(__file__) / "no results"))
        self.warehouse._make(set(self.warehouse.views))
        self._of_nothing = {view for view in self.warehouse.views if not self.rows(f"from {view} limit 1")}
        self._filled: set[str] = set()
        self._tables: set[str] = set()  # views that stand there as tables of the right columns

    def put(self, view: str, *rows: Mapping[str, Any]) -> None:
        """Let a view hold these rows and no others; a column that is not given is NULL."""
        warehouse = self.warehouse
        if view in warehouse._views and view not in self._tables:
            warehouse._make({view})
            warehouse._con.sql(f"create or replace table emptied as from {view} limit 0")
            warehouse._con.sql(f"drop {'view' if view in WIDE else 'table'} {view}")
            warehouse._con.sql(f"alter table emptied rename to {view}")
            self._tables.add(view)
        warehouse._con.sql(f"truncate {view}")
        warehouse._made.add(view)
        self._filled.add(view)
        self._forget_readers_of(view)
        if rows:
            names = dict.fromkeys(name for row in rows for name in row)
            columns = {name: [row.get(name) for row in rows] for name in names}
            warehouse._con.register("incoming", pa.table(columns))
            warehouse._con.sql(f"insert into {view} by name from incoming")
            warehouse._con.unregister("incoming")

    def leave_empty(self, *views: str) -> None:
        """Views that no rows were put into hold none, whatever is put into those they read."""
        for view in views:
            if view not in self._filled:
                self.put(view)

    def rows(self, query: str, **values: Any) -> list[Row]:
        """The answer to a query."""
        return self.warehouse.rows(query, **values)

    def clear(self) -> None:
        """No view holds anything that was put there."""
        filled, self._filled = self._filled, set()
        for name in filled:
            self.warehouse._con.sql(f"truncate {name}")
        for name in filled:
            self._forget_readers_of(name)
        self.warehouse._made -= filled - self._of_nothing
        self.warehouse._made |= (filled & self._of_nothing) - {*WIDE}

    def _forget_readers_of(self, view: str) -> None:
        warehouse, gone = self.warehouse, {view}
        for name, other in warehouse._views.items():  # each after those it reads
            if other.reads & gone and name not in self._filled:
                gone.add(name)
        warehouse._made -= gone - self._filled
        for name in {*WIDE} & self._tables & gone - self._filled:
            warehouse._con.sql(f"drop table {name}")  # a view takes its place again
            self._tables.discard(name)


@cache
def _layers() -> dict[str, View]:
    views = in_layers().items()
    return {name: replace(view, sql=view.sql.partition("\ncomment on")[0]) for name, view in views}


@pytest.fixture(scope="module", autouse=True)
def views_without_comments() -> Iterator[None]:
    """A test file that imports this reads the views once, without their comments: to parse these takes longest."""
    layers = _layers()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warehouse, "in_layers", lambda: dict(layers))
        yield


@cache
def shared() -> Planted:
    """Making all views takes a second, so all tests of a process share one warehouse; `clear` it afterwards."""
    return Planted()


def grade(warehouse: Warehouse, gates: Mapping[str, str]) -> None:
    """Let configurations have these quality gates, as if outputs had been graded; before anything reads them."""
    warehouse.rows("from configuration_quality")  # so that the table is there
    rows = [{"configuration_id": name, "gate": gate, "reason": f"graded {gate}"} for name, gate in gates.items()]
    warehouse._con.register("graded", pa.Table.from_pylist(rows))
    warehouse._con.sql("truncate configuration_quality")
    warehouse._con.sql("insert into configuration_quality by name from graded")
    warehouse._con.unregister("graded")


# ---------------------------------------------------------------- statistics by another hand


def student_t(values: Iterable[float]) -> tuple[float, float, float]:
    """Geometric mean and the ends of its 95 % interval, Student-t on the logarithm."""
    logs = [math.log(value) for value in values]
    center = sum(logs) / len(logs)
    low, high = stats.t.interval(0.95, len(logs) - 1, loc=center, scale=stats.sem(logs))
    return math.exp(center), math.exp(low), math.exp(high)


def of_median(values: Iterable[float]) -> tuple[float, float, float]:
    """Median and the ends of the interval around it: Student-t on the logarithm, a median's standard error being
    sqrt(pi / 2) that of a mean from three values on."""
    logs = [math.log(value) for value in values]
    margin = stats.t.ppf(0.975, len(logs) - 1) * stats.sem(logs) * (math.sqrt(math.pi / 2) if len(logs) > 2 else 1)
    center = median(logs)
    return math.exp(center), math.exp(center - margin), math.exp(center + margin)


def two_samples(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    """Ratio of geometric means and the ends of its 95 % interval: both sides independent, each with its own spread."""
    logs = [[math.log(value) for value in side] for side in (a, b)]
    low, high = stats.ttest_ind(*logs, equal_var=False).confidence_interval(0.95)
    return stats.gmean(a) / stats.gmean(b), math.exp(low), math.exp(high)


# ---------------------------------------------------------------- runs as they are stored


def mlx(quantization: str = "4bit", model: str = "minimax-m2.1", **more: Any) -> Facts:
    """Run columns of a model on MLX."""
    return {
        "runtime": "mlx",
        "model_key": f"mlx-community/{model}-{quantization}",
        "model_format": "mlx",
        "quantization": quantization,
        "parallel": 1,
        **more,
    }


def gguf(quantization: str = "Q4_K_M", model: str = "minimax-m2.1", **more: Any) -> Facts:
    """Run columns of a model on llama.cpp."""
    key = f"unsloth/{model}@{quantization.lower()}"
    return {"runtime": "llama.cpp", "model_key": key, "quantization": quantization, "parallel": 1, **more}


def speeds(prompt: str, *values: float, **more: Any) -> Run:
    """Requests of one prompt at these speeds, a repeat each."""
    return [request(prompt, repeat, tps=tps, **{"tokens": 40, **more}) for repeat, tps in enumerate(values, start=1)]


def loaded(gb: float, seconds: float = 20.0, is_repeat: bool | None = None, at_gb: float = 20.0) -> Run:
    """A baseline, a load of so many seconds, and what the machine and the engine had in use above it."""
    before = {"at_ns": 10**9, "system_used_bytes": round(at_gb * GB)}
    after = {
        "at_ns": 300 * 10**9,
        "system_used_bytes": round((at_gb + gb) * GB),
        "engine_footprint_bytes": round(gb * GB),
    }
    load = {"op": "load", "started_ns": 2 * 10**9, "elapsed_ns": round(seconds * 1e9), "load_is_repeat": is_repeat}
    return [{"op": "idle", "started_ns": 0, "memory": [before]}, load, {"op": "idle", "memory": [after]}]


def rung(tokens: int, hits: int = 6, ttft_ms: float | None = None, tps: float = 40.0, **more: Any) -> Run:
    """Both prompts of a rung of a ladder, three needles in each, of which the answers name so many in all."""
    return [
        {
            **request(
                f"rung-{tokens}-{number}",
                number,
                ttft_ms=ttft_ms or tokens / 2,
                tps=tps,
                **{"prompt_tokens": tokens, **more},
            ),
            "op": "context",
            "context_rung": tokens,
            "context_expected_tokens": tokens,
            "needles": [
                {"depth": place / 4, "name": f"needle {place}", "number": "1", "found": place < found}
                for place in range(3)
            ],
            **more,
        }
        for number, found in ((1, min(hits, 3)), (2, max(hits - 3, 0)))
    ]


def suite(
    base: float,
    *,
    prompts: Sequence[str] = PROMPTS,
    repeats: int = 3,
    cv: float = 0.0,
    spread: float = 0.0,
    change: float = 0.0,
    ttft_ms: float = 300.0,
    seed: int = 0,
    **more: Any,
) -> Run:
    """A suite's requests: prompts at 2 % steps from `base`, repeats with a CV, each prompt's speed off by a `spread`
    of its own (the same for the same seed), all of it faster by a `change`."""
    chance = random.Random(seed)
    rows: Run = []
    for place, prompt in enumerate(prompts):
        usual = base * (1 + 0.02 * place) * math.exp(chance.gauss(0, 1) * spread) * (1 + change)
        for repeat in range(1, repeats + 1):
            tps, ttft = (usual * math.exp(chance.gauss(0, 1) * cv), ttft_ms * math.exp(chance.gauss(0, 1) * cv))
            rows += [request(prompt, repeat, tps=tps, ttft_ms=ttft, **{"tokens": 40, **more})]
    return rows


def written(results: Results, *runs: Run, **facts: Any) -> list[Path]:
    """Each list of rows as one run file; the first row may be run columns of that run only."""
    paths = []
    for number, rows in enumerate(runs):
        own = rows[0] if rows and "op" not in rows[0] else {}
        operations = [dict(row, op_index=i) for i, row in enumerate(row for row in rows if "op" in row)]
        began = STARTED + timedelta(minutes=number)
        columns = {**RUN, "run_id": f"{number:012x}", "run_started_at": began, **facts, **own}
        paths.append(store.write(results, columns, of_its_own(operations, number)))
    return paths


def surveyed(op_index_s: float, **readings: Any) -> Facts:
    """A probe: round trips, and what the machine was doing."""
    told = [
        {
            "name": name,
            "number": value if isinstance(value, float) else None,
            "text": value if isinstance(value, str) else None,
            "reason": None if value is not None else "not told",
        }
        for name, value in readings.items()
    ]
    return {"op": "probe", "started_ns": round(op_index_s * 1e9), "roundtrip_us": [300, 500, 400], "environment": told}


def everything() -> list[Run]:
    """A bit of all that a results folder may hold: both runtimes, two machines and models, several runs and versions of
    a configuration, ladders, failures, readings, another server, an imported file."""
    chance = random.Random(7)
    power = {"power_source": "AC Power", "thermal_pressure": None, "free_memory_bytes": 4e11, "cpu_busy_percent": 3.5}

    def measured(facts: Facts, gb: float, base: float, *, is_repeat: bool | None = None, **more: Any) -> Run:
        asked = {"prompt_tokens": 900, "cached_tokens": 0, "client_cpu_us": 4100, **more}
        rows = suite(base, seed=chance.randrange(10**6), cv=0.013, prompts=PROMPTS[:4], **asked)
        for place, row in enumerate(rows, start=1):
            row |= {"position": place, "nonce": f"{place:06d}", "block": 1, "order_code": "ABBA"}
            row["reported_decode_tps"] = base * 1.01
            row["output_text"] = "Fine."  # a loop would fail the gate, and nothing were recommended
            sample = {"at_ns": place * 10**9, "pressure_level": 1, "thermal_level": 0, "swap_used_bytes": 0}
            row["memory"] = [sample | {"system_used_bytes": round((20 + gb - chance.random()) * GB)}]
        began = ("first_event_ns", "first_text_ns", "first_answer_ns")
        warm = [
            {**row, "op": "warm", **{name: row[name] // 3 for name in began}, "cached_tokens": 850} for row in rows[-4:]
        ]
        load = loaded(gb + chance.random(), gb / 9 + chance.random(), is_repeat)
        return [
            {"run_seconds": 500 + 100 * chance.random(), "repeats": 3, **facts},
            *(load if gb else []),
            surveyed(5, **power),
            *rows,
            *warm,
            surveyed(400, **power, power_mode="high"),
            *([{"op": "unload", "started_ns": 500 * 10**9, "elapsed_ns": 10**9}] if gb else []),
        ]

    def ladder(facts: Facts, *rungs: tuple[int, int], gb: float = 130.0) -> Run:
        rows: Run = []
        for tokens, hits in rungs:
            used = round((20 + gb) * GB) + 10**5 * tokens
            memory = [{"at_ns": 400 * 10**9 + tokens, "system_used_bytes": used}]
            rows += rung(tokens, hits, tps=50 - tokens / 4096 + chance.random(), memory=memory)
        return [{**facts, "suite": "context", "context_budget_s": 3600.0}, *loaded(gb, 15.0), *rows]

    refused = {
        "error_kind": "context_overflow",
        "first_text_ns": None,
        "prompt_tokens": None,
        "completion_tokens": None,
    }
    bench = [
        {"op": "bench", "bench_test": test, "bench_depth": 0, "bench_tps": [30.1, 31.2]} for test in ("pp512", "tg128")
    ]
    other = {"chip": "Apple M4 Max", "gpu_cores": 40, "memory_bytes": 128 * 2**30}
    linux = {"os_name": "Ubuntu", "os_version": "24.04", "server": "llama-server", "chip": "EPYC", "gpu_cores": None}
    qwen = "qwen3-coder-next"
    return [
        measured(mlx(run_started_at=STARTED), 120, 50, is_repeat=False),
        measured(gguf(), 138, 40, is_repeat=False),
        measured(gguf(server_version="0.4.17"), 138, 39.7, is_repeat=True),
        measured(mlx(run_started_at=STARTED, runtime_version="3.0", model_requested="k"), 120, 54, is_repeat=True),
        measured(mlx("8bit"), 240, 30),
        measured(gguf("Q8_0", wired_limit_mb=450_000), 243, 30.2),
        measured(gguf("Q6_K", context_effective=65536), 188, 35),
        measured(mlx("4bit", qwen, parallel=None), 46, 70),
        measured(gguf("Q4_K_M", qwen), 49, 69, error_kind="truncated_in_reasoning"),
        measured(gguf("Q4_K_M", qwen, **other), 49, 33),
        measured(mlx("4bit", qwen, **other), 47, 36),
        measured(mlx("4bit", qwen, run_state="interrupted", run_seconds=None, **other), 47, 36),
        measured(gguf("Q4_1", "smollm2-135m-instruct", **linux), 0, 85),
        measured(gguf("Q2_K", qwen, forced=True), 30, 80, cached_tokens=500),
        measured(gguf("Q4_0", qwen), 46, 75, error_kind="timeout"),
        [gguf("BF16"), *loaded(0)[:1], {"op": "load", "elapsed_ns": 10**9, "error_kind": "load_failed"}],
        [gguf("Q4_K_S"), *speeds("qa", 41.0), request("puzzle", completion_tokens=None, chunks=[])],
        [gguf("Q5_K_M"), request("essay", tokens=300)],  # longer than what speeds are compared over
        [{**mlx(), "model_key": None, "quantization": None}, *speeds("qa", 41.0, 41.0, 41.0)],
        [
            gguf(),
            *answers(),
            *answers(repeat=2),
            *answers(RIGHT, op="fidelity"),
            *answers(RIGHT, op="fidelity", repeat=2),
        ],
        [
            gguf("Q8_0"),
            *answers(),
            *(answer(name, text[::-1], "fidelity", n) for name, text in RIGHT.items() for n in (1, 2)),
        ],
        [mlx(), *answers(WRONG), answer("short", LOOP, "request")],
        [mlx("4bit", qwen), *answers({**RIGHT, "long": LOOP})],
        [gguf("Q4_K_M", qwen), *answers({**WRONG, "short": ""}, finish_reason="length")],
        ladder(mlx(), (16384, 6), (65536, 5), (131072, 2)),
        [*ladder(gguf(), (16384, 6), (65536, 6)), *rung(200000, **refused)],
        ladder(gguf("Q4_K_M", context_effective=196608, context_requested=196608), (131072, 6), (180000, 4), gb=150),
        [{**gguf("Q4_K_M"), "server": "llama-bench", "runtime_version": "b1"}, *bench],
    ]


def judged() -> list[Run]:
    """Outputs of a quality pass of four builds, of which people may prefer one."""
    return [
        [
            facts,
            *(
                {**request(prompt, repeat, nonce=f"{place}{repeat:05d}", tokens=3), "op": "quality"}
                | {"output_text": f"{name} on {prompt}, {repeat}"}
                for place, prompt in enumerate(PROMPTS)
                for repeat in (1, 2)
            ),
        ]
        for name, facts in (
            *(("one", mlx()), ("two", mlx("8bit")), ("three", gguf())),
            ("four", mlx("4bit", "qwen3-coder-next")),
        )
        for facts in ({**facts, "run_id": f"{name:f>12}"},)
    ]


def voted(results: Results) -> None:
    """Votes on these outputs: two people on two pairs of builds, one on two others; and one that counts for nothing."""
    chance = random.Random(11)
    pairs = Warehouse(results).rows("from vote_choices order by place")
    builds = sorted({(row["a_id"], row["b_id"]) for row in pairs})
    rows = [
        {**{column.name: pair.get(column.name) for column in VOTE}, "voter": f"{voter:012x}"}
        for pair in pairs
        for voter in (0, 1)
        if builds.index((pair["a_id"], pair["b_id"])) < 2 + 2 * (voter == 0) and chance.random() < 0.8
    ]
    rows.append({**rows[0], "a_sha256": "0" * 64, "voter": f"{2:012x}"})
    for number, row in enumerate(rows):
        choice = chance.choice(["a", "a", "a", "b", "tie", "both bad"])
        row |= {"vote_id": f"{number:012x}", "voted_at": STARTED, "shown_first": chance.choice("ab"), "choice": choice}
        table = store.rows_as_table([row], VOTE, VOTES_FORMAT)
        store.keep(results, table, results.votes / f"vote-{number}.parquet", "vote", "The vote", "")
