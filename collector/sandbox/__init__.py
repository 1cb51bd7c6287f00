"""Runs untrusted Python in CPython compiled to WebAssembly: nothing is allowed but reading the files it is given.

No network, no processes, no threads, no files but its own, which it cannot change; memory, computing time, waiting
time and output are limited. The host believes nothing that the guest says of itself, only what it computed.
"""

import contextlib
import importlib.util
import subprocess
import sys
import tempfile
import threading
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from collector.sandbox.interpreter import compiled

WALL_S = 8.0
FUEL_CODE = 251  # of child.py, when the fuel was spent; WASI lets no guest exit with more than 125
MOST_OUTPUT = 4 << 20  # bytes of stdout; a hundredth of it of stderr
FUEL_SPENT, TOO_MUCH, TOO_LONG = "computing time", "output", "waiting time"


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


def available() -> bool:
    """Whether the optional extra is installed."""
    return importlib.util.find_spec("wasmtime") is not None


def execute(files: Mapping[str, str], arguments: list[str], stdin: str = "") -> Ran:
    """Run `python ARGUMENTS` over these files (relative paths within the program's folder).

    Raises SandboxFailed when the interpreter cannot be had; ValueError for a path that leads out of the folder.
    """
    apart(files)
    interpreter = compiled()
    with tempfile.TemporaryDirectory(prefix="sandbox-") as name:
        folder = Path(name)
        for path, text in files.items():
            _place(folder / "guest" / safe(path), text)
        (folder / "stdin").write_text(stdin, encoding="utf-8")
        command = [sys.executable, "-I", "-m", "collector.sandbox.child", str(interpreter), name, *arguments]
        with subprocess.Popen(
            command, env={}, cwd=name, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            return _watch(process)


def _place(target: Path, text: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:  # a file where a folder must be, or two names that this file system takes for one
        raise ValueError(f"{target.name!r} cannot stand beside the other files ({error.strerror})") from None


def safe(path: str) -> PurePosixPath:
    """The path if it stays within a folder. Raises ValueError."""
    parsed = PurePosixPath(path)
    plain = all(part.isprintable() and part not in ("..", ".") and "\\" not in part for part in parsed.parts)
    if not parsed.parts or parsed.is_absolute() or not plain or len(path) > 200:
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


def _watch(process: "subprocess.Popen[bytes]") -> Ran:
    """Read what it prints, up to the limit, and end it when its time is over."""
    assert process.stdout and process.stderr
    limits: list[str] = []
    out, err = bytearray(), bytearray()

    def stop(limit: str) -> None:
        limits.append(limit)
        with contextlib.suppress(ProcessLookupError):
            process.kill()

    def read(stream: IO[bytes], kept: bytearray, most: int) -> None:
        while piece := stream.read1(1 << 16):  # type: ignore[attr-defined]  # a buffered pipe has it
            kept += piece[: most - len(kept)]
            if len(kept) >= most:
                stop(TOO_MUCH)
                return

    readers = [
        threading.Thread(target=read, args=(process.stdout, out, MOST_OUTPUT)),
        threading.Thread(target=read, args=(process.stderr, err, MOST_OUTPUT // 100)),
    ]
    clock = threading.Timer(WALL_S, stop, (TOO_LONG,))
    for thread in (clock, *readers):
        thread.start()
    code = process.wait()
    clock.cancel()
    for reader in readers:
        reader.join()
    if not limits and code == FUEL_CODE:
        limits.append(FUEL_SPENT)
    return Ran(
        code if not limits else None,
        limits[0] if limits else None,
        out.decode("utf-8", "replace"),
        err.decode("utf-8", "replace"),
    )
