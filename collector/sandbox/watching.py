"""What the sandbox's process does, as seen from outside: its output up to a limit, its questions, and how it ended."""

import contextlib
import json
import signal
import subprocess
import threading
from typing import IO

from collector import sandbox
from collector.sandbox import HostTrouble, Ran, Reply


def watch(process: "subprocess.Popen[bytes]", status: IO[bytes], stdin: str, reply: Reply | None) -> Ran:
    """Read what it prints, answer what it asks, and end it at a limit. Raises HostTrouble."""
    assert process.stdout and process.stderr
    limits: list[str | None] = []  # None: that of this machine's time
    out, err = bytearray(), bytearray()

    def stop(limit: str | None) -> None:
        limits.append(limit)
        with contextlib.suppress(ProcessLookupError):
            process.kill()

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

    first = (answer, process.stdout, process.stdin) if reply else (read, process.stdout, out, sandbox.MOST_OUTPUT)
    readers = [
        threading.Thread(target=first[0], args=first[1:], daemon=True),
        threading.Thread(target=read, args=(process.stderr, err, sandbox.MOST_OUTPUT // 100), daemon=True),
    ]
    clock = threading.Timer(sandbox.WALL_S, stop, (None,))
    try:
        for thread in (clock, *readers):
            thread.start()
        code = process.wait()
    except BaseException:
        process.kill()
        raise
    finally:
        clock.cancel()
    for reader in readers:
        reader.join()
    said = err.decode("utf-8", "replace")
    exit_code, stopped_by = _ended(limits, status.read(), code, said)
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
