"""Where tokens come from: a script, with exact times and counts. `engine.py` has the real ones."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from tests.lmstudio.models import Json
from tests.lmstudio.state import Instance

CACHE_GAIN = 20  # how much sooner the answer to a repeated prompt begins
DEFAULT_TEMPERATURE = 0.8  # §3.2


class Step(NamedTuple):
    """One chunk: what comes, how long after the one before, and how many tokens it stands for."""

    delay_ms: float
    kind: str  # "answer" or "reasoning"
    text: str
    tokens: int = 1


@dataclass
class Job:
    """One request, and what became of it."""

    instance: Instance
    prompt: Json  # {"messages": […]} or {"prompt": "…"}
    max_tokens: int | None = None
    sampling: Json = field(default_factory=dict)
    number: int = 0  # of the requests to this double

    # Filled while it runs
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    finish: str = "stop"

    def count(self, step: Step) -> None:
        """Add what one step stands for."""
        self.completion_tokens += step.tokens
        self.reasoning_tokens += step.tokens if step.kind == "reasoning" else 0


class StreamFailed(Exception):
    """Generation failed after the request was accepted."""


class Source(Protocol):
    """Yields steps when their time has come; `wait` takes ms and ends early when the double is stopped."""

    def start(self, instance: Instance) -> Any:
        """What holds the model from now on; its `stop()` and `kill()` are called. None: nothing does."""

    def run(self, job: Job, wait: Callable[[float], None]) -> Iterator[Step]:
        """The answer."""


def steady(
    tokens: int = 12, ms: float = 2, first_ms: float = 20, per_chunk: int = 1, reasoning: int = 0, word: str = "word"
) -> list[Step]:
    """So many tokens at a steady pace, the first `reasoning` of them thought."""
    steps = []
    for start in range(0, tokens, per_chunk):
        count = min(per_chunk, tokens - start)
        text = "".join(f"{word} " for _ in range(count))
        kind = "reasoning" if start < reasoning else "answer"
        steps.append(Step(first_ms if start == 0 else ms * count, kind, text, count))
    return steps


class Scripted:
    """The same steps for every request, or those that a function makes of it.

    A step is `(delay in ms, kind, text[, tokens])`. `max_tokens` cuts the script short. With `prompt_tokens` None four
    characters are one; `ms_per_prompt_token` delays the first step.
    """

    def __init__(
        self,
        steps: Sequence[tuple[Any, ...]] | Callable[[Job], Sequence[tuple[Any, ...]]] | None = None,
        prompt_tokens: int | None = 24,
        finish: str = "stop",
        ms_per_prompt_token: float = 0,
    ) -> None:
        self.steps = steady() if steps is None else steps
        self.prompt_tokens = prompt_tokens
        self.finish = finish
        self.ms_per_prompt_token = ms_per_prompt_token

    def start(self, instance: Instance) -> None:
        """A script needs no worker."""

    def run(self, job: Job, wait: Callable[[float], None]) -> Iterator[Step]:
        """The script, shortened by `max_tokens` and hastened by a prompt seen before."""
        model = job.instance.model
        text = json.dumps(job.prompt, sort_keys=True, ensure_ascii=False)
        is_repeat = model.caches and text in job.instance.cached
        job.instance.cached.add(text)
        job.prompt_tokens = self.prompt_tokens or len(text) // 4
        if model.cuts_prompts:
            job.prompt_tokens = min(job.prompt_tokens, job.instance.context)
        if job.prompt_tokens > job.instance.context:
            return (yield from too_long(job, job.instance.context))
        for number, step in enumerate(self._shortened(job)):
            delay = step.delay_ms
            if number == 0:
                delay += job.prompt_tokens * self.ms_per_prompt_token
                delay /= CACHE_GAIN if is_repeat else 1
            wait(delay * model.slowdown)
            job.count(step)
            yield step

    def _shortened(self, job: Job) -> list[Step]:
        raw = self.steps(job) if callable(self.steps) else self.steps
        limit = job.max_tokens if job.max_tokens is not None and job.max_tokens >= 0 else None
        kept, left = [], limit
        job.finish = self.finish
        for step in (Step(*one) for one in raw):
            if left is not None and step.tokens > left:
                if left:
                    kept.append(step._replace(tokens=left))
                job.finish = "length"
                break
            kept.append(step)
            left = None if left is None else left - step.tokens
        if not job.instance.honors_seed() and job.sampling.get("temperature", DEFAULT_TEMPERATURE):
            _vary(kept, job.number)
        return kept


def too_long(job: Job, context: int) -> Iterator[Step]:
    """An over-long prompt: GGUF answers 200 with nothing, MLX with an error (measurement.md §2)."""
    if job.instance.model.format == "gguf":
        return
    raise StreamFailed(
        f"Trying to keep the first {job.prompt_tokens} tokens when context the overflows. However, the model is loaded "
        f"with context length of only {context} tokens, which is not enough."
    )
    yield


def _vary(steps: list[Step], number: int) -> None:
    """Another text each time, as sampling without the seed gives."""
    for place in reversed(range(len(steps))):
        if steps[place].text:
            steps[place] = steps[place]._replace(text=f"{steps[place].text}#{number}")
            return
