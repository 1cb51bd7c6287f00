"""Which configuration to use: given rows → what is rated, what fits a cell of the grid, what is said there."""

import itertools
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from site_src.warehouse import Warehouse
from tests import planted
from tests.conftest import RUN, STARTED
from tests.planted import (
    GB,
    Planted,
    Row,
    gguf,
    loaded,
    mlx,
    rung,
    speeds,
)
from tests.planted import views_without_comments as views_without_comments

Given = Callable[..., Warehouse]
PRIORITIES = ("speed", "quality", "memory")
MACHINE = "m3"
SIZE_GB = 549.0  # of that machine


@pytest.fixture
def views() -> Iterator[Planted]:
    yield planted.shared()
    planted.shared().clear()


# ---------------------------------------------------------------- candidates: what is rated


def summary(name: str, **more: Any) -> Row:
    """A configuration's row of run_summary that nothing speaks against; each is a quantization of its own."""
    return {
        "configuration_id": name,
        "label": name.upper(),
        "machine": MACHINE,
        "server": "lmstudio",
        "model": "M",
        "runtime": "mlx",
        "quantization": name,
        "bits": 4,
        "context_effective": 131072,
        "run_count": 1,
        "forced_count": 0,
        "latest_run_at": STARTED,
        "prompt_count": 7,
        "request_count": 35,
        "failed_count": 0,
        "excluded_count": 0,
        "decode_count": 35,
        "decode_tps": 50.0,
        "peak_short_gb": 150.0,
        **more,
    }


def machine_facts(name: str, **more: Any) -> Row:
    """A run of that configuration, as stg_runs has it."""
    return {"configuration_id": name, "run_id": f"run of {name}", "machine_memory_gb": SIZE_GB, **more}


def candidates(views: Planted, *summaries: Row, facts: list[Row] | None = None) -> dict[str, Row]:
    """What candidates says of these configurations, by name."""
    views.leave_empty("context_utilization", "runs", "prompt_speed", "configuration_quality")
    views.put("run_summary", *summaries)
    views.put("stg_runs", *(facts or [machine_facts(row["configuration_id"]) for row in summaries]))
    return {row["configuration_id"]: row for row in views.rows("from candidates")}


def reasons(views: Planted, *summaries: Row) -> list[str | None]:
    """Why each is not rated, in the order given; None is rated."""
    found = candidates(views, *summaries)
    assert all(row["is_rated"] == (row["reason"] is None) for row in found.values())
    return [found[row["configuration_id"]]["reason"] for row in summaries]


def test_only_what_was_measured_through_lm_studio_is_rated(views: Planted) -> None:
    told = reasons(views, summary("a"), summary("b", server="llama-server"), summary("c", server=None))
    assert told == [None, *["not measured through LM Studio"] * 2]


def test_one_forced_run_is_enough_to_be_left_out(views: Planted) -> None:
    assert reasons(views, summary("a", run_count=3), summary("b", run_count=3, forced_count=1)) == [
        None,
        "a check had failed",
    ]


def test_a_context_below_131072_is_not_rated_and_one_nobody_told_is(views: Planted) -> None:
    contexts = (131072, 131071, None)
    rows = [summary(name, context_effective=tokens) for name, tokens in zip("abc", contexts, strict=True)]
    assert reasons(views, *rows) == [None, "context below 131,072", None]


def test_a_fifth_of_the_requests_may_be_failed_or_left_out_but_no_more(views: Planted) -> None:
    told = reasons(
        views,
        summary("a", failed_count=7),
        summary("b", failed_count=8),
        summary("c", failed_count=3, excluded_count=4),
        summary("d", failed_count=3, excluded_count=5),
        summary("e", request_count=1, decode_count=1),
    )
    assert told == [None, "8 of 35 requests failed or were left out"] * 2 + [None]


def test_without_a_peak_memory_or_a_speed_nothing_is_rated(views: Planted) -> None:
    told = reasons(views, summary("a", peak_short_gb=None), summary("b", decode_tps=None, decode_count=0))
    assert told == ["peak memory not known", "no decode speed"]


def test_only_the_gate_fail_leaves_a_configuration_out(views: Planted) -> None:
    gates = {"a": "pass", "b": "warn", "c": "fail"}
    views.put("configuration_quality", *({"configuration_id": name, "gate": gate} for name, gate in gates.items()))
    found = candidates(views, *map(summary, "abcd"))
    assert {name: (row["quality_gate"], row["reason"]) for name, row in found.items()} == {
        "a": ("pass", None),
        "b": ("warn", None),
        "c": ("fail", "its outputs failed the quality gate"),
        "d": ("unproven", None),
    }


def test_all_that_speaks_against_a_configuration_is_named(views: Planted) -> None:
    facts = {"server": None, "forced_count": 1, "context_effective": 4096, "failed_count": 35, "peak_short_gb": None}
    assert reasons(views, summary("a", **facts)) == [
        "not measured through LM Studio; a check had failed; context below 131,072; "
        "35 of 35 requests failed or were left out; peak memory not known"
    ]


LATER = STARTED + timedelta(days=1)


@pytest.mark.parametrize(
    ("other", "winner"),
    [
        ({"decode_count": 34, "request_count": 34}, "a"),
        ({"decode_count": 36, "request_count": 36}, "b"),
        ({"decode_count": 99, "request_count": 99, "forced_count": 1}, "a"),
        ({"latest_run_at": LATER}, "b"),
        ({}, "a"),
    ],
    ids=["fewer requests", "more requests", "more, but not rated", "as many, later", "all alike"],
)
def test_of_several_configurations_the_rated_one_with_most_requests_stands_for_them(
    views: Planted, other: Row, winner: str
) -> None:
    rows = [summary("a", quantization="4bit"), summary("b", quantization="4bit", **other)]
    for order in (rows, rows[::-1]):
        assert list(candidates(views, *order)) == [winner]


def test_failed_requests_do_not_make_a_configuration_stand_for_others(views: Planted) -> None:
    failing = summary("b", quantization="4bit", request_count=36, failed_count=7, decode_count=29)
    assert list(candidates(views, summary("a", quantization="4bit"), failing)) == ["a"]


def test_what_differs_in_machine_model_runtime_or_quantization_is_a_candidate_of_its_own(views: Planted) -> None:
    others = [{}, {"machine": "m4"}, {"model": "N"}, {"runtime": "llama.cpp"}, {"quantization": "8bit"}]
    rows = [summary(f"c{number}", **{"quantization": "4bit", **other}) for number, other in enumerate(others)]
    assert len(candidates(views, *rows)) == 5


def test_one_that_is_not_rated_is_shown_if_no_other_stands_for_it(views: Planted) -> None:
    found = candidates(views, summary("a", forced_count=1))
    assert found["a"]["is_rated"] is False


def test_memory_is_that_of_the_whole_context_and_else_that_of_short_prompts(views: Planted) -> None:
    found = candidates(
        views,
        summary("a", peak_full_gb=180.0, peak_full_kind="measured"),
        summary("b", peak_full_gb=170.0, peak_full_kind="estimated"),
        summary("c"),
    )
    assert [(row["memory_gb"], row["memory_kind"]) for _, row in sorted(found.items())] == [
        (180.0, "measured"),
        (170.0, "estimated"),
        (150.0, "only with short prompts"),
    ]


WIRED_MB = round(450 * GB / 2**20)  # 450 GB


@pytest.mark.parametrize(
    ("peak_gb", "wired_mb", "budget_gb"),
    [
        (300.0, None, 400.0),
        (300.0, 0, 400.0),
        (420.0, None, 560.0),  # more than there is
        (300.0, WIRED_MB, 400.0),
        (420.0, WIRED_MB, SIZE_GB),
        (449.9, WIRED_MB, SIZE_GB),
        (450.1, WIRED_MB, 450.1 / 0.75),
    ],
)
def test_a_quarter_of_the_memory_stays_free_unless_the_wired_limit_allows_more(
    views: Planted, peak_gb: float, wired_mb: int | None, budget_gb: float
) -> None:
    facts = [machine_facts("a", wired_limit_mb=wired_mb)]
    found = candidates(views, summary("a", peak_short_gb=peak_gb), facts=facts)
    assert found["a"]["budget_gb"] == pytest.approx(budget_gb)
    assert found["a"]["budget_deep_gb"] is None


def climbed(ladder: str, usable: int | None, below: int | None = None, context: int = 131072, **more: Any) -> Row:
    """A row of context_utilization."""
    return {
        "ladder_id": ladder,
        "machine": MACHINE,
        "model": "M",
        "runtime": "mlx",
        "quantization": "a",
        "context_usable": usable,
        "context_usable_below": below,
        "context_effective": context,
        **more,
    }


def ladder_peak(ladder: str, gb: float | None, kind_rank: int = 1) -> Row:
    """Its row of ladder_memory; 1 is the kind to prefer."""
    return {"ladder_id": ladder, "peak_memory_gb": gb, "kind_rank": kind_rank}


def test_usable_context_and_deep_memory_are_those_of_the_ladder_that_reached_furthest(views: Planted) -> None:
    views.put("context_utilization", climbed("x", 65536, 131072), climbed("y", 196608, 200000, 196608))
    views.put("ladder_memory", ladder_peak("x", 160.0), ladder_peak("y", 175.0), ladder_peak("y", 500.0, kind_rank=2))
    row = candidates(views, summary("a"))["a"]
    assert (row["context_usable"], row["context_usable_below"]) == (196608, 200000)
    assert (row["deep_memory_gb"], row["budget_deep_gb"]) == (175.0, pytest.approx(175 / 0.75))


@pytest.mark.parametrize("other", ["machine", "model", "runtime", "quantization"])
def test_a_ladder_of_another_configuration_says_nothing_of_this_one(views: Planted, other: str) -> None:
    views.put("context_utilization", climbed("x", 131072, **{other: "another"}))
    views.put("ladder_memory", ladder_peak("x", 160.0))
    row = candidates(views, summary("a"))["a"]
    assert (row["context_usable"], row["deep_memory_gb"]) == (None, None)


def test_where_no_rung_failed_the_first_that_did_not_pass_is_unknown(views: Planted) -> None:
    views.put("context_utilization", climbed("x", 65536, 98304), climbed("y", 196608, None, 196608))
    row = candidates(views, summary("a"))["a"]
    assert (row["context_usable"], row["context_usable_below"]) == (196608, None)


def test_memory_of_a_shorter_ladder_does_not_stand_in_for_that_of_the_longest(views: Planted) -> None:
    views.put("context_utilization", climbed("x", 131072), climbed("y", 196608, None, 196608))
    views.put("ladder_memory", ladder_peak("x", 160.0), ladder_peak("y", None))
    assert candidates(views, summary("a"))["a"]["deep_memory_gb"] is None


def test_a_ladder_through_another_server_shows_nothing_of_lm_studio(given: Given) -> None:
    warehouse = given(
        [mlx(), *loaded(100), *speeds("a", 50, 50)],
        [mlx(suite="context", server="mlx_lm.server"), *rung(65536)],
    )
    (row,) = warehouse.rows("from candidates where is_rated")
    assert row["context_usable"] is None


def test_repeats_are_the_valid_ones_of_the_prompt_that_has_fewest_over_all_runs(views: Planted) -> None:
    counts = [("1", "p", 3), ("1", "q", 5), ("2", "p", 1), ("2", "q", 5), ("3", "p", 0)]
    views.put(
        "prompt_speed", *({"run_id": run, "prompt_sha256": prompt, "decode_count": n} for run, prompt, n in counts)
    )
    facts = [machine_facts(name, run_id=run) for name, run in (("a", "1"), ("a", "2"), ("b", "3"), ("c", "4"))]
    found = candidates(views, *map(summary, "abc"), facts=facts)
    assert [found[name]["repeat_count"] for name in "abc"] == [4, 0, 0]


def test_all_versions_of_the_engine_are_named_once(views: Planted) -> None:
    facts = [machine_facts("a", runtime_version=version) for version in ("1.1", "1.0", "1.1", None)]
    assert candidates(views, summary("a"), facts=facts)["a"]["runtime_versions"] == "1.0, 1.1"


# ---------------------------------------------------------------- choices: what fits which cell


def candidate(name: str, **more: Any) -> Row:
    """A rated candidate of 150 GB that would be recommended without any doubt but the quality's."""
    memory_gb = more.get("memory_gb", 150.0)
    return {
        "configuration_id": name,
        "label": name.upper(),
        "machine": MACHINE,
        "model": "M",
        "runtime": "mlx",
        "quantization": name,
        "bits": 4,
        "context_effective": 131072,
        "is_rated": True,
        "decode_tps": 50.0,
        "decode_tps_low": 49.0,
        "decode_tps_high": 51.0,
        "memory_gb": memory_gb,
        "memory_kind": "measured",
        "memory_confidence": "high",
        "budget_gb": None if memory_gb is None else memory_gb / 0.75,
        "quality_gate": "unproven",
        "machine_memory_gb": SIZE_GB,
        "repeat_count": 5,
        **more,
    }


def choices(views: Planted, *rows: Row, where: str = "true") -> list[Row]:
    views.put("candidates", *rows)
    return views.rows(f"from choices where {where}")


def grid(views: Planted, column: str, *rows: Row) -> list[Any]:
    """All values that one edge of the grid has."""
    found = {row[column] for row in choices(views, *rows)}
    return sorted(found, key=lambda value: (value is None, value))


def test_budgets_are_nothing_and_those_at_which_something_begins_to_fit(views: Planted) -> None:
    rows = [candidate("a", budget_gb=133.4), candidate("b", budget_gb=200.0, budget_deep_gb=333.1)]
    assert grid(views, "memory_budget_gb", *rows) == [0, 134, 200, 334]


def test_budgets_below_10_gb_go_by_tenths(views: Planted) -> None:
    rows = [candidate(name, budget_gb=gb) for name, gb in (("a", 0.41), ("b", 9.99), ("c", 10.01), ("d", 0.5))]
    assert grid(views, "memory_budget_gb", *rows) == [0, 0.5, 10, 11]


def test_a_budget_that_the_machine_does_not_have_is_none(views: Planted) -> None:
    rows = [candidate("a", budget_gb=SIZE_GB), candidate("b", budget_gb=SIZE_GB + 0.1)]
    assert grid(views, "memory_budget_gb", *rows) == [0, SIZE_GB]


def test_what_is_not_rated_opens_no_cell_and_is_in_none(views: Planted) -> None:
    found = choices(views, candidate("a"), candidate("b", is_rated=False, budget_gb=300.0, context_usable=4096))
    assert {row["memory_budget_gb"] for row in found} == {0, 200}
    assert {row["context_needed"] for row in found} == {0, 131072}
    assert {row["configuration_id"] for row in found} == {"a"}


def test_an_interval_ends_where_the_next_begins_and_the_last_has_no_end(views: Planted) -> None:
    found = choices(views, candidate("a", budget_gb=50.0), candidate("b"))
    intervals = {(row["memory_budget_gb"], row["memory_budget_below_gb"]) for row in found}
    assert intervals == {(0, 50), (50, 200), (200, None)}


@pytest.mark.parametrize("peak_gb", [1.425, 2.475, 4.95])
def test_at_the_budget_at_which_it_begins_to_fit_it_fits(views: Planted, peak_gb: float) -> None:
    found = choices(views, candidate("a", memory_gb=peak_gb), where="memory_budget_gb > 0 and context_needed = 0")
    assert {row["obstacle"] for row in found if row["priority"] != "quality"} == {None}


def test_contexts_asked_about_are_the_plans_the_usable_and_the_advertised_ones(views: Planted) -> None:
    rows = [candidate("a", context_usable=65536), candidate("b", context_usable=0, model="Qwen3-Coder-Next")]
    assert grid(views, "context_needed", *rows) == [0, 65536, 131072, 256000]


def test_every_cell_has_every_rated_candidate_once(views: Planted) -> None:
    found = choices(views, candidate("a", budget_gb=50.0), candidate("b"))
    cells = {(row["memory_budget_gb"], row["context_needed"], row["priority"]) for row in found}
    assert cells == set(itertools.product((0, 50, 200), (0, 131072), PRIORITIES))
    assert len(found) == len({(*cell, name) for cell in cells for name in "ab"})


def obstacles(views: Planted, *rows: Row, needed: int = 0, priority: str = "speed") -> dict[str, str | None]:
    """What keeps each from the cell with all the memory."""
    where = f"memory_budget_below_gb is null and context_needed = {needed} and priority = '{priority}'"
    return {row["configuration_id"]: row["obstacle"] for row in choices(views, *rows, where=where)}


def test_what_needs_more_memory_than_the_budget_does_not_fit(views: Planted) -> None:
    rows = [candidate("a", budget_gb=200.0), candidate("b", budget_gb=200.1), candidate("c", budget_gb=199.9)]
    found = choices(views, *rows, where="memory_budget_gb = 200 and context_needed = 0 and priority = 'speed'")
    told = {row["configuration_id"]: row["obstacle"] for row in found}
    assert told == {"a": None, "b": "needs more memory", "c": None}


def test_a_needed_context_takes_a_ladder_that_passed_there(views: Planted) -> None:
    usable = {"a": 131072, "b": 131071, "c": 0, "d": None}
    rows = [candidate(name, context_usable=tokens) for name, tokens in usable.items()]
    assert obstacles(views, *rows, needed=131072) == {
        "a": None,
        "b": "not usable to this length",
        "c": "not usable to this length",
        "d": "no ladder was climbed",
    }
    assert set(obstacles(views, *rows).values()) == {None}


def test_above_a_configurations_context_the_ladders_memory_counts(views: Planted) -> None:
    deep = {"context_usable": 196608, "deep_memory_gb": 180.0, "budget_deep_gb": 240.0, "memory_kind": "estimated"}
    rows = [candidate("a", **deep), candidate("b", context_usable=196608)]
    where = "priority = 'speed' and memory_budget_gb in (200, 240) and configuration_id = 'a'"
    found = choices(views, *rows, where=f"{where} and context_needed in (131072, 196608)")
    names = ("memory_budget_gb", "context_needed", "memory_gb", "memory_kind", "obstacle")
    assert [tuple(row[name] for name in names) for row in found] == [
        (200, 131072, 150, "estimated", None),
        (200, 196608, 180, "measured", "needs more memory"),
        (240, 131072, 150, "estimated", None),
        (240, 196608, 180, "measured", None),
    ]
    assert obstacles(views, *rows, needed=196608) == {"a": None, "b": "memory at this length is not known"}


def test_asked_for_quality_the_gate_must_be_passed(views: Planted) -> None:
    rows = [candidate(gate, quality_gate=gate) for gate in ("pass", "warn", "unproven")]
    told = obstacles(views, *rows, priority="quality")
    assert told == {"pass": None, "warn": "quality not proven", "unproven": "quality not proven"}
    for priority in ("speed", "memory"):
        assert set(obstacles(views, *rows, priority=priority).values()) == {None}


def places(views: Planted, *rows: Row, priority: str) -> list[str]:
    where = f"memory_budget_below_gb is null and context_needed = 0 and priority = '{priority}' and obstacle is null"
    found = choices(views, *rows, where=where)
    assert [row["choice_rank"] for row in found] == list(range(1, len(found) + 1))
    return [row["configuration_id"] for row in found]


def test_the_order_is_that_of_the_priority_then_of_memory_then_of_the_id(views: Planted) -> None:
    rows = [
        candidate("d", decode_tps=60.0, quality_gate="pass", memory_gb=150.0),
        candidate("c", decode_tps=60.0, memory_gb=140.0),
        candidate("b", decode_tps=70.0, memory_gb=140.0),
        candidate("a", decode_tps=60.0, quality_gate="pass", memory_gb=150.0),
    ]
    for order in (rows, rows[::-1]):
        assert places(views, *order, priority="speed") == ["b", "c", "a", "d"]
        assert places(views, *order, priority="quality") == ["a", "d"]
        assert places(views, *order, priority="memory") == ["b", "c", "a", "d"]


def test_a_machine_on_which_nothing_is_rated_has_cells_without_a_candidate(views: Planted) -> None:
    found = choices(views, candidate("a", is_rated=False), candidate("b", machine="m4"))
    mine = [row for row in found if row["machine"] == MACHINE]
    assert len(mine) == 2 * len(PRIORITIES)
    assert {(row["configuration_id"], row["obstacle"]) for row in mine} == {(None, "no configuration is rated")}


# ---------------------------------------------------------------- recommendation


def recommended(views: Planted, *rows: Row, where: str = "true") -> list[Row]:
    views.leave_empty("pairs", "pair_speed", "plan_coverage")
    views.put("candidates", *rows)
    return views.rows(f"from recommendation where {where}")


def said(views: Planted, *rows: Row, priority: str = "speed", needed: int = 0) -> Row:
    """What is said of the cell with all the memory."""
    where = f"memory_budget_below_gb is null and context_needed = {needed} and priority = '{priority}'"
    (row,) = recommended(views, *rows, where=where)
    return row


def compare(views: Planted, verdicts: dict[str, str | None]) -> None:
    """What pair_speed says of pairs, such as `{"ab": "a faster"}`; None is no prompt in common."""
    views.put("pairs", *({"kind": "choice", "a_id": a, "b_id": b} for a, b in verdicts))
    judged = [(pair, verdict) for pair, verdict in verdicts.items() if verdict]
    views.put("pair_speed", *({"a_id": pair[0], "b_id": pair[1], "verdict": verdict} for pair, verdict in judged))


FAST = {"decode_tps": 60.0, "decode_tps_low": 59.0, "decode_tps_high": 61.0, "memory_gb": 200.0}


def test_the_fastest_that_fits_is_recommended(views: Planted) -> None:
    compare(views, {"ab": "a faster"})
    row = said(views, candidate("a", **FAST), candidate("b"))
    assert (row["verdict"], row["configuration_id"], row["tied_with"]) == ("recommended", "a", None)
    assert (row["candidate_count"], row["fitting_count"], row["reason"]) == (2, 2, None)


@pytest.mark.parametrize("pair", ["ab", "ba"])
@pytest.mark.parametrize(
    ("verdict", "is_level"),
    [
        ("equivalent", True),
        ("inconclusive", True),
        ("small difference", False),
        ("a faster", False),
        ("b faster", False),
        ("not comparable", False),
        (None, False),
    ],
)
def test_level_ones_are_named_and_the_smaller_is_preferred(
    views: Planted, pair: str, verdict: str | None, is_level: bool
) -> None:
    compare(views, {pair: verdict})
    row = said(views, candidate("a", **FAST), candidate("b", decode_tps=59.5, decode_tps_high=60.5))
    if is_level:
        assert (row["verdict"], row["configuration_id"], row["tied_with"]) == ("level", "b", "A")
    else:
        assert (row["verdict"], row["configuration_id"], row["tied_with"]) == ("recommended", "a", None)


@pytest.mark.parametrize(("high", "is_level"), [(59.0, True), (58.9, False), (None, True)])
def test_an_undecided_one_whose_whole_interval_lies_below_is_not_level(
    views: Planted, high: float | None, is_level: bool
) -> None:
    compare(views, {"ab": "inconclusive"})
    row = said(views, candidate("a", **FAST), candidate("b", decode_tps=58.0, decode_tps_high=high))
    assert row["configuration_id"] == ("b" if is_level else "a")


def test_all_that_are_level_with_the_first_are_named_by_size(views: Planted) -> None:
    compare(views, {"ab": "equivalent", "ac": "inconclusive", "bc": "a faster", "ad": "a faster"})
    near = {"decode_tps": 59.5, "decode_tps_high": 60.5}
    rows = [candidate("a", **FAST), candidate("b", **near, memory_gb=180.0), candidate("c", **near, memory_gb=120.0)]
    row = said(views, *rows, candidate("d", memory_gb=10.0))
    assert (row["configuration_id"], row["tied_with"], row["fitting_count"]) == ("c", "B, A", 4)


def test_asked_for_the_smallest_one_within_two_percent_is_level_and_the_faster_is_preferred(views: Planted) -> None:
    compare(views, {"ab": "a faster", "bc": "a faster"})
    rows = [candidate("a", memory_gb=100.0), candidate("b", memory_gb=102.0, decode_tps=60.0)]
    row = said(views, *rows, candidate("c", memory_gb=102.1, decode_tps=70.0), priority="memory")
    assert (row["verdict"], row["configuration_id"], row["tied_with"]) == ("level", "b", "A")


def test_asked_for_the_smallest_a_single_smallest_is_recommended(views: Planted) -> None:
    compare(views, {"ab": "a faster"})
    row = said(views, candidate("a", memory_gb=100.0), candidate("b", memory_gb=103.0), priority="memory")
    assert (row["verdict"], row["configuration_id"]) == ("recommended", "a")


SURE = {"quality_gate": "pass"}
ESTIMATED = {"memory_kind": "estimated", "memory_confidence": "medium"}


@pytest.mark.parametrize(
    ("facts", "confidence", "reason"),
    [
        ({}, "high", None),
        ({"decode_run_count": 1}, "medium", "one run"),
        ({"repeat_count": 1}, "high", None),  # repeats within a run tell little of another day
        ({"quality_gate": "unproven"}, "medium", "quality unproven"),
        ({"quality_gate": "warn"}, "medium", "quality warn"),
        ({"memory_confidence": "medium"}, "medium", "memory confidence medium"),
        ({"memory_confidence": None}, "medium", "memory confidence unknown"),
        (ESTIMATED, "medium", "memory estimated"),
        ({"memory_kind": "only with short prompts"}, "medium", "memory only with short prompts"),
        ({"decode_run_count": 1, **ESTIMATED}, "low", "one run; memory estimated"),
        (
            {"decode_run_count": 1, "quality_gate": "unproven", "memory_confidence": "low"},
            "low",
            "one run; quality unproven; memory confidence low",
        ),
    ],
)
def test_confidence_falls_with_what_is_missing(views: Planted, facts: Row, confidence: str, reason: str | None) -> None:
    compare(views, {"ab": "a faster"})
    row = said(views, candidate("a", **{**FAST, **SURE, **facts}), candidate("b"))
    assert (row["confidence"], row["confidence_reason"]) == (confidence, reason)


@pytest.mark.parametrize(
    ("verdict", "doubt"),
    [("equivalent", "level with A"), ("small difference", None), (None, "not comparable with B")],
)
def test_a_choice_that_is_not_decided_is_a_doubt(views: Planted, verdict: str | None, doubt: str | None) -> None:
    compare(views, {"ab": verdict})
    near = candidate("b", decode_tps=59.5, decode_tps_high=60.5, **SURE)
    row = said(views, candidate("a", **FAST, **SURE), near)
    assert (row["confidence_reason"], row["confidence"]) == (doubt, "medium" if doubt else "high")


def test_with_nothing_to_compare_with_a_choice_is_not_decided(views: Planted) -> None:
    row = said(views, candidate("a", **SURE))
    assert (row["confidence"], row["confidence_reason"]) == ("medium", "nothing else fits to compare with")


def test_where_nothing_is_rated_that_is_said_and_nothing_else(views: Planted) -> None:
    found = recommended(views, candidate("a", is_rated=False))
    assert {row["verdict"] for row in found} == {"nothing measured fits"}
    assert {row["reason"] for row in found} == {"no configuration is rated"}
    for name in ("configuration_id", "label", "confidence", "confidence_reason", "decode_tps", "tied_with"):
        assert {row[name] for row in found} == {None}, name
    assert {(row["candidate_count"], row["fitting_count"]) for row in found} == {(0, 0)}


def test_without_a_ladder_no_context_is_promised(views: Planted) -> None:
    reason = "no ladder shows that this length is usable; `collect context` climbs one"
    for usable in (None, 65536):
        row = said(views, candidate("a", context_usable=usable), needed=131072)
        assert (row["verdict"], row["reason"]) == ("nothing measured fits", reason)


def test_without_memory_for_any_that_is_said(views: Planted) -> None:
    (row,) = recommended(
        views, candidate("a"), where="memory_budget_gb = 0 and context_needed = 0 and priority='speed'"
    )
    assert (row["reason"], row["memory_budget_below_gb"]) == ("all that qualify need more memory", 200)


def test_without_proven_quality_none_is_recommended_for_it(views: Planted) -> None:
    row = said(views, candidate("a"), priority="quality")
    assert (row["verdict"], row["reason"]) == ("nothing measured fits", "no quality is proven")


def test_a_proven_one_that_needs_more_memory_is_not_called_unproven(views: Planted) -> None:
    rows = [candidate("a", memory_gb=300.0, **SURE), candidate("b")]
    (row,) = recommended(views, *rows, where="memory_budget_gb = 200 and context_needed = 0 and priority = 'quality'")
    assert row["reason"] == "all that qualify need more memory"


def test_memory_that_is_not_known_at_a_length_is_not_called_too_little(views: Planted) -> None:
    row = said(views, candidate("a", context_usable=196608), needed=196608)
    assert row["verdict"] == "nothing measured fits"
    assert "need more memory" not in row["reason"]


def test_how_much_of_the_plan_is_not_measured_stands_beside_each(views: Planted) -> None:
    states = ("measured", "pending", "failed")
    views.put("plan_coverage", *({"machine": MACHINE, "state": state} for state in states))
    assert {row["not_tested"] for row in recommended(views, candidate("a"))} == {
        "2 of 3 cells of the plan are not measured"
    }
    views.put("plan_coverage", {"machine": MACHINE, "state": "measured"}, {"machine": "m4", "state": "pending"})
    assert {row["not_tested"] for row in recommended(views, candidate("a"))} == {None}


def test_machines_stay_apart(views: Planted) -> None:
    compare(views, {"ab": "inconclusive"})
    mine = [candidate("a", **FAST, context_usable=65536), candidate("c", memory_gb=300.0)]
    alone = recommended(views, *mine)
    other = candidate("b", machine="m4", decode_tps=99.0, context_usable=16384, quality_gate="pass", memory_gb=20.0)
    together = recommended(views, *mine, other)
    assert [row for row in together if row["machine"] == MACHINE] == alone
    assert {row["label"] for row in together if row["machine"] == "m4"} == {"B", None}


VERDICTS = {"ab": "a faster", "ac": "equivalent", "bc": "inconclusive", "ad": None, "bd": "b faster", "cd": "a faster"}


def several() -> list[Row]:
    return [
        candidate("a", **FAST, context_usable=131072),
        candidate("b", decode_tps=55.0, memory_gb=100.0, quality_gate="pass"),
        candidate("c", decode_tps=59.9, decode_tps_high=60.1, memory_gb=100.0, context_usable=196608),
        candidate("d", decode_tps=55.0, memory_gb=101.0, quality_gate="pass", context_usable=65536),
    ]


def test_the_same_rows_in_another_order_give_the_same_recommendation(views: Planted) -> None:
    chance, found = random.Random(1), []
    for _ in range(4):
        rows, pairs = several(), list(VERDICTS.items())
        chance.shuffle(rows)
        chance.shuffle(pairs)
        compare(views, dict(pairs))
        found.append(recommended(views, *rows))
    assert found[0] == found[1] == found[2] == found[3]
    assert {row["verdict"] for row in found[0]} == {"recommended", "level", "nothing measured fits"}


def test_removing_a_winner_changes_only_the_cells_it_fitted(views: Planted) -> None:
    compare(views, VERDICTS)
    before = recommended(views, *several())
    gone = "a"
    after = recommended(views, *(row for row in several() if row["configuration_id"] != gone))
    names = ("memory_budget_gb", "context_needed", "priority")
    told = {tuple(row[name] for name in names): (row["label"], row["verdict"]) for row in after}
    kept = [row for row in before if row["configuration_id"] != gone and gone.upper() not in str(row["tied_with"])]
    same = [row for row in kept if tuple(row[name] for name in names) in told]
    assert len(same) > 20
    assert [(row["label"], row["verdict"]) for row in same] == [told[tuple(row[n] for n in names)] for row in same]


# ---------------------------------------------------------------- decide_overview


def overview(views: Planted, *rows: Row) -> list[Row]:
    views.leave_empty("pairs", "pair_speed", "plan_coverage", "stg_runs")
    machines = sorted({row["machine"] for row in rows}, reverse=True)
    views.put("machines", *({"machine": name, "place": n, "is_plan": True} for n, name in enumerate(machines, 1)))
    views.put("candidates", *rows)
    return views.rows("from decide_overview")


def test_the_overview_of_nothing_is_one_row_of_zeros_and_what_to_type(views: Planted) -> None:
    (row,) = views.rows("from decide_overview")
    known = {name: value for name, value in row.items() if value not in (0, None, False)}
    assert list(known) == ["next_command"]
    assert known["next_command"].startswith("collect plan --run")


def test_the_overview_tells_of_each_machine_what_is_best_in_every_respect(views: Planted) -> None:
    compare(views, {"ab": "a faster", "ac": "a faster", "bc": "a faster", "xy": "a faster"})
    rows = [candidate("a", **FAST), candidate("b", context_usable=131072), candidate("c", is_rated=False)]
    rows += [candidate("d", memory_gb=20.0, decode_tps=9.0, decode_tps_high=9.1, quality_gate="pass")]
    others = [candidate(name, machine="m2", is_rated=name == "x", decode_tps=99.0) for name in "xy"]
    mine, other = overview(views, *rows, *others)
    assert (mine["machine"], mine["candidate_count"], mine["rated_count"]) == (MACHINE, 4, 3)
    assert (mine["label"], mine["decode_tps"], mine["memory_gb"]) == ("A", 60.0, 200.0)
    assert (mine["confidence"], mine["confidence_reason"]) == ("low", "not comparable with D; quality unproven")
    assert (mine["deep_label"], mine["deep_memory_gb"], mine["deep_reason"]) == ("B", 150.0, None)
    assert (mine["proven_label"], mine["proven_decode_tps"], mine["proven_reason"]) == ("D", 9.0, None)
    assert (mine["smallest_label"], mine["smallest_memory_gb"]) == ("D", 20.0)
    assert (other["machine"], other["candidate_count"], other["rated_count"], other["label"]) == ("m2", 2, 1, "X")
    assert (other["deep_label"], other["proven_reason"]) == (None, "no quality is proven")


def test_the_overview_names_nothing_where_nothing_is_rated(views: Planted) -> None:
    (row,) = overview(views, candidate("a", is_rated=False))
    assert (row["candidate_count"], row["rated_count"], row["machine"], row["label"]) == (1, 0, MACHINE, None)


# ---------------------------------------------------------------- from run files to a recommendation


def test_from_run_files_to_a_recommendation(given: Given) -> None:
    """Fast and unproven, slower and proven, and a third with a ladder; a machine apart has one of its own."""
    fast = [mlx(wired_limit_mb=0), *loaded(120), *speeds("a", *[60.0] * 5), *speeds("b", *[62.0] * 5)]
    good = [mlx("8bit"), *loaded(240), *speeds("a", *[30.0] * 5), *speeds("b", *[31.0] * 5)]
    deep = [gguf(), *loaded(140), *speeds("a", *[40.0] * 5), *speeds("b", *[41.0] * 5)]
    ladder = [gguf(suite="context"), *loaded(142), *rung(65536), *rung(131072), *rung(196608, hits=0)]
    other = [mlx(chip="Apple M4 Max", gpu_cores=40), *loaded(100), *speeds("a", 20.0)]
    warehouse = given(fast, good, deep, ladder, other)
    ids = {row["label"]: row["configuration_id"] for row in warehouse.rows("from run_summary")}
    planted.grade(warehouse, {ids["MiniMax-M2.1 8bit · mlx"]: "pass"})
    where = "starts_with(machine, 'apple-m3') and memory_budget_below_gb is null"
    found = warehouse.rows(f"from recommendation where {where}")
    told = {(row["context_needed"], row["priority"]): row for row in found}
    winners = {cell: row["label"] and row["label"].split()[1] for cell, row in told.items()}
    assert winners == {
        (0, "speed"): "4bit",
        (0, "quality"): "8bit",
        (0, "memory"): "Q4_K_M",  # 142 GB, where MLX has yet to grow a cache of 33
        (131072, "speed"): "Q4_K_M",
        (131072, "quality"): None,
        (131072, "memory"): "Q4_K_M",
        (196608, "speed"): None,
        (196608, "quality"): None,
        (196608, "memory"): None,
    }
    row = told[131072, "speed"]
    assert (row["memory_gb"], row["memory_kind"], row["context_usable"]) == (142.0, "measured", 131072)
    assert told[0, "quality"]["confidence_reason"] == "one run; nothing else fits to compare with; memory estimated"
    assert RUN["memory_bytes"] / GB > told[0, "speed"]["memory_budget_gb"]
    first, second = warehouse.rows("from decide_overview")
    assert (first["candidate_count"], first["rated_count"], first["label"]) == (3, 3, "MiniMax-M2.1 4bit · mlx")
    assert (second["candidate_count"], second["rated_count"]) == (1, 1)


# ---------------------------------------------------------------- recommendation_spans


def spans(views: Planted, *rows: Row) -> list[Row]:
    recommended(views, *rows)
    return views.rows("from recommendation_spans where priority = 'speed' and context_needed = 0")


def test_budgets_with_the_same_pick_are_one_span(views: Planted) -> None:
    """From 200 GB on the slower one fits too, and changes nothing."""
    found = spans(views, candidate("a", memory_gb=75.0), candidate("b", memory_gb=150.0, decode_tps=10.0))
    budgets = [(row["memory_budget_gb"], row["memory_budget_below_gb"], row["label"]) for row in found]
    assert [(low, high) for low, high, _ in budgets] == [(0, 100), (100, None)]
    assert budgets[0][2] is None
    assert found[1]["fitting_count"] == 2


def test_a_faster_one_that_fits_later_begins_a_span(views: Planted) -> None:
    found = spans(views, candidate("a", memory_gb=75.0), candidate("b", memory_gb=150.0, decode_tps=90.0))
    assert [(row["memory_budget_gb"], row["memory_budget_below_gb"]) for row in found] == [
        (0, 100),
        (100, 200),
        (200, None),
    ]


def test_the_confidence_of_a_span_is_that_of_its_least_sure_budget(views: Planted) -> None:
    found = spans(views, candidate("a", memory_gb=75.0), candidate("b", memory_gb=150.0, decode_tps=10.0))
    parts = views.rows(
        "select confidence from recommendation where priority = 'speed' and context_needed = 0 and label is not null"
    )
    order = ["low", "medium", "high"]
    told = sorted({row["confidence"] for row in parts}, key=order.index)
    assert (found[1]["confidence"], found[1]["best_confidence"]) == (told[0], told[-1])


# ---------------------------------------------------------------- the least energy


def frugal(name: str, joules: float | None, **more: Any) -> Row:
    """A candidate with so many joules for each token, known to 1 %."""
    known = (
        {} if joules is None else {"decode_j_per_token_low": 0.99 * joules, "decode_j_per_token_high": 1.01 * joules}
    )
    kinds = {"energy_kind": "GPU + CPU", "energy_interval_kind": "between runs", "energy_run_count": 2}
    return candidate(name, decode_j_per_token=joules, decode_run_count=2, **{**kinds, **known, **more})


def least(views: Planted, *rows: Row) -> Row:
    """What has the least energy with all the memory and short prompts."""
    where = "priority = 'energy' and context_needed = 0 and memory_budget_below_gb is null"
    [row] = recommended(views, *rows, where=where)
    return row


def test_energy_is_asked_about_where_it_is_known(views: Planted) -> None:
    assert {row["priority"] for row in choices(views, candidate("a"), frugal("b", None))} == set(PRIORITIES)
    other = frugal("c", 2.0, machine="m4")
    found = {(row["machine"], row["priority"]) for row in choices(views, frugal("a", 2.0), candidate("b"), other)}
    assert found == set(itertools.product((MACHINE, "m4"), (*PRIORITIES, "energy")))


def test_the_least_joules_win_however_slow(views: Planted) -> None:
    row = least(views, frugal("a", 2.0, decode_tps=90.0), frugal("b", 1.5, decode_tps=10.0), frugal("c", None))
    assert (row["label"], row["verdict"], row["decode_j_per_token"]) == ("B", "recommended", 1.5)
    assert row["confidence_reason"] == "quality unproven"


def test_joules_that_cannot_be_told_apart_leave_the_one_with_less_memory(views: Planted) -> None:
    row = least(views, frugal("a", 1.50), frugal("b", 1.52, memory_gb=90.0), frugal("c", 1.6, memory_gb=20.0))
    assert (row["label"], row["verdict"], row["tied_with"]) == ("B", "level", "A")


def test_joules_within_one_run_tell_nothing_apart(views: Planted) -> None:
    within = {"energy_interval_kind": "within this run", "energy_run_count": 1}
    row = least(views, frugal("a", 1.5, **within), frugal("b", 9.0, **within))
    assert (row["verdict"], row["tied_with"]) == ("level", "B")
    assert "one run" in row["confidence_reason"]


def test_joules_of_other_rails_are_not_ranked_with_these(views: Planted) -> None:
    """GPU only is less by what it leaves out."""
    rows = (frugal("a", 1.0, energy_kind="GPU only"), frugal("b", 2.0), frugal("c", 2.5))
    assert least(views, *rows)["label"] == "B"
    told = obstacles(views, *rows, frugal("d", None), priority="energy")
    assert told == {"a": "its joules are of other rails", "b": None, "c": None, "d": "joules are not known"}


def test_where_only_others_fit_that_is_said(views: Planted) -> None:
    where = "priority = 'energy' and context_needed = 131072 and memory_budget_below_gb is null"
    usable = {"context_usable": 131072}
    [row] = recommended(views, frugal("a", 1.0, context_usable=0), frugal("b", None, **usable), where=where)
    assert (row["verdict"], row["reason"]) == ("nothing measured fits", "joules are not known of what fits")
