"""Numbers that a program in the sandbox sorts without having them: it asks which is less, and is told from here.

So each comparison is seen, whoever makes it, and no order can be stated that was not asked for.
"""

import json
import operator
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

COMPARES: dict[str, Callable[[Any, Any], bool]] = {
    name: getattr(operator, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")
}
COMPUTES: dict[str, Callable[[Any, Any], Any]] = {
    "and": operator.and_,
    "or": operator.or_,
    "neg": lambda a, _: -a,
    "abs": lambda a, _: abs(a),
    "invert": lambda a, _: ~a,
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "floordiv", "truediv", "mod", "xor")},
}
LARGEST = 1 << 200
BITS = 48  # so sparse that neither sums nor differences meet another number of a list by accident


class Compared(NamedTuple):
    """Two numbers that were compared, and whether a library did it instead of an operator of the program."""

    first: float
    second: float
    by_library: bool


@dataclass
class Sorted:
    """One list: its numbers, what was compared while it was sorted, and the result; None: it came to none."""

    numbers: list[int]
    compared: list[Compared] = field(default_factory=list)
    result: list[float] | None = None

    @property
    def is_right(self) -> bool:
        return self.result == sorted(self.numbers)


class Numbers:
    """The lists of one grade, and the answers to what is asked of them. Raises ValueError for what is no question."""

    def __init__(self, lengths: tuple[int, ...], word: str) -> None:
        draw = random.Random(7)
        self.lists = [Sorted(draw.sample(range(-1 << BITS, 1 << BITS), length)) for length in lengths]
        self.word = word
        self.end: dict[str, Any] | None = None
        self._begun = -1
        self._values: dict[str, float] = {}  # by what the guest calls them, with the kind's letter before it
        self._names: dict[float, int] = {}
        self._made_of: dict[str, tuple[str, str, str]] = {}

    def named(self) -> list[list[int]]:
        """The lists as the guest gets them."""
        return [[self._name(number) for number in one.numbers] for one in self.lists]

    def reply(self, line: str) -> str:
        """The answer to a line of the guest's."""
        word, _, asked = line.partition(" ")
        if word != self.word or self.end is not None:
            raise ValueError
        kind, _, rest = asked.partition(" ")
        if kind in ("P", "L"):
            return self._answer(kind, *_three(rest))
        if kind == "begin" and self._begun + 1 < len(self.lists):
            self._begun += 1
        elif kind == "sorted" and self._begun >= 0:
            named = _list(rest)
            self.lists[self._begun].result = [self._values.get(f"n{name}", float("nan")) for name in named]
        elif kind == "end":
            self.end = _object(rest)
        else:
            raise ValueError
        return ""

    def _answer(self, by: str, asked: str, first: str, second: str) -> str:
        a, b = self._value(first), self._value(second)
        if asked in COMPARES:
            self._note(first, second, by == "L")
            return "1" if COMPARES[asked](a, b) else "0"
        try:
            found = COMPUTES[asked](a, b)
        except (KeyError, ZeroDivisionError, TypeError, OverflowError):
            raise ValueError from None
        if not abs(found) < LARGEST:
            raise ValueError
        name = self._name(found) if found in self._names and asked != "sub" else self._new(found)
        self._made_of.setdefault(f"n{name}", (asked, first, second))
        return str(name)

    def _note(self, first: str, second: str, by_library: bool) -> None:
        """A difference that is compared with nothing compares what it is the difference of."""
        if self._begun < 0:
            return
        for told, other in ((first, second), (second, first)):
            made = self._made_of.get(told)
            if made and made[0] == "sub" and other in ("i0", "f0.0", "f-0.0"):
                first, second = made[1:]
                break
        while (one := self._made_of.get(first)) and (two := self._made_of.get(second)) and one[0] == two[0] == "neg":
            first, second = one[1], two[1]
        self.lists[self._begun].compared.append(Compared(self._value(first), self._value(second), by_library))

    def _value(self, told: str) -> float:
        if told[:1] == "n":
            if told not in self._values:
                raise ValueError
            return self._values[told]
        if len(told) > 100:
            raise ValueError
        return int(told[1:]) if told[:1] == "i" else float(told[1:])

    def _name(self, number: float) -> int:
        if number not in self._names:
            self._names[number] = self._new(number)
        return self._names[number]

    def _new(self, number: float) -> int:
        name = (1 << BITS) + secrets.randbelow(1 << BITS)
        self._values[f"n{name}"] = number
        return name


def _three(text: str) -> tuple[str, str, str]:
    first, second, third = text.split(" ")
    return first, second, third


def _list(text: str) -> list[Any]:
    found = _read(text)
    if not isinstance(found, list):
        raise ValueError
    return found


def _object(text: str) -> dict[str, Any]:
    found = _read(text)
    if not isinstance(found, dict):
        raise ValueError
    return found


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError from None
