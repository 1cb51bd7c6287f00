"""The command line: what goes to stdout, what a mistake looks like, and the exit codes."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pyarrow.parquet as pq
import pytest

from collector import cli, environment
from collector.backends.openai_chat import OpenAIChat
from collector.journal import Journal
from collector.schema import Results
from tests.conftest import DONE, RUN, STARTED, delta, request
from tests.loopback import Handler, Loopback, NoSampler, stream, whole

HEAVY = ("pyarrow", "duckdb", "altair", "httpx", "rich", "psutil", "mkdocs")


class Said(NamedTuple):
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


Collect = Callable[..., Said]


@pytest.fixture
def collect(results: Results, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Collect:
    """`collect("--quick", …)` as typed in a terminal that is none, with results going to the test's own folder."""
    monkeypatch.delenv("LM_API_TOKEN", raising=False)
    # How busy the machine is, and its memory, take long to find out, and are of no matter here.
    monkeypatch.setattr("collector.run.Sampler", NoSampler)
    monkeypatch.setattr(OpenAIChat, "engine_pid", lambda self: None)
    monkeypatch.setattr(environment, "cpu_busy_percent", lambda seconds=0.5: environment.Reading(1.0))

    def call(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["collect", *arguments])
        code: object = 0
        ctrl_c = signal.getsignal(signal.SIGINT)
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
        finally:
            signal.signal(signal.SIGINT, ctrl_c)
        assert isinstance(code, int)
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        yield running


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nothing listens, and nothing else can begin to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def files(results: Results) -> list[str]:
    """All but grades, the list of keys, the lock of all runs, and the warehouse's own, which may always be deleted."""
    aside = (".journal/runs.lock", ".journal/warehouse.", "grades/", "keys.toml")
    found = sorted(str(path.relative_to(results.root)) for path in results.root.rglob("*") if path.is_file())
    return [name for name in found if not name.startswith(aside)]


def commands() -> dict[str, click.Command]:
    context = click.Context(cli.collect)
    found = {name: cli.collect.get_command(context, name) for name in cli.collect.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


# --- a run ---


def test_a_run_prints_its_path_and_nothing_else_to_stdout(collect: Collect, server: Loopback, results: Results) -> None:
    said = collect("--url", server.url, "--suite", "smoke", "--repeats", "1")
    (path,) = results.runs.iterdir()
    assert (said.code, said.out) == (0, f"{path}\n")
    assert files(results) == [f"runs/{path.name}"]
    assert len(server.measured) == 2
    # Plain lines where stderr is no terminal; the table of figures after them.
    assert "[1/2] story #1: 2 tokens\n" in said.err
    assert "[2/2] ship #1: 2 tokens\n" in said.err
    assert "TTFT" in said.err
    assert "\x1b" not in said.out + said.err


def test_json_is_one_object_on_stdout(collect: Collect, server: Loopback, results: Results) -> None:
    said = collect("--url", server.url, "--suite", "smoke", "--repeats", "1", "--json")
    (path,) = results.runs.iterdir()
    figures = json.loads(said.out)
    assert said.code == 0
    assert said.out.count("\n") == 1
    assert figures["path"] == str(path)
    assert figures["request_count"] == 2
    assert [prompt["prompt_id"] for prompt in figures["prompts"]] == ["ship", "story"]


def test_two_repeats_are_usual_and_quick_means_one_and_run_may_be_left_out(collect: Collect, server: Loopback) -> None:
    """The run is what figures are told apart by: a further one tells more than further repeats."""
    collect("run", "--url", server.url, "--suite", "smoke", "--quick")
    assert len(server.measured) == 2
    collect("--url", server.url, "--suite", "smoke")
    assert len(server.measured) == 2 + 4


def test_results_go_where_the_option_says_before_the_environment(
    collect: Collect, server: Loopback, results: Results, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    said = collect("--url", server.url, "--suite", "smoke", "--repeats", "1", "--results", str(elsewhere))
    assert Path(said.out.strip()).parent == elsewhere / "runs"
    assert not results.root.exists()


def test_a_token_is_sent_and_never_stored(
    collect: Collect, server: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "sk-lm-AbCdEfGh:0123456789abcdefghij"
    monkeypatch.setenv("LM_API_TOKEN", token)
    server.script = {1: whole(401, {"error": f"{token} is wrong"})}
    said = collect("--url", server.url, "--suite", "smoke", "--repeats", "1")
    assert server.tokens == {f"Bearer {token}"}
    assert token not in said.out + said.err
    (path,) = results.runs.iterdir()
    assert token not in str(pq.read_table(path).to_pylist())


# --- exit codes ---


def test_failed_requests_are_counted_and_stored(collect: Collect, server: Loopback, results: Results) -> None:
    server.script = {1: whole(500, {"error": "broke"})}
    said = collect("--url", server.url, "--suite", "smoke", "--repeats", "1")
    assert said.code == 0
    assert "1 of 2 requests failed" in said.err
    assert "[1/2] story #1: failed: http_status\n" in said.err


def test_exit_code_3_when_every_request_failed(collect: Collect, server: Loopback, results: Results) -> None:
    server.otherwise = stream(DONE)
    said = collect("--url", server.url, "--suite", "smoke", "--repeats", "1")
    (path,) = results.runs.iterdir()
    assert (said.code, said.out) == (3, f"{path}\n")
    assert {row["error_kind"] for row in pq.read_table(path).to_pylist() if row["op"] == "request"} == {"empty"}


def test_exit_code_130_when_interrupted_and_what_was_measured_is_stored(server: Loopback, results: Results) -> None:
    def press_ctrl_c(handler: Handler) -> None:
        handler.begin_stream()
        handler.piece(delta(content="one"))
        os.kill(child.pid, signal.SIGINT)
        handler.connection.recv(1)  # until the client has gone
        handler.close_connection = True

    server.script = {2: press_ctrl_c}
    child = subprocess.Popen(
        [
            *(sys.executable, "-m", "collector"),
            *("--url", server.url, "--suite", "smoke", "--repeats", "2"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out, err = child.communicate(timeout=120)
    (path,) = results.runs.iterdir()
    assert (child.returncode, out) == (130, f"{path}\n"), err
    assert "Interrupted" in err
    assert "Traceback" not in err
    stored = pq.read_table(path).to_pylist()
    assert {row["run_state"] for row in stored} == {"interrupted"}
    assert [row["error_kind"] for row in stored if row["op"] == "request"] == [None, "interrupted"]
    assert files(results) == [f"runs/{path.name}"]


# --- mistakes ---


def test_nothing_listening_is_one_sentence_and_what_to_do(collect: Collect, nobody: str, results: Results) -> None:
    said = collect("--url", nobody, "--suite", "smoke")
    assert (said.code, said.out) == (1, "")
    happened, remedy = said.err.splitlines()[-2:]
    assert happened == f"error: Nothing answered at {nobody} (ConnectError)."
    assert remedy.startswith("       Start the server")
    assert "--url" in remedy
    assert "--embedded" in remedy
    assert "Traceback" not in said.err
    assert files(results) == []


def test_two_models_are_asked_about(collect: Collect, server: Loopback, results: Results) -> None:
    server.models = ["a", "b"]
    said = collect("--url", server.url, "--suite", "smoke")
    assert (said.code, said.out) == (1, "")
    assert "2 models: a, b" in said.err
    assert "--model" in said.err
    assert files(results) == []


def test_an_unknown_suite_is_answered_with_the_known_ones(collect: Collect, server: Loopback, results: Results) -> None:
    said = collect("--url", server.url, "--suite", "standart")
    assert (said.code, said.out) == (1, "")
    assert "no suite 'standart'" in said.err
    assert "coding-agent, reference, smoke, standard" in said.err
    assert (server.connections, files(results)) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--quick", "--repeats", "2"), "--repeats"),
        (("--repeats", "0"), "--repeats"),
        (("--repeats", "many"), "--repeats"),
        (("--context-length", "4096"), "--context-length"),
        (("--embedded", "--context-length", "10"), "--context-length"),
        (("--url", "localhost:1234"), "--url"),
        (("--url", "http://localhost:1234/?key=1"), "--url"),
        (("--url", "http://localhost:1234/v1#top"), "--url"),
        (("--url", "http://me:secret@localhost:1234"), "--url"),
        (("--url", "http://localhost:1234/a b"), "--url"),
        (("--no-such-option",), "--no-such-option"),
        (("measure",), "measure"),
        (("_progress",), "_progress"),
    ],
)
def test_wrong_options_are_exit_code_2_and_named(
    collect: Collect, results: Results, arguments: tuple[str, ...], named: str
) -> None:
    said = collect(*arguments)
    assert (said.code, said.out) == (2, "")
    assert named in said.err
    assert files(results) == []


def test_a_run_that_was_killed_is_saved_by_the_next_collect(collect: Collect, nobody: str, results: Results) -> None:
    facts = {**RUN, "run_id": "0123456789ab", "run_state": "interrupted", "run_started_at": STARTED}
    with Journal(results, "0123456789ab") as journal:
        journal.facts(facts)
        journal.operation(request(tokens=3, op_index=0))
    said = collect("--url", nobody, "--suite", "smoke")
    (saved,) = results.runs.iterdir()
    assert f"saved as {saved.name}" in said.err
    assert files(results) == [f"runs/{saved.name}"]


# --- help ---


def test_help_names_every_command_and_every_option_of_measuring(collect: Collect) -> None:
    said = collect("--help")
    words = said.out.split()
    assert said.code == 0
    assert {"run"} <= commands().keys()
    assert [name for name in commands() if name not in words] == []
    options = [option for parameter in commands()["run"].params for option in parameter.opts]
    assert len(options) >= 8
    assert [option for option in options if option not in words] == []
    assert "Exit codes" in said.out


def test_every_command_explains_itself_and_its_options(collect: Collect) -> None:
    for name, command in commands().items():
        said = collect(name, "--help")
        assert said.code == 0
        assert command.help
        assert all(option in said.out for one in command.params for option in one.opts if option.startswith("-"))


def test_version_is_said(collect: Collect) -> None:
    from collector import __version__

    assert collect("--version").out == f"collect, version {__version__}\n"


@pytest.mark.parametrize(
    "code",
    [
        "import collector.cli",
        "import sys; sys.argv = ['collect', '--help']; import collector.cli\n"
        "try: collector.cli.main()\n"
        "except SystemExit: pass",
    ],
)
def test_the_front_door_imports_nothing_heavy(code: str) -> None:
    tell = f"{code}\nimport sys; sys.stderr.write(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", tell], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
