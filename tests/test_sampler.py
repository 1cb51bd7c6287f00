"""The memory sampler: what it reads and when, what it is told, and when a run asks it for a sample."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from collector import measure, teller
from collector import run as runs
from collector.backends import Event, Facts
from collector.backends.openai_chat import OpenAIChat
from collector.memory import readings, sampler
from collector.memory.sampler import Sampler
from collector.schema import Results
from collector.suite import Prompt, Suite
from tests.loopback import Loopback, NoSampler
from tests.programs import PATIENCE_S, Child, until

MB = 10**6
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="PSS is Linux's")


# --- the process ---


@pytest.fixture
def running() -> Iterator[Sampler]:
    """A sampler in its own process that has taken its first sample."""
    started = Sampler()
    until(started._size, "the first sample")
    yield started
    started.close()


def next_of(running: Sampler, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first sample for which that holds."""
    found: list[dict[str, Any]] = []

    def seen() -> bool:
        running.nudge()
        found.extend(sample for sample in running.take() if holds(sample))
        return bool(found)

    until(seen, "such a sample")
    return found[0]


def test_a_sample_holds_the_systems_figures_and_its_moment_by_our_clock(running: Sampler) -> None:
    before = measure.clock()
    sample = next_of(running, lambda sample: sample["at_ns"] > before)
    assert sample["at_ns"] < measure.clock()
    assert {*readings.NOTHING, "at_ns", "engine"} == sample.keys()
    assert 0 < sample["system_used_bytes"] < psutil.virtual_memory().total
    assert sample["engine"] == {}


def test_a_tree_is_watched_with_what_it_has_started_since(running: Sampler) -> None:
    running.watch_tree(os.getpid())
    with Child([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as child:
        sample = next_of(running, lambda sample: str(child.pid) in sample["engine"])
        assert str(os.getpid()) in sample["engine"]
        assert sample["engine"][str(os.getpid())]["rss_bytes"] > MB
        assert child.stdin is not None
        child.stdin.close()
    next_of(running, lambda sample: str(child.pid) not in sample["engine"])


def test_only_what_was_named_is_watched_from_then_on(running: Sampler) -> None:
    running.watch_tree(os.getpid())
    next_of(running, lambda sample: str(os.getpid()) in sample["engine"])
    running.watch_only([os.getppid(), os.getpid()])
    next_of(running, lambda sample: set(sample["engine"]) <= {str(os.getpid()), str(os.getppid())})
    running.watch_only([])
    next_of(running, lambda sample: sample["engine"] == {})


def test_each_sample_is_taken_once_in_the_order_of_time(running: Sampler) -> None:
    taken = []
    while len(taken) < 8:
        running.sample_now()
        taken += running.take()
    moments = [sample["at_ns"] for sample in taken]
    assert moments == sorted(set(moments))


def test_a_sample_that_was_asked_for_is_there_when_the_call_returns(running: Sampler) -> None:
    running.take()
    asked = measure.clock()
    for _ in range(3):
        running.sample_now()
    assert [sample for sample in running.take() if sample["at_ns"] > asked]


def test_ctrl_c_in_the_terminal_does_not_reach_it(running: Sampler) -> None:
    assert os.getsid(running._process.pid) != os.getsid(0)


def test_closing_ends_the_process_whose_file_never_had_a_name(running: Sampler) -> None:
    assert os.fstat(running._file.fileno()).st_nlink == 0
    running.close()
    assert running._process.returncode == 0
    running.close()  # again is harmless


def test_a_sampler_that_died_costs_nothing_but_its_samples(running: Sampler) -> None:
    running._process.send_signal(signal.SIGKILL)
    running._process.wait(timeout=PATIENCE_S)
    before = running.take()
    running.nudge()
    running.watch_only([1])
    running.watch_tree(1)
    running.sample_now()
    assert before
    assert running.take() == []


# --- its other end, without the process ---


class Idle:
    """In place of the process: takes what it is told, and does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.stdin = io.StringIO()
        self.was_killed = False

    def wait(self, timeout: float | None = None) -> int:
        if timeout is not None and not self.was_killed:
            raise subprocess.TimeoutExpired("sampler", timeout)
        return -9

    def kill(self) -> None:
        self.was_killed = True


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sampler]:
    with monkeypatch.context() as patch:
        patch.setattr(teller.subprocess, "Popen", Idle)
        started = Sampler()
    yield started
    started.close()


def written(idle: Sampler, text: str) -> None:
    """As the process would write it."""
    os.write(idle._file.fileno(), text.encode())


def test_what_it_is_told_is_a_line_each(idle: Sampler) -> None:
    idle.watch_tree(7)
    idle.watch_only({30, 4, 1})
    idle.watch_only(())
    idle.nudge()
    assert idle._process.stdin.getvalue() == "tree 7\nonly 1,4,30\nonly \n\n"  # type: ignore[union-attr]


def test_a_line_that_is_not_yet_whole_waits(idle: Sampler) -> None:
    written(idle, '{"at_ns": 1}\n{"at_ns"')
    assert idle.take() == [{"at_ns": 1}]
    written(idle, ": 2}\n")
    assert idle.take() == [{"at_ns": 2}]
    assert idle.take() == []


def test_a_sample_that_does_not_come_is_waited_for_200_ms_at_most(
    idle: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(teller, "sleep", slept.append)
    idle.sample_now()
    assert sum(slept) == pytest.approx(0.2)


def test_waiting_ends_as_soon_as_the_sample_is_there(idle: Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            written(idle, '{"at_ns": 1}\n')

    monkeypatch.setattr(teller, "sleep", sleep)
    idle.sample_now()
    assert len(slept) == 3


def test_a_process_that_does_not_end_is_killed(idle: Sampler) -> None:
    idle.close()
    assert idle._process.was_killed  # type: ignore[attr-defined]


# --- its loop ---


@pytest.fixture
def loop(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[dict[str, Any]]]:
    """`loop("tree 5\\n", None, …)`: the samples of a sampler that reads this; None is a period without a word."""

    def run(*said: str | None) -> list[dict[str, Any]]:
        words = [*said, ""]

        def select(read: list[int], write: list[int], error: list[int], seconds: float) -> tuple[list[int], ...]:
            assert (read, seconds) == ([0], sampler.PERIOD_S)
            if words[0] is None:
                words.pop(0)
                return [], [], []
            return [0], [], []

        moments = iter(range(1000))
        monkeypatch.setattr(sampler.select, "select", select)
        monkeypatch.setattr(sampler.os, "read", lambda where, most: (words.pop(0) or "").encode())
        monkeypatch.setattr(sampler, "clock", lambda: next(moments))
        monkeypatch.setattr(sampler.readings.System, "read", lambda self, is_asked: {"is_asked": is_asked})
        monkeypatch.setattr(sampler.readings, "resident", lambda pid: MB * pid)
        monkeypatch.setattr(sampler.readings, "of_process", lambda pid: {"pss_bytes": pid})
        monkeypatch.setattr(sampler, "tree", lambda pid: [pid, pid + 1])
        sampler.main()
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def watched(samples: list[dict[str, Any]]) -> list[list[int]]:
    return [sorted(map(int, sample["engine"])) for sample in samples]


def test_it_samples_four_times_a_second_from_the_start_until_its_input_ends(
    loop: Callable[..., list[dict[str, Any]]],
) -> None:
    assert sampler.PERIOD_S == 0.25
    assert [sample["at_ns"] for sample in loop(None, None, None)] == [0, 1, 2, 3]


def test_each_line_changes_what_is_watched_and_asks_for_a_sample_at_once(
    loop: Callable[..., list[dict[str, Any]]],
) -> None:
    samples = loop(None, "tree 5\n", None, "only 7\n", "\n", "only 8,9\n", "only \n")
    assert watched(samples) == [[], [], [5, 6], [5, 6], [7], [7], [8, 9], []]
    assert [sample["is_asked"] for sample in samples] == [True, False, True, False, True, True, True, True]


def test_half_a_sample_is_none_and_hides_no_other(tmp_path: Path) -> None:
    sampler = Sampler()
    sampler.close()
    sampler._file = (tmp_path / "samples").open("w+b")
    sampler._file.write(b'{"at_ns": 1}\n{"at_ns": 2, "sys{"at_ns": 3}\n\n{"at_ns": 4}\n{"at')
    sampler._file.flush()
    assert [sample["at_ns"] for sample in sampler.take()] == [1, 4]
    sampler._file.close()


def test_of_several_lines_at_once_the_last_one_counts(loop: Callable[..., list[dict[str, Any]]]) -> None:
    assert watched(loop("\ntree 5\n\nonly 3\n\n")) == [[], [3]]
    assert watched(loop("only 3\ntree 5\n")) == [[], [5, 6]]


# --- when page tables are walked ---


class Processes:
    """Resident bytes by process, and which ones had their page tables walked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rss: dict[int, int] = {}
        self.walked: list[int] = []
        self._watched = sampler._Watched()
        monkeypatch.setattr(readings, "IS_MACOS", False)
        monkeypatch.setattr(readings, "resident", lambda pid: self.rss.get(pid))
        monkeypatch.setattr(readings, "of_process", self._walk)

    def _walk(self, pid: int) -> dict[str, int] | None:
        self.walked.append(pid)
        return {"rss_bytes": self.rss[pid], "pss_bytes": self.rss[pid] - MB} if pid in self.rss else None

    def sample(self, **rss: int | None) -> dict[int, dict[str, int]]:
        """The next sample, when these processes have so many MB; None has gone."""
        for name, mb in rss.items():
            pid = int(name[1:])
            self.rss.pop(pid, None)
            if mb is not None:
                self.rss[pid] = mb * MB
        self._watched.told(f"only {','.join(map(str, self.rss))}")
        self.walked.clear()
        return self._watched.read()


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Processes:
    return Processes(monkeypatch)


def test_page_tables_are_walked_for_the_first_sample_and_then_only_when_memory_moved(processes: Processes) -> None:
    assert processes.sample(p1=100) == {1: {"rss_bytes": 100 * MB, "pss_bytes": 99 * MB}}
    assert processes.sample() == {1: {"rss_bytes": 100 * MB}}
    assert processes.sample(p1=102) == {1: {"rss_bytes": 102 * MB}}  # 2 % are within the tolerance
    assert processes.sample(p1=103) == {1: {"rss_bytes": 103 * MB, "pss_bytes": 102 * MB}}
    assert processes.sample(p1=100) == {1: {"rss_bytes": 100 * MB, "pss_bytes": 99 * MB}}


def test_slow_growth_is_not_overlooked(processes: Processes) -> None:
    seen = [processes.sample(p1=mb) for mb in range(1000, 1200)]
    peak = max(part["pss_bytes"] for sample in seen for part in sample.values() if "pss_bytes" in part)
    assert peak >= 0.98 * 1199 * MB
    assert sum("pss_bytes" in sample[1] for sample in seen) < 20


def test_memory_that_stands_still_is_walked_again_after_ten_seconds(processes: Processes) -> None:
    processes.sample(p1=100)
    seen = [bool(processes.sample()) and bool(processes.walked) for _ in range(100)]
    places = [place for place, was_walked in enumerate(seen) if was_walked]
    assert places[0] * sampler.PERIOD_S == pytest.approx(10, abs=0.5)
    assert len(places) == 2


def test_a_process_that_has_gone_is_in_no_sample(processes: Processes) -> None:
    processes.sample(p1=100, p2=50)
    assert set(processes.sample(p1=None)) == {2}
    processes.rss = {}
    assert processes._watched.read() == {}


def test_a_process_that_goes_while_it_is_read_is_in_no_sample(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "of_process", lambda pid: None)
    assert processes.sample(p1=100) == {}


def test_where_one_of_several_processes_moved_all_are_walked_so_that_their_sum_is_known(processes: Processes) -> None:
    processes.sample(p1=100, p2=50)
    grown = processes.sample(p1=200)
    assert all("pss_bytes" in part for part in grown.values())


def test_on_macos_each_sample_reads_everything(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "IS_MACOS", True)
    for _ in range(5):
        processes.sample(p1=100)
        assert processes.walked == [1]


@LINUX
def test_resident_memory_is_the_kernels() -> None:
    ours = readings.resident(os.getpid())
    assert ours == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)
    with Child([sys.executable, "-c", ""]) as process:
        pass
    assert readings.resident(process.pid) is None


# --- in a run ---

SUITE = Suite("tiny", "Tiny", (Prompt("a", "test", "Say a.", 10),))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a run did and asked the sampler for, in order."""
    said: list[str] = []

    class Noted(NoSampler):
        def __init__(self) -> None:
            said.append("started")
            super().__init__()

        def watch_tree(self, pid: int) -> None:
            said.append(f"tree {'ours' if pid == os.getpid() else pid}")

        def watch_only(self, pids: Any) -> None:
            said.append(f"only {sorted(pids)}")

        def nudge(self) -> None:
            said.append("nudge")

        def sample_now(self) -> None:
            said.append("sample")

        def close(self) -> None:
            said.append("closed")

    monkeypatch.setattr(runs, "Sampler", Noted)
    monkeypatch.setattr(runs, "BASELINE_S", 0)
    return said


class Loads(OpenAIChat):
    """Says what it does, and when which text came."""

    loads = True
    said: list[str]
    pid: int | None = None

    def load(self) -> Facts:
        self.said.append("load")
        self.pid = os.getpid()
        return {}

    def unload(self) -> Facts:
        if self.pid is not None:
            self.said.append("unload")
            self.pid = None
        return {}

    def engine_pid(self) -> int | None:
        return self.pid

    def chat(self, *asked: Any) -> Any:
        self.said.append("ask")
        return super().chat(*asked)

    def parse(self, event: str, data: str) -> Event:
        found = super().parse(event, data)
        self.said += [text.strip() for _, text in found.texts]
        return found


def test_it_is_started_before_the_load_and_asked_at_its_end_and_at_each_first_and_last_token(
    heard: list[str], results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs.engine, "sizes", lambda pid: {pid: 1})
    Loads.said = heard
    with Loopback() as server, measure.connect(server.url) as client:
        runs.run(client, Loads(client), runs.Job(SUITE, 1, results))
    request = ["ask", "one", "nudge", "two", "sample"]
    assert heard == [
        *("started", "tree ours", "load", "sample", f"only [{os.getpid()}]"),
        *request * 4,  # two warm-ups, the request, the warm resend
        *("unload", "closed"),
    ]


def test_a_request_without_any_text_is_sampled_at_its_end(heard: list[str], results: Results) -> None:
    with Loopback() as server, measure.connect(server.url) as client:
        server.otherwise = server.warmup = lambda handler: handler.whole(500, {"error": "something broke"})
        monkey = OpenAIChat(client)
        monkey.engine_pid = lambda: None  # type: ignore[method-assign]
        runs.run(client, monkey, runs.Job(SUITE, 1, results))
    assert heard == ["started", "only []", *["sample"] * 3, "closed"]


def test_it_is_closed_where_a_run_fails(heard: list[str], results: Results) -> None:
    class Fails(OpenAIChat):
        def describe(self) -> Facts:
            raise RuntimeError("a bug")

    with Loopback() as server, measure.connect(server.url) as client, pytest.raises(RuntimeError, match="a bug"):
        runs.run(client, Fails(client), runs.Job(SUITE, 1, results))
    assert (heard[0], heard[-1]) == ("started", "closed")


@LINUX
def test_memory_of_the_engines_process_is_stored_with_the_operations_it_was_seen_in(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real sampler: the engine is this process, which holds a model of 40 MB."""
    weights = bytearray(os.urandom(40 * MB))
    monkeypatch.setattr(OpenAIChat, "engine_pid", lambda self: os.getpid())
    monkeypatch.setattr(OpenAIChat, "describe", _sized(OpenAIChat.describe, len(weights)))
    with Loopback() as server, measure.connect(server.url) as client:
        outcome = runs.run(client, OpenAIChat(client), runs.Job(SUITE, 6, results))
    assert outcome.path is not None
    rows = pq.read_table(outcome.path).to_pylist()
    samples = [sample for row in rows for sample in row["memory"] or ()]
    known = [sample["engine_pss_bytes"] for sample in samples if sample["engine_pss_bytes"]]
    assert known
    assert max(known) >= len(weights)
    assert max(sample["engine_rss_bytes"] or 0 for sample in samples) >= max(known)


def _sized(describe: Callable[[OpenAIChat], Facts], size: int) -> Callable[[OpenAIChat], Facts]:
    return lambda self: {**describe(self), "file_bytes": size}
