"""When an answer is whole: what ends it well, what does not, and how long its end is waited for."""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from collector import grace, measure, record
from collector.backends import Facts
from collector.backends.openai_chat import OpenAIChat
from tests.conftest import DONE, MS, ScriptedServer, delta, sse, usage
from tests.loopback import Answer, Handler, Loopback

HI = (9, delta(content="Hi"))


def row(server: ScriptedServer, *steps: Any, **response: Any) -> Facts:
    """The stored columns of a request that is answered by these steps."""
    return record.of_exchange(server.answer(*steps, **response))


def failed(row: Facts) -> tuple[str | None, str]:
    """How it failed, and what is kept of what was said."""
    return row["error_kind"], row["error_detail"] or ""


# --- errors that come in other clothes than `data: {"error": …}` ---


@pytest.mark.parametrize(
    "said",
    [
        b'error: {"code":500,"message":"out of pages","type":"server_error"}\n\n',  # a field of its own, llama.cpp 2025
        b"error: out of pages\n\n",
        b'error: {"error":{"message":"out of pages"}}\n\n',
        b'event: error\ndata: {"message":"out of pages"}\n\n',
        b'event: error\ndata: {"error":"out of pages"}\n\n',
        b"event: error\ndata: out of pages\n\n",
        sse({"object": "error", "message": "out of pages", "code": 500}),  # vLLM
        sse({"type": "error", "error": {"type": "overloaded_error", "message": "out of pages"}}),
        sse({"code": 500, "msg": "out of pages"}),
        sse({"status": 502, "detail": "out of pages"}),
        sse({"choices": [], "error": {"message": "out of pages"}}),
        sse({"choices": [{"index": 0, "delta": {}, "error": {"message": "out of pages"}, "finish_reason": None}]}),
    ],
)
@pytest.mark.parametrize("after", [DONE, delta("stop") + DONE, b""])
def test_an_error_after_text_fails_the_answer_with_its_words(server: ScriptedServer, said: bytes, after: bytes) -> None:
    seen = row(server, HI, (5, said + after))
    assert failed(seen) == ("server_error", "out of pages")
    assert seen["output_text"] == "Hi"


def test_an_error_event_without_words_is_one_all_the_same(server: ScriptedServer) -> None:
    kind, said = failed(row(server, HI, (5, b"event: error\ndata:\n\n" + DONE)))
    assert (kind, said) == ("server_error", "an error event without words")


@pytest.mark.parametrize(
    "harmless",
    [
        sse({"choices": [], "type": "progress", "message": "reading"}),
        sse({"choices": [{"delta": {"content": "!"}}], "error": None}),
        sse({"choices": [{"delta": {"content": "!"}}], "error": {}}),
        sse({"choices": [{"delta": {"content": "!"}}], "code": 0, "status": 200, "msg": "ok"}),
        b"event: message\n" + delta(content="!"),
    ],
)
def test_what_only_resembles_an_error_is_none(server: ScriptedServer, harmless: bytes) -> None:
    assert failed(row(server, HI, (5, harmless), (5, delta("stop")), (1, DONE))) == (None, "")


# --- finish reasons ---


@pytest.mark.parametrize(
    "reason",
    ["abort", "ABORT", "aborted", "error", "cancelled", "canceled", "insufficient_system_resource", "network_error"],
)
def test_a_finish_reason_of_giving_up_fails_the_answer(server: ScriptedServer, reason: str) -> None:
    kind, said = failed(row(server, HI, (5, delta(reason)), (1, usage()), (1, DONE)))
    assert kind == "server_error"
    assert reason in said


def test_a_finish_reason_may_be_an_object(server: ScriptedServer) -> None:
    def ended(reason: dict[str, Any]) -> Facts:
        chunk = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
        return row(server, HI, (5, sse(chunk)), (1, DONE))

    whole = ended({"type": "length", "length": 64})
    assert (whole["finish_reason"], whole["error_kind"]) == ("length", None)
    assert failed(ended({"type": "abort", "message": "KV cache is full"})) == (
        "server_error",
        "the server gave the answer up (finish reason abort): KV cache is full",
    )


@pytest.mark.parametrize("reason", ["stop", "length", "tool_calls", "content_filter", "eos", "end_turn", "max_tokens"])
def test_a_known_finish_reason_ends_an_answer_well(server: ScriptedServer, reason: str) -> None:
    seen = row(server, HI, (5, delta(reason)))
    assert (seen["finish_reason"], seen["error_kind"]) == (reason, None)


@pytest.mark.parametrize("reason", ["", " ", "null", "None", [], 7, True, ["stop"]])
def test_no_reason_in_disguise_makes_no_answer_whole(server: ScriptedServer, reason: object) -> None:
    def chunk(text: str) -> bytes:
        return sse({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}]})

    seen = row(server, (9, chunk("Hi")), (5, chunk(" the")))
    assert seen["error_kind"] == "stream_cut"
    assert seen.get("finish_reason") is None


def test_an_unknown_finish_reason_needs_another_sign(server: ScriptedServer) -> None:
    assert row(server, HI, (5, delta("eaten")))["error_kind"] == "stream_cut"
    assert row(server, HI, (5, delta("eaten")), (1, DONE))["error_kind"] is None
    assert row(server, HI, (5, delta("eaten")), (1, usage()))["error_kind"] is None


def test_a_finish_reason_that_more_text_follows_needs_another_sign(server: ScriptedServer) -> None:
    every = (delta("stop", content="Hi"), delta("stop", content=" the"))
    assert row(server, *((5, chunk) for chunk in every))["error_kind"] == "stream_cut"
    assert row(server, *((5, chunk) for chunk in every), (1, usage()), (1, DONE))["error_kind"] is None


# --- `[DONE]` ---


def test_done_alone_proves_nothing(server: ScriptedServer) -> None:
    kind, said = failed(row(server, HI, (5, DONE)))
    assert (kind, said) == ("stream_cut", "the stream ended without a finish reason or a token count")


def test_done_and_a_count_are_enough(server: ScriptedServer) -> None:
    assert row(server, HI, (5, usage()), (1, DONE))["error_kind"] is None


@pytest.mark.parametrize("count", [0, None, "5", -1])
def test_done_and_no_count_are_not(server: ScriptedServer, count: Any) -> None:
    assert row(server, HI, (5, usage(10, count)), (1, DONE))["error_kind"] == "stream_cut"


# --- the end of the body ---


@pytest.mark.parametrize("lost", [httpx.ReadError("reset by peer"), httpx.RemoteProtocolError("incomplete read")])
def test_a_connection_lost_after_finish_reason_and_count_spoils_nothing(
    server: ScriptedServer, lost: Exception
) -> None:
    seen = row(server, HI, (5, delta("stop")), (5, usage(7, 5)), (5, lost))
    assert (seen["error_kind"], seen["completion_tokens"], seen["done_ns"]) == (None, 5, 20 * MS)


def test_a_connection_lost_before_the_count_is_a_cut(server: ScriptedServer) -> None:
    seen = row(server, HI, (5, delta("stop")), (5, httpx.ReadError("reset by peer")))
    assert failed(seen) == ("stream_cut", "reset by peer")


def test_words_without_a_field_at_the_end_of_a_cut_body_are_kept(server: ScriptedServer) -> None:
    seen = row(server, HI, (5, b"upstream connect error: worker exited\n"))
    assert failed(seen) == (
        "stream_cut",
        "the stream ended without a finish reason or a token count: upstream connect error: worker exited",
    )


def test_a_bare_error_object_after_text_is_the_servers(server: ScriptedServer) -> None:
    seen = row(server, HI, (5, b'{"error":{"message":"out of pages"}}\n\n'), (1, DONE))
    assert failed(seen) == ("server_error", "out of pages")


# --- a finished answer ends, though the server does not end it ---


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little grace, so that tests need not wait for it."""
    monkeypatch.setattr(grace, "COUNT_S", 0.3)
    monkeypatch.setattr(grace, "END_S", 0.1)


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with Loopback() as server:
        yield server


def hanging(*events: bytes, heartbeat: bytes = b"") -> Answer:
    """These events, and then no end of the body until the client goes: silence, or something every 10 ms."""

    def answer(handler: Handler) -> None:
        handler.begin_stream()
        for event in events:
            handler.piece(event)
        if heartbeat:
            with suppress(OSError):
                while True:
                    time.sleep(0.01)
                    handler.piece(heartbeat)
        with suppress(OSError):
            handler.connection.recv(1)
        handler.close_connection = True

    return answer


def asked(server: Loopback, times: int = 1) -> list[Facts]:
    """The rows of so many requests in turn, by one client."""
    with measure.connect(server.url) as client:
        backend = OpenAIChat(client, "m")
        request = backend.chat([{"role": "user", "content": "Hi"}], 9, {})
        return [record.of_exchange(measure.exchange(client, request, backend.parse)) for _ in range(times)]


TEXT = (delta(content="Hi"), delta(content=" you"))
ENDLESS = {
    "after [DONE]": (*TEXT, delta("stop"), usage(7, 2), DONE),
    "after the count": (*TEXT, delta("stop"), usage(7, 2)),
    "after the finish reason": (*TEXT, delta("stop")),
    "after [DONE] and a count": (*TEXT, usage(7, 2), DONE),
}


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("heartbeat", [b"", b": ping\n\n", b"data:\n\n", delta(), b"x"])
@pytest.mark.parametrize("events", ENDLESS.values(), ids=ENDLESS.keys())
def test_an_answer_whose_body_never_ends_is_whole_and_its_times_are_its_own(
    loopback: Loopback, events: tuple[bytes, ...], heartbeat: bytes
) -> None:
    loopback.otherwise = hanging(*events, heartbeat=heartbeat)
    for seen in asked(loopback, times=2):
        assert (seen["error_kind"], seen["output_text"]) == (None, "Hi you")
        counted = usage(7, 2) in events
        assert seen.get("completion_tokens") == (2 if counted else None)
        if heartbeat != delta():  # those are events, and the last one is the end
            assert seen["done_ns"] // 1000 == sum(chunk["gap_us"] for chunk in seen["chunks"])
            assert len(seen["chunks"]) <= len(events)


@pytest.mark.usefixtures("hasty")
def test_a_count_that_comes_late_is_waited_for(loopback: Loopback) -> None:
    def late(handler: Handler) -> None:
        handler.begin_stream()
        for event in (*TEXT, delta("stop")):
            handler.piece(event)
        time.sleep(0.15)
        handler.piece(usage(7, 2) + DONE)
        handler.wfile.write(b"0\r\n\r\n")

    loopback.otherwise = late
    assert [seen["completion_tokens"] for seen in asked(loopback, times=2)] == [2, 2]
    assert loopback.connections == 1


@pytest.mark.usefixtures("hasty")
def test_a_finish_reason_in_every_chunk_ends_no_answer_before_its_time(loopback: Loopback) -> None:
    def slow(handler: Handler) -> None:
        handler.begin_stream()
        for _ in range(8):
            handler.piece(delta("stop", content="x"))
            time.sleep(0.1)  # all of it takes longer than the grace
        handler.piece(usage(7, 8) + DONE)
        handler.wfile.write(b"0\r\n\r\n")

    loopback.otherwise = slow
    [seen] = asked(loopback)
    assert (seen["output_text"], seen["error_kind"]) == ("x" * 8, None)


@pytest.mark.usefixtures("hasty")
def test_a_connection_that_ended_in_time_is_not_shut_later(loopback: Loopback) -> None:
    with measure.connect(loopback.url) as client:
        backend = OpenAIChat(client, "m")
        for _ in range(3):
            seen = measure.exchange(client, backend.chat([{"role": "user", "content": "Hi"}], 9, {}), backend.parse)
            assert seen.error_kind is None
            time.sleep(0.4)
    assert loopback.connections == 1


def test_ten_seconds_after_a_finish_reason_nothing_is_waited_for() -> None:
    assert grace.COUNT_S + grace.END_S <= 10
