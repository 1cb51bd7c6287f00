"""True timelines of answers: real text in tokens, when each was made, and what a client would be shown of it.

A timeline is never stored; only what is shown of it is, as a row of a run file. So whatever is done to a stream on its
way, the true figures are known.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from collector import suite
from collector.haystack import passages
from collector.schema import CLONE

LATIN = re.compile(r" ?[A-Za-z]{1,8}|[0-9]{1,3}|\n+ *|  +| ?[^\w\s]+| ")
CHINESE = re.compile(r"[\u4e00-\u9fff]{1,2}|[^\u4e00-\u9fff]")
TOGETHER_US = 100  # what is no further apart comes in one read
LENGTHS = (64, 64, 96, 96, 128, 128, 200, 300)  # tokens of an answer


@dataclass
class Timeline:
    """What was really made: tokens with their texts and times, in µs since the request was sent."""

    texts: list[str]
    made: list[float]
    per_chunk: list[int]  # tokens in each chunk that the server sends

    @property
    def count(self) -> int:
        """Tokens made."""
        return len(self.texts)


@dataclass
class Shown:
    """What came of it: events of (µs, kind, text, tokens), and what the server said. `first`: when a token was made."""

    events: list[tuple[float, str, str, int]]
    tokens: int | None
    first: float
    max_tokens: int | None = None
    finish: str = "length"
    reasoning: int | None = None
    reported_tps: float | None = None
    made: list[float] = field(default_factory=list)  # true times of the tokens that were shown
    count: int = 0  # tokens really made, shown or not


@functools.cache
def material() -> tuple[list[str], list[str]]:
    """Real text in tokens: English pages and code, Chinese prose."""
    pages = [path.read_text(encoding="utf-8") for path in sorted((CLONE / "site_src" / "pages").rglob("*.md"))]
    code = [prompt.text for prompt in suite.known().values() if "```" in prompt.text]
    latin = re.sub(r"[^\x00-\x7f]", "", re.sub(r"{[{%].*?[%}]}", "", "\n".join(pages + code)))
    return LATIN.findall(latin), CHINESE.findall("".join(passages()[:400]))


def timeline(draw: Random, *, pause: bool, per_chunk: int = 0) -> Timeline:
    """One answer. `per_chunk`: tokens a chunk; 0: one to eight, the same throughout or changing."""
    pool = material()[draw.random() < 0.4]
    count = draw.choice(LENGTHS)
    start = draw.randrange(len(pool) - count)
    gap = 1e6 / 10 ** draw.uniform(0.8, 2.3)  # 6 to 200 tokens/s
    jitter = draw.uniform(0.01, 0.15)
    now = 10 ** draw.uniform(5, 7)  # the first token after 0.1 to 10 s
    made = [now]
    for _ in range(count - 1):
        now += gap * draw.gammavariate(jitter**-2, jitter**2)
        made.append(now)
    if pause:
        where, long = draw.randrange(1, count), draw.uniform(0.1e6, 2e6)
        made[where:] = [at + long for at in made[where:]]
    return Timeline(pool[start : start + count], made, list(_sizes(draw, count, per_chunk)))


def _sizes(draw: Random, count: int, per_chunk: int) -> Iterator[int]:
    each = per_chunk or draw.randint(1, 8)
    changing = not per_chunk and draw.random() < 0.3
    while count > 0:
        size = min(count, draw.randint(1, each) if changing else each)
        yield size
        count -= size


def honest(true: Timeline) -> Shown:
    """Everything that was made, when the last token of its chunk was."""
    events, place = [], 0
    for size in true.per_chunk:
        text = "".join(true.texts[place : place + size])
        place += size
        events.append((true.made[place - 1], "answer", text, size))
    return Shown(events, true.count, events[0][0], true.count, made=list(true.made), count=true.count)


def stamped(draw: Random, shown: Shown, delay_us: float = 60) -> list[tuple[int, str, str, int]]:
    """The events with the client's stamps: a little later each, in order, whole µs; those of one read equally late."""
    at, before, late, stamps = 0, -1e9, 0.0, []
    for made, kind, text, size in shown.events:
        if made - before > TOGETHER_US:
            late = draw.expovariate(1 / delay_us)
        before, at = made, max(at, round(made + late))
        stamps.append((at, kind, text, size))
    return stamps
