"""Which server answers: told apart by what each of them says, as the protocol notes have it."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from collector import measure
from collector.backends import Facts
from collector.backends.identity import get_json, identify
from collector.backends.openai_chat import OpenAIChat

Answer = Callable[[httpx.Request], httpx.Response]


class Double:
    """A server of some kind; remembers what it was asked."""

    def __init__(self, routes: dict[str, Any], otherwise: Answer) -> None:
        self.asked: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self._routes, self._otherwise = routes, otherwise
        self.client = measure.connect("http://127.0.0.1:1", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        route = f"{request.method} {request.url.path}"
        self.asked.append(route)
        if request.content:
            self.bodies.append(json.loads(request.content))
        if route in self._routes:
            return httpx.Response(200, json=self._routes[route])
        return self._otherwise(request)


def lmstudio(**routes: Any) -> Double:
    """LM Studio: 200 and an error in words for every path it does not know."""

    def otherwise(request: httpx.Request) -> httpx.Response:
        said = f"Unexpected endpoint or method. ({request.method} {request.url.path})"
        return httpx.Response(200, json={"error": said})

    models = {"object": "list", "data": [{"id": "qwen3-4b", "object": "model", "owned_by": "organization_owner"}]}
    return Double({"GET /lmstudio-greeting": {"lmstudio": True}, "GET /v1/models": models} | routes, otherwise)


def ollama() -> Double:
    details = {"parent_model": "", "format": "gguf", "family": "qwen3", "families": ["qwen3"]}
    details |= {"parameter_size": "4.0B", "quantization_level": "Q4_K_M"}
    routes = {
        "GET /api/version": {"version": "0.13.1"},
        "POST /api/show": {"details": details, "model_info": {"general.architecture": "qwen3"}},
        "GET /api/ps": {
            "models": [
                {"name": "other:latest", "context_length": 4096},
                {"name": "qwen3:4b", "size": 3, "size_vram": 3, "details": details, "context_length": 131072},
            ]
        },
        "GET /v1/models": {"object": "list", "data": [{"id": "qwen3:4b", "object": "model", "owned_by": "library"}]},
    }
    return Double(routes, lambda request: httpx.Response(404, text="404 page not found"))


def llama_server(**props: Any) -> Double:
    said = {
        "default_generation_settings": {"n_ctx": 131072, "params": {"temperature": 0.8, "top_k": 40}},
        "total_slots": 4,
        "model_path": "/models/Qwen3.5-9B-Q4_K_M.gguf",
        "build_info": "b9251-e2b129e1b",
        **props,
    }
    meta = {"vocab_type": 2, "n_vocab": 151936, "n_ctx_train": 262144, "n_params": 8030261312, "size": 4912898304}
    listed = {"id": "/models/Qwen3.5-9B-Q4_K_M.gguf", "object": "model", "owned_by": "llamacpp", "meta": meta}
    routes = {
        "GET /props": said,
        "GET /health": {"status": "ok"},
        "GET /v1/models": {"object": "list", "data": [listed]},
    }
    error = {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}}
    return Double(routes, lambda request: httpx.Response(404, json=error))


def vllm() -> Double:
    listed = {"id": "Qwen/Qwen3-8B", "object": "model", "owned_by": "vllm", "max_model_len": 40960}
    routes = {"GET /version": {"version": "0.16.0"}, "GET /v1/models": {"object": "list", "data": [listed]}}

    def otherwise(request: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(200) if request.url.path == "/health" else httpx.Response(404, json={"detail": "Not Found"})
        )

    return Double(routes, otherwise)


def mlx_lm(fingerprint: str = "0.32.0-0.32.1-macOS-26.1-arm64-arm-64bit-applegpu_g15d") -> Double:
    routes = {
        "GET /health": {"status": "ok"},
        "POST /v1/chat/completions": {
            "system_fingerprint": fingerprint,
            "object": "chat.completion",
            "choices": [{"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "Hi"}}],
        },
        "GET /v1/models": {"object": "list", "data": [{"id": "mlx-community/Qwen3-4B-4bit", "object": "model"}]},
    }
    return Double(routes, lambda request: httpx.Response(404, text="Not Found"))


def described(double: Double) -> Facts:
    return OpenAIChat(double.client).describe()


def test_lmstudio_is_known_by_its_greeting_though_it_answers_200_to_everything() -> None:
    assert identify(lmstudio().client, "qwen3-4b")["server"] == "lmstudio"


def test_lmstudios_200_for_unknown_paths_proves_no_other_server() -> None:
    silent = lmstudio()
    silent._routes.pop("GET /lmstudio-greeting")
    assert identify(silent.client, "qwen3-4b") == {}


def test_ollama_tells_format_quantization_and_the_context_of_the_asked_model() -> None:
    double = ollama()
    assert identify(double.client, "qwen3:4b") == {
        "server": "ollama",
        "server_version": "0.13.1",
        "runtime": "llama.cpp",
        "runtime_proof": "Ollama says the model is GGUF",
        "model_format": "gguf",
        "model_architecture": "qwen3",
        "quantization": "Q4_K_M",
        "context_effective": 131072,
    }
    assert double.bodies == [{"model": "qwen3:4b"}]


def test_ollamas_context_is_unknown_while_the_model_is_not_running() -> None:
    double = ollama()
    double._routes["GET /api/ps"] = {"models": []}
    assert "context_effective" not in identify(double.client, "qwen3:4b")


def test_ollamas_engine_is_not_proven_for_a_model_that_is_no_gguf() -> None:
    double = ollama()
    double._routes["POST /api/show"] = {"details": {"format": "safetensors", "quantization_level": "4bit"}}
    facts = identify(double.client, "qwen3:4b")
    assert "runtime" not in facts
    assert facts["model_format"] == "safetensors"


def test_llama_server_tells_build_context_and_slots() -> None:
    assert identify(llama_server(model_ftype="Q4_K - Medium").client, "m") == {
        "server": "llama-server",
        "server_version": "b9251-e2b129e1b",
        "runtime": "llama.cpp",
        "runtime_version": "b9251-e2b129e1b",
        "runtime_proof": "llama-server's /props",
        "model_format": "gguf",
        "quantization": "Q4_K - Medium",
        "context_effective": 131072,
        "parallel": 4,
    }


def test_vllm_tells_its_version() -> None:
    assert identify(vllm().client, "Qwen/Qwen3-8B") == {
        "server": "vllm",
        "server_version": "0.16.0",
        "runtime": "vllm",
        "runtime_version": "0.16.0",
        "runtime_proof": "vLLM's /version",
    }


def test_vllms_max_model_len_is_the_context_it_serves() -> None:
    assert described(vllm())["context_effective"] == 40960


def test_mlx_lm_is_known_by_the_fingerprint_of_one_token() -> None:
    double = mlx_lm()
    assert identify(double.client, "m") == {
        "server": "mlx_lm.server",
        "server_version": "0.32.0",
        "runtime": "mlx",
        "runtime_version": "0.32.1",
        "runtime_proof": "mlx_lm.server's system_fingerprint",
        "model_format": "mlx",
    }
    assert [body["max_tokens"] for body in double.bodies] == [1]


@pytest.mark.parametrize("fingerprint", ["", "fp_ollama", "b9251-e2b129e1b", "gemma-2-2b-it", "a-b-c", "1-2-3"])
def test_another_fingerprint_is_no_mlx_lm(fingerprint: str) -> None:
    assert identify(mlx_lm(fingerprint).client, "m") == {}


@pytest.mark.parametrize("make", [lmstudio, ollama, llama_server, vllm])
def test_only_mlx_lm_is_made_to_generate_for_its_name(make: Callable[[], Double]) -> None:
    double = make()
    identify(double.client, "m")
    assert "POST /v1/chat/completions" not in double.asked


@pytest.mark.parametrize(
    ("make", "server", "model"),
    [
        (lmstudio, "lmstudio", "qwen3-4b"),
        (ollama, "ollama", "qwen3:4b"),
        (llama_server, "llama-server", "Qwen3.5-9B-Q4_K_M.gguf"),
        (vllm, "vllm", "Qwen/Qwen3-8B"),
        (mlx_lm, "mlx_lm.server", "mlx-community/Qwen3-4B-4bit"),
    ],
)
def test_a_description_names_server_and_model(make: Callable[[], Double], server: str, model: str) -> None:
    facts = described(make())
    assert (facts["server"], facts["model_key"]) == (server, model)


def test_a_quantization_that_the_server_tells_goes_before_the_names() -> None:
    facts = described(llama_server(model_ftype="Q8_0"))
    assert (facts["quantization"], facts["quantization_source"]) == ("Q8_0", "server")
    facts = described(llama_server())
    assert (facts["quantization"], facts["quantization_source"]) == ("Q4_K_M", "model name")


def test_no_path_of_the_servers_machine_is_told() -> None:
    facts = described(llama_server(model_path="/Users/anna/models/x.gguf"))
    assert not any("/Users" in str(value) or "/models" in str(value) for value in facts.values())


def listing(owner: str) -> dict[str, Any]:
    return {"GET /v1/models": {"object": "list", "data": [{"id": "m", "object": "model", "owned_by": owner}]}}


def not_found(request: httpx.Request) -> httpx.Response:
    return httpx.Response(404)


VERSION = {"GET /version": {"version": "v3.8.0"}}
OLLAMAS = {"GET /api/version": {"version": "0.7.0"}, "GET /api/ps": {"models": []}}
DETAILS = {"POST /api/show": {"details": {"format": "gguf", "family": "koboldcpp", "quantization_level": "0"}}}
PROPS = {"GET /props": {"build_info": "b1", "total_slots": 1, "default_generation_settings": {"n_ctx": 4096}}}


@pytest.mark.parametrize(
    "routes",
    [
        VERSION | listing("localai"),  # LocalAI
        VERSION | listing("someone"),
        VERSION | listing("sglang"),
        VERSION,  # a gateway without a list
        {"GET /api/version": {"version": "0.7.0"}} | listing("llama-swap"),  # llama-swap, Open WebUI
        OLLAMAS | listing("library"),
        OLLAMAS | DETAILS | listing("koboldcpp"),  # KoboldCpp
        OLLAMAS | DETAILS | {"GET /": {"name": "Open WebUI"}},
        PROPS | listing("vllm"),
        {"GET /props": {"build_info": "b1"}} | listing("llamacpp"),
        {"GET /health": {"status": "ok"}} | VERSION | listing("m"),
    ],
)
def test_a_route_that_others_answer_too_proves_nothing(routes: dict[str, Any]) -> None:
    facts = described(Double({**listing("m"), **routes}, not_found))
    assert facts["server"] == "unknown"
    assert (facts.get("runtime"), facts.get("runtime_proof"), facts.get("server_version")) == (None, None, None)


def test_llama_server_that_pleases_ollamas_clients_is_llama_server() -> None:
    facts = described(Double(PROPS | OLLAMAS | DETAILS | listing("llamacpp"), not_found))
    assert (facts["server"], facts["runtime"], facts["context_effective"]) == ("llama-server", "llama.cpp", 4096)


def test_ollama_is_known_by_its_greeting_too() -> None:
    double = ollama()
    double._routes["GET /"] = "Ollama is running"
    assert identify(double.client, "qwen3:4b")["server"] == "ollama"


@pytest.mark.parametrize(
    "otherwise",
    [
        lambda request: httpx.Response(200, text="<html>hello</html>"),
        lambda request: httpx.Response(200, json=[]),
        lambda request: httpx.Response(200, json="ok"),
        lambda request: httpx.Response(200, json={}),
        lambda request: httpx.Response(200, json={"status": "ok"}),
        lambda request: httpx.Response(500, json={"version": "1", "build_info": "1", "lmstudio": True}),
        lambda request: httpx.Response(200, content=b'{"version": "\xff'),
    ],
)
def test_a_server_of_no_known_kind_stays_unknown(otherwise: Answer) -> None:
    assert identify(Double({}, otherwise).client, "m") == {}


def test_a_server_that_breaks_off_stays_unknown() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset by peer")

    assert identify(Double({}, refuse).client, "m") == {}


@pytest.mark.parametrize("error", ["Unexpected endpoint", {"message": "no"}])
def test_json_with_an_error_in_it_is_no_answer(error: object) -> None:
    client = Double({"GET /x": {"version": "1", "error": error}}, lambda request: httpx.Response(404)).client
    assert get_json(client, "/x") == {}
