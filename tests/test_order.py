"""Over one folder that holds a bit of all: no view depends on the order in which things came, and none says NaN."""

import math
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from collector import grading
from collector.backends import Facts
from collector.schema import Results
from site_src.warehouse import VIEWS, Warehouse
from tests import planted, texts
from tests.conftest import request
from tests.energy_rows import metered
from tests.planted import (
    Planted,
    Run,
    gguf,
    loaded,
    mlx,
    rung,
    suite,
    written,
)
from tests.planted import views_without_comments as views_without_comments

Contents = dict[str, list[tuple[tuple[str, str], ...]]]
MARTS = {path.stem for path in VIEWS.glob("3_marts/*.sql")}


def contents(warehouse: Warehouse) -> Contents:
    """The rows of every view, to the last digit, without the names of files; of all but marts in no order."""
    found: Contents = {}
    for view in warehouse.views:
        rows = warehouse.rows(f"from {view}")
        named = [tuple((name, repr(value)) for name, value in row.items() if name != "file") for row in rows]
        found[view] = named if view in MARTS else sorted(named)
    return found


def differing(one: Contents, other: Contents) -> list[str]:
    """Views whose contents are not the same."""
    assert one.keys() == other.keys()
    return [view for view in one if one[view] != other[view]]


@pytest.fixture
def views() -> Iterator[Planted]:
    yield planted.shared()
    planted.shared().clear()


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Results:
    results = Results(tmp_path_factory.mktemp("order") / "results")
    runs = [*planted.everything(), *metered(**gguf())]
    written(results, *runs, *planted.judged())
    planted.voted(results)
    texts.graded(results)
    pairs = Warehouse(results).rows("from similarity_wanted")
    grading.compare(results, pairs[1:])  # one is left to be measured
    return results


def with_votes(stored: Results, other: Results, chance: random.Random) -> None:
    """The same votes, in files of other names."""
    paths = list(stored.votes.glob("*.parquet"))
    chance.shuffle(paths)
    other.votes.mkdir()
    for number, path in enumerate(paths):
        shutil.copy(path, other.votes / f"{number:03d}.parquet")


@pytest.fixture(scope="module")
def usual(stored: Results) -> Warehouse:
    """All of it, read at once."""
    return Warehouse(stored)


@pytest.fixture(scope="module")
def expected(usual: Warehouse) -> Contents:
    return contents(usual)


def test_the_folder_holds_a_bit_of_all(usual: Warehouse, expected: Contents) -> None:
    """Or the tests below would prove little: but for what only somebody asks, and damage, no view is empty."""
    assert {view for view in expected if not expected[view]} == EMPTY
    rows = usual.rows("select machine, runtime, count(*) as n from runs group by all")
    assert len({row["machine"] for row in rows}) == 3
    assert {row["verdict"] for row in usual.rows("from framework_delta")} >= {"MLX faster", "not comparable"}
    assert {row["verdict"] for row in usual.rows("from recommendation")} >= {"recommended", "nothing measured fits"}


EMPTY = {"damaged_files", "run_copies", "stg_here", "other_engines", "run_checks"}


def test_order_of_rows_in_files_and_names_of_files_change_no_view(
    stored: Results, expected: Contents, tmp_path: Path
) -> None:
    chance, other = random.Random(3), Results(tmp_path)
    other.runs.mkdir()
    paths = [*stored.runs.glob("*.parquet"), *stored.grades.glob("*.parquet")]
    chance.shuffle(paths)
    for number, path in enumerate(paths):
        table = pq.read_table(path)
        order = list(range(len(table)))
        chance.shuffle(order)
        target = other.root / path.parent.name / f"{number:03d}.parquet"
        target.parent.mkdir(exist_ok=True)
        pq.write_table(table.take(order), target, write_page_checksum=True)
    with_votes(stored, other, chance)
    assert differing(contents(Warehouse(other)), expected) == []


def test_taken_in_one_by_one_the_runs_make_the_same_views(stored: Results, expected: Contents, tmp_path: Path) -> None:
    """As `mkdocs serve` takes them in, in whatever order they come, with questions in between."""
    chance, other = random.Random(4), Results(tmp_path)
    other.runs.mkdir()
    other.grades.mkdir()
    paths = [*stored.runs.glob("*.parquet"), *stored.grades.glob("*.parquet")]
    chance.shuffle(paths)
    with_votes(stored, other, chance)
    warehouse = Warehouse(other)
    for number, path in enumerate(paths):
        shutil.copy(path, other.root / path.parent.name)
        warehouse.refresh()
        if number == len(paths) // 2:
            warehouse.rows("from recommendation")
            warehouse.rows("from preference_strength")
    assert differing(contents(warehouse), expected) == []


def test_a_run_that_came_and_went_leaves_nothing_behind(stored: Results, expected: Contents, tmp_path: Path) -> None:
    other = Results(tmp_path / "results")
    shutil.copytree(stored.root, other.root)
    (extra,) = written(other, [mlx(), *suite(99.0, repeats=1)], run_id="f" * 12)
    warehouse = Warehouse(other)
    assert warehouse.rows("from comparison where a_id = $id", id="f" * 12)
    extra.unlink()
    warehouse.refresh()
    assert differing(contents(warehouse), expected) == []


# ---------------------------------------------------------------- no view says NaN or infinity


def odd(value: Any) -> bool:
    """Whether a value is, or holds, a number that is none."""
    if isinstance(value, dict):
        return any(map(odd, value.values()))
    if isinstance(value, list):
        return any(map(odd, value))
    return isinstance(value, float) and not math.isfinite(value)


def oddities(warehouse: Warehouse) -> set[str]:
    """Columns that hold such a number."""
    return {
        f"{view}.{name}"
        for view in warehouse.views
        for row in warehouse.rows(f"from {view}")
        for name, value in row.items()
        if odd(value)
    }


def test_no_view_says_nan_or_infinity(usual: Warehouse) -> None:
    assert oddities(usual) == set()


WARM: Facts = {**request("qa", nonce="1", prompt_tokens=0, cached_tokens=0), "op": "warm"}
UNCOUNTED = request("qa", nonce="1", prompt_tokens=0, completion_tokens=0, client_cpu_us=5)
STRANGE: dict[str, Run] = {
    "one request": suite(50, prompts=["qa"], repeats=1),
    "all alike": suite(50),
    "no tokens": suite(50, completion_tokens=None, prompt_tokens=None),
    "no chunks": suite(50, chunks=[], first_text_ns=None, last_text_ns=None, done_ns=None),
    "all failed": suite(50, error_kind="timeout"),
    "no repeats": [{"repeats": 0, "run_seconds": 0.0}, *suite(50)],
    "less than nothing": suite(50, reported_decode_tps=-1.0, reported_prompt_ms=-1.0, cached_tokens=-3),
    "a ladder of nothing": [{"suite": "context"}, *rung(0, ttft_ms=1.0)],
    "nothing known": [{"memory_bytes": None, "file_bytes": None, "context_effective": None}, *suite(50)],
}
# What divides by nothing, or takes the logarithm of less: runs, and where it shows.
WRONG: dict[str, tuple[Run, set[str]]] = {
    "run_memory: a peak below the baseline is a peak": (
        [*loaded(-0.2), *suite(50)],
        {"pair_memory.memory", "framework_delta.peak_memory_ratio", "answers_runtime.figure_value"},
    ),
    "run_memory: a peak of nothing is a peak": ([*loaded(0), *suite(50)], {"tps_per_gb.tps_per_gb"}),
    "run_load: 0 s is a load time": (
        [*loaded(100, 0.0, is_repeat=True), *suite(50)],
        {"pair_memory.load", "framework_delta.load_s_ratio"},
    ),
    "clock_check: divides by the speed that the server says": (
        suite(50, reported_decode_tps=0.0),
        {"clock_check.decode_error_percent"},
    ),
    "clock_check: divides by the tokens that the server counts": (
        [UNCOUNTED],
        {"clock_check.client_cpu_us_per_token"},
    ),
    "prefix_cache: divides by the tokens that the server counts": ([UNCOUNTED, WARM], {"prefix_cache.cached_share"}),
    "tps_per_gb: divides by a file of no size": ([{"file_bytes": 0}, *suite(50)], {"tps_per_gb.tps_per_file_gb"}),
    "context_utilization: divides by an advertised length of 0": (
        [{"suite": "context", "model_key": "x", "context_advertised": 0}, *rung(8192)],
        {"context_utilization.context_utilization"},
    ),
}


def apart(results: Results, *runs: Run) -> Warehouse:
    """Each run on a machine of its own, beside an ordinary one that it is compared with."""
    ordinary = [*loaded(140, 0.0, is_repeat=True), *suite(40)]
    for number, rows in enumerate(runs):
        chip = {"chip": f"chip {number}"}
        own = rows[0] if "op" not in rows[0] else {}
        pair = ([{**mlx(), **chip, **own}, *(row for row in rows if "op" in row)], [{**gguf(), **chip}, *ordinary])
        for side, run in enumerate(pair):
            written(results, run, run_id=f"{number:06x}{side:06x}")
    return Warehouse(results)


def test_no_view_says_nan_or_infinity_of_a_strange_run(results: Results) -> None:
    runs = [[row for row in run if row.get("op") != "load"] for run in STRANGE.values()]
    assert oddities(apart(results, *runs)) == set()


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    results = Results(tmp_path_factory.mktemp("wrong") / "results")
    return oddities(apart(results, *(run for run, _ in WRONG.values())))


@pytest.mark.parametrize(
    "columns",
    [pytest.param(columns, id=reason) for reason, (_, columns) in WRONG.items()],
)
def test_nothing_is_divided_by_nothing(wrong: set[str], columns: set[str]) -> None:
    assert wrong & columns == set()


def test_memory_that_fell_makes_no_verdict(views: Planted) -> None:
    runs = {"a1": -0.2, "a2": -0.1, "b1": 140.0, "b2": 141.0}
    views.put("pairs", {"kind": "framework", "a_id": "a", "b_id": "b"})
    views.put("run_sets", *({"set_id": run[0], "run_id": run} for run in runs))
    views.put(
        "run_memory", *({"run_id": run, "peak_memory_kind": "k", "peak_memory_gb": gb} for run, gb in runs.items())
    )
    views.leave_empty("run_load")
    (row,) = views.rows("from pair_memory")
    assert row["memory_verdict"] in ("not comparable", "b larger")
