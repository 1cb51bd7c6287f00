"""Does it repeat itself without end, or fall apart into broken characters?

Character n-grams and compression, because Chinese has no spaces between words (measurement.md §5.2).
"""

import re
import zlib
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from collector.graders import Grade, Output
from collector.graders._text import split

TIER, VERSION = "Q0", 1
GRAM, MOST_REPEATED, MOST_PACKED, LEAST_CHARS = 10, 0.5, 8.0, 50
# A loop that fills a text's end: so many characters, gone around so often. The last is for loops without a letter,
# since rows of zeros and rules of dashes end many a good text.
LOOPS, LOOP_OF_SIGNS = ((40, 10), (120, 4)), (240, 4)
WINDOW = 1200  # characters; a loop in the middle of a long text shows in the window around it
LEAST_LINES, COUNTED = 20, 12


def grade(output: Output, declared: Mapping[str, Any], execute: object) -> Grade:
    """Fails an answer, or reasoning, that mostly repeats itself, ends in a loop, or holds broken characters."""
    for where, text in (("answer", output.answer), ("reasoning", output.reasoning)):
        if why := found(text.strip()):
            return Grade("fail", f"{where}: {why}")
    return Grade("pass")


def found(text: str) -> str | None:
    """What is wrong with a text, in words with its figure."""
    broken = sum(char == "\ufffd" or "\ue000" <= char <= "\uf8ff" for char in text)
    if broken > 2 and broken > 0.002 * len(text):
        return f"{broken} broken characters"
    if len(text) < LEAST_CHARS:
        return None
    if period := loop_at_end(text):
        return f"ends in a loop of {period} characters"
    if (repeated := rep(text)) > MOST_REPEATED:
        return f"{repeated:.0%} of its {GRAM}-character pieces are repeats"
    if (packed := ratio(text)) > MOST_PACKED:
        return f"shrinks {packed:.0f}-fold when compressed"
    lines = [line.strip() for line in split(text)[0] if line.strip()]
    if len(lines) >= LEAST_LINES and len(set(lines)) < len(lines) / 2:
        return f"{len(lines) - len(set(lines))} of {len(lines)} lines are repeats"
    if counts_at_end(text):
        return f"the last {COUNTED} lines only count"
    for start in range(0, len(text) - WINDOW, WINDOW // 2):
        window = text[start : start + WINDOW]
        if ratio(window) > MOST_PACKED and rep(window) > 0.8:
            return f"a loop from character {start} on"
    return None


def rep(text: str) -> float:
    """1 − distinct ÷ all character 10-grams; runs of blanks and lines of a table count as one."""
    dense = re.sub(r"([-=_*.|:+ \t\n])\1{3,}", r"\1\1\1", text)
    grams = [dense[i : i + GRAM] for i in range(max(1, len(dense) - GRAM + 1))]
    return 1 - len(set(grams)) / len(grams)


def ratio(text: str) -> float:
    """Bytes of UTF-8 to bytes compressed by zlib."""
    raw = text.encode("utf-8", "replace")
    return len(raw) / len(zlib.compress(raw))


def loop_at_end(text: str) -> int | None:
    """The period of a loop that fills the end of the text; None where there is none."""
    tail = text[-4 * LOOP_OF_SIGNS[0] :]
    for period in range(1, len(tail) // 4 + 1):
        length = period
        while length < len(tail) and tail[-1 - length] == tail[-1 - length + period]:
            length += 1
        is_said = any(char.isalpha() for char in tail[-period:])
        for least, rounds in LOOPS if is_said else (LOOP_OF_SIGNS,):
            if length >= max(least, rounds * period):
                return period
    return None


def counts_at_end(text: str) -> bool:
    """Whether the last lines are one and the same but for numbers that grow by the same step each time."""
    lines = [line.strip() for line in text[-200 * COUNTED :].splitlines() if line.strip()]
    last = lines[-1 - COUNTED : -1]  # the very last may be cut off
    if len(last) < COUNTED or len({re.sub(r"\d+", "0", line) for line in last}) > 1:
        return False
    columns = zip(*([int(number[:18]) for number in re.findall(r"[0-9]+", line)] for line in last), strict=False)
    steps = [{after - before for before, after in pairwise(column)} for column in columns]
    return bool(steps) and all(len(step) == 1 for step in steps)
