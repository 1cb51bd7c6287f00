"""What one event of a `/v1/chat/completions` stream says, whoever sent it."""

import json
import re
from typing import Any

from collector.backends import Event, Facts

GAVE_UP = re.compile(r"(?i)abort|error|cancel|fail|timeout|insufficient|crash")  # finish reasons of a server
ALIVE = ("ping", "keepalive", "keep-alive", "heartbeat")  # names of events that say nothing else
LIFE = re.compile(r"(?i)[\s:.]*|\W{0,3}(ping|pong|keep-?alive|heart-?beat|processing|waiting)\W{0,3}")  # and data
REASONING = ("reasoning_content", "reasoning")
THOUGHT = re.compile(r"(?i)reason|think|thought")  # in names that other servers have for it
# Keys of a delta, or of what is in it, whose text nobody generated.
SILENT = {
    "role",
    "id",
    "type",
    "name",
    "index",
    "object",
    "status",
    "model",
    "format",
    "data",
    "language",
    "stop_reason",
}
USUAL = {"content", *REASONING, *SILENT}
OPAQUE = re.compile(r"(?i)signature|encrypted|opaque|token_?id|logprob|_id$|url$")
KINDS = ("reasoning", "answer", "other")
NO_REASON = ("", "null", "none")  # what some servers write for null


def read(event: str, data: str) -> Event:
    """One streamed event. Raises ValueError when it is not a chunk of this protocol."""
    if data.strip() == "[DONE]":
        return Event(ends=True)
    if event == "error":
        return Event(error=said_of(data) or "an error event without words")
    if event in ALIVE or LIFE.fullmatch(data):
        return Event(idle=True)
    try:
        return _chunk(json.loads(data))
    except (AttributeError, KeyError, RecursionError, TypeError) as error:
        raise ValueError(f"not a chat chunk ({error})") from None


def error_text(error: object) -> str:
    """The message of an error that a server sent as text or as an object."""
    if isinstance(error, dict):
        return str(next((error[name] for name in ("message", "msg", "detail") if error.get(name)), error))
    return str(error)


def error_in(body: object) -> str | None:
    """The words of an error object, or of one in a field `error`; None for anything else."""
    if not isinstance(body, dict):
        return None
    if body.get("error"):
        return error_text(body["error"])
    if "error" in (body.get("object"), body.get("type")):
        return error_text(body)
    if "choices" in body:
        return None
    codes = [body.get(name) for name in ("code", "status", "status_code")]
    is_refusal = any(isinstance(code, int) and not isinstance(code, bool) and code >= 400 for code in codes)
    if body.get("detail") or is_refusal:
        return error_text(body)
    return None


def part(answer: dict[str, Any], name: str) -> dict[str, Any]:
    """The object of that name within another; `{}` for none and for anything else."""
    found = answer.get(name)
    return found if isinstance(found, dict) else {}


def said_of(text: str) -> str:
    """The message in a text that may be a JSON error; the text itself where it is none."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return text.strip()
    message = error_in(body) or (error_text(body) if isinstance(body, dict) else None)
    return text.strip() if message is None or message == str(body) else message


def _chunk(chunk: dict[str, Any]) -> Event:
    choices = chunk.get("choices") or [{}]
    answers: dict[int, list[tuple[str, str]]] = {}
    for choice in choices:
        if texts := _texts(choice.get("delta") or {}):
            answers.setdefault(_index(choice), []).extend(texts)
    first = min(answers, default=0)
    ended = [choice for choice in choices if _reason(choice.get("finish_reason"))]
    end = next((choice for choice in ended if _index(choice) == first), ended[0] if ended else {})
    reason = _reason(end.get("finish_reason"))
    facts: Facts = {
        "finish_reason": reason,
        "system_fingerprint": chunk.get("system_fingerprint"),
        "answered_model": chunk.get("model") or None,
    }
    if "usage" in chunk:
        facts |= _told(_usage(part(chunk, "usage")))
    if "timings" in chunk:
        facts |= _told(_timings(part(chunk, "timings")))
    errors = [error_text(choice["error"]) for choice in choices if choice.get("error")]
    return Event(
        texts=_joined(answers.pop(first, [])),
        facts=_told(facts),
        error=error_in(chunk) or next(iter(errors), None) or _given_up(reason, end),
        choice=first,
        beside=tuple((index, text) for index, texts in answers.items() for _, text in texts),
    )


def _told(facts: Facts) -> Facts:
    return {name: value for name, value in facts.items() if value is not None}


def _joined(texts: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """One text of each kind: what came in one event came at one time."""
    if len(texts) < 2:
        return tuple(texts)
    whole = ((kind, "".join(text for one, text in texts if one == kind)) for kind in KINDS)
    return tuple((kind, text) for kind, text in whole if text)


def _index(choice: dict[str, Any]) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) and not isinstance(index, bool) else 0


def _texts(delta: dict[str, Any]) -> list[tuple[str, str]]:
    """Every text of a delta with its kind: reasoning, answer, other. Under several names it counts once."""
    answer = [("answer", _string(text))] if (text := delta.get("content")) else []
    reasoning = [("reasoning", _string(delta[key])) for key in REASONING if delta.get(key)]
    more = [key for key in delta if key not in USUAL]
    if not more and len(reasoning) < 2:  # nearly always
        return reasoning + answer
    others = [("reasoning" if THOUGHT.search(key) else "other", text) for key in more for text in _strings(key, delta)]
    found, thoughts, all_texts = [], set[str](), {text.strip() for _, text in answer}
    for kind, text in reasoning + others:
        known = thoughts if kind == "reasoning" else all_texts
        if text.strip() not in known:
            found.append((kind, text))
        thoughts.add(text.strip())
        all_texts.add(text.strip())
    return found + answer


def _strings(key: str, inside: dict[str, Any], depth: int = 5) -> list[str]:
    """The texts under a key, in lists and objects too, less what only describes them."""
    value = inside[key]
    if not value or not depth or key in SILENT or OPAQUE.search(key):
        return []
    if isinstance(value, str):
        return [value]
    entries = value if isinstance(value, list) else [value] if isinstance(value, dict) else []
    found = [
        text
        for entry in entries
        if isinstance(entry, dict)
        for name in entry
        for text in _strings(name, entry, depth - 1)
    ]
    return found + [entry for entry in entries if isinstance(entry, str) and entry]


def _reason(told: object) -> str | None:
    """A finish reason; SGLang's own form is an object with a `type`."""
    if isinstance(told, dict):
        return _reason(told.get("type"))
    return told if isinstance(told, str) and told.strip().lower() not in NO_REASON else None


def _given_up(reason: str | None, choice: dict[str, Any]) -> str | None:
    if reason is None or not GAVE_UP.search(reason):
        return None
    told = choice["finish_reason"]
    why = f": {told['message']}" if isinstance(told, dict) and told.get("message") else ""
    return f"the server gave the answer up (finish reason {reason}){why}"


def _string(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(f"text that is {type(text).__name__}")
    return text


def _usage(usage: dict[str, Any]) -> Facts:
    return {
        "prompt_tokens": usage.get("prompt_tokens"),
        "completion_tokens": usage.get("completion_tokens"),
        "cached_tokens": part(usage, "prompt_tokens_details").get("cached_tokens"),
        "reasoning_tokens": part(usage, "completion_tokens_details").get("reasoning_tokens"),
    }


def _timings(timings: dict[str, Any]) -> Facts:
    """llama-server's own account of the request."""
    return {
        "cached_tokens": timings.get("cache_n"),
        "reported_decode_tps": timings.get("predicted_per_second"),
        "reported_prefill_tps": timings.get("prompt_per_second"),
        "reported_prompt_ms": timings.get("prompt_ms"),
        "reported_decode_ms": timings.get("predicted_ms"),
    }
