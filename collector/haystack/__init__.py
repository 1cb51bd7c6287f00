"""A long prompt with needles in it: a public-domain Chinese novel, its passages in an order of the request's own.

No two requests share a prefix or a longer block, so no prompt cache helps; needles are keys with seven-digit numbers
that occur nowhere else, and the question asks for all of them as JSON.
"""

import functools
import hashlib
import json
import random
import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parent / "sanguoyanyi.txt"
VERSION = 1  # of passages, needles and question: another one makes other prompts
PASSAGE = 160  # characters, about: fewer than the 256 tokens that some caches look for
DEPTHS = (0.1, 0.5, 0.9)
PLACES = ("青松", "白鹤", "赤霞", "玄武", "金沙", "银杏", "碧潭", "紫云", "黄鹂", "丹枫", "寒梅", "翠竹")
THINGS = ("仓库", "驿站", "码头", "书院", "茶楼", "药铺", "磨坊", "钟楼", "渡口", "作坊")


@dataclass(frozen=True)
class Needle:
    """What is hidden: `name`'s number, at this share of the text."""

    depth: float
    name: str
    number: str


@dataclass(frozen=True)
class Haystack:
    """The whole prompt, and what is hidden in it."""

    prompt: str
    needles: tuple[Needle, ...]


@functools.cache
def text() -> str:
    """The novel."""
    return SOURCE.read_text(encoding="utf-8")


@functools.cache
def passages() -> tuple[str, ...]:
    """The novel in pieces that end with a sentence."""
    found, piece = [], ""
    for sentence in re.findall(r"[^。！？\n]*[。！？\n]+[”’]*", text()):
        piece += sentence
        if len(piece) >= PASSAGE:
            found.append(piece)
            piece = ""
    return tuple(found)


def longest() -> int:
    """Characters of the longest prompt that can be made."""
    return sum(map(len, passages()))


def sha256() -> str:
    """Hash of everything that decides what prompts look like."""
    return hashlib.sha256(f"{VERSION} {PASSAGE} {DEPTHS} {text()}".encode()).hexdigest()


def build(seed: str, characters: int) -> Haystack:
    """About so many characters, needles and question included, in the order that `seed` gives."""
    chance = random.Random(hashlib.sha256(seed.encode()).digest())  # an order, no secret
    order = list(passages())
    chance.shuffle(order)
    names = chance.sample([place + thing for place in PLACES for thing in THINGS], len(DEPTHS))
    needles = tuple(
        Needle(depth, name, str(chance.randrange(1_000_000, 10_000_000)))
        for depth, name in zip(DEPTHS, names, strict=True)
    )
    question = ask(needles)
    hay, room = [], characters - len(question) - sum(len(hide(needle)) for needle in needles)
    for passage in order:
        if room <= 0:
            break
        hay.append(passage[:room])
        room -= len(passage)
    for needle in reversed(needles):
        hay.insert(round(needle.depth * len(hay)), hide(needle))
    return Haystack("".join(hay) + question, needles)


def hide(needle: Needle) -> str:
    """The sentence that holds a needle."""
    return f"\n【备忘】{needle.name}的编号是{needle.number}。\n"


def ask(needles: tuple[Needle, ...]) -> str:
    """The question at the end."""
    names = "、".join(needle.name for needle in needles)
    example = json.dumps({needle.name: "编号" for needle in needles}, ensure_ascii=False)
    return f"\n\n上文中有三条【备忘】。请找出{names}的编号（各为七位数字），只用一个JSON对象回答，格式如下：{example}\n"


def found(answer: str | None, needles: tuple[Needle, ...]) -> list[bool]:
    """Which needles an answer names: the number stands beside its own name, in JSON or in words."""
    plain = unicodedata.normalize("NFKC", answer or "")
    told: dict[str, str] = {}
    for candidate in re.findall(r"\{[^{}]*\}", plain):
        with suppress(ValueError, RecursionError):  # no JSON, or lists within lists without end
            told |= {str(name).strip(): re.sub(r"\D", "", str(value)) for name, value in json.loads(candidate).items()}
    if told:
        return [told.get(needle.name) == needle.number for needle in needles]
    return [bool(re.search(rf"{needle.name}[^0-9]{{0,20}}{needle.number}(?!\d)", plain)) for needle in needles]
