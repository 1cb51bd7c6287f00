"""Exact times from a scripted server on a fake clock."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector import measure, record
from collector.backends import Facts, Request
from collector.backends.openai_chat import OpenAIChat
from tests.conftest import DONE, MS, FakeClock, ScriptedServer, delta, sse, usage

OFFSETS = ("headers_ns", "first_event_ns", "first_text_ns", "first_answer_ns", "last_text_ns", "done_ns")
REASONED = delta(reasoning_content="hm")


def row(server: ScriptedServer, *steps: Any, **response: Any) -> Facts:
    """The stored columns of a request that is answered by these steps."""
    return record.of_exchange(server.answer(*steps, **response))


def in_ms(row: Facts) -> dict[str, float | None]:
    """The offsets of a row, in ms."""
    return {name.removesuffix("_ns"): row[name] if row[name] is None else row[name] / MS for name in OFFSETS}


def sent(handler: Callable[[httpx.Request], httpx.Response], clock: FakeClock | None = None) -> measure.Exchange:
    """One request to a server that is this function."""
    client = measure.connect("http://127.0.0.1:1", transport=httpx.MockTransport(handler))
    request = Request("/v1/chat/completions", {"model": "m", "messages": [], "stream": True})
    return measure.exchange(client, request, OpenAIChat(client, "m").parse, clock=clock or FakeClock())


# --- when ---


def test_ttft_skips_the_role_only_first_event(server: ScriptedServer) -> None:
    seen = row(server, (1, delta(role="assistant")), (198, delta(content="Hi")), (50, delta(content=" you")), (5, DONE))
    assert in_ms(seen) == {
        "headers": 1,
        "first_event": 2,
        "first_text": 200,
        "first_answer": 200,
        "last_text": 250,
        "done": 255,
    }
    assert seen["output_text"] == "Hi you"


@pytest.mark.parametrize("nothing", [{"content": ""}, {"content": None}, {"role": "assistant", "content": ""}, {}])
def test_ttft_skips_events_without_text(server: ScriptedServer, nothing: dict[str, Any]) -> None:
    seen = row(server, (1, delta(**nothing)), (98, delta(content="Hi")), (5, delta("stop", **nothing)), (5, DONE))
    assert (seen["first_event_ns"], seen["first_text_ns"], seen["last_text_ns"]) == (2 * MS, 100 * MS, 100 * MS)


def test_several_tokens_in_a_chunk_are_one_chunk_and_the_tokens_are_the_servers(server: ScriptedServer) -> None:
    seen = row(
        server,
        (99, delta(content="one two three")),
        (50, delta("stop", content=" four five")),
        (1, usage(7, 5)),
        (1, DONE),
    )
    assert [(chunk["gap_us"], chunk["chars"]) for chunk in seen["chunks"]] == [
        (100_000, 13),
        (50_000, 10),
        (1_000, 0),
        (1_000, 0),
    ]
    assert (seen["prompt_tokens"], seen["completion_tokens"]) == (7, 5)


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_reasoning_counts_as_first_text_and_the_answer_has_its_own_time(server: ScriptedServer, key: str) -> None:
    seen = row(
        server, (99, delta(**{key: "hm"})), (300, delta(content="So")), (100, delta("stop", content=".")), (9, DONE)
    )
    assert in_ms(seen) == {
        "headers": 1,
        "first_event": 100,
        "first_text": 100,
        "first_answer": 400,
        "last_text": 500,
        "done": 509,
    }
    assert (seen["reasoning_text"], seen["output_text"]) == ("hm", "So.")
    assert [chunk["kind"] for chunk in seen["chunks"]] == ["reasoning", "answer", "answer", "other"]


def test_inline_thinking_counts_as_reasoning(server: ScriptedServer) -> None:
    seen = row(
        server,
        (9, delta(content="<think>")),
        (10, delta(content="hm")),
        (20, delta(content="</think>")),
        (60, delta("stop", content="So")),
        (1, DONE),
    )
    assert in_ms(seen) == {
        "headers": 1,
        "first_event": 10,
        "first_text": 20,
        "first_answer": 100,
        "last_text": 100,
        "done": 101,
    }


def test_a_thought_that_fills_the_limit_has_no_answer_time(server: ScriptedServer) -> None:
    seen = row(server, (9, REASONED), (10, delta("length", reasoning_content="mm")), (1, DONE))
    assert (seen["first_answer_ns"], seen["output_text"], seen["last_text_ns"]) == (None, None, 20 * MS)


def test_events_in_one_read_share_its_time(server: ScriptedServer) -> None:
    seen = row(server, (99, delta(content="a") + delta(content="b") + delta("stop", content="c") + DONE))
    assert (seen["first_text_ns"], seen["last_text_ns"], seen["done_ns"]) == (100 * MS, 100 * MS, 100 * MS)
    assert [chunk["gap_us"] for chunk in seen["chunks"]] == [100_000, 0, 0, 0]


def test_an_event_split_over_reads_has_the_time_of_the_read_that_completes_it(server: ScriptedServer) -> None:
    whole = delta(content="Hi")
    seen = row(server, (9, whole[:20]), (10, whole[20:-1]), (80, whole[-1:]), (5, delta("stop") + DONE))
    assert (seen["first_event_ns"], seen["first_text_ns"]) == (100 * MS, 100 * MS)


def test_a_character_split_over_reads_stays_whole(server: ScriptedServer) -> None:
    whole = delta("stop", content="量子👋")
    seen = row(server, *((1, bytes([byte])) for byte in whole), (1, DONE))
    assert seen["output_text"] == "量子👋"


@pytest.mark.parametrize("tearing", ["\u2028", "\u2029", "\x85", "\f", "\v", "\x1c"])
def test_characters_that_some_readers_split_lines_at_stay_in_the_text(server: ScriptedServer, tearing: str) -> None:
    # Put in raw: JSON allows all but the control characters among them unescaped.
    raw = tearing if tearing > "\x1f" else f"\\u{ord(tearing):04x}"
    event = f'data: {{"choices":[{{"delta":{{"content":"a{raw}b"}},"finish_reason":"stop"}}]}}\n\n'.encode()
    seen = row(server, (1, event), (1, DONE))
    assert (seen["output_text"], seen["error_kind"]) == (f"a{tearing}b", None)


def test_lines_may_end_with_carriage_returns(server: ScriptedServer) -> None:
    stream = (delta(content="Hi") + delta("stop") + usage(7, 5) + DONE).replace(b"\n", b"\r\n")
    seen = row(server, (99, stream))
    assert (seen["output_text"], seen["completion_tokens"], seen["error_kind"]) == ("Hi", 5, None)


def test_comments_are_no_events(server: ScriptedServer) -> None:
    keepalive = b": keepalive 128/512\n\n"
    seen = row(server, (9, keepalive), (80, keepalive), (10, delta(content="Hi")), (1, delta("stop")), (1, DONE))
    assert (seen["first_event_ns"], len(seen["chunks"])) == (100 * MS, 3)


def test_a_long_silence_before_the_first_event_is_waited_for(server: ScriptedServer) -> None:
    seen = row(server, (600_000, delta("stop", content="Hi")), (1, DONE))
    assert seen["first_text_ns"] == 600_001 * MS
    assert measure.TIMEOUT.read is None or measure.TIMEOUT.read >= 1800


# --- how it ends ---


def test_usage_may_be_missing(server: ScriptedServer) -> None:
    seen = row(server, (1, delta("stop", content="Hi")), (1, DONE))
    assert seen["error_kind"] is None
    assert "completion_tokens" not in seen
    assert "prompt_tokens" not in seen


def test_done_may_be_missing(server: ScriptedServer) -> None:
    seen = row(server, (9, delta(content="Hi")), (10, delta("stop")), (10, usage(7, 5)))
    assert (seen["error_kind"], seen["completion_tokens"]) == (None, 5)
    assert seen["done_ns"] == 30 * MS


def test_the_last_event_may_lack_its_blank_line(server: ScriptedServer) -> None:
    seen = row(server, (9, delta(content="Hi")), (10, delta("stop", content="!").rstrip(b"\n")))
    assert (seen["output_text"], seen["error_kind"], seen["last_text_ns"]) == ("Hi!", None, 20 * MS)


def test_what_follows_done_is_not_measured(server: ScriptedServer) -> None:
    seen = row(server, (9, delta("stop", content="Hi")), (10, DONE), (500, delta(content=" more")))
    assert (seen["done_ns"], seen["output_text"], seen["error_kind"]) == (20 * MS, "Hi", None)


def test_a_connection_lost_after_done_spoils_nothing(server: ScriptedServer) -> None:
    seen = row(server, (9, delta("stop", content="Hi")), (10, DONE), (500, httpx.ReadError("reset by peer")))
    assert (seen["done_ns"], seen["error_kind"]) == (20 * MS, None)


def test_a_stream_that_ends_without_a_finish_reason_was_cut(server: ScriptedServer) -> None:
    seen = row(server, (9, delta(content="Hi")), (40, delta(content=" the")))
    assert seen["error_kind"] == "stream_cut"
    assert (seen["output_text"], seen["last_text_ns"]) == ("Hi the", 50 * MS)


@pytest.mark.parametrize(
    ("happens", "kind", "said"),
    [
        (httpx.ReadTimeout("no data"), "timeout", "ReadTimeout no data"),
        (httpx.ReadError("[Errno 104] Connection reset by peer"), "stream_cut", "[Errno 104] Connection reset by peer"),
        (httpx.RemoteProtocolError("incomplete chunked read"), "stream_cut", "incomplete chunked read"),
        (KeyboardInterrupt(), "interrupted", "stopped by the person"),
    ],
)
def test_what_came_before_a_failure_is_kept(
    server: ScriptedServer, happens: BaseException, kind: str, said: str
) -> None:
    seen = row(server, (9, delta(content="Hi")), (40, delta(content=" the")), (950, happens))
    assert (seen["error_kind"], seen["error_detail"]) == (kind, said)
    assert (seen["output_text"], seen["last_text_ns"], len(seen["chunks"])) == ("Hi the", 50 * MS, 2)
    assert (seen["done_ns"], seen["elapsed_ns"]) == (1000 * MS, 1000 * MS)


def test_an_interruption_is_told_apart(server: ScriptedServer) -> None:
    assert server.answer((9, delta(content="Hi")), (40, KeyboardInterrupt())).was_interrupted
    assert not server.answer((9, delta(content="Hi")), (40, httpx.ReadError("reset"))).was_interrupted


@pytest.mark.parametrize(
    ("happens", "kind"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), "connect"),
        (httpx.ConnectTimeout("timed out"), "timeout"),
        (httpx.ReadTimeout("timed out"), "timeout"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "transport"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_a_request_without_a_response_has_no_times_but_its_end(happens: BaseException, kind: str) -> None:
    clock = FakeClock()

    def handle(request: httpx.Request) -> httpx.Response:
        clock.pass_ms(30)
        raise happens

    seen = record.of_exchange(sent(handle, clock))
    assert seen["error_kind"] == kind
    assert in_ms(seen) == {**dict.fromkeys([name.removesuffix("_ns") for name in OFFSETS]), "done": 30}
    assert (seen["chunks"], seen["output_text"]) == ([], None)


def test_a_json_body_with_status_200_is_no_stream(server: ScriptedServer) -> None:
    body = b'{"error":"Unexpected endpoint or method. (POST /v1/chat/completions)"}'
    seen = row(server, (9, body), kind="application/json; charset=utf-8")
    assert (seen["error_kind"], seen["http_status"]) == ("not_streamed", 200)
    assert "Unexpected endpoint" in seen["error_detail"]
    assert (seen["headers_ns"], seen["first_event_ns"], seen["done_ns"]) == (1 * MS, None, 10 * MS)


@pytest.mark.parametrize("status", [400, 404, 500, 503])
@pytest.mark.parametrize("kind", ["application/json", "text/html", "text/event-stream"])
def test_an_error_status_is_kept_with_its_body(server: ScriptedServer, status: int, kind: str) -> None:
    seen = row(server, (9, b"the context is too small"), status=status, kind=kind)
    assert (seen["error_kind"], seen["http_status"], seen["error_detail"]) == (
        "http_status",
        status,
        "the context is too small",
    )


def test_of_a_long_error_event_the_beginning_is_kept(server: ScriptedServer) -> None:
    """What is kept is searched for names and addresses, which takes the square of its length."""
    seen = row(server, (9, delta(content="Hi")), (5, sse({"error": "of " * 300_000})))
    assert measure.SHOWN - 5 <= len(seen["error_detail"]) <= measure.SHOWN


def test_of_a_long_error_body_the_beginning_is_kept(server: ScriptedServer) -> None:
    seen = row(server, (9, b"no memory! " * 10_000), status=500)
    assert measure.SHOWN - 9 <= len(seen["error_detail"]) <= measure.SHOWN


@pytest.mark.parametrize(
    "text", ["a." * 500_000, "x" * 1_000_000, "/" * 300_000, "a@" * 200_000, "1-" * 200_000, "…" * 9]
)
def test_a_long_text_of_unknown_words_is_an_ellipsis_in_no_time(server: ScriptedServer, text: str) -> None:
    assert len(row(server, (9, text.encode()), status=500)["error_detail"]) <= measure.SHOWN


@pytest.mark.parametrize(
    "stream",
    [
        b"",  # LM Studio's GGUF engine, given a prompt longer than its context
        DONE,
        delta(role="assistant") + delta("stop") + usage(9000, 0) + DONE,
        b": keepalive 1/2\n\n" + DONE,
    ],
)
def test_a_stream_without_text_is_a_failure_of_its_own(server: ScriptedServer, stream: bytes) -> None:
    seen = row(server, (9, stream))
    assert (seen["error_kind"], seen["http_status"], seen["output_text"]) == ("empty", 200, None)


def test_an_error_event_is_the_servers(server: ScriptedServer) -> None:
    seen = row(server, (9, delta(content="Hi")), (5, sse({"error": {"message": "out of memory", "code": 500}})))
    assert (seen["error_kind"], seen["error_detail"], seen["output_text"]) == ("server_error", "out of memory", "Hi")


def test_an_error_event_may_hold_plain_text(server: ScriptedServer) -> None:
    assert row(server, (9, sse({"error": "model unloaded"})))["error_detail"] == "model unloaded"


@pytest.mark.parametrize("bad", ["{", "null", "[]", '"text"', "7", '{"choices":[7]}', '{"choices":[{"delta":"x"}]}'])
def test_an_event_that_is_no_chunk_is_told_and_the_stream_read_on(server: ScriptedServer, bad: str) -> None:
    seen = row(server, (9, sse(bad)), (5, delta("stop", content="Hi")), (1, DONE))
    assert (seen["error_kind"], seen["output_text"]) == ("bad_event", "Hi")
    assert (seen["first_event_ns"], seen["first_text_ns"]) == (10 * MS, 15 * MS)
    assert bad in seen["said"]


@pytest.mark.parametrize("text", [5, True, ["Hi"], {"text": "Hi"}])
@pytest.mark.parametrize("key", ["content", "reasoning_content", "reasoning"])
def test_text_that_is_no_text_is_not_taken_for_it(server: ScriptedServer, key: str, text: object) -> None:
    seen = row(server, (9, delta(**{key: text})), (5, delta("stop", content="Hi")), (1, DONE))
    assert (seen["error_kind"], seen["output_text"], seen["first_text_ns"]) == ("bad_event", "Hi", 15 * MS)


@pytest.mark.parametrize("count", [-1, True, 53.0, "53", 2**31, 10**400, float("nan"), [53], None])
def test_a_token_count_that_cannot_be_is_unknown(server: ScriptedServer, count: object) -> None:
    seen = row(server, (9, delta("stop", content="Hi")), (1, usage(prompt=7, completion=count)), (1, DONE))  # type: ignore[arg-type]
    assert (seen["error_kind"], seen["prompt_tokens"], seen.get("completion_tokens")) == (None, 7, None)


@pytest.mark.parametrize("speed", [-1.5, True, "fast", float("nan"), float("inf"), 10**400])
def test_a_speed_that_cannot_be_is_unknown(server: ScriptedServer, speed: object) -> None:
    told = sse({"choices": [], "timings": {"predicted_per_second": speed, "prompt_per_second": 80}})
    seen = row(server, (9, delta("stop", content="Hi")), (1, told), (1, DONE))
    assert (seen.get("reported_decode_tps"), seen["reported_prefill_tps"]) == (None, 80)


@pytest.mark.parametrize("length", [7, 30, 50])
def test_an_event_cut_in_its_middle_is_a_cut_stream(server: ScriptedServer, length: int) -> None:
    seen = row(server, (9, delta(content="Hi")), (5, delta(content=" there")[:length]))
    assert (seen["error_kind"], seen["output_text"]) == ("stream_cut", "Hi")
    assert "ended within an event" in seen["error_detail"]


def test_the_first_failure_is_the_one_that_is_told(server: ScriptedServer) -> None:
    seen = row(server, (9, sse("{")), (5, sse({"error": "later"})), (5, httpx.ReadError("later still")))
    assert seen["error_kind"] == "bad_event"


def test_an_error_text_is_cleaned_of_paths(server: ScriptedServer) -> None:
    seen = row(server, (9, b"cannot open /Users/anna/models/x.gguf"), status=500)
    assert "anna" not in seen["error_detail"]


# --- what is sent, and what a chunk may be ---


def test_one_request_is_sent_as_asked_and_uncompressed(server: ScriptedServer) -> None:
    server.answer((1, delta("stop", content="Hi")), (1, DONE))
    (request,) = server.seen
    assert (request.method, request.url.path) == ("POST", "/v1/chat/completions")
    assert json.loads(request.content) == {"model": "m", "messages": [], "stream": True}
    assert request.headers["accept-encoding"] == "identity"


def test_an_error_body_that_is_packed_wrong_costs_nothing_but_the_request() -> None:
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    packed = gzip.compress(b'{"error":"x"}')[:-9]
    seen = sent(lambda request: httpx.Response(500, headers=headers, stream=httpx.ByteStream(b"no gzip" + packed)))
    assert seen.error_kind is not None


def test_gaps_add_up_to_the_last_arrival(server: ScriptedServer) -> None:
    # 0.3337 ms is no whole number of µs: rounding each gap by itself would drift.
    seen = server.answer(*((0.3337, delta(content="x")) for _ in range(997)), (1, delta("stop") + DONE))
    gaps = [chunk["gap_us"] for chunk in record.chunks(seen.arrivals)]
    assert sum(gaps) == seen.arrivals[-1][0] // 1000


def roundtrips(taking_ms: dict[tuple[str, str], float | Exception], count: int = 3) -> list[int]:
    """What is stored where these questions take so long to answer."""
    clock = FakeClock()

    def handle(request: httpx.Request) -> httpx.Response:
        taken = taking_ms[request.method, request.url.path]
        if isinstance(taken, Exception):
            raise taken
        clock.pass_ms(taken)
        return httpx.Response(404)

    client = measure.connect("http://127.0.0.1:1", transport=httpx.MockTransport(handle))
    return measure.roundtrips(client, tuple(taking_ms), count=count, clock=clock)


def test_roundtrips_are_in_microseconds() -> None:
    assert roundtrips({("GET", "/v1/models"): 2.5}) == [2500, 2500, 2500]


LIST, HEAD, HEALTH = ("GET", "/v1/models"), ("HEAD", "/"), ("GET", "/health")


@pytest.mark.parametrize(
    ("taking_ms", "us"),
    [
        ({LIST: 400, HEAD: 1.5, HEALTH: 3}, 1500),
        ({LIST: 2, HEAD: 600, HEALTH: 40}, 2000),
        ({HEAD: httpx.ReadError("reset"), LIST: 9, HEALTH: httpx.ReadTimeout("timed out")}, 9000),
    ],
)
def test_what_is_answered_soonest_times_the_way_there_and_back(
    taking_ms: dict[tuple[str, str], float | Exception], us: int
) -> None:
    assert roundtrips(taking_ms) == [us] * 3


@pytest.mark.parametrize(("first", "later", "us"), [(500, 1, 1000), (1, 44, 2000)])
def test_the_first_time_of_a_question_does_not_decide(first: float, later: float, us: int) -> None:
    clock = FakeClock()
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        clock.pass_ms(2 if request.url.path == "/b" else first if asked.count("/a") == 1 else later)
        return httpx.Response(200)

    client = measure.connect("http://127.0.0.1:1", transport=httpx.MockTransport(handle))
    assert measure.roundtrips(client, (("GET", "/a"), ("GET", "/b")), count=2, clock=clock) == [us, us]


def test_where_nothing_answers_there_is_no_way_there_and_back() -> None:
    with pytest.raises(httpx.ReadError):
        roundtrips({HEAD: httpx.ReadError("reset"), LIST: httpx.ReadError("reset")})


def test_timed_says_when_it_began_and_how_long_it_took() -> None:
    clock = FakeClock()

    def action() -> Facts:
        clock.pass_ms(7)
        return {"a": 1}

    assert measure.timed(action, clock) == ({"a": 1, "slept_ms": 0, "stood_ms": 0}, 10**12, 7 * MS)


# ---------------------------------------------------------------- sleep


def test_a_machine_that_sleeps_in_a_request_shows_in_its_row() -> None:
    slept = iter((500, 500 + 7_200_000 * MS))

    def handle(request: httpx.Request) -> httpx.Response:
        body = httpx.ByteStream(delta(content="Hi"))
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=body)

    client = measure.connect("http://127.0.0.1:1", transport=httpx.MockTransport(handle))
    backend = OpenAIChat(client, "m")
    seen = measure.exchange(client, backend.chat([], 9, {}), backend.parse, FakeClock(), asleep=lambda: next(slept))
    assert record.of_exchange(seen)["slept_ms"] == 7_200_000


def test_a_machine_that_sleeps_while_something_is_timed_shows() -> None:
    slept = iter((3 * MS, 1203 * MS))
    facts, _, elapsed = measure.timed(dict, FakeClock(), lambda: next(slept))
    assert (facts, elapsed) == ({"slept_ms": 1200, "stood_ms": 0}, 0)


def test_a_machine_that_is_awake_has_not_slept() -> None:
    before, _, after = measure.asleep(), measure.sleep(0.05), measure.asleep()
    assert abs(after - before) < 20 * MS  # both clocks counted the 50


PARSER = OpenAIChat(measure.connect("http://127.0.0.1:1", transport=httpx.MockTransport(lambda _: httpx.Response(500))))
NAMES = ["choices", "delta", "content", "reasoning", "reasoning_content", "finish_reason", "usage", "timings", "error"]
NAMES += ["prompt_tokens", "completion_tokens", "prompt_tokens_details", "cached_tokens", "system_fingerprint", "id"]
leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=6,
)
chunk_like = st.fixed_dictionaries(
    {"choices": st.lists(st.fixed_dictionaries({"delta": st.dictionaries(st.sampled_from(NAMES), leaf)}), max_size=1)},
    optional={"usage": anything, "timings": anything, "error": anything, "system_fingerprint": anything},
)


def parse(data: str) -> None:
    """Read one event; a ValueError is the one way in which it may fail."""
    event = PARSER.parse("", data)
    assert all(isinstance(text, str) and text for _, text in event.texts)
    assert None not in event.facts.values()


@settings(derandomize=True, deadline=None, max_examples=400)
@given(anything | chunk_like)
def test_any_json_is_a_chunk_or_a_value_error(value: Any) -> None:
    try:
        parse(json.dumps(value))
    except ValueError:
        return


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.text(max_size=30))
def test_any_text_is_a_chunk_or_a_value_error(text: str) -> None:
    try:
        parse(text)
    except ValueError:
        return


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"error":' * 100_000, '{"choices":' + "[" * 100_000])
def test_json_nested_without_end_is_a_value_error(deep: str) -> None:
    with pytest.raises(ValueError):
        parse(deep)
