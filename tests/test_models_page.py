"""What the page on models says and draws: exact rows in, exact rows and sentences out."""

import html
from collections.abc import Iterator
from typing import Any

import pytest

from site_src import build
from tests.planted import Planted, Row, shared
from tests.planted import views_without_comments as views_without_comments

MACHINE = "apple-m3-ultra-80gpu-512gb"
A, B = "MiniMax-M2.1", "Qwen3-Coder-Next"


@pytest.fixture
def views() -> Iterator[Planted]:
    planted = shared()
    yield planted
    planted.clear()


def page(views: Planted, name: str = "models.md") -> str:
    """A page as its reader has it: entities resolved, lines joined."""
    return " ".join(html.unescape(build.page(views.warehouse, name, set())).split())


def machine(name: str = MACHINE, place: int = 1, is_plan: bool = True) -> Row:
    return {"machine": name, "place": place, "is_plan": is_plan, "run_count": 1}


def candidate(model: str = A, quantization: str = "4bit", runtime: str = "mlx", **more: Any) -> Row:
    """A row of `candidates`."""
    name = f"{model} {quantization} · {runtime}"
    return {
        "configuration_id": name,
        "label": name,
        "machine": MACHINE,
        "model": model,
        "runtime": runtime,
        "quantization": quantization,
        "bits": 4,
        "is_rated": True,
        "decode_tps": 40.0,
        "decode_tps_low": 39.0,
        "decode_tps_high": 41.0,
        "memory_gb": 130.0,
        "quality_gate": "unproven",
        "request_count": 35,
        "run_count": 1,
        "decode_run_count": 1,
        "interval_kind": "between runs",
        **more,
    }


def compared(**more: Any) -> Row:
    """A row of `model_comparison`: the first decodes at half the speed, in twice the memory."""
    return {
        "machine": MACHINE,
        "model": A,
        "other_model": B,
        "runtime": "mlx",
        "bits": 4,
        "quantization": "4bit",
        "other_quantization": "4bit",
        "configuration_id": "a",
        "other_configuration_id": "b",
        "verdict": f"{B} faster",
        "decode_tps_ratio": 0.5,
        "decode_tps_ratio_low": 0.48,
        "decode_tps_ratio_high": 0.52,
        "request_count": 70,
        "ttft_request_count": 68,
        "runs_a_side": 2,
        "interval_kind": "between runs",
        "ttft_ms_ratio": 2.0,
        "ttft_verdict": f"{A} later",
        "peak_memory_gb": 120.0,
        "other_peak_memory_gb": 46.0,
        "memory_verdict": "not comparable",
        "memory_run_count": 0,
        "load_verdict": "not comparable",
        "quality_gate": "pass",
        "other_quality_gate": "unproven",
        **more,
    }


# ---------------------------------------------------------------- model_figures


def test_a_models_figures_are_those_of_its_candidates_and_their_summaries(views: Planted) -> None:
    views.put("candidates", candidate())
    views.put(
        "configuration_quality", {"configuration_id": "MiniMax-M2.1 4bit · mlx", "passed_count": 4, "checked_count": 5}
    )
    summary = {
        "configuration_id": "MiniMax-M2.1 4bit · mlx",
        "server": "lmstudio",
        "ttft_ms": 300.0,
        "suite": "standard",
    }
    views.put("run_summary", {**summary, "peak_memory_gb": 80.0, "load_warm_count": 0, "load_cold_count": 0})
    (row,) = views.rows("from model_figures")
    assert row["model_name"] == "MiniMax-M2.1 (230 B, 10 B active)"
    assert (row["tps_per_gb"], row["tps_per_gb_low"], row["tps_per_gb_high"]) == (0.5, 39 / 80, 41 / 80)
    assert (row["passed_count"], row["checked_count"], row["quality_gate"]) == (4, 5, "unproven")
    assert (row["context_advertised"], row["ttft_ms"], row["load_s"], row["load_kind"]) == (196608, 300.0, None, None)


@pytest.mark.parametrize(
    ("loads", "found"),
    [
        ([(20.0, "warm"), (20.0, "warm"), (50.0, "cold")], (20.0, 20.0, 20.0, "warm", 2)),
        ([(50.0, "cold"), (33.0, None)], (50.0, None, None, "cold", 1)),
        ([(33.0, None)] * 3, (33.0, 33.0, 33.0, "not known", 3)),
        ([], (None, None, None, None, 0)),
    ],
)
def test_warm_loads_go_before_cold_ones_and_these_before_unknown(
    views: Planted, loads: list[tuple[float, str | None]], found: tuple[Any, ...]
) -> None:
    views.put("candidates", candidate())
    views.put("configurations", {"configuration_id": candidate()["configuration_id"]})
    runs = [f"r{number}" for number, _ in enumerate(loads)]
    views.put("run_sets", *({"set_id": candidate()["configuration_id"], "run_id": run} for run in runs))
    views.put(
        "run_load",
        *({"run_id": run, "load_s": s, "load_kind": kind} for run, (s, kind) in zip(runs, loads, strict=True)),
    )
    (row,) = views.rows("from model_figures")
    assert (row["load_s"], row["load_s_low"], row["load_s_high"], row["load_kind"], row["load_count"]) == pytest.approx(
        found
    )


def test_an_unknown_model_keeps_its_name_and_has_no_weights(views: Planted) -> None:
    views.put("candidates", candidate("somebodys-model"))
    (row,) = views.rows("from model_figures")
    assert (row["model_name"], row["parameters_total_b"]) == ("somebodys-model", None)


# ---------------------------------------------------------------- model_roles


def test_a_model_fits_where_the_grid_picks_it(views: Planted) -> None:
    views.put(
        "candidates",
        candidate(),
        candidate(quantization="8bit", decode_tps=30.0, memory_gb=240.0),
        candidate(B, decode_tps=70.0),
    )
    grid = {"machine": MACHINE, "candidate_count": 3}
    picked = {**grid, "configuration_id": "x", "model": A}
    views.put(
        "recommendation",
        {**grid, "priority": "speed", "memory_budget_gb": 0.0, "context_needed": 0},
        {**picked, "priority": "speed", "memory_budget_gb": 180.0, "context_needed": 0},
        {**picked, "priority": "quality", "memory_budget_gb": 200.0, "context_needed": 131072},
        {**picked, "priority": "quality", "memory_budget_gb": 200.0, "context_needed": 0},
    )
    first, second = views.rows("from model_roles")
    assert (first["model"], first["configuration_count"], first["cell_count"]) == (A, 2, 4)
    assert (first["fastest_label"], first["decode_tps"], first["decode_tps_low"]) == (
        "MiniMax-M2.1 4bit · mlx",
        40.0,
        39.0,
    )
    assert (first["smallest_label"], first["memory_gb"]) == ("MiniMax-M2.1 4bit · mlx", 130.0)
    assert [first[f"{name}_cell_count"] for name in ("speed", "quality", "memory")] == [1, 2, 0]
    assert (first["picked_from_gb"], first["picked_context"], first["reason"]) == (180.0, 131072, None)
    assert (second["model"], second["picked_from_gb"]) == (B, None)
    assert second["reason"] == "another model is picked in every cell"


def test_without_a_rated_configuration_no_model_has_a_role(views: Planted) -> None:
    views.put("candidates", candidate(is_rated=False, memory_gb=None))
    views.put("recommendation", {"machine": MACHINE, "candidate_count": 0, "priority": "speed"})
    (row,) = views.rows("from model_roles")
    assert (row["cell_count"], row["reason"]) == (0, "no configuration of this machine is rated")
    assert (row["smallest_label"], row["memory_gb"]) == (None, None)


# ---------------------------------------------------------------- model_ratios, model_prompts, quality_by_category


def test_each_ratio_of_a_comparison_is_a_line_and_one_that_is_none_is_missing(views: Planted) -> None:
    views.put(
        "model_comparison", compared(), compared(runtime="llama.cpp", quantization="Q4_K_M", other_quantization="Q4_0")
    )
    rows = views.rows("from model_ratios")
    assert [(row["line_name"], row["figure_ratio"], row["verdict"]) for row in rows] == [
        ("decode · llama.cpp Q4_K_M / Q4_0", 0.5, f"{B} faster"),
        ("decode · mlx 4bit", 0.5, f"{B} faster"),
        ("TTFT · llama.cpp Q4_K_M / Q4_0", 2.0, f"{A} later"),
        ("TTFT · mlx 4bit", 2.0, f"{A} later"),
    ]
    assert [(row["sample_count"], row["sample_kind"], row["runs_a_side"]) for row in rows] == [
        *[(70, "requests", 2)] * 2,
        *[(68, "requests", 2)] * 2,
    ]


def test_memory_and_load_time_have_their_own_samples(views: Planted) -> None:
    more = {"peak_memory_ratio": 2.6, "memory_run_count": 2, "load_s_ratio": 2.4, "load_run_count": 1}
    views.put("model_comparison", compared(ttft_ms_ratio=None, decode_tps_ratio=None, **more))
    assert [(row["figure"], row["figure_ratio"], row["sample_count"]) for row in views.rows("from model_ratios")] == [
        ("memory", 2.6, 2),
        ("load time", 2.4, 1),
    ]


def test_of_three_models_each_line_names_its_two(views: Planted) -> None:
    views.put("model_comparison", compared(ttft_ms_ratio=None), compared(ttft_ms_ratio=None, other_model="Third"))
    assert [row["line_name"] for row in views.rows("from model_ratios")] == [
        f"decode · {A} / {B} · mlx 4bit",
        f"decode · {A} / Third · mlx 4bit",
    ]


def graded(model: str, verdict: str, kind: str = "code", **more: Any) -> Row:
    """A row of `quality_by_prompt`."""
    return {
        "build_id": f"{model} {more.get('quantization', '4bit')} {more.get('runtime', 'mlx')}",
        "machine": MACHINE,
        "server": "lmstudio",
        "model": model,
        "runtime": "mlx",
        "quantization": "4bit",
        "bits": 4,
        "prompt_id": "medium",
        "prompt_kind": kind,
        "prompt_sha256": kind,
        "verdict": verdict,
        "judged_count": 1,
        **more,
    }


def test_prompts_stand_side_by_side_for_builds_that_may_be_compared(views: Planted) -> None:
    views.put(
        "quality_by_prompt",
        graded(A, "pass"),
        graded(B, "fail"),
        graded(B, "fail", quantization="8bit", bits=8),
        graded(B, "fail", runtime="llama.cpp"),
        graded(B, "pass", server="llama-server"),
        graded(A, "not judged", "other"),
        graded(B, "not judged", "other"),
    )
    (row,) = views.rows("from model_prompts")
    assert (row["model"], row["verdict"], row["other_model"], row["other_verdict"]) == (A, "pass", B, "fail")


def test_a_kind_of_prompt_counts_builds_by_verdict(views: Planted) -> None:
    views.put("machines", machine())
    views.put(
        "quality_by_prompt",
        graded(A, "pass"),
        graded(A, "pass", quantization="8bit"),
        graded(A, "fail", quantization="6bit"),
        graded(A, "pass", server="llama-server"),
        graded(B, "broken"),
        graded(B, "not judged", "story"),
    )
    rows = views.rows("from quality_by_category")
    names = ("prompt_kind", "model", "verdict", "build_count", "all_build_count")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("code", A, "fail", 1, 3),
        ("code", A, "pass", 2, 3),
        ("code", B, "broken", 1, 1),
    ]
    assert [row["build_share"] for row in rows] == pytest.approx([1 / 3, 2 / 3, 1])


def test_without_lm_studio_a_kind_counts_builds_of_other_servers(views: Planted) -> None:
    views.put("machines", machine(is_plan=False))
    views.put("quality_by_prompt", graded(A, "pass", server="llama-server"))
    assert [row["build_count"] for row in views.rows("from quality_by_category")] == [1]


@pytest.mark.parametrize(
    ("category", "kind"), [("代码生成", "code"), ("逻辑推理", "reasoning"), ("story", "story"), (None, "other")]
)
def test_categories_of_the_plan_have_english_names(views: Planted, category: str | None, kind: str) -> None:
    views.put("stg_outputs", {"prompt_sha256": "p", "prompt_category": category, "run_id": "r", "build_id": "b"})
    views.put("builds", {"build_id": "b", "machine": MACHINE})
    views.put("prompt_quality", {"build_id": "b", "prompt_sha256": "p", "is_broken": False, "is_passed": True})
    assert [row["prompt_kind"] for row in views.rows("from quality_by_prompt")] == [kind]


# ---------------------------------------------------------------- models_overview and the page


def said(question: int, verdict: str, **more: Any) -> Row:
    """A row of `answers`."""
    return {"machine": MACHINE, "question": question, "verdict": verdict, **more}


def test_the_overview_of_nothing_is_one_row_of_no_machine(views: Planted) -> None:
    (row,) = views.rows("from models_overview")
    assert (row["machine"], row["model_count"], row["is_plan"], row["quality_verdict"]) == (None, 0, False, None)
    assert "No model is measured yet." in page(views)


def test_the_overview_takes_the_comparison_with_most_requests(views: Planted) -> None:
    views.put("machines", machine())
    views.put("candidates", candidate(), candidate(B))
    views.put(
        "model_comparison",
        compared(),
        compared(bits=8, request_count=71, decode_tps_ratio=0.6),
        compared(bits=6, request_count=99, verdict="not comparable"),
    )
    (row,) = views.rows("from models_overview")
    assert (row["bits"], row["decode_tps_ratio"], row["request_count"]) == (8, 0.6, 71)
    assert (row["pair_count"], row["comparable_count"], row["model_count"]) == (3, 2, 2)


def test_the_page_answers_both_questions_and_follows_the_figures(views: Planted) -> None:
    views.put("machines", machine())
    views.put("candidates", candidate(), candidate(B))
    views.put(
        "answers", said(4, "inconclusive", missing="it needs graded outputs of both models"), said(5, f"{B} faster")
    )
    views.put("model_comparison", compared())
    words = page(views)
    assert "**Which writes better code and reasons better?** inconclusive" in words
    assert "Missing: it needs graded outputs of both models." in words
    assert (
        f"{A} decodes at 0.500 times the speed of {B} "
        "(95 % interval 0.480 to 0.520, 2 runs a side, 70 requests) on mlx at 4 bit" in words
    )
    assert "the first takes 120 GB, quality pass, the other 46.0 GB, quality unproven" in words
    views.put(
        "model_comparison", compared(decode_tps_ratio=0.7, decode_tps_ratio_low=None, runs_a_side=1, request_count=1)
    )
    assert "decodes at 0.700 times the speed of Qwen3-Coder-Next (no interval, one run on a side, 1 request)" in page(
        views
    )


def test_a_machine_without_lm_studio_says_so_and_answers_nothing(views: Planted) -> None:
    views.put("machines", machine(is_plan=False))
    views.put("candidates", candidate("SmolLM2-135M-Instruct", "Q4_1", "llama.cpp"))
    words = page(views)
    assert "Nothing is said of the plan's two models on this machine" in words
    assert "40.0 tokens/s (95 % interval 39.0 to 41.0, one run, 35 requests)" in words
    assert "Which writes better code" not in words


def test_each_machine_has_an_answer_of_its_own(views: Planted) -> None:
    views.put("machines", machine(), machine("other", 2, False))
    views.put("candidates", candidate(), candidate(machine="other"))
    words = page(views)
    assert f'<div class="answer" data-machine="{MACHINE}"' in words
    assert '<div class="answer" data-machine="other"' in words
