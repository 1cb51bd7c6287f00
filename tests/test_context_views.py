"""How much of the context can be used: given requests of a ladder → rungs, limits and brackets, one test a rule."""

import html
from datetime import timedelta
from typing import Any

import pytest

from collector.backends import Facts
from site_src import build
from tests import rows
from tests.conftest import MS, STARTED, request
from tests.rows import GB, LINUX, Given, Row, one, sample, speeds


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return rows.sharing(given, monkeypatch)


def sent(rung: int, number: int = 1, hits: int = 3, **more: Any) -> Facts:
    """One prompt of a rung with three needles, of which the answer names so many."""
    return {
        **request(f"rung-{rung}-{number}", number, **{"prompt_tokens": rung, **more}),
        "op": "context",
        "context_rung": rung,
        "context_expected_tokens": rung,
        "needles": [{"depth": n / 4, "name": f"needle {n}", "number": "1", "found": n < hits} for n in range(3)],
        **more,
    }


def both(rung: int, hits: int = 6, **more: Any) -> list[Facts]:
    """Both prompts of a rung."""
    return [sent(rung, 1, min(hits, 3), **more), sent(rung, 2, max(hits - 3, 0), **more)]


def refused(rung: int, number: int = 1) -> Facts:
    """A prompt that the server did not take."""
    nothing = dict.fromkeys(["prompt_tokens", "completion_tokens", "first_text_ns", "last_text_ns", "output_text"])
    return sent(rung, number, 0, error_kind="context_overflow", chunks=[], **nothing)


def cut(rung: int, number: int = 1) -> Facts:
    """What is written where the budget does not allow a prompt: it was never sent."""
    return {"op": "context", "context_rung": rung, "repeat": number, "error_kind": "budget"}


def climbed(given: Given, view: str, *runs: list[Facts], **facts: Any) -> list[Row]:
    return given(*runs, suite="context", **facts).rows(f"from {view}")


def ladder(given: Given, *runs: list[Facts], **facts: Any) -> list[Row]:
    """The rungs of the one ladder, ascending."""
    return climbed(given, "context_ladder", *runs, **facts)


def usage(given: Given, *runs: list[Facts], **facts: Any) -> Row:
    """What the one ladder shows."""
    [row] = climbed(given, "context_utilization", *runs, **facts)
    return row


def found(seen: list[Row], *names: str) -> list[Any]:
    """These columns of each row; of one column just the values."""
    return [row[names[0]] if len(names) == 1 else tuple(row[name] for name in names) for row in seen]


# ---------------------------------------------------------------- stg_context: taken or not


def taken(given: Given, *requests: Facts) -> list[bool]:
    return [row["is_accepted"] is True for row in climbed(given, "stg_context order by op_index", list(requests))]


def counted(expected: int, *tokens: int | None) -> list[Facts]:
    return [sent(expected, n, prompt_tokens=count) for n, count in enumerate(tokens)]


def test_a_prompt_is_taken_if_the_server_counts_its_tokens_within_2_percent(given: Given) -> None:
    counts = counted(100_000, 97_999, 98_001, 100_000, 101_999, 102_001)
    assert taken(given, *counts) == [False, True, True, True, False]


def test_of_a_short_prompt_the_tokens_are_less_sure(given: Given) -> None:
    """3 over the root of 10,000 are 3 %; of 90,000 they would be 1 %, and 2 % hold."""
    assert taken(given, *counted(10_000, 9_699, 9_701, 10_299, 10_301)) == [False, True, True, False]


def test_of_a_long_prompt_the_tokens_are_no_surer_than_2_percent(given: Given) -> None:
    assert taken(given, *counted(90_000, 91_700)) == [True]


def test_a_prompt_that_failed_or_had_no_answer_or_no_count_is_not_taken(given: Given) -> None:
    prompts = [refused(4096), sent(4096, error_kind="timeout"), sent(4096, first_text_ns=None), cut(4096)]
    assert taken(given, *prompts, *counted(4096, None)) == [False] * 5


@pytest.mark.parametrize("kind", ["truncated_in_reasoning", "template_leak"])
def test_a_flawed_answer_still_proves_that_the_prompt_was_taken(given: Given, kind: str) -> None:
    assert taken(given, sent(4096, error_kind=kind)) == [True]


def test_needles_and_chunks_with_text_are_counted(given: Given) -> None:
    empty = {"gap_us": 1000, "kind": "other", "chars": 0}
    text = {"gap_us": 1000, "kind": "answer", "chars": 1}
    told = climbed(given, "stg_context", [sent(4096, hits=2, chunks=[empty, text, text, empty]), refused(8192)])
    assert found(told, "needle_count", "found_count", "chunk_count") == [(3, 2, 2), (3, 0, 0)]


def test_memory_of_a_prompt_is_the_highest_meanwhile(given: Given) -> None:
    moments = [sample(20 + n, 90 + size, pss=size) for n, size in enumerate([3, 5, 4])]
    [row] = climbed(given, "stg_context", [sent(4096, memory=moments)])
    assert (row["pss_bytes"], row["system_bytes"]) == (5 * GB, 95 * GB)


def test_only_requests_of_a_ladder_are_its_prompts(given: Given) -> None:
    assert climbed(given, "stg_context", [request(), {**sent(4096), "op": "warmup"}]) == []


def test_a_ladder_is_one_of_machine_server_endpoint_engine_model_quantization_and_context(given: Given) -> None:
    same = {
        "parallel": 4,
        "temperature": 0.0,
        "seed": 7,
        "suite_sha256": "x",
        "runtime_version": "9",
        "os_version": "9",
    }
    others = {
        "gpu_cores": 60,
        "server": "llama-server",
        "endpoint": "/api/v1/chat",
        "runtime": "mlx",
        "model_key": "qwen3-coder-next",
        "quantization": "Q8_0",
        "context_effective": 8192,
    }
    runs = [[{name: value}, sent(4096)] for name, value in {**same, **others}.items()]
    told = climbed(given, "context_utilization", [sent(4096)], *runs)
    assert sorted(found(told, "request_count")) == [1] * len(others) + [1 + len(same)]


# ---------------------------------------------------------------- context_ladder: what became of a rung

TOLD = ("verdict", "reason")


def test_a_rung_passes_with_five_of_six_needles(given: Given) -> None:
    rungs = ladder(given, [*both(4096, 6), *both(8192, 5), *both(16384, 4), *both(32768, 0)])
    assert found(rungs, *TOLD) == [
        ("pass", None),
        ("pass", None),
        ("fail", "4 of 6 needles found"),
        ("fail", "0 of 6 needles found"),
    ]
    assert found(rungs, "needle_count", "found_count") == [(6, 6), (6, 5), (6, 4), (6, 0)]


def test_over_several_runs_five_sixths_of_all_needles_are_needed(given: Given) -> None:
    first = [*both(4096, 6), *both(8192, 6)]
    rungs = ladder(given, first, [*both(4096, 4), *both(8192, 3)])
    assert found(rungs, "verdict", "reason", "request_count") == [
        ("pass", None, 4),
        ("fail", "9 of 12 needles found", 4),
    ]


def test_a_rung_of_one_prompt_is_incomplete_however_good_it_is(given: Given) -> None:
    [rung] = ladder(given, [sent(4096, hits=3)])
    assert found([rung], *TOLD) == [("incomplete", "only 1 of 2 prompts was sent")]


def test_a_rung_that_ends_in_an_error_was_refused_and_says_how(given: Given) -> None:
    rungs = ladder(given, [refused(4096), sent(8192), refused(8192, 2)])
    assert found(rungs, *TOLD) == [("refused", "context_overflow")] * 2
    assert found(rungs, "request_count", "accepted_count", "needle_count", "found_count") == [
        (1, 0, 0, 0),
        (2, 1, 3, 3),
    ]


def test_a_prompt_that_was_cut_silently_was_refused_however_good_the_answer(given: Given) -> None:
    [rung] = ladder(given, [sent(65536), sent(65536, 2, prompt_tokens=16387)])
    assert found([rung], *TOLD) == [("refused", "16387 tokens counted, 65536 sent")]
    assert (rung["needle_count"], rung["found_count"], rung["accepted_tokens"]) == (3, 3, 65536)


def test_a_prompt_that_was_cut_silently_is_that_whatever_is_flawed_in_the_answer(given: Given) -> None:
    [rung] = ladder(given, [sent(65536, prompt_tokens=16387, error_kind="template_leak")])
    assert found([rung], *TOLD) == [("refused", "16387 tokens counted, 65536 sent")]


def test_a_prompt_whose_tokens_nobody_counted_was_refused_and_that_is_said(given: Given) -> None:
    [rung] = ladder(given, counted(4096, None))
    assert rung["verdict"] == "refused"
    assert rung["reason"] is not None


def test_the_flaw_of_an_answer_is_not_named_as_a_refusal(given: Given) -> None:
    [rung] = ladder(given, [sent(8192, error_kind="truncated_in_reasoning"), refused(8192, 2)])
    assert found([rung], *TOLD) == [("refused", "context_overflow")]


def test_a_rung_that_was_refused_twice_says_once_how(given: Given) -> None:
    [rung] = ladder(given, [refused(4096), refused(4096, 2)])
    assert found([rung], *TOLD) == [("refused", "context_overflow")]


def test_above_the_effective_context_a_refusal_is_the_limit(given: Given) -> None:
    rungs = ladder(given, [refused(131072), refused(131073), sent(139264, prompt_tokens=131000)])
    assert found(rungs, "verdict", "is_beyond") == [("refused", False), ("limit", True), ("limit", True)]
    assert found(rungs, "reason")[1:] == ["context_overflow", "131000 tokens counted, 139264 sent"]


def test_above_the_effective_context_a_prompt_that_is_taken_is_no_limit(given: Given) -> None:
    [rung] = ladder(given, [sent(139264)])
    assert (rung["verdict"], rung["is_beyond"], rung["accepted_count"]) == ("incomplete", True, 1)


def test_where_the_context_is_not_known_nothing_lies_beyond_it(given: Given) -> None:
    [rung] = ladder(given, [refused(10**6)], context_effective=None)
    assert (rung["verdict"], rung["is_beyond"]) == ("refused", False)


def test_a_rung_that_the_budget_ended_is_cut_beyond_the_context_too(given: Given) -> None:
    rungs = ladder(given, [sent(4096), cut(4096, 2), cut(8192), cut(139264)])
    assert found(rungs, *TOLD) == [("cut", "budget")] * 3


def test_a_refusal_is_one_whatever_else_the_budget_ended(given: Given) -> None:
    [rung] = ladder(given, [refused(4096), cut(4096, 2)])
    assert rung["verdict"] == "refused"


def test_a_rung_that_was_cut_and_climbed_by_a_later_run_passes(given: Given) -> None:
    """That is what `collect context` is resumed for."""
    rungs = ladder(given, [*both(4096), cut(8192)], [*both(8192)])
    assert found(rungs, *TOLD) == [("pass", None), ("pass", None)]


@pytest.mark.parametrize("kind", ["budget", "interrupted", "transport", "stream_cut", "timeout", "connect"])
def test_what_person_or_network_ended_and_a_later_run_answered_is_no_part_of_a_rung(given: Given, kind: str) -> None:
    [rung] = ladder(given, [sent(8192), sent(8192, 2, hits=0, error_kind=kind)], both(8192))
    assert found([rung], "verdict", "reason", "request_count") == [("pass", None, 3)]


def test_what_the_server_refused_stays_refused_whatever_a_later_run_was_answered(given: Given) -> None:
    [rung] = ladder(given, [sent(8192), refused(8192, 2)], both(8192))
    assert found([rung], "verdict", "reason", "request_count") == [("refused", "context_overflow", 4)]


def test_an_answer_to_one_prompt_does_not_make_up_for_the_other_nor_for_another_rung(given: Given) -> None:
    first = [sent(4096), sent(4096, 2), sent(8192), sent(8192, 2, error_kind="timeout")]
    rungs = ladder(given, first, [sent(8192)])
    assert found(rungs, *TOLD) == [("pass", None), ("refused", "timeout")]


def test_a_rung_that_a_person_ended_is_cut(given: Given) -> None:
    [rung] = ladder(given, [sent(4096), sent(4096, 2, hits=0, error_kind="interrupted")])
    assert found([rung], *TOLD) == [("cut", "interrupted")]


def test_a_prompt_that_the_budget_kept_back_was_not_sent(given: Given) -> None:
    [rung] = ladder(given, [sent(8192), cut(8192, 2)])
    assert rung["request_count"] == 1


def test_the_share_found_has_wilsons_interval(given: Given) -> None:
    """5 of 6, by scipy.stats.binomtest(5, 6).proportion_ci(method="wilson")."""
    rungs = ladder(given, [*both(4096, 5), refused(8192)])
    assert found(rungs, "found_share_low")[0] == pytest.approx(0.43650, abs=1e-5)
    assert found(rungs, "found_share_high")[0] == pytest.approx(0.96995, abs=1e-5)
    assert found(rungs, "found_share_low", "found_share_high")[1] == (None, None)


# ---------------------------------------------------------------- context_ladder: figures


def test_a_rungs_times_are_medians_of_the_prompts_taken(given: Given) -> None:
    slow = sent(4096, 9, error_kind="timeout", first_text_ns=90_000 * MS, last_text_ns=900_000 * MS)
    times = [(400, 2400), (500, 3000), (1600, 6600)]  # ms to the first text and to the last
    [rung] = ladder(given, [*(sent(4096, first_text_ns=a * MS, last_text_ns=b * MS) for a, b in times), slow])
    assert rung["ttft_ms"] == 500
    assert rung["prefill_tps"] == pytest.approx(4096 / 0.5)
    assert rung["decode_tps"] == pytest.approx(100 / 2.5)


def test_a_rungs_length_is_the_median_by_the_server_and_the_longest_taken(given: Given) -> None:
    [rung] = ladder(given, [*counted(4096, 4090, 4110, 100)])
    assert (rung["prompt_tokens"], rung["accepted_tokens"]) == (4090, 4110)


def test_prefill_is_cold_which_up_to_16_cached_tokens_are(given: Given) -> None:
    caches = [(4096, 16), (8192, 17), (16384, None)]
    rungs = ladder(given, [sent(n, cached_tokens=cached, first_text_ns=1000 * MS) for n, cached in caches])
    assert found(rungs, "prefill_tps") == [4080, None, 16384]
    assert found(rungs, "ttft_ms") == [1000] * 3


def test_decode_takes_32_tokens_and_8_chunks(given: Given) -> None:
    eight, seven = (
        {"chunks": [{"gap_us": 100_000, "kind": "answer", "chars": 4}] * n, "completion_tokens": 32} for n in (8, 7)
    )
    lengths = [(4096, request(tokens=32)), (8192, request(tokens=31)), (16384, eight), (32768, seven)]
    names = ("chunks", "completion_tokens", "first_text_ns", "last_text_ns")
    rungs = ladder(given, [sent(n, **{name: row[name] for name in names if name in row}) for n, row in lengths])
    assert [tps is None for tps in found(rungs, "decode_tps")] == [False, True, False, True]
    assert rungs[0]["decode_tps"] == pytest.approx(50)


def test_decode_does_not_count_the_tokens_that_came_in_the_first_chunk(given: Given) -> None:
    """As in request_speed: 100 tokens, 4 to a chunk, every 80 ms are 50 tokens/s."""
    gaps = [200] + [80] * 24
    empty = {"gap_us": 0, "kind": "other", "chars": 0}
    chunks = [empty, *({"gap_us": ms * 1000, "kind": "answer", "chars": 16} for ms in gaps)]
    [rung] = ladder(given, [sent(4096, chunks=chunks, completion_tokens=100, last_text_ns=sum(gaps) * MS)])
    assert rung["decode_tps"] == pytest.approx(50)


def test_memory_of_a_rung_is_the_highest_of_the_engine_on_linux_and_of_the_machine_on_macos(given: Given) -> None:
    prompts = [sent(4096, n, memory=[sample(20, 90 + n, pss=2 + n)]) for n in (1, 2)]
    rungs = ladder(given, [LINUX, *prompts], [{"gpu_cores": 60}, *prompts])
    assert sorted(found(rungs, "memory_gb")) == [4, 92]


def test_memory_of_the_machine_does_not_stand_in_for_an_engine_that_was_not_read_meanwhile(given: Given) -> None:
    """The sampler reads PSS only when memory has moved, so a prompt may have none."""
    prompts = [sent(4096, 1, memory=[sample(20, 90, pss=3)]), sent(4096, 2, memory=[sample(30, 90)])]
    assert found(ladder(given, prompts, **LINUX), "memory_gb") == [3]


def test_unknown_figures_of_a_rung_are_null(given: Given) -> None:
    [rung] = ladder(given, [refused(4096)])
    figures = ("prompt_tokens", "accepted_tokens", "ttft_ms", "prefill_tps", "decode_tps", "memory_gb")
    assert {name: rung[name] for name in figures} == dict.fromkeys(figures)


# ---------------------------------------------------------------- context_utilization: the bracket

BRACKET = ("context_usable", "context_usable_below")


def bracket(given: Given, *runs: list[Facts]) -> tuple[Any, Any]:
    row = usage(given, *runs)
    return row["context_usable"], row["context_usable_below"]


def test_usable_is_the_largest_rung_that_passed_below_the_first_that_failed(given: Given) -> None:
    rungs = [*both(4096), *both(16384), *both(32768, 4), *both(65536, 3)]
    assert bracket(given, rungs) == (16384, 32768)


def test_a_pass_above_a_failure_does_not_count(given: Given) -> None:
    assert bracket(given, [*both(4096), *both(16384, 3), *both(32768), *both(65536, 3)]) == (4096, 16384)


def test_a_refused_rung_ends_what_is_usable(given: Given) -> None:
    assert bracket(given, [*both(4096), refused(16384), *both(32768)]) == (4096, 16384)


def test_a_pass_above_a_rung_that_is_incomplete_does_not_count(given: Given) -> None:
    """Usable is the largest rung that passed with all smaller ones, and this one has not."""
    assert bracket(given, [*both(4096), sent(16384), *both(32768)])[0] == 4096


def test_the_limit_is_an_end_of_the_bracket_but_no_failure(given: Given) -> None:
    row = usage(given, [*both(4096), *both(129024), refused(139264)])
    assert [row[name] for name in (*BRACKET, "is_limit_seen", "reason")] == [129024, 139264, True, None]


def test_a_bracket_narrowed_between_two_rungs_counts(given: Given) -> None:
    assert bracket(given, [*both(4096), *both(32768, 2), *both(18432), *both(25600, 4)]) == (18432, 25600)


def test_without_a_failure_the_limit_lies_higher(given: Given) -> None:
    row = usage(given, [*both(4096), *both(16384)])
    assert [row[name] for name in (*BRACKET, "is_limit_seen")] == [16384, None, False]
    assert row["reason"] == "no rung failed: the limit lies higher"


def test_if_not_even_the_smallest_rung_passed_nothing_is_usable(given: Given) -> None:
    row = usage(given, [*both(4096, 3)])
    assert [row[name] for name in (*BRACKET, "context_utilization")] == [0, 4096, 0]
    assert row["reason"] == "not even the smallest rung passed"


@pytest.mark.parametrize("rungs", [[cut(4096)], [sent(4096)]], ids=["cut", "incomplete"])
def test_if_no_rung_was_decided_what_is_usable_is_unknown(given: Given, rungs: list[Facts]) -> None:
    row = usage(given, rungs)
    assert [row[name] for name in (*BRACKET, "context_utilization")] == [None] * 3
    assert "not even the smallest rung passed" not in row["reason"]


def test_a_ladder_that_the_budget_ended_says_so(given: Given) -> None:
    row = usage(given, [*both(4096), cut(16384)])
    assert row["context_usable"] == 4096
    assert row["reason"] == "the budget ended before the ladder did; no rung failed: the limit lies higher"


def test_a_ladder_that_a_person_ended_was_not_ended_by_the_budget(given: Given) -> None:
    row = usage(given, [*both(4096), sent(16384, error_kind="interrupted")])
    assert row["reason"] == "the ladder was interrupted; no rung failed: the limit lies higher"


def test_a_ladder_that_a_later_run_finished_was_not_ended_by_the_budget(given: Given) -> None:
    row = usage(given, [*both(4096), cut(16384)], [*both(16384), refused(139264)])
    assert [row[name] for name in (*BRACKET, "reason")] == [16384, 139264, None]


def test_a_rung_that_was_cut_is_no_end_of_the_bracket(given: Given) -> None:
    assert bracket(given, [*both(4096), cut(16384), refused(139264)]) == (4096, 139264)


# ---------------------------------------------------------------- context_utilization: of what, and what it cost


def test_utilization_is_usable_over_advertised_which_models_csv_knows(given: Given) -> None:
    row = usage(given, [*both(98304), *both(129024, 2)], context_advertised=99)
    assert (row["context_advertised"], row["context_utilization"]) == (196608, 0.5)


def test_where_models_csv_does_not_know_it_the_servers_word_is_taken(given: Given) -> None:
    """The largest that it said."""
    runs = [[{"context_advertised": size}, *both(4096), *both(16384, 2)] for size in (32768, 40960, None)]
    row = usage(given, *runs, model_key="a/strange-model")
    assert (row["context_advertised"], row["context_utilization"], row["kv_bytes_per_token"]) == (40960, 0.1, None)
    assert row["reason"] is None


def test_of_an_advertised_length_of_zero_there_is_no_share(given: Given) -> None:
    row = usage(given, both(4096), model_key="a/strange-model", context_advertised=0)
    assert (row["context_usable"], row["context_utilization"]) == (4096, None)


def test_where_nobody_knows_the_advertised_length_there_is_no_utilization_and_that_is_said(given: Given) -> None:
    row = usage(given, [*both(4096), *both(16384, 2)], model_key="a/strange-model")
    assert (row["context_usable"], row["context_utilization"]) == (4096, None)
    assert row["reason"] == "the advertised length is not known"


def test_accepted_is_the_longest_prompt_taken_whether_its_needles_were_found_or_not(given: Given) -> None:
    longest = sent(32768, 2, hits=0, prompt_tokens=32800)
    row = usage(given, [*both(4096), sent(32768, hits=0), longest, sent(65536, prompt_tokens=40000)])
    assert (row["context_usable"], row["context_accepted"]) == (4096, 32800)


def test_a_ladder_that_took_nothing_has_no_longest_prompt(given: Given) -> None:
    row = usage(given, [refused(4096)])
    unknown = ("context_accepted", "deepest_ttft_ms", "deepest_decode_tps", "memory_bytes_per_token", "found_share_low")
    assert {name: row[name] for name in unknown} == dict.fromkeys(unknown)


def test_rungs_beyond_the_context_are_not_counted_as_rungs(given: Given) -> None:
    row = usage(given, [*both(4096), *both(16384), refused(139264)])
    assert (row["rung_count"], row["request_count"]) == (2, 5)


def test_the_share_found_is_that_of_the_largest_rung_that_passed(given: Given) -> None:
    row = usage(given, [*both(4096, 6), *both(16384, 5), *both(32768, 1)])
    assert (row["found_share_low"], row["found_share_high"]) == pytest.approx((0.43650, 0.96995), abs=1e-5)


def test_the_deepest_figures_are_those_of_the_deepest_rung_that_has_them(given: Given) -> None:
    shallow, deep = sent(4096, first_text_ns=100 * MS), sent(8192, first_text_ns=700 * MS)
    deepest = sent(16384, hits=0, first_text_ns=900 * MS, completion_tokens=8)
    row = usage(given, [shallow, deep, deepest, refused(32768)])
    assert row["deepest_ttft_ms"] == 900
    assert row["deepest_decode_tps"] == pytest.approx(100 / 1.5, rel=1e-6)  # from 0.7 s to 2.2 s


def test_memory_grows_with_depth_by_least_squares_over_the_rungs_taken(given: Given) -> None:
    depths = [4096, 16384, 32768]
    rungs = [sent(n, memory=[sample(20, 100 + n * 250_000 / 1e9)]) for n in depths]
    refusal = {**sent(65536, prompt_tokens=50), "memory": [sample(20, 900)]}
    row = usage(given, [*rungs, refusal])
    assert row["memory_bytes_per_token"] == pytest.approx(250_000, rel=1e-6)
    assert row["kv_bytes_per_token"] == 253_952


def test_one_rung_shows_no_growth_rather_than_none(given: Given) -> None:
    assert usage(given, [sent(4096, memory=[sample(20, 100)])])["memory_bytes_per_token"] is None


def test_several_runs_are_one_ladder_which_is_as_late_as_the_latest(given: Given) -> None:
    runs = [both(4096), both(16384, 4)]
    row = usage(given, [{"context_requested": 100_000}, *runs[0]], [{"context_requested": 131_072}, *runs[1]])
    assert [row[name] for name in (*BRACKET, "request_count", "context_requested")] == [4096, 16384, 4, 131_072]
    assert row["latest_run_at"] == STARTED + timedelta(minutes=1)


def test_runs_of_speed_are_no_ladders(given: Given) -> None:
    """Although they share the ladder's id."""
    speed = [{"suite": "standard", "context_requested": 999_999}, *speeds("short", 50)]
    row = one(given([{"suite": "context"}, *both(4096)], speed), "context_utilization")
    assert (row["latest_run_at"], row["context_requested"], row["request_count"]) == (STARTED, None, 2)


def test_a_model_of_several_names_has_one_ladder(given: Given) -> None:
    assert usage(given, both(4096), model_key="qwen3-coder-next")["kv_bytes_per_token"] == 24576


def test_a_ladder_of_another_context_is_another_ladder(given: Given) -> None:
    told = climbed(given, "context_utilization", both(4096), [{"context_effective": 8192}, *both(4096)])
    assert sorted(found(told, "context_effective")) == [8192, 131072]


def test_ladders_are_named_after_their_configuration(given: Given) -> None:
    row = usage(given, both(4096))
    assert (row["model"], row["runtime"], row["quantization"]) == ("MiniMax-M2.1", "llama.cpp", "Q4_K_M")
    assert (row["label"], row["machine"]) == ("MiniMax-M2.1 Q4_K_M · llama.cpp", "apple-m3-ultra-80gpu-512gb")


# ---------------------------------------------------------------- context_by_depth, context_overview


def test_the_charts_have_a_row_for_each_figure_that_is_known_of_a_prompt_that_was_taken(given: Given) -> None:
    whole = sent(4096, prompt_tokens=4100, first_text_ns=200 * MS, memory=[sample(20, 150)])
    refusal = {**refused(8192), "memory": [sample(30, 160)]}
    told = climbed(given, "context_by_depth", [whole, refusal, cut(16384)])
    assert found(told, "figure", "depth", "figure_value", "verdict") == [
        ("TTFT", 4100, 0.2, "incomplete"),
        ("decode", 4100, pytest.approx(50), "incomplete"),
        ("memory", 4100, 150, "incomplete"),
        ("needles found", 4100, 1, "incomplete"),
    ]
    assert set(found(told, "machine", "runtime", "bits")) == {("apple-m3-ultra-80gpu-512gb", "llama.cpp", 4)}


def test_a_speed_by_depth_has_the_range_of_its_prompts_and_needles_their_interval(given: Given) -> None:
    prompts = [sent(4096, 1, first_text_ns=200 * MS), sent(4096, 2, 2, first_text_ns=400 * MS)]
    told = {row["figure"]: row for row in climbed(given, "context_by_depth", prompts)}
    assert found([told["TTFT"]], "figure_value", "figure_min", "figure_max") == [(0.3, 0.2, 0.4)]
    needles = told["needles found"]
    assert (needles["found_count"], needles["needle_count"], needles["figure_value"]) == (5, 6, pytest.approx(5 / 6))
    assert (needles["figure_min"], needles["figure_max"]) == pytest.approx((0.4365, 0.9699), abs=1e-4)


def test_the_overview_of_nothing_is_one_row_of_no_machine(given: Given) -> None:
    row = one(given(), "context_overview")
    known = {name: value for name, value in row.items() if value}
    assert (known, row["ladder_count"], row["is_plan"]) == ({}, 0, False)


def test_the_overview_is_of_each_machine_by_itself(given: Given) -> None:
    runs = [[{"gpu_cores": 60}, *both(4096)], [{"gpu_cores": 40}, *both(16384)]]
    told = climbed(given, "context_overview", *runs)
    assert sorted(found(told, "best_usable", "ladder_count")) == [(4096, 1), (16384, 1)]
    assert all("gpu-512gb" in name for name in found(told, "machine"))


def test_the_page_says_how_much_was_usable_and_answers_question_six(given: Given) -> None:
    runs = [
        [*both(4096), *both(65536), *both(131072, 1)],
        [{"model_key": "unsloth/qwen3-coder-next@q4_k_m"}, *both(4096), *both(131072)],
    ]
    words = html.unescape(build.page(given(*runs, suite="context"), "context.md", set()))
    squeezed = " ".join(words.split())
    assert "**Up to 131,072 tokens were usable** of 256,000 advertised, with Qwen3-Coder-Next Q4_K_M" in squeezed
    assert "**Is 256 K of more use than 196 K?** Qwen3-Coder-Next usable to greater length" in squeezed


def test_the_page_of_a_lower_ladder_says_less(given: Given) -> None:
    words = html.unescape(
        build.page(given([*both(4096), *both(65536), *both(131072, 1)], suite="context"), "context.md", set())
    )
    assert "**Up to 65,536 tokens were usable** of 196,608 advertised" in " ".join(words.split())


def test_the_page_of_no_ladder_says_how_to_climb_one_and_draws_nothing(given: Given) -> None:
    words = build.page(given(), "context.md", set())
    assert "**Not measured yet.** `collect context` climbs a ladder" in words
    assert "<svg" not in words


def test_the_overview_names_the_longest_context_used_and_the_longest_taken(given: Given) -> None:
    runs = [
        [{"quantization": "Q4_0"}, *both(4096), *both(65536, 1)],
        [{"quantization": "Q6_K"}, *both(16384)],
        [{"quantization": "Q8_0"}, *both(8192)],
    ]
    [row] = climbed(given, "context_overview", *runs)
    assert (row["ladder_count"], row["best_usable"], row["best_accepted"]) == (3, 16384, 65536)
    assert row["best_label"] == "MiniMax-M2.1 Q6_K · llama.cpp"
    assert row["best_accepted_label"] == "MiniMax-M2.1 Q4_0 · llama.cpp"
