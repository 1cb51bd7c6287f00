"""MLX against llama.cpp: given rows → ratio, interval, verdict, or the reason why not."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from collector.backends import Facts
from site_src.warehouse import Warehouse
from tests.conftest import request
from tests.rows import sharing

Given = Callable[..., Warehouse]
MLX: Facts = {
    "runtime": "mlx",
    "model_key": "mlx-community/MiniMax-M2.1-4bit",
    "model_format": "mlx",
    "quantization": "4bit",
    "context_effective": 208384,
}
GGUF: Facts = {"parallel": 1}  # tests.conftest.RUN is MiniMax-M2.1 Q4_K_M on llama.cpp


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return sharing(given, monkeypatch)


def rows(speeds: dict[str, float], ttft_ms: float = 200.0) -> list[Facts]:
    return [request(name, repeat, tps=tps, ttft_ms=ttft_ms) for name, tps in speeds.items() for repeat in (1, 2)]


def twice(*runs: list[Facts]) -> list[list[Facts]]:
    """Each run and the same once more: one run a side is no verdict, and runs that agree widen no interval."""
    return [*runs, *runs]


def delta(warehouse: Warehouse) -> dict[str, Any]:
    (row,) = warehouse.rows("from framework_delta")
    return row


def test_keys_spelt_differently_and_unknown_slots_still_make_a_pair(given: Given) -> None:
    row = delta(given(*twice([MLX, *rows({"a": 60, "b": 60, "c": 61})], [GGUF, *rows({"a": 50, "b": 50, "c": 51})])))
    assert (row["model"], row["mlx_quantization"], row["llama_cpp_quantization"]) == ("MiniMax-M2.1", "4bit", "Q4_K_M")
    assert row["prompt_count"] == 3
    assert row["decode_tps_ratio"] == pytest.approx((1.2 * 1.2 * 61 / 51) ** (1 / 3), rel=1e-3)
    assert row["decode_tps_ratio_low"] < row["decode_tps_ratio"] < row["decode_tps_ratio_high"]
    assert row["verdict"] == "MLX faster"
    assert row["reason"] == "slots unknown on one side; different context, both long enough"


def test_the_interval_is_student_t_over_prompts(given: Given) -> None:
    row = delta(given(*twice([MLX, *rows({"a": 40, "b": 60})], [GGUF, *rows({"a": 50, "b": 50})])))
    logs = [math.log(40 / 50), math.log(60 / 50)]
    mean, deviation = sum(logs) / 2, abs(logs[0] - logs[1]) / math.sqrt(2)
    margin = 12.7062 * deviation / math.sqrt(2)
    assert row["decode_tps_ratio_low"] == pytest.approx(math.exp(mean - margin), rel=1e-3)
    assert row["decode_tps_ratio_high"] == pytest.approx(math.exp(mean + margin), rel=1e-3)
    assert row["verdict"] == "inconclusive"


@pytest.mark.parametrize(
    ("mlx", "verdict"),
    [
        ({"a": 50.1, "b": 50.2, "c": 50.3}, "equivalent"),
        ({"a": 40, "b": 40.1, "c": 40.2}, "llama.cpp faster"),
        ({"a": 51.2, "b": 51.4, "c": 51.6}, "small difference"),
    ],
)
def test_verdicts_have_a_margin_of_three_percent(given: Given, mlx: dict[str, float], verdict: str) -> None:
    two_sides = twice([MLX, *rows(mlx)], [GGUF, *rows({"a": 50, "b": 50, "c": 50})])
    assert delta(given(*two_sides))["verdict"] == verdict


def test_one_run_a_side_is_no_verdict_however_far_they_are_apart(given: Given) -> None:
    row = delta(given([MLX, *rows({"a": 100, "b": 101})], [GGUF, *rows({"a": 50, "b": 50})]))
    assert (row["verdict"], row["runs_a_side"]) == ("one run a side", 1)
    assert row["interval_kind"] == "within this run"
    assert "one run on a side" in row["reason"]


def test_only_prompts_that_both_sides_have_count(given: Given) -> None:
    row = delta(given([MLX, *rows({"a": 60, "b": 60, "x": 9})], [GGUF, *rows({"a": 50, "b": 50, "y": 900})]))
    assert row["prompt_count"] == 2
    assert row["decode_tps_ratio"] == pytest.approx(1.2, rel=1e-3)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"context_effective": 4096}, "context below 131,072"),
        ({"temperature": 0.0}, "different sampling"),
        ({"server": "llama-server"}, "not both through LM Studio"),
        ({"parallel": 4}, "4 slots against 1"),
    ],
)
def test_what_differs_is_named_instead_of_a_number(given: Given, other: Facts, reason: str) -> None:
    row = delta(given([{**MLX, "parallel": 4, **other}, *rows({"a": 60, "b": 60})], [GGUF, *rows({"a": 50, "b": 50})]))
    assert row["verdict"] == "not comparable"
    assert row["decode_tps_ratio"] is None
    assert reason in row["reason"]


def test_other_bits_are_no_pair(given: Given) -> None:
    assert not given([MLX, *rows({"a": 60})], [{"quantization": "Q8_0"}, *rows({"a": 50})]).rows("from framework_delta")
