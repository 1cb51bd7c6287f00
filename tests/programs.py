"""The programs as a person starts them: `collect`, `mkdocs`, an engine, a browser. Conditions are polled for."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import psutil
import pytest

from collector import embedded_model
from collector.schema import CLONE, Results
from site_src.run_file import read_run

BIN = Path(sys.executable).parent
PATIENCE_S = 120  # only a hung program waits this long
CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def environment(**values: str) -> dict[str, str]:
    """This process's environment without what would point a program at another results folder or address."""
    own = {name: value for name, value in os.environ.items() if name not in ("LLM_RESULTS", "SITE_URL")}
    return {**own, "NO_MKDOCS_2_WARNING": "1", **values}


def program(name: str, *args: str) -> list[str]:
    """The command line of a program that the project's installation provides."""
    path = BIN / name
    if not path.exists():
        pytest.fail(f"{name} is not installed beside {Path(sys.executable).name}; `scripts/setup` installs it.")
    return [str(path), *args]


# `collect` without the seconds that let a real machine come to rest before a model is loaded and after.
BRISK = """
from collector import run
run.BASELINE_S = 0.3
run.SETTLE_S = 0
from collector.cli import main
main()
"""


def brisk(*args: str) -> list[str]:
    """The command line of `collect`, where what a machine is like at rest is not the subject."""
    return [sys.executable, "-c", BRISK, *args]


# The site in its first language alone: half the work where a test is not about both.
ENGLISH_SITE = """
from site_src import words
words.LANGUAGES = words.LANGUAGES[:1]
from mkdocs.__main__ import cli
cli()
"""


def finish(
    command: list[str], cwd: Path | None = None, timeout: float = PATIENCE_S, **values: str
) -> subprocess.CompletedProcess[str]:
    """Run to the end; `values` are environment variables."""
    return subprocess.run(
        command, cwd=cwd, env=environment(**values), capture_output=True, text=True, check=False, timeout=timeout
    )


def once(
    name: str,
    tmp_path_factory: pytest.TempPathFactory,
    make: Callable[[Path], "subprocess.CompletedProcess[str]"],
) -> tuple[Path, "subprocess.CompletedProcess[str]"]:
    """A folder of this name, and what came of making something in it: one process of a test run does so for all."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / name
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = folder / "said.json"
        if not said.exists():
            said.write_text(json.dumps(vars(make(folder))), encoding="utf-8")
        return folder, subprocess.CompletedProcess(**json.loads(said.read_text(encoding="utf-8")))


def until(holds: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Return as soon as `holds()`; fail, naming `what` was waited for, if it never does."""
    deadline = time.monotonic() + patience_s
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {patience_s} s in vain: {what}")
        time.sleep(0.02)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Child(subprocess.Popen[Any]):
    """A child process that is killed when its `with` block fails; Popen's own waits for its end, maybe forever."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, error, trace)


class Running:
    """A program in its own process group, with each line it prints and the moment (Unix time) that line came."""

    def __init__(self, command: list[str], cwd: Path | None = None, **values: str) -> None:
        self.out: list[tuple[float, str]] = []
        self.err: list[tuple[float, str]] = []
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment(**values),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        pipes = ((self._process.stdout, self.out), (self._process.stderr, self.err))
        self._readers = [threading.Thread(target=_keep, args=pipe, daemon=True) for pipe in pipes]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGKILL)
        self.exit_code()

    def wait_for(self, text: str) -> None:
        """Return when a line of its stderr has contained `text`."""

        def seen() -> bool:
            if any(text in line for _, line in self.err):
                return True
            if self._process.poll() is not None and not any(reader.is_alive() for reader in self._readers):
                assert any(text in line for _, line in self.err), f"it ended without saying {text!r}:\n{self.stderr}"
            return False

        until(seen, f"{text!r} on stderr, which says:\n{self.stderr}")

    def signal(self, number: signal.Signals) -> None:
        """To the whole process group, as a terminal does with Ctrl-C."""
        os.killpg(self._process.pid, number)

    def exit_code(self) -> int:
        """Wait for its end, and for the last of what it printed."""
        code = self._process.wait(timeout=PATIENCE_S)
        for reader in self._readers:
            reader.join(timeout=PATIENCE_S)
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()
        return code

    def descendants(self) -> list[psutil.Process]:
        """The processes it has started, that live."""
        return psutil.Process(self._process.pid).children(recursive=True)

    @property
    def stdout(self) -> str:
        return "\n".join(line for _, line in self.out)

    @property
    def stderr(self) -> str:
        return "\n".join(line for _, line in self.err)


def _keep(pipe: IO[str], lines: list[tuple[float, str]]) -> None:
    for line in pipe:
        lines.append((time.time(), line.rstrip("\n")))


def is_gone(process: psutil.Process) -> bool:
    """Whether it has ended, collected by its parent or not."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@contextmanager
def engine(context: int = 8192) -> Iterator[str]:
    """The address of a server that was started, and loaded its model, before `collect` came."""
    command = [sys.executable, "-m", "collector.embedded_server", str(small_model()), str(context)]
    server = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert server.stdin is not None and server.stdout is not None
    with server.stdin, server.stdout:
        yield server.stdout.readline().strip()
    server.wait(timeout=30)


@dataclass(frozen=True)
class EngineRun:
    """A finished `collect` on the real engine."""

    results: Results
    done: subprocess.CompletedProcess[str]

    @property
    def path(self) -> Path:
        """Its run file."""
        [path] = self.results.runs.iterdir()
        return path

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Its operations, the times between them left out."""
        return operations(self.path)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The measured ones."""
        return [row for row in self.rows if row["op"] == "request"]


def operations(path: Path) -> list[dict[str, Any]]:
    """A run file's rows, without those that only say what memory did between operations."""
    rows: list[dict[str, Any]] = read_run(path).to_pylist()
    return [row for row in rows if row["op"] != "idle"]


def small_model() -> Path:
    """The engine's model, from the clone's cache or downloaded there."""
    return embedded_model.small_model(CLONE / ".cache" / "models")


def chromium() -> str:
    """The browser's path; a missing one fails the test."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    on_a_mac = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
    if on_a_mac.exists():
        return str(on_a_mac)
    pytest.fail("No browser found: `apt-get install chromium`; on a Mac, install Google Chrome.")
