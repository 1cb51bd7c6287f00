"""Of a text from somewhere else, the words that are known: those that servers say of a failure, and our own.

All else may be about the person whose machine it was said on, so an ellipsis stands for it.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

SHOWN = 2000  # characters that are kept
OTHER = "…"
MARKS = r"\[(?:token|name|e-mail|address|serial|number|path)\]|\[withheld: the API token stands in it, encoded\]|~/…"
_LONG = 6  # digits of a number that stands for itself
_QUANTITY = re.compile(r"(?i)(?:size|length|bytes|buffer|memory|tokens|allocate|total|free|used|needed?|of)\W{0,4}$")
_UNIT = r"(?:[KMGTkm]?i?[Bb]|[KMk]|m?s|ns|us|µs|Hz|px|x|bit|bits|bytes|tokens|MiB|GiB|KiB)"
_OF_UNIT = re.compile(rf"\s{{0,2}}{_UNIT}\b")
_PART = re.compile(
    rf"(?P<mark>{MARKS})"
    r"|(?P<local>127\.0\.0\.1(?::\d{1,5})?|localhost(?::\d{1,5})?|\[::1\](?::\d{1,5})?)"
    r"|(?P<time>(?<![\w:.])\d{1,2}:\d{2}(?::\d{2})?(?![\w:.]))"
    r"|(?P<version>(?<![\w.])\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w.]|\.\d)|\bb\d{3,6}(?:-[0-9a-f]{7,10})?(?![\w-]))"
    rf"|(?P<amount>(?<![^\W_])\d{{1,9}}(?:\.\d{{1,3}})?{_UNIT}(?![^\W_]))"
    r"|(?P<number>(?<![^\W_])(?:\d{1,3}(?:,\d{3}){1,5}|\d+)(?:\.\d{1,3}(?![\d.]))?(?![^\W_]))"
    r"|(?P<code>(?<![^\W_])0x[0-9a-fA-F]{1,8}(?![^\W_]))"
    r"|(?P<quantization>(?<![^\W_])(?i:I?Q\d(?:_[A-Z0-9]{1,3}){0,3}|TQ\d_\d|[bf]?f(?:p)?\d{1,2}|MXFP\d|\d{1,2}-?bit)(?![^\W_]))"
    r"|(?P<word>[^\W\d_]+(?:['’][a-z]{1,2}(?![^\W_]))?(?![^\W_]))"
    r"|(?P<odd>[^\W_]+)"
    r"|(?P<sign>\s+|[!-/:-@\[-`{-~“”‘’µ·–—→×≥≤])"
    r"|(?P<rest>.)",
    re.DOTALL,
)
# Numbers in a row are a telephone number, an address or a date: one is a number.
_IN_A_ROW = re.compile(r"(?<![\w.,])\+?\(?\d{1,12}(?:\.\d{1,3}(?![\d.]))?\)?(?:[ ()/-]{1,3}\d{1,12}){1,8}(?![\w,])")
_ALSO_NAMES = {"max", "mark", "long", "short", "small", "page"}  # of people, with a capital
_BEGINS = re.compile(r"(?:^|[.:;!?\"'“”‘’(\[\]{<>=|/\\\n-])\s*$")


@lru_cache(maxsize=4096)  # the same sentences stand in every row of a run
def known(text: str) -> str:
    """The beginning of a text, with an ellipsis for whatever is no known word, sign or plain number."""
    shown: list[str] = []
    length = 0
    for part in _PART.finditer(_IN_A_ROW.sub(_unless_short, text)):
        kind, piece = str(part.lastgroup), part.group()
        before = len(shown)
        if kind == "sign" or _is_known(kind, piece, shown):
            shown.append(piece)
            length += len(piece)
        else:
            _hide(shown)
            length = sum(map(len, shown)) if len(shown) != before + 1 else length + 1
        if length > SHOWN:
            break
    return _cut(shown)


def are_known(text: str, names: Iterable[str] = ()) -> bool:
    """Whether every word of a text is known, or one of these names."""
    return all(is_name or known(piece) == piece for piece, is_name in apart(text, names))


def apart(text: str, names: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it is one of these names."""
    place = 0
    if wanted := tuple(names):
        for found in _either(wanted).finditer(text):
            yield text[place : found.start()], False
            yield found.group(), True
            place = found.end()
    yield text[place:], False


@lru_cache(maxsize=64)
def _either(names: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile("|".join(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])" for name in longest_first))


def _is_known(kind: str, piece: str, before: list[str]) -> bool:
    if kind in ("mark", "local", "time", "version", "amount", "code", "quantization"):
        return True
    if kind == "number":
        digits = sum(map(str.isdigit, piece))
        return digits <= _LONG or "," in piece or (digits <= 16 and bool(_QUANTITY.search("".join(before[-3:]))))
    if kind not in ("word", "odd"):
        return False
    words = _words()
    plain = piece.replace("’", "'")
    base = plain.removesuffix("'s")
    if plain in words or base in words:
        return True
    if base.isupper() or plain.islower():
        return plain.lower() in words or base.lower() in words
    if base.lower() in _ALSO_NAMES:
        return False
    begins = bool(_BEGINS.search("".join(before[-3:])))
    return begins and plain[1:].islower() and (plain.lower() in words or base.lower() in words)


def _hide(shown: list[str]) -> None:
    """Put an ellipsis, and nothing between it and one before: how many words there were is nobody's business."""
    place = len(shown)
    while place and not any(map(str.isalnum, shown[place - 1])) and OTHER not in shown[place - 1]:
        place -= 1
    if place and shown[place - 1] == OTHER:
        del shown[place:]
    else:
        shown.append(OTHER)


def _unless_short(found: re.Match[str]) -> str:
    return found.group() if sum(map(str.isdigit, found.group())) <= _LONG else "[number]"


def _cut(shown: list[str]) -> str:
    length = 0
    for place, piece in enumerate(shown):
        length += len(piece)
        if length > SHOWN:
            return "".join(shown[:place])
    return "".join(shown)


def cut(text: str) -> str:
    """The beginning of a text, to a blank."""
    return text if len(text) <= SHOWN else text[:SHOWN].rpartition(" ")[0]


@cache
def _words() -> frozenset[str]:
    lines = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
