"""What this machine and its person are called, and where their home lies, however it is written."""

import getpass
import os
import pwd
import re
import socket
import subprocess
import sys
from functools import cache, lru_cache
from pathlib import Path

from collector.children import environment

OF_EVERY_MACHINE = {"root", "runner", "admin", "user", "ubuntu", "debian", "localhost"}  # names that tell of nobody
# Words that every computer may be called by; a name of nothing else tells of nobody either.
MAKES = {
    *("mac", "macbook", "imac", "mini", "pro", "air", "studio", "book", "local", "lan", "localdomain", "home"),
    *("s", "of", "the"),
}
# A slash or backslash, as paths, addresses, JSON and web pages write it.
SEPARATOR = r"(?:\\*/|\\+|%(?:25)*(?:2f|5c)|\\u00(?:2f|5c)|&#(?:x2f|47|x5c|92);)"
_BETWEEN = r"(?:[\W_]|%[0-9a-f]{2}|\\u[0-9a-f]{4}){0,6}"  # words of a name


def names() -> list[str]:
    """Login, host name, the name that the system shows, the person's own; the longest first."""
    host = socket.gethostname()
    told = [_login(), host, host.partition(".")[0], *_shown_names()]
    return sorted({name for name in told if _tells(name)}, key=lambda name: (-len(name), name))


@lru_cache(maxsize=64)
def pattern(name: str) -> re.Pattern[str]:
    """Finds a name in any case, with other signs between its words; one of three letters only as it is."""
    words = re.findall(r"[^\W_]+", name)
    if len(name) < 4 or not words:
        return re.compile(rf"\b{re.escape(name)}\b")
    return re.compile(rf"(?i)(?<![^\W\d_]){_BETWEEN.join(map(re.escape, words))}(?![^\W\d_])")


def home() -> re.Pattern[str] | None:
    """Finds the home folder, wherever it lies; None for one that tells of nobody."""
    folder = str(Path.home())
    return None if folder in ("/", "/root") else _path(folder)


@lru_cache(maxsize=4)
def _path(folder: str) -> re.Pattern[str]:
    parts = [_BETWEEN.join(map(re.escape, re.findall(r"[^\W_]+", part))) for part in Path(folder).parts[1:]]
    return re.compile(rf"(?i){SEPARATOR}{SEPARATOR.join(parts)}(?![^\W_])")


def _tells(name: str) -> bool:
    words = re.findall(r"[^\W\d_]+", name.lower())
    return len(name) > 2 and name.lower() not in OF_EVERY_MACHINE and not set(words) <= MAKES


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


@cache
def _shown_names() -> tuple[str, ...]:
    """The computer's name for people, and the person's; nothing where the system does not tell."""
    try:
        person = pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0]
    except KeyError:
        person = ""
    if sys.platform == "darwin":
        return _said("scutil", "--get", "ComputerName"), _said("scutil", "--get", "LocalHostName"), person
    try:
        told = re.search(r"(?m)^PRETTY_HOSTNAME=[\"']?([^\"'\n]*)", Path("/etc/machine-info").read_text("utf-8"))
    except (OSError, ValueError):
        told = None
    return told[1] if told else "", person


def _said(*command: str) -> str:
    try:
        asked = {"capture_output": True, "text": True, "timeout": 10, "check": True}
        done = subprocess.run(command, env=environment(), **asked)  # type: ignore[call-overload]
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    return str(done.stdout).strip()
