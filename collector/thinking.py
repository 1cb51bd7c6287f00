"""Tells reasoning from answer in streams that carry both in one field, as `<think>…</think>`.

Done after the stream has ended: some models never send the opening tag, because the prompt template already did, so
the first closing tag decides about everything before it.
"""

from collector.measure import Arrival

OPEN, CLOSE = "<think>", "</think>"


def split(arrivals: list[Arrival]) -> list[Arrival]:
    """The same arrivals, with answer text inside the tags marked as reasoning and the tags taken out.

    A chunk that holds a tag's end and more becomes two arrivals at the same time.
    """
    if any(kind == "reasoning" and text for _, kind, text in arrivals):
        return arrivals  # the server has told them apart
    whole = "".join(text for _, kind, text in arrivals if kind == "answer")
    lead = len(whole) - len(whole.lstrip())
    opened = whole.startswith(OPEN, lead)
    closing = whole.find(CLOSE)
    if not opened and (closing < 0 or OPEN in whole[:closing]):
        return arrivals
    tags = [(closing, closing + len(CLOSE))] if closing >= 0 else []
    if opened:
        tags.insert(0, (lead, lead + len(OPEN)))
    answer_from = closing + len(CLOSE) if closing >= 0 else len(whole)

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


def _without(tags: list[tuple[int, int]], start: int, stop: int, whole: str) -> str:
    """`whole[start:stop]` less the characters of the tags, which may be spread over several chunks."""
    return "".join(whole[i] for i in range(start, stop) if not any(begin <= i < end for begin, end in tags))
