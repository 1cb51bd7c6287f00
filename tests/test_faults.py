"""A small part of `scripts/bench faults`: calls of the operating system that fail once, in every command."""

import errno
import itertools
import os
import random
import re
from pathlib import Path

import pytest

from collector import run, server_lock
from collector.backends.openai_chat import OpenAIChat
from collector.commands import _grading, _summary, context
from collector.errors import ServerBusy, StoreFailed, refused
from collector.schema import Results
from scripts.benches import faults as bench
from scripts.benches._faults import ERRORS, Faults, Victim, command
from tests.loopback import Loopback, NoSampler
from tests.test_run import loopback as loopback
from tests.test_run import quick as quick
from tests.test_run import run as measured

SEED, STRIKES = 19, 12


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told of a finished run takes longer than the run; the bench has it."""
    monkeypatch.setattr(run, "Sampler", NoSampler)
    monkeypatch.setattr(OpenAIChat, "engine_pid", lambda self: None)
    monkeypatch.setattr(_grading, "grade", lambda *_: (0, 0))
    monkeypatch.setattr(_summary, "figures", lambda *_: {"run_id": "x"})
    monkeypatch.setattr(_summary, "comparisons", lambda *_: [])
    for name in ("show", "show_comparisons"):
        monkeypatch.setattr(_summary, name, lambda *_: None)
    monkeypatch.setattr(context, "_asked", lambda *_: ([], {}))
    monkeypatch.setattr(context, "_earlier", lambda *_: [])
    monkeypatch.setattr(
        "collector.commands._ask.rows", lambda *_, **__: [{"suites": None, "kv_bytes_per_token": None, "model": None}]
    )


@pytest.mark.filterwarnings("ignore:.*swap memory stats:RuntimeWarning")  # psutil tells so where it cannot read
def test_a_call_that_fails_while_measuring_costs_no_finished_request_and_is_a_sentence(tmp_path: Path) -> None:
    places = (tmp_path / str(number) for number in itertools.count())
    draw = random.Random(SEED)
    with Loopback() as server:
        victim = Victim("collect", ("--url", server.url, *bench.QUICK))
        points = victim.points(next(places))
        assert len(points) > 60
        tried = [(point, draw.choice(ERRORS)) for point in draw.sample(points, STRIKES)]
        found = {(point, number): victim.strike(next(places), point, number) for point, number in tried}
    assert {tried: wrong for tried, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("name", ["import", "vote", "grade", "report", "review", "validate", "check"])
def test_a_call_that_fails_elsewhere_is_a_sentence(name: str, tmp_path: Path) -> None:
    """The first scan of a folder, or the first file that is opened."""
    with Loopback() as server:
        [victim] = [victim for victim in bench.victims(server.url) if victim.name == name]

        class First(Faults):
            def pass_by(self, call: str, argument: object) -> None:
                if call in ("open", "scandir", "stat") and self.failing is None:
                    super().pass_by(call, argument)
                    self.failing = next(iter(self.seen), None)
                    if self.failing:
                        raise OSError(errno.EIO, os.strerror(errno.EIO), "there")

        came, _ = victim.run(tmp_path, First())
    assert came.fault is None
    assert "Traceback" not in came.err


def test_an_error_of_the_system_is_a_sentence_and_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), "/somewhere")

    monkeypatch.setattr(Results, "find", full)
    said = command("grade")
    assert (said.code, said.raised) == (1, None)
    assert "The system refused: Too many open files (/somewhere)." in said.err
    assert "`ulimit -n`" in said.err


@pytest.mark.parametrize("number", [*ERRORS, errno.ENOTSUP, errno.ESTALE])
def test_every_error_of_the_system_has_a_remedy(number: int) -> None:
    said = refused(OSError(number, os.strerror(number)))
    assert said.happened == f"The system refused: {os.strerror(number)}."
    assert re.match(r"[A-Z].*, then run it again; what was measured until now is kept\.$", said.remedy)


# ---------------------------------------------------------------- the locks


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOTSUP, errno.EMFILE, errno.ENOLCK])
@pytest.mark.usefixtures("quick")
def test_a_runs_folder_that_cannot_be_locked_is_said_before_anything_is_asked(
    loopback: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Results, "lock", refuse)
    with pytest.raises(StoreFailed, match="cannot be used: ") as failed:
        measured(loopback, results)
    assert "Nothing was measured." in failed.value.remedy
    assert loopback.asked == []


@pytest.mark.usefixtures("quick")
def test_a_runs_folder_that_is_a_file_is_said_before_anything_is_asked(loopback: Loopback, results: Results) -> None:
    results.root.mkdir(parents=True)
    results.runs.write_text("no folder")
    with pytest.raises(StoreFailed, match="cannot be used: File exists"):
        measured(loopback, results)
    assert (loopback.asked, list(results.journals.iterdir())) == ([], [])


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "locks"
    folder.mkdir()
    monkeypatch.setattr(server_lock, "FOLDER", folder)
    return folder


@pytest.mark.parametrize("kind", ["pipe", "folder", "socket"])
def test_what_is_no_file_at_the_locks_place_is_said(locks: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.chdir(locks)  # the path of a socket is short

    path = locks / "llm-mac-512-localhost_1234.lock"
    with socket.socket(socket.AF_UNIX) as listening:
        {"pipe": lambda: os.mkfifo(path), "folder": path.mkdir, "socket": lambda: listening.bind(path.name)}[kind]()
        with pytest.raises(ServerBusy, match="cannot be had"), server_lock.hold("http://localhost:1234"):
            pass


def test_locks_that_killed_processes_left_behind_are_removed_after_a_while(locks: Path) -> None:
    for number, age_s in ((1, 0), (2, 10 * server_lock.LEFT_S), (3, 10 * server_lock.LEFT_S)):
        path = locks / f"llm-mac-512-localhost_{number}.lock"
        path.write_text("5\n")
        then = path.stat().st_mtime - age_s
        os.utime(path, (then, then))
    os.mkfifo(locks / "llm-mac-512-pipe.lock")
    with server_lock.hold("http://localhost:3"), server_lock.hold("http://localhost:4"):
        left = sorted(path.name.rpartition("_")[2] for path in locks.glob("*localhost*"))
    assert left == ["1.lock", "3.lock", "4.lock"]  # too young, held, held


def test_a_lock_is_held_where_nothing_can_be_written(locks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(server_lock.os, "pwrite", full)
    taken = pytest.raises(ServerBusy, match="Another process is measuring")
    with server_lock.hold("http://localhost:4"), taken, server_lock.hold("http://localhost:4"):
        pass
