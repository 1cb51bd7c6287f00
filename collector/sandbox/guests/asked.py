"""In the sandbox: numbers that know nothing of themselves. What one is, and which is less, only the host knows.

Each operation is a question on stdout and its answer a line of stdin. As an integer such a number is a made-up one, so
that whatever sorts without asking sorts wrongly. Inside the solution `int` and `type` take them for ordinary integers.
"""

from __future__ import annotations

import builtins
import sys

TYPE_CHECKING = False  # typing takes longer to import here than most solutions run
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, ClassVar

COMPARES = ("lt", "le", "gt", "ge", "eq", "ne")
COMPUTES = ("add", "sub", "mul", "floordiv", "truediv", "mod", "and", "or", "xor")
ALONE = ("neg", "abs", "invert")
ITSELF = ("pos", "round", "trunc", "floor", "ceil", "copy")
REFUSED = ("lshift", "rlshift", "rshift", "rrshift", "pow", "rpow", "divmod", "rdivmod", "float", "complex")
OPERATORS = ("COMPARE_OP", "CONTAINS_OP", "BINARY_OP")  # all else that leads here is a call of something not its own


class Asked(int):
    """A number of the host's; its value as an integer is only what the host calls it."""

    ask: ClassVar[Callable[..., str]]
    file: ClassVar[str]
    codes: ClassVar[dict[int, tuple[Any, bytes]]] = {}  # with the code itself, so that its place is not another's
    own: ClassVar[frozenset[int]] = frozenset()

    __class__ = property(lambda self: Int)

    def __bool__(self) -> bool:
        return Asked.ask("P", "ne", f"n{int.__int__(self)}", "i0") == "1"

    def __deepcopy__(self, _memo: object) -> Asked:
        return self


def prepare(ask: Callable[..., str], file: str) -> None:
    """`ask` puts a question to the host; `file` is the solution's."""
    import opcode  # here, where nothing of the solution is imported yet

    Asked.ask, Asked.file = ask, file
    Asked.own = frozenset(opcode.opmap[name] for name in OPERATORS)


def _by(frame: FrameType | None) -> str:
    """P: an operator in the program itself asks; L: something that it calls."""
    if not frame or frame.f_code.co_filename != Asked.file:
        return "L"
    known = Asked.codes.get(id(frame.f_code))
    if known is None:
        known = Asked.codes[id(frame.f_code)] = (frame.f_code, frame.f_code.co_code)
    return "P" if known[1][frame.f_lasti] in Asked.own else "L"


def _told(value: Any) -> str | None:
    if isinstance(value, Asked):
        return f"n{int.__int__(value)}"
    if isinstance(value, int):
        return f"i{int(value)}"
    return f"f{value!r}" if type(value) is float else None


def _comparing(name: str) -> Callable[[Any, Any], Any]:
    def compare(self: Asked, other: Any) -> Any:
        second = _told(other)
        if second is None:
            return NotImplemented
        return Asked.ask(_by(sys._getframe(1)), name, _told(self), second) == "1"

    return compare


def _computing(name: str, is_reflected: bool) -> Callable[[Any, Any], Any]:
    def compute(self: Asked, other: Any) -> Any:
        second = _told(other)
        if second is None:
            return NotImplemented
        pair = (second, _told(self)) if is_reflected else (_told(self), second)
        return Asked(int(Asked.ask("P", name, *pair)))

    return compute


def _alone(name: str) -> Callable[[Any], Any]:
    return lambda self: Asked(int(Asked.ask("P", name, _told(self), "i0")))


def _refuse(self: Asked, *_: Any) -> Any:
    raise TypeError("a number of this kind cannot do that")


for _name in COMPARES:
    setattr(Asked, f"__{_name}__", _comparing(_name))
for _name in COMPUTES:
    setattr(Asked, f"__{_name}__", _computing(_name, False))
    setattr(Asked, f"__r{_name}__", _computing(_name, True))
for _name in ALONE:
    setattr(Asked, f"__{_name}__", _alone(_name))
for _name in ITSELF:
    setattr(Asked, f"__{_name}__", lambda self, *_: self)
for _name in REFUSED:
    setattr(Asked, f"__{_name}__", _refuse)
Asked.__hash__ = int.__hash__  # type: ignore[method-assign]


class _LikeInt(type):
    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, int)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, int)

    def __call__(cls, *given: Any, **named: Any) -> Any:
        return given[0] if len(given) == 1 and type(given[0]) is Asked else int(*given, **named)


class Int(int, metaclass=_LikeInt):
    """What `int` is inside the solution."""


class _LikeType(type):
    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, type)

    def __call__(cls, *given: Any, **named: Any) -> Any:
        if len(given) > 1:
            return type(*given, **named)
        kind = type(given[0])
        return Int if kind in (int, Asked) else kind


class Type(type, metaclass=_LikeType):
    """What `type` is inside the solution."""


Int.__name__, Type.__name__ = "int", "type"
SHOWN = {**vars(builtins), "int": Int, "type": Type}
