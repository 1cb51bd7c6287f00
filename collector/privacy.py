"""Takes out of free text what must not be published: where files lie, who is logged in, what the machine is called."""

import getpass
import os
import re
import socket

_RULES = (
    (
        re.compile(r"(?:/(?:Users|Volumes|home|root|private|mnt|media)\b|[A-Za-z]:\\+Users)(?:[/\\][^\s'\":,;)\]]*)?"),
        "~/…",
    ),
    (re.compile(r"(?i)bearer\s+\S+|sk-[a-z0-9][\w:-]{8,}"), "[token]"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b"), "[e-mail]"),
    (re.compile(r"\b(?!127\.)\d{1,3}(?:\.\d{1,3}){3}\b"), "[address]"),
    # IPv6 and hardware addresses: a double colon, or five single ones.
    (re.compile(r"(?i)(?<![\w:])(?=[0-9a-f:]*::|(?:[0-9a-f]+:){5})[0-9a-f]{1,4}:[0-9a-f:]*(?![\w:])"), "[address]"),
)


def scrub(text: str) -> str:
    """The same text without home folders, tokens, e-mail and network addresses, login and host name."""
    if token := os.environ.get("LM_API_TOKEN"):  # of another server's than LM Studio's, it may look like anything
        text = text.replace(token, "[token]")
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
    names = [name for name in (login, host, host.partition(".")[0]) if len(name) > 2 and name != "root"]
    return sorted(names, key=len, reverse=True)  # a login may be a part of the host's name
