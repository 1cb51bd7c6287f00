"""A clock that moves only when told, a server that answers as scripted, and results made of the rows that matter."""

import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector import environment, measure, run, store
from collector.backends import Facts, Request
from collector.backends.openai_chat import OpenAIChat
from collector.commands import _ask
from collector.schema import Results
from site_src import cache
from site_src.warehouse import Warehouse
from tests import asked_here, keys, programs, reduced

MS = 1_000_000  # ns
# Two processes share the files as these come: what takes minutes comes first, so that neither is alone at the end.
LONG = (
    *("test_plan", "test_site_in_browser", "test_graders", "test_payloads", "test_worlds", "test_engine"),
    *("test_comparisons", "test_serve", "test_real_memory", "test_build", "test_browser", "test_workflows"),
)


def pytest_configure() -> None:
    """What is stored here is signed by a key of the tests, and that in this process and those it starts."""
    heed_signals()
    folder = Path(tempfile.mkdtemp(prefix="llm-mac-512-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    keys.put(folder, "owner")
    os.environ["LLM_CONFIG"] = str(folder)


def heed_signals() -> None:
    """What asks a program to end does so here and in all that is started from here.

    A shell that starts the tests in the background has them ignore Ctrl-C, `nohup` a closed terminal, and programs
    inherit that: a test that stops one would wait forever.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def pytest_report_header() -> str:
    """What is tried less often here than in the full benches."""
    return reduced.line()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; within a file nothing moves."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting where only a real machine gains from it, no child process for each question to the views.

    Signals are as at a start, for a command leaves Ctrl-C to the system when it ends.
    And no file is kept of what is read once: it costs half of a view's test. tests/test_cache.py is about it.
    """
    heed_signals()
    monkeypatch.setattr(environment, "CPU_LOOK_S", 0)
    monkeypatch.setattr(run, "SETTLE_S", 0)
    monkeypatch.setattr(_ask, "rows", asked_here.rows)
    monkeypatch.setattr(cache, "attached", lambda *_: nullcontext(False))


class FakeClock:
    """Nanoseconds that pass only by `pass_ms`."""

    def __init__(self) -> None:
        self.now = 10**12

    def __call__(self) -> int:
        return self.now

    def pass_ms(self, ms: float) -> None:
        self.now += round(ms * MS)


class Script(httpx.SyncByteStream):
    """Steps of `(ms to let pass, bytes or an exception to raise)`, on a fake clock."""

    def __init__(self, clock: FakeClock, steps: tuple[Any, ...]) -> None:
        self.clock, self.steps = clock, steps

    def __iter__(self) -> Iterator[bytes]:
        for ms, piece in self.steps:
            self.clock.pass_ms(ms)
            if isinstance(piece, BaseException):
                raise piece
            yield piece


class ScriptedServer:
    """Streams `(ms to let pass, bytes or an exception to raise)` steps, on a fake clock."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.seen: list[httpx.Request] = []

    def answer(self, *steps: Any, status: int = 200, kind: str = "text/event-stream") -> measure.Exchange:
        """Send one chat request that is answered by these steps; the headers take 1 ms."""

        def handle(request: httpx.Request) -> httpx.Response:
            self.seen.append(request)
            self.clock.pass_ms(1)
            return httpx.Response(status, headers={"content-type": kind}, stream=Script(self.clock, steps))

        client = measure.connect("http://127.0.0.1:1", transport=httpx.MockTransport(handle))
        request = Request("/v1/chat/completions", {"model": "m", "messages": [], "stream": True})
        return measure.exchange(client, request, OpenAIChat(client, "m").parse, clock=self.clock)


def sse(payload: dict[str, Any] | str) -> bytes:
    """One event as a server sends it."""
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    return f"data: {text}\n\n".encode()


def delta(finish: str | None = None, **delta: Any) -> bytes:
    """A chat chunk with this delta."""
    return sse({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def usage(prompt: int = 10, completion: int = 5, **more: Any) -> bytes:
    """The chunk with token counts and no choices."""
    return sse({"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": completion}, **more})


DONE = sse("[DONE]")


@pytest.fixture
def server() -> ScriptedServer:
    return ScriptedServer()


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Results:
    """An empty results folder of the test's own, which LLM_RESULTS names too."""
    monkeypatch.setenv("LLM_RESULTS", str(tmp_path / "results"))
    return Results(tmp_path / "results")


RUN: Facts = {
    "run_state": "complete",
    "forced": False,
    "chip": "Apple M3 Ultra",
    "gpu_cores": 80,
    "memory_bytes": 512 * 2**30,
    "os_name": "macOS",
    "os_version": "26.1",
    "server": "lmstudio",
    "server_place": "local",
    "endpoint": "/v1/chat/completions",
    "runtime": "llama.cpp",
    "runtime_version": "2.41.0",
    "runtime_proof": "test",
    "model_key": "unsloth/minimax-m2.1@q4_k_m",
    "model_format": "gguf",
    "quantization": "Q4_K_M",
    "file_bytes": 138_000_000_000,
    "context_effective": 131072,
    "suite": "standard",
    "suite_sha256": "s",
    "repeats": 5,
    "temperature": 0.7,
    "top_p": 0.9,
    "top_k": 40,
    "repeat_penalty": 1.0,
    "seed": 42,
}
STARTED = datetime(2026, 11, 22, 12, 0, 0)


def request(
    prompt: str = "short", repeat: int = 1, *, tps: float = 50.0, ttft_ms: float = 200.0, tokens: int = 101, **more: Any
) -> Facts:
    """A request row whose text came one token a chunk, at exactly this speed.

    Of its times those that are not given follow the ones that are.
    """
    first = round(ttft_ms * MS)
    gap_us = round(1e6 / tps)
    gaps = [first // 1000] + [gap_us] * (tokens - 1)
    last = first + gap_us * 1000 * (tokens - 1)
    first = more.get("first_text_ns") or first
    last = more.get("last_text_ns") or max(first, last)
    done = more.get("done_ns") or last
    return {
        "op": "request",
        "prompt_id": prompt,
        "prompt_category": "test",
        "prompt_sha256": f"hash of {prompt}",
        "repeat": repeat,
        "prompt_tokens": 100,
        "completion_tokens": tokens,
        "first_event_ns": first,
        "first_text_ns": first,
        "first_answer_ns": first,
        "last_text_ns": last,
        "done_ns": done,
        "elapsed_ns": done,
        "finish_reason": "length",
        "chunks": [{"gap_us": gap, "kind": "answer", "chars": 4} for gap in gaps],
        "output_text": "word" * tokens,
        **more,
    }


def of_its_own(rows: list[Facts], number: int) -> list[Facts]:
    """The rows of this of several runs: to the nanosecond no two runs take the same time."""
    timed = [row for row in rows if row.get("elapsed_ns") is not None]
    one = next((row for row in timed if row["op"] not in ("load", "unload")), timed[0] if timed else None)
    return [{**row, "elapsed_ns": row["elapsed_ns"] + number} if row is one else row for row in rows]


@pytest.fixture
def given(results: Results) -> Callable[..., Warehouse]:
    """`given([rows], …, columns…)`: each list of operation rows becomes one run file; the warehouse over them all.

    A list may begin with a dict that has no `op`: run columns for that run only.
    """

    def make(*runs: list[Facts], **facts: Any) -> Warehouse:
        for number, rows in enumerate(runs):
            own = rows[0] if rows and "op" not in rows[0] else {}
            operations = [dict(row, op_index=i) for i, row in enumerate(row for row in rows if "op" in row)]
            columns = {
                **RUN,
                "run_id": f"{number:012x}",
                "run_started_at": STARTED + timedelta(minutes=number),
                **facts,
                **own,
            }
            store.write(results, columns, of_its_own(operations, number))
        return Warehouse(results)

    return make


@pytest.fixture(scope="session")
def engine_run(tmp_path_factory: pytest.TempPathFactory) -> programs.EngineRun:
    """One run of the smoke suite on the real engine, three repeats, shared by all tests that need real figures."""

    def make(folder: Path) -> "subprocess.CompletedProcess[str]":
        options = ("--embedded", "--suite", "smoke", "--repeats", "3", "--results", str(folder / "results"), "--json")
        # From a folder of its own: the clone is the installation, and `collect` works anywhere.
        return programs.finish(programs.program("collect", *options), cwd=folder)

    folder, done = programs.once("engine", tmp_path_factory, make)
    return programs.EngineRun(Results(folder / "results"), done)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=programs.chromium(), args=[*programs.CHROMIUM_FLAGS])
        yield started
        started.close()
