"""The process that makes a process for each program, itself of none: all that a sandbox needs is loaded there once.

A program's process is a copy of this one (`fork`), which takes a twentieth of a start of Python. So no program has what
another one left behind, as if each were started anew.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

END_S = 10.0  # it ends at once when nobody can ask it any more


class Holder:
    """Such a process. One program at a time; `end` must be called. Raises OSError where it cannot be started."""

    def __init__(self, interpreter: Path) -> None:
        ours, theirs = socket.socketpair()
        self.is_ended = False
        with contextlib.ExitStack() as opened:
            self._errors = opened.enter_context(tempfile.TemporaryFile())
            self._socket = opened.enter_context(ours)
            self._answers = opened.enter_context(ours.makefile("rb"))
            with theirs:
                self.process = subprocess.Popen(
                    [sys.executable, "-I", "-m", "collector.sandbox.child", str(interpreter), str(theirs.fileno())],
                    env={},
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self._errors,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,  # so that it and its copy can be killed together
                )
            self._opened = opened.pop_all()

    def run(self, folder: Path, arguments: list[str], handles: list[int], sent: Callable[[], object]) -> int:
        """Run a program with these as stdin, stdout, stderr and status: its exit code, -N where signal N ended it.

        `sent` is called when the handles have arrived and may be closed here. The code is this process's own where that
        ended, too.
        """
        asked = f"{json.dumps([str(folder), *arguments])}\n".encode()
        with contextlib.suppress(ConnectionError):
            socket.send_fds(self._socket, [asked], handles)
            self._answers.readline()  # macOS may lose a handle that is closed before it has arrived
        sent()
        told = b""
        with contextlib.suppress(ConnectionError):
            told = self._answers.readline()
        if told:
            return int(told)
        code = self.process.wait(END_S)
        if code < 0:  # it had no time to wait for its copy, which runs on
            self._kill_group()
        return code

    def kill(self) -> None:
        """End it and the program that it runs."""
        self.is_ended = True
        if self.process.poll() is None:
            self._kill_group()

    def end(self) -> None:
        """End it, and close what it had open."""
        self.kill()
        with self._opened:
            self.process.wait(END_S)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses where only ended ones are left
            os.killpg(self.process.pid, signal.SIGKILL)

    @property
    def is_ready(self) -> bool:
        """Whether it can run another program."""
        return not self.is_ended and self.process.poll() is None

    def said(self) -> str:
        """What it complained of itself."""
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace")
