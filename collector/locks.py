"""Locks on files. A lock dies with the process that holds it, whatever becomes of the file.

A network share or an exFAT disk may refuse locks. What needs one then goes on without: two processes at once are rare,
and a run that ends for want of a lock is lost for certain. Only what would take another's file asks for more there:
that nobody has written to it for a day.
"""

import errno
import fcntl
import os
import stat
from datetime import UTC
from pathlib import Path

from collector.clock import sleep, utc_now

ATTEMPTS, PAUSE_S = 5, 0.01  # whoever looks whether a file is locked locks it for a moment
# ENOTSUP: no such call there (45 on a Mac, where EOPNOTSUPP is another number); EISDIR: Apple's msdos and SMB drivers
# of a folder; ENOLCK: a server that keeps no locks.
REFUSALS = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS, errno.EISDIR})
ABANDONED_S = 24 * 3600  # longer than the longest operation of a run; a journal grows with each


def wait_for(descriptor: int, kind: int = fcntl.LOCK_EX) -> None:
    """Hold the lock on an open file as soon as nobody else does; go on without where the disk has none."""
    try:
        fcntl.flock(descriptor, kind)
    except OSError as error:
        if error.errno not in REFUSALS:
            raise


def held(path: Path, kind: int, flags: int = os.O_RDONLY) -> int:
    """A descriptor of a file, made where there is none, that holds this lock once it can be had. Raises OSError."""
    descriptor = os.open(path, flags | os.O_CREAT, 0o644)
    try:
        wait_for(descriptor, kind)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def is_taken(descriptor: int) -> bool:
    """Take the lock on an open file, unless a living process holds it: whether it is ours now."""
    for _ in range(ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sleep(PAUSE_S)
        except OSError as error:
            return _is_abandoned(descriptor, error)
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
    except OSError as error:
        return not _is_abandoned(descriptor, error)
    finally:
        os.close(descriptor)
    return False


def _is_abandoned(descriptor: int, refused: OSError) -> bool:
    """Whether a file whose lock was refused is nobody's any more. Raises what it was refused with, if not as here."""
    if refused.errno not in REFUSALS:
        raise refused
    return utc_now().replace(tzinfo=UTC).timestamp() - os.fstat(descriptor).st_mtime > ABANDONED_S


def open_regular(path: Path) -> int:
    """A descriptor to read a file by. Raises OSError, also for what is none: opening a pipe would wait for ever."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return descriptor
