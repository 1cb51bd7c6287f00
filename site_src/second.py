"""A second process beside a build, for the second core: it draws pictures, and then builds the pages of a translation.

It lives as long as one build: beside a measurement nothing stays that takes memory. Both ends are of the same code, and
nobody else writes into its pipes, so what goes through them is pickled.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from collector import children
from collector.schema import CLONE

PATIENCE_S = 10


class Second(Executor):
    """The process. What is submitted must be a function of a module, and is done in turn."""

    def __init__(self) -> None:
        # Not multiprocessing: that runs the main module once more, whatever program it is.
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(
            command, cwd=CLONE, env=children.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._asking = ThreadPoolExecutor(1)

    def submit(self, function: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        """Have this called there. Its result raises what the function raises, or BrokenExecutor."""
        return self._asking.submit(self._ask, function, given, named)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End it, after what it does now."""
        self._asking.shutdown(wait, cancel_futures=cancel_futures)
        assert self._process.stdin and self._process.stdout
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(PATIENCE_S)
        self._process.stdout.close()

    def _ask(self, *asked: Any) -> Any:
        assert self._process.stdin and self._process.stdout
        try:
            pickle.dump(asked, self._process.stdin)
            self._process.stdin.flush()
            error, answer = pickle.load(self._process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError) as ended:
            raise BrokenExecutor("the second process was ended") from ended
        if error:
            raise error
        return answer


def main() -> None:
    """Do what comes in, until nobody is left to ask."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    while True:
        try:
            function, given, named = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        answer: tuple[Exception | None, Any]
        try:
            answer = None, function(*given, **named)
        except Exception as error:
            answer = error, None
        with suppress(BrokenPipeError):
            pickle.dump(answer, answers)
            answers.flush()


if __name__ == "__main__":
    main()
