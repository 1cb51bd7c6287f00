"""Advice that cites its numbers: given rows → verdicts and sentences; what is not measured names its run."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.planted import Planted, Row, shared
from tests.planted import views_without_comments as views_without_comments
from tests.test_models_page import MACHINE, candidate, machine, page, said
from tests.test_quantization_page import quant

PAGE = "practices.md"
PRACTICES = (
    *("model", "proven", "long", "quantization", "runtime", "headroom", "wired", "context", "slots", "seed", "cache"),
    *("load", "awake", "heat", "pressure", "downloads"),
)


@pytest.fixture
def views() -> Iterator[Planted]:
    planted = shared()
    yield planted
    planted.clear()


def practice(views: Planted, name: str) -> Row:
    """The one machine's row of a practice."""
    (row,) = views.rows(f"from practices where practice = '{name}'")
    return row


def told(views: Planted, name: str, *columns: str) -> tuple[Any, ...]:
    row = practice(views, name)
    return tuple(row[column] for column in ("verdict", *columns, "command"))


def pick(priority: str = "speed", context: int = 0, budget: float = 500.0, **more: Any) -> Row:
    """A row of `recommendation` that recommends."""
    return {
        "machine": MACHINE,
        "priority": priority,
        "context_needed": context,
        "memory_budget_gb": budget,
        "candidate_count": 3,
        "verdict": "recommended",
        "configuration_id": "a",
        "label": "A 4bit · mlx",
        "decode_tps": 45.0,
        "decode_tps_low": 44.0,
        "decode_tps_high": 46.0,
        "interval_kind": "between runs",
        "decode_run_count": 2,
        "memory_gb": 162.0,
        "request_count": 35,
        "run_count": 2,
        "confidence": "high",
        **more,
    }


# ---------------------------------------------------------------- nothing measured


def test_before_anything_is_measured_every_practice_names_the_run_that_would_back_it(views: Planted) -> None:
    rows = views.rows("from practices")
    assert tuple(row["practice"] for row in rows) == PRACTICES
    assert {(row["machine"], row["verdict"]) for row in rows} == {(None, "not measured")}
    assert all(row["command"].startswith("collect") for row in rows)
    (overview,) = views.rows("from practices_overview")
    assert (overview["practice_count"], overview["backed_count"], overview["label"]) == (16, 0, None)
    words = page(views, PAGE)
    assert "**Which model to use is not measured yet.**" in words
    assert "0 of 16 pieces of advice below rest on figures;" in words
    assert "*Not measured yet: run* <code>collect --quality</code>." in words
    assert "None" not in words


# ---------------------------------------------------------------- what to use


def test_the_model_is_the_pick_of_the_largest_budget(views: Planted) -> None:
    views.put("machines", machine())
    views.put("recommendation", pick(budget=300.0, label="smaller"), pick(), pick(context=131072, label="long"))
    assert told(views, "model", "label", "decode_tps", "request_count") == (
        "recommended",
        "A 4bit · mlx",
        45.0,
        35,
        None,
    )
    assert told(views, "long", "label") == ("recommended", "long", None)
    assert told(views, "proven", "label") == ("not measured", None, "collect --quality")


def test_where_nothing_fits_the_reason_and_the_command_stand_there(views: Planted) -> None:
    views.put("machines", machine())
    nothing = {"verdict": "nothing measured fits", "label": None, "reason": "no quality is proven", "confidence": None}
    views.put("recommendation", pick(), pick("quality", **nothing))
    assert told(views, "proven", "evidence") == ("nothing measured fits", "no quality is proven", "collect --quality")
    assert "*Nothing measured fits: no quality is proven. Run* <code>collect --quality</code>." in page(views, PAGE)


def test_a_machine_without_a_rated_candidate_has_no_pick(views: Planted) -> None:
    views.put("machines", machine(is_plan=False))
    views.put("recommendation", pick(candidate_count=0, label=None, verdict="nothing measured fits"))
    assert told(views, "model", "label") == ("not measured", None, "collect plan --run")


def test_the_runtime_is_question_three_with_the_figure_of_question_one(views: Planted) -> None:
    views.put("machines", machine())
    first = said(
        1,
        "MLX faster",
        figure_value=1.2,
        figure_value_low=1.1,
        figure_value_high=1.3,
        figure_of="A 4 bit",
        request_count=70,
        runs_a_side=2,
        interval_kind="between runs",
    )
    views.put("answers", first, said(3, "trade-off", evidence="speed: MLX; load time: llama.cpp", request_count=5))
    assert told(views, "runtime", "decode_tps_ratio", "label", "request_count") == (
        "trade-off",
        1.2,
        "A 4 bit",
        70,
        None,
    )
    words = page(views, PAGE)
    assert "For production: **trade-off** (speed: MLX; load time: llama.cpp)." in words
    assert (
        "A 4 bit: MLX decodes at 1.20 times the speed of llama.cpp (95 % interval 1.10 to 1.30, 2 runs a side); 70"
        in words
    )
    views.put("answers", said(1, "not measured"), said(3, "inconclusive"))
    assert told(views, "runtime", "decode_tps_ratio") == ("inconclusive", None, "collect plan --run")


def test_the_quantization_is_the_best_value(views: Planted) -> None:
    views.put("machines", machine())
    best = {"is_best_value": True, "best_value_reason": "smallest whose quality is proven"}
    views.put("quant_tradeoff", quant("4bit", 4, 50.0, 120.0, **best), quant("8bit", 8, 30.0, 240.0))
    found = ("best value", "MiniMax-M2.1 4bit · mlx", 50.0, 120.0, 1, None)
    assert told(views, "quantization", "label", "decode_tps", "memory_gb", "affected_count") == found


# ---------------------------------------------------------------- memory, weights, loading


def test_headroom_counts_what_needs_more_than_the_machine_has(views: Planted) -> None:
    views.put("machines", machine())
    views.put(
        "candidates",
        candidate(
            quantization="4bit", memory_gb=160.0, budget_gb=213.3, machine_memory_gb=549.8, memory_kind="estimated"
        ),
        candidate(
            quantization="8bit", memory_gb=280.0, budget_gb=373.3, machine_memory_gb=549.8, memory_kind="measured"
        ),
        candidate(quantization="bf16", memory_gb=470.0, budget_gb=626.7, machine_memory_gb=549.8),
        candidate(quantization="6bit", memory_gb=900.0, budget_gb=999.0, machine_memory_gb=549.8, is_rated=False),
    )
    found = ("some need more", "MiniMax-M2.1 8bit · mlx", 280.0, 373.3, 1, 3, "measured", None)
    names = ("label", "memory_gb", "budget_gb", "affected_count", "case_count", "evidence")
    assert told(views, "headroom", *names) == found
    assert "1 of 3 rated configurations need more than this machine has." in page(views, PAGE)
    assert "280 GB at its peak (measured, 1 run), which asks for 373 GB" in page(views, PAGE)


def test_weights_can_go_that_are_surely_beaten_or_broken_and_no_others(views: Planted) -> None:
    views.put("machines", machine())
    rows = [
        quant("8bit", 8, 30.0, 240.0, file_gb=240.0, is_surely_dominated=True),
        quant("2bit", 2, 60.0, 60.0, file_gb=60.5, quality_gate="fail"),
        quant("4bit", 4, 50.0, 120.0, file_gb=120.0),
    ]
    views.put("quant_tradeoff", *rows, quant("x", 4, 1.0, 1.0, server="llama-server", is_surely_dominated=True))
    names = ("affected_count", "case_count", "file_gb", "request_count")
    assert told(views, "downloads", *names) == ("some can go", 2, 3, 300.5, 105, None)
    assert "2 of 3 configurations can go (300 GB): MiniMax-M2.1 2bit · mlx, MiniMax-M2.1 8bit · mlx." in page(
        views, PAGE
    )
    views.put("quant_tradeoff", rows[2])
    assert told(views, "downloads", "affected_count", "file_gb") == ("none can go", 0, None, None)
    assert "None of 1 configuration is surely beaten or broken" in page(views, PAGE)


def test_the_slowest_to_load_says_how_long_and_how(views: Planted) -> None:
    views.put("machines", machine())
    loads = {"server": "lmstudio", "machine": MACHINE, "load_kind": "cold", "load_count": 2}
    views.put(
        "model_figures",
        {**loads, "label": "large", "load_s": 40.25, "load_s_low": 39.0, "load_s_high": 41.5},
        {**loads, "label": "small", "load_s": 9.0},
        {**loads, "label": "elsewhere", "load_s": 99.0, "server": "llama-server"},
    )
    assert told(views, "load", "label", "load_s", "case_count") == ("cold", "large", 40.25, 2, None)
    assert "**large**, took 40.2 s (39.0 to 41.5), 2 loads, file cache cold" in page(views, PAGE)


# ---------------------------------------------------------------- settings


def run(name: str, **more: Any) -> Row:
    """A row of `stg_runs` through LM Studio."""
    return {"run_id": name, "machine": MACHINE, "server": "lmstudio", "machine_memory_gb": 549.8, **more}


@pytest.mark.parametrize(
    ("name", "column", "good", "bad"),
    [
        ("slots", "parallel", 1, 4),
        ("seed", "seed_honored", True, False),
        ("context", "context_effective", 131072, 196608),
    ],
)
def test_a_setting_counts_runs_without_it_and_leaves_unknown_ones_out(
    views: Planted, name: str, column: str, good: Any, bad: Any
) -> None:
    views.put("machines", machine())
    asked = {"context_requested": 131072}
    for values, verdict, affected in (
        ([good, good, None], "never", 0),
        ([good, bad, None], "sometimes", 1),
        ([bad, bad, None], "always", 2),
    ):
        views.put("stg_runs", *(run(str(number), **asked, **{column: value}) for number, value in enumerate(values)))
        assert told(views, name, "affected_count", "run_count") == (verdict, affected, 2, None)
    views.put("stg_runs", run("0"))
    assert practice(views, name)["verdict"] == "not measured"


def test_settings_of_lm_studio_are_of_runs_through_it_alone(views: Planted) -> None:
    views.put("machines", machine())
    views.put("stg_runs", {**run("0", parallel=4, seed_honored=False), "server": "llama-server"})
    assert [practice(views, name)["verdict"] for name in ("slots", "seed")] == ["not measured"] * 2


def test_a_raised_wired_limit_is_told_with_its_size(views: Planted) -> None:
    views.put("machines", machine())
    views.put("stg_runs", run("0", wired_limit_mb=0), run("1", wired_limit_mb=480_000))
    names = ("affected_count", "run_count", "memory_gb", "budget_gb")
    assert told(views, "wired", *names) == ("raised", 1, 2, pytest.approx(503.32, abs=0.01), 549.8, None)
    assert "It was raised in 1 of 2 runs, to 503 GB of 550 GB." in page(views, PAGE)
    views.put("stg_runs", run("0", wired_limit_mb=0))
    assert told(views, "wired", "affected_count", "memory_gb") == ("system default", 0, None, None)


def test_wakefulness_heat_and_pressure_are_of_every_run_with_a_reading(views: Planted) -> None:
    views.put("machines", machine())
    seen = {"machine": MACHINE, "survey_count": 2}
    views.put(
        "run_environment",
        {**seen, "run_id": "0", "kept_awake_by": "caffeinate", "thermal_worst": "nominal", "pressure_worst": "normal"},
        {**seen, "run_id": "1", "thermal_worst": "heavy", "pressure_worst": "warn"},
        {**seen, "run_id": "2", "kept_awake_by": "caffeinate", "swap_grown_gb": 0.5},
        {"machine": MACHINE, "run_id": "3", "survey_count": 0},
    )
    names = ("affected_count", "run_count")
    assert told(views, "awake", *names) == ("sometimes", 1, 3, None)
    assert told(views, "heat", *names) == ("sometimes", 1, 2, None)
    assert told(views, "pressure", *names) == ("sometimes", 2, 3, None)


def test_the_cache_is_the_mean_over_runs_with_students_interval(views: Planted) -> None:
    views.put("machines", machine())
    views.put("stg_runs", run("0"), run("1"), {**run("2"), "server": "llama-server"})
    warm = {"machine": MACHINE, "prompt_count": 5}
    views.put(
        "prefix_cache",
        *({**warm, "run_id": name, "warm_ratio": ratio} for name, ratio in (("0", 0.1), ("1", 0.2), ("2", 9.0))),
    )
    row = practice(views, "cache")
    assert (row["verdict"], row["case_count"], row["run_count"]) == ("yes", 10, 2)
    assert row["warm_ratio"] == pytest.approx(0.02**0.5)
    assert row["warm_ratio_high"] / row["warm_ratio"] == pytest.approx(row["warm_ratio"] / row["warm_ratio_low"])
    assert row["warm_ratio_high"] / row["warm_ratio"] == pytest.approx(2 ** (12.7062047 / 2), rel=1e-6)
    views.put("prefix_cache", {**warm, "run_id": "0", "warm_ratio": 0.3})
    row = practice(views, "cache")
    assert (row["verdict"], row["warm_ratio_low"]) == ("partly", None)
    assert "took 0.300 of the time (no interval); 5 prompts in 1 run." in page(views, PAGE)


# ---------------------------------------------------------------- the page


def test_the_answer_is_the_pick_and_follows_it(views: Planted) -> None:
    views.put("machines", machine())
    views.put("recommendation", pick())
    words = page(views, PAGE)
    assert f"**Use A 4bit · mlx**, the fastest that fits {MACHINE} with short prompts: 45.0 tokens/s" in words
    assert "(95 % interval 44.0 to 46.0, 2 runs, 35 requests) in 162 GB, confidence high." in words
    assert "1 of 16 pieces of advice below rest on figures of " in words
    views.put(
        "recommendation",
        pick(label="B 6bit · mlx", decode_tps=38.5, decode_tps_low=None, decode_run_count=1, request_count=1),
    )
    assert "**Use B 6bit · mlx**, the fastest that fits" in page(views, PAGE)
    assert "38.5 tokens/s (no interval, one run, 1 request)" in page(views, PAGE)


def test_each_machine_has_advice_of_its_own(views: Planted) -> None:
    views.put("machines", machine(), machine("other", 2))
    views.put("recommendation", pick(), pick(machine="other", label="C Q8_0 · llama.cpp"))
    rows = views.rows("select machine, label from practices where practice = 'model'")
    assert [(row["machine"], row["label"]) for row in rows] == [
        (MACHINE, "A 4bit · mlx"),
        ("other", "C Q8_0 · llama.cpp"),
    ]
    words = page(views, PAGE)
    assert '<div data-machine="other" markdown> **C Q8_0 · llama.cpp**' in words
