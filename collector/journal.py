"""The journal of a run in progress: each finished operation at once, so that a killed process loses at most one.

Lines of JSON: `{"facts": {…}}` adds run columns, `{"operation": {…}}` one finished operation. The collector holds a
lock on the file while it lives; a journal nobody holds is a run that was killed, and the next `collect` saves it.
"""

import contextlib
import fcntl
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collector import litter, locks
from collector.backends import Facts
from collector.errors import StoreFailed
from collector.locks import open_regular
from collector.room import BYTES, NO_ROOM, Room
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
            with contextlib.ExitStack() as made:
                self._room = made.enter_context(contextlib.closing(Room(results.journals)))
                self._file = _create(self.path)
                while not locks.is_at(self._file, self.path):  # taken for a killed run's before it was locked
                    os.close(self._file)
                    self._file = _create(self.path)
                made.pop_all()
        except OSError as error:
            mend = "mend its permissions"
            if error.errno in NO_ROOM:
                mend = f"make room: a run wants {BYTES // 10**6} MB before it begins"
            raise StoreFailed(
                f"The results folder {results.root} cannot be written: {error.strerror or error}.",
                f"Pass another one with --results, or {mend}. Nothing was measured.",
            ) from error

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self._room.close()
        os.close(self._file)

    def make_room(self) -> bool:
        """Give back the room that was kept for this moment; whether there was any left."""
        return self._room.give_back()

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
            self._write()
        except OSError as error:
            self.failure = error.strerror or str(error)
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._written)  # half a line would hide those that follow
            return
        self._written += len(self._waiting)
        self._waiting, self.failure = b"", None

    def _write(self) -> None:
        done = 0
        while done < len(self._waiting):
            try:
                done += os.pwrite(self._file, self._waiting[done:], self._written + done)
            except OSError as error:
                if error.errno not in NO_ROOM or not self.make_room():
                    raise
        sync(self._file)


def sync(descriptor: int) -> None:
    """Have the system write a file to the disk, and on a Mac the disk to its cells."""
    os.fsync(descriptor)
    if hasattr(fcntl, "F_FULLFSYNC"):  # macOS: fsync alone leaves the data in the drive's cache
        with contextlib.suppress(OSError):  # network and FAT volumes do not know it
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)


@dataclass(frozen=True)
class Journaled:
    """What a journal says. `unread`: lines that say nothing, but for the one at which the process was killed."""

    facts: Facts
    operations: list[Facts]
    unread: int


def read(path: Path) -> Journaled:
    """The run's facts and its finished operations, whatever else stands there. Raises OSError."""
    facts: Facts = {}
    operations: list[Facts] = []
    unread = 0
    lines = path.read_bytes().split(b"\n")  # not splitlines: stored text may hold U+2028
    for number, line in enumerate(lines, start=1):
        content = _content(line)
        facts |= content.get("facts", {})
        operations += [content["operation"]] if "operation" in content else []
        unread += bool(line) and not content and number < len(lines)
    if (started := _moment(facts.get("run_started_at"))) is not None:
        facts["run_started_at"] = started
    return Journaled(facts, operations, unread)


def left_over(results: Results, kind: str = "*.jsonl") -> Iterator[Path]:
    """Files of processes that are gone, each locked until the next is asked for: of two starts at once one has it.

    What is no file, such as a folder, a link or a pipe, was made by none.
    """
    for path in litter.without(results.journals.glob(kind)):
        try:
            descriptor = open_regular(path)
        except OSError:
            continue
        try:
            if locks.is_taken(descriptor) and locks.is_at(descriptor, path):
                yield path
        finally:
            os.close(descriptor)


def set_aside(path: Path) -> Path:
    """Rename a journal that could not be read whole, so that no start reads it again; its new path. Raises OSError."""
    names = (path.with_suffix(f".{number}.damaged" if number else ".damaged") for number in itertools.count())
    target = next(name for name in names if not os.path.lexists(name))
    return path.rename(target)


def _content(line: bytes) -> dict[str, dict[str, Any]]:
    """What a line says; `{}` where it says nothing."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    known = isinstance(content, dict) and content and content.keys() <= {"facts", "operation"}
    return content if known and all(isinstance(part, dict) for part in content.values()) else {}


def _moment(said: object) -> datetime | None:
    """A moment in UTC, naive as everywhere; None where that is none."""
    try:
        moment = datetime.fromisoformat(str(said))
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None


def _create(path: Path) -> int:
    return locks.held(path, fcntl.LOCK_EX, os.O_RDWR | os.O_EXCL)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not belong in a journal")
