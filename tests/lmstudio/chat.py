"""What both protocols do with a request for tokens: find the instance, load it if need be, take the tokens."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tests.lmstudio.models import Json
from tests.lmstudio.state import CRASHED, JIT_TTL_MS, STARTUP_ABORTED, Instance, LoadFailed, UnknownModel
from tests.lmstudio.tokens import Job, Step, StreamFailed
from tests.lmstudio.wire import Refused

if TYPE_CHECKING:
    from tests.lmstudio.double import Double

NONE_LOADED = "No models loaded. Please load a model in the developer page or use the 'lms load' command."


def sampling_of(body: Json, names: tuple[str, ...]) -> Json:
    """The sampling parameters that were given."""
    return {name: body[name] for name in names if body.get(name) is not None}


def find_instance(double: "Double", body: Json, error: Callable[..., Json]) -> Instance:
    """The instance a /v1 or /api/v0 request goes to, loading it silently with JIT (§7.1). Raises Refused."""
    name = body.get("model")
    try:
        if name and (instance := double.state.serving(name)):
            revive(double, instance)
            return instance
        if name and double.takes_what_is_loaded and double.state.instances:
            return double.state.instances[0]
        if name and double.jit:
            return jit_load(double, name, ttl_s=body.get("ttl"))
    except LoadFailed as failure:
        raise Refused(400, error(str(failure), "model")) from None
    except UnknownModel:
        # The wording is from memory of the app, not from the notes.
        known = ", ".join(model.key for model in double.state.models)
        text = f'Invalid model identifier "{name}". Please specify a valid downloaded model (e.g. {known}).'
        raise Refused(400, error(text, "model")) from None
    if not name and double.state.instances:  # the first one serves what names none [inferred]
        return double.state.instances[0]
    # §3.8: 404 in 0.3.5; unknown later, 400 taken as for every other refused request.
    raise Refused(404 if double.version < (0, 4) else 400, error(NONE_LOADED, "model"))


def jit_load(double: "Double", name: str, ttl_s: int | None = None, context_length: int | None = None) -> Instance:
    """Load because a request came: with a TTL, and in place of what another request had loaded (§7.1)."""
    double.state.find(name)
    for other in [instance for instance in double.state.instances if instance.loaded_by == "jit"]:
        double.state.unload(other.id)
    ttl_ms = JIT_TTL_MS if ttl_s is None else ttl_s * 1000
    return double.load(name, by="jit", ttl_ms=ttl_ms, context_length=context_length)


def revive(double: "Double", instance: Instance) -> None:
    """A dead worker's instance refuses, forever or so many times (§6: it still reads as loaded). Raises LoadFailed."""
    if instance.worker is not None and not instance.worker.is_running():
        instance.is_alive = False
    if instance.is_alive:
        return
    if instance.refusals_left is None or instance.refusals_left > 0:
        if instance.refusals_left is not None:
            instance.refusals_left -= 1
        raise LoadFailed(instance.model.key, STARTUP_ABORTED)
    if instance.worker is not None:
        instance.worker.stop()
    instance.worker = double.source(instance.model).start(instance)
    instance.is_alive, instance.cached = True, set()


def steps(double: "Double", job: Job) -> Iterator[Step]:
    """The tokens of one answer, with what tests switched on. Raises StreamFailed."""
    failure = double.take_stream_failure()
    instance = job.instance
    instance.busy += 1
    instance.last_used_ms = int(time.time() * 1000)
    try:
        double.wait(double.prefill_ms)
        if double.empty_answers:
            return
        for number, step in enumerate(double.source(instance.model).run(job, double.wait)):
            if failure and number >= failure[0]:
                raise StreamFailed(failure[1])
            if not instance.is_alive:
                raise StreamFailed(CRASHED)
            yield step
    finally:
        instance.busy -= 1


TAGS = {"think": ("<think>", "</think>"), "THINK": ("[THINK]", "[/THINK]"), "mm:think": ("<mm:think>", "</mm:think>")}


class Placed:
    """Where the text of each step goes: one of §3.4's three places for reasoning, or `content`."""

    def __init__(self, reasoning_in: str) -> None:
        self.reasoning_in = reasoning_in
        self._tag = "unused"

    def of(self, step: Step) -> tuple[str, str]:
        """The field, and the text with the inline tags it may need."""
        if step.kind == "reasoning" and self.reasoning_in not in TAGS:
            return self.reasoning_in, step.text
        opening, closing = TAGS.get(self.reasoning_in, ("", ""))
        if step.kind == "reasoning" and self._tag == "unused":
            self._tag = "open"
            return "content", f"{opening}{step.text}"
        if step.kind == "answer" and self._tag == "open":
            self._tag = "closed"
            return "content", f"{closing}{step.text}"
        return "content", step.text


class Timed:
    """The server's own clock on one answer."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.began = time.monotonic()
        self.first_s = 0.0
        self.generation_s = 0.0

    def through(self, steps: Iterator[Step]) -> Iterator[Step]:
        """The same steps, timed."""
        first: float | None = None
        for step in steps:
            now = time.monotonic()
            first = now if first is None else first
            self.first_s = first - self.began
            self.generation_s = now - first
            yield step

    def tokens_per_second(self) -> float | None:
        """None for outputs too short to have a speed (§7.9)."""
        if self.job.completion_tokens < 2 or not self.generation_s:
            return None
        return self.job.completion_tokens / self.generation_s
