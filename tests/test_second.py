"""The process beside a build: what it is asked it does in turn, and it outlives nobody."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor

import psutil
import pytest

from collector.schema import CLONE
from site_src.second import Second
from tests.programs import Child, environment, is_gone, until


@pytest.fixture
def second() -> Iterator[Second]:
    process = Second()
    yield process
    process.shutdown()


def test_what_is_asked_is_done_there_and_answered_in_turn(second: Second) -> None:
    asked = [second.submit(os.getpid), second.submit(divmod, 7, 2), second.submit(int, "11", base=2)]
    pid, *answers = (one.result(timeout=60) for one in asked)
    assert pid == second._process.pid != os.getpid()
    assert answers == [(3, 1), 3]


def test_what_fails_there_fails_here_and_the_next_is_done(second: Second) -> None:
    failing = second.submit(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        failing.result(timeout=60)
    assert second.submit(abs, -1).result(timeout=60) == 1


def test_what_is_printed_there_is_no_answer(second: Second) -> None:
    assert second.submit(print, "a library's words").result(timeout=60) is None
    assert second.submit(abs, -1).result(timeout=60) == 1


def test_who_ends_it_is_told_of(second: Second) -> None:
    asked = second.submit(time.sleep, 60)
    second._process.kill()
    with pytest.raises(BrokenExecutor):
        asked.result(timeout=60)
    with pytest.raises(BrokenExecutor):
        second.submit(abs, -1).result(timeout=60)


def test_ctrl_c_is_left_to_the_one_that_asks(second: Second) -> None:
    assert second.submit(abs, -1).result(timeout=60) == 1  # it has begun
    second._process.send_signal(signal.SIGINT)
    assert second.submit(abs, -2).result(timeout=60) == 2


def test_when_it_is_shut_down_it_is_gone() -> None:
    process = Second()
    child = psutil.Process(process._process.pid)
    process.shutdown()
    assert is_gone(child)


ASKS = """
import sys, time
from site_src.second import Second
second = Second()
print(second.submit(__import__("os").getpid).result(), flush=True)
time.sleep(60)
"""


def test_it_ends_with_the_one_that_asks_however_that_ends() -> None:
    command = [sys.executable, "-c", ASKS]
    with Child(command, stdout=subprocess.PIPE, env=environment(), cwd=CLONE, text=True) as asking:
        assert asking.stdout
        child = psutil.Process(int(asking.stdout.readline()))
        asking.kill()
        asking.wait(timeout=10)
        until(lambda: is_gone(child), "its end")
