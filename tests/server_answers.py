"""What servers answer when they are asked about themselves, garbled, and what must come of it."""

import copy
from collections.abc import Callable
from random import Random
from typing import Any

import httpx

from collector import store
from collector.backends import Facts
from collector.backends.lmstudio import LMStudio
from collector.backends.openai_chat import OpenAIChat
from collector.errors import CollectorError
from collector.schema import RUN
from collector.typed import typed
from tests.garbling import STRANGE, as_json, can_be, change_json

Answers = dict[str, Any]  # path → JSON
ELSEWHERE = "http://192.168.1.5:1234"  # no address of this machine, whose own LM Studio would be asked
GEMMA, NOMIC = "google/gemma-3-1b", "text-embedding-nomic-embed-text-v1.5"
PROOF = {
    "choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "length"}],
    "stats": {"tokens_per_second": 51.4, "time_to_first_token": 0.1},
    "model_info": {"arch": "gemma3", "quant": "4bit", "format": "mlx", "context_length": 4096},
    "runtime": {"name": "mlx-llm-mac-arm64-apple-metal-advsimd", "version": "1.11.0", "supported_formats": ["mlx"]},
}
V0 = {
    "object": "list",
    "data": [
        {"id": GEMMA, "type": "llm", "publisher": "google", "arch": "gemma3_text", "compatibility_type": "mlx"}
        | {"quantization": "4bit", "state": "loaded", "max_context_length": 32768, "loaded_context_length": 4096},
        {"id": NOMIC, "type": "embeddings", "compatibility_type": "gguf", "state": "not-loaded"},
    ],
}
V1 = {
    "models": [
        {"type": "llm", "publisher": "google", "key": GEMMA, "architecture": "gemma3_text", "format": "mlx"}
        | {"quantization": {"name": "4bit", "bits_per_weight": 4}, "size_bytes": 771933305}
        | {"loaded_instances": [{"id": GEMMA, "config": {"context_length": 4096, "parallel": 4}}]}
        | {"max_context_length": 32768, "variants": [f"{GEMMA}@4bit"], "selected_variant": f"{GEMMA}@4bit"},
        {"type": "embedding", "key": NOMIC, "format": "gguf", "loaded_instances": [], "max_context_length": 2048},
    ]
}
LMSTUDIO = {"/lmstudio-greeting": {"lmstudio": True}, "/v1/models": {"data": [{"id": GEMMA}]}}
LMSTUDIO |= {"/api/v0/models": V0, "/api/v0/chat/completions": PROOF}
LOADED = {"type": "llm", "instance_id": GEMMA, "load_time_seconds": 7.882, "status": "loaded"}
DETAILS = {"format": "gguf", "family": "qwen3", "quantization_level": "Q4_K_M"}
SERVERS: dict[str, Answers] = {
    "lmstudio 0.4": LMSTUDIO | {"/api/v1/models": V1, "/api/v1/models/load": LOADED},
    "lmstudio 0.3": LMSTUDIO,
    "ollama": {
        "/api/version": {"version": "0.13.1"},
        "/api/show": {"details": DETAILS, "model_info": {"general.architecture": "qwen3"}},
        "/api/ps": {"models": [{"name": "qwen3:4b", "details": DETAILS, "context_length": 131072}]},
        "/v1/models": {"data": [{"id": "qwen3:4b", "object": "model", "owned_by": "library"}]},
    },
    "llama-server": {
        "/props": {"default_generation_settings": {"n_ctx": 131072}, "total_slots": 4}
        | {"model_path": "/models/Qwen3.5-9B-Q4_K_M.gguf", "model_ftype": "Q4_K - Medium", "build_info": "b9251"},
        "/health": {"status": "ok"},
        "/v1/models": {
            "data": [
                {"id": "/m/Qwen3.5.gguf", "owned_by": "llamacpp"}
                | {"meta": {"n_ctx_train": 262144, "n_params": 803026, "size": 491289}}
            ]
        },
    },
    "vllm": {
        "/version": {"version": "0.16.0"},
        "/v1/models": {"data": [{"id": "Qwen/Q", "owned_by": "vllm", "max_model_len": 40960}]},
    },
    "mlx_lm.server": {
        "/health": {"status": "ok"},
        "/v1/chat/completions": {"system_fingerprint": "0.32.0-0.32.1-macOS-26.1-arm64-applegpu_g15d"},
        "/v1/models": {"data": [{"id": "mlx-community/Qwen3-4B-4bit"}]},
    },
}
# What stands at their root, and what they say of a path that they do not know.
GREETED = {"ollama": (200, "Ollama is running")}
UNKNOWN = (404, "404 page not found")
UNKNOWN_TO_LMSTUDIO = (200, '{"error":"Unexpected endpoint or method."}')


def garbled(server: str, draw: Random) -> dict[str, tuple[int, str]]:
    """Status and text of each answer, of a server of that kind that has gone wrong."""
    said = copy.deepcopy(SERVERS[server])
    for _ in range(draw.choice((1, 1, 2, 4))):
        change_json(said[draw.choice(list(said))], draw)
    answers = {path: (200, as_json(answer)) for path, answer in said.items()}
    if draw.random() < 0.3:
        answers[draw.choice(list(answers))] = draw.choice((200, 200, 401, 404)), draw.choice(STRANGE)
    return answers


def asked(server: str, answers: dict[str, tuple[int, str]]) -> list[Facts]:
    """What the backend makes of them, where it does not refuse with a word: of the model loaded, and of loading one."""

    unknown = UNKNOWN_TO_LMSTUDIO if server.startswith("lmstudio") else UNKNOWN
    known = answers if server not in GREETED else {"/": GREETED[server], **answers}

    def answer(request: httpx.Request) -> httpx.Response:
        status, text = known.get(request.url.path, unknown)
        return httpx.Response(status, content=text.encode("utf-8", "surrogatepass"))

    facts: list[Facts] = []
    with httpx.Client(base_url=ELSEWHERE, transport=httpx.MockTransport(answer), trust_env=False) as client:
        ways: list[Callable[[], Facts]] = [lambda: OpenAIChat(client).describe(), lambda: OpenAIChat(client).planned()]
        if server.startswith("lmstudio"):
            ways = [lambda: LMStudio(client).describe(), lambda: LMStudio(client).planned()]
            ways += [lambda: _again(client), lambda: LMStudio(client, load=GEMMA).load()]
        for way in ways:
            try:
                facts.append(way())
            except CollectorError:
                continue
    return facts


def _again(client: httpx.Client) -> Facts:
    key, context = LMStudio(client).as_loaded()
    return LMStudio(client, load=key, context=context).planned()


def broken_rules(found: list[Facts]) -> list[str]:
    """Columns of what was made of them that hold what they cannot."""
    kept = [typed(facts) for facts in found]
    for facts in kept:
        store.rows_as_table([facts], RUN, "none")
    return [name for facts in kept for name, value in facts.items() if not can_be(name, value)]
