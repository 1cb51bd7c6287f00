"""Locks on files. A lock dies with the process that holds it, whatever becomes of the file."""

import fcntl
import os
from pathlib import Path

from collector.measure import sleep

ATTEMPTS, PAUSE_S = 5, 0.01  # whoever looks whether a file is locked locks it for a moment


def is_taken(descriptor: int) -> bool:
    """Take the lock on an open file, unless a living process holds it: whether it is ours now."""
    for _ in range(ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sleep(PAUSE_S)
        else:
            return True
    return False


def is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file still has this name: who waited for a lock may hold a file that was removed meanwhile."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
