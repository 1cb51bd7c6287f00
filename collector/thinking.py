"""Tells reasoning from answer in streams that carry both in one field, as `<think>…</think>` or between other tags.

Done after the stream has ended: some models never send the opening tag, because the prompt template already did, so
the first closing tag decides about everything before it.
"""

import re

from collector.measure import Arrival

OPEN, CLOSE = "<think>", "</think>"  # most models'; others have the same with a prefix, or one of these
PAIRS = {
    "<|START_THINKING|>": "<|END_THINKING|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|channel|>analysis<|message|>": "<|end|><|start|>assistant<|channel|>final<|message|>",
}
NAMES = r"(?:[a-z][\w-]*:)?(?:think(?:ing)?|thought)"
OPENING = re.compile(rf"(?i)<{NAMES}>|\[think\]|◁think▷|{'|'.join(map(re.escape, PAIRS))}")
CLOSING = re.compile(rf"(?i)</{NAMES}>|\[/think\]|◁/think▷|{'|'.join(map(re.escape, PAIRS.values()))}")


def split(arrivals: list[Arrival]) -> list[Arrival]:
    """The same arrivals, with answer text inside the tags marked as reasoning and the tags taken out.

    A chunk that holds a tag's end and more becomes two arrivals at the same time.
    """
    if any(kind == "reasoning" and text for _, kind, text in arrivals):
        return arrivals  # the server has told them apart
    whole = "".join(text for _, kind, text in arrivals if kind == "answer")
    lead = len(whole) - len(whole.lstrip())
    opened = OPENING.match(whole, lead)
    closed = _close_of(opened[0]).search(whole, opened.end()) if opened else CLOSING.search(whole)
    if not opened and (not closed or OPENING.search(whole, 0, closed.start())):
        return arrivals
    tags = [tag.span() for tag in (opened, closed) if tag]
    answer_from = closed.end() if closed else len(whole)

    parts: list[Arrival] = []
    at = 0
    for arrived, kind, text in arrivals:
        if kind != "answer":
            parts.append((arrived, kind, text))
            continue
        until = at + len(text)
        cut = min(max(answer_from, at), until)
        pieces = [("reasoning", _without(tags, at, cut, whole)), ("answer", whole[cut:until])]
        parts += [(arrived, name, piece) for name, piece in pieces if piece] or [(arrived, "other", "")]
        at = until
    return parts


def _close_of(opening: str) -> re.Pattern[str]:
    """What ends that which this begins."""
    return re.compile(re.escape(PAIRS.get(opening) or f"{opening[0]}/{opening[1:]}"))


def _without(tags: list[tuple[int, int]], start: int, stop: int, whole: str) -> str:
    """`whole[start:stop]` less the characters of the tags, which may be spread over several chunks."""
    return "".join(whole[i] for i in range(start, stop) if not any(begin <= i < end for begin, end in tags))
