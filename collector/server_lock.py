"""One collector at a time measures a server: two at once would measure each other.

The lock is a file that all users of this machine share, whatever their results folders; it dies with its process.
Collectors on other machines are not seen.
"""

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from urllib.parse import urlsplit

from collector import addresses, locks
from collector.clock import utc_now
from collector.errors import ServerBusy
from collector.locks import open_regular

FOLDER = Path("/tmp")  # on a Mac, what `tempfile` calls the folder differs from user to user
LEFT_S = 600  # a lock that nobody holds is kept so long: who measures that server next is told of the process


@contextmanager
def hold(url: str) -> Iterator[int | None]:
    """Hold the lock of the server at `url`; gives the process that was killed while it held it, if one was.

    Raises ServerBusy.
    """
    name = place(url)
    path = FOLDER / f"llm-mac-512-{re.sub('[^0-9a-z.-]', '_', name)}.lock"
    try:
        descriptor = _open(path)
        while (is_ours := locks.is_taken(descriptor)) and not locks.is_at(descriptor, path):
            os.close(descriptor)  # whoever held it removed it just now
            descriptor = _open(path)
        holder = _holder(descriptor)
    except OSError as error:
        raise ServerBusy(
            f"The lock of the server at {name}, {path}, cannot be had: {error.strerror or error}.",
            "Remove that file, once nobody measures this server.",
        ) from None
    try:
        if not is_ours:
            raise ServerBusy(
                f"{f'Process {holder}' if holder else 'Another process'} is measuring the server at {name}.",
                "Wait until it has ended, or end it: two at once would measure each other.",
            )
        with contextlib.suppress(OSError):  # on a full disk it is held all the same, by nobody knows whom
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        _tidy()
        try:
            yield holder
        finally:
            with contextlib.suppress(OSError):  # another user's may not be removed; it is empty and free
                os.ftruncate(descriptor, 0)
                path.unlink()
    finally:
        os.close(descriptor)


def place(url: str) -> str:
    """`host:port`, the same for every name of a server: all addresses of this machine are `localhost`."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().rstrip(".")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if addresses.is_here(host):
        return f"localhost:{port}"
    return f"{next(iter(addresses.resolved(host)), host)}:{port}"  # nobody answers where nobody knows the name


def _open(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CREAT | os.O_EXCL)
        os.fchmod(descriptor, 0o666)  # another user takes it over when it was left behind
        return descriptor
    return _open(path)  # another process made it in between


def _tidy() -> None:
    """Remove locks of other servers that killed processes left behind a while ago."""
    for path in FOLDER.glob("llm-mac-512-*.lock"):
        with contextlib.suppress(OSError):
            descriptor = open_regular(path)
            try:
                age_s = utc_now().replace(tzinfo=UTC).timestamp() - os.fstat(descriptor).st_mtime
                if age_s > LEFT_S and locks.is_taken(descriptor) and locks.is_at(descriptor, path):
                    path.unlink()
            finally:
                os.close(descriptor)


def _holder(descriptor: int) -> int | None:
    said = os.pread(descriptor, 20, 0).strip()
    return int(said) if said.isdigit() else None
