"""Streams as servers send them, and the code that measures, reading them without a socket."""

import functools
import json
import re
from pathlib import Path
from random import Random
from typing import Any

import httpx

from collector import measure
from collector.backends import Request
from collector.backends.openai_chat import OpenAIChat
from tests.conftest import FakeClock, Script

FOLDER = Path(__file__).parent / "streams"
OWN = 24  # streams of our own
HEADERS_MS = 1
WORDS = (
    *(
        " the",
        "量子",
        "\u2028",
        "👋🏽",
        "\x85",
        " a\tb",
        "é",
        "\n\n",
        "data: x",
        "\\",
        '"',
        "．",
        " \ufeff",
        "\u2029ok",
    ),
)
LOST = (httpx.ReadError("reset by peer"), httpx.RemoteProtocolError("incomplete chunked read"))
Stream = tuple[str, ...]  # the data of each event
Steps = list[tuple[int, bytes | Exception]]  # ms to let pass, then what arrives


class Reader:
    """Reads with the code that measures, from a server that is a list of steps on a fake clock; no socket."""

    def __init__(self) -> None:
        self._clock = FakeClock()
        self._steps: Steps = []
        self._status, self._kind = 200, ""
        self._client = measure.connect("http://127.0.0.1:1", transport=httpx.MockTransport(self._answer))
        self._parse = OpenAIChat(self._client, "m").parse
        self._request = Request("/v1/chat/completions", {"model": "m", "messages": [], "stream": True})

    def read(self, steps: Steps, status: int = 200, kind: str = "text/event-stream") -> measure.Exchange:
        """What is seen of a request that is answered so."""
        self._steps, self._status, self._kind = steps, status, kind
        return measure.exchange(self._client, self._request, self._parse, clock=self._clock, asleep=lambda: 0)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self._clock.pass_ms(HEADERS_MS)
        headers = {"content-type": self._kind}
        return httpx.Response(self._status, headers=headers, stream=Script(self._clock, tuple(self._steps)))


READER = Reader()


@functools.cache
def recorded() -> dict[str, Stream]:
    """Those in `streams/`, less comments."""
    return {path.stem: _events(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.sse"))}


def _events(text: str) -> Stream:
    return tuple(re.findall(r"^data: ?(.*)$", text, re.MULTILINE))


@functools.cache
def written(number: int) -> Stream:
    """One of our own, every third long enough to have every figure, full of characters that readers tear apart."""
    draw = Random(number)
    key = draw.choice(("reasoning_content", "reasoning"))
    texts = [draw.choice(WORDS) for _ in range(draw.randrange(34, 48) if number % 3 == 0 else draw.randrange(1, 9))]
    thought = draw.choice((0, 0, draw.randrange(1, len(texts))))
    events = [_chunk({"role": "assistant", "content": draw.choice((None, ""))})]
    events += [_chunk({key if at < thought else "content": text}) for at, text in enumerate(texts)]
    events.append(_chunk({}, finish=draw.choice(("stop", "length"))))
    usage: dict[str, Any] = {"prompt_tokens": draw.randrange(512, 9000), "completion_tokens": len(texts)}
    if draw.random() < 0.5:
        usage |= {"prompt_tokens_details": {"cached_tokens": 0}}
    events.append(json.dumps({"choices": [], "usage": usage}))
    return (*events, *(["[DONE]"] if draw.random() < 0.8 else []))


def _chunk(delta: dict[str, Any], finish: str | None = None) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}, ensure_ascii=False)


def any_stream(draw: Random) -> Stream:
    """A recorded one or one of our own."""
    number = draw.randrange(3 * OWN)
    names = list(recorded())
    return written(number) if number < OWN else recorded()[names[number % len(names)]]
