"""Ctrl-C, SIGTERM, a closed terminal: the run is stored, the model unloaded, and nobody who left is missed."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collector import stopping, store, streams
from collector.backends.lmstudio import LMStudio
from collector.commands import _ask, _grading, _summary, context
from collector.schema import CLONE, Results
from tests.conftest import DONE, delta, usage
from tests.lmstudio import Double, DoubleModel, Scripted, steady
from tests.loopback import Handler, Loopback
from tests.programs import PATIENCE_S, Child
from tests.test_cli import Collect, files
from tests.test_cli import collect as collect
from tests.test_cli import server as server
from tests.test_journal import rows_of

EACH = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
MODEL = "unsloth/tiny@q4_k_m"
ASIDE = (".journal/loads.json", "keys.toml")  # neither a run nor a part of one
QUICK = ("--suite", "smoke", "--quick", "--force")


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told of a finished run takes far longer than the run, and is tested elsewhere."""
    monkeypatch.setattr("collector.run.BASELINE_S", 0)
    monkeypatch.setattr(_grading, "grade", lambda *_: (0, 0))
    monkeypatch.setattr(_summary, "figures", lambda *_: {"run_id": "x"})
    monkeypatch.setattr(_summary, "comparisons", lambda *_: [])
    for name in ("show", "show_comparisons"):
        monkeypatch.setattr(_summary, name, lambda *_: None)
    monkeypatch.setattr(context, "_asked", lambda *_: ([], {}))
    monkeypatch.setattr(context, "_earlier", lambda *_: [])
    monkeypatch.setattr(_ask, "rows", lambda *_, **__: [{"suites": None, "kv_bytes_per_token": None, "model": None}])


def send(*numbers: signal.Signals) -> None:
    """Signals to the thread that measures, as a system call that waits sees them."""
    for number in numbers:
        signal.pthread_kill(threading.main_thread().ident or 0, number)


def once(act: Callable[[], object], at: int = 1) -> Callable[..., None]:
    """Does it at one call of many."""
    calls = iter(range(1, at + 1))

    def call(*_: object, **__: object) -> None:
        if next(calls, None) == at:
            act()

    return call


def sends(*numbers: signal.Signals) -> Callable[[Handler], None]:
    """An answer in the middle of which these come."""

    def answer(handler: Handler) -> None:
        handler.begin_stream()
        handler.piece(delta(content="one"))
        send(*numbers)
        handler.connection.recv(1)  # until the client has gone
        handler.close_connection = True

    return answer


def stored(results: Results) -> list[dict[str, Any]]:
    """The rows of the only run; nothing else is left."""
    [path] = results.runs.iterdir()
    assert [name for name in files(results) if name not in ASIDE] == [f"runs/{path.name}"]
    return rows_of(path)


# ---------------------------------------------------------------- in a request


@pytest.mark.parametrize(("number", "code"), EACH)
def test_a_stop_in_a_request_is_an_interrupted_run_and_the_shells_exit_code(
    collect: Collect, server: Loopback, results: Results, number: signal.Signals, code: int
) -> None:
    server.script = {2: sends(number)}
    said = collect("--url", server.url, *QUICK)
    rows = stored(results)
    assert (said.code, said.out) == (code, f"{next(results.runs.iterdir())}\n")
    assert {row["run_state"] for row in rows} == {"interrupted"}
    assert [row["error_kind"] for row in rows if row["op"] == "request"] == [None, "interrupted"]
    assert "Interrupted; what was measured is stored." in said.err


def test_many_stops_are_one(collect: Collect, server: Loopback, results: Results) -> None:
    server.script = {1: sends(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
    assert collect("--url", server.url, *QUICK).code in (143, 130, 129)  # the system may hand them over in any order
    assert {row["run_state"] for row in stored(results)} == {"interrupted"}


def test_a_ladder_is_stopped_like_a_run(collect: Collect, server: Loopback, results: Results) -> None:
    server.otherwise = sends(signal.SIGTERM)
    said = collect("context", "--url", server.url, "--force")
    assert said.code == 143
    assert {row["run_state"] for row in stored(results)} == {"interrupted"}


def test_what_a_shell_has_ignored_stays_ignored(
    collect: Collect, server: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
    try:
        monkeypatch.setattr(store, "sync", once(lambda: send(signal.SIGHUP)))
        assert collect("--url", server.url, *QUICK).code == 0
    finally:
        signal.signal(signal.SIGHUP, before)
    assert {row["run_state"] for row in stored(results)} == {"complete"}


# ---------------------------------------------------------------- after it


def test_a_stop_while_the_run_is_stored_stores_it_and_prints_its_path(
    collect: Collect, server: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "sync", once(lambda: send(signal.SIGTERM, signal.SIGTERM)))
    said = collect("--url", server.url, *QUICK)
    assert (said.code, said.out) == (143, f"{next(results.runs.iterdir())}\n")
    assert {row["run_state"] for row in stored(results)} == {"complete"}
    assert "`collect grade` does that" in said.err


@pytest.mark.parametrize(
    ("module", "name", "words"),
    [(_grading, "grade", "`collect grade`"), (_summary, "show", "Stopped; the run is stored.")],
)
def test_a_stop_after_the_run_was_stored_prints_its_path(
    collect: Collect,
    server: Loopback,
    results: Results,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    words: str,
) -> None:
    monkeypatch.setattr(module, name, once(lambda: send(signal.SIGINT)))
    said = collect("--url", server.url, *QUICK)
    assert (said.code, said.out) == (130, f"{next(results.runs.iterdir())}\n")
    assert words in said.err
    assert "Aborted" not in said.err


def test_a_stop_after_the_run_was_stored_keeps_json_an_object(
    collect: Collect, server: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_summary, "figures", once(lambda: send(signal.SIGTERM)))
    said = collect("--url", server.url, *QUICK, "--json")
    assert (said.code, json.loads(said.out)) == (143, {"path": str(next(results.runs.iterdir()))})


@pytest.mark.parametrize("command", [("plan",), ("grade",), ("check",)])
def test_a_stop_elsewhere_is_a_word_and_no_traceback(
    collect: Collect, server: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(Results, "find", once(lambda: send(signal.SIGTERM)))
    said = collect(*command)
    assert (said.code, said.out, said.err) == (143, "", "Stopped.\n")


def test_what_was_asked_of_one_command_is_not_asked_of_the_next() -> None:
    with pytest.raises(stopping.Stopped), stopping.watching():
        signal.raise_signal(signal.SIGTERM)
    assert (stopping.asked(), stopping.count(), stopping.exit_code(0)) == (False, 0, 0)


# ---------------------------------------------------------------- what was loaded is unloaded


@pytest.fixture
def double() -> Iterator[Double]:
    with Double([DoubleModel(MODEL, load_ms=50)], tokens=Scripted(steady(4, ms=0, first_ms=0))) as running:
        yield running


@pytest.mark.parametrize(
    ("place", "number"),
    [("load", signal.SIGHUP), ("sync", signal.SIGTERM), ("_unload", signal.SIGTERM), ("load", signal.SIGINT)],
)
def test_what_was_to_be_unloaded_is_unloaded(
    collect: Collect,
    results: Results,
    double: Double,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    number: signal.Signals,
) -> None:
    """While LM Studio loads, while a run is stored, while it unloads."""
    owner: Any = {"load": double.state, "sync": store, "_unload": LMStudio}[place]
    real, stop = getattr(owner, place), once(lambda: send(number))

    def call(*arguments: Any, **options: Any) -> Any:
        stop()
        return real(*arguments, **options)

    monkeypatch.setattr(owner, place, call)
    said = collect("--url", double.url, *QUICK, "--load", MODEL, "--unload", "--context-length", "4096")
    assert said.code == 128 + number
    assert double.state.instances == []
    if place == "load":
        assert files(results) == []
    else:
        stored(results)


# ---------------------------------------------------------------- nobody listens


def closed_pipe() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def closed_terminal() -> int:
    master, slave = pty.openpty()
    os.close(master)
    return slave


@pytest.mark.parametrize("closed", [closed_pipe, closed_terminal])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_reader_who_has_gone_is_not_missed(
    closed: Callable[[], int], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with os.fdopen(closed(), "w") as stream:
        monkeypatch.setattr(sys, f"__{name}__", stream)
        monkeypatch.setattr(sys, name, stream)
        with streams.bearing() as lost:
            for _ in range(2):
                print("word " * 4000, file=getattr(sys, name), flush=True)
        assert lost == []
        assert getattr(sys, name) is stream


def test_output_that_finds_no_room_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as stream:
        monkeypatch.setattr(sys, "__stdout__", stream)
        monkeypatch.setattr(sys, "stdout", stream)
        with streams.bearing() as lost:
            print("a report")
    assert [error.strerror for error in lost] == ["No space left on device"]


def test_streams_that_are_not_the_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = io.StringIO()
    monkeypatch.setattr(sys, "stdout", mine)
    monkeypatch.setattr(sys, "stderr", None)  # as where a program is started with it closed
    with streams.bearing():
        print("seen")
    assert mine.getvalue() == "seen\n"


def test_measuring_goes_on_when_both_streams_are_closed(results: Results) -> None:
    def leave(handler: Handler) -> None:
        for stream in (child.stdout, child.stderr):
            assert stream
            stream.close()
        handler.begin_stream()
        for piece in (delta(content="one"), delta("stop"), usage(30, 2), DONE, b""):
            handler.piece(piece)

    with Loopback() as server:
        server.script = {1: leave}
        command = [sys.executable, "-m", "collector", "--url", server.url, *QUICK]
        with Child(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=CLONE) as child:
            code = child.wait(timeout=PATIENCE_S)
    assert code == 0
    assert {row["run_state"] for row in stored(results)} == {"complete"}
