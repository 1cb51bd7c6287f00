"""A test that hangs fails by name: signals end programs, waits have limits, children end with the test that failed."""

import ast
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.schema import CLONE
from tests.conftest import pytest_configure
from tests.programs import Child

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
HEEDED = [signal.default_int_handler, signal.SIG_DFL, signal.SIG_DFL, signal.SIG_DFL]
WAITS = ("wait", "join", "communicate")


@pytest.fixture
def deaf() -> Iterator[None]:
    """As a shell leaves what it starts in the background, and `nohup` what it starts."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("deaf")
def test_what_ends_a_program_does_so_however_the_tests_were_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_CONFIG", os.environ["LLM_CONFIG"])  # put back afterwards
    pytest_configure()
    assert [signal.getsignal(number) for number in ENDING] == HEEDED
    for number in (signal.SIGINT, signal.SIGHUP):
        with Child([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as child:
            child.send_signal(number)
            assert child.wait(timeout=20) == -number


def test_these_tests_were_started_so_that_signals_end_them() -> None:
    assert [signal.getsignal(number) for number in ENDING] == HEEDED


def test_a_child_ends_with_the_test_that_failed() -> None:
    with pytest.raises(ZeroDivisionError), Child([sys.executable, "-c", "while True: pass"]) as child:
        1 / 0  # noqa: B018
    assert child.returncode == -signal.SIGKILL


def test_a_test_that_takes_too_long_fails_and_one_that_cannot_be_freed_ends_its_process(
    pytestconfig: pytest.Config,
) -> None:
    assert (pytestconfig.getini("timeout"), pytestconfig.getini("timeout_method")) == ("900", "signal")
    assert pytestconfig.getini("faulthandler_exit_on_timeout") is True
    assert float(pytestconfig.getini("faulthandler_timeout")) > 900  # of one test with what it cleans up


def unlimited(path: Path) -> list[str]:
    """The waits of a file that nothing but another process or thread ends."""
    found: list[ast.Call] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found += [node] if node.func.attr in WAITS and not node.args and not node.keywords else []
        elif isinstance(node, ast.With):
            opened = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
            found += [call for call in opened if ast.unparse(call.func) == "subprocess.Popen"]
    return [f"{path.relative_to(CLONE)}:{call.lineno}: {ast.unparse(call.func)}" for call in found]


def test_no_wait_is_without_a_limit() -> None:
    """`with subprocess.Popen` waits at its end, too: `Child` is for that."""
    for_a_person = "tests/lmstudio/__main__.py"  # ends when a person or a test says so
    paths = [path for path in sorted((CLONE / "tests").rglob("*.py")) if "outputs" not in path.parts]
    found = [where for path in paths for where in unlimited(path)]
    assert [where for where in found if not where.startswith(for_a_person)] == []
