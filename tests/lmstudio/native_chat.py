"""`/api/v1/chat`: one answer, whole (§2.6) or as named events (§2.7)."""

import time
import uuid

from tests.lmstudio.chat import NONE_LOADED, Placed, Timed, jit_load, revive, sampling_of, steps
from tests.lmstudio.models import Json
from tests.lmstudio.native import strict
from tests.lmstudio.state import Instance, LoadFailed, UnknownModel
from tests.lmstudio.tokens import Job, StreamFailed
from tests.lmstudio.wire import Call, Refused, Stream, v1_error

# §2.5, complete: neither `seed` nor `stop` nor `ttl`.
CHAT_KEYS = (
    "model", "input", "system_prompt", "integrations", "stream", "temperature", "top_p", "top_k", "min_p",
    "repeat_penalty", "max_output_tokens", "reasoning", "context_length", "store", "previous_response_id",
)  # fmt: skip
SAMPLING = ("temperature", "top_p", "top_k", "min_p", "repeat_penalty")


def chat(call: Call) -> None:
    """Answer one request."""
    body = strict(call, CHAT_KEYS, ("model", "input"))
    if body.get("stream"):
        _streamed(call, body)
    else:
        _whole(call, body)


def _whole(call: Call, body: Json) -> None:
    try:
        answer = _Answer(body, *_instance(call, body))
    except LoadFailed as failure:
        raise Refused(400, v1_error("model_load_failed", str(failure))) from None
    job = answer.start(call)
    try:
        for step in answer.timed.through(steps(call.double, job)):
            answer.add(*answer.placed.of(step))
    except StreamFailed as failure:
        raise Refused(500, v1_error("internal_error", str(failure))) from None
    call.json(answer.result())


def _streamed(call: Call, body: Json) -> None:
    events: _Events | None = None
    error: Json | None = None
    try:
        if (loaded := _loaded(call, body)) is None:
            events = _Events(call, body["model"])
            answer = _Answer(body, *_instance(call, body, events))
        else:
            answer = _Answer(body, loaded)
            events = _Events(call, loaded.id)
    except LoadFailed as failure:
        error = v1_error("model_load_failed", str(failure))
        if events is None:  # its worker is dead
            raise Refused(400, error) from None
        nothing = {"model_instance_id": body["model"], "output": [], "stats": {}}  # [inferred]
        return events.end(nothing, error)
    job = answer.start(call)
    # All of prompt_processing comes at once, before the silence: its span says nothing of the prefill (§2.7).
    events.send("prompt_processing.start")
    parts = call.double.progress_events + 1
    for number in range(1, parts):
        events.send("prompt_processing.progress", progress=number / parts)
    events.send("prompt_processing.end")
    try:
        for step in answer.timed.through(steps(call.double, job)):
            kind, text = answer.add(*answer.placed.of(step))
            events.delta(kind, text)
        events.close()
    except StreamFailed as failure:
        error = v1_error("internal_error", str(failure))
    return events.end(answer.result(), error)


def _loaded(call: Call, body: Json) -> Instance | None:
    """The instance it goes to, if there is one. Raises Refused when there cannot be one, LoadFailed when it is dead."""
    double = call.double
    try:
        if (instance := double.state.serving(body["model"])) is not None:
            revive(double, instance)
            return instance
        double.state.find(body["model"])
    except UnknownModel:
        raise Refused(404, v1_error("model_not_found", f"Model '{body['model']}' not found", param="model")) from None
    if not double.jit:
        raise Refused(400, v1_error("invalid_request", NONE_LOADED, param="model"))
    return None


def _instance(call: Call, body: Json, events: "_Events | None" = None) -> tuple[Instance, float | None]:
    """The instance, and the seconds it took to load if this request loaded it; a stream tells of that too."""
    if (instance := _loaded(call, body)) is not None:
        return instance, None
    who = {"model_instance_id": body["model"]}
    if events:
        events.send("model_load.start", **who)
        events.send("model_load.progress", **who, progress=0.65)
    began = time.monotonic()
    instance = jit_load(call.double, body["model"], context_length=body.get("context_length"))
    took = round(time.monotonic() - began, 3)
    if events:
        events.send("model_load.end", **who, load_time_seconds=took)
    return instance, took


class _Events:
    """The named events of one stream; each payload repeats its name."""

    def __init__(self, call: Call, instance_id: str) -> None:
        self.stream: Stream = call.stream()
        self.open: str | None = None
        self.send("chat.start", model_instance_id=instance_id)

    def send(self, kind: str, **more: object) -> None:
        self.stream.send({"type": kind, **more}, event=kind)

    def delta(self, kind: str, text: str) -> None:
        """`kind` is reasoning or message; a change of it closes one part and opens the next."""
        if kind != self.open:
            self.close()
            self.send(f"{kind}.start")
            self.open = kind
        self.send(f"{kind}.delta", content=text)

    def close(self) -> None:
        if self.open:
            self.send(f"{self.open}.end")
        self.open = None

    def end(self, result: Json, error: Json | None) -> None:
        """`chat.end` follows an `error` too; there is no [DONE]."""
        if error:
            self.send("error", **error)
        self.send("chat.end", result=result)
        self.stream.end(done=False)


class _Answer:
    """One answer while it is made."""

    def __init__(self, body: Json, instance: Instance, loaded_in: float | None = None) -> None:
        self.body, self.instance, self.loaded_in = body, instance, loaded_in
        self.placed = Placed(instance.model.reasoning_in)
        self.output: list[Json] = []

    def start(self, call: Call) -> Job:
        """The job, and the clock on it."""
        given = self.body["input"]
        items = [{"content": given}] if isinstance(given, str) else given
        messages = [{"role": "user", "content": item.get("content", "")} for item in items]
        if self.body.get("system_prompt"):
            messages.insert(0, {"role": "system", "content": self.body["system_prompt"]})
        limit, sampling = self.body.get("max_output_tokens"), sampling_of(self.body, SAMPLING)
        self.timed = Timed(Job(self.instance, {"messages": messages}, limit, sampling, call.double.next_number()))
        return self.timed.job

    def add(self, field: str, text: str) -> tuple[str, str]:
        """Put text where it belongs; returns its kind and itself."""
        kind = "message" if field == "content" else "reasoning"
        if not self.output or self.output[-1]["type"] != kind:
            self.output.append({"type": kind, "content": ""})
        self.output[-1]["content"] += text
        return kind, text

    def result(self) -> Json:
        """§2.6: no stop reason, no runtime, no quantization."""
        job = self.timed.job
        stats: Json = {
            "input_tokens": job.prompt_tokens,
            "total_output_tokens": job.completion_tokens,
            "reasoning_output_tokens": job.reasoning_tokens,
        }
        if (speed := self.timed.tokens_per_second()) is not None:
            stats["tokens_per_second"] = speed
        stats["time_to_first_token_seconds"] = round(self.timed.first_s, 3)
        if self.loaded_in is not None:
            stats["model_load_time_seconds"] = self.loaded_in
        stored = {"response_id": f"resp_{uuid.uuid4().hex}"} if self.body.get("store", True) else {}
        return {"model_instance_id": self.instance.id, "output": self.output, "stats": stats, **stored}
