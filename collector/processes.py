"""Looking into other processes, which may go, belong to somebody else or change while they are looked at."""

from collections.abc import Callable
from typing import TypeVar

import psutil

T = TypeVar("T")
# On macOS psutil 7.2 raises more than its own errors: SystemError where a process goes between two calls of `cmdline`
# (gh-2854), OSError where a descriptor is no socket any more (ENOTSOCK), RuntimeError where the kernel gives no errno.
UNSEEN = (psutil.Error, OSError, RuntimeError, SystemError)


def looked_into(ask: Callable[[], T]) -> T | None:
    """What a process tells; None where it cannot be looked into, for whatever reason."""
    try:
        return ask()
    except UNSEEN:
        return None


def every() -> list[psutil.Process]:
    """All processes of this machine; none where they cannot be listed."""
    return looked_into(lambda: list(psutil.process_iter())) or []


def command(pid: int) -> str:
    """A process's command line; empty where it cannot be seen."""
    return " ".join(looked_into(lambda: psutil.Process(pid).cmdline()) or [])
