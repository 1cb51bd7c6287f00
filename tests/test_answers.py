"""The plan's nine questions: given rows → verdict, figure, interval, what is missing and what would settle it."""

import math
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scipy import stats

from collector.backends import Facts
from collector.schema import Results
from site_src.warehouse import Warehouse
from tests import planted
from tests.conftest import STARTED
from tests.planted import (
    MARGIN,
    PROMPTS,
    Planted,
    Row,
    Run,
    gguf,
    loaded,
    mlx,
    speeds,
    suite,
    written,
)
from tests.planted import views_without_comments as views_without_comments

Given = Callable[..., Warehouse]
MACHINE = "m3"
OPEN = ("not measured", "not all measured", "not all decided", "one run a side", "inconclusive")
SOURCES = (
    *("framework_delta", "stability", "model_comparison", "context_utilization", "quant_tradeoff"),
    *("quality", "quality_flips", "build_quality"),
)
UNGRADED = "no two outputs to be compared are graded"


@pytest.fixture
def views() -> Iterator[Planted]:
    yield planted.shared()
    planted.shared().clear()


def answer(views: Planted, question: int, view: str, machine: str = MACHINE) -> Row:
    """What one of the three views of answers says of a question."""
    (row,) = views.rows(f"from {view} where question = {question} and machine = '{machine}'")
    return row


# ---------------------------------------------------------------- from the archive alone


def test_from_the_archive_alone_nine_questions_are_open_and_each_says_what_is_missing(views: Planted) -> None:
    found = views.rows("from answers")
    assert [row["question"] for row in found] == list(range(1, 10))
    assert {row["machine"] for row in found} == {None}
    assert {row["verdict"] for row in found} == {"not measured"}
    for row in found:
        assert row["missing"].startswith("it needs "), row["question"]
        assert "20 of 20 cells of the plan are not measured" in row["missing"]
        assert (UNGRADED in row["missing"]) == (row["question"] in (4, 7, 8, 9))
        assert row["settled_by"]
        assert row["asked"].endswith("?")
        assert (row["comparison_count"], row["request_count"]) == (0, 0)
        names = ("figure", "figure_value", "figure_value_low", "figure_value_high", "figure_of", "evidence")
        assert {row[name] for name in names} == {None}


def test_the_archives_figures_are_shown_and_compared_with_nothing(views: Planted) -> None:
    found = views.rows("select variant, round(tps_per_gb, 3) as tps_per_gb from archive order by variant")
    assert {row["variant"]: row["tps_per_gb"] for row in found} == {
        "mlx-4bit": 0.339,
        "mlx-6bit": 0.197,
        "mlx-8bit": 0.131,
    }
    for view in ("framework_delta", "model_comparison", "quant_tradeoff", "pairs"):
        assert views.rows(f"from {view}") == [], view


def test_before_anything_is_measured_the_plans_first_cell_would_settle_something(views: Planted) -> None:
    (row,) = views.rows("from answers_overview")
    assert (row["question_count"], row["answered_count"], row["is_plan"]) == (9, 0, False)
    assert row["first_step"] == "collect plan --run"
    assert {row["kind"] for row in views.rows("from next_runs")} == {"cell"}


# ---------------------------------------------------------------- questions 1 to 3: the two runtimes


def delta(bits: int, verdict: str = "equivalent", requests: int = 42, **more: Any) -> Row:
    """A pair's row of framework_delta."""
    ratio = None if verdict == "not comparable" else 1.25
    return {
        "machine": MACHINE,
        "model": "M",
        "bits": bits,
        "mlx_quantization": f"{bits}bit",
        "llama_cpp_quantization": f"Q{bits}",
        "mlx_configuration_id": f"mlx {bits}",
        "llama_cpp_configuration_id": f"llama {bits}",
        "request_count": requests,
        "verdict": verdict,
        "decode_tps_ratio": ratio,
        "decode_tps_ratio_low": ratio and ratio - 0.01,
        "decode_tps_ratio_high": ratio and ratio + 0.01,
        "memory_verdict": "not comparable",
        "load_verdict": "not comparable",
        **more,
    }


def runtimes(views: Planted, question: int, *deltas: Row) -> Row:
    views.leave_empty("stability")
    views.put("framework_delta", *deltas)
    return answer(views, question, "answers_runtime")


@pytest.mark.parametrize(
    ("verdicts", "told", "count"),
    [
        (["MLX faster"], "MLX faster", 1),
        (["MLX faster", "MLX faster"], "MLX faster", 2),
        (["MLX faster", "inconclusive"], "not all decided", 2),
        (["MLX faster", "one run a side"], "not all decided", 2),
        (["MLX faster", "equivalent", "inconclusive"], "depends on model and bits", 3),
        (["one run a side", "one run a side"], "one run a side", 2),
        (["one run a side", "inconclusive"], "inconclusive", 2),
        (["MLX faster", "not comparable"], "MLX faster", 1),
        (["MLX faster", "equivalent"], "depends on model and bits", 2),
        (["MLX faster", "llama.cpp faster"], "depends on model and bits", 2),
        (["small difference"], "small difference", 1),
        (["not comparable"], "not measured", 0),
        pytest.param(
            *(["inconclusive"], "inconclusive", 1),
        ),
    ],
)
def test_which_runtime_is_faster_is_what_all_comparable_pairs_say(
    views: Planted, verdicts: list[str], told: str, count: int
) -> None:
    row = runtimes(views, 1, *(delta(bits, verdict) for bits, verdict in enumerate(verdicts, start=4)))
    assert (row["verdict"], row["comparison_count"], row["request_count"]) == (told, count, 42 * count or None)


def test_the_headline_figure_is_that_of_the_comparison_with_most_requests(views: Planted) -> None:
    more = {"decode_tps_ratio": 2.0, "decode_tps_ratio_low": 1.9, "decode_tps_ratio_high": 2.1}
    row = runtimes(views, 1, delta(4), delta(8, "MLX faster", 43, **more), delta(6, "not comparable", 99))
    assert row["figure"] == "decode speed, MLX over llama.cpp"
    assert [row[f"figure_{name}"] for name in ("value", "value_low", "value_high", "of")] == [
        2.0,
        1.9,
        2.1,
        "M 8 bit (8bit / Q8)",
    ]


def test_a_figure_without_interval_does_not_get_that_of_another_comparison(views: Planted) -> None:
    nothing = {"decode_tps_ratio_low": None, "decode_tps_ratio_high": None}
    row = runtimes(views, 1, delta(4, requests=10), delta(8, "inconclusive", 99, **nothing))
    assert (row["figure_of"], row["figure_value_low"], row["figure_value_high"]) == ("M 8 bit (8bit / Q8)", None, None)


def test_the_evidence_names_every_pair_with_its_numbers_or_its_reason(views: Planted) -> None:
    alone = {"decode_tps_ratio_low": None, "decode_tps_ratio_high": None}
    row = runtimes(
        views,
        1,
        delta(8, "inconclusive", 7, **alone),
        delta(6, "not comparable", reason="context below 131,072"),
        delta(4, "MLX faster"),
    )
    assert row["evidence"] == (
        "M 4 bit (4bit / Q4): MLX faster, 1.25 [1.24, 1.26], n = 42; "
        "M 6 bit (6bit / Q6): not comparable (context below 131,072); "
        "M 8 bit (8bit / Q8): inconclusive, 1.25 without interval, n = 7"
    )


def weighed(verdict: str, ratio: float = 1.1, gb: float = 13.0, runs: int = 2, **more: Any) -> Row:
    """What framework_delta says of memory."""
    return {
        "memory_verdict": verdict,
        "peak_memory_ratio": ratio,
        "peak_memory_ratio_low": ratio - 0.05,
        "peak_memory_ratio_high": ratio + 0.05,
        "peak_memory_difference_gb": gb,
        "memory_run_count": runs,
        **more,
    }


def test_how_far_apart_in_memory_is_told_with_the_difference_and_the_runs(views: Planted) -> None:
    nothing = {"memory_verdict": "not comparable", "memory_reason": "different context"}
    row = runtimes(views, 2, delta(4, **weighed("llama.cpp larger", 0.9, -13.0)), delta(8, **nothing))
    assert (row["verdict"], row["comparison_count"], row["request_count"]) == ("llama.cpp larger", 1, 2)
    assert (row["figure"], row["figure_value"]) == ("peak memory, MLX over llama.cpp", 0.9)
    assert row["evidence"] == (
        "M 4 bit (4bit / Q4): llama.cpp larger, -13.0 GB, 0.90 [0.85, 0.95], n = 2 runs a side; "
        "M 8 bit (8bit / Q8): not comparable (different context)"
    )


def steady(name: str, low: float, high: float, verdict: str = "settled") -> Row:
    """A configuration's row of stability."""
    return {"configuration_id": name, "cv_low": low, "cv_high": high, "verdict": verdict}


LEVEL = (steady("mlx 4", 0.01, 0.03), steady("llama 4", 0.02, 0.04))
LOADS = {"load_verdict": "equivalent"}


@pytest.mark.parametrize(
    ("facts", "steadiness", "verdict", "evidence"),
    [
        (
            {"verdict": "MLX faster", **weighed("equivalent"), **LOADS},
            LEVEL,
            "MLX",
            "load time: level; memory: level; speed: MLX; stability: level",
        ),
        (
            {"verdict": "MLX faster", **weighed("MLX larger"), **LOADS},
            LEVEL,
            "trade-off",
            "load time: level; memory: llama.cpp; speed: MLX; stability: level",
        ),
        (
            {"verdict": "small difference", **weighed("equivalent"), "load_verdict": "small difference"},
            LEVEL,
            "level",
            "load time: level; memory: level; speed: level; stability: level",
        ),
        (
            {"verdict": "llama.cpp faster", **weighed("MLX larger"), "load_verdict": "MLX slower"},
            (steady("mlx 4", 0.05, 0.08), steady("llama 4", 0.01, 0.04, "provisional")),
            "llama.cpp",
            "load time: llama.cpp; memory: llama.cpp; speed: llama.cpp; stability: llama.cpp",
        ),
        (
            {"verdict": "MLX faster", **weighed("inconclusive"), **LOADS},
            LEVEL,
            "not all measured",
            "load time: level; memory: not known; speed: MLX; stability: level",
        ),
        (
            {"verdict": "MLX faster", **weighed("equivalent"), **LOADS},
            (steady("mlx 4", 0.01, 0.03, "provisional"), steady("llama 4", 0.02, 0.04)),
            "not all measured",
            "load time: level; memory: level; speed: MLX; stability: not known",
        ),
        (
            {"verdict": "MLX faster", **weighed("equivalent"), **LOADS},
            (),
            "not all measured",
            "load time: level; memory: level; speed: MLX; stability: not known",
        ),
    ],
    ids=["one ahead", "trade-off", "level", "the other ahead", "memory open", "stability open", "no stability"],
)
def test_production_takes_all_four_criteria(
    views: Planted, facts: Row, steadiness: tuple[Row, ...], verdict: str, evidence: str
) -> None:
    views.put("stability", *steadiness)
    row = runtimes(views, 3, delta(4, **facts))
    known = 4 - evidence.count("not known")
    assert (row["verdict"], row["evidence"]) == (verdict, evidence)
    assert (row["comparison_count"], row["figure_value"]) == (known, known)


def test_a_criterion_on_which_pairs_disagree_depends(views: Planted) -> None:
    views.put("stability", *LEVEL)
    one = {**weighed("equivalent"), **LOADS}
    row = runtimes(views, 3, delta(4, "MLX faster", **one), delta(8, "llama.cpp faster", **one), delta(6, **one))
    assert (row["verdict"], "speed: depends" in row["evidence"]) == ("depends", True)


def test_a_pair_that_is_level_does_not_hide_one_that_is_not(views: Planted) -> None:
    row = runtimes(views, 3, delta(4, "equivalent"), delta(8, "MLX faster"))
    assert "speed: MLX" in row["evidence"]


# ---------------------------------------------------------------- questions 4 to 6: the two models


def models(verdict: str = "M faster", requests: int = 42, bits: int = 4, **more: Any) -> Row:
    """A pair's row of model_comparison."""
    ratio = None if verdict == "not comparable" else 0.7
    return {
        "machine": MACHINE,
        "runtime": "mlx",
        "bits": bits,
        "model": "M",
        "other_model": "Q",
        "request_count": requests,
        "verdict": verdict,
        "decode_tps_ratio": ratio,
        "decode_tps_ratio_low": ratio and 0.6,
        "decode_tps_ratio_high": ratio and 0.8,
        "quality_gate": "unproven",
        "other_quality_gate": "unproven",
        **more,
    }


def of_models(views: Planted, question: int, *comparisons: Row) -> Row:
    views.leave_empty("context_utilization", "quality_flips", "build_quality")
    views.put("model_comparison", *comparisons)
    return answer(views, question, "answers_models")


def flips(kind: str, verdict: str, place: int = 1, prompts: int = 7, **more: Any) -> Row:
    """A pair's row of quality_flips; its builds are `a<place>` and `b<place>`."""
    return {
        "kind": kind,
        "machine": MACHINE,
        "server": "lmstudio",
        "label": f"M {place}",
        "other_label": f"Q {place}",
        "model": "M",
        "other_model": "Q",
        "quantization": "8bit",
        "other_bits": 3 + place,
        "build_id": f"a{place}",
        "other_build_id": f"b{place}",
        "prompt_count": prompts,
        "answer_count": 2 * prompts,
        "both_count": 4,
        "lost_count": 2,
        "gained_count": 1,
        "p_value": 1.0,
        "verdict": verdict,
        "reason": None if prompts else "no prompt judged on both sides",
        **more,
    }


def gated(views: Planted, *gates: tuple[str, str]) -> None:
    """Gates of the builds that `flips` names, pair after pair."""
    names = [
        (f"{side}{place}", gate) for place, pair in enumerate(gates, 1) for side, gate in zip("ab", pair, strict=True)
    ]
    views.put("build_quality", *({"build_id": name, "gate": gate} for name, gate in names))


@pytest.mark.parametrize(
    ("verdicts", "gates", "verdict", "count"),
    [
        (["worse"], [("unproven", "unproven")], "M better", 1),
        (["better"], [("unproven", "unproven")], "Q better", 1),
        (["inconclusive"], [("pass", "fail")], "M better", 1),
        (["inconclusive"], [("fail", "pass")], "Q better", 1),
        (["inconclusive"], [("pass", "pass")], "inconclusive", 1),
        (["inconclusive"], [("warn", "fail")], "inconclusive", 1),
        (["inconclusive", "worse"], [("unproven", "pass"), ("pass", "unproven")], "not all decided", 2),
        (["worse", "better"], [("unproven", "unproven")] * 2, "depends on runtime and bits", 2),
    ],
)
def test_which_model_writes_better_is_said_by_checked_outputs_alone(
    views: Planted, verdicts: list[str], gates: list[tuple[str, str]], verdict: str, count: int
) -> None:
    gated(views, *gates)
    views.put("quality_flips", *(flips("model", said, place) for place, said in enumerate(verdicts, 1)))
    row = of_models(views, 4, models())
    assert (row["verdict"], row["comparison_count"], row["request_count"]) == (verdict, count, 14 * count)
    assert "M 1 against Q 1: of 7 prompts both pass 4, only the first 2, only the second 1, p = 1.00" in row["evidence"]
    assert (row["figure_value"], row["figure_of"]) == (3, f"M {count} against Q {count}")


def test_models_without_a_prompt_judged_on_both_sides_are_not_measured(views: Planted) -> None:
    gated(views, ("unproven", "unproven"))
    views.put("quality_flips", flips("model", "not comparable", prompts=0))
    row = of_models(views, 4, models())
    assert (row["verdict"], row["comparison_count"], row["figure_value"]) == ("not measured", 0, None)
    assert row["evidence"] == "M 1 against Q 1: no prompt judged on both sides"


@pytest.mark.parametrize("kind", ["reference", "runtime"])
def test_other_pairs_say_nothing_of_models(views: Planted, kind: str) -> None:
    views.put("quality_flips", flips(kind, "worse"))
    views.leave_empty("context_utilization", "build_quality")
    views.put("model_comparison", models())
    assert views.rows("from answers_models where question = 4") == []


@pytest.mark.parametrize(
    ("verdicts", "told", "count"),
    [
        (["Q faster"], "Q faster", 1),
        (["Q faster", "inconclusive", "not comparable"], "not all decided", 2),
        (["Q faster", "Q faster", "not comparable"], "Q faster", 2),
        (["one run a side"], "one run a side", 1),
        (["Q faster", "M faster"], "depends on runtime and bits", 2),
        (["not comparable"], "not measured", 0),
        pytest.param(
            *(["inconclusive"], "inconclusive", 1),
        ),
    ],
)
def test_the_trade_of_two_models_is_what_all_comparable_pairs_say(
    views: Planted, verdicts: list[str], told: str, count: int
) -> None:
    rows = [models(verdict, 40 + bits, bits) for bits, verdict in enumerate(verdicts, start=4)]
    row = of_models(views, 5, *rows)
    assert (row["verdict"], row["comparison_count"]) == (told, count)
    if count:
        assert (row["figure"], row["figure_value"]) == ("decode speed, M over Q", 0.7)
        assert (row["figure_value_low"], row["figure_value_high"]) == (0.6, 0.8)


def test_the_evidence_of_a_trade_has_speed_and_quality(views: Planted) -> None:
    row = of_models(views, 5, models("Q faster"), models("not comparable", bits=8, reason="different sampling"))
    assert row["evidence"] == (
        "M against Q (mlx, 4 bit): Q faster, 0.70 [0.60, 0.80], quality unproven against unproven, n = 42; "
        "M against Q (mlx, 8 bit): not comparable (different sampling)"
    )


def reach(model: str, usable: int | None, below: int | None, advertised: int, requests: int = 10, **more: Any) -> Row:
    """A ladder's row of context_utilization."""
    return {
        "ladder_id": f"{model} {usable}",
        "machine": MACHINE,
        "server": "lmstudio",
        "model": model,
        "context_usable": usable,
        "context_usable_below": below,
        "context_advertised": advertised,
        "request_count": requests,
        **more,
    }


def of_context(views: Planted, *ladders: Row) -> Row:
    views.leave_empty("model_comparison")
    views.put("context_utilization", *ladders)
    return answer(views, 6, "answers_models")


LONG, SHORT = 256000, 196608


@pytest.mark.parametrize(
    ("longer", "shorter", "verdict"),
    [
        ((SHORT, LONG), (65536, 131072), "Q usable to greater length"),
        ((131072, LONG), (65536, 131072), "Q usable to greater length"),
        ((131071, LONG), (65536, 131072), "inconclusive"),
        ((65536, 131072), (131072, SHORT), "M usable to greater length"),
        ((131072, SHORT), (131072, SHORT), "inconclusive"),
        ((0, 16384), (0, 16384), "inconclusive"),
    ],
    ids=["above", "at the first failure", "just below it", "the shorter one", "alike", "none"],
)
def test_the_longer_context_is_of_use_where_it_reaches_the_others_first_failure(
    views: Planted, longer: tuple[int, int], shorter: tuple[int, int], verdict: str
) -> None:
    row = of_context(views, reach("Q", *longer, LONG), reach("M", *shorter, SHORT))
    assert (row["verdict"], row["comparison_count"], row["request_count"]) == (verdict, 1, 20)
    assert (row["figure"], row["figure_value"], row["figure_of"]) == ("usable context, tokens", longer[0], "Q")
    assert (row["figure_value_low"], row["figure_value_high"]) == (None, None)
    assert row["evidence"].startswith(f"Q: usable to {longer[0]:,} of 256,000 tokens; M: usable to {shorter[0]:,} of")


def test_a_ladder_that_ended_before_it_failed_is_not_the_shorter_one(views: Planted) -> None:
    row = of_context(views, reach("Q", 131072, SHORT, LONG), reach("M", 65536, None, SHORT))
    assert row["verdict"] == "inconclusive"


def test_a_single_model_with_a_ladder_answers_nothing_about_two(views: Planted) -> None:
    row = of_context(views, reach("Q", 131072, SHORT, LONG))
    assert (row["verdict"], row["comparison_count"], row["request_count"]) == ("not measured", 0, 10)
    assert row["evidence"] == "Q: usable to 131,072 of 256,000 tokens"


def test_a_ladder_on_another_server_answers_nothing(views: Planted) -> None:
    row = of_context(views, reach("Q", 131072, SHORT, LONG), reach("M", 65536, 131072, SHORT, server="llama-server"))
    assert (row["verdict"], row["comparison_count"]) == ("not measured", 0)


def test_of_several_ladders_of_a_model_the_longest_counts(views: Planted) -> None:
    ladders = [reach("Q", 65536, 131072, LONG), reach("Q", SHORT, LONG, LONG), reach("M", 65536, 131072, SHORT)]
    row = of_context(views, *ladders)
    assert (row["verdict"], row["figure_value"], row["request_count"]) == ("Q usable to greater length", SHORT, 30)


# ---------------------------------------------------------------- questions 7 to 9: quantizations


def quant(name: str, verdict: str = "faster", gate: str = "unproven", requests: int = 21, **more: Any) -> Row:
    """A configuration's row of quant_tradeoff, measured against 8 bit."""
    ratio = None if verdict == "not comparable" else 1.5
    return {
        "configuration_id": name,
        "label": name.upper(),
        "machine": MACHINE,
        "server": "lmstudio",
        "model": "M",
        "runtime": "mlx",
        "quantization": name,
        "bits": int(name[0]),
        "is_reference": name == "8bit",
        "reference_quantization": "8bit",
        "verdict": "reference" if name == "8bit" else verdict,
        "decode_tps": 50.0,
        "decode_tps_low": 49.0,
        "decode_tps_high": 51.0,
        "decode_tps_ratio": ratio,
        "decode_tps_ratio_low": ratio and 1.4,
        "decode_tps_ratio_high": ratio and 1.6,
        "memory_saved_gb": 120.0,
        "memory_verdict": "smaller",
        "reference_quality_gate": "unproven",
        "quality_gate": gate,
        "request_count": requests,
        **more,
    }


def of_quantizations(views: Planted, question: int, *rows: Row) -> Row:
    views.leave_empty("quality_flips", "build_quality")
    views.put("quant_tradeoff", *rows, quant("8bit"))
    return answer(views, question, "answers_quantization")


@pytest.mark.parametrize(
    ("said", "gates", "verdict"),
    [
        (["inconclusive"], [("unproven", "fail")], "breaks at 4 bit"),
        (["inconclusive"], [("fail", "fail")], "inconclusive"),
        (["worse"], [("unproven", "unproven")], "worse at 4 bit"),
        (["worse"], [("unproven", "fail")], "breaks at 4 bit"),
        (["better"], [("unproven", "unproven")], "better at 4 bit"),
        (["inconclusive"], [("unproven", "pass")], "holds"),
        (["inconclusive"], [("unproven", "warn")], "inconclusive"),
        (["inconclusive"] * 2, [("unproven", "pass")] * 2, "holds"),
        (["worse", "inconclusive"], [("unproven", "unproven"), ("unproven", "pass")], "depends on model and bits"),
    ],
)
def test_how_much_quality_is_lost_is_said_by_checked_outputs_alone(
    views: Planted, said: list[str], gates: list[tuple[str, str]], verdict: str
) -> None:
    gated(views, *gates)
    views.put("quality_flips", *(flips("reference", one, place) for place, one in enumerate(said, 1)))
    row = of_quantizations(views, 7, quant("4bit"))
    assert (row["verdict"], row["comparison_count"], row["request_count"]) == (verdict, len(said), 14 * len(said))
    assert f"gate {gates[0][1]}; of 7 prompts 2 lost, 1 gained, p = 1.00" in row["evidence"]


def test_quantizations_whose_outputs_are_not_checked_lose_nothing_that_is_known(views: Planted) -> None:
    views.leave_empty("build_quality")
    views.put("quality_flips", flips("reference", "not comparable", prompts=0))
    row = of_quantizations(views, 7, quant("4bit"))
    assert (row["verdict"], row["comparison_count"]) == ("not measured", 0)
    assert row["evidence"] == "Q 1 against 8bit: gate unproven; no prompt judged on both sides"


@pytest.mark.parametrize(
    ("verdict", "gate", "told"),
    [
        ("faster", "unproven", "faster and smaller with fewer bits, quality unproven"),
        ("faster", "fail", "worth it: fewer bits fail"),
        ("faster", "pass", "not worth it: fewer bits hold"),
        ("equivalent", "pass", "not worth it: fewer bits hold"),
        ("small difference", "pass", "not worth it: fewer bits hold"),
        ("slower", "pass", "slower with fewer bits"),
        ("inconclusive", "pass", "inconclusive"),
        ("inconclusive", "unproven", "inconclusive"),
        ("not comparable", "pass", "not measured"),
        ("slower", "unproven", "slower with fewer bits"),
    ],
)
def test_whether_more_memory_is_worth_it_hangs_on_speed_and_quality_of_fewer_bits(
    views: Planted, verdict: str, gate: str, told: str
) -> None:
    row = of_quantizations(views, 8, quant("4bit", verdict, gate))
    assert row["verdict"] == told
    assert row["comparison_count"] == (verdict != "not comparable")


def test_fewer_bits_that_fail_where_the_reference_fails_too_prove_nothing(views: Planted) -> None:
    row = of_quantizations(views, 8, quant("4bit", "faster", "fail", reference_quality_gate="fail"))
    assert "worth it" not in row["verdict"]


def test_fewer_bits_that_are_not_faster_are_not_called_so(views: Planted) -> None:
    row = of_quantizations(views, 8, quant("4bit", "equivalent", memory_verdict="equivalent", memory_saved_gb=0.1))
    assert "faster" not in row["verdict"]


def test_outputs_that_only_warn_are_not_said_to_hold(views: Planted) -> None:
    assert "hold" not in of_quantizations(views, 8, quant("4bit", "faster", "warn"))["verdict"]


def test_the_evidence_of_worth_has_speed_memory_and_quality(views: Planted) -> None:
    row = of_quantizations(
        views, 8, quant("4bit"), quant("6bit", "not comparable"), quant("2bit", memory_saved_gb=None)
    )
    assert row["evidence"] == (
        "M mlx 2bit against 8bit: faster, 1.50 [1.40, 1.60], unknown GB less, quality unproven, n = 21; "
        "M mlx 4bit against 8bit: faster, 1.50 [1.40, 1.60], 120.0 GB less, quality unproven, n = 21; "
        "M mlx 6bit against 8bit: not comparable"
    )


def test_the_best_value_is_named_with_its_speed(views: Planted) -> None:
    best = {"is_best_value": True, "best_value_reason": "smallest whose quality is proven"}
    row = of_quantizations(views, 9, quant("4bit", **best), quant("6bit", is_best_value=False))
    assert (row["verdict"], row["comparison_count"], row["request_count"]) == ("4BIT", 1, 21)
    assert [row[f"figure_{name}"] for name in ("value", "value_low", "value_high", "of")] == [50.0, 49.0, 51.0, "4BIT"]
    assert row["evidence"] == "4BIT: smallest whose quality is proven"


def test_without_proof_there_is_no_best_value_and_that_is_said(views: Planted) -> None:
    reason = "no quality is proven, and without proof fewer bits always look better"
    row = of_quantizations(views, 9, quant("4bit", best_value_reason=reason))
    assert (row["verdict"], row["comparison_count"], row["figure_value"]) == ("not measured", 0, None)
    assert row["evidence"] == reason


def test_each_model_and_runtime_may_have_a_best_value_of_its_own(views: Planted) -> None:
    rows = [quant("4bit", is_best_value=True), quant("6bit", is_best_value=True, runtime="llama.cpp")]
    row = of_quantizations(views, 9, *rows)
    assert (row["verdict"], row["comparison_count"]) == ("one for each model and runtime", 2)


def test_only_what_was_measured_through_lm_studio_answers(views: Planted) -> None:
    views.put("quant_tradeoff", quant("4bit", gate="pass", is_best_value=True, server="llama-server"))
    assert views.rows("from answers_quantization") == []


# ---------------------------------------------------------------- answers: all nine


def next_run(question: int, rank: int = 1, machine: str = MACHINE, **more: Any) -> Row:
    """A row of next_runs."""
    facts = {"subject": f"s{rank}", "why": "w", "command": "collect", "estimated_minutes": 10.0 * rank}
    return {"machine": machine, "question": question, "run_rank": rank, **facts, **more}


def all_nine(views: Planted, machine: str = MACHINE) -> dict[int, Row]:
    views.leave_empty(*SOURCES, "plan_coverage", "next_runs")
    views.put("stg_runs", {"machine": MACHINE, "server": "lmstudio"}, {"machine": "linux", "server": "llama-server"})
    found = views.rows("from answers")
    assert {row["machine"] for row in found} == {MACHINE}
    return {row["question"]: row for row in found}


def test_every_machine_of_lm_studio_has_nine_answers_and_no_other(views: Planted) -> None:
    assert sorted(all_nine(views)) == list(range(1, 10))


def test_what_would_settle_a_question_is_the_first_run_that_serves_it(views: Planted) -> None:
    views.put("next_runs", next_run(2, 3), next_run(1, 2), next_run(2, 1), next_run(6, 4, machine="m4"))
    found = all_nine(views)
    assert (found[2]["settled_by"], found[2]["settled_in_minutes"]) == ("s1 (w): collect", 10)
    assert (found[1]["settled_by"], found[1]["settled_in_minutes"]) == ("s2 (w): collect", 20)
    assert (found[6]["settled_by"], found[6]["settled_in_minutes"]) == ("collect plan --run", None)


@pytest.mark.parametrize("judged", [0, 14])
def test_where_only_grades_are_missing_a_quality_pass_would_settle_it(views: Planted, judged: int) -> None:
    views.put("quality", {"machine": MACHINE, "judged_count": judged})
    views.put("quality_flips", *(flips(kind, "inconclusive") for kind in ("model", "reference")))
    views.put("next_runs", next_run(8), next_run(5))
    views.put("quant_tradeoff", quant("4bit"), quant("8bit"))
    views.put("model_comparison", models())
    found = all_nine(views)
    more = "more prompts with a check: repeats of the same are no further questions"
    for question in (4, 7):
        told = more if judged else "a quality pass of each: collect --quality"
        assert (found[question]["settled_by"], found[question]["settled_in_minutes"]) == (told, None)
    assert found[5]["settled_by"] == "s1 (w): collect"


def test_what_is_missing_is_named_by_its_question(views: Planted) -> None:
    views.put("framework_delta", delta(4, "MLX faster"))
    views.put("quant_tradeoff", quant("4bit", "inconclusive", "pass"), quant("8bit"))
    views.put("quality_flips", flips("reference", "inconclusive"))
    gated(views, ("unproven", "pass"))
    states = ("measured", "pending", "to find")
    views.put("plan_coverage", *({"machine": MACHINE, "state": state} for state in states))
    found = all_nine(views)
    plan = "2 of 3 cells of the plan are not measured"
    assert (found[1]["verdict"], found[1]["missing"]) == ("MLX faster", plan)
    assert found[3]["verdict"] == "not all measured"
    assert found[3]["missing"] == f"it needs speed, memory, load time and stability of both runtimes; {plan}"
    assert found[4]["missing"] == f"it needs graded outputs of both models; {UNGRADED}; {plan}"
    assert (found[7]["verdict"], found[7]["missing"]) == ("holds", plan)
    assert found[8]["missing"] == f"it needs several quantizations of a model, and their outputs graded; {plan}"


def test_nothing_is_missing_where_a_question_is_answered_and_the_plan_done(views: Planted) -> None:
    views.put("framework_delta", delta(4, "MLX faster"))
    views.put("plan_coverage", {"machine": MACHINE, "state": "measured"})
    assert all_nine(views)[1]["missing"] is None


def test_the_overview_counts_what_is_answered_on_each_machine_and_names_the_first_step(views: Planted) -> None:
    said = [(1, "MLX faster"), (2, "inconclusive"), (3, "not all measured"), (4, "not measured")]
    rows = [{"machine": "b", "question": n, "verdict": verdict, "settled_by": f"b{n}"} for n, verdict in said]
    rows += [{"machine": "a", "question": n, "verdict": "not measured", "settled_by": f"a{n}"} for n, _ in said]
    views.put("answers", *rows)
    views.put("machines", *({"machine": name, "place": n, "is_plan": name != "c"} for n, name in enumerate("bac", 1)))
    b, a, c = views.rows("from answers_overview")
    assert b == {"machine": "b", "is_plan": True, "question_count": 4, "answered_count": 1, "first_step": "b2"}
    assert a == {"machine": "a", "is_plan": True, "question_count": 4, "answered_count": 0, "first_step": "a1"}
    assert (c["is_plan"], c["question_count"], c["first_step"]) == (False, None, None)


# ---------------------------------------------------------------- pair_runs: how many more


def undecided(**more: Any) -> Row:
    """A pair's row of pair_speed: two runs a side, nothing spread but what is told."""
    facts = {"prompt_count": 7, "repeat_count": 2, "within_variance": 0.0, "prompt_variance": 0.0, "detectable": 0.1}
    runs = {"a_run_count": 2, "b_run_count": 2, "run_variance": 0.0, "lasting_variance": 0.0, "spread_degrees": 14}
    return {"a_id": "a", "b_id": "b", "decode": 0.0, "verdict": "inconclusive", **facts, **runs, **more}


def further(views: Planted, row: Row) -> Row:
    views.put("pair_speed", row)
    (found,) = views.rows("from pair_runs")
    return found


def needed(row: Row) -> int | None:
    """Runs a side in addition: the first number at which a power of 80 % decides the nearer of two ends; at most 16."""
    prompts, runs, seen = row["prompt_count"], max(row["a_run_count"], row["b_run_count"]), abs(row["decode"])
    repeats = row["within_variance"] / row["repeat_count"]
    spread = row["prompt_variance"] * (prompts - 1) > repeats * stats.chi2.ppf(0.975, prompts - 1)
    tau = max(row["prompt_variance"] - repeats, 0) if spread else 0.0
    wanted = max(seen, math.log(1.03) - seen)
    if math.sqrt(tau / prompts) * found_at(prompts - 1) > wanted and runs > 1:
        return None
    for n in range(2, 17):
        error = math.sqrt((tau + repeats * runs / n) / prompts + row["lasting_variance"] * 2 / n)
        if error * found_at(row["spread_degrees"] + 2 * max(n - runs, 0)) <= wanted:
            return max(n - runs, 1)
    return 1 if runs < 2 else None


def found_at(degrees: int) -> float:
    return float(stats.t.ppf(0.975, degrees) + stats.t.ppf(0.8, degrees))


@pytest.mark.parametrize("seen", [0.0, 0.01, MARGIN / 2, 0.02, -0.028, 0.08])
@pytest.mark.parametrize("runs", [1, 2, 4])
@pytest.mark.parametrize("lasting", [0.0, 0.005, 0.01, 0.02])
@pytest.mark.parametrize(("cv", "spread", "have"), [(0.02, 0.0, 3), (0.05, 0.01, 5), (0.08, 0.03, 3), (0.01, 0.0, 10)])
def test_further_runs_are_those_of_the_formula(
    views: Planted, seen: float, runs: int, lasting: float, cv: float, spread: float, have: int
) -> None:
    within = 2 * cv**2
    variances = {"within_variance": within, "prompt_variance": spread**2 + within / have}
    counts = {"a_run_count": runs, "b_run_count": 1, "lasting_variance": lasting**2, "run_variance": lasting**2}
    row = undecided(decode=seen, repeat_count=have, **variances, **counts)
    found = further(views, row)
    assert found["further_runs"] == needed(row)
    if needed(row) is None:
        assert found["reason"] is not None
    assert found["seen_difference"] == pytest.approx(math.exp(abs(seen)) - 1)
    assert found["detectable_difference"] == 0.1


def test_more_runs_do_not_help_where_the_ratio_differs_from_prompt_to_prompt(views: Planted) -> None:
    found = further(views, undecided(within_variance=0.0001, prompt_variance=0.01))
    assert found["further_runs"] is None
    assert found["reason"].startswith("more runs do not help")


@pytest.mark.parametrize("share", [0.5, 1.0, 2.0])
def test_a_variance_over_prompts_that_repeats_may_explain_is_none_of_the_prompts(views: Planted, share: float) -> None:
    """Six degrees of freedom show 2.4 times the truth in one of forty cases: up to there it is taken for chance."""
    within = 0.0008
    row = undecided(within_variance=within, prompt_variance=share * within / 2)
    assert further(views, row)["further_runs"] == needed(row) is not None


def test_with_no_spread_of_runs_known_a_second_run_a_side_would_show_it(views: Planted) -> None:
    once = {"a_run_count": 1, "b_run_count": 1, "run_variance": None, "lasting_variance": None, "spread_degrees": None}
    found = further(views, undecided(verdict="one run a side", **once))
    assert found["further_runs"] == 1
    assert found["reason"] == "what runs differ by is not known: no configuration has two"


def test_what_more_than_sixteen_runs_a_side_would_take_is_not_asked_for(views: Planted) -> None:
    found = further(views, undecided(decode=MARGIN / 2, lasting_variance=0.05**2, run_variance=0.05**2))
    assert (found["further_runs"], found["reason"]) == (None, "more than sixteen runs a side")


def test_a_drifting_side_is_measured_again_in_turn(views: Planted) -> None:
    found = further(views, undecided(drift=0.1, decode=0.05))
    assert (found["further_runs"], found["reason"][:14]) == (None, "a side changed")


@pytest.mark.parametrize(
    "facts",
    [{"verdict": "a faster"}, {"verdict": "equivalent"}, {"verdict": "small difference"}, {"prompt_count": 1}],
)
def test_only_what_is_not_decided_over_several_prompts_asks_for_runs(views: Planted, facts: Row) -> None:
    views.put("pair_speed", undecided(**facts))
    assert views.rows("from pair_runs") == []


# ---------------------------------------------------------------- next_runs


def ran(name: str, machine: str = MACHINE, **more: Any) -> Row:
    """A complete run as stg_runs has it: five repeats in ten minutes."""
    facts = {"run_state": "complete", "run_seconds": 600.0, "repeats": 5, "server": "lmstudio", "model_key": name}
    return {
        "configuration_id": name,
        "run_id": f"run of {name}",
        "machine": machine,
        "run_started_at": STARTED,
        **facts,
        **more,
    }


def cell(model: str, variant: str, rank: int | None, **more: Any) -> Row:
    """A cell of plan_coverage that is due at this rank; at none it is measured."""
    facts = {"runtime": "mlx", "bits": 4, "kind": "speed", "state": "pending" if rank else "measured"}
    count = 0 if rank else 1
    return {
        "machine": MACHINE,
        "model": model,
        "variant": variant,
        "next_rank": rank,
        "run_count": count,
        **facts,
        **more,
    }


INPUTS = ("pairs", "pair_runs", "configurations", "stability", "candidates", "plan_coverage", "stg_runs")


def planned(views: Planted, machine: str = MACHINE) -> list[Row]:
    """What to measure next on a machine, in order."""
    views.leave_empty(*INPUTS)
    for run in views.rows("select run_id, model_key from stg_runs"):  # what next_runs reads of the raw rows
        views.warehouse._con.sql("insert into raw_facts by name select $1 as run_id", params=[run["run_id"]])
    views._filled.add("raw_facts")
    return views.rows("from next_runs where machine = $machine", machine=machine)


def compared(views: Planted, *pairs: tuple[str, str, str, int | None], machine: str = MACHINE, **keys: str) -> None:
    """Undecided pairs `(a, b, kind, further runs)` of configurations with a run each."""
    names = dict.fromkeys(name for a, b, *_ in pairs for name in (a, b))
    views.put("configurations", *({"configuration_id": n, "label": n.upper(), "machine": machine} for n in names))
    views.put("stg_runs", *(ran(n, machine, model_key=keys.get(n, n)) for n in names))
    views.put("pairs", *({"kind": kind, "a_id": a, "b_id": b} for a, b, kind, _ in pairs))
    views.put(
        "pair_runs",
        *({"a_id": a, "b_id": b, "run_count": 2, "further_runs": n, "seen_difference": 0.01} for a, b, _, n in pairs),
    )


def test_the_order_is_partner_runs_grades_ladders_rest_of_the_plan_its_ladders(views: Planted) -> None:
    compared(views, ("a", "b", "framework", 4), ("c", "d", "framework", None))
    views.put("stability", {"configuration_id": "a", "machine": MACHINE, "label": "A", "server": "lmstudio"} | UNSURE)
    views.put("candidates", {"configuration_id": "a", "machine": MACHINE, "label": "A", "is_rated": True})
    views.put(
        "plan_coverage",
        cell("M", "context", 1, kind="context"),
        cell("Q", "8bit", 2, bits=8),
        cell("M", "Q4", 3, runtime="llama.cpp"),
        cell("M", "4bit", None),
    )
    found = planned(views)
    assert [(row["run_rank"], row["kind"], row["subject"]) for row in found] == [
        (1, "cell", "M Q4"),
        (2, "runs", "A against B"),
        (3, "runs", "C against D"),
        (4, "runs", "A"),
        (5, "ladder", "A"),
        (6, "cell", "Q 8bit"),
        (7, "cell", "M context"),
    ]
    assert [row["question"] for row in found] == [1, 1, 1, 3, 6, 7, 6]


UNSURE = {"verdict": "provisional", "cv": 0.015, "cv_degrees": 2, "prompt_count": 1}


def test_undecided_pairs_serve_the_question_of_their_kind(views: Planted) -> None:
    kinds = ("framework", "quantization", "model", "choice", "version", "run", "asked")
    compared(views, *((f"a{kind}", f"b{kind}", kind, 1) for kind in kinds))
    assert {row["subject"].split()[0][1:].lower(): row["question"] for row in planned(views)} == {
        "framework": 1,
        "quantization": 8,
        "model": 5,
    }


def test_runs_take_as_long_as_those_before_on_both_sides(views: Planted) -> None:
    compared(views, ("a", "b", "framework", 4))
    interrupted = {"run_state": "interrupted", "run_seconds": 9e9}
    runs = [ran("a"), ran("a", run_seconds=1200.0), ran("a", run_seconds=1800.0), ran("b", repeats=10)]
    views.put("stg_runs", *(dict(run, run_id=f"r{n}") for n, run in enumerate([*runs, ran("b", **interrupted)])))
    (row,) = planned(views)
    assert row["estimated_minutes"] == pytest.approx(4 * (1200 + 600) / 60)
    assert (row["further_runs"], row["seen_difference"]) == (4, 0.01)
    assert row["command"] == "; ".join(f"collect --load {key} --unload" for key in "baab")  # there and back


def test_one_further_run_a_side_goes_back_the_way_the_first_came(views: Planted) -> None:
    compared(views, ("a", "b", "framework", 1))
    views.put("pair_runs", {"a_id": "a", "b_id": "b", "run_count": 1, "further_runs": 1})
    (row,) = planned(views)
    assert row["why"] == "one run a side decides nothing"
    assert row["command"] == "collect --load b --unload; collect --load a --unload"


def test_where_runs_do_not_help_there_is_no_command_and_no_time(views: Planted) -> None:
    compared(views, ("a", "b", "framework", None))
    (row,) = planned(views)
    assert (row["further_runs"], row["command"], row["estimated_minutes"]) == (None, None, None)


def test_of_equal_class_the_quicker_comes_first_and_unknown_time_last(views: Planted) -> None:
    compared(views, ("a", "b", "framework", 9), ("c", "d", "framework", 2), ("e", "f", "framework", 1))
    views.put("stg_runs", *map(ran, "abcd"))
    assert [row["subject"] for row in planned(views)] == ["C against D", "A against B", "E against F"]


def test_a_cell_is_named_with_the_command_that_measures_it(views: Planted) -> None:
    views.put("plan_coverage", cell("Some-M", "4bit", 1, estimated_minutes=33.0))
    (row,) = planned(views)
    assert row["command"] == 'collect plan --run --next --only "Some-M 4bit"'
    assert (row["why"], row["estimated_minutes"], row["reason"]) == ("a cell of the plan", 33, None)


def test_a_cells_time_is_its_own_else_its_budget_else_that_of_the_models_others(views: Planted) -> None:
    views.put(
        "plan_coverage",
        cell("M", "4bit", None, estimated_minutes=30.0),
        cell("M", "6bit", None, estimated_minutes=50.0),
        cell("M", "8bit", 1, bits=8, estimate_reason="never run"),
        cell("M", "long", 2, kind="context", budget_s=3600.0),
        cell("Q", "8bit", 3, bits=8, estimate_reason="never run"),
    )
    told = {row["subject"]: (row["estimated_minutes"], row["reason"]) for row in planned(views)}
    assert told == {
        "M 8bit": (40, "by other cells of this model"),
        "M long": (60, "its time budget"),
        "Q 8bit": (None, "never run"),
    }


def test_a_cell_that_is_measured_or_not_due_is_none_of_the_next(views: Planted) -> None:
    views.put(
        "plan_coverage", cell("M", "a", None), cell("M", "b", 1, run_count=1), cell("M", "c", None, state="failed")
    )
    assert planned(views) == []


@pytest.mark.parametrize(
    ("other", "question"),
    [({}, 1), ({"model": "Q"}, 7), ({"bits": 8}, 7), ({"runtime": "llama.cpp"}, 7), ({"state": "failed"}, 7)],
    ids=["its partner", "another model", "other bits", "the same runtime", "not measured"],
)
def test_a_cell_whose_partner_is_measured_serves_the_first_question(views: Planted, other: Row, question: int) -> None:
    views.put("plan_coverage", cell("M", "Q4", 1, runtime="llama.cpp"), {**cell("M", "4bit", None), **other})
    (row,) = planned(views)
    assert row["question"] == question
    assert ("its partner is measured" in row["why"]) == (question == 1)


def test_a_ladder_is_wanted_for_what_is_rated_and_has_none(views: Planted) -> None:
    about = {"machine": MACHINE, "is_rated": True}
    usable = {"a": (True, None), "b": (True, 0), "c": (True, 65536), "d": (False, None)}
    rows = [{"configuration_id": n, "label": n, "is_rated": r, "context_usable": u} for n, (r, u) in usable.items()]
    views.put("candidates", *({**about, **row} for row in rows))
    views.put("stg_runs", *map(ran, "abcd"))
    (row,) = planned(views)
    assert (row["kind"], row["question"], row["estimated_minutes"]) == ("ladder", 6, 20)
    assert (row["subject"], row["command"]) == ("a", "collect context --load a")


def provisional(views: Planted, **facts: Any) -> list[Row]:
    row = {"configuration_id": "a", "machine": MACHINE, "label": "A", "server": "lmstudio", **UNSURE, **facts}
    views.put("stability", row)
    views.put("stg_runs", ran("a"))
    return planned(views)


@pytest.mark.parametrize(
    "facts",
    [{"verdict": "settled"}, {"cv": 0.0501}, {"server": "llama-server"}],
    ids=["settled", "unstable", "elsewhere"],
)
def test_runs_for_a_grade_are_for_provisional_ones_up_to_acceptable(views: Planted, facts: Row) -> None:
    assert len(provisional(views)) == 1
    assert provisional(views, **facts) == []


@pytest.mark.parametrize(
    ("cv", "degrees", "runs"),
    [(0.015, 2, 1), (0.015, 4, 2), (0.02, 2, 1), (0.0201, 2, 1), (0.03, 3, 3), (0.05, 6, 1), (0.045, 12, 2)],
)
def test_runs_for_a_grade_bring_its_upper_bound_below_the_next_threshold(
    views: Planted, cv: float, degrees: int, runs: int
) -> None:
    (row,) = provisional(views, cv=cv, cv_degrees=degrees, run_count=runs)
    threshold = 0.05 if cv <= 0.02 else 0.10
    wanted = next(df for df in range(1, 121) if cv * math.sqrt(df / stats.chi2.ppf(0.025, df)) < threshold)
    assert row["further_runs"] == max(math.ceil((wanted - degrees) / (degrees / runs)), 1)  # each as those before
    assert row["estimated_minutes"] == pytest.approx(row["further_runs"] * 10)


def test_the_runs_asked_for_settle_the_grade(given: Given, results: Results) -> None:
    warehouse = given([mlx(), *speeds("a", 49.5, 50.5)])
    (row,) = warehouse.rows("from next_runs where question = 3")
    for number in range(row["further_runs"]):
        written(results, [mlx(), *speeds("a", 49.5, 50.5, ttft_ms=201.0 + number)], run_id=f"f{number:011x}")
    warehouse.refresh()
    (now,) = warehouse.rows("from stability")
    assert now["cv"] == pytest.approx(0.01414, rel=0.02)
    assert now["verdict"] == "settled"


HOSTILE = [
    "x; rm -rf /",
    "$(id)",
    "`id`",
    "a b",
    "a'b",
    'a"b',
    "a\nb",
    "a|b",
    "a&b",
    "a>b",
    "../~",
    "模型",
    "",
    "*",
    "#a",
]


@pytest.mark.parametrize("key", [*HOSTILE, None])
def test_a_hostile_model_key_never_reaches_a_command(views: Planted, key: str | None) -> None:
    runs = [ran("a", model_key=key), ran("b")]
    compared(views, ("a", "b", "framework", 2))
    views.put("stg_runs", *runs)
    views.put("stability", {"configuration_id": "a", "machine": MACHINE, "label": "A", "server": "lmstudio", **UNSURE})
    views.put("candidates", {"configuration_id": "a", "machine": MACHINE, "label": "A", "is_rated": True})
    commands = [row["command"] for row in planned(views)]
    assert commands == [
        "; ".join(f"collect --load {key} --unload" for key in ("b", "KEY", "KEY", "b")),
        commands[1],
        "collect context --load KEY",
    ]
    assert commands[1] == "collect --load KEY --unload"


@pytest.mark.parametrize("key", ["unsloth/minimax-m2.1@q4_k_m", "mlx-community/MiniMax-M2.1-4bit", "a+b", "A_1.gguf"])
def test_an_ordinary_model_key_is_a_word_of_the_command(views: Planted, key: str) -> None:
    compared(views, ("a", "b", "framework", 2), a=key)
    (row,) = planned(views)
    assert shlex.split(row["command"].split("; ")[1])[2] == key


@pytest.mark.parametrize("key", ["--force", "-x"])
def test_a_model_key_that_looks_like_an_option_never_reaches_a_command(views: Planted, key: str) -> None:
    compared(views, ("a", "b", "framework", 2), a=key)
    (row,) = planned(views)
    assert shlex.split(row["command"].split("; ")[1])[2] == "KEY"


def test_the_key_is_that_which_was_asked_for_in_the_latest_run(given: Given) -> None:
    asked = {"model_requested": "asked/key", "model_variant": "variant"}
    runs = [
        [mlx(**asked), *loaded(100), *speeds("a", 50, 50)],
        [mlx(model_variant="v@4"), *loaded(100), *speeds("a", 50)],
    ]
    warehouse = given(*runs)
    (row,) = warehouse.rows("from next_runs where kind = 'ladder'")
    assert row["command"] == "collect context --load v@4"


def test_one_machines_rows_never_mix_with_anothers(views: Planted) -> None:
    names = [("a", "b", "m3"), ("c", "d", "m4")]
    about = [(name, machine) for a, b, machine in names for name in (a, b)]
    views.put("configurations", *({"configuration_id": n, "label": n, "machine": m} for n, m in about))
    views.put("stg_runs", *(ran(n, m) for n, m in about))
    views.put("pairs", *({"kind": "framework", "a_id": a, "b_id": b} for a, b, _ in names))
    views.put("pair_runs", *({"a_id": a, "b_id": b, "further_runs": 1} for a, b, _ in names))
    cells = [cell("M", "Q4", 1, runtime="llama.cpp"), cell("M", "4bit", None, machine="m4")]
    views.put("plan_coverage", *cells)
    assert [(row["run_rank"], row["subject"], row["question"]) for row in planned(views)] == [
        (1, "a against b", 1),
        (2, "M Q4", 7),
    ]
    assert [(row["run_rank"], row["subject"]) for row in planned(views, "m4")] == [(1, "c against d")]


# ---------------------------------------------------------------- planted truths, from run files


QWEN = "qwen3-coder-next"
TRUE_RATIO = 1.25


def truths() -> list[Run]:
    """MLX 25 % faster at 4 bit, level at 8, a short context at 6; of another model a noisy pair and a drifting one."""

    def of(facts: Facts, gb: float, base: float, later: int, **more: Any) -> Run:
        load = loaded(gb * (1 + 0.02 * later), gb / 10 * (1 + 0.02 * later), is_repeat=True)
        seed = sum(map(ord, facts["model_key"])) + later
        return [{**facts, "run_seconds": 600.0, "repeats": 3}, *load, *suite(base, seed=seed, **more)]

    return [
        run
        for later in (0, 1)
        for run in (
            of(mlx("4bit"), 126, 50, later, cv=0.004),
            of(gguf("Q4_K_M"), 144, 40, later, cv=0.004),
            of(mlx("8bit"), 250, 30, later, cv=0.004),
            of(gguf("Q8_0"), 251, 30, later, cv=0.004),
            of(mlx("6bit"), 190, 38, later, cv=0.004),
            of(gguf("Q6_K", context_effective=65536), 188, 36, later, cv=0.004),
            of(mlx("4bit", QWEN), 47, 70, later, cv=0.12),
            of(gguf("Q4_K_M", QWEN), 50, 69, later, cv=0.12),
            of(mlx("8bit", QWEN), 92, 40, later, cv=0.002, change=-0.1 * later),
            of(gguf("Q8_0", QWEN), 89, 39, later, cv=0.002),
        )
    ]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse over the planted truths."""
    results = Results(tmp_path_factory.mktemp("truths") / "results")
    written(results, *truths())
    return Warehouse(results)


def paired(a: str, b: str) -> float:
    """Decode speed of one model key over another's, from the rows as they were planted."""
    speeds: dict[tuple[str, str, int], list[float]] = {}
    for facts, *rows in truths():
        for row in rows:
            if row["op"] == "request":
                tps = 1e6 / round(
                    1e6 / (row["completion_tokens"] - 1) * (row["last_text_ns"] - row["first_text_ns"]) / 1e9
                )
                key = (str(facts["model_key"]), row["prompt_id"], row["repeat"])
                speeds.setdefault(key, []).append(math.log(tps))
    ratios = []
    for prompt in PROMPTS:
        each = [stats.tmean(speeds[a, prompt, n]) - stats.tmean(speeds[b, prompt, n]) for n in (1, 2, 3)]
        ratios.append(stats.tmean(each))
    return math.exp(stats.tmean(ratios))


def test_planted_truths_are_found_by_framework_delta(world: Warehouse) -> None:
    rows = world.rows("from framework_delta")
    assert {(row["model"], row["bits"]): row["verdict"] for row in rows} == {
        ("MiniMax-M2.1", 4): "MLX faster",
        ("MiniMax-M2.1", 6): "not comparable",
        ("MiniMax-M2.1", 8): "inconclusive",  # level, and runs of this machine differ by more than the margin
        ("Qwen3-Coder-Next", 4): "inconclusive",
        ("Qwen3-Coder-Next", 8): "inconclusive",
    }
    (four,) = [row for row in rows if (row["model"], row["bits"]) == ("MiniMax-M2.1", 4)]
    found = [four[f"decode_tps_ratio{end}"] for end in ("", "_low", "_high")]
    assert found[0] == pytest.approx(paired("mlx-community/minimax-m2.1-4bit", "unsloth/minimax-m2.1@q4_k_m"), rel=1e-6)
    assert found[1] < TRUE_RATIO < found[2]


def answered(world: Warehouse) -> dict[int, Row]:
    return {row["question"]: row for row in world.rows("from answers")}


def test_planted_truths_answer_which_runtime_is_faster(world: Warehouse) -> None:
    row = answered(world)[1]
    assert (row["verdict"], row["comparison_count"]) == ("not all decided", 4)
    parts = row["evidence"].split("; ")
    assert len(parts) == 5
    assert parts[0].startswith("MiniMax-M2.1 4 bit (4bit / Q4_K_M): MLX faster, 1.25 [1.")
    assert parts[0].endswith(", 2 runs a side")
    assert parts[1] == "MiniMax-M2.1 6 bit (6bit / Q6_K): not comparable (context below 131,072)"
    assert parts[2].startswith("MiniMax-M2.1 8 bit (8bit / Q8_0): inconclusive, 1.00 [")
    assert row["request_count"] == 4 * 2 * 2 * 3 * len(PROMPTS)


def test_planted_truths_answer_how_far_apart_memory_is(world: Warehouse) -> None:
    row = answered(world)[2]
    parts = row["evidence"].split("; ")
    assert parts[0].startswith("MiniMax-M2.1 4 bit (4bit / Q4_K_M): llama.cpp larger, -18.2 GB, 0.8")
    assert parts[1] == "MiniMax-M2.1 6 bit (6bit / Q6_K): not comparable (context below 131,072)"
    assert (row["comparison_count"], row["request_count"]) == (4, 8)


def test_planted_truths_leave_open_what_takes_grades_or_ladders(world: Warehouse) -> None:
    found = answered(world)
    for question in (4, 6, 7, 9):
        assert found[question]["verdict"] == "not measured", question
    for question in (4, 7, 8, 9):
        assert found[question]["settled_by"] == "a quality pass of each: collect --quality", question
    assert found[6]["settled_by"].startswith("MiniMax-M2.1")
    assert (found[6]["settled_in_minutes"], "collect context --load" in found[6]["settled_by"]) == (20, True)
    assert {row["missing"].rpartition("; ")[2] for row in found.values()} == {
        "11 of 20 cells of the plan are not measured"
    }


def test_planted_truths_answer_the_trade_of_models(world: Warehouse) -> None:
    row = answered(world)[5]
    assert row["verdict"] == "Qwen3-Coder-Next faster"
    assert row["figure"] == "decode speed, MiniMax-M2.1 over Qwen3-Coder-Next"
    assert row["figure_value_low"] < row["figure_value"] < row["figure_value_high"] < 1


def test_the_level_pair_would_be_settled_by_so_many_runs(world: Warehouse) -> None:
    both = "pair_speed inner join pairs using (a_id, b_id)"
    undecided = f"from {both} where kind = 'framework' and verdict = 'inconclusive' and drift < 0.03"
    pair, *_ = world.rows(f"{undecided} order by within_variance")
    where = "question = 1 and kind = 'runs' and detectable_difference = $seen"
    (row,) = world.rows(f"from next_runs where {where}", seen=pair["detectable"])
    assert row["further_runs"] == needed(pair)
    assert row["subject"] == "MiniMax-M2.1 8bit · mlx against MiniMax-M2.1 Q8_0 · llama.cpp"
    minutes = row["further_runs"] * 2 * 600 / 60
    assert row["estimated_minutes"] == pytest.approx(minutes)


def test_the_drifting_pair_is_not_told_that_runs_would_do(world: Warehouse) -> None:
    both = "pair_runs inner join pair_speed using (a_id, b_id) inner join pairs using (a_id, b_id)"
    (row,) = world.rows(f"from {both} select pair_runs.* where pairs.kind = 'framework' and drift > 0.03")
    assert row["further_runs"] is None and row["reason"] is not None


def test_a_partner_that_was_never_measured_comes_first(given: Given) -> None:
    warehouse = given([gguf("Q6_K"), *loaded(188), *speeds("a", 36, 36)])
    first, *_ = warehouse.rows("from next_runs")
    assert (first["subject"], first["question"]) == ("MiniMax-M2.1 mlx-6bit", 1)
    assert first["command"] == 'collect plan --run --next --only "MiniMax-M2.1 mlx-6bit"'
