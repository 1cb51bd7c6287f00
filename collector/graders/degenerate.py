"""Does it repeat itself without end, or fall apart into broken characters?

Character n-grams and compression, because Chinese has no spaces between words (measurement.md §5.2).
"""

import re
import zlib
from collections.abc import Mapping
from typing import Any

from collector.graders import Grade, Output

TIER, VERSION = "Q0", 1
GRAM, MOST_REPEATED, MOST_PACKED, LEAST_CHARS = 10, 0.5, 8.0, 200
TAIL, LEAST_ROUNDS = 240, 4  # characters of a text's end that a loop fills, and how often it went around
WINDOW = 1200  # characters; a loop in the middle of a long text shows in the window around it


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
    tail = text[-4 * TAIL :]
    for period in range(1, len(tail) // LEAST_ROUNDS + 1):
        length = period
        while length < len(tail) and tail[-1 - length] == tail[-1 - length + period]:
            length += 1
        if length >= max(TAIL, LEAST_ROUNDS * period):
            return period
    return None
