"""The journal of a run in progress: each finished operation at once, so that a killed process loses at most one.

Lines of JSON: `{"facts": {…}}` adds run columns, `{"operation": {…}}` one finished operation. The collector holds a
lock on the file while it lives; a journal nobody holds is a run that was killed, and the next `collect` saves it.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from collector import locks
from collector.backends import Facts
from collector.errors import StoreFailed
from collector.schema import Results


class Journal:
    """A journal being written. Use it as a context manager; `remove` it when the run file stands.

    A disk that takes no more ends no run: `failure` then says why, and what could not be written waits for the next
    line.
    """

    def __init__(self, results: Results, run_id: str) -> None:
        self.path = results.journals / f"{run_id}.jsonl"
        self.failure: str | None = None
        self._waiting = b""
        self._written = 0
        try:
            results.journals.mkdir(parents=True, exist_ok=True)
            self._file = _create(self.path)
            while not locks.is_at(self._file, self.path):  # taken for a killed run's before it was locked
                os.close(self._file)
                self._file = _create(self.path)
        except OSError as error:
            raise StoreFailed(
                f"The results folder {results.root} cannot be written: {error.strerror or error}.",
                "Pass another one with --results, or mend its permissions. Nothing was measured.",
            ) from error

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def facts(self, facts: Facts) -> None:
        """Add run columns; a later value replaces an earlier one."""
        self._line({"facts": facts})

    def operation(self, row: Facts) -> None:
        """Add one finished operation."""
        self._line({"operation": row})

    def remove(self) -> None:
        """The run file stands, or there was nothing to keep."""
        with contextlib.suppress(OSError):  # the next start sees that the run file stands, and removes it then
            self.path.unlink(missing_ok=True)

    def _line(self, content: dict[str, Any]) -> None:
        self._waiting += json.dumps(content, default=_plain).encode() + b"\n"
        try:
            done = 0
            while done < len(self._waiting):
                done += os.pwrite(self._file, self._waiting[done:], self._written + done)
            sync(self._file)
        except OSError as error:
            self.failure = error.strerror or str(error)
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._written)  # half a line would hide those that follow
            return
        self._written += len(self._waiting)
        self._waiting, self.failure = b"", None


def sync(descriptor: int) -> None:
    """Have the system write a file to the disk, and on a Mac the disk to its cells."""
    os.fsync(descriptor)
    if hasattr(fcntl, "F_FULLFSYNC"):  # macOS: fsync alone leaves the data in the drive's cache
        with contextlib.suppress(OSError):  # network and FAT volumes do not know it
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)


def read(path: Path) -> tuple[Facts, list[Facts]]:
    """The run's facts and its finished operations; a line cut off by the crash, and what follows it, is left out."""
    facts: Facts = {}
    operations: list[Facts] = []
    for line in path.read_bytes().split(b"\n"):  # not splitlines: stored text may hold U+2028
        try:
            content = json.loads(line)
        except ValueError:
            break
        facts |= content.get("facts", {})
        operations += [content["operation"]] if "operation" in content else []
    if isinstance(facts.get("run_started_at"), str):
        facts["run_started_at"] = datetime.fromisoformat(facts["run_started_at"])
    return facts, operations


def left_over(results: Results, kind: str = "*.jsonl") -> Iterator[Path]:
    """Files of processes that are gone, each locked until the next is asked for: of two starts at once one has it."""
    for path in sorted(results.journals.glob(kind)):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            if locks.is_taken(file.fileno()) and locks.is_at(file.fileno(), path):
                yield path


def _create(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not belong in a journal")
