"""Takes out of free text what must not be published: where files lie, who is logged in, what the machine is called."""

import getpass
import os
import re
import socket
from pathlib import Path
from typing import Any

_RULES = (
    (
        re.compile(r"(?:/(?:Users|Volumes|home|root|private|mnt|media)\b|[A-Za-z]:\\+Users)(?:[/\\][^\s'\":,;)\]]*)?"),
        "~/…",
    ),
    # as Apple's serial numbers are: ten to twelve capitals and digits, both among them
    (re.compile(r"\b(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{10,12}\b"), "[serial]"),
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
    home = str(Path.home())
    if home not in ("/", "/root"):  # it may lie anywhere
        text = re.sub(rf"{re.escape(home)}(?:[/\\][^\s'\":,;)\]]*)?", "~/…", text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    for name in _names():
        text = re.sub(rf"\b{re.escape(name)}\b", "[name]", text)
    return text


# Columns in which a server's own words stand.
SAID = (
    *("model_key", "model_publisher", "model_variant", "model_requested", "model_architecture", "quantization"),
    *("server_version", "runtime_version", "runtime_proof", "served_by", "system_fingerprint", "finish_reason"),
    *("preflight", "error_detail"),
)
_FOLDERS = re.compile(r"^(?:/|~|[A-Za-z]:\\).*[/\\]")  # of a model's name that is a path


def clean(facts: dict[str, Any]) -> dict[str, Any]:
    """The same columns, those with a server's words scrubbed; a model's name that is a path is its last part."""
    return {name: _cleaned(value) if name in SAID else value for name, value in facts.items()}


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(_FOLDERS.sub("", value))
    if isinstance(value, list):
        return [{name: scrub(text) for name, text in entry.items()} for entry in value]  # findings of checks
    return value


def _names() -> list[str]:
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        login = ""
    host = socket.gethostname()
    names = [name for name in (login, host, host.partition(".")[0]) if len(name) > 2 and name != "root"]
    return sorted(names, key=len, reverse=True)  # a login may be a part of the host's name
