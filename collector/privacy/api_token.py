"""The API token of a server: sent to that server alone, and found in what comes back, whole, in part or encoded."""

import base64
import html
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

from collector.children import API_TOKEN as VARIABLE
from collector.errors import TokenInvalid

PIECE = 8  # letters and digits of it that are looked for, whatever stands between them
MOST = 1_000_000  # characters in which its place is looked for
MARK = "[token]"
WITHHELD = "[withheld: the API token stands in it, encoded]"
# What is set where a server wants none, and beginnings that many tokens share: without other characters.
NO_SECRETS = (
    *("lmstudiocommunity", "ollama", "llamacpp", "openai", "localhost", "empty", "none", "null", "dummy", "test"),
    *("notneeded", "notrequired", "noneeded", "sknokeyrequired", "nokeyneeded", "unused", "token", "apikey", "secret"),
    *("githubpat", "password", "placeholder", "xxxxxxxxxxxxxxxx", "1234567890", "abcdefgh"),
)
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_SEPARATORS = re.compile(r"[^0-9a-z]+")
_SIGNS = re.compile(r"[!-~]+")


def token() -> str | None:
    """The token to send; None without one. Raises TokenInvalid where no header can carry it."""
    told = os.environ.get(VARIABLE)
    if not told or _SIGNS.fullmatch(told):
        return told or None
    odd = "a line break" if re.search(r"[\r\n]", told) else "a blank" if re.search(r"\s", told) else None
    raise TokenInvalid(
        f"{VARIABLE} holds {odd or 'a character that is not ASCII'}, which no request can carry.",
        "Set it to the token alone, as the server shows it, or unset it.",
    )


def holds(text: str) -> bool:
    """Whether eight or more characters of the token stand in a text, in any case, spacing or usual encoding."""
    return any(_found(view) for view in _views(text))


def without(text: str) -> str:
    """The same text without the token; nothing of it where the token is encoded in a way that hides its place."""
    if not holds(text):
        return text
    masked = _masked(text)
    return WITHHELD if holds(masked) else masked


def _views(text: str) -> Iterator[str]:
    """A text's letters and digits in lower case: as it stands, and with its escapes resolved."""
    if len(text) <= PIECE // 2 or not os.environ.get(VARIABLE):
        return
    yield _SEPARATORS.sub("", text.lower())
    plain = text
    for _ in range(3):  # escapes may be escaped
        told = plain
        plain = html.unescape(unquote(_ESCAPED.sub(lambda found: chr(int(found[1] or found[2], 16)), told)))
        if plain == told:
            break
    if plain != text:
        yield _SEPARATORS.sub("", plain.lower())


def _found(view: str) -> bool:
    return any(piece in view for piece in _pieces(os.environ.get(VARIABLE, "")))


def _masked(text: str) -> str:
    """The text with a mark over all that lies between the first and the last character of each piece."""
    lower = text.lower()
    if len(lower) != len(text) or len(text) > MOST:  # a letter that has two in lower case: places do not fit
        return WITHHELD
    places = [place for place, sign in enumerate(lower) if "0" <= sign <= "9" or "a" <= sign <= "z"]
    view = "".join(lower[place] for place in places)
    spans: list[tuple[int, int]] = []
    for piece in _pieces(os.environ.get(VARIABLE, "")):
        at = view.find(piece)
        while at >= 0:
            spans.append((places[at], places[at + len(piece) - 1] + 1))
            at = view.find(piece, at + 1)
    shown: list[str] = []
    done = 0
    for begin, end in sorted(spans):
        if begin > done or not shown:
            shown += [text[done:begin], MARK]
        done = max(done, end)
    return "".join([*shown, text[done:]])


@lru_cache(maxsize=4)
def _pieces(word: str) -> tuple[str, ...]:
    """What to look for among letters and digits in lower case: parts of the token, and of its usual encodings."""
    plain = _SEPARATORS.sub("", word.lower())
    if any(plain in known for known in NO_SECRETS):
        return ()
    if len(plain) < PIECE:
        return (plain,) if len(plain) > PIECE // 2 else ()
    raw = word.encode("utf-8", "surrogateescape")
    found = [*_parts(plain, PIECE), *_parts(plain[::-1], PIECE), *_parts(raw.hex(), 2 * PIECE)]
    for before in range(3):  # how many bytes of a group of three stand before it
        encoded = base64.b64encode(bytes(before) + raw).decode()
        certain = encoded[-(-8 * before // 6) : 8 * (before + len(raw)) // 6]
        found += _parts(_SEPARATORS.sub("", certain.lower()), PIECE)
    common = [piece for piece in dict.fromkeys(found) if not any(piece in known for known in NO_SECRETS)]
    return tuple(common)


def _parts(text: str, length: int) -> list[str]:
    return [text[place : place + length] for place in range(max(len(text) - length + 1, 0))]
