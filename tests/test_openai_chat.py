"""What OpenAI-compatible servers send, as recorded, and what is made of it."""

import json
import socket
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from collector import measure, record
from collector.backends import Facts
from collector.backends.chunk import error_text
from collector.backends.openai_chat import QUANTIZATION, OpenAIChat, basename, place
from collector.errors import ModelUnclear, ServerNotFound
from tests.conftest import ScriptedServer

STREAMS = Path(__file__).parent / "streams"
NAMES = sorted(path.stem for path in STREAMS.glob("*.sse"))
# Everything that may stand in an expectation; what it leaves out must not have been found.
TOLD = (
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "reported_decode_tps",
    "reported_prefill_tps",
    "reported_prompt_ms",
    "reported_decode_ms",
    "finish_reason",
    "system_fingerprint",
    "output_text",
    "reasoning_text",
    "error_kind",
    "error_detail",
)


def backend(answers: dict[str, Any], model: str | None = None, url: str = "http://127.0.0.1:1234") -> OpenAIChat:
    """A server that answers these paths with JSON, or with the response given, and everything else with 404."""

    def handle(request: httpx.Request) -> httpx.Response:
        answer = answers.get(request.url.path)
        if isinstance(answer, httpx.Response | Exception):
            if isinstance(answer, Exception):
                raise answer
            return answer
        return httpx.Response(404) if answer is None else httpx.Response(200, json=answer)

    return OpenAIChat(measure.connect(url, transport=httpx.MockTransport(handle)), model)


def listing(*entries: str | dict[str, Any]) -> dict[str, Any]:
    """Answers of a server that lists these models and tells nothing else."""
    data = [{"id": entry, "object": "model"} if isinstance(entry, str) else entry for entry in entries]
    return {"/v1/models": {"object": "list", "data": data}}


# --- recorded streams ---


def test_every_recorded_stream_has_an_expectation() -> None:
    assert sorted(path.stem for path in STREAMS.glob("*.json")) == NAMES
    assert {name.partition("-")[0] for name in NAMES} >= {"llama", "mlx_lm.server", "lmstudio", "ollama", "vllm"}


@pytest.mark.parametrize("size", [1, 7, 1_000_000])
@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_stream_is_read_as_expected(server: ScriptedServer, name: str, size: int) -> None:
    stream = (STREAMS / f"{name}.sse").read_bytes()
    expected: dict[str, Any] = json.loads((STREAMS / f"{name}.json").read_text(encoding="utf-8"))
    seen = server.answer(*((1, stream[at : at + size]) for at in range(0, len(stream), size)))
    row = record.of_exchange(seen)
    assert {column: row[column] for column in TOLD if row.get(column) is not None} == {
        column: value for column, value in expected.items() if column != "chunks"
    }
    assert [[chunk["kind"], chunk["chars"]] for chunk in row["chunks"]] == expected["chunks"]


# --- single chunks ---


def facts_of(chunk: dict[str, Any]) -> Facts:
    return backend({}).parse("", json.dumps(chunk)).facts


def test_usage_is_read_wherever_it_stands() -> None:
    final = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}
    assert facts_of(final) == {"finish_reason": "stop", "prompt_tokens": 3, "completion_tokens": 4}


def test_what_a_server_does_not_tell_is_missing_and_not_zero() -> None:
    assert facts_of({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": None}}) == {"prompt_tokens": 3}
    assert facts_of({"choices": [], "usage": None, "timings": None}) == {}


def test_no_tokens_is_a_number() -> None:
    assert facts_of({"usage": {"completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 0}}}) == {
        "completion_tokens": 0,
        "cached_tokens": 0,
    }


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("no model", "no model"),
        ({"message": "no model", "code": 400}, "no model"),
        ({"code": 400}, "{'code': 400}"),
        (["odd"], "['odd']"),
    ],
)
def test_an_error_may_be_text_or_an_object(error: object, text: str) -> None:
    assert error_text(error) == text
    assert backend({}).parse("", json.dumps({"error": error})).error == text


def test_done_ends_the_stream() -> None:
    assert backend({}).parse("", "[DONE]").ends
    assert backend({}).parse("", " [DONE] ").ends
    assert not backend({}).parse("", '{"choices":[]}').ends


# --- the request ---


def test_a_request_names_all_sampling_and_asks_for_usage() -> None:
    sampling = {"temperature": 0.7, "top_p": 0.9, "top_k": 40, "repeat_penalty": 1.0, "seed": 42}
    asked = backend({}, "m").chat([{"role": "user", "content": "Hi"}], 100, sampling)
    assert asked.path == "/v1/chat/completions"
    assert asked.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 100,
        "stream": True,
        "stream_options": {"include_usage": True},
        **sampling,
    }


# --- which model ---


def test_the_only_model_listed_is_the_one() -> None:
    server = backend(listing("qwen3"))
    assert server.describe()["model_key"] == "qwen3"
    assert server.model == "qwen3"


@pytest.mark.parametrize("asked", ["/models/Qwen3-8B-Q4_K_M.gguf", "Qwen3-8B-Q4_K_M.gguf"])
def test_a_model_is_chosen_by_its_name_with_or_without_folders(asked: str) -> None:
    server = backend(listing("/models/Qwen3-8B-Q4_K_M.gguf", "/models/other.gguf"), asked)
    assert server.describe()["model_key"] == "Qwen3-8B-Q4_K_M.gguf"
    assert server.model == "/models/Qwen3-8B-Q4_K_M.gguf"  # the server wants its own name for it


def test_no_model_is_said() -> None:
    with pytest.raises(ModelUnclear, match="no model loaded") as caught:
        backend(listing()).describe()
    assert "Load one" in caught.value.remedy


def test_two_models_are_named_and_asked_about() -> None:
    with pytest.raises(ModelUnclear, match="2 models") as caught:
        backend(listing("/Users/anna/a.gguf", "b")).describe()
    assert "a.gguf, b" in caught.value.happened
    assert "anna" not in caught.value.happened
    assert "--model" in caught.value.remedy


def test_a_model_that_is_not_listed_is_said() -> None:
    with pytest.raises(ModelUnclear, match="'c'"):
        backend(listing("a", "b"), "c").describe()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("[Errno 111] Connection refused"),
        httpx.ReadTimeout("timed out"),
        httpx.Response(200, text="<html>a router</html>"),
        httpx.Response(200, json={"error": "Unexpected endpoint or method. (GET /v1/models)"}),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"data": ["a"]}),
        httpx.Response(404, json={"detail": "Not Found"}),
    ],
)
def test_what_has_no_model_list_is_no_server(answer: httpx.Response | Exception) -> None:
    with pytest.raises(ServerNotFound, match=r"http://127\.0\.0\.1:1234") as caught:
        backend({"/v1/models": answer}).describe()
    assert "--url" in caught.value.remedy


def test_an_unknown_server_is_measured_all_the_same() -> None:
    facts = backend(listing("qwen3")).describe()
    assert (facts["server"], facts["server_place"], facts["endpoint"]) == ("unknown", "local", "/v1/chat/completions")
    assert facts.get("runtime") is None


# --- names ---


@pytest.mark.parametrize(
    ("model", "quantization"),
    [
        ("unsloth/minimax-m2.1@q4_k_m", "q4_k_m"),
        ("Qwen3-8B-Q4_K_M.gguf", "Q4_K_M"),
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "Q4_1"),
        ("MiniMax-M2.1-UD-Q4_K_XL-00001-of-00003.gguf", "UD-Q4_K_XL"),
        ("model-IQ4_XS", "IQ4_XS"),
        ("mlx-community/MiniMax-M2.1-4bit", "4bit"),
        ("mlx-community/Qwen3-4B-4bit-DWQ", "4bit-DWQ"),
        ("Qwen3-Coder-Next-8-bit", "8-bit"),
        ("MiniMax-M2.1-BF16", "BF16"),
        ("gpt-oss-20b-MXFP4", "MXFP4"),
        ("mlx-community/MiniMax-M2.1-MLX-6.5bit", "6.5bit"),
        ("inferencerlabs/GLM-4.7-MLX-4.8bit-DWQ", "4.8bit-DWQ"),
        ("Qwen3-1.5bit", "1.5bit"),
        ("Kimi-K2-mixed-3_6bit", "mixed-3_6bit"),
        ("Kimi-K2-3_6bit", "3_6bit"),
        ("Qwen2.5-4bit", "4bit"),
        ("phi-4-8bit", "8bit"),
        ("unsloth/Qwen3-8B-GGUF:Q4_K_M", "Q4_K_M"),
        ("qwen3:8b-q4_K_M", "q4_K_M"),
        ("Qwen3.5-35B-A3B:UD-Q4_K_XL", "UD-Q4_K_XL"),
        ("DeepSeek V3.1 (UD-IQ3_XXS)", "UD-IQ3_XXS"),
        ("我的模型 Q8_0 测试", "Q8_0"),
        ("量化Q5_K_S版", "Q5_K_S"),
        ("DeepSeek-V3.1-TQ1_0", "TQ1_0"),
        ("Qwen3-Next-MXFP8", "MXFP8"),
        ("Qwen3-Next-NVFP4", "NVFP4"),
        ("Llama-3.3-FP8", "FP8"),
        ("Qwen2.5bit", None),
        ("rabbit", None),
        ("bf16ish", None),
        ("llama3.2", None),
        ("qwen3-8b", None),
        ("habit-4bitter", None),
    ],
)
def test_quantization_is_read_from_a_models_name(model: str, quantization: str | None) -> None:
    facts = backend(listing(model)).describe()
    assert facts.get("quantization") == quantization
    assert facts.get("quantization_source") == ("model name" if quantization else None)
    assert bool(QUANTIZATION.search(model)) is bool(quantization)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("qwen3", "qwen3"),
        ("mlx-community/Qwen3-4B-4bit", "mlx-community/Qwen3-4B-4bit"),
        ("/Users/anna/models/x.gguf", "x.gguf"),
        ("/x.gguf", "x.gguf"),
        (r"C:\Users\anna\models\x.gguf", "x.gguf"),
        ("models/unsloth/x.gguf", "x.gguf"),
        ("/Users/anna/mlx-model/", "mlx-model"),
    ],
)
def test_folders_are_taken_off_a_models_name(model: str, name: str) -> None:
    assert basename(model) == name


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("http://localhost:1234", "local"),
        ("http://127.0.0.1:8080", "local"),
        ("http://[::1]:8080", "local"),
        ("http://0.0.0.0:1234", "local"),
        ("http://[::]:1234", "local"),
        ("http://127.1.2.3:1234", "local"),
        ("http://[::ffff:127.0.0.1]:1234", "local"),
        ("http://LOCALHOST.:1234", "local"),
        ("http://[::ffff:192.168.1.20]:1234", "lan"),
        ("http://[fe80::1]:1234", "lan"),
        ("http://192.168.1.20:1234", "lan"),
        ("http://10.0.0.7:1234", "lan"),
        ("http://annas-mac.local:1234", "lan"),
        ("http://studio:1234", "lan"),
        ("http://8.8.8.8:1234", "remote"),
        ("https://llm.example.com", "remote"),
    ],
)
def test_of_an_address_only_its_kind_is_kept(url: str, where: str) -> None:
    assert place(httpx.URL(url)) == where
    facts = backend(listing("m"), url=url).describe()
    assert facts["server_place"] == where
    assert not any(httpx.URL(url).host in str(value) for name, value in facts.items() if name != "server_place")


def test_this_machines_own_addresses_are_local() -> None:
    cards = psutil.net_if_addrs().values()
    own = [card.address.partition("%")[0] for found in cards for card in found if card.family == socket.AF_INET]
    assert own
    assert {place(httpx.URL(f"http://{address}:1234")) for address in own} == {"local"}


# --- what llama-server and vLLM say in their model list ---


def test_llama_servers_model_list_tells_size_and_context() -> None:
    meta = {"n_ctx_train": 131072, "n_params": 8030261312, "size": 4912898304}
    facts = backend(listing({"id": "m", "meta": meta})).describe()
    assert (facts["context_advertised"], facts["model_parameters"], facts["file_bytes"]) == (
        131072,
        8030261312,
        4912898304,
    )


def test_a_model_list_without_details_tells_none() -> None:
    facts = backend(listing({"id": "m", "meta": None})).describe()
    assert (facts["context_advertised"], facts["model_parameters"], facts["file_bytes"]) == (None, None, None)


def test_the_engine_is_looked_for_on_this_machine_only() -> None:
    assert backend({}, url="http://192.168.1.20:1234").engine_pid() is None
