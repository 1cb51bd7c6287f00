"""What a server may not do to `collect`: lead it elsewhere, get at the token, or send without end. Real HTTP."""

import gzip
import itertools
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from collector import limits, measure, sse
from collector.backends.embedded import Embedded
from collector.backends.identity import get_json
from collector.backends.lmstudio import LMStudio
from collector.backends.openai_chat import OpenAIChat
from collector.errors import ServerNotFound
from collector.schema import CLONE
from tests.conftest import DONE, delta
from tests.loopback import Answer, Handler, Loopback

TOKEN = "token-of-one-server"
SMALL = 1_000_000


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as started:
        yield started


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limits, sooner reached."""
    monkeypatch.setattr(limits, "STREAM_BYTES", 4 * SMALL)
    monkeypatch.setattr(limits, "BODY_BYTES", SMALL)
    monkeypatch.setattr(sse, "LONGEST", SMALL)


def asked(server: Loopback, token: str | None = None) -> measure.Exchange:
    """One chat request to it."""
    with measure.connect(server.url, token) as client:
        backend = OpenAIChat(client, "m")
        return measure.exchange(client, backend.chat([{"role": "user", "content": "Hi"}], 8, {}), backend.parse)


def endless(*pieces: bytes, kind: str = "text/event-stream", status: int = 200) -> Answer:
    """The last of these pieces again and again, until nobody listens."""

    def answer(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for piece in itertools.chain(pieces, itertools.repeat(pieces[-1])):
            handler.piece(piece)

    return answer


# ---------------------------------------------------------------- elsewhere


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_and_the_token_stays(status: int, server: Loopback) -> None:
    def lead(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Location", f"{other.url}{handler.path}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with Loopback() as other:
        server.routes["/v1/models"] = lead
        server.otherwise = lead
        seen = asked(server, TOKEN)
        assert (seen.error_kind, seen.facts["http_status"]) == ("http_status", status)
        with measure.connect(server.url, TOKEN) as client:
            with pytest.raises(ServerNotFound, match="redirects to another address"):
                OpenAIChat(client).models()
            assert get_json(client, "/v1/models") == {}
            assert get_json(client, "/v1/chat/completions", post={"messages": [{"content": ""}] * 2}) == {}
    assert (other.connections, other.asked) == (0, [])
    assert server.tokens == {f"Bearer {TOKEN}"}


def test_the_token_goes_to_no_other_port(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []

    def told(handler: Handler) -> None:
        seen.append(handler.headers["Authorization"])
        handler.whole(200, {"package": "llmster", "version": "0.4.24"})

    server.routes["/lms-status"] = told
    port = int(server.url.rpartition(":")[2])
    monkeypatch.setattr("collector.backends.lmstudio.STATUS_PORTS", (port,))
    with measure.connect("http://127.0.0.1:1", TOKEN) as client:
        assert LMStudio(client)._version() == "llmster 0.4.24"
    assert seen == [None]


def test_an_engine_of_our_own_gets_no_token(server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Started:
        def __init__(self, *_: object, **__: object) -> None:
            self.stdout = self

        def readline(self) -> str:
            return f"{server.url}\n"

    monkeypatch.setattr(subprocess, "Popen", Started)
    with measure.connect("http://127.0.0.1:1", TOKEN) as client:
        model = tmp_path / "model.gguf"
        model.write_bytes(b"GGUF")
        Embedded(client, model, 512).load()
        assert str(client.base_url).rstrip("/") == server.url
        client.post("/v1/chat/completions", json={"messages": [{"content": "Hi"}]})
    assert server.tokens == {None}


# ---------------------------------------------------------------- without end


ENDLESS: dict[str, tuple[Answer, str]] = {
    "a line": (endless(b"data: ", b"x" * 60_000), "the server sent an event of more than 1 MB"),
    "a line of nothing": (endless(b": ", b"x" * 60_000), "the server sent an event of more than 1 MB"),
    "an event": (endless(b"data: " + b"x" * 60_000 + b"\n"), "the server sent an event of more than 1 MB"),
    "a stream": (endless(delta(content="x" * 30_000)), "the server sent more than 4 MB"),
    "comments": (endless(b": " + b"k" * 60_000 + b"\n\n"), "the server sent more than 4 MB"),
    "an error": (endless(b"x" * 60_000, kind="text/plain", status=500), "the server sent more than 1 MB"),
    "JSON": (endless(b"[" * 60_000, kind="application/json"), "the server sent more than 1 MB"),
}


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.usefixtures("small")
def test_what_does_not_end_is_cut_and_says_so(kind: str, server: Loopback) -> None:
    server.otherwise, words = ENDLESS[kind]
    tracemalloc.start()
    seen = asked(server)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (seen.error_kind, seen.error_detail) == ("stream_cut", words)
    assert peak < 12 * SMALL


@pytest.mark.usefixtures("small")
def test_what_follows_the_end_of_a_stream_is_cut_and_nothing_is_lost(server: Loopback) -> None:
    server.otherwise = endless(delta(content="Hi"), delta("stop"), DONE, delta(content="x" * 30_000))
    seen = asked(server)
    assert (seen.error_kind, [text for _, _, text in seen.arrivals if text]) == (None, ["Hi"])


@pytest.mark.usefixtures("small")
def test_a_list_of_models_without_end_is_none(server: Loopback) -> None:
    server.routes["/v1/models"] = endless(b'{"data": [', b"[" * 60_000, kind="application/json")
    with measure.connect(server.url) as client:
        assert get_json(client, "/v1/models") == {}
        with pytest.raises(ServerNotFound):
            OpenAIChat(client).models()


def test_an_answer_that_takes_too_long_is_cut_although_something_always_comes(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANSWER_S", 0)
    server.otherwise = endless(delta(content="x"))
    seen = asked(server)
    assert (seen.error_kind, seen.error_detail) == ("timeout", "ReadTimeout the answer took longer than 0 s")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_nothing_is_decompressed(encoding: str, server: Loopback) -> None:
    """20 MB of nothing in 90 kB."""
    bomb = gzip.compress(b" " * 20_000_000, compresslevel=1)

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Encoding", encoding)
        handler.send_header("Content-Length", str(len(bomb)))
        handler.end_headers()
        handler.wfile.write(bomb)

    server.routes["/v1/models"] = answer
    server.otherwise = answer
    with measure.connect(server.url) as client, pytest.raises(httpx.ReadError, match="compressed"):
        client.get("/v1/models")
    seen = asked(server)
    assert (seen.error_kind, seen.error_detail) == (
        "transport",
        "the server compressed its answer, though asked not to",
    )


# ---------------------------------------------------------------- and says so


def test_the_limits_are_the_ones_that_help_tells() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "collector", "--help"], capture_output=True, text=True, check=True, cwd=CLONE
    )
    said = re.sub(r"\s+", " ", done.stdout)
    minutes, hours, most = limits.SILENCE_S // 60, limits.ANSWER_S // 3600, limits.STREAM_BYTES // 10**6
    assert f"silent for {minutes} minutes, answers one request for more than {hours} hours" in said
    assert f"sends more than {most} MB or {sse.MOST:,} events; redirects are not followed" in said
    assert measure.TIMEOUT.read == limits.SILENCE_S


def test_the_limits_leave_room_for_the_longest_honest_answer() -> None:
    assert len(delta(content="字" * 4)) * 131_072 < limits.STREAM_BYTES
