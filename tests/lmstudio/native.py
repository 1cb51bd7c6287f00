"""`/api/v1/models…`: what is there, loading, unloading, downloading (§2.1 to §2.4). Bodies are strict."""

import time

from tests.lmstudio.models import Json, v1_entry
from tests.lmstudio.state import LoadFailed, UnknownModel
from tests.lmstudio.wire import Call, Refused, v1_error

LLAMA_CPP_ONLY = ("eval_batch_size", "flash_attention", "num_experts", "offload_kv_cache_to_gpu")
LOAD_KEYS = ("model", "context_length", *LLAMA_CPP_ONLY, "echo_load_config")


def strict(call: Call, allowed: tuple[str, ...], required: tuple[str, ...]) -> Json:
    """The body, if it has what it must and nothing else (§2.8)."""
    body = call.object()
    if unknown := [name for name in body if name not in allowed]:
        names = ", ".join(f"'{name}'" for name in unknown)
        raise Refused(400, v1_error("invalid_request", f"Unrecognized key(s) in object: {names}", "unrecognized_keys"))
    for name in required:
        if name not in body:
            raise Refused(400, v1_error("invalid_request", f'"{name}" is required', "missing_required_parameter", name))
    return body


def models(call: Call) -> None:
    """§2.1."""
    state = call.double.state
    call.json(
        {
            "models": [
                v1_entry(model, [{"id": one.id, "config": one.config()} for one in state.of_key(model.key)])
                for model in state.models
                if model.downloaded
            ]
        }
    )


def load(call: Call) -> None:
    """§2.2: blocks until loaded, and makes a second instance of what is loaded already."""
    body = strict(call, LOAD_KEYS, ("model",))
    double = call.double
    given = {name: body[name] for name in LLAMA_CPP_ONLY if name in body}
    try:
        model = double.state.find(body["model"])
        if model.type == "embedding" and given:
            raise Refused(400, v1_error("invalid_request", "llama.cpp load options do not apply to embeddings"))
        given.pop("num_experts", None)
        began = time.monotonic()
        instance = double.load(body["model"], by="rest", context_length=body.get("context_length"), **given)
    except UnknownModel:
        raise Refused(404, v1_error("model_not_found", f"Model '{body['model']}' not found", param="model")) from None
    except LoadFailed as failure:
        # This type is not in the documented list, but in reports from 0.4.21; they name 400 and 500.
        raise Refused(400, v1_error("model_load_failed", str(failure))) from None
    answer: Json = {
        "type": "embedding" if model.type == "embedding" else "llm",
        "instance_id": instance.id,
        "load_time_seconds": round(time.monotonic() - began, 3),
        "status": "loaded",
    }
    if body.get("echo_load_config"):
        answer["load_config"] = instance.load_config()
    call.json(answer)


def unload(call: Call) -> None:
    """§2.3."""
    body = strict(call, ("instance_id",), ("instance_id",))
    try:
        call.double.state.unload(body["instance_id"])
    except UnknownModel:
        text = f"No loaded model instance with ID '{body['instance_id']}'"
        raise Refused(404, v1_error("model_not_found", text, param="instance_id")) from None
    call.json({"instance_id": body["instance_id"]})


def download(call: Call) -> None:
    """§2.4."""
    call.json(call.double.downloads.start(strict(call, ("model", "quantization"), ("model",))))


def download_status(call: Call) -> None:
    """§2.4: each look finds the job one step further, so that no test waits for a clock."""
    call.json(call.double.downloads.status(call.path.rpartition("/")[2]))
