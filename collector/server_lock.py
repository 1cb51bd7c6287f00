"""One collector at a time measures a server: two at once would measure each other.

The lock is a file that all users of this machine share, whatever their results folders; it dies with its process.
Collectors on other machines are not seen.
"""

import contextlib
import ipaddress
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from collector import locks
from collector.errors import ServerBusy

FOLDER = Path("/tmp")  # on a Mac, what `tempfile` calls the folder differs from user to user


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
    except OSError as error:
        raise ServerBusy(
            f"The lock of the server at {name}, {path}, cannot be had: {error.strerror or error}.",
            "Remove that file, once nobody measures this server.",
        ) from None
    try:
        holder = _holder(descriptor)
        if not is_ours:
            raise ServerBusy(
                f"{f'Process {holder}' if holder else 'Another process'} is measuring the server at {name}.",
                "Wait until it has ended, or end it: two at once would measure each other.",
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        try:
            yield holder
        finally:
            os.ftruncate(descriptor, 0)
            with contextlib.suppress(OSError):  # another user's may not be removed; it is empty and free
                path.unlink()
    finally:
        os.close(descriptor)


def place(url: str) -> str:
    """`host:port`, the same for every name of a server: all addresses of this machine are `localhost`."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().rstrip(".")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        addresses = sorted({str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(host, port)})
    except (OSError, UnicodeError):
        addresses = []  # nobody answers there either
    own = {found.address.partition("%")[0] for card in psutil.net_if_addrs().values() for found in card}
    if any(address in own or _is_here(address) for address in addresses):
        return f"localhost:{port}"
    return f"{addresses[0] if addresses else host}:{port}"


def _is_here(address: str) -> bool:
    found = ipaddress.ip_address(address)
    return found.is_loopback or found.is_unspecified


def _open(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CREAT | os.O_EXCL)
        os.fchmod(descriptor, 0o666)  # another user takes it over when it was left behind
        return descriptor
    return _open(path)  # another process made it in between


def _holder(descriptor: int) -> int | None:
    said = os.pread(descriptor, 20, 0).strip()
    return int(said) if said.isdigit() else None
