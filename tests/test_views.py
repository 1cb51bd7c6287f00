"""Given rows → expected rows: each rule of the views, one test a rule."""

import math
import statistics
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

from collector.backends import Facts
from collector.schema import Results
from site_src.warehouse import Warehouse
from tests.conftest import MS, STARTED, request
from tests.rows import each, one, sharing

Given = Callable[..., Warehouse]

# Student's t, 0.975 quantile, from a printed table: independent of the one in views/.
T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 8: 2.306, 10: 2.228, 12: 2.179, 14: 2.145, 20: 2.086}
GB = 10**9


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return sharing(given, monkeypatch)


def speeds(prompt: str, *values: float, **more: Any) -> list[Facts]:
    """Requests of one prompt at these speeds."""
    return [request(prompt, repeat, tps=tps, **more) for repeat, tps in enumerate(values, start=1)]


def bundled(counts: list[int], gap_ms: float, first_ms: float = 200.0, **more: Any) -> Facts:
    """A request whose tokens, four characters each, came this many to a chunk."""
    gaps = [first_ms, *[gap_ms] * (len(counts) - 1)]
    chunks = [
        {"gap_us": round(gap * 1000), "kind": "answer", "chars": 4 * count}
        for gap, count in zip(gaps, counts, strict=True)
    ]
    last = round(sum(gaps) * MS)
    return {
        **request(ttft_ms=first_ms, tokens=sum(counts)),
        "chunks": chunks,
        "last_text_ns": last,
        "done_ns": last,
    } | more


def probe(*roundtrips_us: int) -> Facts:
    return {"op": "probe", "started_ns": 0, "roundtrip_us": list(roundtrips_us)}


def load(elapsed_s: float = 10.0, started_s: float = 2.0, **more: Any) -> Facts:
    return {"op": "load", "started_ns": round(started_s * 1e9), "elapsed_ns": round(elapsed_s * 1e9), **more}


def sample(at_s: float, system_gb: float | None = None, pss_gb: float | None = None, **more: Any) -> dict[str, Any]:
    return {
        "at_ns": round(at_s * 1e9),
        "system_used_bytes": None if system_gb is None else round(system_gb * GB),
        "engine_pss_bytes": None if pss_gb is None else round(pss_gb * GB),
        **more,
    }


def idle(*samples: dict[str, Any]) -> Facts:
    return {"op": "idle", "started_ns": 0, "memory": list(samples)}


# ---------------------------------------------------------------- request_speed: decode


def test_decode_is_tokens_after_the_first_over_first_to_last_text(given: Given) -> None:
    row = one(given([request(tps=50, ttft_ms=200, tokens=101)]), "request_speed")
    assert row["decode_tps"] == pytest.approx(50.0, rel=1e-9)  # 100 tokens in 2 s
    assert row["decode_reason"] is None
    assert row["chunk_count"] == 101


def test_decode_does_not_count_the_tokens_that_came_in_the_first_chunk(given: Given) -> None:
    """100 tokens, 4 to a chunk, every 80 ms: 50 tokens/s, where (n - 1) / time would say 51.6."""
    row = one(given([bundled([4] * 25, 80)]), "request_speed")
    assert row["decode_tps"] == pytest.approx(50.0, rel=1e-9)


def test_decode_shares_tokens_by_characters_when_the_first_chunk_is_larger(given: Given) -> None:
    row = one(given([bundled([20] + [4] * 20, 80)]), "request_speed")
    assert row["decode_tps"] == pytest.approx(80 / (20 * 0.080), rel=1e-9)


def test_nearly_a_chunk_per_token_means_one_token_in_the_first(given: Given) -> None:
    """A character of two tokens flushes as one chunk after the time of both; from 90 % on a chunk is one token."""
    streams = []
    for chunks in (90, 80):
        stream = bundled([1] * chunks, 20)
        for chunk in stream["chunks"][1 : 101 - chunks]:
            chunk["gap_us"] *= 2
        last = sum(chunk["gap_us"] for chunk in stream["chunks"]) * 1000
        streams.append({**stream, "completion_tokens": 100, "last_text_ns": last, "done_ns": last, "elapsed_ns": last})
    found = [row["decode_tps"] for row in each(given, "request_speed", *([stream] for stream in streams))]
    assert found == pytest.approx([50, (100 - 100 / 80) / (0.020 * 99)], rel=1e-9)


def test_tokens_that_neither_a_chunk_nor_a_gap_shows_leave_no_decode_speed(given: Given) -> None:
    """Chunks that came evenly, and a tenth more tokens than they were."""
    row = one(given([{**bundled([1] * 90, 20), "completion_tokens": 100}]), "request_speed")
    assert (row["decode_tps"], row["decode_reason"]) == (None, "more tokens were counted than came as text")


def test_events_without_text_are_no_chunks(given: Given) -> None:
    row = request(tps=50, tokens=101)
    other = {"gap_us": 1000, "kind": "other", "chars": 0}
    assert one(given([{**row, "chunks": [other, *row["chunks"], other, other]}]), "request_speed")["chunk_count"] == 101


def test_decode_is_null_with_its_reason(given: Given) -> None:
    expected = [
        (request(tokens=31), "fewer than 32 tokens were generated"),
        (bundled([5] * 7, 80), "fewer than 8 chunks arrived"),
        (request(completion_tokens=None), "the server sent no token count"),
        (request(error_kind="timeout"), "the request failed: timeout"),
        (request(tokens=31, completion_tokens=None, error_kind="empty"), "the request failed: empty"),
        (bundled([5] * 10, 0), "all text arrived at once"),
        (request(chunks=None), "fewer than 8 chunks arrived"),
    ]
    found = each(given, "request_speed", *([row] for row, _ in expected))
    assert [row["decode_reason"] for row in found] == [reason for _, reason in expected]
    assert [row["decode_tps"] for row in found] == [None] * len(expected)


def test_decode_is_given_from_32_tokens_and_8_chunks_on(given: Given) -> None:
    found = each(given, "request_speed", [request(tokens=32)], [bundled([4] * 8, 80)])
    assert [row["decode_reason"] for row in found] == [None, None]
    assert all(row["decode_tps"] > 0 for row in found)


def test_speed_over_the_first_256_tokens_leaves_out_what_came_after(given: Given) -> None:
    """Twice as slow from the 257th token on."""
    gaps_ms = [200, *[20] * 255, *[40] * 256]
    chunks = [{"gap_us": ms * 1000, "kind": "answer", "chars": 4} for ms in gaps_ms]
    end = sum(gaps_ms) * MS
    long = request(ttft_ms=200, tokens=512, chunks=chunks, last_text_ns=end, done_ns=end, elapsed_ns=end)
    row = one(given([long]), "request_speed")
    assert row["decode_256_tps"] == pytest.approx(50)
    assert row["decode_tps"] == pytest.approx(511 / (255 * 0.020 + 256 * 0.040))


def test_of_a_shorter_answer_it_is_the_speed_over_all(given: Given) -> None:
    row = one(given([request(tokens=256, tps=50)]), "request_speed")
    assert row["decode_256_tps"] == row["decode_tps"]


def test_where_the_first_256_tokens_came_in_fewer_than_32_chunks_their_speed_is_unknown(given: Given) -> None:
    """Eight tokens a chunk: chunks 2 to 32 are 248 tokens in 31 times 80 ms."""
    enough, few = bundled([8] * 40, 80), bundled([9] * 40, 80)
    found = [row["decode_256_tps"] for row in each(given, "request_speed", [enough], [few])]
    assert found == [pytest.approx(100), None]


def test_end_to_end_rate_counts_from_sending_to_the_end(given: Given) -> None:
    row = request(tokens=100, done_ns=4 * 10**9)
    assert one(given([row]), "request_speed")["e2e_tps"] == pytest.approx(25.0)


def test_a_failed_request_has_no_figure_at_all(given: Given) -> None:
    row = one(given([request(error_kind="stream_cut", prompt_tokens=1000)]), "request_speed")
    assert row["is_failed"] is True
    figures = ("decode_tps", "ttft_ms", "ttfa_ms", "prefill_tps", "e2e_tps")
    assert {name: row[name] for name in figures} == dict.fromkeys(figures)


def test_warmups_are_no_requests(given: Given) -> None:
    warehouse = given([{**request(), "op": "warmup"}, request(), {**request(), "op": "warm"}])
    assert len(warehouse.rows("from request_speed")) == 1


# ---------------------------------------------------------------- request_speed: first token, prefill


def test_ttft_is_the_first_text_and_ttfa_the_first_of_the_answer(given: Given) -> None:
    row = request(ttft_ms=200, first_event_ns=50 * MS, first_answer_ns=900 * MS)
    found = one(given([row]), "request_speed")
    assert (found["ttft_ms"], found["ttfa_ms"]) == (200.0, 900.0)


def test_a_request_that_only_reasons_has_a_ttft_and_no_ttfa(given: Given) -> None:
    found = one(given([request(ttft_ms=200, first_answer_ns=None)]), "request_speed")
    assert (found["ttft_ms"], found["ttfa_ms"]) == (200.0, None)


def test_prefill_is_prompt_tokens_over_ttft_less_the_round_trip(given: Given) -> None:
    """Of five round trips the median counts: 20 ms."""
    rows = [probe(10_000, 20_000, 30_000, 900_000, 15_000), request(prompt_tokens=980, ttft_ms=1000)]
    found = one(given(rows), "request_speed")
    assert found["prefill_tps"] == pytest.approx(980 / 0.980)
    assert found["prefill_reason"] is None


def test_prefill_leaves_cached_tokens_out(given: Given) -> None:
    rows = [probe(0), request(prompt_tokens=1000, cached_tokens=10, ttft_ms=1000)]
    assert one(given(rows), "request_speed")["prefill_tps"] == pytest.approx(990.0)


def test_prefill_is_null_with_its_reason(given: Given) -> None:
    expected = [
        (request(prompt_tokens=511), "the prompt is shorter than 512 tokens"),
        (request(prompt_tokens=1000, cached_tokens=17), "the prompt was partly cached"),
        (request(prompt_tokens=None), "the server sent no token count"),
        (request(prompt_tokens=1000, error_kind="connect"), "the request failed: connect"),
    ]
    found = each(given, "request_speed", *([probe(0), row] for row, _ in expected))
    assert [row["prefill_reason"] for row in found] == [reason for _, reason in expected]
    assert [row["prefill_tps"] for row in found] == [None] * len(expected)


def test_prefill_without_a_round_trip_to_take_off_is_null_with_a_reason(given: Given) -> None:
    """Never probed, or a probe that took as long as the first text: nothing is left to divide by."""
    row = request(prompt_tokens=1000, ttft_ms=200)
    found = each(given, "request_speed", [row], [probe(500_000), row], [probe(200_000), row])
    assert [row["prefill_tps"] for row in found] == [None] * 3
    assert all(row["prefill_reason"] for row in found)


# ---------------------------------------------------------------- prompt_speed


def test_a_prompts_figures_are_median_minimum_maximum_and_count(given: Given) -> None:
    rows = [request(repeat=n, tps=tps, ttft_ms=ttft) for n, tps, ttft in [(1, 40, 100), (2, 50, 300), (3, 20, 150)]]
    row = one(given(rows), "prompt_speed")
    assert [row[f"decode_tps{end}"] for end in ("", "_min", "_max")] == pytest.approx([40.0, 20.0, 50.0])
    assert [row[f"ttft_ms{end}"] for end in ("", "_min", "_max")] == [150.0, 100.0, 300.0]
    assert (row["request_count"], row["decode_count"], row["ttft_count"], row["failed_count"]) == (3, 3, 3, 0)
    assert row["decode_cv"] == pytest.approx(statistics.stdev([40, 50, 20]) / statistics.mean([40, 50, 20]))
    assert row["decode_log_mean"] == pytest.approx(statistics.mean(map(math.log, [40, 50, 20])))
    assert row["decode_log_variance"] == pytest.approx(statistics.variance(list(map(math.log, [40, 50, 20]))))


def test_failed_requests_are_counted_and_have_no_part_in_the_figures(given: Given) -> None:
    rows = [*speeds("short", 40, 50), request(repeat=3, tps=1, error_kind="timeout"), request(repeat=4, tokens=8)]
    row = one(given(rows), "prompt_speed")
    assert (row["request_count"], row["failed_count"], row["decode_count"], row["ttft_count"]) == (4, 1, 2, 3)
    assert row["decode_tps"] == pytest.approx(45.0)
    assert row["decode_reason"] in ("the request failed: timeout", "fewer than 32 tokens were generated")


def test_a_changed_prompt_is_another_prompt(given: Given) -> None:
    warehouse = given([*speeds("short", 40), *speeds("short", 80, prompt_sha256="another")])
    assert len(warehouse.rows("from prompt_speed")) == 2


def test_one_repeat_has_no_spread(given: Given) -> None:
    row = one(given(speeds("short", 40)), "prompt_speed")
    assert (row["decode_cv"], row["decode_log_variance"]) == (None, None)


# ---------------------------------------------------------------- run_speed


def test_a_runs_speed_is_the_geometric_mean_of_its_prompts_medians(given: Given) -> None:
    warehouse = given([*speeds("short", 90, 100, 200), *speeds("long", 24, 25, 26)])
    row = one(warehouse, "run_speed")
    assert row["decode_tps"] == pytest.approx(math.sqrt(100 * 25))
    assert (row["prompt_count"], row["request_count"], row["decode_count"]) == (2, 6, 6)


def interval(*prompts: list[float]) -> tuple[float, float]:
    """The log-t interval that these prompts' repeats give, around their medians, by the standard library.

    A median's standard error is sqrt(pi / 2) that of a mean, from three repeats on.
    """
    logs = [[math.log(value) for value in values] for values in prompts]
    center = statistics.mean(math.log(statistics.median(values)) for values in prompts)
    prices = [1.0 if len(values) < 3 else math.pi / 2 for values in logs]
    parts = [price * statistics.variance(values) / len(values) for price, values in zip(prices, logs, strict=True)]
    error = math.sqrt(sum(parts)) / len(logs)
    margin = T[sum(len(values) - 1 for values in logs)] * error
    return math.exp(center - margin), math.exp(center + margin)


def exactly(values: list[float]) -> list[float]:
    """The speeds that rows have of whom these are wanted: a row's gaps are whole µs."""
    return [1e6 / round(1e6 / value) for value in values]


PROMPTS = [
    [[48.0, 50.0, 53.0, 49.0, 51.0]],
    [[48.0, 50.0, 53.0]],
    [[48.0, 50.0]],
    [[100.0, 90.0, 110.0], [20.0, 21.0, 19.5]],
    [[48.0, 50.0, 53.0], [30.0, 31.0, 29.0, 30.5, 30.2]],
    [[50.0, 51.0, 49.0, 50.5, 49.5]] * 3,
]


def test_a_runs_interval_is_students_t_on_the_logarithm(given: Given) -> None:
    runs = [
        [row for number, values in enumerate(prompts) for row in speeds(f"prompt {number}", *values)]
        for prompts in PROMPTS
    ]
    for found, prompts in zip(each(given, "run_speed", *runs), PROMPTS, strict=True):
        exact = [exactly(values) for values in prompts]
        low, high = found["decode_tps_within_low"], found["decode_tps_within_high"]
        assert (low, high) == pytest.approx(interval(*exact), rel=2e-4)
        assert math.sqrt(low * high) == pytest.approx(found["decode_tps"])  # of one estimator


def test_a_runs_ttft_interval_is_students_t_on_the_logarithm(given: Given) -> None:
    times = [100.0, 120.0, 110.0]
    rows = [request(repeat=number, ttft_ms=ms) for number, ms in enumerate(times, start=1)]
    found = one(given(rows), "run_speed")
    low, high = found["ttft_ms_within_low"], found["ttft_ms_within_high"]
    assert (low, high) == pytest.approx(interval(times), rel=2e-4)
    assert found["ttft_ms"] == pytest.approx(110.0) == math.sqrt(low * high)


def test_one_repeat_has_no_interval_rather_than_one_of_no_width(given: Given) -> None:
    warehouse = given([*speeds("short", 40), *speeds("long", 30)])
    for view in ("run_speed", "runs", "run_summary", "tps_per_gb"):
        row = one(warehouse, view)
        assert row["decode_tps"] is not None, view
        ends = {value for name, value in row.items() if name.startswith("decode_tps_")}
        assert ends == {None}, view
        assert row.get("interval_kind") is None, view


def test_equal_repeats_have_an_interval_of_no_width(given: Given) -> None:
    warehouse = given(speeds("short", 50, 50, 50))
    for view in ("run_speed", "runs", "run_summary"):
        row = one(warehouse, view)
        assert row["decode_tps_within_low"] == pytest.approx(50.0), view
        assert row["decode_tps_within_high"] == pytest.approx(50.0), view
        assert row["cv"] == 0, view


def test_a_runs_cv_is_pooled_over_prompts(given: Given) -> None:
    first, second = [100.0, 90.0, 110.0], [20.0, 21.0, 19.5]
    found = one(given([*speeds("short", *first), *speeds("long", *second)]), "run_speed")["cv"]
    each = [statistics.stdev(values) / statistics.mean(values) for values in (first, second)]
    assert found == pytest.approx(math.sqrt(statistics.mean(cv * cv for cv in each)), rel=1e-3)


def test_a_prompt_without_any_speed_leaves_the_others_alone(given: Given) -> None:
    warehouse = given([*speeds("short", 48, 50, 53), *speeds("tiny", 50, 50, 50, tokens=8)])
    for view in ("run_speed", "runs", "run_summary"):
        row = one(warehouse, view)
        assert row["decode_tps"] == pytest.approx(50.0)
        assert (row["prompt_count"], row["request_count"], row["decode_count"]) == (2, 6, 3)
        found = (row["decode_tps_within_low"], row["decode_tps_within_high"])
        assert found == pytest.approx(interval([48, 50, 1e6 / 18868]), rel=2e-4), view
        if view != "run_speed":  # nothing is known of another day
            assert (row["decode_tps_low"], row["decode_tps_high"]) == pytest.approx(found), view


def test_a_prompt_that_always_failed_leaves_the_others_ttft_alone(given: Given) -> None:
    times = [100.0, 120.0, 110.0]
    good = [request(repeat=number, ttft_ms=ms) for number, ms in enumerate(times, start=1)]
    warehouse = given([*good, *speeds("broken", 50, 50, 50, error_kind="timeout")])
    for view, kind in (("run_speed", "_within"), ("runs", ""), ("run_summary", "")):
        row = one(warehouse, view)
        ends = (row[f"ttft_ms{kind}_low"], row[f"ttft_ms{kind}_high"])
        assert ends == pytest.approx(interval(times), rel=2e-4), view


# ---------------------------------------------------------------- run_memory

LINUX: Facts = {"os_name": "Ubuntu", "os_version": "24.04"}


def test_linux_peak_memory_is_the_engines_largest_pss(given: Given) -> None:
    rows = [idle(sample(1, system_gb=5)), load(), request(memory=[sample(20, 9, 2.5), sample(21, 30, 3.5)])]
    row = one(given(rows, **LINUX), "run_memory")
    assert (row["peak_memory_gb"], row["peak_memory_kind"], row["peak_memory_reason"]) == (3.5, "engine PSS", None)
    assert row["memory_sample_count"] == 3


def test_macos_peak_memory_is_what_the_machine_used_above_the_baseline(given: Given) -> None:
    """The baseline is the median before loading, so one high sample does not spoil it."""
    before = idle(sample(0.5, 10), sample(1.0, 90), sample(1.5, 10))
    during = request(memory=[sample(20, 150), sample(21, 160), sample(22, 155)])
    row = one(given([before, load(), during]), "run_memory")
    assert (row["peak_memory_gb"], row["baseline_gb"], row["peak_memory_reason"]) == (150.0, 10.0, None)
    assert row["peak_memory_kind"] == "system, above baseline"


def test_macos_model_loaded_before_has_no_peak_memory_and_says_why(given: Given) -> None:
    row = one(given([request(memory=[sample(20, 150)])]), "run_memory")
    assert row["peak_memory_gb"] is None
    assert "loaded before" in row["peak_memory_reason"]


def test_linux_engine_that_cannot_be_seen_has_no_peak_memory_and_says_why(given: Given) -> None:
    row = one(given([request(memory=[sample(20, 150)])], **LINUX), "run_memory")
    assert row["peak_memory_gb"] is None
    assert "not on this machine" in row["peak_memory_reason"]


def test_a_run_without_samples_has_no_peak_memory_and_says_why(given: Given) -> None:
    runs = [[system, request()] for system in ({}, LINUX, {"os_name": None})]
    for row in each(given, "run_memory", *runs):
        assert (row["peak_memory_gb"], row["peak_memory_reason"]) == (None, "no memory samples")
        assert row["memory_sample_count"] == 0


# ---------------------------------------------------------------- run_load


def test_load_time_is_by_our_clock(given: Given) -> None:
    row = one(given([load(12.5, reported_load_s=11.0), request()]), "run_load")
    assert (row["load_s"], row["reported_load_s"], row["load_reason"]) == (12.5, 11.0, None)


def test_a_model_loaded_before_has_no_load_time(given: Given) -> None:
    row = one(given([request()]), "run_load")
    assert (row["load_s"], row["load_reason"]) == (None, "loaded before")


def test_a_model_that_did_not_load_is_a_run_with_its_reason(given: Given) -> None:
    failed = load(3.0, error_kind="engine", error_detail="the file is no model")
    warehouse = given([failed])
    assert (one(warehouse, "run_load")["load_s"], one(warehouse, "run_load")["load_reason"]) == (
        None,
        "the model did not load",
    )
    row = one(warehouse, "runs")
    assert (row["request_count"], row["decode_tps"], row["load_s"]) == (0, None, None)
    assert "load" in row["reason"]
    assert "the file is no model" in row["reason"]
    assert one(warehouse, "run_summary")["run_count"] == 1


# ---------------------------------------------------------------- which model is it, how many bits

NAMES = {
    "mlx-community/MiniMax-M2.1-4bit": "MiniMax-M2.1",
    "unsloth/minimax-m2.1@q4_k_s": "MiniMax-M2.1",
    "minimax-m2.1": "MiniMax-M2.1",
    "unsloth/MiniMax-M2.1-GGUF": "MiniMax-M2.1",
    "MiniMax-M2.1-UD-Q2_K_XL.gguf": "MiniMax-M2.1",
    "MiniMax-M2.1-MLX-8bit": "MiniMax-M2.1",
    "MiniMax-M2.1-mxfp4": "MiniMax-M2.1",
    "MiniMax-M2.1-BF16.gguf": "MiniMax-M2.1",
    "MiniMax-M2.1-F32.gguf": "MiniMax-M2.1",
    "MiniMax-M2.1-4bit-DWQ": "MiniMax-M2.1",
    "MiniMax-M2": "MiniMax-M2",
    "mlx-community/MiniMax-M2-4bit": "mlx-community/MiniMax-M2-4bit",
    "MiniMax-M2.1-REAP-162B-A10B": "MiniMax-M2.1-REAP-162B-A10B",
    "minimax-m2.15": "minimax-m2.15",
    "qwen/qwen3-coder-next": "Qwen3-Coder-Next",
    "lmstudio-community/Qwen3-Coder-Next-MLX-6bit": "Qwen3-Coder-Next",
    "qwen/qwen3-next-80b": "qwen/qwen3-next-80b",
    "Qwen3-Next-80B-A3B-Instruct-4bit": "Qwen3-Next-80B-A3B-Instruct-4bit",
    "SmolLM2-135M-Instruct.Q4_1.gguf": "SmolLM2-135M-Instruct",
    "somebody/A Strange Model": "somebody/A Strange Model",
}


def test_a_model_key_means_the_model_that_models_csv_says(given: Given) -> None:
    warehouse = given(*[[{"model_key": key}, request()] for key in NAMES])
    rows = warehouse.rows("select model_key, model from stg_runs")
    assert {row["model_key"]: row["model"] for row in rows} == NAMES


def test_a_run_without_a_model_name_is_unknown(given: Given) -> None:
    row = one(given([request()], model_key=None, quantization=None, runtime=None), "stg_runs")
    assert (row["model"], row["quantization"], row["runtime"], row["bits"]) == ("unknown", "unknown", "unknown", None)
    assert row["label"] == "unknown unknown · unknown"


def test_two_aliases_that_fit_make_one_row(given: Given, results: Results) -> None:
    header = results.table("models.csv").read_text(encoding="utf-8").splitlines()[0]
    empty = "," * (header.count(",") - 1)
    results.root.mkdir()
    (results.root / "models.csv").write_text(f"{header}\nSecond,minimax-*{empty}\nFirst,minimax-m2.1 mini*{empty}\n")
    assert one(given([request()]), "stg_runs")["model"] == "First"


BITS = {
    "Q4_K_M": 4,
    "Q6_K": 6,
    "Q8_0": 8,
    "IQ3_XXS": 3,
    "UD-Q2_K_XL": 2,
    "4bit": 4,
    "8bit": 8,
    "6-bit": 6,
    "mxfp4": 4,
    "MXFP4": 4,
    "BF16": 16,
    "F16": 16,
    "fp16": 16,
    "F32": 32,
    "4bit-dwq": 4,
    "q4_1": 4,
    "unknown": None,
    "": None,
    "-": None,
}


def test_nominal_bits_are_in_the_quantizations_name(given: Given) -> None:
    warehouse = given()
    found = {name: one_value(warehouse, "select nominal_bits($x) as x", x=name) for name in BITS}
    assert found == BITS
    assert one_value(warehouse, "select nominal_bits(null) as x") is None


def one_value(warehouse: Warehouse, query: str, **values: Any) -> Any:
    [row] = warehouse.rows(query, **values)
    [value] = row.values()
    return value


def test_a_machine_is_its_chip_cores_and_memory(given: Given) -> None:
    warehouse = given(
        [{"chip": "Apple M3 Ultra", "gpu_cores": 80}, request()],
        [{"chip": "Apple M3 Ultra", "gpu_cores": 60}, request()],
        [{"chip": "AMD EPYC™ 7/x", "gpu_cores": None, "cpu_cores": 2, "memory_bytes": 8 * 10**9}, request()],
        [{"chip": None, "gpu_cores": None, "cpu_cores": None, "memory_bytes": None}, request()],
    )
    assert [row["machine"] for row in warehouse.rows("select machine from stg_runs order by run_id")] == [
        "apple-m3-ultra-80gpu-512gb",
        "apple-m3-ultra-60gpu-512gb",
        "amd-epyc-7-x-2c-7gb",
        "unknown",
    ]


# ---------------------------------------------------------------- runs, run_summary


def test_a_runs_reason_names_what_is_missing_or_doubtful(given: Given) -> None:
    rows = [*speeds("short", 40, 50), request(repeat=3, error_kind="timeout")]
    reason = one(given(rows, run_state="interrupted", forced=True), "runs")["reason"]
    for part in (
        "the run was interrupted",
        "a check had failed",
        "1 of 3 requests failed",
        "peak memory: ",
        "loaded before",
    ):
        assert part in reason


def test_a_run_with_nothing_missing_has_no_reason(given: Given) -> None:
    rows = [idle(sample(1, 10)), load(), *speeds("short", 40, 50, memory=[sample(20, 150)])]
    assert one(given(rows, seed_honored=True, parallel=1), "runs")["reason"] is None


def test_runs_of_one_configuration_are_pooled(given: Given) -> None:
    warehouse = given(speeds("short", 40, 42, 44), speeds("short", 50, 52, 54))
    row = one(warehouse, "run_summary")
    assert (row["run_count"], row["request_count"], row["decode_count"], row["prompt_count"]) == (2, 6, 6, 1)
    assert row["decode_tps"] == pytest.approx(math.sqrt(42 * 52), rel=1e-4)
    assert row["latest_run_at"] == STARTED + timedelta(minutes=1)


def test_runs_that_differ_in_what_they_measure_are_not_pooled(given: Given) -> None:
    others = {
        "context_effective": 8192,
        "temperature": 0.0,
        "top_k": 20,
        "seed": 7,
        "suite": "smoke",
        "suite_sha256": "the suite was changed",
        "parallel": 4,
        "gpu_cores": 60,
        "server": "llama-server",
        "endpoint": "/api/v1/chat",
        "runtime": "mlx",
        "quantization": "Q8_0",
        "model_key": "qwen3-coder-next",
    }
    warehouse = given(speeds("short", 40), *([{name: value}, *speeds("short", 50)] for name, value in others.items()))
    assert [row["run_count"] for row in warehouse.rows("from run_summary")] == [1] * (1 + len(others))


def test_versions_and_repeats_do_not_split_a_configuration(given: Given) -> None:
    others = dict.fromkeys(["runtime_version", "server_version", "collector_version", "os_version"], "9.9")
    runs = [[{name: value}, *speeds("short", 50)] for name, value in [*others.items(), ("repeats", 3)]]
    row = one(given(speeds("short", 40), *runs), "run_summary")
    # all are one configuration; the run of an engine that is not today's is counted apart
    assert (row["run_count"], row["older_run_count"]) == (5, 1)
    assert row["decode_tps"] == pytest.approx((40 * 50**4) ** (1 / 5))


def test_a_configuration_is_the_runs_of_its_newest_engine(given: Given) -> None:
    """Newest is what was measured last, whatever the version's name; a run without any speed tells of no engine."""
    old, new = {"runtime_version": "9.9"}, {"runtime_version": "2.0"}
    failed = request(error_kind="timeout")
    warehouse = given(
        [old, *speeds("short", 40)],
        [new, *speeds("short", 50)],
        [new, *speeds("short", 52)],
        [old, failed],
    )
    row = one(warehouse, "run_summary")
    assert (row["run_count"], row["older_run_count"], row["decode_count"], row["failed_count"]) == (2, 2, 2, 0)
    assert row["decode_tps"] == pytest.approx(math.sqrt(50 * 52), rel=1e-4)
    assert "runs under other versions of the engine left out: 2" in row["reason"]


def between(*runs: list[float]) -> tuple[float, float]:
    """The interval of the runs' headlines, each run being one value."""
    centers = [math.log(statistics.median(values)) for values in runs]
    margin = T[len(runs) - 1] * statistics.stdev(centers) / math.sqrt(len(runs))
    center = statistics.mean(centers)
    return math.exp(center - margin), math.exp(center + margin)


def test_two_runs_interval_comes_from_what_they_differ_by(given: Given) -> None:
    """Repeats that agree say nothing of another day: the interval of two runs apart holds both."""
    runs = [exactly([40.0, 42.0, 44.0]), exactly([50.0, 52.0, 54.0])]
    row = one(given(*[speeds("short", *values) for values in runs]), "run_summary")
    assert (row["decode_tps_low"], row["decode_tps_high"]) == pytest.approx(between(*runs), rel=2e-4)
    assert row["decode_tps_low"] < 40 < 54 < row["decode_tps_high"]
    assert row["interval_kind"] == "between runs"
    inner = (row["decode_tps_within_low"], row["decode_tps_within_high"])
    assert inner == pytest.approx(interval(*runs), rel=2e-4)


def test_two_runs_of_one_repeat_have_the_interval_between_them(given: Given) -> None:
    """It needs no repeats; what these would say is not known."""
    row = one(given(speeds("short", 40), speeds("short", 50)), "run_summary")
    assert (row["decode_tps_low"], row["decode_tps_high"]) == pytest.approx(between([40.0], [50.0]), rel=2e-4)
    assert (row["decode_tps_within_low"], row["decode_tps_within_high"]) == (None, None)
    assert (row["ttft_ms_low"], row["ttft_ms_high"]) == pytest.approx((200, 200))


def test_one_run_has_the_spread_of_other_configurations_of_its_machine(given: Given) -> None:
    """One variance per machine, pooled: 40 and 44, and 20 and 21, have a degree of freedom each."""
    warehouse = given(
        [{"quantization": "Q8_0"}, *speeds("short", 40)],
        [{"quantization": "Q8_0"}, *speeds("short", 44)],
        [{"quantization": "F16"}, *speeds("short", 20)],
        [{"quantization": "F16"}, *speeds("short", 21)],
        speeds("short", 80, 80),
        [{"chip": "Apple M4 Max"}, *speeds("short", 80, 80)],
    )
    variance = (math.log(44 / 40) ** 2 / 2 + math.log(21 / 20) ** 2 / 2) / 2
    margin = T[2] * math.sqrt(variance)
    for view in ("runs", "run_summary"):
        row = one(warehouse, view, "quantization = 'Q4_K_M' and machine like 'apple-m3%'")
        found = [row["decode_tps_low"], row["decode_tps"], row["decode_tps_high"]]
        assert found == pytest.approx([80 * math.exp(-margin), 80, 80 * math.exp(margin)], rel=1e-3), view
        assert row["interval_kind"] == "between runs", view
        row = one(warehouse, view, "machine like 'apple-m4%'")
        assert (row["decode_tps_low"], row["decode_tps_high"]) == pytest.approx((80, 80)), view
        assert row["interval_kind"] == "within this run", view


def test_where_no_version_has_two_runs_the_interval_is_labelled(given: Given) -> None:
    """What an update of LM Studio changed is no spread of runs: of these two nothing is known but their repeats."""
    runs = [exactly([40.0, 40.1]), exactly([44.0, 44.1])]
    rows = [[{"server_version": version}, *speeds("short", *run)] for version, run in zip("12", runs, strict=True)]
    row = one(given(*rows), "run_summary")
    assert (row["decode_tps_low"], row["decode_tps_high"]) == pytest.approx(interval(*runs), rel=2e-4)
    assert (row["interval_kind"], row["decode_run_count"]) == ("within this run", 2)
    assert (
        "its interval holds within this run alone; versions of server or system it was measured under: 2"
        in row["reason"]
    )


def test_what_an_update_changed_is_no_spread(given: Given) -> None:
    own = [[{"server_version": version}, *speeds("short", tps)] for version, tps in (("1", 40.0), ("2", 44.0))]
    others = [[{"quantization": "Q8_0"}, *speeds("short", tps)] for tps in (20.0, 21.0)]
    row = one(given(*own, *others), "run_summary", "quantization = 'Q4_K_M'")
    center = math.sqrt(40 * 44)
    margin = math.exp(T[1] * math.log(21 / 20) / math.sqrt(2) / math.sqrt(2))
    assert (row["decode_tps_low"], row["decode_tps_high"]) == pytest.approx(
        (center / margin, center * margin), rel=1e-3
    )


def test_three_runs_that_differ_have_the_wider_interval_between_them(given: Given) -> None:
    runs = [exactly([base, base + 0.2, base + 0.4]) for base in (40.0, 50.0, 60.0)]
    row = one(given(*[speeds("short", *values) for values in runs]), "run_summary")
    assert (row["decode_tps_low"], row["decode_tps_high"]) == pytest.approx(between(*runs), rel=2e-4)


def test_three_runs_alike_keep_the_wider_interval_within_them(given: Given) -> None:
    runs = [[40.0, 50.0, 60.0], [40.1, 50.1, 60.1], [39.9, 49.9, 59.9]]
    row = one(given(*[speeds("short", *values) for values in runs]), "run_summary")
    assert (row["decode_tps_low"], row["decode_tps_high"]) == pytest.approx(interval(*runs), rel=1e-3)
    assert row["interval_kind"] == "between runs"  # it is known, and these are closer to each other


def test_one_runs_summary_says_the_same_as_the_run(given: Given) -> None:
    warehouse = given(
        [load(8), *speeds("short", 48, 50, 53), *speeds("long", 20, 21, 22), *speeds("tiny", 9, tokens=8)]
    )
    run, summary = one(warehouse, "runs"), one(warehouse, "run_summary")
    same = ["decode_tps", "decode_tps_low", "decode_tps_high", "ttft_ms", "ttft_ms_low", "ttft_ms_high", "load_s", "cv"]
    same += ["decode_tps_within_low", "decode_tps_within_high", "interval_kind"]
    for name in [*same, "peak_memory_gb", "request_count", "decode_count", "prompt_count", "file_gb", "bits"]:
        assert summary[name] == (pytest.approx(run[name]) if isinstance(run[name], float) else run[name]), name
    own = "one run; its interval holds within this run alone; prompts with a speed in each run: 2 of 3"
    assert summary["reason"] == f"{own}; {run['reason']}"


def test_a_failed_run_counts_in_its_configuration_without_spoiling_its_speed(given: Given) -> None:
    warehouse = given(speeds("short", 48, 50, 53), speeds("short", 1, 1, 1, error_kind="timeout"))
    row = one(warehouse, "run_summary")
    assert (row["run_count"], row["request_count"], row["failed_count"], row["decode_count"]) == (2, 6, 3, 3)
    assert row["decode_tps"] == pytest.approx(50.0)
    assert (row["decode_tps_low"], row["decode_tps_high"]) == pytest.approx(interval([48, 50, 53]), rel=1e-3)


def test_what_requests_say_one_by_one_stands_beside_the_headline(given: Given) -> None:
    """A long answer weighs as much as it has tokens; of times to first token the 95th percentile is interpolated."""
    short, long = request("short", tps=50, tokens=51, ttft_ms=100), request("long", tps=25, tokens=201, ttft_ms=300)
    row = one(given([short, long]), "run_summary")
    assert row["sustained_tps"] == pytest.approx((50 + 200) / (50 / 50 + 200 / 25))
    assert row["decode_tps"] == pytest.approx(math.sqrt(50 * 25))
    assert row["ttft_ms_p95"] == pytest.approx(100 + 0.95 * 200)


def test_reasons_of_several_runs_are_joined_in_a_fixed_order(given: Given) -> None:
    states = ["interrupted", "complete", "interrupted", "complete"]
    warehouse = given(*[[{"run_state": state, "forced": number > 1}, request()] for number, state in enumerate(states)])
    reasons = {row["reason"] for row in warehouse.rows("select reason from runs")}
    assert one(warehouse, "run_summary")["reason"] == "; ".join(sorted(reasons))


# ---------------------------------------------------------------- tps_per_gb


def test_tps_per_gb_divides_by_peak_memory_and_by_file_size(given: Given) -> None:
    rows = [*speeds("short", 48, 50, 53), request("other", memory=[sample(20, pss_gb=4)])]
    row = one(given(rows, **LINUX, file_bytes=2 * GB), "tps_per_gb")
    assert row["tps_per_gb"] == pytest.approx(row["decode_tps"] / 4)
    assert row["tps_per_gb_low"] == pytest.approx(row["decode_tps_low"] / 4)
    assert row["tps_per_gb_high"] == pytest.approx(row["decode_tps_high"] / 4)
    assert row["tps_per_file_gb"] == pytest.approx(row["decode_tps"] / 2)
    assert (row["reason"], row["request_count"], row["run_count"]) == (None, 4, 1)


def test_tps_per_gb_is_null_with_its_reason(given: Given) -> None:
    warehouse = given([{"suite": "a"}, request()], [{"suite": "b"}, request(error_kind="timeout")])
    rows = warehouse.rows("select tps_per_gb, reason from tps_per_gb order by suite")
    assert rows == [
        {"tps_per_gb": None, "reason": "no peak memory"},
        {"tps_per_gb": None, "reason": "no decode speed"},
    ]


# ---------------------------------------------------------------- decode_by_prompt, token_arrival


def test_decode_by_prompt_shows_every_repeat_and_the_median(given: Given) -> None:
    rows = given([*speeds("short", 40, 50, 90), request(repeat=4, error_kind="timeout")]).rows("from decode_by_prompt")
    assert [row["decode_tps"] for row in rows] == pytest.approx([40, 50, 90], rel=1e-4)
    assert {round(row["median_tps"]) for row in rows} == {50}
    assert {row["request_count"] for row in rows} == {3}


def test_decode_by_prompt_shows_the_six_configurations_measured_last(given: Given) -> None:
    warehouse = given(*[[{"quantization": f"Q{number}_0"}, request()] for number in range(1, 9)])
    labels = [row["label"] for row in warehouse.rows("from decode_by_prompt")]
    assert labels == [f"MiniMax-M2.1 Q{number}_0 · llama.cpp" for number in range(8, 2, -1)]


def arrival(warehouse: Warehouse) -> list[dict[str, Any]]:
    rows = warehouse.rows("from token_arrival")
    assert all(a["seconds"] <= b["seconds"] for a, b in pairwise(rows))
    assert all(a["characters"] < b["characters"] for a, b in pairwise(rows))
    assert all(a["chunk_number"] < b["chunk_number"] for a, b in pairwise(rows))
    return rows


def test_token_arrival_shows_one_request_from_first_text_to_the_total(given: Given) -> None:
    rows = arrival(given([request(tokens=40), request("long", tokens=101, tps=50, ttft_ms=200), request(tokens=50)]))
    assert {(row["prompt_id"], row["repeat"]) for row in rows} == {("long", 1)}
    assert [row["chunk_number"] for row in rows] == list(range(1, 102))
    assert (rows[0]["seconds"], rows[-1]["seconds"]) == pytest.approx((0.2, 2.2))
    assert (rows[0]["characters"], rows[-1]["characters"]) == (4, 404)


def test_token_arrival_shows_the_latest_run_and_no_failed_request(given: Given) -> None:
    failed = request("failed", tokens=500, error_kind="stream_cut")
    rows = arrival(given([request("earlier", tokens=500)], [request("later", tokens=40), failed]))
    assert {row["prompt_id"] for row in rows} == {"later"}


def test_token_arrival_counts_gaps_of_events_without_text(given: Given) -> None:
    chunks = [
        {"gap_us": 100_000, "kind": "other", "chars": 0},
        {"gap_us": 50_000, "kind": "reasoning", "chars": 3},
        {"gap_us": 30_000, "kind": "other", "chars": 0},
        {"gap_us": 20_000, "kind": "answer", "chars": 5},
        {"gap_us": 10_000, "kind": "other", "chars": 0},
    ]
    rows = arrival(given([request(chunks=chunks)]))
    assert [(row["kind"], row["characters"], row["chunk_number"]) for row in rows] == [
        ("reasoning", 3, 1),
        ("answer", 8, 2),
    ]
    assert [row["seconds"] for row in rows] == pytest.approx([0.15, 0.20])


@pytest.mark.parametrize("tokens", [3000, 3005])
def test_token_arrival_of_a_long_stream_is_thinned_and_still_ends_at_the_total(given: Given, tokens: int) -> None:
    rows = arrival(given([request(tokens=tokens)]))
    assert len(rows) <= 3000
    assert (rows[0]["chunk_number"], rows[-1]["chunk_number"]) == (1, tokens)
    assert rows[-1]["characters"] == 4 * tokens


# ---------------------------------------------------------------- overview


def test_overview_of_nothing_is_one_row_of_zeros(given: Given) -> None:
    row = one(given(), "overview")
    known = {name: value for name, value in row.items() if value not in (0, None, False)}
    assert known == {"cell_count": 20, "question_count": 9}


def test_overview_of_one_run_is_that_run(given: Given) -> None:
    row = one(given(speeds("short", 48, 50, 53)), "overview")
    assert (row["run_count"], row["request_count"], row["configuration_count"]) == (1, 3, 1)
    assert row["latest_label"] == "MiniMax-M2.1 Q4_K_M · llama.cpp"
    assert row["latest_decode_tps"] == pytest.approx(50.0)


def test_overview_of_many_runs_names_the_latest_with_a_speed(given: Given) -> None:
    warehouse = given(
        [{"quantization": "Q8_0"}, *speeds("short", 30)],
        [{"quantization": "Q6_K", "gpu_cores": 60}, *speeds("short", 40)],
        [{"quantization": "Q2_K", "model_key": "other"}, request(error_kind="timeout")],  # on the first's machine
    )
    first, second = warehouse.rows("from overview")
    assert (first["run_count"], first["machine_count"], first["model_count"], first["failed_count"]) == (2, 2, 2, 1)
    assert (second["run_count"], second["latest_label"]) == (1, "MiniMax-M2.1 Q6_K · llama.cpp")
    assert (first["configuration_count"], first["latest_label"]) == (1, "MiniMax-M2.1 Q8_0 · llama.cpp")
    assert first["latest_run_at"] == STARTED + timedelta(minutes=2)


def test_overview_counts_damaged_files(given: Given, results: Results) -> None:
    warehouse = given(speeds("short", 50))
    (results.runs / "bad.parquet").touch()
    warehouse.refresh()
    assert (one(warehouse, "overview")["damaged_count"], one(warehouse, "overview")["run_count"]) == (1, 1)


# ---------------------------------------------------------------- all views


def test_no_view_hands_out_decimals_or_huge_integers(given: Given) -> None:
    """DuckDB's sum() of integers is a 128-bit one, which reaches Arrow as a decimal and a chart as text."""
    warehouse = given([probe(500), load(), *speeds("short", 48, 50, 53, memory=[sample(20, 150, 3)])])
    wrong = [
        (view, field.name, str(field.type))
        for view in warehouse.views
        for field in warehouse.table(f"from {view}").schema
        if pa.types.is_decimal(field.type)
    ]
    assert wrong == []


def test_marts_have_a_fixed_order_the_latest_first(given: Given) -> None:
    """They are shown as they come; in the order of a hash table, two builds of the same data would differ."""
    names = [f"Q{number % 8 + 1}_{number}" for number in range(40)]
    warehouse = given(*[[{"quantization": name}, request()] for name in names])
    for view in ("runs", "run_summary", "tps_per_gb"):
        found = warehouse.rows(f"select * from {view} where true")  # noqa: S608
        assert [row["quantization"] for row in found] == names[::-1], view


def test_no_view_says_zero_or_not_a_number_for_what_is_unknown(given: Given) -> None:
    """A run of which nothing is known but that it failed: figures are NULL, only counts are 0."""
    warehouse = given([request(error_kind="timeout", completion_tokens=None, prompt_tokens=None, chunks=[])])
    for view in ("request_speed", "prompt_speed", "run_speed", "run_memory", "runs", "run_summary", "tps_per_gb"):
        row = one(warehouse, view)
        wrong = [name for name, value in row.items() if isinstance(value, float) and not math.isfinite(value)]
        wrong += [
            name for name, value in row.items() if value == 0 and name.endswith(("_tps", "_ms", "_gb", "_s", "cv"))
        ]
        assert wrong == [], view


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("Q4_K - Medium", "Q4_K_M"),
        ("Q4_K - Small", "Q4_K_S"),
        ("Q2_K - Medium", "Q2_K"),
        ("Q8_0", "Q8_0"),
        ("4bit", "4bit"),
        (None, "unknown"),
    ],
)
def test_a_quantization_has_the_name_that_people_use(given: Given, told: str | None, shown: str) -> None:
    warehouse = given([{"quantization": told}, *speeds("short", 50)])
    assert [row["quantization"] for row in warehouse.rows("from stg_runs")] == [shown]
