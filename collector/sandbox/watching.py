"""What the sandbox's process does, as seen from outside: its output up to a limit, its questions, and how it ended."""

import contextlib
import json
import os
import signal
import threading
from pathlib import Path
from typing import IO

from collector import sandbox
from collector.sandbox import HostTrouble, Ran, Reply
from collector.sandbox.holding import Holder


class Pipes:
    """What leads to a program and back: our ends, and in `theirs` its stdin, stdout, stderr and status.

    `stdin` is the file that it reads; None: a pipe, into which answers are written. Raises OSError.
    """

    def __init__(self, stdin: Path | None) -> None:
        self.stdin: IO[bytes] | None = None
        self.theirs: list[int] = []
        with contextlib.ExitStack() as ours:
            self._given = ours.enter_context(contextlib.ExitStack())
            if stdin:
                self._give(os.open(stdin, os.O_RDONLY))
            else:
                reading, writing = os.pipe()
                self._give(reading)
                self.stdin = ours.enter_context(open(writing, "wb"))  # noqa: PTH123 - a handle, no path
            self.stdout, self.stderr, self.status = (self._pipe(ours) for _ in range(3))
            self._ours = ours.pop_all()

    def __enter__(self) -> "Pipes":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(BrokenPipeError):  # of an answer that nobody has read
            self._ours.close()

    def given(self) -> None:
        """The program has its ends; while they are open here too, ours would not end with it."""
        self._given.close()

    def _pipe(self, ours: contextlib.ExitStack) -> IO[bytes]:
        reading, writing = os.pipe()
        self._give(writing)
        return ours.enter_context(open(reading, "rb"))  # noqa: PTH123 - a handle, no path

    def _give(self, handle: int) -> None:
        self._given.callback(os.close, handle)
        self.theirs.append(handle)


def watch(holder: Holder, pipes: Pipes, folder: Path, arguments: list[str], stdin: str, reply: Reply | None) -> Ran:
    """Have the program run, read what it prints, answer what it asks, and end it at a limit. Raises HostTrouble."""
    limits: list[str | None] = []  # None: that of this machine's time
    out, err = bytearray(), bytearray()

    def stop(limit: str | None) -> None:
        limits.append(limit)
        holder.kill()

    def read(stream: IO[bytes], kept: bytearray, most: int) -> None:
        while piece := stream.read1(1 << 16):  # type: ignore[attr-defined]  # a buffered pipe has it
            kept += piece[: most - len(kept)]
            if len(kept) >= most:
                stop(sandbox.TOO_MUCH)
                return

    def answer(stream: IO[bytes], given: IO[bytes]) -> None:
        most = sandbox.MOST_OUTPUT
        with contextlib.suppress(BrokenPipeError), given:
            given.write(stdin.encode())
            given.flush()
            while line := stream.readline(most - len(out)):
                out.extend(line)
                try:
                    said = reply(line.decode("utf-8", "replace").removesuffix("\n")) if reply else ""
                except ValueError:
                    stop(sandbox.NO_QUESTION)
                    return
                if len(out) >= most:
                    stop(sandbox.TOO_MUCH)
                    return
                given.write(f"{said}\n".encode())
                given.flush()

    first = (answer, pipes.stdout, pipes.stdin) if reply else (read, pipes.stdout, out, sandbox.MOST_OUTPUT)
    readers = [
        threading.Thread(target=first[0], args=first[1:], daemon=True),
        threading.Thread(target=read, args=(pipes.stderr, err, sandbox.MOST_OUTPUT // 100), daemon=True),
    ]
    clock = threading.Timer(sandbox.WALL_S, stop, (None,))
    try:
        for thread in (clock, *readers):
            thread.start()
        code = holder.run(folder, arguments, pipes.theirs, pipes.given)
    except BaseException:
        holder.kill()
        raise
    finally:
        clock.cancel()
    for reader in readers:
        reader.join()
    said = err.decode("utf-8", "replace")
    exit_code, stopped_by = _ended(limits, pipes.status.read(), code, said or holder.said())
    return Ran(exit_code, stopped_by, out.decode("utf-8", "replace"), said)


def _ended(limits: list[str | None], told: bytes, code: int, said: str) -> tuple[int | None, str | None]:
    """The exit code, or the limit that the program ran into. Raises HostTrouble."""
    if limits and limits[0]:
        return None, limits[0]
    if told:
        found = json.loads(told)
        return found.get("exit"), found.get("stopped")
    if code == -signal.SIGXCPU:
        return None, sandbox.FUEL_SPENT
    if limits:
        raise HostTrouble(f"this machine took more than {sandbox.WALL_S:.0f} s for it")
    if code < 0:
        raise HostTrouble(f"the sandbox was ended from outside (signal {-code})")
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), f"exit code {code}")
    raise HostTrouble(f"the sandbox could not be started ({last[:200]})")
