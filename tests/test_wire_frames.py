"""Odd frames, headers and entries cost themselves, and not the answer or the run."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from collector import limits, measure, record
from collector.backends import Facts
from collector.backends.openai_chat import OpenAIChat
from collector.errors import ModelUnclear
from tests.conftest import DONE, MS, ScriptedServer, delta, sse, usage
from tests.loopback import ONE_TWO, Handler, Loopback, hang_up
from tests.test_openai_chat import backend

WHOLE = (delta(role="assistant"), delta(content="Hi"), delta("stop"), usage(7, 1), DONE)


def row(server: ScriptedServer, *steps: Any, **response: Any) -> Facts:
    """The stored columns of a request that is answered by these steps."""
    return record.of_exchange(server.answer(*steps, **response))


# --- frames ---


@pytest.mark.parametrize(
    "frame",
    [
        *(
            b"data:\n\n",
            b"data: \n\n",
            b"data:   \n\n",
            b"data:\ndata:\n\n",
            b"event: ping\ndata:\n\n",
            b"event: ping\n\n",
        ),
        *(b"data: ping\n\n", b"data: PING\n\n", b"data: [ping]\n\n", b"data: keep-alive\n\n", b"data: heartbeat\n\n"),
        *(b"data: keepalive\n\n", b"event: keepalive\ndata: ok\n\n", b"event: ping\ndata: {}\n\n", b"data: : ping\n\n"),
        *(b"retry: 3000\n\n", b"id: 5\n\n", b":\n\n", b'event: ping\ndata: {"type": "ping"}\n\n'),
    ],
)
def test_a_sign_of_life_is_no_event_of_the_answer(server: ScriptedServer, frame: bytes) -> None:
    first, *rest = WHOLE
    seen = row(server, (5, first), (100, frame), *((5, frame + event) for event in rest), (5, frame))
    assert (seen["error_kind"], seen["output_text"], seen["completion_tokens"]) == (None, "Hi", 1)
    assert seen["first_text_ns"] == 111 * MS


@pytest.mark.parametrize("bad", ["Internal Server Error", "{", "upstream: gone", "tru", "<html>"])
def test_other_words_are_none(server: ScriptedServer, bad: str) -> None:
    seen = row(server, (5, WHOLE[0]), (5, sse(bad)), *((5, event) for event in WHOLE[1:]))
    assert seen["error_kind"] == "bad_event"
    assert bad in seen["said"]


# --- the content type ---


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/json; charset=utf-8", "text/plain", "application/octet-stream", "text/html", ""],
)
@pytest.mark.parametrize("before", [b"", b": hello\n\n", b"\xef\xbb\xbf", b"\r\n\r\n", b"event: message\n"])
def test_events_are_events_under_any_content_type(server: ScriptedServer, kind: str, before: bytes) -> None:
    steps = [(99, before + WHOLE[0]), *((5, event) for event in WHOLE[1:])]
    seen = row(server, *steps, kind=kind)
    assert (seen["error_kind"], seen["output_text"], seen["completion_tokens"]) == (None, "Hi", 1)
    assert seen["first_event_ns"] == 100 * MS


COMPLETION = {"object": "chat.completion", "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream", "text/html", "application/x-ndjson", ""])
@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (json.dumps(COMPLETION), '"chat.completion"'),
        (json.dumps(COMPLETION, indent=2), '"chat.completion"'),
        ("<!doctype html>\n<title>Sign in</title>\n<p>data: none</p>", "Sign in"),
        ('{"message": {"content": "Hi"}, "done": false}\n{"done": true}\n', '"done": false'),
        ("no healthy upstream", "no healthy upstream"),
    ],
)
def test_a_body_without_an_event_is_no_stream_and_its_beginning_is_kept(
    server: ScriptedServer, kind: str, body: str, kept: str
) -> None:
    seen = row(server, (9, body.encode()), kind=kind)
    assert (seen["error_kind"], seen["http_status"], seen["first_event_ns"]) == ("not_streamed", 200, None)
    assert kept in seen["error_detail"]


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n", b"\n\ndata: [DONE]\n\n"])
def test_a_bare_error_in_place_of_a_stream_is_told_in_its_words(server: ScriptedServer, kind: str, end: bytes) -> None:
    body = b'{"error":{"message":"the request exceeds the available context size (4096)","code":400}}'
    seen = row(server, (9, body + end), kind=kind)
    assert seen["error_kind"] == "context_overflow"
    assert "available context size (4096)" in seen["error_detail"]


# --- entries of the model list ---


@pytest.mark.parametrize(
    "odd", [None, "a name", 7, [], {}, {"id": None}, {"id": 7}, {"id": ""}, {"name": "x"}, [{"id": "y"}]]
)
def test_an_odd_entry_does_not_hide_the_good_one(odd: Any) -> None:
    assert backend({"/v1/models": {"data": [odd, {"id": "qwen3"}, odd]}}).describe()["model_key"] == "qwen3"


@pytest.mark.parametrize("listed", [{"data": None}, {"data": []}, {"object": "list", "data": None, "models": None}])
def test_a_list_of_nothing_is_a_server_without_a_model(listed: Any) -> None:
    with pytest.raises(ModelUnclear, match="no model loaded"):
        backend({"/v1/models": listed}).describe()


@pytest.mark.parametrize("listed", [{"models": [{"id": "qwen3"}]}, [{"id": "qwen3"}], {"data": {"id": "qwen3"}}])
def test_a_list_may_stand_elsewhere(listed: Any) -> None:
    assert backend({"/v1/models": listed}).describe()["model_key"] == "qwen3"


# --- a connection that was kept open, and closed meanwhile ---


def closes_next(answer: Any = ONE_TWO) -> Any:
    """This answer; the next request on the connection is met by its end, without a byte."""

    def once(handler: Handler) -> None:
        answer(handler)
        with suppress(OSError):
            handler.rfile.read(1)
            handler.hang_up()

    return once


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with Loopback() as server:
        yield server


def asked(server: Loopback, times: int = 1) -> list[Facts]:
    """The rows of so many requests in turn, by one client."""
    with measure.connect(server.url) as client:
        kind = OpenAIChat(client, "m")
        request = kind.chat([{"role": "user", "content": "Hi"}], 9, {})
        return [record.of_exchange(measure.exchange(client, request, kind.parse)) for _ in range(times)]


def test_a_request_that_met_a_closed_connection_is_sent_again_on_a_new_one(loopback: Loopback) -> None:
    loopback.otherwise = closes_next()
    rows = asked(loopback, times=4)
    assert [row["error_kind"] for row in rows] == [None] * 4
    assert [row["sent_again"] for row in rows] == [False, True, True, True]
    assert loopback.connections == 4


def test_a_server_that_hangs_up_on_a_new_connection_is_asked_once(loopback: Loopback) -> None:
    loopback.otherwise = hang_up
    [row] = asked(loopback)
    assert (row["error_kind"], row["sent_again"], len(loopback.asked)) == ("transport", False, 1)


def test_a_server_that_hangs_up_again_is_asked_twice(loopback: Loopback) -> None:
    loopback.otherwise = ONE_TWO
    with measure.connect(loopback.url) as client:
        kind = OpenAIChat(client, "m")
        request = kind.chat([{"role": "user", "content": "Hi"}], 9, {})
        assert measure.exchange(client, request, kind.parse).error_kind is None
        loopback.otherwise = hang_up
        row = record.of_exchange(measure.exchange(client, request, kind.parse))
    assert (row["error_kind"], row["sent_again"], len(loopback.asked)) == ("transport", True, 3)


def test_an_answer_that_had_begun_is_not_asked_for_again(loopback: Loopback) -> None:
    def headers_only(handler: Handler) -> None:
        handler.begin_stream()
        handler.hang_up()

    with measure.connect(loopback.url) as client:
        kind = OpenAIChat(client, "m")
        request = kind.chat([{"role": "user", "content": "Hi"}], 9, {})
        assert measure.exchange(client, request, kind.parse).error_kind is None
        loopback.otherwise = headers_only
        row = record.of_exchange(measure.exchange(client, request, kind.parse))
    assert (row["error_kind"], row["sent_again"], len(loopback.asked)) == ("stream_cut", False, 2)


def test_a_server_that_was_at_work_when_it_went_is_not_asked_again(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STALE_S", 0)  # it took longer than this to hang up
    with measure.connect(loopback.url) as client:
        kind = OpenAIChat(client, "m")
        request = kind.chat([{"role": "user", "content": "Hi"}], 9, {})
        assert measure.exchange(client, request, kind.parse).error_kind is None
        loopback.otherwise = hang_up
        row = record.of_exchange(measure.exchange(client, request, kind.parse))
    assert (row["error_kind"], row["sent_again"], len(loopback.asked)) == ("transport", False, 2)


MOMENT = int(0.9 * limits.STALE_S * 1e9)


def test_times_count_from_the_second_sending(loopback: Loopback) -> None:
    """By the clock, the first sending takes almost a second to fail."""
    shift = [0]

    def clock() -> int:
        return measure.clock() + shift[0]

    def hangs_up_late(handler: Handler) -> None:
        shift[0] = MOMENT
        loopback.otherwise = ONE_TWO
        handler.hang_up()

    with measure.connect(loopback.url) as client:
        client._transport._clock = clock  # type: ignore[attr-defined]
        kind = OpenAIChat(client, "m")
        request = kind.chat([{"role": "user", "content": "Hi"}], 9, {})
        measure.exchange(client, request, kind.parse, clock=clock)
        loopback.otherwise = hangs_up_late
        before = clock()
        seen = measure.exchange(client, request, kind.parse, clock=clock)
    assert seen.sent_again
    assert seen.sent_at >= before + MOMENT
    assert seen.headers_ns is not None and seen.headers_ns < MOMENT


@pytest.mark.parametrize("path", ["/v1/models", "/props"])
def test_other_questions_are_asked_again_too(loopback: Loopback, path: str) -> None:
    loopback.routes["/stale"] = closes_next(lambda handler: handler.whole(200, {}))
    loopback.routes["/props"] = lambda handler: handler.whole(200, {})
    with measure.connect(loopback.url) as client:
        assert client.get("/stale").status_code == 200
        assert client.get(path).status_code == 200
    assert loopback.connections == 2
