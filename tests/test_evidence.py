"""What is counted must have been seen: streams as servers and proxies send them, and what the views say of each.

True values unless said otherwise: 50 tokens/s, the first token after 150 ms, one token a chunk.
"""

from itertools import accumulate
from typing import Any

import pytest

from collector.backends import Facts
from scripts.benches import evidence
from scripts.benches._misfortunes import KINDS
from tests import rows
from tests.conftest import request
from tests.reduced import EVIDENCE
from tests.rows import Given, Row, one, probe

WORDS = (
    *("the", "lamp", "turned", "slowly", "over", "black", "water", "and", "the", "keeper", "wrote", "his", "log", "by"),
    *("its", "light", "at", "night"),
)
FIRST, GAP = 150.0, 20.0
Event = tuple[float, str, str]  # ms since sending, kind, text


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return rows.sharing(given, monkeypatch)


def word(number: int) -> str:
    return WORDS[number % len(WORDS)] + " "


def events(count: int, per_chunk: int = 1, first: float = FIRST) -> list[Event]:
    """So many tokens, each a word, in chunks that leave when their last token is made."""
    made = range(0, count, per_chunk)
    ends = [min(start + per_chunk, count) for start in made]
    return [
        (first + GAP * (end - 1), "answer", "".join(map(word, range(start, end))))
        for start, end in zip(made, ends, strict=True)
    ]


def bundled(stream: list[Event], size: int, first: int = 0, apart_ms: float = 0.0) -> list[Event]:
    """The same handed over so many at a time, when the last of them was made; `first`: so many before, one by one."""
    last = len(stream) - 1
    ends = [n if n < first else min(first + (n - first) // size * size + size - 1, last) for n in range(len(stream))]
    return [(stream[end][0] + apart_ms * (n % size), *stream[n][1:]) for n, end in enumerate(ends)]


def seen(stream: list[Event], tokens: int | None, **more: Any) -> Facts:
    """The row of a request that was answered so."""
    times = [round(at * 1000) for at, _, _ in stream]
    gaps = [at - before for at, before in zip(times, [0, *times], strict=False)]
    texts = [(at, kind) for at, (_, kind, text) in zip(times, stream, strict=True) if text and kind != "other"]
    answers = [at for at, kind in texts if kind == "answer"]
    thought = "".join(text for _, kind, text in stream if kind == "reasoning")
    return {
        **request(tokens=8),
        "completion_tokens": tokens,
        "first_event_ns": times[0] * 1000,
        "first_text_ns": texts[0][0] * 1000,
        "first_answer_ns": answers[0] * 1000 if answers else None,
        "last_text_ns": texts[-1][0] * 1000,
        "done_ns": times[-1] * 1000,
        "elapsed_ns": times[-1] * 1000,
        "chunks": [
            {"gap_us": gap, "kind": kind, "chars": len(text)} for gap, (_, kind, text) in zip(gaps, stream, strict=True)
        ],
        "output_text": "".join(text for _, kind, text in stream if kind == "answer"),
        "reasoning_text": thought or None,
        **more,
    }


def told(given: Given, stream: list[Event], tokens: int | None, **more: Any) -> Row:
    """What is said of one request."""
    return one(given([seen(stream, tokens, **more)]), "request_speed")


def figures(row: Row) -> list[Any]:
    return [row[name] for name in ("decode_tps", "ttft_ms", "e2e_tps")]


UNSEEN = "more tokens were counted than came as text"
BURSTS = "the text came in bursts"
BURST = "the first text came in a burst"
HIDDEN = "the reasoning was counted and did not come"


def test_a_faultless_stream_has_every_figure_and_no_word(given: Given) -> None:
    row = told(given, events(64), 64)
    assert figures(row) == [pytest.approx(50), FIRST, pytest.approx(64 / 1.41)]
    assert [row[name] for name in ("decode_reason", "ttft_reason", "note", "decode_count_error")] == [
        None,
        None,
        None,
        0,
    ]


# ---------------------------------------------------------------- A: tokens without a time


@pytest.mark.parametrize(("hidden", "all_of_them"), [(42, 64), (20, 64), (64, 96)])
def test_reasoning_that_is_told_and_not_streamed_leaves_the_rate_of_what_came(
    given: Given, hidden: int, all_of_them: int
) -> None:
    row = told(given, events(all_of_them)[hidden:], all_of_them, reasoning_tokens=hidden)
    assert figures(row) == [pytest.approx(50), None, pytest.approx(all_of_them / (0.130 + 0.020 * all_of_them))]
    assert (row["decode_reason"], row["ttft_reason"]) == (None, HIDDEN)
    assert row["ttfa_ms"] == pytest.approx(FIRST + GAP * hidden)  # the answer did begin then


@pytest.mark.parametrize("hidden", [10, 32, 42, 48])
def test_tokens_that_came_as_no_text_leave_no_figure(given: Given, hidden: int) -> None:
    """A third of all tokens look like chunks of three each; three words of text are not three times three tokens."""
    row = told(given, events(64)[hidden:], 64)
    assert figures(row) == [None] * 3
    assert (row["decode_reason"], row["ttft_reason"]) == (UNSEEN, UNSEEN)


def test_text_under_a_key_that_was_not_known_when_it_was_stored_leaves_no_figure(given: Given) -> None:
    stream = [
        (at, "other" if n < 42 else kind, "" if n < 42 else text) for n, (at, kind, text) in enumerate(events(64))
    ]
    assert figures(told(given, stream, 64)) == [None] * 3


def test_text_of_another_kind_takes_its_time(given: Given) -> None:
    """Wherever it stands: the offsets of reasoning and answer do not know of it."""
    requests = [
        seen([(at, "other" if n in others else kind, text) for n, (at, kind, text) in enumerate(events(64))], 64)
        for others in (range(42), range(16, 64), range(20, 30), range(63))
    ]
    for row in given(requests).rows("from request_speed"):
        assert figures(row)[:2] == [pytest.approx(50), FIRST]


def test_a_call_of_a_tool_that_did_not_come_leaves_no_rate(given: Given) -> None:
    row = told(given, [*events(16), (1410, "other", "")], 64, finish_reason="tool_calls")
    assert figures(row) == [None] * 3
    assert row["decode_reason"] == UNSEEN


def test_a_character_of_several_tokens_takes_their_time(given: Given) -> None:
    """Held back until it is whole: the gap is as long as they took, and no token is missing."""
    stream = [event for n, event in enumerate(events(64)) if n % 8 not in (3, 4)]
    row = told(given, stream, 64)
    assert row["decode_tps"] == pytest.approx(50, rel=0.01)
    assert row["note"] is None


def test_what_was_held_back_longer_than_a_character_is_not_known(given: Given) -> None:
    """Twenty tokens in one gap: a thought, or a pause beside a count that is too high."""
    stream = [event for n, event in enumerate(events(64)) if not 20 <= n < 40]
    assert told(given, stream, 64)["decode_reason"] == UNSEEN


def test_a_text_of_fewer_bytes_than_tokens_is_not_all_of_it(given: Given) -> None:
    stream = [(at, kind, "x") for at, kind, _ in events(8)]
    assert told(given, stream, 32)["decode_reason"] == UNSEEN


@pytest.mark.parametrize(("reported", "reason"), [(49.0, None), (None, UNSEEN), (400.0, UNSEEN)])
def test_the_servers_own_rate_bears_out_tokens_that_chunks_do_not_show(
    given: Given, reported: float | None, reason: str | None
) -> None:
    """Drafts of uneven length, one chunk a step: the steps are even."""
    sizes = [1, *[2, 1, 4, 1, 3, 1] * 4]
    ends = list(accumulate(sizes))
    stream = [(FIRST + 45 * n, "answer", "xy" * size) for n, size in enumerate(sizes)]
    rate = (ends[-1] - 1) / (0.045 * (len(sizes) - 1))
    row = told(given, stream, ends[-1], reported_decode_tps=reported and rate * reported / 49.0)
    assert row["decode_reason"] == reason


@pytest.mark.parametrize("factor", [2, 3, 1.5])
def test_more_tokens_than_the_text_has_room_for_leave_no_rate(given: Given, factor: float) -> None:
    """As where two choices were counted and one came."""
    assert told(given, events(96), round(96 * factor), max_tokens=4096)["decode_reason"] == UNSEEN


def test_thinking_that_came_is_text_like_any_other(given: Given) -> None:
    stream = [(at, "reasoning" if n < 40 else kind, text) for n, (at, kind, text) in enumerate(events(64))]
    row = told(given, stream, 66, reasoning_tokens=41)  # its marks are tokens too
    assert row["decode_tps"] == pytest.approx(50, rel=0.04)
    assert row["ttft_ms"] == FIRST


# ---------------------------------------------------------------- B: arrivals


@pytest.mark.parametrize(("count", "size"), [(64, 24), (96, 24), (32, 16), (64, 64), (96, 16)])
def test_a_few_bursts_tell_no_rate(given: Given, count: int, size: int) -> None:
    row = told(given, bundled(events(count), size), count)
    at_once = size == count
    assert figures(row)[:2] == [None, None]
    assert row["decode_reason"] == ("all text arrived at once" if at_once else BURSTS)
    assert row["ttft_reason"] == ("all text arrived at once" if at_once else BURST)
    assert row["note"] == BURSTS
    assert row["e2e_tps"] == pytest.approx(count / (0.130 + 0.020 * count))


@pytest.mark.parametrize("apart_ms", [0, 0.015, 0.04])
def test_eight_bursts_tell_the_rate_and_that_they_were_bursts(given: Given, apart_ms: float) -> None:
    row = told(given, bundled(events(200), 24, apart_ms=apart_ms), 200)
    assert row["decode_tps"] == pytest.approx(50, rel=0.01)
    assert row["decode_count_error"] == pytest.approx(1 / 176)
    assert (row["ttft_ms"], row["ttft_reason"], row["note"]) == (None, BURST, BURSTS)


def test_a_last_burst_that_waited_for_a_clock_tells_no_rate(given: Given) -> None:
    stream = bundled(events(162), 16)
    late = [(at + 280 if n >= 160 else at, *rest) for n, (at, *rest) in enumerate(stream)]
    rows = given([seen(stream, 162), seen(late, 162)]).rows("from request_speed order by op_index")  # type: ignore[arg-type]
    assert [row["decode_tps"] for row in rows] == [pytest.approx(50), None]
    assert [row["decode_reason"] for row in rows] == [None, BURSTS]


@pytest.mark.parametrize(("count", "size"), [(64, 24), (200, 24)])
def test_bursts_accuse_no_clock(given: Given, count: int, size: int) -> None:
    warehouse = given([seen(bundled(events(count), size), count, reported_decode_tps=50.0)])
    assert one(warehouse, "request_flags")["exclusion"] is None


def test_bursts_beside_another_rate_of_the_server_are_the_reason(given: Given) -> None:
    warehouse = given([seen(bundled(events(200), 24), 200, reported_decode_tps=60.0)])
    assert one(warehouse, "request_speed")["decode_reason"] == BURSTS
    assert one(warehouse, "request_flags")["exclusion"] is None


@pytest.mark.parametrize("count", [64, 96])
def test_speculation_sends_the_first_token_alone_and_keeps_its_figures(given: Given, count: int) -> None:
    stream = bundled(events(count), 8, first=1)
    row = told(given, stream, count)
    assert figures(row)[:2] == [pytest.approx(50), FIRST]


def test_all_that_comes_first_is_free(given: Given) -> None:
    """Three chunks in the first read: what they took is not in the time between first and last text."""
    stream = bundled(events(3), 3) + events(64)[3:]
    row = told(given, stream, 64)
    assert row["decode_tps"] == pytest.approx(50)
    assert (row["ttft_ms"], row["ttft_reason"]) == (None, BURST)


@pytest.mark.parametrize(("count", "per_chunk"), [(64, 4), (64, 8), (63, 4), (65, 2), (96, 5), (200, 7)])
def test_several_tokens_a_chunk_are_counted_by_chunks_not_by_the_length_of_words(
    given: Given, count: int, per_chunk: int
) -> None:
    row = told(given, events(count, per_chunk), count)
    assert row["decode_tps"] == pytest.approx(50, rel=0.002)
    assert 0.002 < row["decode_count_error"] < 0.15
    assert (row["note"], row["ttft_reason"]) == (None, None)


def test_chunks_of_changing_length_are_told_by_their_times_and_characters(given: Given) -> None:
    sizes = [5, 1, 3, 8, 2, 2, 6, 1, 4, 7, 3, 1, 5, 2, 8, 6]
    ends = list(accumulate(sizes))
    stream = [
        (FIRST + GAP * (end - 1), "answer", "".join(map(word, range(end - size, end))))
        for size, end in zip(sizes, ends, strict=True)
    ]
    row = told(given, stream, ends[-1])
    assert abs(row["decode_tps"] / 50 - 1) <= row["decode_count_error"] < 0.1


def test_a_draft_a_chunk_after_the_first_token_alone(given: Given) -> None:
    stream = [events(1)[0]] + [(at + GAP, kind, text) for at, kind, text in events(64, 8)]
    assert told(given, stream, 65)["decode_tps"] == pytest.approx(50, rel=0.005)


def test_gaps_within_bursts_are_no_gaps_of_tokens(given: Given) -> None:
    row = one(given([seen(bundled(events(300), 8), 300)]), "request_gaps")
    assert (row["gap_reason"], row["gap_ms_p50"]) == (BURSTS, None)


# ---------------------------------------------------------------- D: counts


@pytest.mark.parametrize("prompt", [0, 40])
def test_zero_beside_text_is_no_count(given: Given, prompt: int) -> None:
    row = told(given, events(64), 0, prompt_tokens=prompt)
    assert [row[name] for name in ("completion_tokens", "decode_tps", "e2e_tps", "batch_ratio")] == [None] * 4
    assert row["decode_reason"] == "the server sent no token count"
    assert row["prompt_tokens"] == (prompt or None)
    assert row["ttft_ms"] == FIRST


@pytest.mark.parametrize("limit", [64, 96])
def test_one_token_less_at_the_limit_is_put_right(given: Given, limit: int) -> None:
    row = told(given, events(limit), limit - 1, max_tokens=limit)
    assert (row["completion_tokens"], row["decode_tps"]) == (limit, pytest.approx(50))
    assert row["note"] == "one token more came than was counted"


@pytest.mark.parametrize(
    ("counted", "facts"),
    [
        (63, {"max_tokens": 64, "finish_reason": "stop"}),
        (63, {"max_tokens": 100}),
        (62, {"max_tokens": 64}),
        (40, {"max_tokens": 64}),
    ],
)
def test_fewer_tokens_than_chunks_are_not_believed(given: Given, counted: int, facts: Row) -> None:
    row = told(given, events(64), counted, **facts)
    assert figures(row) == [None, FIRST, None]
    assert row["decode_reason"] == "fewer tokens were counted than chunks came"


def test_an_event_with_the_end_of_a_thought_and_an_answer_is_one(given: Given) -> None:
    stream = [(at, "reasoning" if n < 30 else kind, text) for n, (at, kind, text) in enumerate(events(64))]
    stream.insert(30, (stream[29][0], "answer", "so "))
    assert told(given, stream, 64)["decode_reason"] is None


def test_a_count_beyond_the_limit_is_named(given: Given) -> None:
    row = told(given, events(300), 300, max_tokens=64)
    assert (row["decode_tps"], row["note"]) == (pytest.approx(50), "more tokens were counted than were allowed")


def test_two_choices_with_the_same_text_leave_no_figure(given: Given) -> None:
    stream = [each for at, *rest in events(64) for each in ((at, *rest), (at + 0.05, *rest))]
    row = told(given, stream, 128)  # type: ignore[arg-type]
    assert (row["decode_tps"], row["e2e_tps"]) == (None, None)
    assert row["decode_reason"] == "each text came twice, as of two choices"


CUT = "the prompt was cut: elsewhere it has far more tokens"


def lengths(given: Given, *tokens: int | None, **of: list[str]) -> list[str | None]:
    """What excludes one request of each run, by the prompt tokens that it counted."""
    runs = []
    for number, count in enumerate(tokens):
        own = {name: values[number] for name, values in of.items()}
        runs.append([own, request(prompt_tokens=count)])
    return [row["exclusion"] for row in given(*runs).rows("from request_flags order by run_id")]


def test_a_prompt_far_shorter_than_elsewhere_was_cut(given: Given) -> None:
    assert lengths(given, 2088, 520) == [None, CUT]


def test_a_prompt_a_little_shorter_was_not(given: Given) -> None:
    assert lengths(given, 2088, 1700, 2010) == [None] * 3


def test_one_count_that_is_too_high_cuts_no_other_prompt(given: Given) -> None:
    assert lengths(given, 2088, 2088, 9000) == [None] * 3


def test_another_tokenizer_may_need_half_as_many(given: Given) -> None:
    keys = ["unsloth/minimax-m2.1@q4_k_s", "qwen3-coder-next@q4_k_m"]
    assert lengths(given, 2088, 1000, model_key=keys) == [None, None]


def test_no_tokenizer_needs_a_quarter_as_many(given: Given) -> None:
    keys = ["unsloth/minimax-m2.1@q4_k_s", "qwen3-coder-next@q4_k_m"]
    assert lengths(given, 2088, 520, model_key=keys) == [None, CUT]


FULL = "the prompt was cut: so few tokens cannot hold what was sent"


@pytest.mark.parametrize(
    ("chars", "tokens", "exclusion"),
    [
        (4711, 520, FULL),
        (40_000, 4095, FULL),
        (190, 20, FULL),
        (4711, 1556, None),
        (4711, 600, None),
        (None, 520, None),
        (4711, None, None),
        (4711, 0, None),
        (10**9, 10**9, None),  # the largest that is taken
    ],
)
def test_a_prompt_of_more_text_than_its_tokens_hold_was_cut(
    given: Given, chars: int | None, tokens: int | None, exclusion: str | None
) -> None:
    """In the only run there is: no other tells how many tokens the prompt has."""
    assert one(given([request(prompt_chars=chars, prompt_tokens=tokens)]), "request_flags")["exclusion"] == exclusion


def test_short_prompts_differ_by_their_templates(given: Given) -> None:
    assert lengths(given, 90, 30, None) == [None] * 3


# ---------------------------------------------------------------- E: the round trip


@pytest.mark.parametrize(
    ("probed_ms", "headers_ms", "roundtrip_ms"),
    [
        (400, [2, 3], 2),  # every question is slow there, the headers of an answer are not
        (400, [450, 2], 2),
        (40, [None, 39], 39),
        (40, [41, 60], 40),  # a slow network, or a server that sends its headers late
        (0.5, [2, 499], 0.5),
        (400, [None, None], 400),  # not known, as in imported files
    ],
)
def test_no_question_is_more_trivial_than_the_headers_of_an_answer(
    given: Given, probed_ms: float, headers_ms: list[float | None], roundtrip_ms: float
) -> None:
    answers = [
        request(repeat=n, ttft_ms=500, prompt_tokens=1000, headers_ns=ms and round(ms * 1e6))
        for n, ms in enumerate(headers_ms)
    ]
    found = given([probe(round(probed_ms * 1000)), *answers]).rows("select prefill_tps from request_speed")
    assert [row["prefill_tps"] for row in found] == [pytest.approx(1e6 / (500 - roundtrip_ms))] * 2


# ---------------------------------------------------------------- what is said, and of what else

SIZES = [("a", 131, 150), ("b", 180, 4150)]
LATE = "the first token came more than five times later than usual, as after loading the model again"


@pytest.mark.parametrize(("ms", "exclusion"), [(4151, LATE), (1010, None), (900, None)])
def test_a_first_token_far_later_than_usual_leaves_a_request_out(
    given: Given, ms: float, exclusion: str | None
) -> None:
    """Five times, and more than a second."""
    requests = [request(repeat=n, ttft_ms=151) for n in (1, 2)] + [request(repeat=3, ttft_ms=ms)]
    assert [row["exclusion"] for row in given(requests).rows("from request_flags order by op_index")] == [
        *[None] * 2,
        exclusion,
    ]


def warmup(ttft_ms: float, **more: Any) -> Facts:
    return request("warmup", op="warmup", ttft_ms=ttft_ms, **more)


def late(given: Given, *operations: Facts) -> list[int]:
    """Which of a run's operations are requests whose first token came too late."""
    return [row["op_index"] for row in given(list(operations)).rows("from request_flags") if row["exclusion"] == LATE]


@pytest.mark.parametrize(
    ("operations", "found"),
    [
        ([request("a", ttft_ms=150), request("b", ttft_ms=4150)], [1]),  # once a prompt
        ([warmup(150), warmup(60), request("a", ttft_ms=4150), request("b", ttft_ms=150)], [2]),
        ([request("a", ttft_ms=150), request("a", 2, ttft_ms=4150)], [1]),  # twice a prompt
        ([request("a", prompt_tokens=60, ttft_ms=150), request("b", prompt_tokens=120, ttft_ms=1200)], [1]),
        (
            [request(name, prompt_tokens=None, prompt_chars=size, ttft_ms=ms) for name, size, ms in SIZES],
            [1],
        ),  # no counts, but characters
        ([request(name, ttft_ms=ms) for name, ms in zip("abcd", (9000, 150, 8000, 151), strict=True)], [2]),
    ],
)
def test_a_first_token_far_later_than_in_requests_before_leaves_a_request_out(
    given: Given, operations: list[Facts], found: list[int]
) -> None:
    assert late(given, *operations) == found


@pytest.mark.parametrize(
    "honest",
    [
        # the first after a load: nothing before it says what is usual
        [request("a", ttft_ms=9000), request("b", ttft_ms=150)],
        [warmup(9000), warmup(60), request("a", ttft_ms=1500)],
        # a cache answers the second warm-up, and may say so of others
        [warmup(3000), warmup(40), request("a", ttft_ms=2900)],
        [warmup(9000, error_kind="timeout"), warmup(40), request("a", ttft_ms=2900)],
        [request("a", ttft_ms=40, cached_tokens=90), request("b", ttft_ms=2900)],
        # longer prompts: nothing half as long came before; of twice the tokens none takes five times as long
        [warmup(40, prompt_tokens=45), request("a", prompt_tokens=2000, ttft_ms=9000)],
        [request("a", prompt_tokens=1000, ttft_ms=2000), request("b", prompt_tokens=2000, ttft_ms=8000)],
        [request("a", prompt_tokens=None, ttft_ms=40), request("b", prompt_tokens=None, ttft_ms=9000)],
        # less than a second more, or less than five times
        [request("a", ttft_ms=30), request("b", ttft_ms=1020)],
        [request("a", ttft_ms=3000), request("b", ttft_ms=14_900)],
        # what failed, and what did not come in time of its own, tells nothing
        [request("a", ttft_ms=30, error_kind="server_error"), request("b", ttft_ms=2000)],
    ],
)
def test_honest_requests_are_not_late(given: Given, honest: list[Facts]) -> None:
    assert late(given, *honest) == []


def test_what_is_usual_of_a_prompt_goes_before_other_prompts(given: Given) -> None:
    """Of three requests and more, in any run: a prompt that always takes long is not late."""
    runs = [[request("a", ttft_ms=150), request("b", ttft_ms=ms)] for ms in (2000, 2100, 2200)]
    assert {row["exclusion"] for row in given(*runs).rows("from request_flags")} == {None}


def test_a_run_says_what_is_wrong_with_its_streams(given: Given) -> None:
    hidden = [seen(events(64)[42:], 64, repeat=n, reasoning_tokens=42) for n in (1, 2)]
    burst = [seen(bundled(events(200), 24), 200, repeat=n) for n in (1, 2)]
    first, second = given(hidden, burst).rows("select reason from runs order by run_id")
    assert f"no time to first token: {HIDDEN}" in first["reason"]
    assert f"2 of 2 requests: {BURSTS}" in second["reason"]


def test_a_request_says_why_it_lacks_a_figure(given: Given) -> None:
    row = one(given([seen(bundled(events(64), 24), 64)]), "requests")
    assert row["reason"] == f"no decode speed: {BURSTS}; no time to first token: {BURST}; {BURSTS}"


def test_prefill_of_a_first_text_that_came_too_late_is_none(given: Given) -> None:
    row = seen(events(64)[42:], 64, reasoning_tokens=42, prompt_tokens=1000)
    found = one(given([probe(1000), row]), "request_speed")
    assert (found["prefill_tps"], found["prefill_reason"]) == (None, HIDDEN)


def test_a_rung_of_a_ladder_is_judged_the_same(given: Given) -> None:
    rung = {"op": "context", "context_rung": 4096, "context_expected_tokens": 100, "needles": []}
    streams = [(events(64), 64), (events(64)[42:], 64), (bundled(events(64), 24), 64), (events(64), 0)]
    warehouse = given([{**seen(stream, tokens), **rung} for stream, tokens in streams])
    told = warehouse.rows("select decode_tps, ttft_ms from rung_speed order by op_index")
    assert [tuple(row.values()) for row in told] == [
        (pytest.approx(50), FIRST),
        (None, None),
        (None, None),
        (None, FIRST),
    ]


# ---------------------------------------------------------------- many


def test_of_many_streams_hardly_one_is_wrong_without_a_word() -> None:
    few, honest = (count for count, _ in EVIDENCE.values())
    found = evidence.tried(evidence.SEED, few, honest)
    assert {name for name, (_, contradicts) in KINDS.items() if contradicts and found[name].wrong} == set()
    assert found[evidence.HONEST].silenced + found[evidence.HONEST].noted <= 0.01 * honest
