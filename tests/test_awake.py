"""What keeps the machine awake: it lives as long as the measurement, and no longer."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from collector import awake, measure
from collector import run as runs
from collector.backends import Facts
from collector.backends.openai_chat import OpenAIChat
from collector.schema import Results
from collector.suite import Prompt, Suite
from tests.loopback import Loopback, NoSampler
from tests.programs import PATIENCE_S, Child, is_gone, until

Uses = Callable[..., None]


@pytest.fixture
def uses(monkeypatch: pytest.MonkeyPatch) -> Uses:
    """`uses("cat")`: this program instead of the system's own."""
    return lambda *words: monkeypatch.setattr(awake, "command", lambda: list(words))


def children() -> set[psutil.Process]:
    return set(psutil.Process().children())


# --- what is run ---


def test_macos_has_caffeinate_which_ends_with_us_even_if_we_are_killed() -> None:
    assert awake.command("darwin") == ["caffeinate", "-i", "-m", "-s", "-w", str(os.getpid())]


def test_linux_has_an_inhibitor_for_idle_and_sleep_that_ends_when_our_pipe_closes() -> None:
    program, *options, child = awake.command("linux")
    assert (program, child) == ("systemd-inhibit", "cat")
    assert "--what=idle:sleep" in options
    assert "--mode=block" in options


# --- while it runs ---


def test_it_runs_in_between_and_has_ended_afterwards(uses: Uses) -> None:
    uses("cat")
    before = children()
    with awake.keep() as kept_by:
        [process] = children() - before
        assert kept_by() == "cat"
    assert is_gone(process)
    assert kept_by() is None


def test_it_ends_when_what_was_measured_fails(uses: Uses) -> None:
    uses("cat")
    before = children()
    with pytest.raises(KeyboardInterrupt), awake.keep():
        [process] = children() - before
        raise KeyboardInterrupt
    assert is_gone(process)


def test_one_that_does_not_end_by_its_pipe_is_ended(uses: Uses) -> None:
    uses("sleep", "600")
    before = children()
    found: list[psutil.Process] = []

    def keep_for_a_moment() -> None:
        with awake.keep() as kept_by:
            found.extend(children() - before)
            assert kept_by() == "sleep"

    moment = threading.Thread(target=keep_for_a_moment)
    moment.start()
    moment.join(timeout=20)  # only a wait for its own end takes longer
    is_over = not moment.is_alive()
    for process in found:
        if not is_gone(process):
            process.kill()
    moment.join(timeout=PATIENCE_S)
    assert is_over


def test_ctrl_c_in_the_terminal_does_not_reach_it(uses: Uses) -> None:
    uses("cat")
    before = children()
    with awake.keep():
        [process] = children() - before
        assert os.getsid(process.pid) != os.getsid(0)


def test_it_says_nothing_to_the_terminal(uses: Uses, capfd: pytest.CaptureFixture[str]) -> None:
    uses(sys.executable, "-c", "import sys; print('a'); print('b', file=sys.stderr)")
    with awake.keep() as kept_by:
        until(lambda: kept_by() is None, "its end")
    assert capfd.readouterr() == ("", "")


def test_where_there_is_no_such_program_nothing_keeps_it_awake(uses: Uses) -> None:
    uses("no-such-program-anywhere")
    before = children()
    with awake.keep() as kept_by:
        assert kept_by() is None
        assert children() == before


@pytest.mark.parametrize("code", [0, 1])
def test_one_that_ends_at_once_keeps_nothing_awake(uses: Uses, code: int) -> None:
    uses(sys.executable, "-c", f"raise SystemExit({code})")  # as systemd-inhibit does without a system bus
    with awake.keep() as kept_by:
        until(lambda: kept_by() is None, "its end")


@pytest.mark.skipif(sys.platform == "darwin", reason="caffeinate watches our process instead of a pipe")
def test_it_ends_when_the_collector_is_killed() -> None:
    code = (
        "import sys, psutil; from collector import awake; awake.command = lambda: ['cat']\n"
        "with awake.keep():\n"
        "    print(psutil.Process().children()[0].pid, flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with Child([sys.executable, "-c", code], text=True, **pipes) as collector:
        assert collector.stdout is not None
        process = psutil.Process(int(collector.stdout.readline()))
        assert not is_gone(process)
        collector.send_signal(signal.SIGKILL)
        collector.wait(timeout=PATIENCE_S)
    until(lambda: is_gone(process), "the end of what kept the machine awake")


# --- in a run ---

SUITE = Suite("tiny", "Tiny", (Prompt("a", "test", "Say a.", 10),))


@pytest.fixture
def measured(results: Results, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Facts]]:
    """`measured(kind of backend)`: the stored rows of a run."""
    monkeypatch.setattr(runs, "Sampler", NoSampler)
    monkeypatch.setattr(OpenAIChat, "engine_pid", lambda self: None)

    def measure_it(kind: type[OpenAIChat] = OpenAIChat) -> list[Facts]:
        with Loopback() as server, measure.connect(server.url) as client:
            outcome = runs.run(client, kind(client), runs.Job(SUITE, 1, results))
        assert outcome.path is not None
        rows: list[Facts] = pq.read_table(outcome.path).to_pylist()
        return rows

    return measure_it


def test_a_run_stores_what_kept_the_machine_awake(measured: Callable[..., list[Facts]], uses: Uses) -> None:
    uses("cat")
    assert {row["kept_awake_by"] for row in measured()} == {"cat"}


def test_a_run_that_nothing_kept_awake_stores_null(measured: Callable[..., list[Facts]], uses: Uses) -> None:
    uses("no-such-program-anywhere")
    assert {row["kept_awake_by"] for row in measured()} == {None}


def test_one_that_died_in_the_middle_did_not_keep_the_run_awake(
    measured: Callable[..., list[Facts]], uses: Uses
) -> None:
    class Kills(OpenAIChat):
        def chat(self, *asked: Any) -> Any:
            for process in children() - before:
                process.kill()
                until(lambda: is_gone(process), "its end")  # noqa: B023
            return super().chat(*asked)

    uses("cat")
    before = children()
    assert {row["kept_awake_by"] for row in measured(Kills)} == {None}


def test_the_machine_is_kept_awake_from_before_the_load_until_after_the_unload(
    measured: Callable[..., list[Facts]], uses: Uses, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []

    class Loads(OpenAIChat):
        loads = True

        def prepare(self) -> None:
            seen.append(("prepare", len(children() - before)))

        def unload(self) -> Facts:
            seen.append(("unload", len(children() - before)))
            return {}

    monkeypatch.setattr(runs, "BASELINE_S", 0)
    uses("cat")
    before = children()
    measured(Loads)
    assert seen[:2] == [("prepare", 1), ("unload", 1)]
