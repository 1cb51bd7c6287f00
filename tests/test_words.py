"""Of what a server says the known words are stored: what the person could read on the screen, less the person."""

import ast
import getpass
import json
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from collector import measure, privacy, record, said, store
from collector.backends import Facts, Request
from collector.backends.openai_chat import OpenAIChat
from collector.commands import _checks
from collector.commands._checks import private
from collector.journal import Journal
from collector.memory.sampler import Sampler
from collector.privacy import here, words
from collector.recorder import Recorder
from collector.schema import CLONE, Results
from site_src.run_file import read_run
from tests import personal
from tests.conftest import RUN, STARTED, delta, sse
from tests.lmstudio import CRASHED, GUARD_RAILS, OUT_OF_MEMORY, STARTUP_ABORTED
from tests.loopback import NoMeter, NoSampler
from tests.personal import TEXTS


@pytest.fixture(autouse=True)
def someone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The person, wherever the tests run."""
    monkeypatch.delenv("LM_API_TOKEN", raising=False)
    monkeypatch.setenv("HOME", personal.HOME)
    monkeypatch.setattr(getpass, "getuser", lambda: personal.LOGIN)
    monkeypatch.setattr(socket, "gethostname", lambda: personal.HOST)
    monkeypatch.setattr(here, "_shown_names", lambda: (personal.COMPUTER, personal.PERSON))


# --- every path by which a server's words get into a file ---

STREAM = "text/event-stream"
# status, type of content, and body that says a text
PATHS: dict[str, Callable[[str], tuple[int, str, bytes]]] = {
    "error as text": lambda text: (500, "text/plain", text.encode()),
    "error as JSON": lambda text: (400, "application/json", json.dumps({"error": {"message": text}}).encode()),
    "error with status 200": lambda text: (200, "application/json", json.dumps({"error": text}).encode()),
    "page": lambda text: (200, "text/html", f"<html><p>{text}</p></html>".encode()),
    "error event": lambda text: (200, STREAM, delta(content="a") + sse({"error": text})),
    "event that is none": lambda text: (200, STREAM, sse(text) + delta(content="a")),
    "finish reason": lambda text: (200, STREAM, delta(f"error {text}", content="a")),
}
SERVED = ("server_version", "runtime_version", "model_format", "model_architecture", "quantization")


def asked(path: str, text: str) -> measure.Exchange:
    status, kind, body = PATHS[path](text)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers={"content-type": kind}, stream=httpx.ByteStream(body))

    client = measure.connect("http://127.0.0.1:1", transport=httpx.MockTransport(answer))
    return measure.exchange(client, Request("/v1/chat/completions", {}), OpenAIChat(client, "m").parse)


class Quiet(NoSampler, Sampler):
    """No process."""

    def __init__(self) -> None: ...


def test_nothing_of_a_person_gets_into_a_run_by_any_path(results: Results) -> None:
    """What is looked at are the rows and the bytes of the file, of the journal as it was, and validate."""
    shown: list[Facts] = []
    with Journal(results, "a" * 12) as journal:
        recorder = Recorder(
            journal, Quiet(), NoMeter(), lambda stage, row: shown.append(row) if stage == "end" else None
        )
        recorder.learn({**RUN, "run_id": "a" * 12, "run_started_at": STARTED})
        for text, _ in TEXTS.values():
            for way in PATHS:
                recorder.end("request", record.of_exchange(asked(way, text)))
            recorder.end("load", {"error_kind": "load_failed", "error_detail": text})
            recorder.learn(dict.fromkeys(SERVED, f"{text} 1.0"))
            recorder.learn({"preflight": [{"name": "second_model", "verdict": "fail", "detail": text}]})
        recorder.log()
        kept = journal.path.read_text(encoding="utf-8")
        path = store.write(results, recorder.facts, recorder.operations)
    rows = str(pq.read_table(path).to_pylist())
    raw = path.read_bytes().decode("latin-1")
    left = [name for name, (_, secret) in TEXTS.items() for where in (rows, raw, kept) if secret in where]
    assert left == []
    assert len(TEXTS) >= 48
    assert len(shown) == len(TEXTS) * (len(PATHS) + 1)
    assert sum(text in (row.get("error_detail") or "") for text, _ in TEXTS.values() for row in shown) >= len(TEXTS)
    log = journal.path.with_name(said.NAME)
    assert log.stat().st_mode & 0o077 == 0
    assert f"failed to open {personal.HOME}/weights/a.gguf" in log.read_text(encoding="utf-8")
    assert list(private.find(_checks.File(path, "runs", read_run(path)))) == []


@pytest.mark.parametrize("name", TEXTS)
def test_of_each_text_nothing_of_the_person_is_left(name: str) -> None:
    text, secret = TEXTS[name]
    stored = privacy.scrub(text)
    assert secret not in stored
    assert privacy.scrub(stored) == stored  # as the journal of a killed run has it, and the run that it becomes
    assert privacy.traces({"error_detail": stored}) == []


@pytest.mark.parametrize("name", TEXTS)
def test_validate_sees_it_on_a_machine_that_does_not_know_the_person(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "somebody")
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    monkeypatch.setattr(here, "_shown_names", lambda: ())
    monkeypatch.setenv("HOME", "/home/somebody")
    assert privacy.traces({"error_detail": TEXTS[name][0]})


UNKNOWABLE = ("login", "login in capitals", "login in a word", "login with a number", "host without hyphens", "person")
UNKNOWABLE += ("somebody", "person in Chinese", "unknown kind", "home of a shell", "computer in hyphens")


@pytest.mark.parametrize("name", [name for name in TEXTS if name not in UNKNOWABLE])
def test_what_has_a_form_is_seen_in_any_column(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "somebody")
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    monkeypatch.setattr(here, "_shown_names", lambda: ())
    assert privacy.traces({"served_by": TEXTS[name][0]})


# --- what stays ---

USEFUL = (
    *(OUT_OF_MEMORY, GUARD_RAILS, STARTUP_ABORTED, CRASHED, "Channel Error", "out of memory", "model not found"),
    "Unexpected endpoint or method. (POST /v1/chat/completions)",
    "request (8776 tokens) exceeds the available context size (8192 tokens), try increasing it",
    '{"error":{"code":400,"type":"exceed_context_size_error","n_prompt_tokens":8776,"n_ctx":8192}}',
    "This model's maximum context length is 16384 tokens. However, you requested 122946 tokens (112946 in the messages,"
    " 10000 in the completion). Please reduce the length of the messages or completion.",
    "RuntimeError: [metal::malloc] Attempting to allocate 48736917632 bytes which is greater than the maximum allowed "
    "buffer size of 30150672384 bytes.",
    "failed to allocate buffer of size 292926534144",
    "llama runner process has terminated: signal: killed",
    "peer closed connection without sending complete message body (incomplete chunked read)",
    *(
        "[Errno 111] Connection refused",
        "connect to 127.0.0.1:1234 failed",
        "std::bad_alloc",
        "CUDA error: out of memory",
    ),
    *("at 12:30:45 the model was unloaded", "llama.cpp 2.41.0, build b9251-e2b129e1b", "needs 12.5 GiB, 8.25 GiB free"),
    *(
        "context 131,072 is too long: 9,000 of 4,096 tokens",
        "HTTP 503 Service Unavailable",
        "Incorrect API key provided",
    ),
    *("", "stopped by the person", "the stream ended without a finish reason or a token count"),
    "about 30 s needed, 5 s left of the budget",
    "the server sent more than 256 MB",
    "swap grew by 1.0 GB while loading; close other applications",
    "llama-server's /props",
    "the model list's format and the runtime block of /api/v0 agree",
)


@pytest.mark.parametrize("text", USEFUL)
def test_what_helps_stays_word_for_word(text: str) -> None:
    assert privacy.scrub(text) == text


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("cannot open Gwendolyn's model", "cannot open … model"),
        ("annals of savanna", "… of …"),
        ("Long Page Small timed out", "… timed out"),  # words that are names, too
        ("the Large Family of models", "the … of models"),
        ("error in /srv/quux-lab/grok/weights.gguf", "error in /…/weights.gguf"),
        ("call 8 800 555 35 35", "call [number]"),
        ("job 20261130114812 failed", "job … failed"),
        ("\x1b[31mout of memory\x07", "… of memory…"),
    ],
)
def test_what_is_not_known_is_an_ellipsis(text: str, stored: str) -> None:
    assert privacy.scrub(text) == stored


def sentences() -> list[str]:
    """What the collector itself says of a failure or a check, with a number for whatever it puts in."""
    found = []
    for path in (CLONE / "collector").rglob("*.py"):
        if "material" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith((".fail", "_finding", "EventTooLong")):
                found += node.args
            elif isinstance(node, ast.Dict):
                named = zip(node.keys, node.values, strict=True)
                found += [value for key, value in named if isinstance(key, ast.Constant) and key.value in SAYING]
    texts = [
        "".join(str(part.value) if isinstance(part, ast.Constant) else " 5 " for part in node.values)
        for node in found
        if isinstance(node, ast.JoinedStr)
    ]
    return [*texts, *(str(node.value) for node in found if isinstance(node, ast.Constant))]


SAYING = ("error_detail", "runtime_proof", "served_by")


def test_our_own_sentences_are_known() -> None:
    own = sentences()
    assert len(own) > 40
    assert [text for text in own if not words.are_known(text)] == []


def test_names_that_the_run_is_published_under_stay() -> None:
    names = privacy.names_in({"model_key": "unsloth/tiny@q4_k_m", "server_version": "LM Studio 0.4.17+1"})
    text = 'Failed to load model "unsloth/tiny@q4_k_m" in LM Studio 0.4.17+1. Error: grumble'
    assert privacy.scrub(text, names) == text.replace("grumble", "…")
    assert "unsloth" not in privacy.scrub(text)


def test_a_long_text_is_cleaned_before_it_is_cut() -> None:
    for before in (*range(1960, 2010, 7), 49_990, 49_995):
        stored = privacy.scrub(" of" * (before // 3) + f" {personal.LOGIN} of Gwendolyn")
        assert len(stored) <= words.SHOWN
        assert personal.LOGIN[:4] not in stored
    assert privacy.scrub("Gwendolyn " * 4_000 + "out of memory") == "… out of memory"


def test_the_log_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(said, "MOST_BYTES", 1000)
    for _ in range(20):
        said.keep(tmp_path / said.NAME, "a" * 12, [("request", "http_status", "x" * 400)])
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 4000
    said.keep(tmp_path / "none" / said.NAME, "a" * 12, [("request", None, "x")])  # a folder that is gone
