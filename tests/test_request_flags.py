"""What speaks against a request or a run, and what is said when a figure would mean nothing: one test a rule."""

import statistics
from datetime import datetime
from typing import Any

import pytest

from collector.backends import Facts
from tests import rows
from tests.conftest import MS, request
from tests.rows import Given, Row, each, idle, load, one, probe, sample, speeds


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return rows.sharing(given, monkeypatch)


def flags(given: Given, *requests: Facts, **facts: Any) -> list[Row]:
    """What is said of these requests of one run."""
    return given(list(requests), **facts).rows("from request_flags order by op_index")


def found(flagged: list[Row], name: str = "exclusion") -> list[Any]:
    return [row[name] for row in flagged]


# ---------------------------------------------------------------- request_flags

HOT = "the machine was hot"
SHORT = "memory was short"
CACHED = "the prompt was partly cached"
EARLY = "the first token came in less than half the usual time, as from a cache"
MISMATCH = "our clock and the server's differ"


def test_a_request_that_nothing_speaks_against_is_not_left_out(given: Given) -> None:
    calm = [sample(20, 150, swap=0, compressor=0, pressure_level=1, thermal_level=0)]
    told = {"cached_tokens": 0, "reported_decode_tps": 50.0, "reported_prompt_ms": 190.0}
    [row] = flags(given, request(memory=calm, **told))
    assert row["exclusion"] is None
    assert {name: value for name, value in row.items() if name.startswith("is_") and value} == {}


def test_what_nobody_told_speaks_against_no_request(given: Given) -> None:
    [row] = flags(given, request())
    assert row["exclusion"] is None
    assert {value for name, value in row.items() if name.startswith("is_")} == {False}
    assert (row["pressure_level"], row["thermal_level"]) == (None, None)


def test_a_failed_request_is_left_out_and_says_how_it_failed(given: Given) -> None:
    [row] = flags(given, request(error_kind="timeout"))
    assert (row["exclusion"], row["is_failed"], row["error_kind"]) == ("failed: timeout", True, "timeout")


@pytest.mark.parametrize("kind", ["truncated_in_reasoning", "template_leak"])
def test_a_flaw_of_the_text_leaves_no_request_out(given: Given, kind: str) -> None:
    [row] = flags(given, request(error_kind=kind))
    assert (row["exclusion"], row["is_failed"], row["error_kind"]) == (None, False, kind)


def test_a_request_that_the_machine_slept_through_is_left_out(given: Given) -> None:
    flagged = flags(given, *(request(str(ms), slept_ms=ms) for ms in (None, 0, 500, 501)))
    assert found(flagged) == [None, None, None, "the machine slept meanwhile"]
    assert found(flagged, "is_slept_through") == [False, False, False, True]


def test_a_load_that_the_machine_slept_through_has_no_time(given: Given) -> None:
    [row] = given([load(slept_ms=60_000), request()]).rows("from run_load")
    assert (row["load_s"], row["load_kind"], row["load_reason"]) == (None, None, "the machine slept meanwhile")


def test_more_than_16_cached_tokens_leave_a_request_out(given: Given) -> None:
    flagged = flags(given, *(request(str(cached), cached_tokens=cached) for cached in (16, 17)))
    assert found(flagged) == [None, CACHED]
    assert found(flagged, "is_cached") == found(flagged, "is_cache_suspect") == [False, True]


def test_a_first_token_in_less_than_half_the_usual_time_leaves_a_request_out(given: Given) -> None:
    flagged = flags(given, *(request(repeat=n, ttft_ms=ms) for n, ms in enumerate([200, 200, 200, 100, 99])))
    assert found(flagged) == [None, None, None, None, EARLY]
    assert found(flagged, "is_early") == found(flagged, "is_cache_suspect") == [False] * 4 + [True]


def test_the_usual_time_is_that_of_the_same_prompt(given: Given) -> None:
    assert (
        found(flags(given, request("long", ttft_ms=900), request("long", 2, ttft_ms=900), request(ttft_ms=99)))
        == [None] * 3
    )


def test_the_usual_time_is_that_of_all_runs_of_the_configuration(given: Given) -> None:
    usual = [request(repeat=n, ttft_ms=200) for n in (1, 2, 3)]
    warehouse = given(usual, [request(ttft_ms=99)], [{"quantization": "Q8_0"}, request(ttft_ms=99)])
    assert found(warehouse.rows("from request_flags order by run_id, op_index")) == [None, None, None, EARLY, None]


@pytest.mark.parametrize("part", ["runtime_version", "server_version", "os_version"])
def test_the_usual_time_is_that_of_the_same_versions(given: Given, part: str) -> None:
    """A version with a faster prefill is no cache: its requests count, and so do those of the slower one before."""
    old, new = (
        [{part: version}, *(request(repeat=n, ttft_ms=ms) for n in (1, 2, 3))]
        for version, ms in (("1.0", 900), ("2.0", 400))
    )
    cached = [{part: "2.0"}, request(ttft_ms=199)]
    warehouse = given(old, old, new, cached)
    assert found(warehouse.rows("from request_flags order by run_id, op_index")) == [None] * 9 + [EARLY]
    speeds = [row["decode_tps"] for row in warehouse.rows("from run_speed order by run_id")]
    assert [tps is None for tps in speeds] == [False, False, False, True]


def test_a_request_of_an_unknown_prompt_has_no_usual_time(given: Given) -> None:
    unknown = [request(repeat=n, ttft_ms=ms, prompt_sha256=None) for n, ms in ((1, 200), (2, 200), (3, 50))]
    assert found(flags(given, *unknown)) == [None] * 3


def test_failed_requests_have_no_say_in_the_usual_time(given: Given) -> None:
    failed = [request(repeat=n, ttft_ms=900, error_kind="timeout") for n in (2, 3, 4)]
    assert found(flags(given, request(ttft_ms=100), *failed))[0] is None


def test_a_decode_speed_more_than_5_percent_from_the_servers_leaves_a_request_out(given: Given) -> None:
    claims = [47.4, 47.6, 52.4, 52.6]
    flagged = flags(given, *(request(str(claim), tps=50, reported_decode_tps=claim) for claim in claims))
    assert found(flagged) == [MISMATCH, None, None, MISMATCH]
    assert found(flagged, "is_timing_mismatch") == [True, False, False, True]


def test_a_server_that_worked_longer_on_the_prompt_than_we_waited_leaves_a_request_out(given: Given) -> None:
    """By more than 2 %, that is: 200 ms of waiting are 98 % of 204.08 ms."""
    flagged = flags(given, *(request(str(ms), ttft_ms=200, reported_prompt_ms=ms) for ms in (150.0, 204.0, 204.2)))
    assert found(flagged) == [None, None, MISMATCH]


def test_prompt_times_are_compared_where_there_is_no_decode_speed(given: Given) -> None:
    answers = [request(str(ms), tokens=8, ttft_ms=200, reported_prompt_ms=ms) for ms in (300.0, 190.0, None)]
    assert found(flags(given, *answers)) == [MISMATCH, None, None]


def test_memory_pressure_above_normal_leaves_out_the_request_it_fell_into(given: Given) -> None:
    levels = [1, 2, 4, None]
    flagged = flags(given, *(request(str(n), memory=[sample(20, pressure_level=n)]) for n in levels))
    assert found(flagged) == [None, SHORT, SHORT, None]
    assert found(flagged, "is_pressured") == [False, True, True, False]
    assert found(flagged, "pressure_level") == levels


def test_thermal_pressure_above_nominal_leaves_out_the_request_it_fell_into(given: Given) -> None:
    levels = [0, 1, 4, None]
    flagged = flags(given, *(request(str(n), memory=[sample(20, thermal_level=n)]) for n in levels))
    assert found(flagged) == [None, HOT, HOT, None]
    assert found(flagged, "is_hot") == [False, True, True, False]
    assert found(flagged, "thermal_level") == levels


def test_the_worst_moment_of_a_request_counts(given: Given) -> None:
    moments = [sample(20, pressure_level=1), sample(21, pressure_level=2), sample(22, pressure_level=1)]
    assert found(flags(given, request(memory=moments)), "pressure_level") == [2]


GROWN = [
    ("swap", 0.5, None),
    ("swap", 0.500000001, SHORT),
    ("compressor", 2.0, None),
    ("compressor", 2.000000001, SHORT),
]


@pytest.mark.parametrize(("what", "by", "expected"), GROWN)
def test_swap_or_compressed_memory_that_grew_leaves_out_the_whole_run(
    given: Given, what: str, by: float, expected: str | None
) -> None:
    before, after = (idle(sample(at, **{what: 3 + more})) for at, more in ((1, 0), (90, by)))
    flagged = flags(given, before, load(), request("a"), request("b"), after)
    assert found(flagged) == [expected] * 2


@pytest.mark.parametrize("what", ["swap", "compressor"])
def test_growth_counts_from_the_runs_first_sample(given: Given, what: str) -> None:
    falling = [sample(20 + n, **{what: size}) for n, size in enumerate([9.0, 1.0, 8.0])]
    warehouse = given([request(memory=falling)], [request(memory=falling[1:])])
    assert found(warehouse.rows("from request_flags order by run_id")) == [None, SHORT]


def test_growth_between_runs_is_no_growth_within_one(given: Given) -> None:
    runs = [[request(memory=[sample(20, swap=size, compressor=size)])] for size in (0.0, 50.0)]
    assert found(given(*runs).rows("from request_flags")) == [None, None]


def test_of_several_reasons_the_gravest_is_given(given: Given) -> None:
    """And each flag stands for itself."""
    usual = [request(repeat=n, ttft_ms=200) for n in range(5)]
    mismatch = {"reported_decode_tps": 99.0}
    early = {**mismatch, "ttft_ms": 50}
    cached = {**early, "cached_tokens": 99}
    pressured = {**cached, "memory": [sample(20, pressure_level=4)]}
    hot = {**pressured, "memory": [sample(20, pressure_level=4, thermal_level=3)]}
    failed = {**hot, "error_kind": "timeout"}
    worse = [request(**facts) for facts in (mismatch, early, cached, pressured, hot, failed)]
    flagged = flags(given, *usual, *worse)[len(usual) :]
    assert found(flagged) == [MISMATCH, EARLY, CACHED, SHORT, HOT, "failed: timeout"]
    assert found(flagged, "is_timing_mismatch") == [True] * 5 + [False]  # a failed request has no speed to compare
    assert found(flagged, "is_early") == [False] + [True] * 4 + [False]
    assert found(flagged, "is_pressured") == [False] * 3 + [True] * 3


def test_a_request_left_out_has_no_part_in_figures_and_is_counted(given: Given) -> None:
    hot = request(repeat=3, tps=10, ttft_ms=150, memory=[sample(20, thermal_level=2)])
    warehouse = given([*speeds("short", 48, 52), hot])
    for view in ("prompt_speed", "run_speed", "runs"):
        row = one(warehouse, view)
        assert row["decode_tps"] == pytest.approx(50, rel=1e-3)
        assert row["ttft_ms"] == pytest.approx(200)
        counts = [row[name] for name in ("request_count", "decode_count", "failed_count", "excluded_count")]
        assert (counts, row["exclusion"]) == ([3, 2, 0, 1], HOT)


# ---------------------------------------------------------------- request_gaps


def streamed(*gaps_ms: float, kinds: str = "", first_ms: float = 200, **more: Any) -> Facts:
    """A request with these gaps after its first chunk; `kinds`: of each chunk, `a` has text, `-` has none."""
    times = [first_ms, *gaps_ms]
    chunks = [
        {"gap_us": round(ms * 1000), "kind": "answer" if kind == "a" else "other", "chars": int(kind == "a")}
        for ms, kind in zip(times, kinds or "a" * len(times), strict=True)
    ]
    last = round(sum(times) * MS)
    return {**request(tokens=len(times), **{"last_text_ns": last, **more}), "chunks": chunks} | more


def gaps(given: Given, *requests: Facts) -> list[Row]:
    return given(list(requests)).rows("from request_gaps order by op_index")


PERCENTILES = ("gap_ms_p50", "gap_ms_p95", "gap_ms_p99")


def test_gaps_are_between_chunks_and_their_percentiles_are_interpolated(given: Given) -> None:
    """The wait for the first chunk is no gap."""
    times = [10 + n * n / 100 for n in range(199)]
    [row] = gaps(given, streamed(*times, first_ms=5000))
    exact = statistics.quantiles(times, n=100, method="inclusive")
    assert [row[name] for name in PERCENTILES] == pytest.approx([exact[49], exact[94], exact[98]], rel=1e-3)
    assert (row["gap_reason"], row["batch_ratio"]) == (None, 1.0)


def test_a_gap_goes_on_through_events_without_text(given: Given) -> None:
    """Text, nothing, text, nothing, …: 200 chunks of text, 30 ms apart, whatever comes in between."""
    [row] = gaps(given, streamed(*[20, 10] * 199, kinds="a" + "-a" * 199, completion_tokens=200))
    assert [row[name] for name in PERCENTILES] == pytest.approx([30, 30, 30])


def test_there_are_percentiles_only_where_they_mean_something(given: Given) -> None:
    many = [20] * 199
    expected = [
        (streamed(*many), None),
        (streamed(*many[:-1]), "fewer than 200 tokens were generated"),
        (streamed(*[20] * 189, completion_tokens=200), None),  # 190 chunks
        (streamed(*[20] * 188, completion_tokens=200), "several tokens came in a chunk"),
        (streamed(*many, completion_tokens=None), "the server sent no token count"),
        (streamed(*many, error_kind="stream_cut"), "the request failed: stream_cut"),
        (streamed(*many, error_kind="template_leak"), None),
    ]
    rows = gaps(given, *(row for row, _ in expected))
    assert found(rows, "gap_reason") == [reason for _, reason in expected]
    for name in PERCENTILES:
        assert [value is None for value in found(rows, name)] == [reason is not None for _, reason in expected]


def test_a_request_without_chunks_has_no_percentiles_and_says_why(given: Given) -> None:
    [row] = gaps(given, request(tokens=300, chunks=None))
    assert [row[name] for name in PERCENTILES] == [None] * 3
    assert row["gap_reason"] == "fewer than two chunks with text arrived"


# ---------------------------------------------------------------- position_drift


def in_order(*values: float, prompt: str = "short", first: int = 1, **more: Any) -> list[Facts]:
    """Requests of one prompt at these speeds, one after another."""
    return [request(prompt, n, tps=tps, position=first + n, **more) for n, tps in enumerate(values)]


def drift(given: Given, *runs: list[Facts]) -> list[Row]:
    return each(given, "position_drift", *runs)


def test_speed_that_follows_the_order_of_requests_is_drift(given: Given) -> None:
    falling, rising = drift(given, in_order(60, 58, 56, 54, 52, 50), in_order(50, 52, 54, 56, 58, 60))
    assert (falling["rho"], rising["rho"]) == pytest.approx((-1, 1))
    assert falling["speed_range"] == pytest.approx(60 / 50 - 1, rel=1e-3)
    assert [row["is_drifting"] for row in (falling, rising)] == [True, True]


def test_order_is_that_of_positions_not_of_rows(given: Given) -> None:
    [row] = drift(given, [*in_order(54, 52, 50, first=4), *in_order(60, 58, 56)])
    assert row["rho"] == pytest.approx(-1)


def test_drift_takes_a_correlation_of_eight_tenths(given: Given) -> None:
    """Six ranks whose differences from their places, squared, add up to 6 and to 8: 1 - 6 x sum / 210."""
    above, below = drift(given, in_order(51, 50, 53, 52, 55, 54), in_order(52, 50, 51, 54, 53, 55))
    assert (above["rho"], below["rho"]) == pytest.approx((1 - 36 / 210, 1 - 48 / 210))
    assert [row["is_drifting"] for row in (above, below)] == [True, False]


def test_drift_takes_six_requests(given: Given) -> None:
    five, six = drift(given, in_order(60, 58, 56, 54, 52), in_order(60, 58, 56, 54, 52, 50))
    assert [row["request_count"] for row in (five, six)] == [5, 6]
    assert five["rho"] == pytest.approx(-1)
    assert [row["is_drifting"] for row in (five, six)] == [False, True]


def test_drift_takes_a_range_of_5_percent(given: Given) -> None:
    below, above = drift(given, *(in_order(50, 50.1, 50.2, 50.3, 50.4, top) for top in (52.4, 52.6)))
    assert (below["speed_range"], above["speed_range"]) == pytest.approx((0.048, 0.052), abs=1e-4)
    assert [row["is_drifting"] for row in (below, above)] == [False, True]


def test_speed_is_relative_to_its_prompt_so_a_slower_prompt_is_no_drift(given: Given) -> None:
    [row] = drift(given, [*in_order(59, 60, 61), *in_order(20.3, 20, 19.7, prompt="long", first=4)])
    assert row["speed_range"] < 0.05
    assert abs(row["rho"]) < 0.8


def test_a_prompts_speeds_are_relative_to_its_median(given: Given) -> None:
    """One prompt has a fast outlier, which its mean would not forget: all but that rank equal."""
    [row] = drift(given, [*in_order(50, 50, 80), *in_order(20, 20, 20, prompt="long", first=4)])
    assert row["rho"] == pytest.approx(statistics.correlation([1, 2, 3, 4, 5, 6], [3, 3, 6, 3, 3, 3]))


def test_equal_speeds_share_the_mean_of_their_ranks(given: Given) -> None:
    [row] = drift(given, in_order(50, 50, 62.5, 50, 80, 62.5))
    assert row["rho"] == pytest.approx(statistics.correlation([1, 2, 3, 4, 5, 6], [2, 2, 4.5, 2, 6, 4.5]))


def test_equal_speeds_have_no_correlation_rather_than_one_of_zero(given: Given) -> None:
    [row] = drift(given, in_order(50, 50, 50, 50, 50, 50))
    assert (row["rho"], row["is_drifting"], row["request_count"]) == (None, False, 6)


def test_requests_without_a_decode_speed_have_no_part_in_drift(given: Given) -> None:
    rows = in_order(60, 58, 56, 54, 52)
    failed = request(tps=50, position=6, error_kind="timeout")
    assert drift(given, [*rows, failed, request(tokens=8, position=7)])[0]["request_count"] == 5


def test_requests_of_unknown_position_have_no_drift(given: Given) -> None:
    rows = [{**row, "position": None} for row in in_order(60, 58, 56, 54, 52, 50)]
    [row] = drift(given, rows)
    assert (row["rho"], row["is_drifting"]) == (None, False)


# ---------------------------------------------------------------- exclusions


def test_requests_left_out_are_counted_by_run_and_reason(given: Given) -> None:
    hot = [sample(20, thermal_level=1)]
    first = [request("a"), request("a", 2, memory=hot), request("b", memory=hot), request("b", 2, cached_tokens=99)]
    second = [{"quantization": "Q8_0"}, request("a", memory=hot)]
    rows = given(first, second, [{"quantization": "Q6_K"}, request()]).rows("from exclusions")
    assert [(row["label"][13:17], row["reason"], row["excluded_count"], row["request_count"]) for row in rows] == [
        ("Q4_K", HOT, 2, 4),
        ("Q4_K", CACHED, 1, 4),
        ("Q8_0", HOT, 1, 1),
    ]


def test_failed_requests_are_among_those_left_out(given: Given) -> None:
    row = one(given([request(), request(repeat=2, error_kind="empty")]), "exclusions")
    assert (row["reason"], row["excluded_count"], row["request_count"]) == ("failed: empty", 1, 2)


# ---------------------------------------------------------------- invalid_figures


def test_missing_figures_are_counted_by_figure_and_reason(given: Given) -> None:
    few = request(tokens=8)
    long = streamed(*[20] * 199, prompt_tokens=600)
    rows = given([probe(500), few, {**few, "repeat": 2}, long], [few]).rows("from invalid_figures")
    assert {row.pop("machine") for row in rows} == {"apple-m3-ultra-80gpu-512gb"}
    assert [tuple(row.values()) for row in rows] == [
        ("chunk gaps", "fewer than 200 tokens were generated", 3, 2, 4),
        ("decode speed", "fewer than 32 tokens were generated", 3, 2, 4),
        ("prefill speed", "the prompt is shorter than 512 tokens", 3, 2, 4),
    ]


def test_a_missing_time_to_the_first_answer_is_counted_too(given: Given) -> None:
    row = one(given([request(first_answer_ns=None)]), "invalid_figures", "figure = 'time to first answer'")
    assert (row["reason"], row["request_count"], row["total_count"]) == ("no text of an answer came", 1, 1)


def test_where_every_figure_means_something_none_is_listed(given: Given) -> None:
    assert given([probe(500), streamed(*[20] * 199, prompt_tokens=600)]).rows("from invalid_figures") == []


# ---------------------------------------------------------------- clock_check


def test_our_decode_speed_is_compared_with_the_servers(given: Given) -> None:
    claims = [50 / 1.02, 50 / 0.96, 50.0, None]
    several = [request(str(claim), tps=50, reported_decode_tps=claim) for claim in claims]
    rows = each(given, "clock_check", several, [request(tps=50, reported_decode_tps=50 / 0.97)])
    assert found(rows, "decode_count") == [3, 1]
    assert found(rows, "decode_error_percent") == pytest.approx([0, -3], abs=1e-9)
    assert found(rows, "decode_error_percent_max") == pytest.approx([4, 3])


def test_our_first_token_is_compared_with_the_servers_prompt_time(given: Given) -> None:
    claims = [199.0, 195.0, 170.0, None]
    row = one(given([request(str(ms), ttft_ms=200, reported_prompt_ms=ms) for ms in claims]), "clock_check")
    assert (row["ttft_count"], row["ttft_excess_ms"], row["ttft_excess_ms_max"]) == (3, 5, 30)


def test_failed_requests_have_no_part_in_the_comparison_of_clocks(given: Given) -> None:
    told = {"reported_prompt_ms": 190.0, "reported_decode_tps": 50.0, "client_cpu_us": 101}
    failed = request("b", error_kind="timeout", **{**told, "client_cpu_us": 999_999})
    row = one(given([request("a", **told), failed]), "clock_check")
    assert (row["decode_count"], row["ttft_count"], row["client_cpu_us_per_token"]) == (1, 1, 1)


def test_a_server_without_times_of_its_own_leaves_the_comparison_unknown_and_says_so(given: Given) -> None:
    told = [
        ({}, "the server tells no times of its own"),
        ({"reported_prompt_ms": 190.0}, "the server tells no decode speed"),
        ({"reported_decode_tps": 50.0}, "the server tells no prompt time"),
        ({"reported_decode_tps": 50.0, "reported_prompt_ms": 190.0}, None),
    ]
    rows = each(given, "clock_check", *([request(**facts)] for facts, _ in told))
    assert found(rows, "reason") == [reason for _, reason in told]
    for row, (facts, _) in zip(rows, told, strict=True):
        for what, claim in (("decode_error_percent", "reported_decode_tps"), ("ttft_excess_ms", "reported_prompt_ms")):
            assert (row[what] is None, row[f"{what}_max"] is None) == (claim not in facts,) * 2


def test_the_clients_cpu_time_is_for_a_token(given: Given) -> None:
    told = [request(str(us), tokens=100, client_cpu_us=us) for us in (1000, 2000, 9000)]
    assert found(each(given, "clock_check", told, [request()]), "client_cpu_us_per_token") == [20, None]


def test_claims_of_zero_are_no_comparison_rather_than_an_infinite_one(given: Given) -> None:
    silent = request(tokens=40, completion_tokens=0, client_cpu_us=100)
    row = one(given([request("a", reported_decode_tps=0.0), silent]), "clock_check")
    unknown = ("decode_error_percent", "decode_error_percent_max", "client_cpu_us_per_token")
    assert {name: row[name] for name in unknown} == dict.fromkeys(unknown)
    assert row["decode_count"] == 0


def test_the_clients_calibration_is_that_of_the_run(given: Given) -> None:
    then = {
        "client_calibrated_at": datetime(2026, 11, 20),
        "client_bias_percent": 0.01,
        "client_event_delay_us": 90.0,
        "client_jitter_us": 12.0,
    }
    calibrated, never = each(given, "clock_check", [then, request()], [request()])
    assert {name: calibrated[name] for name in then} == then
    assert {name: never[name] for name in then} == dict.fromkeys(then)


# ---------------------------------------------------------------- prefix_cache


def warm(cold: Facts, ttft_ms: float, **more: Any) -> Facts:
    """The same request once more."""
    first = dict.fromkeys(("first_event_ns", "first_text_ns", "first_answer_ns"), round(ttft_ms * MS))
    return {**cold, "op": "warm", **first} | more


def resent(prompt: str, cold_ms: float, warm_ms: float, **more: Any) -> list[Facts]:
    cold = request(prompt, ttft_ms=cold_ms, nonce=f"nonce of {prompt}")
    return [cold, warm(cold, warm_ms, **more)]


def test_a_resend_is_compared_with_its_first_sending_over_all_prompts(given: Given) -> None:
    row = one(given([*resent("a", 200, 20), *resent("b", 800, 320)]), "prefix_cache")
    assert (row["cold_ttft_ms"], row["warm_ttft_ms"], row["warm_ratio"]) == pytest.approx((400, 80, 0.2))
    assert (row["warm_ratio_min"], row["warm_ratio_max"]) == pytest.approx((0.1, 0.4))
    assert row["prompt_count"] == 2


def test_a_cache_helps_below_a_fifth_partly_below_a_half_and_else_not(given: Given) -> None:
    times = [39.9, 40, 99.9, 100, 300]
    rows = each(given, "prefix_cache", *(resent("a", 200, ms) for ms in times))
    assert found(rows, "verdict") == ["yes", "partly", "partly", "no", "no"]


def test_a_resend_belongs_to_the_repeat_it_repeats(given: Given) -> None:
    other = request("a", ttft_ms=999, nonce="000000")
    row = one(given([other, *resent("a", 200, 20)]), "prefix_cache")
    assert (row["prompt_count"], row["cold_ttft_ms"]) == (1, pytest.approx(200))


def test_a_resend_belongs_to_its_own_run(given: Given) -> None:
    slow, fast = each(given, "prefix_cache", resent("a", 400, 20), resent("a", 200, 20))
    assert (slow["warm_ratio"], fast["warm_ratio"]) == pytest.approx((0.05, 0.1))


def test_a_failed_sending_or_resend_is_no_comparison(given: Given) -> None:
    cold, again = resent("a", 200, 20)
    nothing = [
        [{**cold, "error_kind": "timeout"}, again],
        [cold, {**again, "error_kind": "timeout"}],
        [cold, {**again, "first_text_ns": None}],
        [cold],
    ]
    flawed = [cold, {**again, "error_kind": "truncated_in_reasoning"}]
    assert one(given(*nothing, flawed), "prefix_cache")["run_id"] == f"{len(nothing):012x}"


def test_the_cached_share_is_what_the_server_says(given: Given) -> None:
    told = [*resent("a", 200, 20, cached_tokens=90), *resent("b", 200, 20, cached_tokens=50)]
    row, silent = each(given, "prefix_cache", told, resent("a", 200, 20))
    assert row["cached_share"] == pytest.approx(0.7)  # of 100 tokens each
    assert silent["cached_share"] is None


def test_a_share_of_no_tokens_is_unknown(given: Given) -> None:
    assert one(given(resent("a", 200, 20, prompt_tokens=0, cached_tokens=0)), "prefix_cache")["cached_share"] is None


# ---------------------------------------------------------------- run_environment

AWAKE: Facts = {"kept_awake_by": "caffeinate"}


def test_a_calm_run_has_nothing_that_stands_out(given: Given) -> None:
    survey = probe(500, power_source="ac", power_mode="normal", thermal_pressure="nominal", cpu_busy_percent=3.0)
    calm = sample(20, swap=0, pressure_level=1, thermal_level=0)
    row = one(given([survey, request(memory=[calm])], **AWAKE, cooldown_s=12.5), "run_environment")
    assert row["reason"] is None
    told = ("thermal_worst", "pressure_worst", "power_source", "power_mode", "cooldown_s", "kept_awake_by")
    assert [row[name] for name in told] == ["nominal", "normal", "ac", "normal", 12.5, "caffeinate"]
    assert (row["hot_count"], row["pressured_count"], row["is_drifting"], row["swap_grown_gb"]) == (0, 0, False, 0)


def test_the_worst_pressure_is_named_whenever_it_was(given: Given) -> None:
    runs = [
        [
            idle(sample(1, thermal_level=heat, pressure_level=press)),
            request(memory=[sample(20, thermal_level=0, pressure_level=1)]),
        ]
        for heat, press in ((0, 1), (1, 2), (2, 4), (3, 1), (4, 1))
    ]
    rows = each(given, "run_environment", *runs)
    assert found(rows, "thermal_worst") == ["nominal", "moderate", "heavy", "trapping", "sleeping"]
    assert found(rows, "pressure_worst") == ["normal", "warn", "critical", "normal", "normal"]


def test_requests_under_pressure_are_counted(given: Given) -> None:
    hot, short = [sample(20, thermal_level=1)], [sample(21, pressure_level=2)]
    rows = [request("a", memory=hot), request("b", memory=hot), request("c", memory=short), request("d")]
    row = one(given(rows), "run_environment")
    assert (row["hot_count"], row["pressured_count"], row["request_count"]) == (2, 1, 4)


def test_free_memory_and_disk_are_those_of_the_first_and_the_last_survey(given: Given) -> None:
    surveys = [
        probe(cpu_busy_percent=1.0, free_memory_bytes=free * 1e9, disk_free_bytes=disk * 1e9)
        for free, disk in ((9, 4), (2, 8), (5, 6))
    ]
    row = one(given([*surveys, request()]), "run_environment")
    assert (row["free_memory_start_gb"], row["free_memory_end_gb"]) == (9, 5)
    assert (row["disk_free_start_gb"], row["disk_free_end_gb"]) == (4, 6)
    assert row["survey_count"] == 3


def test_of_several_surveys_the_busiest_counts_and_power_is_all_that_was_seen(given: Given) -> None:
    surveys = [
        probe(disk_free_bytes=1e12, gpu_busy_percent=gpu, cpu_busy_percent=cpu, power_source=power, power_mode=mode)
        for gpu, cpu, power, mode in ((1.0, 30.0, "battery", "low"), (7.0, 2.0, "ac", "low"), (3.0, 4.0, "ac", "high"))
    ]
    row = one(given([*surveys, request()]), "run_environment")
    assert (row["gpu_busy_percent_max"], row["cpu_busy_percent_max"]) == (7, 30)
    assert (row["power_source"], row["power_mode"]) == ("ac, battery", "high, low")


def test_a_run_without_a_survey_says_so_and_its_readings_are_unknown(given: Given) -> None:
    row = one(given([probe(500), request()]), "run_environment")
    assert row["reason"] == "no survey in this file"
    assert row["survey_count"] == 0
    unknown = ("thermal_worst", "pressure_worst", "power_source", "power_mode", "gpu_busy_percent_max")
    unknown += ("cpu_busy_percent_max", "free_memory_start_gb", "free_memory_end_gb", "disk_free_start_gb")
    unknown += ("disk_free_end_gb", "cooldown_s", "kept_awake_by", "drift_rho")
    assert {name: row[name] for name in unknown} == dict.fromkeys(unknown)


def test_a_run_without_memory_samples_does_not_say_that_swap_grew_by_nothing(given: Given) -> None:
    assert one(given([request()]), "run_environment")["swap_grown_gb"] is None


def test_swap_grows_from_the_first_sample_and_shrinking_is_no_growth(given: Given) -> None:
    runs = [
        [request(memory=[sample(20 + n, swap=size) for n, size in enumerate(sizes)])] for sizes in ((3, 4, 2), (5, 1))
    ]
    assert found(each(given, "run_environment", *runs), "swap_grown_gb") == [1, 0]


def test_an_unknown_thermal_pressure_has_its_reason(given: Given) -> None:
    survey = probe(power_mode=(None, "only macOS has power modes"), thermal_pressure=(None, "only macOS tells"))
    row = one(given([survey, request()], **AWAKE), "run_environment")
    assert row["reason"] == "thermal pressure: only macOS tells"


def test_a_run_that_nothing_kept_awake_says_so(given: Given) -> None:
    assert one(given([probe(power_source="ac"), request()]), "run_environment")["reason"] == (
        "nothing kept the machine awake"
    )


def test_drift_of_speed_over_the_run_is_said(given: Given) -> None:
    orders = [(60, 58, 56, 54, 52, 50), (60, 58, 60, 58, 60, 58)]
    runs = [[probe(power_source="ac"), *in_order(*order)] for order in orders]
    rows = each(given, "run_environment", *runs, **AWAKE)
    assert found(rows, "reason") == ["speed follows position in the run (rho -1.00)", None]
    assert found(rows, "is_drifting") == [True, False]


def test_a_run_that_measured_nothing_has_its_environment_all_the_same(given: Given) -> None:
    row = one(given([{**probe(power_source="ac"), "error_kind": "unfit"}]), "run_environment")
    assert (row["power_source"], row["hot_count"], row["pressured_count"], row["is_drifting"]) == ("ac", 0, 0, False)


def test_an_imported_file_has_no_environment(given: Given) -> None:
    assert given([{"server": "llama-bench"}, {"op": "bench", "bench_test": "tg128"}]).rows("from run_environment") == []
