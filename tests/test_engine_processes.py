"""Which processes hold the model, told from all others of the server."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from collector.memory import engine, readings
from collector.memory.engine import Engine
from tests.programs import Child, free_port, is_gone, until

GB = 10**9
FILE = 100 * GB
WINDOW, HELPER, WORKER, CONNECTOR = 11, 12, 13, 14
Tree = Callable[..., None]
UNSEEN = (
    *(psutil.AccessDenied(1), psutil.NoSuchProcess(1), psutil.ZombieProcess(1)),
    SystemError("<built-in function proc_cmdline> returned NULL without setting an exception"),
    OSError(errno.ENOTSOCK, "Socket operation on non-socket"),
    RuntimeError("proc_pidinfo(PROC_PIDLISTFDS) failed"),
)
Told = dict[int, Any]  # process → what is told of it, or an error to raise


@pytest.fixture
def tree(monkeypatch: pytest.MonkeyPatch) -> Tree:
    """`tree({pid: bytes}, commands={pid: …}, started={pid: …})`: LM Studio's processes."""

    def be(sizes: dict[int, int], commands: Told | None = None, started: Told | None = None) -> None:
        class Process(SimpleNamespace):
            def __init__(self, pid: int) -> None:
                super().__init__(pid=pid)

            def cmdline(self) -> list[str]:
                return self._told(commands, "").split()

            def create_time(self) -> float:
                return self._told(started, 0.0)  # type: ignore[no-any-return]

            def _told(self, of: Told | None, otherwise: Any) -> Any:
                told = (of or {}).get(self.pid, otherwise)
                if isinstance(told, Exception):
                    raise told
                return told

        monkeypatch.setattr(engine, "sizes", lambda pid: dict(sizes))
        monkeypatch.setattr(engine.psutil, "Process", Process)  # which `processes` asks, too

    return be


def found(before: dict[int, int] | None = None, file: int | None = FILE) -> tuple[set[int], str]:
    """The processes that hold the model, and how they were told."""
    engines = engine.find(WINDOW, before, file, None)
    assert engines is not None
    return set(engines.pids), engines.found_by


# --- by growth ---


def test_what_grew_while_loading_holds_the_model(tree: Tree) -> None:
    tree({WINDOW: 3 * GB, HELPER: GB, WORKER: 95 * GB})
    assert found({WINDOW: 3 * GB, HELPER: GB, WORKER: 2 * GB}) == ({WORKER}, "grown while loading")


def test_a_process_that_came_with_the_load_grew_from_nothing(tree: Tree) -> None:
    tree({WINDOW: 3 * GB, WORKER: 6 * GB})
    assert found({WINDOW: 3 * GB}) == ({WORKER}, "grown while loading")


def test_growth_counts_above_5_percent_of_the_file(tree: Tree) -> None:
    tree({WINDOW: 8 * GB, HELPER: 6 * GB + 1, WORKER: 90 * GB})
    before = {WINDOW: 3 * GB, HELPER: GB, WORKER: 0}
    assert found(before) == ({HELPER, WORKER}, "grown while loading")


def test_a_process_that_was_large_before_is_none_of_it(tree: Tree) -> None:
    tree({WINDOW: 60 * GB, WORKER: 50 * GB}, commands={WINDOW: "/Applications/LM Studio.app/LM Studio"})
    assert found({WINDOW: 60 * GB}) == ({WORKER}, "grown while loading")


def test_a_model_over_several_processes_is_all_of_them(tree: Tree) -> None:
    tree({WINDOW: GB, HELPER: 40 * GB, WORKER: 60 * GB})
    assert found({WINDOW: GB}) == ({HELPER, WORKER}, "grown while loading")


# --- by command line ---


@pytest.mark.parametrize(
    "command",
    [
        "/Users/x/.lmstudio/.internal/utils/node /x/llmworker.js --port 5",
        "/Users/x/.lmstudio/extensions/backends/llama.cpp-mac-arm64-2.41.0/llama-server --model m.gguf",
        "/opt/homebrew/bin/llama-server -m m.gguf",
        "/x/.lmstudio/extensions/backends/mlx-llm-mac-arm64-1.11.0/worker",
        "python -m mlx_engine.server",
    ],
)
def test_without_a_baseline_the_command_line_tells(tree: Tree, command: str) -> None:
    commands = {WINDOW: "LM Studio", HELPER: "node a.js", WORKER: command}
    tree({WINDOW: 90 * GB, HELPER: GB, WORKER: GB}, commands=commands)
    assert found() == ({WORKER}, "command line")


def test_where_nothing_grew_enough_the_command_line_tells(tree: Tree) -> None:
    """GPU memory that no process is charged for."""
    tree({WINDOW: GB, WORKER: GB}, commands={WORKER: "llmworker.js"})
    assert found({WINDOW: GB, WORKER: GB}) == ({WORKER}, "command line")


def test_without_the_files_size_growth_tells_nothing(tree: Tree) -> None:
    tree({WINDOW: GB, HELPER: 90 * GB, WORKER: GB}, commands={WORKER: "llmworker.js"})
    assert found({WINDOW: GB}, file=None) == ({WORKER}, "command line")


@pytest.mark.parametrize("command", ["vim llama-server.md", "less /var/log/llmworker.txt", "node worker.js", ""])
def test_a_command_that_only_sounds_like_a_worker_is_none(tree: Tree, command: str) -> None:
    tree({WINDOW: GB, HELPER: 90 * GB}, commands={WINDOW: command})
    assert found() == ({HELPER}, "size")


# --- by size, and all ---


def test_without_growth_and_name_the_large_ones_hold_it(tree: Tree) -> None:
    tree({WINDOW: 5 * GB, HELPER: GB, WORKER: 5 * GB + 1})
    assert found() == ({WORKER}, "size")


def test_where_nothing_tells_a_single_process_is_the_engine_and_of_several_none(tree: Tree) -> None:
    tree({WINDOW: GB})
    assert found() == ({WINDOW}, "whole tree")
    tree({WINDOW: GB, HELPER: GB})
    assert engine.find(WINDOW, None, FILE, None) is None
    tree({WINDOW: 90 * GB, HELPER: GB})
    assert engine.find(WINDOW, None, None, None) is None


@pytest.mark.parametrize("error", UNSEEN)
def test_a_process_that_may_not_be_looked_into_has_no_command_line(tree: Tree, error: Exception) -> None:
    tree({WINDOW: GB, WORKER: 90 * GB}, commands={WINDOW: error, WORKER: error})
    assert found() == ({WORKER}, "size")


def test_where_nothing_can_be_seen_there_is_no_engine(tree: Tree) -> None:
    tree({})
    assert engine.find(WINDOW, {WINDOW: GB}, FILE, 0.0) is None


# --- started for this load? ---


@pytest.mark.parametrize(
    ("started", "is_new"),
    [
        ({HELPER: 1000.5, WORKER: 1001.0}, True),
        ({HELPER: 999.2, WORKER: 1001.0}, True),  # start times are known to about a second
        ({HELPER: 998.0, WORKER: 1001.0}, False),
        *(({HELPER: 1001.0, WORKER: error}, None) for error in UNSEEN),
    ],
)
def test_an_engine_is_new_if_each_of_its_processes_was_started_for_this_load(
    tree: Tree, started: dict[int, Any], is_new: bool | None
) -> None:
    tree({WINDOW: GB, HELPER: 50 * GB, WORKER: 50 * GB}, started={WINDOW: 5.0, **started})
    expected = Engine(frozenset({HELPER, WORKER}), "grown while loading", is_new)
    assert engine.find(WINDOW, {WINDOW: GB}, FILE, 1000.0) == expected


def test_whether_an_engine_that_was_loaded_before_is_new_is_not_known(tree: Tree) -> None:
    tree({WORKER: 90 * GB}, started={WORKER: 2000.0})
    assert engine.find(WINDOW, None, FILE, None) == Engine(frozenset({WORKER}), "size", None)


# --- processes of this machine ---

CHILD = "import sys; print(flush=True); sys.stdin.read()"
PARENT = f"""
import subprocess, sys
pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
with subprocess.Popen([sys.executable, "-c", {CHILD!r}], text=True, **pipes) as child:
    child.stdout.read(1)
    print(child.pid, flush=True)
    sys.stdin.read()
    child.stdin.close()
"""


@pytest.fixture
def family() -> Iterator[tuple[int, int]]:
    """A process and its child."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with Child([sys.executable, "-c", PARENT], text=True, **pipes) as parent:
        assert parent.stdin is not None and parent.stdout is not None
        child = int(parent.stdout.readline())
        yield parent.pid, child
        parent.stdin.close()


def test_a_tree_is_a_process_and_its_descendants(family: tuple[int, int]) -> None:
    parent, child = family
    assert engine.tree(parent) == [parent, child]
    assert engine.tree(child) == [child]
    assert {parent, child} < set(engine.tree(os.getpid()))


def test_sizes_are_those_of_every_process_of_the_tree(family: tuple[int, int]) -> None:
    sizes = engine.sizes(family[0])
    assert set(sizes) == set(family)
    for pid, size in sizes.items():
        assert size == pytest.approx(psutil.Process(pid).memory_info().rss, rel=0.3)


def test_a_tree_that_has_gone_is_empty() -> None:
    with Child([sys.executable, "-c", ""]) as process:
        pass
    until(lambda: is_gone(psutil.Process(process.pid)) if psutil.pid_exists(process.pid) else True, "its end")
    assert engine.tree(process.pid) == []
    assert engine.sizes(process.pid) == {}


def test_a_size_is_the_larger_of_resident_and_footprint_and_never_what_it_once_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = {
        1: {"rss_bytes": 5, "footprint_bytes": 7, "footprint_max_bytes": 99},
        2: {"rss_bytes": 8, "footprint_bytes": 7, "footprint_max_bytes": 99},
        3: None,  # has gone
    }
    monkeypatch.setattr(engine, "tree", lambda pid: [1, 2, 3])
    monkeypatch.setattr(readings, "of_process", lambda pid: parts[pid])
    assert engine.sizes(1) == {1: 7, 2: 8}


def test_the_process_that_listens_on_a_port_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert engine.listening_pid(port) == os.getpid()
        with socket.create_connection(("127.0.0.1", port)) as client:  # a connection is none that listens
            assert engine.listening_pid(client.getsockname()[1]) is None


def test_nobody_listens_on_a_free_port() -> None:
    assert engine.listening_pid(free_port()) is None


@pytest.mark.parametrize("error", UNSEEN)
def test_processes_that_may_not_be_looked_into_are_passed_over(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    class Hidden:
        pid = 1

        def net_connections(self, kind: str) -> list[Any]:
            raise error

    class Ours:
        pid = 2

        def net_connections(self, kind: str) -> list[Any]:
            return [SimpleNamespace(status=psutil.CONN_LISTEN, laddr=SimpleNamespace(port=1234))]

    monkeypatch.setattr(engine.psutil, "process_iter", lambda: [Hidden(), Ours()])
    monkeypatch.setattr(engine, "_top", lambda pid: pid)
    assert engine.listening_pid(1234) == 2
    assert engine.listening_pid(1235) is None


@pytest.mark.parametrize(
    ("commands", "top"),
    [
        (["LM Studio Helper", "/Applications/LM Studio.app/Contents/MacOS/LM Studio", "/sbin/launchd"], 2),
        (["node", "/Users/x/.lmstudio/.internal/utils/node x", "/Users/x/.lmstudio/llmster/1/llmster", "-zsh"], 3),
        (["/opt/homebrew/bin/llama-server -m m.gguf", "-zsh", "/Applications/LM Studio.app/Contents/x"], 1),
        (["mlx_lm.server", "uv run mlx_lm.server", "zsh"], 1),
        (["LM Studio", SystemError("returned NULL")], 1),
    ],
)
def test_a_helper_that_listens_stands_for_all_of_lm_studio(
    monkeypatch: pytest.MonkeyPatch, commands: list[Any], top: int
) -> None:
    """Pids count from 1, each the child of the next."""

    class Process(SimpleNamespace):
        def __init__(self, pid: int) -> None:
            super().__init__(pid=pid)

        def parents(self) -> list["Process"]:
            return [Process(pid) for pid in range(self.pid + 1, len(commands) + 1)]

        def cmdline(self) -> list[str]:
            told = commands[self.pid - 1]
            if isinstance(told, Exception):
                raise told
            return str(told).split()

        def net_connections(self, kind: str) -> list[Any]:
            return [SimpleNamespace(status=psutil.CONN_LISTEN, laddr=SimpleNamespace(port=1234))]

    monkeypatch.setattr(engine.psutil, "Process", Process)
    monkeypatch.setattr(engine.psutil, "process_iter", lambda: [Process(1)])
    assert engine.listening_pid(1234) == top


@pytest.mark.parametrize("error", UNSEEN)
def test_a_tree_that_cannot_be_seen_whole_is_none(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def raises(self: psutil.Process, recursive: bool) -> list[psutil.Process]:
        raise error

    monkeypatch.setattr(psutil.Process, "children", raises)
    assert engine.tree(os.getpid()) == []
