"""Texts that a model, or a program that it wrote, may put before the graders to stop or fool them."""

import json
import re
from functools import cache
from random import Random
from typing import Any

from collector import graders, suite
from collector.graders import Check, Grade, Output
from collector.sandbox import Ran
from tests import corpus
from tests.garbling import as_json, change_json

LENGTHS = (0, 1, 50, 2_000, 20_000)
SIGNS = (
    *("a", " ", "\n", "\t", "`", "```", "```python\n", "~~~", "$", "$$", "\\[", "\\(", "(", "[", "{", "<", "<|", "|>"),
    *("*", "#", "-", "|", "\\", '"', "'", ".", "。", "，", ":", "：", "=", "_", "0", "9" * 30, "第", "一", "个", "次"),
    *("路径:", "删除: ", "path: a.py\n", "def f(", "class A:\n", "import os\n", "x = lambda", "http://", "boxed{"),
    *("答案", "<think>", "\x00", "\u202e", "\u200b", "\ufeff", "\u2028", "\x85", "\ud800", "\udfff", "\ufffd"),
    *("\ue000", "👋🏽", "é", "ｆ", "İ", "𝟘", "²", "Ⅷ", "٣", "/../", "../../etc/passwd", "a.py（", "没有问题", "\r\n"),
    *("\r", "\x1b[31m", "<script>", "</s>"),
)
REPLIES: tuple[Any, ...] = (
    {"calls": {"quick_sort": ["len", "quick_sort"]}, "reaches": []},
    {"syntax": "invalid syntax", "calls": {"a": ["sorted"]}},
    {"sorted": [[], [1], [1, 2]], "function": "quick_sort", "pivots": True, "changes_input": False},
    {"project/a.py": {"defines": ["f"], "reaches": []}},
    {"error": "RecursionError: maximum"},
)


@cache
def checks() -> tuple[Check, ...]:
    """Every check of every suite."""
    found = (check for name in suite.names() for prompt in suite.read(name).prompts for check in prompt.checks)
    return tuple({check.sha256: check for check in found}.values())


@cache
def words() -> tuple[str, ...]:
    """What the graders look for: the plain parts of their patterns, so that a text nearly matches."""
    declared = json.dumps([dict(check.declared) for check in checks()], ensure_ascii=False, default=str)
    return tuple(sorted(set(re.findall(r"[\w一-鿿]{2,20}", declared))))


def text(draw: Random) -> str:
    """One output: a sign without end, a mixture, or a real output with something done to it."""
    length = draw.choice(LENGTHS)
    way = draw.randrange(4)
    if way == 0:
        piece = "".join(draw.choice(SIGNS) for _ in range(draw.choice((1, 1, 2, 3))))
        return (piece * (length // len(piece) + 1))[:length]
    if way == 1:
        pool = [draw.choice((draw.choice(SIGNS), draw.choice(words()))) for _ in range(draw.choice((2, 5, 40)))]
        return "".join(draw.choice(pool) for _ in range(length // 3))[:length]
    said = draw.choice(_real())
    at, until = sorted((draw.randrange(len(said) + 1), draw.randrange(len(said) + 1)))
    if way == 2:
        return said[:at] + draw.choice(SIGNS) * draw.choice((1, 10, 2_000)) + said[until:]
    return said[:at] + said[at:until] * draw.choice((0, 2, 9)) + said[until:]


@cache
def _real() -> tuple[str, ...]:
    return tuple(sample.output.answer for sample in corpus.samples() if sample.output.answer)


def output(draw: Random) -> Output:
    """A whole output."""
    reasoning = text(draw) if draw.random() < 0.3 else ""
    return Output(text(draw), reasoning, draw.choice((None, "stop", "length", "x")), draw.choice((None, "zh", "en")))


def forged(draw: Random) -> Ran:
    """What a program prints that knows the graders."""
    lines = []
    for _ in range(draw.choice((0, 1, 2, 3))):
        reply = json.loads(json.dumps(draw.choice(REPLIES)))
        for _ in range(draw.randrange(3)):
            change_json(reply, draw)
        lines.append(as_json(reply))
    out = draw.choice(("\n", "\n", "\u2028", "\r")).join(lines) + draw.choice(("", "\n", text(draw)))
    return Ran(draw.choice((0, 0, 1, None)), draw.choice((None, None, "output")), out, text(draw)[:40_000])


def wrong(draw: Random) -> str | None:
    """Which rule the grades of one output break; None where all hold."""
    one = output(draw)
    execute = (lambda *_: forged(draw)) if draw.random() < 0.5 else None
    for graded in graders.grade(one, tuple(draw.sample(checks(), min(4, len(checks())))), execute):
        if problem := _wrong(graded.grade):
            return f"{graded.check.grader}: {problem}"
    return None if len(one.sha256) == 64 else "no hash"


def _wrong(grade: Grade) -> str | None:
    if grade.outcome not in graders.OUTCOMES:
        return f"the outcome is {grade.outcome!r}"
    if grade.share is not None and not 0 <= grade.share <= 1:
        return f"the share is {grade.share!r}"
    return None
