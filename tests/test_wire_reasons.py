"""A person reads why: what a server said, what listens there instead of one, and what to do about it."""

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import httpx
import pyarrow.parquet as pq
import pytest

from collector import asking, measure
from collector.backends import Facts
from collector.backends.words import words
from collector.commands import _backend
from collector.commands._progress import Progress
from collector.commands._words import told, why
from collector.commands.run import _address
from collector.errors import ModelUnclear, ServerLoading, ServerNotFound
from collector.schema import Results
from tests.conftest import DONE, delta, sse
from tests.loopback import ONE_TWO, Answer, Handler, Loopback, cut, hang_up, stream, whole
from tests.test_cli import Collect, files
from tests.test_cli import collect as collect
from tests.test_cli import server as server
from tests.test_openai_chat import backend, listing
from tests.test_run import quick as quick
from tests.test_run import run

SMOKE = ("--suite", "smoke", "--repeats", "1")


def stored(results: Results) -> list[Facts]:
    """The rows of the one run there is."""
    (path,) = results.runs.iterdir()
    return pq.read_table(path).to_pylist()


# --- requests that failed ---


def page(text: str) -> Answer:
    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text.encode())

    return answer


ONE_OBJECT = {"object": "chat.completion", "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        (
            whole(500, {"error": {"message": "the GPU is gone"}}),
            "the server refused it with status 500: the GPU is gone",
        ),
        (whole(429, {"detail": "one at a time"}), "the server refused it with status 429: one at a time"),
        (whole(200, ONE_OBJECT), "the server does not stream; it sent: {"),
        (
            page("<html><title>Sign in</title><p>Expired.</p></html>"),
            "the server does not stream; it sent: Sign in Expired.",
        ),
        (stream(delta(content="x"), sse({"error": "out of pages"}), DONE), "the server said: out of pages"),
        (stream(delta(content="x"), delta("abort"), DONE), "the server said: the server gave the answer up"),
        (cut(delta(content="x")), "stream cut: "),
        (stream(delta("stop"), DONE), "empty: the stream ended without any text"),
        (
            stream(b'{"error":{"message":"5000 tokens do not fit the context size"}}\n'),
            "too long for the server's context: 5000",
        ),
        (hang_up, "no answer came: Server disconnected"),
    ],
)
@pytest.mark.usefixtures("quick")
def test_what_the_server_said_is_told_at_once_and_in_the_end(
    server: Loopback, results: Results, capsys: pytest.CaptureFixture[str], answer: Answer, read: str
) -> None:
    server.script = dict.fromkeys((1, 2, 3), answer)
    with Progress(total=3) as progress:
        outcome = run(server, results, repeats=1, watch=progress)
    assert capsys.readouterr().err.count(f"\n    {read}") == 3
    [line] = told(outcome.failures)
    assert line.startswith(f"3 × {read}")


def test_what_the_server_said_stands_on_the_screen(collect: Collect, server: Loopback) -> None:
    server.warmup = whole(500, {"error": "not yet"})
    server.script = {
        1: whole(500, {"error": "first"}),
        2: whole(500, {"error": "\x1b[2Jgone\r\n\u202eabc" + "x" * 900}),
    }
    said = collect("--url", server.url, *SMOKE)
    assert said.code == 3
    assert said.err.count("    the server refused it with status 500: not yet\n") == 2
    summary = said.err.splitlines()[-4:]  # behind the table, where a person looks
    assert summary[0] == "2 of 2 requests failed; the run stores why."
    assert "    1 × the server refused it with status 500: first" in summary
    assert not set("\x1b\u202e\r") & set(said.err)  # words of a server do not steer the terminal
    assert max(len(line) for line in said.err.splitlines() if "gone" in line) < 300


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('{"error":{"message":"boom"}}', "boom"),
        ('{"object":"error","message":"boom\\nboom"}', "boom boom"),
        ("<!doctype html><style>p {}</style><p>Bad  gateway", "Bad gateway"),
        ("plain words", "plain words"),
        ("a < b > c", "a < b > c"),
        ("", ""),
        ("x" * 500, "x" * 199 + "…"),
    ],
)
def test_of_what_was_said_the_message_is_kept(text: str, read: str) -> None:
    assert words(text) == read


def test_a_kind_without_words_is_told_by_its_name() -> None:
    assert why("worker_gone", None, None) == "worker gone"


# --- keys that a server refuses ---


def strict(*known: str, status: int = 400, all_at_once: bool = False, form: str = "{key} is not known") -> Answer:
    """A server that refuses keys it does not know, one at a time or all at once."""

    def answer(handler: Handler) -> None:
        asked = handler.loopback.asked[-1]
        refused = [key for key in asked if key not in ("model", "messages", "max_tokens", "stream", *known)]
        if not refused:
            return ONE_TWO(handler)
        told = refused if all_at_once else refused[:1]
        return handler.whole(status, {"error": {"message": "; ".join(form.format(key=key) for key in told)}})

    return answer


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("all_at_once", [False, True])
@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("known", "left_out"),
    [
        (("temperature", "top_p", "seed", "stream_options"), "repeat_penalty, top_k"),
        (("temperature", "top_p", "top_k", "repeat_penalty", "seed"), "stream_options"),
        ((), "repeat_penalty, seed, stream_options, temperature, top_k, top_p"),
    ],
)
def test_a_key_that_is_refused_is_left_out_and_that_is_stored(
    server: Loopback, results: Results, known: tuple[str, ...], left_out: str, status: int, all_at_once: bool
) -> None:
    server.warmup = server.otherwise = strict(*known, status=status, all_at_once=all_at_once)
    outcome = run(server, results, repeats=1)
    assert (outcome.failed_count, outcome.left_out) == (0, left_out)
    rows = stored(results)
    assert {row["keys_left_out"] for row in rows} == {left_out}
    for key in ("temperature", "top_p", "top_k", "repeat_penalty", "seed"):
        assert ({row[key] for row in rows} == {None}) == (key in left_out)
    assert {row["error_kind"] for row in rows if row["op"] in ("warmup", "request", "warm")} == {None}
    assert all(not set(left_out.split(", ")) & set(body) for body in server.measured[-2:])


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "form",
    [
        "{key} is not known",
        "Unsupported parameter: '{key}'",
        "Unrecognized request argument supplied: {key}",
        "body.{key}: Extra inputs are not permitted",
        '[{{"type": "extra_forbidden", "loc": ["body", "{key}"]}}]',
    ],
)
def test_a_key_is_refused_in_many_words(server: Loopback, results: Results, form: str) -> None:
    server.warmup = server.otherwise = strict("temperature", "seed", form=form)
    assert run(server, results, repeats=1).left_out == "repeat_penalty, stream_options, top_k, top_p"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("said", ["max_tokens is too high", "no such model", "the seed is bad", "messages: too many"])
def test_a_refusal_for_another_reason_leaves_nothing_out(server: Loopback, results: Results, said: str) -> None:
    server.warmup = server.otherwise = whole(400, {"error": {"message": said}})
    assert run(server, results, repeats=1).failed_count == 3
    assert {(row["keys_left_out"], row["seed"]) for row in stored(results)} == {(None, 42)}
    assert len(server.asked) <= 2 * 8  # each once more at most


def test_a_key_that_is_refused_is_said(collect: Collect, server: Loopback) -> None:
    server.warmup = server.otherwise = strict("temperature", "top_p", "seed", "stream_options")
    said = collect("--url", server.url, *SMOKE)
    assert said.code == 0, said.err
    assert "The server refuses repeat_penalty, top_k: left out of every request, and stored as such." in said.err


# --- no server, or none yet ---


def answering(status: int, body: Any) -> httpx.Response:
    return httpx.Response(status, json=body) if not isinstance(body, str) else httpx.Response(status, text=body)


@pytest.mark.parametrize(
    ("answer", "happened", "remedy"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), "Nothing answered at", "Start the server"),
        (httpx.RemoteProtocolError("illegal status line: bytearray(b'SSH-2.0')"), "gave no answer in HTTP", "--url"),
        (httpx.RemoteProtocolError("illegal status line: bytearray(b'\\x15\\x03')"), "no answer in HTTP", "https://"),
        (httpx.ReadError("the server compressed its answer, though asked not to"), "compressed", "--url"),
        (httpx.ReadTimeout("timed out"), "did not answer in 60 s", "--url"),
        (
            httpx.ConnectError(
                "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1)"
            ),
            "is not trusted (self-signed certificate)",
            "--ca FILE",
        ),
        (httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number"), "speaks no https", "http://"),
        *(
            (
                httpx.ConnectError(f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {why} (_ssl.c:1)"),
                why,
                do,
            )
            for why, do in (
                ("unable to get local issuer certificate", "--ca FILE"),
                ("certificate has expired", "Renew it"),
                ("IP address mismatch, certificate is not valid for '10.0.0.5'", "a name that it is made out to"),
            )
        ),
        (httpx.ConnectError("[SSL] record layer failure (_ssl.c:1)"), "speaks no https", "http://"),
        (httpx.ConnectError("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] alert"), "no common TLS", "of its clients"),
        (httpx.ConnectError("[Errno -2] Name or service not known"), "Nobody knows the name in", "Correct it"),
        (httpx.ConnectError("[Errno 8] nodename nor servname provided, or not known"), "Nobody knows", "Correct it"),
        (httpx.ConnectError("[Errno 101] Network is unreachable"), "Nothing answered at", "Start the server"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "no answer in HTTP", "https://"),
        (
            answering(401, {"error": "no key"}),
            "wants an API token, or another one (status 401: no key)",
            "LM_API_TOKEN",
        ),
        (answering(403, "<html>no</html>"), "(status 403: no)", "LM_API_TOKEN"),
        (answering(401, ""), "another one (status 401).", "LM_API_TOKEN"),
        (answering(404, {"detail": "Not Found"}), "has no model list at /v1/models (status 404: Not Found)", "--model"),
        (answering(200, "<html><title>a router</title></html>"), "(status 200: a router)", "--url"),
        (answering(500, {"error": {"message": "disk full"}}), "(status 500: disk full)", "--url"),
    ],
)
def test_each_reason_for_no_model_list_is_its_own(
    answer: httpx.Response | Exception, happened: str, remedy: str
) -> None:
    with pytest.raises(ServerNotFound) as caught:
        backend({"/v1/models": answer}).planned()
    assert not isinstance(caught.value, ServerLoading)
    assert happened in caught.value.happened
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    "answer",
    [
        answering(503, {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}),
        answering(503, ""),
        answering(500, {"detail": "model is loading"}),
        answering(502, "loading qwen3 …"),
    ],
)
def test_a_server_that_loads_its_model_is_not_ready_yet(answer: httpx.Response) -> None:
    with pytest.raises(ServerLoading, match="still loading"):
        backend({"/v1/models": answer}).planned()


def test_a_model_that_is_being_loaded_is_waited_for(
    collect: Collect, server: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_backend, "LOADING_S", 0)
    left = [3]

    def models(handler: Handler) -> None:
        left[0] -= 1
        if left[0] >= 0:
            return handler.whole(503, {"error": {"message": "Loading model", "code": 503}})
        return handler.whole(200, {"data": [{"id": "qwen3"}]})

    server.routes["/v1/models"] = models
    said = collect("--url", server.url, *SMOKE)
    assert said.code == 0, said.err
    assert said.err.count("still loading its model") == 1
    assert "(Loading model)" in said.err


def test_a_model_that_never_gets_loaded_is_not_waited_for_forever(
    collect: Collect, server: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_backend, "LOADING_S", 0)
    monkeypatch.setattr(_backend, "LOADING_TRIES", 5)
    server.routes["/v1/models"] = whole(503, {"error": {"message": "Loading model"}})
    said = collect("--url", server.url, *SMOKE)
    assert said.code == 1
    assert "error: The server at" in said.err
    assert "Wait until it is ready" in said.err
    assert files(results) == []


def loading(tries: int) -> Answer:
    """So often it loads, and then it answers."""
    left = [tries]

    def answer(handler: Handler) -> None:
        left[0] -= 1
        (whole(503, {"error": {"message": "Loading model", "code": 503}}) if left[0] >= 0 else ONE_TWO)(handler)

    return answer


@pytest.mark.parametrize("command", [("run", *SMOKE), ("context", "--budget", "60")])
def test_a_model_that_loads_behind_a_list_is_waited_for_too(
    collect: Collect, server: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """As a router has it: the list is there, and the first request is turned away until the model is."""
    monkeypatch.setattr(asking, "LOADING_S", 0.001)
    server.warmup = server.otherwise = loading(5)
    told = collect(*command, "--url", server.url, "--force")
    assert told.err.count("The server is still loading its model (Loading model). Waiting for it") == 1
    assert [row["error_kind"] for row in stored(results) if row["op"] == "warmup"] == [None, None]


@pytest.mark.parametrize(
    ("status", "said", "is_loading"),
    [
        (503, '{"error":{"message":"Loading model","code":503}}', True),
        (503, "model is loading, try again", True),
        (503, "qwen3: LOADING 40 %", True),
        (503, "failed loading the model: out of memory", False),
        (503, "no slot available", False),
        (503, "", False),
        (500, "error while loading", False),
        (200, "loading", False),
    ],
)
def test_only_a_model_that_is_on_its_way_is_waited_for(status: int, said: str, is_loading: bool) -> None:
    seen = measure.Exchange(sent_at=0, facts={"http_status": status}, error_detail=said)
    assert asking.is_loading(seen) == is_loading


@pytest.mark.usefixtures("quick")
def test_a_model_that_is_loaded_again_later_is_a_failure(server: Loopback, results: Results) -> None:
    server.script = {1: whole(503, {"error": {"message": "Loading model"}})}
    assert run(server, results, repeats=1).failed_count == 1


def test_a_ladder_says_why_too(collect: Collect, server: Loopback) -> None:
    server.warmup = server.otherwise = whole(500, {"error": {"message": "the GPU is gone"}})
    said = collect("context", "--budget", "60", "--url", server.url, "--force")
    assert "calibration-1: the server refused it with status 500: the GPU is gone" in said.err
    assert "no prompt was answered, so no ladder can be climbed" in said.err


@pytest.mark.parametrize(("command", "status"), [(("run", *SMOKE), 401), (("context", "--budget", "60"), 403)])
def test_a_server_whose_chat_alone_wants_a_token_is_told_at_once(
    collect: Collect, server: Loopback, results: Results, command: tuple[str, ...], status: int
) -> None:
    server.warmup = server.otherwise = whole(status, {"error": {"message": "this key does not fit"}})
    said = collect(*command, "--url", server.url, "--force")
    assert said.code == 1, said.err
    assert f"wants an API token, or another one (status {status}: this key does not fit)." in said.err
    assert "LM_API_TOKEN" in said.err
    assert (len(server.asked), files(results)) == (1, [])


# --- which model of many ---


@pytest.mark.parametrize(
    "told",
    [
        {"status": {"value": "loaded", "args": []}},
        {"status": "loaded"},
        {"state": "running"},
        {"loaded": True},
        {"status": "Ready"},
    ],
)
def test_of_the_models_of_a_router_the_loaded_one_is_meant(told: dict[str, Any]) -> None:
    others = [{"id": name, "status": {"value": "unloaded"}, "loaded": False} for name in ("embed", "a", "b")]
    assert backend(listing(*others[:2], {"id": "this", **told}, others[2])).describe()["model_key"] == "this"


def test_of_many_models_some_are_named() -> None:
    with pytest.raises(ModelUnclear, match=r"lists 6000 models: m0, m1, .*, m7 and 5,992 more\.") as caught:
        backend(listing(*({"id": f"m{number}"} for number in range(6000)))).describe()
    assert len(caught.value.happened) < 100


def test_several_loaded_models_are_named_without_the_others() -> None:
    entries = [{"id": name, "status": "loaded" if name in "bc" else "unloaded"} for name in "abc"]
    with pytest.raises(ModelUnclear, match="lists 3 models, 2 of them loaded: b, c") as caught:
        backend(listing(*entries)).describe()
    assert "--model" in caught.value.remedy


def test_a_model_that_is_named_goes_before_the_loaded_one() -> None:
    entries = [{"id": name, "status": "loaded" if name == "b" else "unloaded"} for name in "abc"]
    assert backend(listing(*entries), "c").describe()["model_key"] == "c"


# --- addresses and certificates ---


@pytest.fixture
def below() -> Iterator[Loopback]:
    """A server below a path."""
    with Loopback(base="/llm") as running:
        yield running


def test_a_server_below_a_path_is_measured_there(collect: Collect, below: Loopback, results: Results) -> None:
    said = collect("--url", f"{below.url}/llm/v1", *SMOKE)
    assert said.code == 0, said.err
    assert {row["endpoint"] for row in stored(results)} == {"/v1/chat/completions"}


@pytest.mark.parametrize(
    "base", ["http://localhost:1234", "https://[::1]:1234/llm", "http://v1", "http://a.b/x/v1beta"]
)
@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/", "/v1/models", "/v1/chat/completions"])
def test_a_route_at_the_end_of_an_address_is_taken_off(base: str, end: str) -> None:
    assert _address(click.Context(click.Command("x")), click.Option(["--url"]), base + end) == base


@contextmanager
def over_tls(server: Loopback, folder: Path) -> Iterator[str]:
    """The server behind a certificate of its own making; gives the certificate's path."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
    yield str(certificate)


def test_a_certificate_of_ones_own_is_told_and_can_be_trusted(
    collect: Collect, results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    server = Loopback()
    with over_tls(server, tmp_path) as certificate, server:
        url = server.url.replace("http:", "https:")
        said = collect("--url", url, *SMOKE)
        assert said.code == 1
        assert f"The certificate of {url} is not trusted (self-signed certificate" in said.err
        assert "--ca FILE" in said.err
        assert collect("--url", url, "--ca", certificate, *SMOKE).code == 0
        monkeypatch.setenv("SSL_CERT_FILE", certificate)
        assert collect("check", "--url", url).code == 0


def test_a_file_without_a_certificate_is_said(collect: Collect, results: Results, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    said = collect("--url", "https://127.0.0.1:9", "--ca", str(tmp_path / "empty.pem"), *SMOKE)
    assert said.code == 1
    assert "holds no certificate to trust" in said.err
    assert collect("--ca", str(tmp_path / "none.pem"), *SMOKE).code == 2
