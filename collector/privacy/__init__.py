"""What may be published of a run, and what must not.

Of what others say only what is known gets into a file: of a failure known words (`words`), of a name or a version what
is of its form (`forms`). The API token is in none of it (`api_token`), nor are this machine's names (`here`) and what
looks like somebody's (`patterns`). A model's answers stay as they are, but for the token.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from collector.privacy import api_token, forms, here, patterns, words
from collector.privacy.forms import CHOSEN
from collector.privacy.here import names as _names

NAMES = tuple(forms.FORMS)  # columns in which a server names things
TALK = ("preflight", "error_detail", "runtime_proof", "served_by")  # and in which it is spoken of
WRITTEN = ("output_text", "reasoning_text")  # by a model, which knows neither person nor machine, yet writes of such
ECHOED = "token_echoed"
MOST = 50_000  # characters that are looked at for words, once the API token is out of all of them
LONGEST_TOKEN = 2000  # of another server's: what follows the cut decides whether there is one before it
_NAMED = ("server", "server_version", "runtime", "runtime_version", "quantization", *CHOSEN)  # may stand in sentences


def scrub(text: str, names: Iterable[str] = ()) -> str:
    """The one way from what was said to what is stored of it: known words, numbers, and these names.

    The token goes before anything is cut, then home folders, tokens, addresses and names, then every unknown word.
    """
    pieces = words.apart(api_token.without(text)[:MOST], names)
    return words.cut("".join(piece if is_name else words.known(mask(piece)) for piece, is_name in pieces))


def without_tokens(text: str) -> str:
    """What was said, for the person's own eyes, less what opens a door; the end of a very long text is left out."""
    return patterns.masked(api_token.without(text)[: MOST + LONGEST_TOKEN], patterns.TOKENS)[:MOST]


def mask(text: str) -> str:
    """The same text with marks for home folders, tokens, addresses, serial numbers, and this machine's names."""
    text = _without_home(api_token.without(text))
    return _without_names(patterns.masked(text, (*patterns.ALWAYS, *patterns.IN_FREE_TEXT)))


def clean(facts: dict[str, Any], known: dict[str, Any] | None = None) -> dict[str, Any]:
    """The same columns as they may be published; `known`: those of the run, whose names may stand in its sentences.

    An operation in which the server sent the API token back is an error, and says in which columns.
    """
    gone = withheld(facts)
    kept = {name: None if name in gone else _fitting(name, value) for name, value in facts.items()}
    names = names_in({**(known or {}), **kept})
    kept = {name: _spoken(value, names) if name in TALK else value for name, value in kept.items()}
    if gone and "op" in facts:
        kept["error_kind"] = facts.get("error_kind") or ECHOED
        said = f"the server sent the token back; not stored: {', '.join(gone)}"
        kept["error_detail"] = f"{kept['error_detail']}; {said}" if kept.get("error_detail") else said
    return kept


def withheld(facts: dict[str, Any]) -> list[str]:
    """The columns that hold the API token, but for those whose words are picked one by one."""
    return [
        name
        for name, value in facts.items()
        if name not in TALK and any(api_token.holds(text) for text in _texts(value))
    ]


def traces(row: dict[str, Any], names: Iterable[str] = ()) -> list[tuple[str, str]]:
    """What of a stored row must not be published: column, and what was found there. None, if all went well.

    The last line of defense, over files from anywhere: `names` are words that must not occur, beside this machine's
    own. What models wrote is looked at, too: whoever asks decides what it means there.
    """
    own = [here.pattern(name) for name in (*_names(), *names) if name.lower() not in here.OF_EVERY_MACHINE]
    own += [home] if (home := here.home()) else []
    texts = dict.fromkeys((column, text) for column, value in row.items() for text in _texts(value))
    found = [(column, trace) for column, text in texts for trace in _found(column, text, own)]
    return found + [(column, text) for column, text in _unfit(row) if column not in dict(found)]


def names_in(row: dict[str, Any]) -> list[str]:
    """What a run calls its model, server and engine."""
    values = [value for name in _NAMED for value in _texts(row.get(name))]
    return sorted({part for value in values for part in (value, *value.split("/")) if len(part) > 1})


def _unfit(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Columns that hold what the collector would not have put there, where that is for no person to choose."""
    for column in NAMES:
        if column not in (*CHOSEN, "quantization"):
            yield from ((column, text) for text in _texts(row.get(column)) if forms.fitting(column, text) != text)
    if isinstance(said := row.get("error_detail"), str) and not words.are_known(said, names_in(row)):
        yield "error_detail", said


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _texts(entry)
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _texts(entry)


def _found(column: str, text: str, own: list[re.Pattern[str]]) -> Iterator[str]:
    free = () if column in NAMES else patterns.IN_FREE_TEXT
    yield from patterns.found(text, (*patterns.ALWAYS, *free))
    if api_token.holds(text):
        yield "the API token of this environment"
    for pattern in own:
        if match := pattern.search(text):
            yield match.group()


def _fitting(column: str, value: Any) -> Any:
    if column not in NAMES:
        return value
    if isinstance(value, list):
        return [_fitting(column, entry) for entry in value]
    value = forms.fitting(column, value)
    if not isinstance(value, str):
        return value
    value = _without_home(value)
    return patterns.masked(_without_names(value) if column in CHOSEN else value, patterns.ALWAYS)


def _spoken(value: Any, names: list[str]) -> Any:
    if isinstance(value, list):  # findings of checks
        return [{name: _spoken(text, names) for name, text in entry.items()} for entry in value]
    return scrub(value, names) if isinstance(value, str) else value


def _without_home(text: str) -> str:
    home = here.home()
    return home.sub("~/…", text) if home else text


def _without_names(text: str) -> str:
    for name in _names():
        text = here.pattern(name).sub("[name]", text)
    return text
