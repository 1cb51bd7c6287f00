"""From what was seen on the wire to the operation columns of the run file."""

from collector.backends import Facts, failures
from collector.measure import COUNTS, Arrival, Exchange
from collector.privacy import scrub
from collector.thinking import split
from collector.typed import typed


def of_exchange(seen: Exchange) -> Facts:
    """The operation columns of one streamed request: offsets, chunks, texts, what the server said, how it failed.

    Beside them `said`: the whole of what was said of a failure, which is shown and logged here and never stored.
    """
    arrivals = split(seen.arrivals)
    answer, reasoning = _text(arrivals, "answer"), _text(arrivals, "reasoning")
    kind: str | None
    detail = seen.error_detail
    if seen.error_kind:
        kind = failures.of_request(seen.error_kind, detail)
    elif not answer and not reasoning:  # a tool call, or tags of reasoning and nothing in them
        kind, detail = "empty", "the stream held neither answer nor reasoning"
    else:
        kind = failures.of_output(answer, reasoning, seen.facts.get("finish_reason"))
    return {
        **_counted(typed(seen.facts), any(text for _, _, text in arrivals)),  # a server may say anything
        "headers_ns": seen.headers_ns,
        "first_event_ns": seen.first_event_ns,
        "first_text_ns": _first(arrivals, "reasoning", "answer"),
        "first_answer_ns": _first(arrivals, "answer"),
        "last_text_ns": _first(arrivals[::-1], "reasoning", "answer"),
        "done_ns": seen.done_ns,
        "elapsed_ns": seen.done_ns,
        "chunks": chunks(arrivals),
        "slept_ms": seen.slept_ms,
        "stood_ms": seen.stood_ms,
        "sent_again": seen.sent_again,
        "client_cpu_us": seen.cpu_ns // 1000 if seen.cpu_ns is not None else None,
        "output_text": answer,
        "reasoning_text": reasoning,
        "error_kind": kind,
        "error_detail": scrub(detail) if detail else None,
        "said": detail,
    }


def _counted(facts: Facts, has_text: bool) -> Facts:
    """The same without zeros that cannot be: a prompt has tokens, and so has a text. One of them discredits all."""
    is_false = facts.get("prompt_tokens") == 0 or (has_text and facts.get("completion_tokens") == 0)
    return {name: value for name, value in facts.items() if not (is_false and name in COUNTS and value == 0)}


def chunks(arrivals: list[Arrival]) -> list[dict[str, int | str]]:
    """Gaps in µs; each is the difference of rounded times, so that rounding does not add up over a long stream."""
    times = [arrived // 1000 for arrived, _, _ in arrivals]
    return [
        {"gap_us": at - before, "kind": kind, "chars": len(text)}
        for (_, kind, text), at, before in zip(arrivals, times, [0, *times], strict=False)
    ]


def _first(arrivals: list[Arrival], *kinds: str) -> int | None:
    return next((arrived for arrived, kind, text in arrivals if kind in kinds and text), None)


def _text(arrivals: list[Arrival], wanted: str) -> str | None:
    return "".join(text for _, kind, text in arrivals if kind == wanted) or None
