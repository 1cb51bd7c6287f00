"""The framework page: pairs of MLX and llama.cpp → ratios or reasons, and sentences that follow the numbers."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest

from site_src import build
from site_src.warehouse import Warehouse
from tests import planted
from tests.planted import Planted, Row, gguf, loaded, mlx, suite
from tests.planted import views_without_comments as views_without_comments
from tests.rows import sharing

Given = Callable[..., Warehouse]
MACHINE = "m3"
IDS = {"mlx_configuration_id": "a", "llama_cpp_configuration_id": "b"}


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return sharing(given, monkeypatch)


@pytest.fixture
def views() -> Iterator[Planted]:
    yield planted.shared()
    planted.shared().clear()


def delta(**more: Any) -> Row:
    """A comparable pair's row of framework_delta."""
    return {
        "machine": MACHINE,
        "model": "M",
        "bits": 4,
        "mlx_quantization": "4bit",
        "llama_cpp_quantization": "Q4_K_M",
        **IDS,
        "verdict": "MLX faster",
        "decode_tps_ratio": 1.25,
        "decode_tps_ratio_low": 1.2,
        "decode_tps_ratio_high": 1.3,
        "ttft_verdict": "MLX later",
        "ttft_ms_ratio": 1.5,
        "ttft_ms_ratio_low": 1.4,
        "ttft_ms_ratio_high": 1.6,
        "memory_verdict": "llama.cpp larger",
        "peak_memory_ratio": 0.9,
        "memory_run_count": 2,
        "load_verdict": "inconclusive",
        "load_s_ratio": 1.1,
        "load_run_count": 1,
        "load_reason": "one load on a side",
        "request_count": 42,
        "ttft_request_count": 40,
        "runs_a_side": 2,
        "interval_kind": "between runs",
        "prompt_count": 7,
        **more,
    }


def named(pair: str = "M 4bit / Q4_K_M", harness: str | None = None, a: str = "a", b: str = "b") -> Row:
    """A pair's row of framework_names."""
    return {"a_id": a, "b_id": b, "pair": pair, "harness_reason": harness}


def page(warehouse: Warehouse, name: str = "framework.md") -> str:
    """What a reader reads of the page, its markup left in."""
    return unescape(re.sub(r"\s+", " ", build.page(warehouse, name, set())))


def answer(warehouse: Warehouse, name: str = "framework.md") -> str:
    """The boxes at the top."""
    return " ".join(re.findall(r'<div class="answer".*?</div>', page(warehouse, name)))


# ---------------------------------------------------------------- marts


def test_a_pair_has_a_row_for_each_figure_and_who_is_better_follows_from_the_verdict(views: Planted) -> None:
    views.put("framework_names", named())
    views.put("framework_delta", delta())
    rows = views.rows("from framework_ratios")
    assert [(row["figure"], row["ratio"], row["verdict"], row["ahead"]) for row in rows] == [
        ("decode", 1.25, "MLX faster", "MLX"),
        ("TTFT", 1.5, "MLX later", "llama.cpp"),
        ("memory", 0.9, "llama.cpp larger", "MLX"),
        ("load time", 1.1, "inconclusive", "undecided"),
    ]
    assert [(row["observation_count"], row["observation_kind"], row["runs_a_side"]) for row in rows] == [
        (42, "requests", 2),
        (40, "requests", 2),
        (2, "runs a side", 2),
        (1, "loads a side", 1),
    ]
    assert [row["interval_kind"] for row in rows] == ["between runs", "between runs", None, None]
    assert [(row["ratio_low"], row["ratio_high"]) for row in rows] == [(1.2, 1.3), (1.4, 1.6), *[(None, None)] * 2]
    assert [row["reason"] for row in rows] == [None, None, None, "one load on a side"]


@pytest.mark.parametrize("verdict", ["equivalent", "small difference"])
def test_no_one_is_ahead_within_the_margin(views: Planted, verdict: str) -> None:
    views.put("framework_names", named())
    views.put("framework_delta", delta(verdict=verdict))
    assert views.rows("from framework_ratios")[0]["ahead"] == "level"


def test_what_may_not_be_compared_is_in_the_table_and_not_in_the_picture(views: Planted) -> None:
    views.put("framework_names", named(harness="harness differs: mlx_lm.server against llama-server"))
    nothing = {"decode_tps_ratio": None, "verdict": "not comparable", "reason": "not both through LM Studio"}
    views.put("framework_delta", delta(**nothing, load_s_ratio=None))
    row = views.rows("from framework_ratios where figure = 'decode'")[0]
    assert (row["verdict"], row["ahead"]) == ("not comparable", "undecided")
    assert row["reason"] == "harness differs: mlx_lm.server against llama-server; not both through LM Studio"
    assert [row["figure"] for row in views.rows("from framework_forest")] == ["TTFT", "memory"]
    assert [(row["figures"], row["reason"]) for row in views.rows("from framework_obstacles")] == [
        ("decode", row["reason"]),
        ("load time", "harness differs: mlx_lm.server against llama-server; one load on a side"),
    ]


def test_where_a_pair_has_an_obstacle_it_is_the_one_reason_of_all_figures(views: Planted) -> None:
    views.put("framework_names", {**named(), "obstacle": "different sampling"})
    ratios = ("decode_tps_ratio", "ttft_ms_ratio", "peak_memory_ratio", "load_s_ratio")
    views.put("framework_delta", delta(**dict.fromkeys(ratios), reason="different sampling; slots unknown on one side"))
    (row,) = views.rows("from framework_obstacles")
    assert (row["figures"], row["figure_count"]) == ("decode; TTFT; memory; load time", 4)
    assert row["reason"] == "different sampling"


def test_pairs_of_one_model_and_quantization_are_told_apart(given: Given) -> None:
    other = {"suite": "coding-agent", "suite_sha256": "c"}
    warehouse = given(
        [mlx(), *suite(50)], [gguf(), *suite(40)], [gguf(**other), *suite(40)], [gguf("Q4_0"), *suite(40)]
    )
    assert [row["pair"] for row in warehouse.rows("select distinct pair from framework_ratios order by pair")] == [
        "MiniMax-M2.1 4bit / Q4_0",
        "MiniMax-M2.1 4bit / Q4_K_M · standard / coding-agent · 131,072 tokens",
        "MiniMax-M2.1 4bit / Q4_K_M · standard · 131,072 tokens",
    ]


def test_a_configuration_is_named_by_model_and_quantization_until_two_share_these(given: Given) -> None:
    warm = {"temperature": 1.0}
    warehouse = given([mlx(), *suite(50)], [gguf(), *suite(40)], [gguf(**warm), *suite(40)])
    names = {row["configuration_name"] for row in warehouse.rows("from configuration_names")}
    assert "MiniMax-M2.1 4bit" in names
    shared = "MiniMax-M2.1 Q4_K_M · llama.cpp · standard · 131,072 tokens · lmstudio"
    assert names - {"MiniMax-M2.1 4bit"} == {shared, f"{shared} (2)"}


def test_both_sides_stand_beside_each_other_with_stability(given: Given) -> None:
    runs = [[mlx(), *loaded(120), *suite(50, cv=0.01)], [gguf(), *loaded(138), *suite(40, cv=0.06, seed=1)]]
    one, other = given(*runs).rows("from framework_sides")
    assert (one["runtime"], other["runtime"]) == ("mlx", "llama.cpp")
    assert one["decode_tps"] > other["decode_tps"]
    assert (one["peak_memory_gb"], other["peak_memory_gb"]) == (pytest.approx(120), pytest.approx(138))
    assert (one["grade"], other["grade"]) == ("stable", "unstable")
    assert one["cv_high"] < other["cv_low"]
    assert (one["verdict"], one["decode_count"], one["run_count"]) == (other["verdict"], 21, 1)


def criteria(views: Planted) -> dict[str, Row]:
    return {row["criterion"]: row for row in views.rows("from framework_criteria")}


def test_each_criterion_says_who_is_ahead_over_all_pairs(views: Planted) -> None:
    views.leave_empty("stability")
    views.put("framework_delta", delta(), delta(bits=8, verdict="llama.cpp faster", memory_verdict="equivalent"))
    found = criteria(views)
    assert {name: row["verdict"] for name, row in found.items()} == {
        "speed": "depends",
        "memory": "MLX",
        "load time": "not known",
        "stability": "not known",
    }
    counts = (
        "mlx_ahead_count",
        "level_count",
        "llama_cpp_ahead_count",
        "undecided_count",
        "pair_count",
        "request_count",
    )
    assert [found["speed"][name] for name in counts] == [1, 0, 1, 0, 2, 84]
    assert [found["memory"][name] for name in counts] == [1, 1, 0, 0, 2, 84]


def test_the_steadier_side_is_ahead_only_where_a_speed_may_be_compared(views: Planted) -> None:
    steady = {"configuration_id": "a", "cv_low": 0.01, "cv_high": 0.02, "verdict": "settled"}
    views.put("stability", steady, {**steady, "configuration_id": "b", "cv_low": 0.03, "cv_high": 0.04})
    views.put("framework_delta", delta())
    assert criteria(views)["stability"]["verdict"] == "MLX"
    views.put("framework_delta", delta(verdict="not comparable"))
    assert criteria(views)["stability"]["verdict"] == "not known"


def test_ladders_of_both_sides_have_a_ratio_at_each_depth(given: Given) -> None:
    climbed = {"suite": "context", "context_budget_s": 3600.0}
    rungs = [[{**facts, **climbed}, *ladder_of(tps)] for facts, tps in ((mlx(), 50.0), (gguf(), 40.0))]
    rows = given(*rungs).rows("from framework_depth_ratios where figure = 'decode'")
    assert [(row["rung"], row["is_end"]) for row in rows] == [(16384, False), (65536, True)]
    assert [row["ratio"] for row in rows] == [pytest.approx(1.25, rel=1e-3)] * 2
    assert {row["pair"] for row in rows} == {"MiniMax-M2.1 4bit / Q4_K_M"}


def ladder_of(tps: float) -> list[Row]:
    return [row for tokens in (16384, 65536) for row in planted.rung(tokens, tps=tps)]


# ---------------------------------------------------------------- sentences


def machine(**more: Any) -> Row:
    return {"machine": MACHINE, "place": 1, "is_plan": True, "run_count": 4, **more}


def speech(views: Planted, *deltas: Row, names: tuple[Row, ...] = (named(),), sides: tuple[Row, ...] = ()) -> str:
    views.leave_empty("stability")
    views.put("machines", machine())
    views.put("run_summary", *sides)
    views.put("framework_names", *names)
    views.put("framework_delta", *deltas)
    return answer(views.warehouse)


def test_before_anything_is_measured_the_page_says_so_and_shows_no_empty_picture(given: Given) -> None:
    warehouse = given()
    assert "Nothing is measured yet." in answer(warehouse)
    assert "<figure" not in page(warehouse)
    assert "No pair may be compared" in page(warehouse)


def test_one_runtime_alone_is_no_pair(views: Planted) -> None:
    side = {"machine": MACHINE, "runtime": "mlx", "decode_tps": 50.0}
    words = speech(views, names=(), sides=(side, side))
    assert "No pair yet.** 2 configurations with MLX and 0 with llama.cpp" in words


def test_another_harness_is_said_with_both_servers_and_both_sides_are_drawn(given: Given) -> None:
    elsewhere = {"context_effective": 2048, "os_name": "Ubuntu"}
    warehouse = given(
        [mlx(server="mlx_lm.server", **elsewhere), *suite(1.2)], [gguf(server="llama-server", **elsewhere), *suite(85)]
    )
    told = "harness differs: mlx_lm.server against llama-server; not both through LM Studio; context below 131,072"
    assert "Not comparable.** 1 pair on" in answer(warehouse)
    assert f"1 because: {told}" in answer(warehouse)
    whole = page(warehouse)
    assert 'id="chart-framework_speeds"' in whole
    assert "This is no comparison" in whole
    assert 'id="chart-framework_forest"' not in whole
    assert "No pair may be compared, so there is no ratio. Not comparable, and why:" in whole


SENTENCES = [
    ({}, "Decode speed: MLX faster."),
    ({"verdict": "llama.cpp faster"}, "Decode speed: llama.cpp faster."),
    ({}, "Of 1 comparable pair on m3, MLX is ahead in 1, llama.cpp in 0, 0 level, 0 undecided."),
    ({"verdict": "inconclusive"}, "MLX is ahead in 0, llama.cpp in 0, 0 level, 1 undecided."),
    ({}, "MLX decodes at **1.25 times** llama.cpp's speed (95 % interval 1.20 to 1.30, 2 runs a side)."),
    ({"verdict": "one run a side", "runs_a_side": 1}, "Decode speed: one run a side."),
    ({"verdict": "one run a side", "runs_a_side": 1}, "MLX is ahead in 0, llama.cpp in 0, 0 level, 1 undecided."),
    (
        {"verdict": "one run a side", "runs_a_side": 1, "interval_kind": "within this run"},
        "llama.cpp's speed (1.20 to 1.30 within this run alone, one run on a side).",
    ),
    (
        {"decode_tps_ratio": 0.8, "decode_tps_ratio_low": None},
        "MLX decodes at **0.800 times** llama.cpp's speed (no interval, 2 runs a side)",
    ),
    ({}, "Memory: **llama.cpp larger**, MLX at 0.900 times llama.cpp's peak (M 4 bit (4bit / Q4_K_M), 2 runs a side)."),
    ({"peak_memory_ratio": 1.1, "memory_verdict": "MLX larger"}, "Memory: **MLX larger**, MLX at 1.10 times"),
    ({"memory_verdict": "not comparable"}, "No pair's memory may be compared."),
    ({}, "Which suits production: **not all measured**, 2 of 4 criteria decided."),
]


@pytest.mark.parametrize(("facts", "said"), SENTENCES)
def test_a_sentence_changes_with_the_number_it_is_made_of(views: Planted, facts: Row, said: str) -> None:
    assert said in speech(views, delta(**facts))


def test_pairs_that_may_not_be_compared_are_counted_beside_those_that_may(views: Planted) -> None:
    other = {"mlx_configuration_id": "c", "verdict": "not comparable", "decode_tps_ratio": None, "bits": 8}
    words = speech(views, delta(), delta(**other), names=(named(), named("M 8bit / Q8_0", a="c")))
    assert "Of 1 comparable pair on" in words
    assert "1 further pair not comparable." in words


def test_each_machine_has_a_box_of_its_own(views: Planted) -> None:
    views.put("machines", machine(), machine(machine="other", place=2))
    views.put("framework_names", named())
    views.put("framework_delta", delta())
    views.leave_empty("stability", "run_summary")
    words = answer(views.warehouse)
    assert re.findall(r'class="answer" data-machine="(\w+)"', words) == [MACHINE, "other"]
    assert "No pair yet." in words.partition('data-machine="other"')[2]
