"""Takes out of free text what must not be published: where files lie, who is logged in, what the machine is called."""

import getpass
import re
import socket

_RULES = (
    (re.compile(r"(?:/Users|/home|/root|[A-Za-z]:\\Users)(?:[/\\][^\s'\":,;)\]]*)?"), "~/…"),
    (re.compile(r"(?i)bearer\s+\S+|sk-[a-z0-9][\w:-]{8,}"), "[token]"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b"), "[e-mail]"),
    (re.compile(r"\b(?!127\.)\d{1,3}(?:\.\d{1,3}){3}\b"), "[address]"),
)


def scrub(text: str) -> str:
    """The same text without home folders, tokens, e-mail and network addresses, login and host name."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    for name in _names():
        text = re.sub(rf"\b{re.escape(name)}\b", "[name]", text)
    return text


def _names() -> list[str]:
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        login = ""
    host = socket.gethostname()
    return [name for name in (login, host, host.partition(".")[0]) if len(name) > 2 and name != "root"]
