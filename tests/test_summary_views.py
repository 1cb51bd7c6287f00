"""Memory, load time and depth in the summaries: given rows → figure, interval, verdict; intervals against SciPy."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from scipy import stats

from collector import loads, measure
from collector.schema import Results
from site_src.warehouse import Warehouse
from tests import planted
from tests.conftest import MS, STARTED, request
from tests.planted import (
    Planted,
    Row,
    gguf,
    loaded,
    mlx,
    of_median,
    rung,
    speeds,
    student_t,
    two_samples,
)
from tests.planted import views_without_comments as views_without_comments

Given = Callable[..., Warehouse]
SYSTEM, FOOTPRINT, FILE = "system, above baseline", "engine footprint", "engine footprint and file"


@pytest.fixture
def views() -> Iterator[Planted]:
    yield planted.shared()
    planted.shared().clear()


def ends(row: Row, name: str) -> list[Any]:
    """A figure and its interval."""
    return [row[f"{name}{end}"] for end in ("", "_low", "_high")]


# ---------------------------------------------------------------- pair_memory

Figures = Sequence[tuple[str | None, float | None]]  # of each run: kind, figure


def beside(
    views: Planted, a: Figures = (), b: Figures = (), a_loads: Figures = (), b_loads: Figures = (), **pair: Any
) -> Row:
    """What is said of two sets of runs with these peaks and load times."""
    views.put("pairs", {"kind": "framework", "a_id": "a", "b_id": "b", **pair})
    runs: dict[str, list[tuple[str, str | None, float | None]]] = {"memory": [], "load": []}
    for side, memory, load in (("a", a, a_loads), ("b", b, b_loads)):
        runs["memory"] += [(side, *figure) for figure in memory]
        runs["load"] += [(side, *figure) for figure in load]
    sets = [
        {"set_id": side, "run_id": f"{figure} {n}"}
        for figure, each in runs.items()
        for n, (side, *_) in enumerate(each)
    ]
    views.put("run_sets", *sets)
    peaks = enumerate(runs["memory"])
    views.put(
        "run_memory",
        *({"run_id": f"memory {n}", "peak_memory_kind": kind, "peak_memory_gb": gb} for n, (_, kind, gb) in peaks),
    )
    times = enumerate(runs["load"])
    views.put("run_load", *({"run_id": f"load {n}", "load_kind": kind, "load_s": s} for n, (_, kind, s) in times))
    (row,) = views.rows("from pair_memory")
    return row


def of(kind: str, *figures: float) -> list[tuple[str | None, float | None]]:
    return [(kind, figure) for figure in figures]


def ratio(row: Row, figure: str) -> tuple[float, float, float]:
    center, margin = row[figure], row[f"{figure}_margin"]
    return math.exp(center), math.exp(center - margin), math.exp(center + margin)


A, B = (120.0, 121.0, 124.0), (138.0, 141.0)


def test_the_ratio_of_peaks_is_students_t_on_the_logarithm_over_runs_of_both_sides(views: Planted) -> None:
    row = beside(views, of(SYSTEM, *A), of(SYSTEM, *B))
    assert ratio(row, "memory") == pytest.approx(two_samples(A, B))
    assert (row["memory_kind"], row["memory_run_count"], row["memory_reason"]) == (SYSTEM, 2, None)
    assert row["memory_difference_gb"] == pytest.approx(stats.gmean(A) - stats.gmean(B))
    assert row["memory_verdict"] == "b larger"


def test_the_ratio_of_load_times_likewise_with_the_difference_of_the_same_means(views: Planted) -> None:
    row = beside(views, a_loads=of("warm", *A), b_loads=of("warm", *B))
    assert ratio(row, "load") == pytest.approx(two_samples(A, B))
    assert (row["load_kind"], row["load_run_count"], row["load_reason"]) == ("warm", 2, None)
    assert row["load_difference_s"] == pytest.approx(stats.gmean(A) - stats.gmean(B))
    assert row["load_verdict"] == "b slower"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((5.0, 20.0), (14.0, 14.1, 13.9, 14.0, 14.05)),
        ((10.0, 10.1, 30.0, 9.0), (12.0, 12.4, 11.9)),
    ],
    ids=["the fewer are the wider", "one side has more"],
)
def test_sides_of_unequal_spread_have_welchs_degrees_of_freedom(
    views: Planted, a: tuple[float, ...], b: tuple[float, ...]
) -> None:
    """With n1 + n2 - 2 of them the interval of the first would be a quarter as wide."""
    row = beside(views, of(SYSTEM, *a), of(SYSTEM, *b), of("cold", *b), of("cold", *a))
    assert ratio(row, "memory") == pytest.approx(two_samples(a, b))
    assert ratio(row, "load") == pytest.approx(two_samples(b, a))


def test_a_side_without_spread_adds_no_degrees_of_freedom(views: Planted) -> None:
    varied = (12.0, 15.0, 13.0)
    row = beside(views, of(SYSTEM, 10.0, 10.0), of(SYSTEM, *varied), of("cold", 10.0, 10.0), of("cold", *varied))
    center, low, high = student_t(varied)
    assert ratio(row, "memory") == ratio(row, "load") == pytest.approx((10 / center, 10 / high, 10 / low))


def test_difference_and_ratio_never_name_two_sides(views: Planted) -> None:
    """The largest of all is a's, though by both means b needs more."""
    row = beside(
        views, of(SYSTEM, 100.0, 100.0, 130.0), of(SYSTEM, 115.0, 116.0), of("warm", 1, 1, 9), of("warm", 3, 3)
    )
    assert row["memory"] < 0 > row["memory_difference_gb"]
    assert row["load"] < 0 > row["load_difference_s"]


@pytest.mark.parametrize(
    ("a", "b", "memory", "load"),
    [
        ((120.0, 120.1), (100.0, 100.1), "a larger", "a slower"),
        ((100.0, 100.1), (120.0, 120.1), "b larger", "b slower"),
        ((100.0, 100.1), (100.0, 100.1), "equivalent", "equivalent"),
        ((102.0, 104.0), (100.0, 100.1), "inconclusive", "inconclusive"),
        ((103.0, 103.2), (100.0, 100.1), "small difference", "small difference"),
        ((103.01, 103.01), (100.0, 100.0), "a larger", "a slower"),
        ((102.99, 102.99), (100.0, 100.0), "equivalent", "equivalent"),
    ],
)
def test_verdicts_have_a_margin_of_three_percent(
    views: Planted, a: tuple[float, ...], b: tuple[float, ...], memory: str, load: str
) -> None:
    row = beside(views, of(SYSTEM, *a), of(SYSTEM, *b), of("cold", *a), of("cold", *b))
    assert (row["memory_verdict"], row["load_verdict"]) == (memory, load)


@pytest.mark.parametrize(
    ("a", "b", "kind"),
    [
        (of(SYSTEM, 1) + of(FOOTPRINT, 2, 2), of(SYSTEM, 1) + of(FOOTPRINT, 2, 2), SYSTEM),
        (of(SYSTEM, 1) + of(FOOTPRINT, 2, 2), of(FOOTPRINT, 2, 2), FOOTPRINT),
        (of(FILE, 1, 1) + of(FOOTPRINT, 2), of(FILE, 1, 1) + of(FOOTPRINT, 2), FILE),
        (of(FILE, 1, 1) + of(FOOTPRINT, 2), of(FILE, 1) + of(FOOTPRINT, 2), FOOTPRINT),
    ],
    ids=["against a baseline first", "what both have", "then what more runs have", "then by name"],
)
def test_peaks_of_one_kind_are_compared_those_against_a_baseline_first(
    views: Planted, a: Figures, b: Figures, kind: str
) -> None:
    row = beside(views, a, b)
    assert (row["memory_kind"], row["memory"]) == (kind, 0)


def test_peaks_of_different_kinds_are_never_compared(views: Planted) -> None:
    row = beside(views, of(SYSTEM, 100, 100), of(FOOTPRINT, 100, 100))
    assert (row["memory_verdict"], row["memory"], row["memory_run_count"]) == ("not comparable", None, 0)
    assert row["memory_reason"] == "no peak memory of one kind on both sides"


def test_warm_loads_are_compared_before_cold_ones(views: Planted) -> None:
    both = of("warm", 10.0) + of("cold", 30.0, 30.0)
    assert beside(views, a_loads=both, b_loads=both)["load_kind"] == "warm"
    row = beside(views, a_loads=both, b_loads=of("cold", 15.0))
    assert (row["load_kind"], row["load_difference_s"]) == ("cold", pytest.approx(15))


def test_a_load_that_may_be_either_is_compared_with_none(views: Planted) -> None:
    row = beside(views, a_loads=[(None, 10.0)], b_loads=[(None, 10.0)])
    assert (row["load_verdict"], row["load_run_count"]) == ("not comparable", 0)
    assert row["load_reason"] == "no load time on both sides that is known as cold or as warm"


def test_a_run_without_a_peak_is_none_of_the_runs(views: Planted) -> None:
    row = beside(views, [*of(SYSTEM, 100), (SYSTEM, None)], of(SYSTEM, 110, 110))
    assert (row["memory_run_count"], row["memory_margin"] is None) == (1, True)


def test_one_run_on_a_side_has_a_ratio_without_interval(views: Planted) -> None:
    row = beside(views, of(SYSTEM, 120.0), of(SYSTEM, 100.0, 101.0), of("warm", 5.0), of("warm", 5.0))
    assert row["memory"] == pytest.approx(math.log(120 / math.sqrt(100 * 101)))
    assert (row["memory_margin"], row["memory_verdict"]) == (None, "inconclusive")
    assert (row["memory_reason"], row["load_reason"]) == ("one run on a side", "one load on a side")
    assert row["load_verdict"] == "one run a side"  # which is no verdict, whatever the ratio
    row = beside(views, of(SYSTEM, 120.0), of(SYSTEM, 60.0), of("warm", 5.0), of("warm", 50.0))
    assert (row["memory_verdict"], row["load_verdict"]) == ("one run a side",) * 2


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        ({"obstacle": "different sampling"}, "different sampling"),
        ({"memory_obstacle": "different context"}, "different context"),
        ({"obstacle": "4 slots against 1", "memory_obstacle": "different context"}, "4 slots against 1"),
    ],
)
def test_what_forbids_a_comparison_is_the_reason(views: Planted, pair: Row, reason: str) -> None:
    same = of(SYSTEM, 100, 100)
    row = beside(views, same, same, of("warm", 5, 5), of("warm", 5, 5), **pair)
    assert (row["memory_verdict"], row["load_verdict"]) == ("not comparable",) * 2
    assert (row["memory_reason"], row["load_reason"]) == (reason, reason)


# ---------------------------------------------------------------- configuration_memory


def peaks(views: Planted, *figures: tuple[str, float | None, str | None]) -> list[Row]:
    """What a configuration with these runs `(kind, peak, confidence)` needs."""
    views.put("stg_runs", *({"configuration_id": "c", "run_id": str(n)} for n, _ in enumerate(figures)))
    names = ("peak_memory_kind", "peak_memory_gb", "memory_confidence")
    views.put(
        "run_memory",
        *(dict(zip(names, figure, strict=True), run_id=str(n)) for n, figure in enumerate(figures)),
    )
    return views.rows("from configuration_memory")


def test_a_configurations_peak_is_the_highest_of_its_runs(views: Planted) -> None:
    (row,) = peaks(views, (SYSTEM, 120.0, "high"), (SYSTEM, 118.0, "high"), (SYSTEM, None, None))
    assert (row["peak_memory_gb"], row["peak_memory_gb_min"], row["peak_memory_count"]) == (120, 118, 2)
    assert (row["memory_confidence"], row["other_kind_count"]) == ("high", 0)


@pytest.mark.parametrize("worst", ["low", "medium", "high"])
def test_the_least_sure_run_decides_how_sure_it_is(views: Planted, worst: str) -> None:
    (row,) = peaks(views, (SYSTEM, 1.0, "high"), (SYSTEM, 2.0, worst), (SYSTEM, 3.0, "high"))
    assert row["memory_confidence"] == worst


def test_runs_with_a_baseline_count_and_those_of_another_kind_are_left_out(views: Planted) -> None:
    (row,) = peaks(views, (SYSTEM, 120.0, "high"), (FOOTPRINT, 150.0, "low"), (FILE, 160.0, "low"))
    assert (row["peak_memory_kind"], row["peak_memory_gb"], row["memory_confidence"]) == (SYSTEM, 120, "high")
    assert (row["peak_memory_count"], row["other_kind_count"]) == (1, 2)


def test_without_a_baseline_the_kind_of_most_runs_counts_then_the_first_by_name(views: Planted) -> None:
    two = [(FILE, 150.0, "medium")] * 2
    (row,) = peaks(views, (FOOTPRINT, 120.0, "medium"), *two)
    assert (row["peak_memory_kind"], row["other_kind_count"]) == (FILE, 1)
    (row,) = peaks(views, *two[:1], (FOOTPRINT, 120.0, "medium"))
    assert row["peak_memory_kind"] == FOOTPRINT


def test_a_configuration_whose_peak_is_unknown_has_no_row(views: Planted) -> None:
    assert peaks(views, (SYSTEM, None, None)) == []


def test_memory_and_loads_are_those_of_the_newest_engine(views: Planted) -> None:
    """A newer engine that needs less is what one gets today; what the older needed is in the history of runs."""
    engines = [{"runtime": "mlx", "runtime_version": version} for version in ("1", "2", "2")]
    began = [{"run_started_at": STARTED + timedelta(minutes=n)} for n in range(3)]
    views.put(
        "stg_runs",
        *({"configuration_id": "c", "run_id": str(n), **engines[n], **began[n]} for n in range(3)),
    )
    told = {"peak_memory_kind": SYSTEM, "memory_confidence": "high"}
    views.put("run_memory", *({"run_id": str(n), "peak_memory_gb": gb, **told} for n, gb in enumerate((150, 120, 118))))
    views.put("run_load", *({"run_id": str(n), "load_kind": "warm", "load_s": s} for n, s in enumerate((90, 10, 10))))
    (row,) = views.rows("from configuration_memory")
    assert (row["peak_memory_gb"], row["peak_memory_gb_min"], row["peak_memory_count"]) == (120, 118, 2)
    (row,) = views.rows("from configuration_load")
    assert (row["load_s"], row["load_warm_s"], row["load_count"]) == (10, 10, 2)


# ---------------------------------------------------------------- run_load, configuration_load


@pytest.mark.parametrize(
    ("facts", "seconds", "kind", "reason"),
    [
        ({"load_is_repeat": True}, 10.0, "warm", None),
        ({"load_is_repeat": False}, 10.0, "cold", None),
        ({}, 10.0, None, None),
        ({"load_is_repeat": True, "error_kind": "load_failed"}, None, None, "the model did not load"),
        (None, None, None, "loaded before"),
    ],
    ids=["warm", "cold", "not known", "failed", "none"],
)
def test_a_load_is_warm_after_another_since_the_machine_was_started(
    views: Planted, facts: Row | None, seconds: float | None, kind: str | None, reason: str | None
) -> None:
    views.put("stg_runs", {"run_id": "r"})
    rows = [] if facts is None else [{"run_id": "r", "op": "load", "elapsed_ns": 10**10, **facts}]
    views.put("raw_facts", *rows)
    (row,) = views.rows("from run_load")
    assert (row["load_s"], row["load_kind"], row["load_reason"]) == (seconds, kind, reason)


def load_times(views: Planted, *figures: tuple[str | None, float | None]) -> list[Row]:
    views.put("stg_runs", *({"configuration_id": "c", "run_id": str(n)} for n, _ in enumerate(figures)))
    rows = ({"run_id": str(n), "load_kind": kind, "load_s": s} for n, (kind, s) in enumerate(figures))
    views.put("run_load", *rows)
    return views.rows("from configuration_load")


def test_cold_and_warm_loads_are_summed_up_apart(views: Planted) -> None:
    cold, warm = (30.0, 33.0, 42.0), (10.0, 11.0)
    (row,) = load_times(views, *of("cold", *cold), *of("warm", *warm), (None, 99.0), ("warm", None))
    assert (row["load_cold_s"], row["load_cold_count"]) == (33, 3)
    assert (row["load_warm_s"], row["load_warm_count"]) == (10.5, 2)
    assert ends(row, "load_cold_s") == pytest.approx(of_median(cold))
    low, high = (math.log(end) for end in ends(row, "load_warm_s")[1:])
    assert math.exp((low + high) / 2) == pytest.approx(10.5)  # around the median, which is not the geometric mean
    assert high - low == pytest.approx(math.log(student_t(warm)[2] / student_t(warm)[1]))


@pytest.mark.parametrize(
    ("loads", "shown"),
    [
        ([*of("cold", 30, 33, 42), *of("warm", 10, 12), (None, 99.0)], ("warm", 11, 2)),
        ([*of("cold", 30, 33, 42), (None, 99.0), (None, 99.0)], ("cold", 33, 3)),
        ([(None, 99.0), (None, 97.0)], ("not known", 98, 2)),
    ],
)
def test_one_load_time_is_of_one_kind_the_warm_one_first(
    views: Planted, loads: list[tuple[str | None, float | None]], shown: tuple[str, float, int]
) -> None:
    """Changing models, one waits for a warm load; no median is over two kinds."""
    (row,) = load_times(views, *loads)
    assert (row["load_kind"], row["load_s"], row["load_count"]) == shown
    assert row["load_s_low"] <= row["load_s"] <= row["load_s_high"]


def test_one_load_has_no_interval_and_none_no_figure(views: Planted) -> None:
    (row,) = load_times(views, ("cold", 30.0))
    assert ends(row, "load_cold_s") == [30, None, None]
    assert (row["load_cold_count"], row["load_warm_count"], row["load_warm_s"]) == (1, 0, None)


def test_a_load_of_unknown_kind_is_in_neither(views: Planted) -> None:
    """It is told as what it is, where nothing better is known."""
    (row,) = load_times(views, (None, 30.0))
    kinds = [name for name in row if name.startswith(("load_cold_s", "load_warm_s"))]
    assert len(kinds) == 6
    assert {row[name] for name in kinds} == {None}
    assert (row["load_cold_count"], row["load_warm_count"]) == (0, 0)
    assert [*ends(row, "load_s"), row["load_kind"], row["load_count"]] == [30, None, None, "not known", 1]


def test_a_model_that_was_never_loaded_by_us_has_no_row(views: Planted) -> None:
    assert load_times(views, (None, None)) == []


# ---------------------------------------------------------------- run_summary


def run(number: int, **more: Any) -> Row:
    """A row of runs."""
    facts = {"configuration_id": "c", "server": "lmstudio", "suite": "standard", "ladder_id": "l"}
    return {"run_id": str(number), **facts, **more}


def known(views: Planted, *runs: Row) -> list[Row]:
    """The summaries of these runs on one machine."""
    views.leave_empty("configuration_memory", "configuration_full_memory", "configuration_load", "context_utilization")
    views.put("runs", *({"machine": "m", **row} for row in runs))
    names = ("run_id", "configuration_id", "server", "suite", "ladder_id")
    views.put("stg_runs", *({"machine": "m", **{name: row[name] for name in names}} for row in runs))
    return views.rows("from run_summary")


def summed_up(views: Planted, *runs: Row) -> Row:
    (row,) = known(views, *runs)
    return row


Spread = tuple[float, float | None, int | None]  # of a run: ln of its headline, the error of that, degrees
SPREADS: list[Spread] = [(7.0, 0.02, 14), (7.1, 0.03, 12), (6.8, 0.01, 14)]


def prefills(views: Planted, *spreads: Spread) -> list[Row]:
    """Runs with such a prefill speed each."""
    views.put(
        "prompt_figures",
        *(
            {"run_id": str(n), "prompt_sha256": "p", "figure": "prefill", "center": center, "value_count": 21}
            | {"error_variance": None if se is None else se * se, "degrees": df}
            for n, (center, se, df) in enumerate(spreads)
        ),
    )
    return [run(n) for n in range(len(spreads))]


def within(centers: Sequence[float], errors: Sequence[float], degrees: Sequence[int]) -> list[float]:
    """A mean over runs, and the ends of the interval that their repeats give."""
    center = sum(centers) / len(centers)
    margin = math.hypot(*errors) / len(centers) * stats.t.ppf(0.975, sum(degrees))
    return [math.exp(center + side * margin) for side in (0, -1, 1)]


def test_prefills_interval_of_a_run_alone_is_that_within_it(views: Planted) -> None:
    row = summed_up(views, *prefills(views, *SPREADS[:1]))
    assert ends(row, "prefill_tps") == pytest.approx(within([7.0], [0.02], [14]))
    assert row["prefill_count"] == 21


@pytest.mark.parametrize("count", [2, 3])
def test_from_two_runs_on_prefills_interval_is_the_wider_one_between_them(views: Planted, count: int) -> None:
    row = summed_up(views, *prefills(views, *SPREADS[:count]))
    assert ends(row, "prefill_tps") == pytest.approx(student_t(math.exp(center) for center, *_ in SPREADS[:count]))
    assert row["prefill_count"] == 21 * count


@pytest.mark.parametrize("count", [2, 3])
def test_prefills_interval_is_never_narrower_than_that_pooled_within_the_runs(views: Planted, count: int) -> None:
    """Runs alike to the digit are not certain to be so another day."""
    _, errors, degrees = zip(*SPREADS[:count], strict=True)
    row = summed_up(views, *prefills(views, *((7.0, *spread[1:]) for spread in SPREADS[:count])))
    assert ends(row, "prefill_tps") == pytest.approx(within([7.0] * count, errors, degrees))


def test_without_a_prefill_speed_or_its_spread_there_is_no_interval(views: Planted) -> None:
    assert ends(summed_up(views, run(0)), "prefill_tps") == [None] * 3
    assert ends(summed_up(views, *prefills(views, (7.0, None, None))), "prefill_tps") == [
        pytest.approx(math.exp(7)),
        None,
        None,
    ]


def test_a_runs_prefill_interval_is_students_t_over_its_repeats(given: Given) -> None:
    times = (1000.0, 1100.0, 1050.0)
    rows = [request("long", n, prompt_tokens=1000, ttft_ms=ms, tokens=40) for n, ms in enumerate(times)]
    short = [request("short", n, prompt_tokens=100, ttft_ms=50, tokens=40) for n in range(3)]
    probe = {"op": "probe", "started_ns": 0, "roundtrip_us": [0]}
    warehouse = given([probe, *rows, *short])
    for view, kind in (("run_speed", "_within"), ("runs", ""), ("run_summary", "")):
        (row,) = warehouse.rows(f"from {view}")
        found = [row[f"prefill_tps{end}"] for end in ("", f"{kind}_low", f"{kind}_high")]
        assert found == pytest.approx(of_median(1e6 / ms for ms in times)), view
        assert (row["prefill_count"], row["ttft_count"]) == (3, 6), view


def test_requests_with_a_ttft_are_counted_over_runs(views: Planted) -> None:
    counts = enumerate((20, 15))
    ttft = {"prompt_sha256": "p", "figure": "ttft", "center": 5.0}
    views.put("prompt_figures", *({"run_id": str(n), **ttft, "value_count": count} for n, count in counts))
    assert summed_up(views, run(0), run(1))["ttft_count"] == 35
    assert summed_up(views, run(2))["ttft_count"] == 0


def test_the_summary_shows_the_configurations_memory_and_loads(views: Planted) -> None:
    memory = {"peak_memory_gb": 120.0, "peak_memory_gb_min": 118.0, "peak_memory_count": 2, "memory_confidence": "high"}
    load = {"load_cold_s": 30.0, "load_cold_s_low": 28.0, "load_cold_s_high": 32.0, "load_cold_count": 3}
    views.put("configuration_memory", {"configuration_id": "c", **memory}, {"configuration_id": "d"})
    views.put("configuration_load", {"configuration_id": "c", **load, "load_warm_count": 0}, {"configuration_id": "d"})
    row = summed_up(views, run(0))
    assert {name: row[name] for name in memory | load} == memory | load
    assert (row["load_warm_s"], row["load_warm_count"]) == (None, 0)


def test_what_is_not_known_of_memory_and_loads_is_null_and_counts_are_zero(views: Planted) -> None:
    row = summed_up(views, run(0))
    assert (row["peak_memory_count"], row["load_cold_count"], row["load_warm_count"]) == (0, 0, 0)
    names = ("peak_memory_gb", "peak_memory_gb_min", "load_cold_s", "load_warm_s", "context_usable", "peak_full_kind")
    assert {row[name] for name in names} == {None}


def test_usable_context_is_that_of_the_ladder_at_the_same_context(views: Planted) -> None:
    ladders = ({"ladder_id": "l", "context_usable": 65536, "context_usable_below": 131072}, {"ladder_id": "m"})
    views.put("context_utilization", *ladders)
    row = summed_up(views, run(0))
    assert (row["context_usable"], row["context_usable_below"]) == (65536, 131072)


def test_ladders_and_imported_files_have_no_summary(views: Planted) -> None:
    rows = known(views, run(0, suite="context"), run(1, server="llama-bench"), run(2, suite=None, server=None))
    assert [row["run_count"] for row in rows] == [1]


def test_loads_and_usable_context_reach_the_summary_from_run_files(given: Given) -> None:
    warehouse = given(
        [gguf(), *loaded(140, 30.0, is_repeat=False), *speeds("a", 40, 41)],
        [gguf(), *loaded(141, 12.0, is_repeat=True), *speeds("a", 40, 41)],
        [gguf(suite="context"), *rung(65536), *rung(131072, hits=0)],
        [gguf(suite="context", context_effective=196608), *rung(131072)],
    )
    (row,) = warehouse.rows("from run_summary")
    assert (row["load_cold_s"], row["load_warm_s"]) == (30, 12)
    assert (row["context_usable"], row["context_usable_below"]) == (65536, 131072)
    assert (row["peak_memory_gb"], row["peak_memory_gb_min"], row["peak_memory_count"]) == (141, 140, 2)
    by_run = {row["load_s"]: row["load_kind"] for row in warehouse.rows("from runs where load_s is not null")}
    assert by_run == {30: "cold", 12: "warm"}


# ---------------------------------------------------------------- tps_per_gb

SPEED = {"decode_tps": 60.0, "decode_tps_low": 54.0, "decode_tps_high": 66.0}


def per_gb(views: Planted, **facts: Any) -> Row:
    views.leave_empty("physical_limit")
    views.put("run_summary", {"configuration_id": "c", "run_count": 1, **SPEED, **facts})
    (row,) = views.rows("from tps_per_gb")
    return row


@pytest.mark.parametrize(
    ("memory", "name"),
    [("peak_memory_gb", "tps_per_gb"), ("peak_full_gb", "tps_per_full_gb"), ("file_gb", "tps_per_file_gb")],
)
def test_speed_is_divided_by_peak_by_full_peak_and_by_file_each_with_the_speeds_interval(
    views: Planted, memory: str, name: str
) -> None:
    row = per_gb(views, **{memory: 120.0})
    assert ends(row, name) == pytest.approx([0.5, 0.45, 0.55])
    others = {"tps_per_gb", "tps_per_full_gb", "tps_per_file_gb"} - {name}
    assert {value for other in others for value in ends(row, other)} == {None}
    assert row["reason"] == (None if memory == "peak_memory_gb" else "no peak memory")


def test_without_an_interval_of_the_speed_there_is_none_of_any_quotient(views: Planted) -> None:
    alone = {"decode_tps_low": None, "decode_tps_high": None}
    row = per_gb(views, **alone, peak_memory_gb=120.0, peak_full_gb=240.0, file_gb=60.0)
    assert ends(row, "tps_per_gb") == [0.5, None, None]
    assert ends(row, "tps_per_full_gb") == [0.25, None, None]
    assert ends(row, "tps_per_file_gb") == [1, None, None]


def test_no_decode_speed_is_the_reason_before_no_memory(views: Planted) -> None:
    row = per_gb(views, decode_tps=None)
    assert (row["tps_per_gb"], row["reason"]) == (None, "no decode speed")


def test_the_share_of_the_ceiling_stands_beside(views: Planted) -> None:
    views.put("physical_limit", {"configuration_id": "c", "ceiling_share": 0.4}, {"configuration_id": "d"})
    assert per_gb(views)["ceiling_share"] == 0.4


# ---------------------------------------------------------------- rung_speed


def spoken(views: Planted, **facts: Any) -> Row:
    """The speeds of one request of a ladder: 64 tokens in 2 s after 10 s for 8,192, unless told otherwise."""
    usual = {"is_accepted": True, "prompt_tokens": 8192, "chunk_count": 64}
    shown = {"completion_tokens": 64, "rate_tps": 31.5, "text_from_ns": 10**10}
    seen = {name: facts.pop(name, value) for name, value in shown.items()} | facts.pop("seen", {})
    request = {"run_id": "a", "op_index": 1}
    views.put("request_evidence", {**request, **seen})
    views.put("stg_context", {**request, **usual, **facts})
    (row,) = views.rows("select ttft_ms, prefill_tps, decode_tps from rung_speed")
    return row


def test_a_request_of_a_ladder_has_all_three_speeds(views: Planted) -> None:
    assert spoken(views) == {"ttft_ms": 10_000, "prefill_tps": 819.2, "decode_tps": 31.5}


@pytest.mark.parametrize("taken", [False, None])
def test_a_request_that_was_not_taken_has_no_speed(views: Planted, taken: bool | None) -> None:
    assert set(spoken(views, is_accepted=taken).values()) == {None}


@pytest.mark.parametrize(("cached", "tps"), [(None, 819.2), (0, 819.2), (16, 817.6), (17, None)])
def test_prefill_of_a_rung_is_of_a_prompt_that_no_cache_held(views: Planted, cached: int | None, tps: float) -> None:
    assert spoken(views, cached_tokens=cached)["prefill_tps"] == tps


@pytest.mark.parametrize(
    ("facts", "tps"),
    [
        ({"completion_tokens": 32}, 31.5),
        ({"completion_tokens": 31}, None),
        ({"completion_tokens": None}, None),
        ({"chunk_count": 8}, 31.5),
        ({"chunk_count": 7}, None),
        ({"chunk_count": None}, None),
        ({"seen": {"rate_reason": "the text came in bursts"}}, None),
    ],
)
def test_decode_at_depth_takes_32_tokens_and_8_chunks(views: Planted, facts: Row, tps: float | None) -> None:
    row = spoken(views, **facts)
    assert (row["decode_tps"], row["ttft_ms"]) == (tps, 10_000)


def test_decode_at_depth_is_that_of_any_request(given: Given) -> None:
    """100 tokens, 4 to a chunk, every 80 ms are 50 tokens/s, as request_speed says."""
    chunks = [{"gap_us": 80_000, "kind": "answer", "chars": 16}] * 25
    bundled = {"chunks": chunks, "completion_tokens": 100, "first_text_ns": 80 * MS, "last_text_ns": 2000 * MS}
    (row,) = given([mlx(suite="context"), *rung(8192, **bundled)[:1]]).rows("from rung_speed")
    assert row["decode_tps"] == pytest.approx(50)


# ---------------------------------------------------------------- framework_delta_by_depth

Climbed = dict[tuple[int, int], tuple[float | None, float | None]]  # (rung, which prompt): decode, TTFT


def climbed_by(views: Planted, mlx_climbs: list[Climbed], llama_climbs: list[Climbed], **pair: Any) -> list[Row]:
    """Two sides beside each other, each with the ladders that it climbed."""
    sides = {"a": mlx_climbs, "b": llama_climbs}
    about = {"machine": "m", "model": "M", "bits": 4}
    views.put("configurations", *({"configuration_id": side, "quantization": side, **about} for side in sides))
    climbs = {f"{side}{n}": climb for side, several in sides.items() for n, climb in enumerate(several)}
    views.put("stg_runs", *({"configuration_id": run[0], "run_id": run, "machine": "m"} for run in climbs))
    pairs = {"a_id": "a", "b_id": "b", "a_configuration_id": "a", "b_configuration_id": "b"}
    views.put("pairs", {"kind": "framework", **pairs, **pair})
    views.put(
        "rung_speed",
        *(
            {"run_id": run, "rung": tokens, "set_number": number, "decode_tps": tps, "ttft_ms": ms}
            for run, climbed in climbs.items()
            for (tokens, number), (tps, ms) in climbed.items()
        ),
    )
    return views.rows("from framework_delta_by_depth")


def by_depth(views: Planted, mlx_side: Climbed, llama_side: Climbed, climbs: int = 1, **pair: Any) -> list[Row]:
    """The same of sides that came out so each time."""
    return climbed_by(views, [mlx_side] * climbs, [llama_side] * climbs, **pair)


def test_at_each_depth_the_two_prompts_are_paired(views: Planted) -> None:
    a: Climbed = {(8192, 1): (60, 100), (8192, 2): (61, 110), (65536, 1): (30, 900), (65536, 2): (33, 900)}
    b: Climbed = {(8192, 1): (50, 200), (8192, 2): (50, 210), (65536, 1): (30, 900), (65536, 2): (33, 900)}
    short, long = by_depth(views, a, b)
    assert (short["rung"], short["pair_count"], long["rung"]) == (8192, 2, 65536)
    assert ends(short, "decode_tps_ratio") == pytest.approx(student_t((60 / 50, 61 / 50)))
    assert ends(short, "ttft_ms_ratio") == pytest.approx(student_t((100 / 200, 110 / 210)))
    assert (short["mlx_quantization"], short["llama_cpp_quantization"]) == ("a", "b")
    told = ("one run a side", "one run a side", "one run on a side")
    for row in (short, long):
        assert (row["verdict"], row["ttft_verdict"], row["reason"]) == told
        assert row["runs_a_side"] == 1
    short, long = by_depth(views, a, b, climbs=2)
    assert ends(short, "decode_tps_ratio") == pytest.approx([student_t((60 / 50, 61 / 50))[0]] * 3)
    assert (short["verdict"], short["ttft_verdict"], short["reason"]) == ("MLX faster", "llama.cpp later", None)
    assert (long["verdict"], long["ttft_verdict"], long["reason"]) == ("equivalent", "equivalent", None)
    assert (long["runs_a_side"], long["pair_count"]) == (2, 2)


def test_what_ladders_of_a_machine_differ_by_is_pooled_over_rungs_and_sides(views: Planted) -> None:
    """Degrees of freedom are ladders less sides, for rungs of one ladder share its day: 3 + 2 - 2."""
    rungs = (8192, 65536)
    of_rung = {
        "a": {8192: (60.0, 61.5, 59.0), 65536: (30.0, 31.0, 30.2)},
        "b": {8192: (50.0, 50.9), 65536: (28.0, 29.0)},
    }
    sides = [
        [
            {(tokens, number): (of_rung[side][tokens][n] * number, 100.0) for tokens in rungs for number in (1, 2)}
            for n in range(count)
        ]
        for side, count in (("a", 3), ("b", 2))
    ]
    logs = [[math.log(value) for value in of_rung[side][tokens]] for side in "ab" for tokens in rungs]
    variance = sum(stats.tvar(each) * (len(each) - 1) for each in logs) / sum(len(each) - 1 for each in logs)
    margin = stats.t.ppf(0.975, 3) * math.sqrt(variance * (1 / 3 + 1 / 2))
    found = climbed_by(views, *sides)
    for row, a, b in zip(found, logs[:2], logs[2:], strict=True):
        center = sum(a) / 3 - sum(b) / 2
        expected = [math.exp(center + side * margin) for side in (0, -1, 1)]
        assert ends(row, "decode_tps_ratio") == pytest.approx(expected)
        assert row["runs_a_side"] == 2


def test_one_ladder_a_side_decides_a_wait_half_as_long_again(views: Planted) -> None:
    both = ((8192, 1), (8192, 2))
    for ms, verdict in ((151.0, "MLX later"), (149.0, "one run a side"), (66.0, "llama.cpp later")):
        (row,) = by_depth(views, dict.fromkeys(both, (50.0, ms)), dict.fromkeys(both, (50.0, 100.0)))
        assert (row["verdict"], row["ttft_verdict"]) == ("one run a side", verdict)


@pytest.mark.parametrize(
    ("mlx_tps", "verdict"),
    [
        (60.0, "MLX faster"),
        (40.0, "llama.cpp faster"),
        (50.0, "equivalent"),
        (51.6, "MLX faster"),
        (51.4, "equivalent"),
    ],
)
def test_a_verdict_at_depth_has_a_margin_of_three_percent(views: Planted, mlx_tps: float, verdict: str) -> None:
    both = ((8192, 1), (8192, 2))
    a, b = dict.fromkeys(both, (mlx_tps, mlx_tps)), dict.fromkeys(both, (50.0, 50.0))
    (row,) = by_depth(views, a, b, climbs=2)
    assert row["verdict"] == verdict
    assert row["ttft_verdict"] == verdict.replace("faster", "later")
    (row,) = by_depth(views, a, b)
    assert (row["verdict"], row["ttft_verdict"]) == ("one run a side",) * 2


def test_only_rungs_and_prompts_that_both_sides_have_count(views: Planted) -> None:
    a: Climbed = {(8192, 1): (60, 100), (8192, 2): (61, 110), (16384, 1): (60, 100)}
    b: Climbed = {(8192, 1): (50, 200), (32768, 1): (50, 200)}
    (row,) = by_depth(views, a, b)
    assert (row["rung"], row["pair_count"]) == (8192, 1)
    assert ends(row, "decode_tps_ratio") == [pytest.approx(1.2), None, None]
    assert row["verdict"] == "one run a side"
    (row,) = climbed_by(views, [a, a], [b])
    assert (row["rung"], row["pair_count"], row["runs_a_side"]) == (8192, 1, 1)


def test_a_depth_without_decode_speeds_still_has_its_ttft(views: Planted) -> None:
    (row,) = by_depth(views, {(8192, 1): (None, 100)}, {(8192, 1): (50, 200)}, caveat="a caveat")
    assert (row["verdict"], row["decode_tps_ratio"]) == ("not comparable", None)
    assert (row["ttft_ms_ratio"], row["ttft_verdict"]) == (pytest.approx(0.5), "one run a side")
    assert row["reason"] == "no decode speed on both sides; one run on a side; a caveat"


def test_ladders_that_may_not_be_compared_say_why_and_have_no_ratio(views: Planted) -> None:
    (row,) = by_depth(views, {(8192, 1): (60, 100)}, {(8192, 1): (50, 200)}, obstacle="different sampling")
    assert {value for name in ("decode_tps_ratio", "ttft_ms_ratio") for value in ends(row, name)} == {None}
    assert (row["verdict"], row["ttft_verdict"], row["reason"]) == (*["not comparable"] * 2, "different sampling")


def test_several_climbs_of_one_side_are_one(views: Planted) -> None:
    """The geometric mean of a prompt's climbs, so that one climbed twice weighs no more."""
    a: Climbed = {(8192, 1): (40, 100), (8192, 2): (50, 100)}
    b: Climbed = {(8192, 1): (50, 100), (8192, 2): (50, 100)}
    by_depth(views, a, b)
    rows = views.rows("select run_id, rung, set_number, decode_tps, ttft_ms from rung_speed")
    views.put("stg_runs", *({"configuration_id": run[0], "run_id": run} for run in ("a0", "a1", "b0")))
    views.put("rung_speed", *rows, {**rows[0], "run_id": "a1", "decode_tps": 62.5})
    (row,) = views.rows("from framework_delta_by_depth")
    assert (row["pair_count"], row["decode_tps_ratio"]) == (2, pytest.approx(1))


def test_two_ladders_from_run_files_are_compared_by_depth(given: Given) -> None:
    fast = [mlx(suite="context"), *rung(8192, tps=60, ttft_ms=900), *rung(16384, tps=50)]
    slow = [gguf(suite="context"), *rung(8192, tps=50, ttft_ms=1000), *rung(32768, tps=40)]
    once = [mlx("8bit", suite="context"), *fast[1:]], [gguf("Q8_0", suite="context"), *slow[1:]]
    twice, single = given(fast, slow, slow, fast, *once).rows("from framework_delta_by_depth")
    assert (twice["rung"], twice["verdict"], twice["ttft_verdict"]) == (8192, "MLX faster", "llama.cpp later")
    assert (single["rung"], single["verdict"], single["ttft_verdict"]) == (8192, *["one run a side"] * 2)
    for row, count in ((twice, 2), (single, 1)):
        assert row["decode_tps_ratio"] == pytest.approx(1.2, rel=1e-4)
        assert row["runs_a_side"] == count


# ---------------------------------------------------------------- which loads are known

BOOTED = 1_000_000.0
MODEL = {"model_publisher": "unsloth", "model_key": "m", "quantization": "Q4_K_M"}


@pytest.fixture
def clock(results: Results, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """`at`: the time, and `booted`: when the machine was started, in seconds."""
    told = SimpleNamespace(at=BOOTED + 60, booted=BOOTED)
    monkeypatch.setattr(loads.psutil, "boot_time", lambda: told.booted)
    monkeypatch.setattr(measure, "utc_now", lambda: datetime.fromtimestamp(told.at, UTC).replace(tzinfo=None))
    results.journals.mkdir(parents=True)
    return told


@pytest.mark.usefixtures("clock")
def test_a_model_is_a_repeat_once_it_was_loaded(results: Results) -> None:
    assert not loads.is_repeat(results, MODEL)
    loads.remember(results, MODEL)
    assert loads.is_repeat(results, MODEL)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("part", sorted(MODEL))
def test_another_publisher_key_or_quantization_is_another_file(results: Results, part: str) -> None:
    loads.remember(results, MODEL)
    assert not loads.is_repeat(results, {**MODEL, part: "other"})
    assert not loads.is_repeat(results, {name: value for name, value in MODEL.items() if name != part})


def test_what_was_loaded_before_the_machine_was_started_is_no_repeat(results: Results, clock: SimpleNamespace) -> None:
    loads.remember(results, MODEL)
    for booted, is_repeat in ((clock.at - 1, True), (clock.at, False), (clock.at + 1, False)):
        clock.booted = booted
        assert loads.is_repeat(results, MODEL) is is_repeat


def test_other_models_are_kept_until_the_machine_is_started_again(results: Results, clock: SimpleNamespace) -> None:
    other = {**MODEL, "model_key": "other"}
    loads.remember(results, other)
    clock.at += 60
    loads.remember(results, MODEL)
    assert loads.is_repeat(results, other)
    clock.booted = clock.at - 30
    loads.remember(results, MODEL)
    assert list(json.loads(results.loads.read_text())) == ["unsloth/m/Q4_K_M"]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "7", "null", '"x"', '{"unsloth/m/Q4_K_M": "yesterday"}', '{"unsloth/m/Q4_K_M": null}', "\udcff"],
)
def test_a_damaged_file_knows_of_no_load_and_is_written_anew(results: Results, content: str) -> None:
    results.loads.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert not loads.is_repeat(results, MODEL)
    loads.remember(results, MODEL)
    assert loads.is_repeat(results, MODEL)


@pytest.mark.usefixtures("clock")
def test_what_is_sound_in_a_half_damaged_file_still_counts(results: Results) -> None:
    results.loads.write_text(json.dumps({"unsloth/m/Q4_K_M": BOOTED + 1, "other": ["x"]}))
    assert loads.is_repeat(results, MODEL)


def test_without_a_file_or_a_folder_nothing_was_loaded(results: Results) -> None:
    assert not loads.is_repeat(results, MODEL)
    assert not results.root.exists()
