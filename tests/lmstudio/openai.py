"""`/v1/…` and `/api/v0/…`: OpenAI's protocol as LM Studio speaks it. Unknown keys are ignored on both."""

import time
import uuid
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.lmstudio.chat import Placed, Timed, find_instance, sampling_of, steps
from tests.lmstudio.models import Json
from tests.lmstudio.tokens import Job, StreamFailed
from tests.lmstudio.wire import Call, Refused, openai_error

if TYPE_CHECKING:
    from tests.lmstudio.double import Double

SAMPLING = (
    "temperature", "top_p", "top_k", "min_p", "seed", "stop", "repeat_penalty", "presence_penalty",
    "frequency_penalty", "logit_bias",
)  # fmt: skip
NUMBERS = {"seed": "seed", "temperature": "temperature", "max_tokens": "maxPredictedTokens", "top_p": "topPSampling"}


def v1_models(call: Call) -> None:
    """§3.1: all downloaded with JIT, the loaded without; three fields, so it cannot tell what is loaded."""
    state = call.double.state
    names = [instance.id for instance in state.instances]
    if call.double.jit:
        names = [model.key for model in state.models if model.downloaded]
    call.json(
        {
            "object": "list",
            "data": [{"id": name, "object": "model", "owned_by": "organization_owner"} for name in names],
        }
    )


def v0_models(call: Call) -> None:
    """§1.1."""
    call.json({"object": "list", "data": call.double.state.v0_list(call.double.version)})


def v0_model(call: Call) -> None:
    """§1.2: one bare object; the key is percent-encoded."""
    name = unquote(call.path.removeprefix("/api/v0/models/"))
    for entry in call.double.state.v0_list(call.double.version):
        if entry["id"] == name:
            return call.json(entry)
    raise Refused(404, openai_error(f"Model '{name}' not found", "model"))


def completions(call: Call) -> None:
    """§1.3, §1.4, §3.2, §3.5: chat and plain completions, whole and streamed."""
    body = call.object()
    _check(body)
    instance = find_instance(call.double, body, openai_error)
    is_chat = call.path.endswith("/chat/completions")
    prompt = {"messages": body.get("messages") or []} if is_chat else {"prompt": body.get("prompt") or ""}
    job = Job(instance, prompt, body.get("max_tokens"), sampling_of(body, SAMPLING), call.double.next_number())
    form = _Form(call.double, job, is_chat)
    if body.get("stream"):
        _streamed(call, form, wants_usage=bool((body.get("stream_options") or {}).get("include_usage")))
    else:
        _whole(call, form, is_v0=call.path.startswith("/api/v0/"))


def _check(body: Json) -> None:
    """The two refusals of §3.8 for values."""
    if (body.get("response_format") or {}).get("type") not in (None, "json_schema", "text"):
        raise Refused(400, {"error": "'response_format.type' must be 'json_schema' or 'text'"})
    for name, field in NUMBERS.items():
        if not isinstance(body.get(name), int | float | None):
            key = f"llm.prediction.{field}"
            raise Refused(400, openai_error(f"Field with key {key} does not satisfy the schema: expected number", name))


class _Form:
    """The shapes of one answer."""

    def __init__(self, double: "Double", job: Job, is_chat: bool) -> None:
        self.double, self.job, self.is_chat = double, job, is_chat
        self.model = job.instance.id
        self.id = ("chatcmpl-" if is_chat else "cmpl-") + uuid.uuid4().hex[:21]
        self.created = int(time.time())
        self.object = "chat.completion" if is_chat else "text_completion"
        # §3.5: plain completions have one text and nothing else.
        self.placed = Placed(job.instance.model.reasoning_in if is_chat else "think")

    def chunk(self, delta: Json, finish: str | None = None) -> Json:
        """§3.3."""
        choice: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        if not self.is_chat:
            choice = {"index": 0, "text": delta.get("content", ""), "logprobs": None, "finish_reason": finish}
        return {**self._head(self.object + (".chunk" if self.is_chat else "")), "choices": [choice]}

    def usage_chunk(self) -> Json:
        return {**self._head(self.object + (".chunk" if self.is_chat else "")), "choices": [], "usage": self.usage()}

    def usage(self) -> Json:
        """§3.3: never with `cached_tokens`."""
        prompt, completion = self.job.prompt_tokens, self.job.completion_tokens
        if self.double.one_less_at_limit and self.job.finish == "length":
            completion -= 1
        if self.double.zero_usage:
            prompt = completion = 0
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}

    def whole(self, texts: Json) -> Json:
        choice: Json = {"index": 0, "logprobs": None, "finish_reason": self.job.finish}
        if self.is_chat:
            choice["message"] = {"role": "assistant", "content": "", **texts, "tool_calls": []}
        else:
            choice["text"] = texts.get("content", "")
        return {**self._head(self.object), "choices": [choice], "usage": self.usage()}

    def _head(self, kind: str) -> Json:
        # §3.3: the fingerprint is the model's name, not a build's.
        head = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return {**head, "system_fingerprint": self.model}


def _streamed(call: Call, form: _Form, wants_usage: bool) -> None:
    stream = call.stream()
    knows = call.double.version >= (0, 3, 18)  # §3.2, §3.3: usage on request and errors in OpenAI's form came then
    try:
        for step in steps(call.double, form.job):
            name, text = form.placed.of(step)
            stream.send(form.chunk({"role": "assistant", name: text}))
    except StreamFailed as error:
        # The envelope is [inferred]; that no [DONE] follows is too.
        stream.send({"error": {"message": str(error)} if knows else str(error)}, event=None if knows else "error")
        stream.end(done=False)
    else:
        stream.send(form.chunk({}, form.job.finish))
        if wants_usage and knows:  # /api/v0 as well [inferred: same handler]
            stream.send(form.usage_chunk())
        stream.end()


def _whole(call: Call, form: _Form, is_v0: bool) -> None:
    timed = Timed(form.job)
    texts: Json = {}
    try:
        for step in timed.through(steps(call.double, form.job)):
            name, text = form.placed.of(step)
            texts[name] = texts.get(name, "") + text
    except StreamFailed as error:
        raise Refused(400, openai_error(str(error))) from None
    body = form.whole(texts)
    if not is_v0:
        return call.json({**body, "stats": {}})
    job, model = form.job, form.job.instance.model
    stats: Json = {
        "time_to_first_token": round(timed.first_s, 3),
        "generation_time": round(timed.generation_s, 3),
        "stop_reason": {"length": "maxPredictedTokensReached"}.get(job.finish, "eosFound"),
    }
    if (speed := timed.tokens_per_second()) is not None:
        stats = {"tokens_per_second": speed, **stats}
    body |= {
        "stats": stats,
        "model_info": {
            "arch": model.architecture,
            "quant": model.quantization,
            "format": model.runtime_of or model.format,
            "context_length": job.instance.context,
        },
    }
    if runtime := model.runtime():
        body["runtime"] = runtime
    del body["system_fingerprint"]  # §1.3's example has none
    return call.json(body)
