"""What the page on quantization says and draws: exact rows in, exact rows and sentences out."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.planted import Planted, Row, shared
from tests.planted import views_without_comments as views_without_comments
from tests.test_models_page import MACHINE, machine, page, said

PAGE = "quantization.md"
M = "MiniMax-M2.1"


@pytest.fixture
def views() -> Iterator[Planted]:
    planted = shared()
    yield planted
    planted.clear()


def quant(quantization: str, bits: int, tps: float | None, gb: float | None, **more: Any) -> Row:
    """A row of `quant_tradeoff`."""
    return {
        "configuration_id": quantization,
        "label": f"{M} {quantization} · mlx",
        "machine": MACHINE,
        "server": "lmstudio",
        "model": M,
        "runtime": "mlx",
        "quantization": quantization,
        "bits": bits,
        "decode_tps": tps,
        "decode_tps_low": tps and tps - 1,
        "decode_tps_high": tps and tps + 1,
        "request_count": 35,
        "run_count": 1,
        "decode_run_count": 1,
        "interval_kind": "between runs",
        "peak_memory_gb": gb,
        "peak_memory_kind": "system, above baseline",
        "quality_gate": "unproven",
        "is_surely_dominated": False,
        **more,
    }


def placed(views: Planted, *rows: Row, **summary: Any) -> None:
    """Let these be the quantizations measured, each standing for itself."""
    views.put("machines", machine(is_plan=any(row["server"] == "lmstudio" for row in rows)))
    views.put("quant_tradeoff", *rows)
    views.put("candidates", *({"configuration_id": row["configuration_id"], "machine": row["machine"]} for row in rows))
    views.put("run_summary", *({"configuration_id": row["configuration_id"], **summary} for row in rows))


# ---------------------------------------------------------------- quant_curve


def test_bits_are_of_the_file_over_all_weights_else_nominal(views: Planted) -> None:
    placed(views, quant("4bit", 4, 50.0, 120.0, file_gb=129.375), quant("8bit", 8, 30.0, 240.0))
    views.put("candidates", {"configuration_id": "4bit"}, {"configuration_id": "8bit"}, {"configuration_id": "gone"})
    assert [row["bits_per_weight"] for row in views.rows("from quant_curve")] == pytest.approx([4.5, 8.5])


def test_only_the_configuration_that_stands_for_a_quantization_is_drawn(views: Planted) -> None:
    placed(views, quant("4bit", 4, 50.0, 120.0), quant("8bit", 8, 30.0, 240.0))
    views.put("candidates", {"configuration_id": "8bit"})
    assert [row["quantization"] for row in views.rows("from quant_curve")] == ["8bit"]


def test_the_front_is_what_none_beats_in_both(views: Planted) -> None:
    placed(
        views,
        quant("4bit", 4, 50.0, 120.0),
        quant("6bit", 6, 45.0, 180.0),  # slower and larger than 4 bit
        quant("Q4_0", 4, 40.0, 110.0),  # slower, but smaller
        quant("8bit", 8, 60.0, 240.0),  # larger, but faster
        quant("5bit", 5, 20.0, 130.0, is_surely_dominated=True, dominated_by="4bit"),
        quant("bf16", 16, 10.0, None),
    )
    standings = {row["quantization"]: row["standing"] for row in views.rows("from quant_curve")}
    assert standings == {
        "4bit": "on the front",
        "6bit": "dominated, not surely",
        "Q4_0": "on the front",
        "8bit": "on the front",
        "5bit": "surely dominated",
        "bf16": "memory not known",
    }


@pytest.mark.parametrize(
    "other",
    [{"runtime": "llama.cpp"}, {"model": "other"}, {"machine": "other"}, {"server": "x"}, {"peak_memory_kind": "x"}],
)
def test_a_front_is_of_one_machine_server_model_runtime_and_kind_of_memory(views: Planted, other: Row) -> None:
    placed(views, quant("6bit", 6, 45.0, 180.0), quant("4bit", 4, 50.0, 120.0, **other))
    assert {row["standing"] for row in views.rows("from quant_curve")} == {"on the front"}


def test_equals_do_not_beat_each_other(views: Planted) -> None:
    placed(views, quant("Q4_0", 4, 50.0, 120.0), quant("4bit", 4, 50.0, 120.0))
    assert {row["standing"] for row in views.rows("from quant_curve")} == {"on the front"}


@pytest.mark.parametrize(("gate", "mark"), [("pass", "✓"), ("fail", "✗"), ("warn", "!"), ("unproven", "?")])
def test_the_gate_is_a_mark_behind_the_name(views: Planted, gate: str, mark: str) -> None:
    placed(views, quant("4bit", 4, 50.0, 120.0, quality_gate=gate))
    assert [row["mark"] for row in views.rows("from quant_curve")] == [f"4bit {mark}"]


# ---------------------------------------------------------------- quantization_overview and the page


def test_the_overview_of_nothing_is_one_row_of_no_machine(views: Planted) -> None:
    (row,) = views.rows("from quantization_overview")
    assert (row["machine"], row["quantization_count"], row["best_count"], row["reference_count"]) == (None, 0, 0, 0)
    assert "No quantization is measured yet." in page(views, PAGE)


def test_the_page_answers_its_three_questions_and_follows_the_figures(views: Planted) -> None:
    best = {"is_best_value": True, "best_value_reason": "smallest whose quality is proven", "quality_gate": "pass"}
    placed(views, quant("4bit", 4, 50.0, 120.0, **best), quant("8bit", 8, 30.0, 240.0))
    views.put(
        "answers",
        said(7, "holds", figure_value=1.0, figure_of="4bit against 8bit", request_count=18),
        said(8, "not worth it: fewer bits hold", figure_value=1.67, figure_value_low=1.6, figure_value_high=1.7)
        | {"figure_of": "4bit against 8bit", "request_count": 70, "runs_a_side": 2, "missing": "it needs 6 bit"},
    )
    words = page(views, PAGE)
    lost = "holds: 1 prompt lost, 4bit against 8bit (18 judged answers in all such comparisons)"
    assert f"**How much quality is lost?** {lost}" in words
    ratio = "1.67 times the speed (95 % interval 1.60 to 1.70, 2 runs a side); 70 requests in all"
    assert f"4bit against 8bit decodes at {ratio}" in words
    assert f"**Which is the best value?** {M} 4bit · mlx: smallest whose quality is proven, with 50.0 tokens/s" in words
    assert "(95 % interval 49.0 to 51.0, one run, 35 requests) in 120 GB." in words
    assert "It is one of" not in words
    placed(views, quant("4bit", 4, 50.0, 120.0, **best), quant("8bit", 8, 52.5, 240.0, **best, runtime="llama.cpp"))
    assert "It is one of 2, one for each model and runtime." in page(views, PAGE)


def test_without_proven_quality_there_is_no_best_value(views: Planted) -> None:
    placed(views, quant("4bit", 4, 50.0, 120.0))
    assert "Not known: no quality is proven, and without proof fewer bits always look better." in page(views, PAGE)


def test_quality_of_the_reference_set_is_said_to_mean_nothing_and_of_no_other(views: Planted) -> None:
    rows = [
        quant(name, bits, 50.0 + bits, bits / 10, server="llama-server") for name, bits in (("Q4_0", 4), ("Q8_0", 8))
    ]
    placed(views, *rows, suite="reference")
    words = page(views, PAGE)
    assert (
        "**Quality means nothing for 2 quantizations of the reference set:** all were made from 4-bit originals"
        in words
    )
    assert f"The fastest is {M} Q8_0 · mlx with 58.0 tokens/s (95 % interval 57.0 to 59.0, one run, 35" in words
    assert "the smallest MiniMax-M2.1 Q4_0 · mlx with 0.400 GB" in words
    assert "How much quality is lost?" not in words
    placed(views, *rows, suite="standard")
    assert "means nothing" not in page(views, PAGE)


def test_no_quality_is_drawn_of_the_reference_set(views: Planted) -> None:
    graded = {"configuration_id": "Q4_0", "passed_share": 0.5, "passed_share_low": 0.1, "passed_share_high": 0.9}
    placed(views, quant("Q4_0", 4, 50.0, 0.4), suite="reference")
    views.put("configuration_quality", graded)
    assert "Quality against bits: no data yet." in page(views, PAGE)
    placed(views, quant("Q4_0", 4, 50.0, 0.4), suite="standard")
    views.put("configuration_quality", graded)
    assert "Quality against bits: no data yet." not in page(views, PAGE)


def test_only_runs_through_lm_studio_have_a_best_value(views: Planted) -> None:
    placed(views, quant("4bit", 4, 50.0, 120.0), quant("8bit", 8, 30.0, 240.0, server="x", is_best_value=True))
    (row,) = views.rows("from quantization_overview")
    assert (row["best_count"], row["best_label"]) == (0, None)
