"""A server that is never silent and never done: every part of an exchange ends at one deadline. Real HTTP."""

import time
from collections.abc import Iterator
from typing import Any

import httpcore
import httpx
import pytest

from collector import context, deadline, limits, measure, sse
from collector.backends import identity, listing
from collector.backends.identity import get_json
from collector.backends.openai_chat import OpenAIChat
from collector.errors import ServerNotFound
from tests.conftest import DONE, delta, usage
from tests.loopback import Answer, Handler, Loopback
from tests.test_limits import asked

SOON_S = 0.15
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
WHOLE = b"".join((delta(content="Hi"), delta("stop"), usage(9, 1), DONE))
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
INTERIM = b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n"


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as started:
        yield started


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ANSWER_S", SOON_S)


def dripping(first: bytes, piece: bytes, pause_s: float = 0.01) -> Answer:
    """The first bytes, then more of them now and then, until nobody listens."""

    def answer(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(first)
        while True:
            time.sleep(pause_s)
            handler.wfile.write(piece)

    return answer


def silent(first: bytes) -> Answer:
    """The first bytes, then nothing, until nobody listens."""

    def answer(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(first)
        handler.connection.recv(1)

    return answer


NEVER: dict[str, Answer] = {
    "the status line": dripping(b"HTTP/1.1 2", b"0"),
    "a header": dripping(OK + b"X: ", b"a"),
    "headers": dripping(OK, b"X: y\r\n"),
    "interim answers": dripping(b"", INTERIM),
    "a flood of interim answers": dripping(b"", INTERIM * 500, 0),
    "an error": dripping(b"HTTP/1.1 500 Bad\r\nContent-Type: application/json\r\n\r\n{", b" "),
    "the extension of a chunk": dripping(CHUNKED + b"5;", b"x"),
    "a chunk": dripping(CHUNKED + b"ffff\r\n", b":"),
    "comments": dripping(OK + b"\r\n", b": x\n"),
    "events of nothing": dripping(OK + b"\r\n", b"data: {}\n\n"),
    "nothing": silent(b""),
    "nothing after headers": silent(OK + b"\r\n"),
}


@pytest.mark.parametrize("what", NEVER)
def test_an_exchange_ends_whatever_drips(what: str, server: Loopback) -> None:
    server.otherwise = NEVER[what]
    seen = asked(server)
    assert (seen.error_kind, seen.error_detail) == ("timeout", "ReadTimeout the answer took longer than 0 s")


def test_trailers_without_end_cost_the_deadline_and_not_the_answer(server: Loopback) -> None:
    server.otherwise = dripping(CHUNKED + b"%x\r\n%s\r\n0\r\nX: " % (len(WHOLE), WHOLE), b"x")
    seen = asked(server)
    assert (seen.error_kind, [text for _, _, text in seen.arrivals if text]) == (None, ["Hi"])


@pytest.mark.parametrize("what", ["a header", "interim answers", "the extension of a chunk", "nothing"])
@pytest.mark.parametrize("post", [None, {"messages": [{"content": ""}]}])
def test_what_is_asked_beside_the_measuring_ends_too(what: str, post: dict[str, Any] | None, server: Loopback) -> None:
    server.routes["/v1/models"] = server.otherwise = NEVER[what]
    with measure.connect(server.url) as client:
        assert get_json(client, "/v1/models" if post is None else "/v1/chat/completions", post=post) == {}
        with pytest.raises(ServerNotFound, match="did not answer in"):
            OpenAIChat(client).models()


def test_a_server_that_lets_questions_lie_is_asked_in_a_hurry_until_it_answers(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    real = httpx.Client.get

    def get(client: httpx.Client, path: str, *, timeout: float) -> httpx.Response:
        waits.append(timeout)
        return real(client, path, timeout=timeout)

    monkeypatch.setattr(httpx.Client, "get", get)
    server.routes["/silent"] = NEVER["nothing"]
    with measure.connect(server.url) as client:
        for path in ("/silent", "/silent", "/v1/models", "/silent"):
            get_json(client, path)
    assert waits == [identity.ASKED_S, identity.HURRIED_S, identity.HURRIED_S, identity.ASKED_S]


def test_a_short_patience_is_for_the_whole_answer(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ANSWER_S", 3600)
    for module, name in ((identity, "ASKED_S"), (listing, "PATIENCE_S"), (measure, "TRIVIAL_S")):
        monkeypatch.setattr(module, name, SOON_S)
    server.routes["/v1/models"] = NEVER["a header"]
    with measure.connect(server.url) as client:
        assert get_json(client, "/v1/models") == {}
        with pytest.raises(ServerNotFound, match="did not answer in"):
            OpenAIChat(client).models()
        with pytest.raises(httpx.TimeoutException):
            measure.roundtrips(client, (("GET", "/v1/models"),))


def test_a_ladders_budget_ends_a_request_whose_headers_never_end(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANSWER_S", 3600)
    server.otherwise = NEVER["a header"]
    with measure.connect(server.url) as client:
        backend = OpenAIChat(client, "m")
        request = backend.chat([{"role": "user", "content": "Hi"}], 8, {})
        seen = measure.exchange(client, request, backend.parse, within_s=SOON_S)
    assert seen.error_kind == "timeout"
    assert context.GRACE_S > SOON_S


def test_more_bytes_than_any_answer_has_end_it_before_its_headers(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANSWER_S", 3600)
    monkeypatch.setattr(limits, "STREAM_BYTES", 1_000_000)
    monkeypatch.setattr(limits, "BODY_BYTES", 1_000_000)
    server.otherwise = NEVER["a flood of interim answers"]
    seen = asked(server)
    assert (seen.error_kind, seen.error_detail) == ("transport", "the server sent more than 2 MB")


def test_the_deadline_is_of_each_exchange(server: Loopback) -> None:
    passed = [10**12]
    watched = deadline.Deadline(lambda: passed[0])
    watched.begin(2, 100)
    assert watched.wait_s(None) == 2
    passed[0] += 10**9
    assert (watched.wait_s(None), watched.wait_s(0.5)) == (1, 0.5)
    passed[0] += 10**9
    with pytest.raises(httpcore.ReadTimeout, match="longer than 2 s"):
        watched.wait_s(None)
    watched.begin(2, 100)
    assert watched.wait_s(None) == 2


# ---------------------------------------------------------------- events


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ANSWER_S", 3600)
    monkeypatch.setattr(sse, "MOST", 1000)


def stream(*events: bytes) -> Answer:
    def answer(handler: Handler) -> None:
        handler.begin_stream()
        for event in events:
            handler.piece(event)
        handler.piece(b"")

    return answer


@pytest.mark.parametrize("event", [b"data:{}\n\n", b"event: x\ndata: {}\r\n\r\n", delta(content="")])
@pytest.mark.usefixtures("few")
def test_events_without_end_are_cut_and_say_so(event: bytes, server: Loopback) -> None:
    server.otherwise = stream(delta(content="Hi"), event * 1000)
    seen = asked(server)
    assert (seen.error_kind, seen.error_detail) == ("stream_cut", "the server sent more than 1,000 events")
    assert len(seen.arrivals) <= 1000


@pytest.mark.usefixtures("few")
def test_as_many_events_as_an_answer_may_have_are_one(server: Loopback) -> None:
    server.otherwise = stream(delta(content="x") * 997, delta("stop"), usage(9, 997), DONE)
    assert asked(server).error_kind is None


@pytest.mark.usefixtures("few")
def test_events_after_the_end_are_not_kept(server: Loopback) -> None:
    server.otherwise = stream(WHOLE, b"data:{}\n\n" * 5000)
    seen = asked(server)
    assert seen.error_kind is None
    assert len(seen.arrivals) < 10
