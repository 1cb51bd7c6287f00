"""A process that stood still in a request knows it, and one that worked or waited its turn does not think so."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from collector import heartbeat, measure, record
from collector.backends.openai_chat import OpenAIChat
from collector.heartbeat import Heartbeat
from collector.schema import CLONE
from site_src.warehouse import Warehouse
from tests.conftest import MS, FakeClock, delta, request
from tests.programs import PATIENCE_S, Child

BEAT = 100  # ms
LOAD = {"op": "load", "started_ns": 0, "elapsed_ns": 20 * 10**9}


def stood(*looks: tuple[float, float]) -> float:
    """What is found at looks after so many ms, in which so many were worked."""
    passed, worked = FakeClock(), FakeClock()
    heart = Heartbeat(passed, worked)
    heart._last = passed(), worked()
    for ms, of_work in looks:
        passed.pass_ms(ms)
        worked.pass_ms(of_work)
        heart.look()
    return heart.stood_ns / MS


@pytest.mark.parametrize(
    ("looks", "ms"),
    [
        ([(BEAT, 1)] * 50, 0),
        ([(BEAT + 5000, 0)], 5000),
        ([(BEAT, 0), (BEAT + 700, 0), (BEAT, 0), (BEAT + 900, 0), (20, 0)], 1600),
        ([(BEAT + 400, 0)] * 20, 0),  # a machine so busy that each look has to wait its turn
        ([(9000, 8900)], 0),  # a parse that let nobody else come to its turn
        ([(9000, 3000)], 9000 - 3000 - BEAT),
        ([(30, 30)], 0),  # the end
    ],
)
def test_a_late_look_is_a_standstill_where_nothing_was_worked(looks: list[tuple[float, float]], ms: float) -> None:
    assert stood(*looks) == pytest.approx(ms)


# Does something for a while, and says for how many ms it stood still.
WATCHED = """
import sys, time
from collector.heartbeat import Heartbeat
def work(seconds):  # in C, with Python's lock held
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        sum(range(6_000_000))
with Heartbeat() as heart:
    print("ready", flush=True)
    {"wait": time.sleep, "work": work}[sys.argv[1]](float(sys.argv[2]))
print(heart.stood_ns // 10**6)
"""


def watched(what: str, seconds: float, meanwhile: Callable[[int], None] = lambda pid: None) -> int:
    command = [sys.executable, "-c", WATCHED, what, str(seconds)]
    with Child(command, cwd=CLONE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout and child.stdout.readline() == "ready\n"
        meanwhile(child.pid)
        return int(child.stdout.read())


def stop(pid: int) -> None:
    time.sleep(0.05)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.9)
    os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("what", ["wait", "work"])
def test_a_process_that_was_stopped_knows_it(what: str) -> None:
    assert watched(what, 0.2, stop) > 500


def test_work_that_keeps_pythons_lock_is_no_standstill(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watched("work", 0.8) == 0


@pytest.fixture
def burners() -> Iterator[None]:
    """More processes at work than there are cores."""
    burn = [sys.executable, "-c", "while True: pass"]
    children = [subprocess.Popen(burn) for _ in range(3 * (os.cpu_count() or 1))]
    yield
    for child in children:
        child.kill()
        child.wait(timeout=PATIENCE_S)


@pytest.mark.usefixtures("burners")
def test_a_busy_machine_is_no_standstill() -> None:
    assert watched("wait", 1.0) == 0


# ---------------------------------------------------------------- and what becomes of it


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every time that is taken holds a standstill."""
    monkeypatch.setattr(heartbeat.Heartbeat, "look", lambda self: setattr(self, "stood_ns", 4_000 * MS))


@pytest.mark.usefixtures("still")
def test_a_standstill_shows_in_its_row() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        body = httpx.ByteStream(delta(content="Hi"))
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=body)

    client = measure.connect("http://127.0.0.1:1", transport=httpx.MockTransport(handle))
    backend = OpenAIChat(client, "m")
    seen = measure.exchange(client, backend.chat([], 9, {}), backend.parse, FakeClock())
    assert record.of_exchange(seen)["stood_ms"] == 4_000
    facts, _, _ = measure.timed(dict, FakeClock())
    assert facts["stood_ms"] == 4_000


def test_a_request_in_which_the_process_stood_still_is_left_out(given: Callable[..., Warehouse]) -> None:
    rows = [request(str(ms), stood_ms=ms) for ms in (None, 0, 500, 501)]
    flagged = given(rows).rows("from request_flags order by op_index")
    assert [row["exclusion"] for row in flagged] == [None, None, None, "the process stood still meanwhile"]
    assert [row["is_stood_still"] for row in flagged] == [False, False, False, True]


def test_a_load_in_which_the_process_stood_still_has_no_time(given: Callable[..., Warehouse]) -> None:
    load: dict[str, Any] = {**LOAD, "stood_ms": 60_000}
    [row] = given([load, request()]).rows("from run_load")
    assert (row["load_s"], row["load_reason"]) == (None, "the process stood still meanwhile")
