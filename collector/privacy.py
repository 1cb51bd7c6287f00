"""Takes out of free text what must not be published: where files lie, who is logged in, what the machine is called."""

import getpass
import os
import re
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_OF_THE_PERSON = (
    (
        re.compile(r"(?:/(?:Users|Volumes|home|root|private|mnt|media)\b|[A-Za-z]:\\+Users)(?:[/\\][^\s'\":,;)\]]*)?"),
        "~/…",
    ),
    (re.compile(r"(?i)bearer\s+\S+|sk-[a-z0-9][\w:-]{8,}"), "[token]"),
)
# Versions and names of models may look like these.
_IN_FREE_TEXT = (
    # as Apple's serial numbers are: ten to twelve capitals and digits, both among them
    (re.compile(r"\b(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{10,12}\b"), "[serial]"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b"), "[e-mail]"),
    (re.compile(r"\b(?!127\.)\d{1,3}(?:\.\d{1,3}){3}\b"), "[address]"),
    # IPv6 and hardware addresses: a double colon, or five single ones.
    (re.compile(r"(?i)(?<![\w:])(?=[0-9a-f:]*::|(?:[0-9a-f]+:){5})[0-9a-f]{1,4}:[0-9a-f:]*(?![\w:])"), "[address]"),
)
# Columns in which a server names things, and those in which it talks. Some names the person may have chosen: what LM
# Studio calls a fingerprint is the identifier that a model was loaded under.
CHOSEN = (
    "model_key",
    "model_publisher",
    "model_variant",
    "model_requested",
    "system_fingerprint",
    "answered_model",
    "loaded_instances",
)
NAMES = (
    *(*CHOSEN, "model_architecture", "quantization"),
    *("server_version", "runtime_version", "finish_reason"),
)
TALK = ("preflight", "error_detail", "runtime_proof", "served_by")
WRITTEN = ("output_text", "reasoning_text")  # by a model, which knows neither person nor machine, yet writes of such
_OF_EVERY_MACHINE = {"root", "runner", "admin", "user", "ubuntu", "localhost"}  # logins that name nobody
_FOLDERS = re.compile(r"^(?:/|~|[A-Za-z]:\\).*[/\\]")  # of a name that is a path


def scrub(text: str) -> str:
    """The same text without home folders, tokens, e-mail and network addresses, login and host name, serial numbers."""
    text = _without_folders(text)
    for pattern, replacement in _IN_FREE_TEXT:
        text = pattern.sub(replacement, text)
    return _without_names(text)


def clean(facts: dict[str, Any]) -> dict[str, Any]:
    """The same columns without what must not be published; a name that is a path is its last part."""
    return {name: _cleaned(name, value) for name, value in facts.items()}


def traces(row: dict[str, Any], names: Iterable[str] = ()) -> list[tuple[str, str]]:
    """What of a stored row must not be published: column, and what was found there. None, if all went well.

    The last line of defense, over files from anywhere: `names` are words that must not occur, beside this machine's
    login and host name. What models wrote is looked at, too: whoever asks decides what it means there.
    """
    words = [name for name in (*_names(), *names) if name.lower() not in _OF_EVERY_MACHINE]
    texts = ((column, text) for column, value in row.items() for text in _texts(value))
    return [(column, found) for column, text in texts for found in _found(column, text, words)]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _texts(entry)
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _texts(entry)


def _found(column: str, text: str, names: list[str]) -> Iterator[str]:
    rules = _OF_THE_PERSON if column in NAMES else (*_OF_THE_PERSON, *_IN_FREE_TEXT)
    for pattern, _ in rules:
        if match := pattern.search(text):
            yield match.group()
    for name in names:
        if re.search(rf"\b{re.escape(name)}\b", text):
            yield name


def _cleaned(column: str, value: Any) -> Any:
    if column in NAMES and isinstance(value, list):
        return [_cleaned(column, entry) for entry in value]
    if column in NAMES and isinstance(value, str):
        said = _without_folders(_FOLDERS.sub("", value))
        return _without_names(said) if column in CHOSEN else said
    if column in TALK and isinstance(value, str):
        return scrub(value)
    if column in TALK and isinstance(value, list):
        return [{name: scrub(text) for name, text in entry.items()} for entry in value]  # findings of checks
    return value


def _without_folders(text: str) -> str:
    if token := os.environ.get("LM_API_TOKEN"):  # of another server's than LM Studio's, it may look like anything
        text = text.replace(token, "[token]")
    home = str(Path.home())
    if home not in ("/", "/root"):  # it may lie anywhere
        text = re.sub(rf"{re.escape(home)}(?:[/\\][^\s'\":,;)\]]*)?", "~/…", text)
    for pattern, replacement in _OF_THE_PERSON:
        text = pattern.sub(replacement, text)
    return text


def _without_names(text: str) -> str:
    for name in _names():
        text = re.sub(rf"\b{re.escape(name)}\b", "[name]", text)
    return text


def _names() -> list[str]:
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        login = ""
    host = socket.gethostname()
    names = [name for name in (login, host, host.partition(".")[0]) if len(name) > 2 and name != "root"]
    return sorted(names, key=len, reverse=True)  # a login may be a part of the host's name
