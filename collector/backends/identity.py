"""Which of the known servers answers at an address, and what it says of its engine and model.

LM Studio is asked for first, because it answers 200 to any path. Others answer each other's routes, to please their
clients: what proves a server is what no other one answers, and no word of the model list against it.
"""

from pathlib import Path
from typing import Any
from weakref import WeakSet

import httpx

from collector.backends import Facts
from collector.backends.chunk import part

# What servers call themselves in `owned_by` of their model lists. Ollama has the owner of the model there, most others
# nothing that tells them apart.
OWNERS = {"llamacpp", "vllm", "sglang", "localai", "koboldcpp", "lmdeploy", "tabbyapi", "llama-swap", "mistralrs"}
ASKED_S = 30  # for an answer that no model has to be read for
HURRIED_S = 2  # for the next one, where a server has let such a question lie: some do with every route they don't know
NO_JSON = (ValueError, RecursionError)  # what reading JSON raises; the second where it is nested too deep

_silent: WeakSet[httpx.Client] = WeakSet()  # whose last question was let lie


def identify(client: httpx.Client, model: str) -> Facts:
    """Run columns of the server that answers; `{}` when it is none of the known ones."""
    for ask in (_lmstudio, _llama_server, _ollama, _vllm, _mlx_lm):
        if facts := ask(client, model):
            return {name: value for name, value in facts.items() if value is not None}
    return {}


def get_json(
    client: httpx.Client, path: str, post: dict[str, Any] | None = None, patience_s: float | None = None
) -> dict[str, Any]:
    """The JSON object at `path`; `{}` for an error, another status, or anything that is no object.

    `patience_s`: how long an answer to a `post` may take; by default a model may have to be read for it.
    """
    try:
        if post is not None:
            wait = httpx.USE_CLIENT_DEFAULT if patience_s is None else patience_s
            response = client.post(path, json=post, timeout=wait)
        else:
            response = client.get(path, timeout=HURRIED_S if client in _silent else ASKED_S)
            _silent.discard(client)
        body = response.json() if response.status_code == 200 else {}
    except httpx.TimeoutException:
        _silent.add(client)
        return {}
    except (httpx.HTTPError, *NO_JSON):
        return {}
    return body if isinstance(body, dict) and not body.get("error") else {}


def parts(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects in the list of that name."""
    found = answer.get(name)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def string(answer: dict[str, Any], name: str) -> str | None:
    """The text of that name."""
    found = answer.get(name)
    return found if isinstance(found, str) else None


def _owner(client: httpx.Client, model: str) -> str | None:
    """Who owns the model, by the list; many servers name themselves there."""
    entries = parts(get_json(client, "/v1/models"), "data")
    return next((string(one, "owned_by") for one in entries if one.get("id") == model), None)


def _greets_otherwise(client: httpx.Client) -> bool:
    """Whether something else than Ollama's greeting stands at the root."""
    try:
        response = client.get("/")
    except httpx.HTTPError:
        return False
    return response.status_code == 200 and "Ollama is running" not in response.text


def _lmstudio(client: httpx.Client, model: str) -> Facts:
    return {"server": "lmstudio"} if get_json(client, "/lmstudio-greeting").get("lmstudio") else {}


def _ollama(client: httpx.Client, model: str) -> Facts:
    version = get_json(client, "/api/version").get("version")
    if not version or _owner(client, model) in OWNERS or _greets_otherwise(client):
        return {}
    details = part(get_json(client, "/api/show", post={"model": model}), "details")
    listed = get_json(client, "/api/ps")
    if not details or "models" not in listed:  # which only those answer who mean to be taken for Ollama
        return {}
    running = parts(listed, "models")
    loaded: Facts = next((entry for entry in running if entry.get("name") == model), {})
    is_gguf = details.get("format") == "gguf"
    return {
        "server": "ollama",
        "server_version": version,
        "runtime": "llama.cpp" if is_gguf else None,
        "runtime_proof": "Ollama says the model is GGUF" if is_gguf else None,
        "model_format": details.get("format"),
        "model_architecture": details.get("family"),
        "quantization": details.get("quantization_level"),
        "context_effective": loaded.get("context_length"),
    }


def _llama_server(client: httpx.Client, model: str) -> Facts:
    props = get_json(client, "/props")
    build, settings = props.get("build_info"), part(props, "default_generation_settings")
    if not build or not settings or _owner(client, model) in OWNERS - {"llamacpp"}:
        return {}
    return {
        "server": "llama-server",
        "server_version": build,
        "runtime": "llama.cpp",
        "runtime_version": build,
        "runtime_proof": "llama-server's /props",
        "model_format": "gguf",
        "quantization": props.get("model_ftype"),
        "context_effective": settings.get("n_ctx"),
        "parallel": props.get("total_slots"),
        # Only the file itself knows its size; the server counts tensors.
        "file_bytes": _size(Path(string(props, "model_path") or "")),
    }


def _size(path: Path) -> int | None:
    """Bytes of a file that a server says it has read; None where it lies on another machine, or can be none."""
    try:
        return path.stat().st_size if path.is_absolute() and path.is_file() else None
    except OSError:
        return None


def _vllm(client: httpx.Client, model: str) -> Facts:
    version = get_json(client, "/version").get("version")
    if not version or _owner(client, model) != "vllm":
        return {}
    return {
        "server": "vllm",
        "server_version": version,
        "runtime": "vllm",
        "runtime_version": version,
        "runtime_proof": "vLLM's /version",
    }


def _mlx_lm(client: httpx.Client, model: str) -> Facts:
    """mlx_lm.server names itself only in a reply: `<mlx_lm>-<mlx>-<platform>-<gpu>`."""
    if get_json(client, "/health").get("status") != "ok":
        return {}
    one_token = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    fingerprint = str(get_json(client, "/v1/chat/completions", post=one_token).get("system_fingerprint") or "")
    parts = fingerprint.split("-", 2)
    if len(parts) < 3 or not all(part[:1].isdigit() and "." in part for part in parts[:2]):
        return {}
    return {
        "server": "mlx_lm.server",
        "server_version": parts[0],
        "runtime": "mlx",
        "runtime_version": parts[1],
        "runtime_proof": "mlx_lm.server's system_fingerprint",
        "model_format": "mlx",
    }
