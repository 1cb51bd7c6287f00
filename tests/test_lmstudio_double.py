"""The double does what each line of lmstudio-api.md §10 asks of it, as plain HTTP sees it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.lmstudio import GUARD_RAILS, OUT_OF_MEMORY, Double, DoubleModel, Engine, LoadFailed, Scripted, steady
from tests.programs import PATIENCE_S, Child

GGUF = "unsloth/tiny@q4_k_m"
MLX = "mlx-community/Tiny-4bit"
USAGE = {"stream_options": {"include_usage": True}}


class Talk:
    """A double, and a plain client of it."""

    def __init__(self, double: Double, client: httpx.Client) -> None:
        self.double, self.client = double, client

    def get(self, path: str) -> Any:
        return self.client.get(path).json()

    def post(self, route: str, /, **body: Any) -> httpx.Response:
        return self.client.post(route, json=body)

    def stream(self, path: str = "/v1/chat/completions", model: str = GGUF, **body: Any) -> list[tuple[str, Any]]:
        """`(event name, payload)` of each event; `[DONE]` stays text."""
        answered = self.post(path, model=model, stream=True, **body)
        assert answered.headers["content-type"] == "text/event-stream", answered.text
        events = []
        for block in answered.text.removesuffix("\n\n").split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n"))
            data = fields["data"]
            events.append((fields.get("event", ""), data if data == "[DONE]" else json.loads(data)))
        return events

    def deltas(self, model: str = GGUF, **body: Any) -> list[Any]:
        """The delta of each chunk that has one."""
        chunks = [chunk for _, chunk in self.stream(model=model, messages=[], **body) if chunk != "[DONE]"]
        return [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]

    def state(self, key: str) -> str:
        (entry,) = [entry for entry in self.get("/api/v0/models")["data"] if entry["id"] == key]
        return str(entry["state"])


@pytest.fixture
def given() -> Iterator[Callable[..., Talk]]:
    """`given(models…, switches…)`: a running double and a client, both ended with the test.

    No time passes: what the double would have waited, in ms, is in `double.waited`.
    """
    with ExitStack() as stack:

        def make(*models: DoubleModel, **options: Any) -> Talk:
            double = stack.enter_context(
                Double(models or [DoubleModel(GGUF), DoubleModel(MLX, format="mlx")], **options)
            )
            double.waited = []
            double.wait = lambda ms: double.waited.append(ms) if ms else None  # type: ignore[method-assign]
            client = httpx.Client(base_url=double.url, trust_env=False, timeout=20)
            return Talk(double, stack.enter_context(client))

        yield make


def error(answered: httpx.Response, status: int = 400) -> Any:
    """The `error` of an answer that has this status."""
    assert answered.status_code == status, answered.text
    return answered.json()["error"]


def until(condition: Callable[[], bool]) -> None:
    """Poll; the deadline is only there so that a failure ends."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came true"


def refuses_connections(talk: Talk) -> bool:
    try:
        talk.get("/v1/models")
    except httpx.ConnectError:
        return True
    except httpx.TransportError:  # it is about to go
        return False
    return False


def test_unknown_routes_and_methods_answer_200_with_a_flat_error(given: Callable[..., Talk]) -> None:
    talk = given()
    assert error(talk.client.get("/x"), 200) == "Unexpected endpoint or method. (GET /x)"
    assert error(talk.post("/v1/models"), 200) == "Unexpected endpoint or method. (POST /v1/models)"
    assert talk.get("/lmstudio-greeting") == {"lmstudio": True}


@pytest.mark.parametrize(
    ("path", "body", "unknown"),
    [
        ("/api/v1/chat", {"model": GGUF, "input": "Hi", "seed": 42}, "'seed'"),
        ("/api/v1/chat", {"model": GGUF, "input": "Hi", "stop": ["x"], "ttl": 1}, "'stop', 'ttl'"),
        ("/api/v1/models/load", {"model": GGUF, "parallel": 1}, "'parallel'"),
        ("/api/v1/models/load", {"model": GGUF, "stream": True}, "'stream'"),
        ("/api/v1/models/unload", {"instance_id": GGUF, "model": GGUF}, "'model'"),
        ("/api/v1/models/download", {"model": GGUF, "path": "x"}, "'path'"),
    ],
)
def test_v1_bodies_are_strict(given: Callable[..., Talk], path: str, body: dict[str, Any], unknown: str) -> None:
    refused = error(given().post(path, **body))
    assert (refused["type"], refused["message"]) == ("invalid_request", f"Unrecognized key(s) in object: {unknown}")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/v0/chat/completions"])
def test_openai_bodies_are_lenient(given: Callable[..., Talk], path: str) -> None:
    assert given().post(path, model=GGUF, messages=[], ttl=9, nobody_knows=1).status_code == 200


def test_a_missing_key_and_an_unknown_model_have_their_own_errors(given: Callable[..., Talk]) -> None:
    talk = given()
    assert error(talk.post("/api/v1/models/load")) == {
        "type": "invalid_request",
        "message": '"model" is required',
        "code": "missing_required_parameter",
        "param": "model",
    }
    assert error(talk.post("/api/v1/models/load", model="no/such"), 404)["type"] == "model_not_found"
    assert "no/such" in error(talk.post("/v1/chat/completions", model="no/such"))["message"]


def test_a_token_is_asked_of_every_route_but_the_greeting(given: Callable[..., Talk]) -> None:
    talk = given(token="sk-lm-abcdefgh:01234567890123456789")
    for path in ("/api/v1/models", "/api/v0/models", "/v1/models", "/x"):
        refused = error(talk.client.get(path), 401)
        assert refused["code"] == "invalid_api_key"
        assert "$LM_API_TOKEN" in refused["message"]
    assert error(talk.client.get("/v1/models", headers={"Authorization": "Bearer wrong"}), 401)
    talk.client.headers["Authorization"] = f"Bearer {talk.double.token}"
    assert talk.client.get("/v1/models").status_code == 200
    assert httpx.get(f"{talk.double.url}/lmstudio-greeting", trust_env=False).status_code == 200


def test_v0_shows_three_states_and_the_loaded_context_only_when_loaded(given: Callable[..., Talk]) -> None:
    talk = given(DoubleModel(GGUF, max_context_length=262_144))
    (before,) = talk.get("/api/v0/models")["data"]
    assert (before["state"], before["compatibility_type"], before["quantization"]) == ("not-loaded", "gguf", "Q4_K_M")
    assert "loaded_context_length" not in before
    with talk.double.held_load():
        loading = threading.Thread(target=talk.double.load, args=(GGUF,), kwargs={"context_length": 8192})
        loading.start()
        until(lambda: talk.state(GGUF) == "loading")
        assert talk.get("/api/v1/models")["models"][0]["loaded_instances"] == []
        assert "Operation canceled." in error(talk.post("/v1/chat/completions", model=GGUF))["message"]
    loading.join(timeout=PATIENCE_S)
    quoted = GGUF.replace("/", "%2F")
    after = talk.get(f"/api/v0/models/{quoted}")
    assert (after["state"], after["loaded_context_length"], after["max_context_length"]) == ("loaded", 8192, 262_144)


def test_a_model_list_is_once_an_html_page_when_a_load_begins(given: Callable[..., Talk]) -> None:
    talk = given()
    talk.double.html_500_on_load = True
    assert talk.client.get("/api/v0/models").status_code == 200
    talk.post("/api/v1/models/load", model=GGUF)
    page = talk.client.get("/api/v0/models")
    assert (page.status_code, page.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert talk.client.get("/api/v0/models").status_code == 200
    talk.double.html_500_once = True
    assert [talk.client.get("/api/v1/models").status_code for _ in range(2)] == [500, 200]


def test_a_second_load_of_a_key_is_a_second_instance(given: Callable[..., Talk]) -> None:
    talk = given()
    loads = [talk.post("/api/v1/models/load", model=GGUF, context_length=size) for size in (1024, 2048, 4096)]
    assert [answered.json()["instance_id"] for answered in loads] == [GGUF, f"{GGUF}:2", f"{GGUF}:3"]
    shown = {entry["key"]: entry["loaded_instances"] for entry in talk.get("/api/v1/models")["models"]}
    assert [instance["config"]["context_length"] for instance in shown[GGUF]] == [1024, 2048, 4096]
    assert talk.post("/v1/chat/completions", model=GGUF, messages=[]).json()["model"] == GGUF
    assert talk.post("/v1/chat/completions", model=f"{GGUF}:3", messages=[]).json()["model"] == f"{GGUF}:3"
    assert talk.post("/api/v1/models/unload", instance_id=f"{GGUF}:2").json() == {"instance_id": f"{GGUF}:2"}
    assert error(talk.post("/api/v1/models/unload", instance_id=f"{GGUF}:2"), 404)["type"] == "model_not_found"
    assert len(talk.double.state.instances) == 2


def test_mlx_shows_its_context_only_and_fits_it_itself(given: Callable[..., Talk]) -> None:
    modern = "mlx/modern"
    talk = given(
        DoubleModel(GGUF, experts=8),
        DoubleModel(MLX, format="mlx", auto_fit=131_072),
        DoubleModel(modern, format="mlx", shows_parallel=True),
    )
    for key in (GGUF, MLX, modern):
        talk.post("/api/v1/models/load", model=key, context_length=8192)
    shown = {entry["key"]: entry for entry in talk.get("/api/v1/models")["models"]}
    configs = {key: entry["loaded_instances"][0]["config"] for key, entry in shown.items()}
    assert configs[MLX] == {"context_length": 131_072}
    assert configs[modern] == {"context_length": 8192, "parallel": 4}
    assert configs[GGUF] == {
        "context_length": 8192,
        "eval_batch_size": 512,
        "parallel": 4,
        "flash_attention": True,
        "num_experts": 8,
        "offload_kv_cache_to_gpu": True,
    }
    assert (shown[MLX]["format"], shown[MLX]["quantization"]) == ("mlx", {"name": "4bit", "bits_per_weight": 4})


def test_a_load_echoes_its_config_only_on_request(given: Callable[..., Talk]) -> None:
    talk = given(DoubleModel(GGUF), DoubleModel(MLX, format="mlx", auto_fit=65_536))
    silent = talk.post("/api/v1/models/load", model=GGUF).json()
    assert set(silent) == {"type", "instance_id", "load_time_seconds", "status"}
    echo = {"echo_load_config": True, "context_length": 4096}
    gguf = talk.post("/api/v1/models/load", model=GGUF, flash_attention=False, **echo).json()["load_config"]
    assert (gguf["context_length"], gguf["flash_attention"], gguf["eval_batch_size"]) == (4096, False, 512)
    mlx = talk.post("/api/v1/models/load", model=MLX, flash_attention=False, **echo).json()["load_config"]
    assert mlx == {"context_length": 65_536}


def test_only_whole_v0_answers_name_the_runtime(given: Callable[..., Talk]) -> None:
    talk = given()
    path = "/api/v0/chat/completions"
    whole = talk.post(path, model=GGUF, messages=[], max_tokens=5).json()
    assert whole["stats"]["stop_reason"] == "maxPredictedTokensReached"
    assert set(whole["stats"]) == {"tokens_per_second", "time_to_first_token", "generation_time", "stop_reason"}
    assert whole["model_info"] == {"arch": "llama", "quant": "Q4_K_M", "format": "gguf", "context_length": 4096}
    assert whole["runtime"]["supported_formats"] == ["gguf"]
    assert talk.post(path, model=MLX, messages=[]).json()["runtime"]["name"].startswith("mlx-llm-mac-arm64")
    for name, chunk in talk.stream(path, messages=[]):
        assert name == ""
        assert not {"stats", "model_info", "runtime"} & set(chunk)
    openai = talk.post("/v1/chat/completions", model=GGUF, messages=[]).json()
    assert (openai["stats"], "runtime" in openai) == ({}, False)


def test_the_runtime_block_may_be_missing_or_contradict_the_format(given: Callable[..., Talk]) -> None:
    talk = given(DoubleModel("a/silent", hides_runtime=True), DoubleModel("a/odd", runtime_of="mlx"))
    silent, odd = (talk.post("/api/v0/chat/completions", model=key).json() for key in ("a/silent", "a/odd"))
    assert "runtime" not in silent
    assert odd["runtime"]["supported_formats"] == ["mlx"]
    (entry,) = [entry for entry in talk.get("/api/v1/models")["models"] if entry["key"] == "a/odd"]
    assert entry["format"] == "gguf"


def test_v1_stream_repeats_the_role_and_has_usage_only_on_request(given: Callable[..., Talk]) -> None:
    talk = given(tokens=Scripted(steady(3), prompt_tokens=7))
    events = talk.stream(messages=[], **USAGE)
    *chunks, finish, usage, done = [payload for _, payload in events]
    assert [chunk["choices"][0]["delta"] for chunk in chunks] == [{"role": "assistant", "content": "word "}] * 3
    assert all(chunk["choices"][0]["logprobs"] is None for chunk in (*chunks, finish))
    assert (finish["choices"][0]["delta"], finish["choices"][0]["finish_reason"]) == ({}, "stop")
    assert (usage["choices"], done) == ([], "[DONE]")
    assert usage["usage"] == {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    assert {chunk["system_fingerprint"] for chunk in (*chunks, finish, usage)} == {GGUF}
    assert not any("usage" in payload for _, payload in talk.stream(messages=[]))


@pytest.mark.parametrize("place", ["reasoning_content", "reasoning"])
def test_split_reasoning_has_chunks_without_content(given: Callable[..., Talk], place: str) -> None:
    script = Scripted([(1, "reasoning", "Hm", 1), (1, "answer", "Yes", 1)])
    talk = given(DoubleModel(GGUF, reasoning_in=place), tokens=script)
    assert talk.deltas() == [{"role": "assistant", place: "Hm"}, {"role": "assistant", "content": "Yes"}, {}]
    whole = talk.post("/v1/chat/completions", model=GGUF, messages=[]).json()
    assert whole["choices"][0]["message"] == {"role": "assistant", "content": "Yes", place: "Hm", "tool_calls": []}


def test_inline_reasoning_stands_between_tags_in_content(given: Callable[..., Talk]) -> None:
    script = Scripted([(1, "reasoning", "H", 1), (1, "reasoning", "m", 1), (1, "answer", "Yes", 1)])
    talk = given(DoubleModel(GGUF, reasoning_in="think"), tokens=script)
    assert [delta.get("content") for delta in talk.deltas()] == ["<think>H", "m", "</think>Yes", None]
    assert [delta.get("content") for delta in talk.deltas(max_tokens=2)] == ["<think>H", "m", None]
    native = talk.post("/api/v1/chat", model=GGUF, input="Hi").json()
    assert native["output"] == [{"type": "message", "content": "<think>Hm</think>Yes"}]


def test_chunks_may_hold_several_tokens_or_none(given: Callable[..., Talk]) -> None:
    script = Scripted(
        [(1, "answer", "", 0), (1, "answer", "one two three", 3), (1, "answer", "", 1), (1, "answer", "4", 1)]
    )
    talk = given(tokens=script)
    events = [payload for _, payload in talk.stream(messages=[], **USAGE)]
    texts = [event["choices"][0]["delta"]["content"] for event in events[:4]]
    assert texts == ["", "one two three", "", "4"]
    assert events[-2]["usage"]["completion_tokens"] == 5
    cut = [payload for _, payload in talk.stream(messages=[], max_tokens=2, **USAGE)]
    assert (cut[-2]["usage"]["completion_tokens"], cut[-3]["choices"][0]["finish_reason"]) == (2, "length")


def test_native_stream_has_named_events_and_no_done(given: Callable[..., Talk]) -> None:
    talk = given(tokens=Scripted(steady(3, reasoning=1), prompt_tokens=9))
    events = talk.stream("/api/v1/chat", input="Hi", store=False)
    assert all(name == payload["type"] for name, payload in events)
    assert [name for name, _ in events] == [
        *("chat.start", "model_load.start", "model_load.progress", "model_load.end", "prompt_processing.start"),
        *("prompt_processing.progress", "prompt_processing.progress", "prompt_processing.end", "reasoning.start"),
        *("reasoning.delta", "reasoning.end", "message.start", "message.delta", "message.delta", "message.end"),
        "chat.end",
    ]
    result = events[-1][1]["result"]
    assert result["output"] == [
        {"type": "reasoning", "content": "word "},
        {"type": "message", "content": "word word "},
    ]
    stats = result["stats"]
    assert (stats["input_tokens"], stats["total_output_tokens"], stats["reasoning_output_tokens"]) == (9, 3, 1)
    assert "response_id" not in result
    talk.double.progress_events = 0
    names = [name for name, _ in talk.stream("/api/v1/chat", input="Hi")]
    assert not {"prompt_processing.progress", "model_load.start"} & set(names)


def test_native_stream_ends_with_chat_end_even_after_an_error(given: Callable[..., Talk]) -> None:
    talk = given()
    talk.double.fail_stream_after(2)
    events = talk.stream("/api/v1/chat", input="Hi")
    assert [name for name, _ in events][-4:] == ["message.delta", "message.delta", "error", "chat.end"]
    assert "crashed" in events[-2][1]["error"]["message"]
    assert events[-1][1]["result"]["output"][0]["content"] == "word word "
    talk.double.unload(GGUF)
    talk.double.fail_next_load(GGUF, OUT_OF_MEMORY)
    events = talk.stream("/api/v1/chat", input="Hi")
    assert [name for name, _ in events][-2:] == ["error", "chat.end"]


def test_load_time_is_told_only_by_the_request_that_loaded(given: Callable[..., Talk]) -> None:
    talk = given()
    stats = [talk.post("/api/v1/chat", model=GGUF, input="Hi").json()["stats"] for _ in range(2)]
    assert ["model_load_time_seconds" in one for one in stats] == [True, False]


def test_outputs_of_one_token_have_no_speed(given: Callable[..., Talk]) -> None:
    talk = given()
    for tokens, is_there in ((1, False), (5, True)):
        native = talk.post("/api/v1/chat", model=GGUF, input="Hi", max_output_tokens=tokens).json()["stats"]
        v0 = talk.post("/api/v0/chat/completions", model=GGUF, max_tokens=tokens).json()["stats"]
        assert ("tokens_per_second" in native, "tokens_per_second" in v0) == (is_there, is_there)


def test_a_repeated_prompt_begins_much_sooner_with_the_same_usage(given: Callable[..., Talk]) -> None:
    talk = given(
        DoubleModel(GGUF), DoubleModel("a/forgets", caches=False), tokens=Scripted(steady(2, 3, first_ms=2000))
    )
    hi = [{"role": "user", "content": "Hi"}]

    def first_wait(model: str, messages: list[Any]) -> tuple[float, Any]:
        talk.double.waited.clear()
        usage = talk.stream(model=model, messages=messages, **USAGE)[-2][1]["usage"]
        return talk.double.waited[0], usage

    cold, warm = first_wait(GGUF, hi), first_wait(GGUF, hi)
    assert (cold[0], warm[0]) == (2000, 100)
    assert cold[1] == warm[1]
    assert first_wait(GGUF, [{"role": "user", "content": "1 Hi"}])[0] == 2000
    talk.double.unload(GGUF)
    assert first_wait(GGUF, hi)[0] == 2000
    assert [first_wait("a/forgets", hi)[0] for _ in range(2)] == [2000, 2000]


def test_a_dead_worker_still_reads_as_loaded_and_refuses_until_loaded_again(given: Callable[..., Talk]) -> None:
    talk = given()
    talk.post("/api/v1/models/load", model=GGUF)
    talk.double.kill_worker(GGUF)
    for _ in range(2):
        assert talk.state(GGUF) == "loaded"
        refused = error(talk.post("/v1/chat/completions", model=GGUF))
        assert refused["message"].startswith(f'Failed to load model "{GGUF}". Error: ')
    assert error(talk.post("/api/v1/chat", model=GGUF, input="Hi", stream=True))["type"] == "model_load_failed"
    assert talk.post("/api/v1/models/load", model=GGUF).json()["instance_id"] == GGUF
    assert talk.post("/v1/chat/completions", model=GGUF).status_code == 200
    talk.double.kill_worker(GGUF, refusals=1)
    assert [talk.post("/v1/chat/completions", model=GGUF).status_code for _ in range(2)] == [400, 200]


def test_a_worker_that_dies_while_it_answers_says_so_in_the_stream(given: Callable[..., Talk]) -> None:
    talk = given()
    talk.double.load(GGUF)
    talk.double.wait = lambda ms: talk.double.kill_worker(GGUF)  # type: ignore[method-assign]
    ((_, only),) = talk.stream(messages=[])
    assert "crashed" in only["error"]["message"]


def test_characters_are_split_across_writes(given: Callable[..., Talk]) -> None:
    talk = given(tokens=Scripted([(1, "answer", "快速排序", 2), (1, "answer", "é", 1)]))
    talk.double.split_bytes = True
    body = json.dumps({"model": GGUF, "messages": [], "stream": True}).encode()
    with socket.create_connection(("127.0.0.1", talk.double.port)) as plain:
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        plain.sendall(head % len(body) + body)
        answered = b"".join(iter(lambda: plain.recv(65536), b""))
    pieces, rest = [], answered.partition(b"\r\n\r\n")[2]
    while (size := int(rest.partition(b"\r\n")[0], 16)) > 0:
        start = rest.index(b"\r\n") + 2
        pieces.append(rest[start : start + size])
        rest = rest[start + size + 2 :]
    with pytest.raises(UnicodeDecodeError):
        pieces[0].decode()
    assert "快速排序" in (pieces[0] + pieces[1]).decode()


def test_a_longer_prompt_is_read_longer(given: Callable[..., Talk]) -> None:
    talk = given(tokens=Scripted(steady(1, first_ms=10), prompt_tokens=None, ms_per_prompt_token=1))
    usages = [talk.stream(messages=[{"content": "x" * size}], **USAGE)[-2][1]["usage"] for size in (40, 4000)]
    assert [usage["prompt_tokens"] for usage in usages] == [wait - 10 for wait in talk.double.waited]
    assert usages[1]["prompt_tokens"] - usages[0]["prompt_tokens"] == 990


def test_silence_before_the_first_chunk_may_last_minutes(given: Callable[..., Talk]) -> None:
    talk = given(tokens=Scripted(steady(2, 3, first_ms=20)))
    talk.double.prefill_ms, talk.double.stall_ms = 240_000, 60_000
    talk.stream(messages=[])
    assert talk.double.waited == [240_000, 20, 3, 60_000]


# What the rest of the notes says


def test_version_0_3_has_neither_v1_nor_usage_in_streams(given: Callable[..., Talk]) -> None:
    talk = given(version="0.3.14")
    assert "Unexpected endpoint" in error(talk.client.get("/api/v1/models"), 200)
    assert "Unexpected endpoint" in error(talk.post("/api/v1/models/load", model=GGUF), 200)
    events = talk.stream(messages=[], **USAGE)
    assert not any("usage" in payload for _, payload in events)
    assert "usage" in talk.post("/api/v0/chat/completions", model=GGUF).json()


def test_the_openai_list_has_all_models_with_jit_and_only_loaded_ones_without(given: Callable[..., Talk]) -> None:
    talk = given(DoubleModel(GGUF), DoubleModel(MLX, format="mlx"), DoubleModel("a/later", downloaded=False))
    entries = talk.get("/v1/models")["data"]
    assert entries[0] == {"id": GGUF, "object": "model", "owned_by": "organization_owner"}
    assert [entry["id"] for entry in entries] == [GGUF, MLX]
    talk.double.jit = False
    assert talk.get("/v1/models")["data"] == []
    assert "No models loaded" in error(talk.post("/v1/chat/completions", model=GGUF))["message"]
    talk.double.load(MLX)
    assert [entry["id"] for entry in talk.get("/v1/models")["data"]] == [MLX]


def test_a_request_loads_silently_and_replaces_only_what_a_request_loaded(given: Callable[..., Talk]) -> None:
    talk = given(DoubleModel("a/one"), DoubleModel("a/two"), DoubleModel("a/kept"))
    talk.post("/api/v1/models/load", model="a/kept")
    for key in ("a/one", "a/two"):
        assert talk.post("/v1/chat/completions", model=key).status_code == 200
    loaded = {instance.id: instance.ttl_ms for instance in talk.double.state.instances}
    assert loaded == {"a/kept": None, "a/two": 3_600_000}
    talk.double.expire_ttl()
    assert [instance.id for instance in talk.double.state.instances] == ["a/kept"]


@pytest.mark.parametrize("reason", [OUT_OF_MEMORY, GUARD_RAILS])
def test_a_model_that_does_not_load_says_why_with_400(given: Callable[..., Talk], reason: str) -> None:
    talk = given(DoubleModel("a/huge", load_error=reason), DoubleModel(GGUF))
    text = f'Failed to load model "a/huge". Error: {reason}'
    assert error(talk.post("/api/v1/models/load", model="a/huge"))["message"] == text
    assert error(talk.post("/v1/chat/completions", model="a/huge"))["message"] == text
    assert talk.state("a/huge") == "not-loaded"
    talk.double.fail_next_load(GGUF, reason)
    assert [talk.post("/api/v1/models/load", model=GGUF).status_code for _ in range(2)] == [400, 200]


def test_builds_of_one_key_are_told_apart_by_their_variant(given: Callable[..., Talk]) -> None:
    mlx = DoubleModel("a/b", format="mlx", variants=("4bit",))
    talk = given(DoubleModel("a/b", variants=("q4_k_m", "q6_k"), builds=(mlx,)))
    (entry,) = talk.get("/api/v1/models")["models"]
    assert (entry["variants"], entry["selected_variant"]) == (["a/b@q4_k_m", "a/b@q6_k"], "a/b@q4_k_m")
    loaded = [talk.double.load(f"a/b@{name}").model for name in ("q6_k", "4bit")]
    assert [(model.format, model.quantization, model.bits) for model in loaded] == [
        ("gguf", "Q6_K", 6),
        ("mlx", "4bit", 4),
    ]


def test_sampled_text_repeats_only_where_the_seed_is_honored(given: Callable[..., Talk]) -> None:
    talk = given(DoubleModel(GGUF), DoubleModel(MLX, format="mlx"), DoubleModel("mlx/one", format="mlx"))
    talk.double.load("mlx/one", parallel=1)

    def texts(model: str, temperature: float) -> int:
        body = {"model": model, "messages": [], "seed": 42, "temperature": temperature}
        answers = [talk.post("/v1/chat/completions", **body).json()["choices"][0] for _ in range(2)]
        return len({answer["message"]["content"] for answer in answers})

    assert {model: texts(model, 0.7) for model in (GGUF, MLX, "mlx/one")} == {GGUF: 1, MLX: 2, "mlx/one": 1}
    assert texts(MLX, 0) == 1


def test_bad_values_are_refused_in_two_shapes(given: Callable[..., Talk]) -> None:
    talk = given()
    odd_format = talk.post("/v1/chat/completions", model=GGUF, response_format={"type": "json_object"})
    assert error(odd_format) == "'response_format.type' must be 'json_schema' or 'text'"
    odd_seed = talk.post("/v1/chat/completions", model=GGUF, seed="x")
    assert error(odd_seed)["message"].startswith("Field with key llm.prediction.seed does not satisfy the schema")


def test_an_over_long_prompt_is_an_empty_200_on_gguf_and_an_error_on_mlx(given: Callable[..., Talk]) -> None:
    talk = given(tokens=Scripted(prompt_tokens=5000))
    events = [payload for _, payload in talk.stream(messages=[])]
    assert (events[0]["choices"][0]["finish_reason"], events[1]) == ("stop", "[DONE]")
    ((_, only),) = talk.stream(model=MLX, messages=[])
    assert "context length of only 4096 tokens" in only["error"]["message"]
    talk.double.tokens, talk.double.empty_answers = Scripted(), True
    assert talk.deltas() == [{}]


def test_a_stream_is_cut_once_and_the_server_may_go_with_it(given: Callable[..., Talk]) -> None:
    talk = given()
    talk.double.cut_stream_after(2)
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        talk.stream(messages=[])
    assert len(talk.deltas()) == 13
    talk.double.cut_stream_after(2, and_vanish=True)
    with pytest.raises(httpx.RemoteProtocolError):
        talk.stream(messages=[])
    until(lambda: refuses_connections(talk))
    talk.double.start()
    assert talk.state(GGUF) == "loaded"


def test_a_download_advances_with_each_look_and_then_the_model_is_there(given: Callable[..., Talk]) -> None:
    talk = given(DoubleModel(GGUF), DoubleModel("a/later@q8_0", quantization="Q8_0", downloaded=False, size_bytes=900))
    assert talk.post("/api/v1/models/download", model=GGUF).json() == {"status": "already_downloaded"}
    link = {"model": "https://huggingface.co/a/Later", "quantization": "Q8_0"}
    job = talk.post("/api/v1/models/download", **link).json()
    assert (job["status"], job["total_size_bytes"]) == ("downloading", 900)
    looks = [talk.get(f"/api/v1/models/download/status/{job['job_id']}") for _ in range(3)]
    assert [look["downloaded_bytes"] for look in looks] == [300, 600, 900]
    assert [look["status"] for look in looks] == ["downloading", "downloading", "completed"]
    assert ("bytes_per_second" in looks[0], "completed_at" in looks[2]) == (True, True)
    assert talk.state("a/later@q8_0") == "not-loaded"
    assert error(talk.post("/api/v1/models/download", model="a/later", quantization="Q8_0"))["param"] == "quantization"
    assert error(talk.client.get("/api/v1/models/download/status/job_x"), 404)["type"] == "job_not_found"


def test_the_log_has_what_was_asked(given: Callable[..., Talk]) -> None:
    talk = given()
    talk.client.headers["X-Test"] = "1"
    talk.post("/v1/chat/completions", model=GGUF, seed=42)
    (seen,) = talk.double.requests
    assert (seen.method, seen.path, seen.json) == ("POST", "/v1/chat/completions", {"model": GGUF, "seed": 42})
    assert seen.headers["x-test"] == "1"


def test_an_exception_inside_the_double_fails_the_test_that_met_it() -> None:
    double = Double(tokens=Scripted([("not", "a", "step")])).start()
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{double.url}/v1/chat/completions", json={"model": "publisher/model"}, trust_env=False)
    with pytest.raises(TypeError):
        double.stop()


class Lms:
    """The stub, run as the collector runs it."""

    def __init__(self, double: Double) -> None:
        self.environment = {**os.environ, **double.environment()}

    def __call__(self, *words: str, fails: bool = False) -> Any:
        done = subprocess.run(["lms", *words], env=self.environment, capture_output=True, text=True, timeout=30)
        assert (done.returncode != 0) is fails, done.stderr
        return json.loads(done.stdout) if "--json" in words else (done.stdout, done.stderr)


def test_lms_loads_with_parallel_and_identifier_and_only_it_shows_the_device(given: Callable[..., Talk]) -> None:
    talk = given(
        DoubleModel(GGUF), DoubleModel("far/away", device="studio-2"), DoubleModel("a/big", load_error=OUT_OF_MEMORY)
    )
    lms = Lms(talk.double)
    assert lms("ps", "--json") == []
    out, said = lms(
        "load", "unsloth/tiny", "-y", "--parallel", "1", "--context-length", "8192", "--identifier", "bench"
    )
    assert (out, "Model loaded successfully in" in said) == ("", True)
    (shown,) = lms("ps", "--json")
    assert (shown["modelKey"], shown["identifier"], shown["parallel"]) == (GGUF, "bench", 1)
    assert (shown["contextLength"], shown["ttlMs"], shown["format"]) == (8192, None, "gguf")
    assert talk.get("/api/v1/models")["models"][0]["loaded_instances"][0]["config"]["parallel"] == 1
    assert talk.state("bench") == "loaded"
    assert {entry["modelKey"]: entry["deviceIdentifier"] for entry in lms("ls", "--json")}["far/away"] == "studio-2"
    assert "studio-2" not in json.dumps([talk.get("/api/v1/models"), talk.get("/api/v0/models")])
    assert OUT_OF_MEMORY in lms("load", "a/big", "-y", fails=True)[1]
    lms("unload", "bench")
    assert lms("ps", "--json") == []
    assert lms("server", "status", "--json") == {"running": True, "port": talk.double.port}
    assert talk.double.requests[0].path == "/api/v1/models"  # what lms asks is not in the log


def test_lms_says_when_the_server_is_gone(given: Callable[..., Talk]) -> None:
    talk = given()
    lms = Lms(talk.double)
    assert lms("daemon", "up", "--json")["version"] == "0.4.16"
    assert "mlx-llm-mac-arm64-apple-metal-advsimd@" in lms("runtime", "ls")[0]
    talk.double.lms_takes = MLX
    lms("load", GGUF, "-y")
    assert [(one["modelKey"], one["format"]) for one in lms("ps", "--json")] == [(MLX, "safetensors")]
    talk.double.vanish()
    assert lms("server", "status", "--json") == {"running": False}
    assert "not running" in lms("ps", fails=True)[1]


def test_a_real_engine_answers_through_the_double() -> None:
    models = [DoubleModel(GGUF), DoubleModel(MLX, format="mlx", tokens_per_chunk=3, slowdown=1.2)]
    prompt = {"messages": [{"role": "user", "content": "Count from one to five."}], "max_tokens": 8, "temperature": 0}
    with (
        Double(models, tokens=Engine(max_context=1024)) as double,
        httpx.Client(base_url=double.url, timeout=60) as client,
    ):
        talk = Talk(double, client)
        texts, chunks = {}, {}
        for key in (GGUF, MLX):
            *parts, finish, usage, done = [event for _, event in talk.stream(model=key, **prompt, **USAGE)]
            texts[key] = "".join(part["choices"][0]["delta"]["content"] for part in parts)
            chunks[key] = len(parts)
            assert (finish["choices"][0]["finish_reason"], done) == ("length", "[DONE]")
            assert usage["usage"]["completion_tokens"] == 8
            assert set(usage["usage"]) == {"prompt_tokens", "completion_tokens", "total_tokens"}
            assert "timings" not in finish
        assert texts[GGUF] == texts[MLX] != ""
        assert chunks == {GGUF: 8, MLX: 3}
        worker = double.state.serving(MLX).worker.process  # type: ignore[union-attr]
        worker.kill()
        worker.wait(timeout=PATIENCE_S)
        assert "Failed to load model" in error(talk.post("/v1/chat/completions", model=MLX, **prompt))["message"]
        assert talk.state(MLX) == "loaded"
    with pytest.raises(LoadFailed), Double(tokens=Engine(Path("no-such.gguf"))) as double:
        double.load("publisher/model")


def test_the_script_serves_its_catalog_until_it_is_told_to_end() -> None:
    command = [
        sys.executable,
        "-m",
        "tests.lmstudio",
        "--port",
        "0",
        "--load",
        GGUF.replace("tiny", "smollm2-135m-instruct"),
    ]
    with Child(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        url = running.stderr.readline().partition(" at ")[2].partition(",")[0]
        with httpx.Client(base_url=url, trust_env=False) as client:
            states = {entry["id"]: entry["state"] for entry in client.get("/api/v0/models").json()["data"]}
            failing = client.post("/api/v1/models/load", json={"model": "unsloth/minimax-m2.1@bf16"})
        running.send_signal(signal.SIGTERM)
    assert running.returncode == 0
    assert states == {
        "unsloth/smollm2-135m-instruct@q4_k_m": "loaded",
        "mlx-community/SmolLM2-135M-Instruct-4bit": "not-loaded",
        "unsloth/minimax-m2.1@bf16": "not-loaded",
    }
    assert error(failing)["message"].startswith('Failed to load model "unsloth/minimax-m2.1@bf16". Error: ')


# --- what LM Studio's tracker reports ---


def usage_of(talk: Talk, **body: Any) -> Any:
    """The token counts of a stream."""
    [counts] = [chunk["usage"] for _, chunk in talk.stream(**USAGE, **body) if chunk != "[DONE]" and "usage" in chunk]
    return counts


def test_usage_of_zeros(given: Callable[..., Talk]) -> None:
    talk = given(tokens=Scripted(steady(4, ms=0)))
    talk.double.zero_usage = True
    assert usage_of(talk) == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def test_one_token_less_where_the_limit_ends_an_answer(given: Callable[..., Talk]) -> None:
    talk = given(tokens=Scripted(steady(8, ms=0)))
    talk.double.one_less_at_limit = True
    assert usage_of(talk, max_tokens=4)["completion_tokens"] == 3
    assert usage_of(talk, max_tokens=99)["completion_tokens"] == 8


def test_a_prompt_beyond_the_context_is_cut_without_a_word(given: Callable[..., Talk]) -> None:
    talk = given(DoubleModel(GGUF, cuts_prompts=True), tokens=Scripted(steady(4, ms=0), prompt_tokens=5000))
    assert usage_of(talk) == {"prompt_tokens": 4096, "completion_tokens": 4, "total_tokens": 4100}


def test_somebody_elses_request_evicts_whatever_is_loaded(given: Callable[..., Talk]) -> None:
    talk = given(DoubleModel(GGUF), DoubleModel(MLX, format="mlx"))
    talk.double.load(GGUF)
    talk.double.somebody_asks_for(MLX)
    assert (talk.state(GGUF), talk.state(MLX)) == ("not-loaded", "loaded")
    talk.double.takes_what_is_loaded = True
    assert {chunk["model"] for _, chunk in talk.stream(model=GGUF) if chunk != "[DONE]"} == {MLX}
    talk.double.takes_what_is_loaded = False
    assert {chunk["model"] for _, chunk in talk.stream(model=GGUF) if chunk != "[DONE]"} == {GGUF}
    assert talk.state(MLX) == "not-loaded"


@pytest.mark.parametrize(
    ("where", "tags"), [("THINK", ("[THINK]", "[/THINK]")), ("mm:think", ("<mm:think>", "</mm:think>"))]
)
def test_models_have_tags_of_their_own(given: Callable[..., Talk], where: str, tags: tuple[str, str]) -> None:
    talk = given(DoubleModel(GGUF, reasoning_in=where), tokens=Scripted(steady(4, ms=0, reasoning=2)))
    whole = "".join(delta.get("content", "") for delta in talk.deltas())
    assert whole == f"{tags[0]}word word {tags[1]}word word "


def test_done_without_an_end_of_the_body(given: Callable[..., Talk]) -> None:
    talk = given(tokens=Scripted(steady(4, ms=0)))
    talk.double.hangs_after_done = True
    asked = {"model": GGUF, "messages": [], "stream": True}
    with talk.client.stream("POST", "/v1/chat/completions", json=asked, timeout=1) as answer:
        came = ""
        with pytest.raises(httpx.ReadTimeout):
            for piece in answer.iter_text():
                came += piece
        assert came.endswith("data: [DONE]\n\n")
