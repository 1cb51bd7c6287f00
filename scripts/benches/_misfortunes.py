"""What is done to a stream on its way: each kind takes a true timeline and gives what is shown of it.

`KINDS`: which of them leave a contradiction in the stream. A kind that leaves none looks in every respect like an
honest stream of another speed.
"""

from collections.abc import Callable
from math import ceil
from random import Random

from scripts.benches._timelines import Shown, Timeline, honest, timeline

Kind = Callable[[Random], Shown]
US_APART = 15  # pieces of one read are stamped so far apart


def one_a_chunk(draw: Random) -> Timeline:
    """The most frequent server."""
    return timeline(draw, pause=draw.random() < 0.5, per_chunk=1)


def several(draw: Random) -> Timeline:
    """A server that bundles two to eight tokens."""
    return timeline(draw, pause=draw.random() < 0.5, per_chunk=draw.randint(2, 8))


# ---------------------------------------------------------------- tokens without a time


def hidden(draw: Random, true: Timeline, share: float, *, is_told: bool, textless: bool = False) -> Shown:
    """The first share of the tokens was reasoning that did not come; `textless`: as events without text."""
    shown = honest(true)
    wanted, count, kept = share * true.count, 0, []
    for event in shown.events:
        if count < wanted and event is not shown.events[-1]:
            count += event[3]
            if textless:
                kept.append((event[0], "other", "", event[3]))
        else:
            kept.append(event)
    shown.events, shown.made, shown.first = kept, true.made[count:], true.made[0]
    shown.reasoning = count if is_told else None
    return shown


def hidden_end(draw: Random, true: Timeline, share: float) -> Shown:
    """The last share of the tokens was the call of a tool, which did not come."""
    shown = honest(true)
    kept = [event for event in shown.events if event[0] <= true.made[int((1 - share) * true.count)]]
    count = sum(event[3] for event in kept)
    shown.made, shown.finish = true.made[:count], "tool_calls"
    shown.events = [*kept, (true.made[-1], "other", "", 0)]
    return shown


def much(draw: Random) -> float:
    return draw.uniform(0.15, 0.85)


def holes(draw: Random, true: Timeline) -> Shown:
    """Events lost here and there in the middle: their time has passed, and the rate holds."""
    shown = honest(true)
    last = len(shown.events) - 1
    shown.events = [event for n, event in enumerate(shown.events) if n in (0, last) or draw.random() > 0.2]
    return shown


# ---------------------------------------------------------------- arrivals that are bundled


def by_size(draw: Random, size: int) -> Shown:
    """A buffer that is handed over when full."""
    shown = honest(timeline(draw, pause=False, per_chunk=1))
    last = len(shown.events) - 1
    return released(shown, [shown.events[min(n // size * size + size - 1, last)][0] for n in range(last + 1)])


def by_clock(draw: Random, tokens: float, *, flushed: bool, is_alone: bool = False) -> Shown:
    """A buffer that is handed over at every tick, in which so many tokens are made; its end at once, or at a tick too.

    `is_alone`: the first tick came after the first token, else after the second or later.
    """
    shown = honest(timeline(draw, pause=False, per_chunk=1))
    made = [event[0] for event in shown.events]
    every = tokens * (made[-1] - made[0]) / (len(made) - 1)
    start = draw.uniform(made[0], made[1]) if is_alone else draw.uniform(made[1], made[1] + every)
    ticks = [start + max(0, ceil((at - start) / every)) * every for at in made]
    return released(shown, [min(at, made[-1]) for at in ticks] if flushed else ticks)


def released(shown: Shown, times: list[float]) -> Shown:
    """The same events at later times, those of one time some µs apart."""
    before, events = 0.0, []
    for at, (_, kind, text, size) in zip(times, shown.events, strict=True):
        before = before + US_APART if before >= at else at
        events.append((before, kind, text, size))
    shown.events = events
    return shown


def at_once(draw: Random) -> Shown:
    shown = honest(one_a_chunk(draw))
    return released(shown, [shown.events[-1][0]] * len(shown.events))


def speculation(draw: Random) -> Shown:
    """The first token alone, then drafts of eight events."""
    shown = honest(timeline(draw, pause=False, per_chunk=1))
    count = len(shown.events)
    return released(shown, [shown.events[min(-(-n // 8) * 8, count - 1)][0] for n in range(count)])


# ---------------------------------------------------------------- counts that are wrong


def counted(shown: Shown, tokens: float | None) -> Shown:
    """Another count is told."""
    shown.tokens = None if tokens is None else round(tokens)
    shown.max_tokens = 4096
    return shown


def one_less(draw: Random) -> Shown:
    shown = honest(one_a_chunk(draw))
    shown.tokens = shown.count - 1
    return shown


def shortened(draw: Random) -> Shown:
    shown = honest(one_a_chunk(draw))
    return counted(shown, min(shown.count - 2, shown.count * draw.uniform(0.05, 0.97)))


def multiplied(draw: Random, true: Timeline) -> Shown:
    shown = honest(true)
    return counted(shown, shown.count * draw.uniform(1.15, 4))


def characters(draw: Random) -> Shown:
    """As some servers count where they have no tokenizer at hand."""
    true = one_a_chunk(draw)
    return counted(honest(true), sum(map(len, true.texts)))


def two_choices(draw: Random) -> Shown:
    """Both are counted, one is shown."""
    shown = honest(one_a_chunk(draw))
    return counted(shown, 2 * shown.count)


def twins(draw: Random) -> Shown:
    """Both are counted and shown, with the same text."""
    shown = two_choices(draw)
    shown.events = [twin for at, *rest in shown.events for twin in ((at, *rest), (at + 40, *rest))]  # type: ignore[misc]
    return shown


def woven(draw: Random) -> Shown:
    """Both are counted and shown, with texts of their own."""
    shown, other = two_choices(draw), honest(timeline(draw, pause=False, per_chunk=1))
    pairs = zip(shown.events, other.events * (1 + shown.count // other.count), strict=False)
    shown.events = [each for mine, its in pairs for each in (mine, (mine[0] + 40, *its[1:]))]
    return shown


KINDS: dict[str, tuple[Kind, bool]] = {
    "reasoning told, not streamed": (lambda d: hidden(d, one_a_chunk(d), much(d), is_told=True), True),
    "reasoning told, not streamed, several tokens a chunk": (
        lambda d: hidden(d, several(d), much(d), is_told=True),
        True,
    ),
    "reasoning not told, not streamed, 15 % and more": (
        lambda d: hidden(d, one_a_chunk(d), much(d), is_told=False),
        True,
    ),
    "reasoning in events whose text is not known": (
        lambda d: hidden(d, one_a_chunk(d), much(d), is_told=False, textless=True),
        True,
    ),
    "reasoning not told, not streamed, several tokens a chunk": (
        lambda d: hidden(d, several(d), much(d), is_told=False),
        False,
    ),
    "reasoning not told, not streamed, below 15 %": (
        lambda d: hidden(d, one_a_chunk(d), d.uniform(0.0, 0.15), is_told=False),
        False,
    ),
    "a tool's call that is counted and not streamed": (lambda d: hidden_end(d, one_a_chunk(d), much(d)), True),
    "events lost in the middle": (lambda d: holes(d, one_a_chunk(d)), True),
    "a buffer handed over when full, 2 to 48 events": (lambda d: by_size(d, d.randint(2, 48)), True),
    "a buffer handed over every 2 to 24 tokens' time": (lambda d: by_clock(d, d.uniform(2, 24), flushed=True), True),
    "a buffer handed over every 2 to 24 tokens' time, its end too": (
        lambda d: by_clock(d, d.uniform(2, 24), flushed=False),
        True,
    ),
    "the same, the first event alone, as in speculation": (
        lambda d: by_clock(d, d.uniform(2, 24), flushed=d.random() < 0.5, is_alone=True),
        False,
    ),
    "everything at once": (at_once, True),
    "speculation, drafts of eight": (speculation, True),
    "a count of 0": (lambda d: counted(honest(one_a_chunk(d)), 0), True),
    "one token less at the limit": (one_less, True),
    "fewer tokens than chunks": (shortened, True),
    "1.15 to 4 times the tokens": (lambda d: multiplied(d, one_a_chunk(d)), True),
    "1.15 to 4 times the tokens, several tokens a chunk": (lambda d: multiplied(d, several(d)), False),
    "characters counted as tokens": (characters, True),
    "two choices counted, one streamed": (two_choices, True),
    "two choices streamed, with the same text": (twins, True),
    "two choices streamed, each with its own text": (woven, False),
}
