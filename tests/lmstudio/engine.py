"""Real tokens: a llama.cpp server per loaded model, its stream taken apart so that it can be sent as LM Studio's."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from collector.embedded_model import small_model
from tests.lmstudio.models import RUNTIMES, Json
from tests.lmstudio.state import CRASHED, STARTUP_ABORTED, Instance, LoadFailed
from tests.lmstudio.tokens import Job, Step, StreamFailed, too_long

# §3.2: what LM Studio samples with where the request says nothing.
DEFAULTS = {"temperature": 0.8, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "repeat_penalty": 1.1}


class Worker:
    """The process that holds one loaded model."""

    def __init__(self, instance: Instance, model: Path, context: int) -> None:
        # The last argument is for those who look for LM Studio's workers by their command line (§6).
        engine = "-".join(RUNTIMES[instance.model.format])
        program = "llama-server" if instance.model.format == "gguf" else "llmworker.js"
        shown = f"extensions/backends/{engine}/{program}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "collector.embedded_server", str(model), str(context), shown],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.context = context
        self.address = urlsplit(self.process.stdout.readline().strip())
        if not self.address.port:
            self.stop()
            raise LoadFailed(instance.model.key, STARTUP_ABORTED)

    def is_running(self) -> bool:
        """Whether it lives; somebody else may have ended it."""
        return self.process.poll() is None

    def kill(self) -> None:
        """As a crash would: in the middle of whatever it does."""
        self.process.kill()
        self.process.wait(timeout=60)

    def stop(self) -> None:
        """End it; its standard input closing is the sign."""
        if self.process.stdin is None or self.process.stdin.closed:
            return
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Engine:
    """Token source with a real model behind it. The engine's own context stays at most `max_context` (8192)."""

    def __init__(self, model: Path | None = None, max_context: int = 8192) -> None:
        self.model = model or small_model()
        self.max_context = max_context

    def start(self, instance: Instance) -> Worker:
        """A process of its own for each instance, so that loading, unloading and crashing are real."""
        return Worker(instance, self.model, min(instance.context, self.max_context))

    def run(self, job: Job, wait: Callable[[float], None]) -> Iterator[Step]:
        """The engine's tokens, `tokens_per_chunk` at a time, at its own pace times `slowdown`."""
        model = job.instance.model
        sent = time.monotonic()
        texts: list[str] = []
        took_ms = 0.0  # by the engine's own clock: it does not wait for us, so the time between reads says nothing
        for chunk in self._chunks(job):
            self._account(job, chunk)
            timings = chunk.get("timings") or {}
            took_ms = timings.get("prompt_ms", 0) + timings.get("predicted_ms", 0) or took_ms
            if text := _text(chunk):
                texts.append(text)
            if texts and (not text or len(texts) >= model.tokens_per_chunk):
                if model.slowdown > 1:
                    wait(took_ms * model.slowdown - (time.monotonic() - sent) * 1000)
                job.completion_tokens += len(texts)  # until the engine's own count comes at the end
                yield Step(0, "answer", "".join(texts), len(texts))
                texts = []

    def _account(self, job: Job, chunk: Json) -> None:
        usage = chunk.get("usage") or {}
        job.prompt_tokens = usage.get("prompt_tokens", job.prompt_tokens)
        job.completion_tokens = usage.get("completion_tokens", job.completion_tokens)
        for choice in chunk.get("choices") or []:
            job.finish = choice.get("finish_reason") or job.finish

    def _body(self, job: Job) -> Json:
        sampling = {**DEFAULTS, **job.sampling}
        if not job.instance.honors_seed():
            sampling.pop("seed", None)
        return {
            **job.prompt,
            **sampling,
            "max_tokens": -1 if job.max_tokens is None else job.max_tokens,
            "cache_prompt": job.instance.model.caches,
            "stream": True,
            "stream_options": {"include_usage": True},
            "timings_per_token": True,
        }

    def _chunks(self, job: Job) -> Iterator[Json]:
        address = job.instance.worker.address
        path = "/v1/chat/completions" if "messages" in job.prompt else "/v1/completions"
        connection = http.client.HTTPConnection(address.hostname, address.port)
        try:
            connection.request("POST", path, json.dumps(self._body(job)), {"Content-Type": "application/json"})
            response = connection.getresponse()
            if response.status != 200:
                yield from self._refused(job, json.loads(response.read()))
                return
            while (line := response.readline().strip()) != b"data: [DONE]":
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])
                elif not line and response.isclosed():
                    raise StreamFailed(CRASHED)
        except (OSError, http.client.HTTPException):
            raise StreamFailed(CRASHED) from None
        finally:
            connection.close()

    def _refused(self, job: Job, body: Any) -> Iterator[Json]:
        error = body["error"]
        if error.get("type") != "exceed_context_size_error":
            raise StreamFailed(error["message"])
        context = job.instance.worker.context
        job.prompt_tokens = error.get("n_prompt_tokens") or context + 1
        for _ in too_long(job, context):
            yield {}


def _text(chunk: Json) -> str:
    """What a chunk of either endpoint says; this small model does not think."""
    choice = (chunk.get("choices") or [{}])[0]
    return (choice.get("delta") or {}).get("content") or choice.get("text") or ""
