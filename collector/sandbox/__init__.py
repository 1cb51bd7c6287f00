"""Runs untrusted Python in CPython compiled to WebAssembly: nothing is allowed but reading the files it is given.

No network, no processes, no threads, no files but its own, which it cannot change; memory, computing time, waiting
time and output are limited. The host believes nothing that the guest says of itself, only what it computed. Trouble of
this machine is HostTrouble, never the program's.
"""

import contextlib
import importlib.util
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from collector.sandbox.holding import Holder
from collector.sandbox.interpreter import compiled

WALL_S = 30.0  # of this machine's time, should it stand still: a program ends by its computing time long before
MOST_OUTPUT = 4 << 20  # bytes of stdout; a hundredth of it of stderr
FUEL_SPENT, TOO_MUCH, TOO_LONG, NO_QUESTION = "computing time", "output", "waiting time", "what it may ask"


@dataclass(frozen=True)
class Ran:
    """What came of a program. `stopped_by`: None, or the limit it ran into; what it printed may be forged by it."""

    exit_code: int | None
    stopped_by: str | None
    stdout: str
    stderr: str

    @property
    def trouble(self) -> str | None:
        """What went wrong, in words; None when it ended by itself without an error."""
        if self.stopped_by:
            return f"stopped at the limit of {self.stopped_by}"
        if self.exit_code == 0:
            return None
        last = next((line.strip() for line in reversed(self.stderr.splitlines()) if line.strip()), "")
        kind = next((name for name, signs in SIGNS if any(sign in self.stderr for sign in signs)), "error")
        return f"{kind}: {last[:200]}" if last else f"{kind}: exit code {self.exit_code}"


# How a refusal of the sandbox, or an ordinary failure, shows in the guest's traceback.
SIGNS = (
    ("recursion", ("RecursionError",)),
    ("memory", ("MemoryError", "cannot fit 'int' into an index-sized integer")),
    ("process", ("does not support processes", "'os' has no attribute 'fork'", "no attribute 'system'")),
    ("thread", ("can't start new thread",)),
    ("network", ("socket.py", "[Errno 58]", "_ssl", "gaierror")),
    ("files", ("[Errno 44]", "[Errno 63]", "[Errno 76]", "PermissionError", "FileNotFoundError")),
    ("syntax", ("SyntaxError", "IndentationError")),
    ("import", ("ImportError", "ModuleNotFoundError")),
)

Execute = Callable[..., Ran]  # `execute`, or None where there is no sandbox
Reply = Callable[[str], str]  # from a line that the program prints to the line it gets; ValueError: no such question


def available() -> bool:
    """Whether the optional extra is installed."""
    return importlib.util.find_spec("wasmtime") is not None


class HostTrouble(Exception):
    """Why the program could not be run by this machine, in words: nothing is known of the program itself."""


class Sandbox:
    """Where several programs are run: each in a process of its own, but what those have in common is loaded once.

    A context: when it ends, nothing of it is left. `execute` may be called by several threads at once.
    """

    def __init__(self) -> None:
        self._idle: list[Holder] = []

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        while self._idle:
            self._idle.pop().end()

    def execute(
        self, files: Mapping[str, str], arguments: list[str], stdin: str = "", reply: Reply | None = None
    ) -> Ran:
        """Run `python ARGUMENTS` over these files (relative paths within the program's folder).

        With `reply`, each line that the program prints is a question, and what `reply` makes of it comes after
        `stdin`. Raises SandboxFailed when the interpreter cannot be had; ValueError for a path that leads out of the
        folder; HostTrouble for whatever else is not the program's doing: no room, no memory, no file handles, killed,
        stood still.
        """
        apart(files)
        try:
            return self._executed(files, arguments, stdin, reply)
        except (OSError, MemoryError, RuntimeError) as error:  # RuntimeError: no thread can be started
            raise HostTrouble(f"the sandbox could not be started ({str(error) or type(error).__name__})") from None

    def _executed(self, files: Mapping[str, str], arguments: list[str], stdin: str, reply: Reply | None) -> Ran:
        from collector.sandbox.watching import Pipes, watch

        with tempfile.TemporaryDirectory(prefix="sandbox-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            for path, text in files.items():
                _place(folder / "guest" / safe(path), text)
            (folder / "stdin").write_text(stdin, encoding="utf-8")
            with self._holder() as holder, Pipes(None if reply else folder / "stdin") as pipes:
                return watch(holder, pipes, folder, arguments, stdin, reply)

    @contextlib.contextmanager
    def _holder(self) -> Iterator[Holder]:
        """One for the next program; where that went well it is used again."""
        holder = None
        while not (holder and holder.is_ready):
            if holder:
                holder.end()
            try:
                holder = self._idle.pop()
            except IndexError:
                holder = Holder(compiled())
                break
        try:
            yield holder
        except BaseException:
            holder.end()
            raise
        if holder.is_ready:
            self._idle.append(holder)
        else:
            holder.end()


def execute(files: Mapping[str, str], arguments: list[str], stdin: str = "", reply: Reply | None = None) -> Ran:
    """Run a single program, as `Sandbox.execute` does."""
    with Sandbox() as sandbox:
        return sandbox.execute(files, arguments, stdin, reply)


def _place(target: Path, text: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        # a file where a folder must be, or two names that this file system takes for one
        raise ValueError(f"{target.name!r} cannot stand beside the other files ({error.strerror})") from None


def safe(path: str) -> PurePosixPath:
    """The path if it stays within a folder. Raises ValueError."""
    parsed = PurePosixPath(path)
    plain = all(part.isprintable() and part not in ("..", ".") and "\\" not in part for part in parsed.parts)
    is_short = len(path) <= 200 and all(len(part.encode("utf-8", "replace")) <= 255 for part in parsed.parts)
    if not parsed.parts or parsed.is_absolute() or not plain or not is_short:
        raise ValueError(f"{path!r} is no path within a folder")
    return parsed


def apart(paths: Iterable[str]) -> None:
    """Raises ValueError for a path that is none, and for two that some file systems take for one.

    On a Mac they would be one file and on Linux two, and what becomes of an output must not depend on that.
    """
    known: dict[str, str] = {}
    for path in paths:
        parts = safe(path).parts
        for exact in ("/".join(parts[:length]) for length in range(1, len(parts) + 1)):
            if known.setdefault(unicodedata.normalize("NFC", exact).casefold(), exact) != exact:
                raise ValueError(f"{exact!r} cannot stand beside a name that differs only in case")
