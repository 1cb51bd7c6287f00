"""Streams changed on their way: nothing they mean is changed, so what is read is known exactly, times included."""

import functools
import json
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from random import Random

from collector import measure, record
from collector.backends import Facts
from collector.schema import OUTPUT_FLAWS
from tests.conftest import MS
from tests.read_streams import HEADERS_MS, LOST, READER, Steps, Stream

ENDS = (b"\n", b"\r\n", b"\r")
NOISE = (b": ping", b":", b"id: 7", b"event: message", b"retry: 10", b"nonsense", "note: 量\u2028子".encode())
FIGURES = (
    *("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens", "reported_decode_tps"),
    *("reported_prefill_tps", "reported_prompt_ms", "reported_decode_ms", "finish_reason", "system_fingerprint"),
)


@dataclass(frozen=True)
class Framed:
    """A stream's bytes in pieces, and after how many bytes each event is complete."""

    steps: Steps
    complete_at: list[int]

    def times_ms(self) -> list[int]:
        """When each event is complete; those never complete are left out."""
        pieces = [(ms, len(piece)) for ms, piece in self.steps if isinstance(piece, bytes)]
        at = list(accumulate(ms for ms, _ in pieces))
        ends = list(accumulate(size for _, size in pieces))
        found = (bisect_left(ends, end) for end in self.complete_at)
        return [HEADERS_MS + at[piece] for piece in found if piece < len(at)]


def framed(stream: Stream, draw: Random) -> Framed:
    """The same events: other line ends, comments, unknown fields, data over several lines, cut anywhere."""
    choice = draw.choice(("\n", "\r\n", "\r", "mixed"))
    ends = ENDS if choice == "mixed" else (choice.encode(),)
    is_noisy = draw.random() < 0.5
    raw = bytearray(b"\xef\xbb\xbf" if draw.random() < 0.2 else b"")
    complete_at, end = [], b""
    for data in stream:
        for line in _lines(data, draw, is_noisy):
            end = draw.choice(ends)
            if not line and raw.endswith(b"\r") and end == b"\n":
                end = b"\r\n"  # else it would belong to the line before
            raw += line + end
        complete_at.append(len(raw) - len(end) + 1)
    return Framed(list(_pieces(bytes(raw), draw)), complete_at)


def _lines(data: str, draw: Random, is_noisy: bool) -> list[bytes]:
    """The lines of one event, the empty one that ends it included."""
    values = [data]
    if is_noisy and draw.random() < 0.2 and data.startswith("{"):
        values = json.dumps(json.loads(data), indent=0, ensure_ascii=False).split("\n")
    space = b"" if is_noisy and draw.random() < 0.3 and not data.startswith(" ") else b" "
    lines = [b"data:" + space + value.encode() for value in values]
    while is_noisy and draw.random() < 0.3:
        lines.insert(draw.randrange(len(lines) + 1), draw.choice(NOISE))
    between = [[b""], [b": keepalive 1/2", b""], [b"", b""]] if is_noisy else [[]]
    return [*draw.choice([[], *between]), *lines, b""]


def _pieces(raw: bytes, draw: Random) -> Iterator[tuple[int, bytes]]:
    most = draw.choice((0, 1, 3, 12, 40, 200, 0 if draw.random() < 0.9 else len(raw)))
    cuts = range(1, len(raw)) if most >= len(raw) else sorted(draw.sample(range(1, len(raw)), most))
    for start, stop in pairwise((0, *cuts, len(raw))):
        yield draw.randrange(1, 50), raw[start:stop]


@functools.cache
def as_sent(stream: Stream) -> measure.Exchange:
    """The stream read one event a piece, each at a time of its own."""
    return READER.read([(1, f"data: {data}\n\n".encode()) for data in stream])


def expected(stream: Stream, framed: Framed) -> Facts:
    """The row that must come of it: as of the stream itself, at the times at which its events are complete."""
    whole, times = as_sent(stream), framed.times_ms()
    arrivals = [(times[at // MS - HEADERS_MS - 1] * MS, kind, text) for at, kind, text in whole.arrivals]
    done = times[stream.index("[DONE]")] if "[DONE]" in stream else HEADERS_MS + sum(ms for ms, _ in framed.steps)
    seen = measure.Exchange(
        sent_at=0,
        headers_ns=HEADERS_MS * MS,
        first_event_ns=times[0] * MS,
        done_ns=done * MS,
        arrivals=arrivals,
        facts=whole.facts,
        error_kind=whole.error_kind,
        error_detail=whole.error_detail,
        slept_ms=whole.slept_ms,
        stood_ms=whole.stood_ms,
    )
    return record.of_exchange(seen)


def cut(framed: Framed, draw: Random) -> Framed:
    """The same with the connection lost after any byte, or closed as if that were all."""
    pieces = [(ms, piece) for ms, piece in framed.steps if isinstance(piece, bytes)]
    at = draw.randrange(sum(len(piece) for _, piece in pieces))
    steps: Steps = []
    for ms, piece in pieces:
        steps.append((ms, piece[:at]))
        at -= len(piece)
        if at <= 0:
            break
    lost = draw.choice((None, *LOST))
    return Framed([*steps, (5, lost)] if lost else steps, framed.complete_at)


def wrong_when_framed(stream: Stream, framed: Framed) -> str | None:
    """How the row differs from the one that must come; None where it does not."""
    row, right = record.of_exchange(READER.read(framed.steps)), expected(stream, framed)
    names = (row | right).keys() - {"client_cpu_us"}
    wrong = sorted(name for name in names if row.get(name) != right.get(name))
    return next((f"{name}: {row.get(name)!r} instead of {right.get(name)!r}" for name in wrong), None)


def wrong_when_cut(stream: Stream, framed: Framed) -> str | None:
    """What is told that was not sent, or lacks without a word; None where the row is right as far as it goes."""
    seen, whole = READER.read(framed.steps), as_sent(stream)
    row, right = record.of_exchange(seen), record.of_exchange(whole)
    told = [(kind, text) for _, kind, text in seen.arrivals]
    if seen.error_kind in ("bad_event", "stream_cut") and told[-1:] == [("other", "")]:
        told.pop()
    if told != [(kind, text) for _, kind, text in whole.arrivals][: len(told)]:
        return "what arrived is no beginning of what was sent"
    if row["error_kind"] not in (None, *OUTPUT_FLAWS):
        return None
    for name in ("output_text", "reasoning_text", *FIGURES):
        lacks = row.get(name) is None and not name.endswith("_text")
        if not lacks and row.get(name) != right.get(name):
            return f"{name}: {row.get(name)!r} instead of {right.get(name)!r}, and no error"
    return None
