"""Streams of servers that have gone wrong: they may say anything, and the rules of a row must hold all the same."""

import copy
import json
import re
from collections.abc import Sequence
from random import Random
from typing import Any

from collector import measure
from collector.backends import Facts
from collector.schema import COLUMNS, LARGEST, OUTPUT_FLAWS
from tests.framing import FIGURES
from tests.read_streams import LOST, Steps, Stream

TYPES = {column.name: column.type for column in COLUMNS}
KINDS = {
    *("http_status", "not_streamed", "server_error", "worker_gone", "not_loaded", "context_overflow"),
    *("bad_event", "empty", "several_choices", "stream_cut", "timeout", "transport", *OUTPUT_FLAWS),
}
MOST_DETAIL = 2 * measure.SHOWN
_MARK = re.compile(r'"@@(\d+)@@"')
RAW = (
    *("NaN", "Infinity", "-Infinity", "1e999", "-0.0", "-1e-400", "01", "tru", "'x'", '"no end', "9" * 5000),
    *("1" + "0" * 400, "-" + "9" * 30, "[" * 100_000, "[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900),
    *(r'"\ud83d"', r'"\udc00x"', r'"\u0000"', r'"\uD83D\uDE00"', "1.7976931348623157e308", "2147483648", "-2147483649"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, -(2**31), 2**31 - 1, 2**31, 2**63, 2**64, 1.5, 53.0, -0.5, 1e300),
    *("", " ", "53", "NaN", "text", "\u2028", "\x00\x1b[31m", "<think>", "</think>", "<|im_end|>"),
    *("\u202eabc", "x" * 9000),
    *([], {}, [None], [[]], {"a": {}}, [{}], [1, 2], {"message": None}, [{"type": "text", "text": "hi"}]),
    *(f"@@{number}@@" for number in range(len(RAW))),
)
KEYS = (
    *("choices", "delta", "content", "reasoning", "reasoning_content", "finish_reason", "usage", "timings", "error"),
    *("prompt_tokens", "completion_tokens", "prompt_tokens_details", "cached_tokens", "completion_tokens_details"),
    *("reasoning_tokens", "system_fingerprint", "cache_n", "predicted_per_second", "prompt_ms", "predicted_ms"),
)
STRANGE = (
    *("", " ", "[DONE]", "[done]", "null", "[]", "7", '"text"', "{", "}", '{"choices":null}', '{"choices":[]}', "{}"),
    '{"choices":[{"delta":null,"finish_reason":"stop"}]}',
    '{"choices":[{"index":1,"delta":{"content":"other"}},{"index":0,"delta":{"content":"first"}}]}',
    '{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{"}}]}}]}',
    '{"choices":[{"delta":{"content":null,"reasoning_content":null},"finish_reason":"tool_calls"}]}',
    '{"choices":[],"usage":{"prompt_tokens":-5,"completion_tokens":-7}}',
    '{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":9,"completion_tokens":1e9}}',
    '{"error":{"message":' * 400 + "1" + "}}" * 400,
    '{"error":"' + "a.b@c " * 20_000 + '"}',
    '{"error":{"message":"model \\"x\\" out of memory","code":500}}',
    *RAW,
)


def garbled(stream: Stream, draw: Random) -> tuple[Steps, int, str]:
    """The stream of a server that has gone wrong; the status and the content type it sends."""
    events = list(stream)
    for _ in range(draw.choice((1, 1, 2, 3, 6))):
        draw.choice(CHANGES)(events, draw)
    raw = [bytearray(f"data: {data}\n\n".encode("utf-8", "surrogatepass")) for data in events]
    if draw.random() < 0.15:
        for _ in range(draw.choice((1, 2, 8))):
            if raw:
                _flip(draw.choice(raw), draw)
    steps: Steps = [(draw.randrange(50), bytes(piece)) for piece in raw]
    if draw.random() < 0.05:
        steps.insert(draw.randrange(len(steps) + 1), (5, draw.choice(LOST)))
    status = draw.choice((200,) * 60 + (204, 400, 401, 500, 503))
    return steps, status, draw.choice(("text/event-stream",) * 40 + ("", "text/plain", "application/json"))


def _flip(piece: bytearray, draw: Random) -> None:
    if piece:
        piece[draw.randrange(len(piece))] ^= 1 << draw.randrange(8)


def _drop(events: list[str], draw: Random) -> None:
    if events:
        del events[draw.randrange(len(events))]


def _repeat(events: list[str], draw: Random) -> None:
    if events:
        events.insert(draw.randrange(len(events) + 1), draw.choice(events))


def _swap(events: list[str], draw: Random) -> None:
    draw.shuffle(events) if draw.random() < 0.2 else events.append(events.pop(0)) if events else None


def _insert(events: list[str], draw: Random) -> None:
    events.insert(draw.randrange(len(events) + 1), draw.choice(STRANGE))


def _truncate(events: list[str], draw: Random) -> None:
    if events:
        at = draw.randrange(len(events))
        events[at] = events[at][: draw.randrange(len(events[at]) + 1)]


def _change(events: list[str], draw: Random) -> None:
    """Another value, none, or two, at some place in some event's JSON."""
    at = draw.randrange(len(events)) if events else 0
    if not events or not events[at].startswith("{"):
        return
    try:
        chunk = json.loads(events[at])
    except (ValueError, RecursionError):
        return
    change_json(chunk, draw)
    events[at] = as_json(chunk)


CHANGES = (_change, _change, _change, _change, _change, _change, _drop, _repeat, _swap, _insert, _insert, _truncate)


def change_json(value: Any, draw: Random) -> None:
    """Change something in an object or list."""
    node, key = value, None
    while True:
        inner = [name for name, one in _children(node) if isinstance(one, dict | list) and one]
        if not inner or draw.random() < 0.25:
            break
        node = node[draw.choice(inner)]
    keys = [name for name, _ in _children(node)]
    key = draw.choice(keys) if keys and draw.random() < 0.85 else None
    what = draw.random()
    if key is None:
        if isinstance(node, dict):
            node[draw.choice(KEYS)] = _value(draw)
        elif isinstance(node, list):
            node.insert(0, _value(draw))
    elif what < 0.15:
        del node[key]
    elif what < 0.3 and isinstance(node, dict):
        node[f"{key}@@again@@"] = _value(draw)  # the same name twice
    elif what < 0.4:
        node[key] = draw.choice(([node[key]], {"value": node[key]}, str(node[key])))
    else:
        node[key] = _value(draw)


def _value(draw: Random) -> Any:
    return copy.deepcopy(draw.choice(VALUES))  # it may be changed in its turn


def as_json(value: Any) -> str:
    """JSON with what `VALUES` and `change_json` stand for: literals that no writer writes, names that come twice."""
    text = json.dumps(value, ensure_ascii=False).replace("@@again@@", "")
    return _MARK.sub(lambda found: RAW[int(found[1])], text)


def _children(node: Any) -> Sequence[tuple[Any, Any]]:
    return list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []


def broken_rules(row: Facts) -> list[str]:
    """Which rules of a request's row do not hold."""
    offsets = [row[name] for name in ("headers_ns", "first_event_ns", "first_text_ns", "last_text_ns", "done_ns")]
    known = [offset for offset in offsets if offset is not None]
    texts = {"answer": row["output_text"] or "", "reasoning": row["reasoning_text"] or ""}
    text = [row[name] for name in ("first_text_ns", "first_answer_ns", "last_text_ns") if row[name] is not None]
    gaps = [chunk["gap_us"] for chunk in row["chunks"]]
    chars = {kind: sum(chunk["chars"] for chunk in row["chunks"] if chunk["kind"] == kind) for kind in texts}
    rules = {
        "offsets ascend from zero": known == sorted(known) and min(known) >= 0,
        "the answer begins within the text": text == sorted(text) and len(text) != 1,
        "there is a time where there is text": (row["first_text_ns"] is None) == (not any(texts.values()))
        and (row["first_answer_ns"] is None) == (not texts["answer"]),
        "chunks hold the text": chars == {kind: len(text) for kind, text in texts.items()},
        "gaps add up": all(gap >= 0 for gap in gaps) and sum(gaps) * 1000 <= row["done_ns"],
        "an error is one of those there are": row["error_kind"] is None or row["error_kind"] in KINDS,
        "no text is an error": row["error_kind"] is not None or any(texts.values()),
        "what is said of an error is short": len(row["error_detail"] or "") <= MOST_DETAIL,
        "figures are numbers that can be": all(can_be(name, row.get(name)) for name in FIGURES),
    }
    return [rule for rule, holds in rules.items() if not holds]


def can_be(name: str, value: Any) -> bool:
    """Whether a column may hold a value that a server told."""
    if value is None:
        return True
    if TYPES[name] == "VARCHAR":
        return isinstance(value, str)
    if TYPES[name] == "VARCHAR[]":
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    is_number = isinstance(value, int) or (TYPES[name] == "DOUBLE" and isinstance(value, float))
    return is_number and not isinstance(value, bool) and 0 <= value <= LARGEST[TYPES[name]]
