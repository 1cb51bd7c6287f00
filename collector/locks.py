"""Locks on files. A lock dies with the process that holds it, whatever becomes of the file."""

import errno
import fcntl
import os
import stat
from pathlib import Path

from collector.clock import sleep

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


def is_locked(path: Path) -> bool:
    """Whether a living process holds the journal at `path`."""
    try:
        descriptor = open_regular(path)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def open_regular(path: Path) -> int:
    """A descriptor to read a file by. Raises OSError, also for what is none: opening a pipe would wait for ever."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return descriptor
