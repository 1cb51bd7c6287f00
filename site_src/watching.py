"""Folders of run files, watched by when they changed: MkDocs would look at each of their files twice a second."""

import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path

LOOK_S = 0.2


def stand_in(folders: Iterable[Path]) -> Path:
    """A file that is touched whenever one of these folders gains or loses a file, for as long as this process lives."""
    watched = tuple(folders)
    file = tempfile.NamedTemporaryFile(prefix="llm-mac-512-")  # noqa: SIM115  # the thread holds it
    threading.Thread(target=_follow, args=(watched, _changed(watched), file), daemon=True).start()
    return Path(file.name)


def _follow(folders: tuple[Path, ...], known: list[int], file: "tempfile._TemporaryFileWrapper[bytes]") -> None:
    while True:
        time.sleep(LOOK_S)
        if (now := _changed(folders)) != known:
            known = now
            Path(file.name).touch()


def _changed(folders: tuple[Path, ...]) -> list[int]:
    return [_changed_at(folder) for folder in folders]


def _changed_at(folder: Path) -> int:
    """When it gained or lost a file last, in ns; 0 where there is none."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
