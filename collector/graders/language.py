"""Is it written in the language that was asked for?

Line pass rate of the Language Confusion Benchmark (arXiv 2406.20052), outside code and formulas. A Latin word counts
as one letter, as a Chinese character does: in technical Chinese, terms are English.
"""

import re
from collections.abc import Mapping
from typing import Any

from collector.graders import Grade, Output
from collector.graders._text import plain, prose

TIER, VERSION = "Q0", 1
LEAST_LETTERS, OWN_SHARE, LINES_SHARE = 10, 0.5, 0.9
HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ][A-Za-z0-9_.'À-ÖØ-öø-ÿ-]*")
OTHER = re.compile(r"[^\W\d_A-Za-zÀ-ÖØ-öø-ÿͰ-Ͽ\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")  # Greek is for formulas


def grade(output: Output, declared: Mapping[str, Any], execute: object) -> Grade:
    """Fails an answer of which more than a tenth of the lines are in another language."""
    if output.language not in ("zh", "en"):
        return Grade("not run", "the language asked for is not known")
    lines = plain(prose(output.answer)).splitlines()
    judged = [own for line in lines if (own := share(line, output.language)) is not None]
    if not judged:
        return Grade("not run", "no line with enough letters")
    passed = sum(own >= OWN_SHARE for own in judged) / len(judged)
    said = f"{passed:.0%} of {len(judged)} lines are in {output.language}"
    return Grade("pass" if passed >= LINES_SHARE else "fail", said, passed)


def share(line: str, language: str) -> float | None:
    """Characters or words of the language among all; None for a line with fewer than ten letters."""
    words = WORD.findall(line)
    han, other = len(HAN.findall(line)), len(OTHER.findall(line))
    if han + other + sum(map(len, words)) < LEAST_LETTERS:
        return None
    return (han if language == "zh" else len(words)) / (han + len(words) + other)
