"""Files that are there whole or not at all, and the hash by which one is known."""

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path


def write(
    path: Path,
    content: bytes | bytearray,
    mode: int = 0o644,
    put: Callable[[Path, Path], object] = os.replace,
    unfinished: Path | None = None,
) -> None:
    """Write a file with this mode; one that was there is replaced, unless `put` is `place`. Raises OSError.

    Until it is whole it lies in the folder `unfinished`, of the same file system; by default in its own.
    """
    part = (unfinished or path.parent) / f"{path.name}-{os.getpid()}.part"
    try:
        for folder in (part.parent, path.parent):
            folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        put(part, path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def place(part: Path, target: Path) -> None:
    """Let a finished file be there under another name as well or instead. Raises FileExistsError, and any OSError.

    No file is ever replaced.
    """
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: claim the name first
        with target.open("xb"):
            pass
        try:
            part.replace(target)
        except OSError:
            target.unlink()
            raise


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
