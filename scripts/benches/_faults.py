"""Makes one call of the operating system fail, in this process, and sees what becomes of a command.

A point is a call in our own code: its name, the file and line of ours that led to it, and how often that line had
called it before. Calls by other threads and by packages on their own account do not count.
"""

import builtins
import contextlib
import errno
import fcntl
import io
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector import cli, store
from collector.schema import CLONE, Results
from site_src.run_file import read_run

ERRORS = (errno.EIO, errno.ENOSPC, errno.EROFS, errno.EMFILE, errno.EACCES)
OURS = tuple(f"{CLONE / package}/" for package in ("collector", "site_src"))
MOST_A_LINE = 2  # calls of one line that are told apart: a loop makes the same call again and again
CALLS: tuple[tuple[Any, str], ...] = (
    *((os, name) for name in ("open", "mkdir", "unlink", "link", "rename", "replace", "rmdir", "scandir", "listdir")),
    *((os, name) for name in ("fsync", "ftruncate", "pwrite", "pread", "fstat", "stat", "pipe", "posix_fallocate")),
    *((fcntl, "flock"), (io, "open"), (builtins, "open")),
)
Point = tuple[str, str, int, int]  # call, file, line, how often before


@dataclass
class Faults:
    """What our calls are, and which of them fails how."""

    failing: Point | None = None
    number: int = errno.EIO
    seen: dict[Point, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._counts: dict[tuple[str, str, int], int] = {}

    def pass_by(self, call: str, argument: object) -> None:
        """A call is about to be made. Raises OSError where it is the one that fails."""
        if threading.current_thread() is not threading.main_thread():
            return
        place = _place()
        if place is None:
            return
        key = (call, *place)
        before = self._counts[key] = self._counts.get(key, -1) + 1
        point = (*key, before)
        if before < MOST_A_LINE:
            self.seen[point] = self.seen.get(point, 0) + 1
        if point == self.failing:
            name = argument if isinstance(argument, str | bytes | os.PathLike) else None
            raise OSError(self.number, os.strerror(self.number), *([os.fspath(name)] if name else []))

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """All calls go through here meanwhile."""
        real = [(owner, name, getattr(owner, name)) for owner, name in CALLS if hasattr(owner, name)]
        for owner, name, call in real:
            setattr(owner, name, self._wrapped(name, call))
        try:
            yield
        finally:
            for owner, name, call in real:
                setattr(owner, name, call)

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def through(*arguments: Any, **options: Any) -> Any:
            self.pass_by(name, arguments[0] if arguments else None)
            return call(*arguments, **options)

        return through


def _place() -> tuple[str, int] | None:
    """The nearest line of ours on the way here; none where an import led here, or a package of its own accord."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if "importlib" in name:
            return None
        if name.startswith(OURS):
            return str(Path(name).relative_to(CLONE)), frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return None


@dataclass(frozen=True)
class Came:
    """What came of a command."""

    code: int
    out: str
    err: str
    raised: str | None

    @property
    def told(self) -> int:
        """Requests that were said to be finished."""
        return len(re.findall(r"^\[\d+/\d+\] ", self.err, re.MULTILINE))

    @property
    def fault(self) -> str | None:
        """What no person should meet; None where all is well."""
        if self.raised:
            return f"raised {self.raised}"
        if "Traceback" in self.err:
            return "a traceback"
        said = self.err.partition("error: ")[2].strip().splitlines()
        return "an error without a remedy" if said and len(said) < 2 else None


def command(*arguments: str) -> Came:
    """Run it as a shell would, in this process; an exception that would be a traceback is in the result."""
    out, err, raised, code = io.StringIO(), io.StringIO(), None, 0
    before = sys.argv, signal.getsignal(signal.SIGINT)
    sys.argv = ["collect", *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    except Exception as error:
        raised = f"{type(error).__name__}: {error}"
    finally:
        sys.argv = before[0]
        signal.signal(signal.SIGINT, before[1])
    return Came(code, out.getvalue(), err.getvalue(), raised)


@dataclass(frozen=True)
class Victim:
    """A command in a results folder of its own each time. `prepare` fills it and gives the command's last words."""

    name: str
    arguments: tuple[str, ...]
    prepare: Callable[[Results], tuple[str, ...]] = lambda results: ()

    def run(self, folder: Path, faults: Faults) -> tuple[Came, int]:
        """What came of it, and how many finished requests are stored once the next start has saved what it could."""
        results = Results(folder / "results")
        more = self.prepare(results)
        with faults.at_work():
            came = command(*self.arguments, *more, "--results", str(results.root))
        store.recover(results)
        rows = [row for path in results.runs.glob("*.parquet") for row in read_run(path, ("op",)).to_pylist()]
        return came, sum(row["op"] == "request" for row in rows)

    def points(self, folder: Path) -> list[Point]:
        """Every call that can fail."""
        faults = Faults()
        self.run(folder, faults)
        return list(faults.seen)

    def strike(self, folder: Path, point: Point, number: int) -> str | None:
        """Let one call fail; what was wrong then, None where nothing was."""
        came, stored = self.run(folder, Faults(point, number))
        if came.fault:
            return came.fault
        return f"{came.told} requests told as finished, {stored} stored" if stored < came.told else None
