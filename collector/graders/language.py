"""Is it written in the language that was asked for?

Line pass rate of the Language Confusion Benchmark (arXiv 2406.20052), outside code, formulas and paths. A Latin word
counts as one letter, as a Chinese character does: in technical Chinese, terms are English. Languages in Latin letters
are not told apart.
"""

import re
from collections.abc import Mapping
from typing import Any

from collector.graders import Grade, Output
from collector.graders._files import names_a_file
from collector.graders._text import plain, prose

TIER, VERSION = "Q0", 1
LEAST_LETTERS, LEAST_UNITS = 10, 6  # of a line that is judged: a list of single terms says nothing
LEAST_OF_ALL = 4  # units, where no line is long enough and all are judged as one
OWN_SHARE, MOST_FOREIGN, LINES_SHARE, TEXT_SHARE = 0.5, 0.1, 0.9, 0.8
HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ][A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ'’-]{2,}")  # shorter ones are mostly symbols
# Cyrillic to Mongolian, kana, Hangul; not Greek, raised letters and signs, which are for formulas
OTHER = re.compile(r"[\u0400-\u1cff\u3041-\u309f\u30a1-\u30fa\uac00-\ud7af]")
TAG = re.compile(r"</?[|｜]?[A-Za-z][^<>\n]{0,200}>")
BRACKETS = re.compile(r"(?:\b[\w.]{1,60})?(?:\([^()\n]{0,200}\)|\[[^\[\]\n]{0,200}\])")
ASSIGNED = re.compile(r"\b[\w.]{1,60} ?(?:[=!<>+*/-]?=|[<>]) ?[^\s，。；]{0,80}", re.ASCII)

SNAKE = re.compile(r"\b[A-Za-z0-9]{0,40}_\w{1,60}", re.ASCII)


def grade(output: Output, declared: Mapping[str, Any], execute: object) -> Grade:
    """Fails an answer of which more than a tenth of the lines, or a fifth of the text, is in another language."""
    if output.language not in ("zh", "en"):
        return Grade("not run", "the language asked for is not known")
    said = "\n".join(line for line in output.answer.splitlines() if not names_a_file(line))
    lines = [plain(bare(line)) for line in prose(said).splitlines()]
    judged = [own for line in lines if (own := share(line, output.language))] or [
        own for own in [share("，".join(lines), output.language, (0, LEAST_OF_ALL))] if own
    ]
    if not judged:
        return Grade("not run", "no line with enough letters")
    passed = sum(own for own, _ in judged) / len(judged)
    weight = sum(units for own, units in judged if own) / sum(units for _, units in judged)
    told = f"{passed:.0%} of {len(judged)} lines, {weight:.0%} of the text, are in {output.language}"
    return Grade("pass" if passed >= LINES_SHARE and weight >= TEXT_SHARE else "fail", told, passed)


def bare(line: str) -> str:
    """The line without code that stands in it unmarked: tags, calls, brackets without Chinese, `a = b`, `a_b`."""
    line = TAG.sub(" ", line)
    for _ in range(3):  # from the inside out
        line = BRACKETS.sub(lambda found: found[0] if HAN.search(found[0]) else " ", line)
    return SNAKE.sub(" ", ASSIGNED.sub(" ", line))


def share(line: str, language: str, least: tuple[int, int] = (LEAST_LETTERS, LEAST_UNITS)) -> tuple[bool, int] | None:
    """Whether a line is in the language, and its characters and words; None for a line that has too few."""
    words = WORD.findall(line)
    han, other = len(HAN.findall(line)), len(OTHER.findall(line))
    units = han + len(words) + other
    if han + other + sum(map(len, words)) < least[0] or units < least[1]:
        return None
    own = han if language == "zh" else len(words)
    return own >= OWN_SHARE * units and other <= MOST_FOREIGN * units, units
