"""What is lost when disk, folder, clock or another process get in the way: nothing that was measured. What is said."""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import embedded_model, journal, measure, server_lock, store, wheel
from collector import run as runs
from collector.backends import Facts
from collector.commands import context
from collector.commands._progress import Progress
from collector.errors import ServerBusy, StoreFailed
from collector.locks import is_locked
from collector.sandbox import interpreter
from collector.schema import Results
from tests.loopback import Loopback
from tests.programs import PATIENCE_S
from tests.test_cli import Collect
from tests.test_cli import collect as collect
from tests.test_cli import server as server
from tests.test_journal import FACTS, ROWS, journaled, journals, rows_of, start
from tests.test_run import RUN_ID, left_behind, rows, run
from tests.test_run import loopback as loopback
from tests.test_run import quick as quick

NOBODY = 65534


def on(stage: str, prompt: str, act: Callable[[], object]) -> runs.Watch:
    """A watcher that does this before (`begin`) or after (`end`) the first request of a prompt."""
    left = [act]

    def watch(told: str, row: Facts) -> None:
        if (told, row["op"], row.get("prompt_id")) == (stage, "request", prompt) and left:
            left.pop()()

    return watch


# ---------------------------------------------------------------- a full disk

# The system refuses to let any file of this process grow beyond some bytes, from the second request on.
FULL = """
import os, resource, signal, sys
from collector import run
from collector.errors import StoreFailed
from tests.loopback import Loopback, NoSampler
from tests.test_hardships import Results, run as measured

run.Sampler = NoSampler
grows, until, killed_at = int(sys.argv[1]), sys.argv[2], sys.argv[3]

def watch(stage, row):
    if stage == "trouble":
        print("trouble:", row["error_detail"], flush=True)
    where = (stage, row.get("prompt_id"), row.get("repeat"))
    if where == ("begin", "b", 1):
        [journal] = Results.find().journals.glob("*.jsonl")
        resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size + grows, resource.RLIM_INFINITY))
    elif where == ("begin", until, 2):
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    elif where == ("begin", killed_at, 2):
        os.kill(os.getpid(), signal.SIGKILL)

with Loopback() as server:
    try:
        print(measured(server, Results.find(), watch=watch).path)
    except StoreFailed as error:
        print(error)
"""


@pytest.mark.parametrize("grows", [0, 100])  # nothing more fits, or half a line
def test_a_disk_that_is_full_for_a_while_costs_nothing_and_is_said_once(results: Results, grows: int) -> None:
    with start(FULL, str(grows), "b", "never") as process:
        said, _ = process.communicate(timeout=PATIENCE_S)
    trouble, path = said.splitlines()
    assert trouble == "trouble: File too large"
    stored = rows_of(Path(path))
    assert [(row["prompt_id"], row["repeat"]) for row in stored if row["op"] == "request"] == [
        *((id, 1) for id in "abc"),
        *((id, 2) for id in "cba"),
    ]
    assert [row["op_index"] for row in stored] == list(range(len(stored)))
    assert journals(results) == []


@pytest.mark.parametrize("grows", [0, 100])
def test_when_there_is_room_again_the_journal_catches_up(results: Results, grows: int) -> None:
    with start(FULL, str(grows), "b", "a") as process:
        process.communicate(timeout=PATIENCE_S)
    [saved] = store.recover(results)
    asked = [(row["prompt_id"], row["repeat"]) for row in rows_of(saved) if row["op"] == "request"]
    assert asked == [("a", 1), ("b", 1), ("c", 1), ("c", 2), ("b", 2)]


def test_where_nothing_can_be_written_anywhere_the_journal_keeps_what_it_took(results: Results) -> None:
    with start(FULL, "100", "never", "never") as process:
        said, _ = process.communicate(timeout=PATIENCE_S)
    assert said.splitlines()[0] == "trouble: File too large"
    assert "The run could not be written" in said
    assert "what its journal took before that is kept" in said
    assert not list(results.runs.iterdir())
    [saved] = store.recover(results)
    assert [row["prompt_id"] for row in rows_of(saved) if row["op"] == "request"] == ["a"]


@pytest.mark.usefixtures("quick")
def test_where_the_results_folder_takes_neither_journal_nor_run_the_run_is_kept_elsewhere(
    loopback: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    full = os.open("/dev/null", os.O_RDONLY)
    mine: list[int] = []
    real = os.pwrite

    def refused(descriptor: int, data: bytes, offset: int) -> int:  # what is opened for reading takes nothing
        return real(full if mine else descriptor, data, offset)

    def break_it() -> None:
        mine.append(1)
        results.runs.rmdir()
        results.runs.write_text("no folder any more")

    monkeypatch.setattr(journal.os, "pwrite", refused)
    with pytest.raises(StoreFailed) as failed:
        run(loopback, results, watch=on("begin", "b", break_it))
    os.close(full)
    [kept] = tmp_path.glob("llm-mac-512-*/runs/*.parquet")
    assert str(kept) in failed.value.remedy
    assert len([row for row in rows_of(kept) if row["op"] == "request"]) == 6
    results.runs.unlink()
    [saved] = store.recover(results)
    assert saved.name == kept.name  # moved there, the whole run takes the place of what the journal had


def test_a_run_that_cannot_be_written_is_saved_whole_from_its_journal(
    loopback: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_folder() -> None:
        results.runs.rmdir()
        results.runs.write_text("")

    with pytest.raises(StoreFailed, match="Its journal is kept"):
        run(loopback, results, watch=on("begin", "b", no_folder))
    results.runs.unlink()
    [saved] = store.recover(results)
    assert len([row for row in rows_of(saved) if row["op"] == "request"]) == 6
    assert {row["run_state"] for row in rows_of(saved)} == {"interrupted"}


# ---------------------------------------------------------------- a folder that cannot be written, or goes away


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, who may write anywhere."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def shared() -> Iterator[Results]:
    """A results folder that somebody without rights can get to, and owns."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        results = Results(folder / "results")
        results.runs.mkdir(parents=True)
        results.journals.mkdir()
        if not os.geteuid():
            for path in (results.root, results.runs, results.journals):
                os.chown(path, NOBODY, NOBODY)
        yield results
        results.runs.chmod(0o755)
        results.journals.chmod(0o755)


@pytest.mark.usefixtures("quick")
def test_a_read_only_folder_is_said_before_anything_is_asked(loopback: Loopback, shared: Results) -> None:
    shared.journals.chmod(0o555)
    with as_nobody(), pytest.raises(StoreFailed, match=r"cannot be written: Permission denied") as failed:
        run(loopback, shared)
    assert "Nothing was measured" in failed.value.remedy
    assert loopback.asked == []


@pytest.mark.usefixtures("quick")
def test_a_folder_made_read_only_in_the_middle_loses_nothing(loopback: Loopback, shared: Results) -> None:
    with as_nobody():
        with pytest.raises(StoreFailed, match="Permission denied"):
            run(loopback, shared, watch=on("begin", "b", lambda: shared.runs.chmod(0o555)))
        shared.runs.chmod(0o755)
        [saved] = store.recover(shared)
    assert len([row for row in rows_of(saved) if row["op"] == "request"]) == 6


@pytest.mark.usefixtures("quick")
def test_a_folder_removed_in_the_middle_of_a_run_is_made_again(loopback: Loopback, results: Results) -> None:
    outcome = run(loopback, results, watch=on("end", "b", lambda: shutil.rmtree(results.root)))
    assert outcome.path is not None
    assert len(rows(outcome, "request")) == 6
    assert left_behind(results) == [f"runs/{outcome.path.name}"]


@pytest.mark.usefixtures("quick")
def test_a_slow_disk_is_waited_for_between_requests_and_never_in_one(
    loopback: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    flying, synced = [False], []
    exchange, fsync = measure.exchange, os.fsync

    def watched(*arguments: Any, **options: Any) -> measure.Exchange:
        flying[0] = True
        seen = exchange(*arguments, **options)
        flying[0] = False
        return seen

    def slow(descriptor: int) -> None:
        synced.append(flying[0])
        fsync(descriptor)

    monkeypatch.setattr(measure, "exchange", watched)
    monkeypatch.setattr(os, "fsync", slow)
    run(loopback, results)
    assert len(synced) > 10
    assert not any(synced)


# ---------------------------------------------------------------- a wall clock that steps back


@pytest.mark.usefixtures("quick")
def test_durations_and_order_do_not_hang_on_the_wall_clock(
    loopback: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall = [datetime(2026, 11, 25, 3, 0)]

    def stepping_back() -> datetime:
        wall[0] -= timedelta(hours=1)
        return wall[0]

    monkeypatch.setattr(measure, "utc_now", stepping_back)
    stored = rows(run(loopback, results, watch=lambda *_: stepping_back() and None))
    asked = [row for row in stored if row["op"] in ("warmup", "request")]
    assert all(0 < row["headers_ns"] <= row["first_text_ns"] <= row["done_ns"] < 60e9 for row in asked)
    starts = [row["started_ns"] for row in stored]
    assert starts == sorted(starts)
    assert {0 < row["run_seconds"] < 60 for row in stored} == {True}
    assert {row["slept_ms"] for row in asked} <= set(range(-50, 50))  # nor is a step taken for sleep


def test_runs_that_began_at_the_same_moment_of_the_wall_clock_are_two(
    loopback: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "utc_now", lambda: datetime(2026, 11, 25, 3, 0))
    first, second = (run(loopback, results, repeats=1) for _ in range(2))
    assert first.path != second.path
    assert {row["run_id"] for outcome in (first, second) for row in rows(outcome)} == {first.run_id, second.run_id}
    assert len(list(results.runs.iterdir())) == 2


# ---------------------------------------------------------------- two at once

# Measures a server, as far as others can see.
HOLD = """
import sys
from collector import server_lock
with server_lock.hold(sys.argv[1]):
    print("ready", flush=True)
    sys.stdin.read()
"""


def holder(url: str) -> "subprocess.Popen[str]":
    process = start(HOLD, url)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("command", [(), ("context",), ("plan", "--run"), ("--load", "m", "--yes"), ("--reload",)])
def test_a_server_that_another_process_measures_is_left_alone(
    collect: Collect, server: Loopback, results: Results, command: tuple[str, ...]
) -> None:
    with holder(server.url) as other:
        said = collect(*command, "--url", server.url.replace("127.0.0.1", "localhost"))
        assert (said.code, said.out) == (1, "")
        assert f"Process {other.pid} is measuring the server at {server_lock.place(server.url)}." in said.err
        assert "Wait until it has ended, or end it" in said.err
        assert server.connections == 0
        other.kill()
        other.wait(timeout=PATIENCE_S)
    with server_lock.hold(server.url) as killed:  # tidies up
        assert killed == other.pid


def test_the_lock_dies_with_its_process_and_the_next_says_so(
    collect: Collect, server: Loopback, results: Results
) -> None:
    with holder(server.url) as other:
        other.send_signal(signal.SIGKILL)
        other.wait(timeout=PATIENCE_S)
    [left] = server_lock.FOLDER.glob(f"llm-mac-512-*{server.url.rpartition(':')[2]}.lock")
    said = collect("--quick", "--force", "--url", server.url)
    assert said.code == 0, said.err
    assert f"Process {other.pid} was killed while it measured this server; its lock is taken over." in said.err
    assert not left.exists()


def test_a_lock_that_was_given_back_leaves_no_file_and_no_word(server: Loopback) -> None:
    for _ in range(2):
        with server_lock.hold(server.url) as killed:
            assert killed is None
            with pytest.raises(ServerBusy, match=f"Process {os.getpid()} is measuring"), server_lock.hold(server.url):
                pass
        assert not list(server_lock.FOLDER.glob(f"llm-mac-512-*{server.url.rpartition(':')[2]}.lock"))


def test_a_server_has_one_lock_whatever_it_is_called() -> None:
    here = {server_lock.place(f"http://{name}:1234/") for name in ("localhost", "LOCALHOST", "127.0.0.1", "[::1]")}
    assert here == {"localhost:1234"}
    assert server_lock.place("http://0.0.0.0:1234") == "localhost:1234"
    assert server_lock.place("http://127.0.0.1:1235") == "localhost:1235"
    assert [server_lock.place(f"{scheme}://192.0.2.7") for scheme in ("http", "https")] == [
        "192.0.2.7:80",
        "192.0.2.7:443",
    ]
    assert server_lock.place("http://nowhere.invalid:1234") == "nowhere.invalid:1234"


def test_a_lock_that_is_a_link_elsewhere_is_not_followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(server_lock, "FOLDER", tmp_path)
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "llm-mac-512-localhost_1234.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(ServerBusy, match="cannot be had"), server_lock.hold("http://localhost:1234"):
        pass
    assert (tmp_path / "precious").read_text() == "mine"


@pytest.mark.usefixtures("quick")
def test_two_servers_are_measured_at_once_into_one_folder(
    loopback: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits = iter(("a" * 12, "b" * 12))
    monkeypatch.setattr(runs.secrets, "token_hex", lambda count: next(digits))
    inner: list[runs.Outcome] = []

    def another() -> None:
        with Loopback() as other, server_lock.hold(other.url):
            assert (store.recover(results), store.sweep(results)) == ([], [])  # what a start does
            inner.append(run(other, results))

    with server_lock.hold(loopback.url):
        outer = run(loopback, results, watch=on("end", "b", another))
    for outcome in (outer, *inner):
        assert len(rows(outcome, "request")) == 6
        assert {row["run_state"] for row in rows(outcome)} == {"complete"}
    assert len(left_behind(results)) == 2


# Two starts at once: each saves what killed processes left, as fast as it can.
SAVE = """
from collector import store
from collector.schema import Results
print("ready", flush=True)
input()
print(len(store.recover(Results.find())), len(store.sweep(Results.find())))
"""


def test_two_starts_at_once_save_each_killed_run_once(results: Results) -> None:
    for number in range(8):
        with journal.Journal(results, f"{number:012x}") as left:
            left.facts({**FACTS, "run_id": f"{number:012x}"})
            left.operation(ROWS[0])
    with start(SAVE) as one, start(SAVE) as two:
        for process in (one, two):
            assert process.stdout is not None
            process.stdout.readline()
        for process in (one, two):
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        counts = [process.communicate(timeout=PATIENCE_S)[0].split() for process in (one, two)]
    assert sum(int(saved) for saved, _ in counts) == 8
    assert len(list(results.runs.iterdir())) == 8
    assert journals(results) == []


def test_a_journal_that_was_taken_for_a_killed_runs_before_it_was_locked_is_made_again(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tidied = fcntl.flock, []

    def flock(file: Any, kind: int) -> None:
        if kind == fcntl.LOCK_EX and not tidied:  # another start comes just between making and locking it
            tidied.append(1)
            assert store.sweep(results) == [f"{RUN_ID}.jsonl"]
        real(file, kind)

    monkeypatch.setattr(journal.fcntl, "flock", flock)
    with journal.Journal(results, RUN_ID) as held:
        assert tidied
        held.facts(FACTS)
        assert held.path.stat().st_size
        assert is_locked(held.path)


# ---------------------------------------------------------------- what killed processes leave

# Downloads a package, as far as the cache can see.
DOWNLOAD = """
import subprocess, sys
from pathlib import Path
from collector import wheel
from collector.errors import EngineFailed

def forever(command, **_):
    (Path(command[-2]) / "half.whl").write_bytes(b"PK")
    print("ready", flush=True)
    sys.stdin.read()

subprocess.run = forever
wheel.take("some==1", "some/file", "0" * 64, Path(sys.argv[1]), "It", EngineFailed)
"""


def test_a_download_that_was_cut_off_is_removed_with_a_word_and_a_living_one_left(
    collect: Collect, results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for module in (embedded_model, interpreter):
        monkeypatch.setattr(module, "CACHE", cache)
    with start(DOWNLOAD, str(cache)) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert wheel.sweep(cache) == []
        process.kill()
    [left] = cache.iterdir()
    said = collect("plan", "--dry-run")
    assert f"Removed what a process that was killed had begun to write: {left.name}." in said.err
    assert not list(cache.iterdir())


def test_leftovers_in_the_results_folder_are_removed_with_a_word(collect: Collect, results: Results) -> None:
    journaled(results, ROWS)
    (results.journals / "grades-x.part").write_text("half")
    said = collect("plan", "--dry-run")
    assert "An earlier run was cut off; what it had measured is saved as" in said.err
    assert "Removed what a process that was killed had begun to write: grades-x.part." in said.err
    assert "Removed" not in collect("plan", "--dry-run").err


def test_a_journal_that_cannot_be_written_is_said_by_every_command_that_measures(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for told in (Progress(1), context._tell):
        told("trouble", {"op": "journal", "error_detail": "No space left on device"})
        assert "cannot be written: No space left on device. Measuring goes on" in capsys.readouterr().err
