"""What is loaded: instances, and how they come, go and die."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.lmstudio.models import DEFAULT_CONTEXT, DoubleModel, Json, ls_entry, v0_entry

JIT_TTL_MS = 3_600_000  # §7.1: 60 minutes, only for what a request loaded

# Reasons for "Failed to load model". The guard rails' text is that of reports from 0.3.27 to 0.4.16.
OUT_OF_MEMORY = (
    "[METAL] Command buffer execution failed: Insufficient Memory "
    "(00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)"
)
GUARD_RAILS = (
    "Model loading was stopped due to insufficient system resources. Under the current settings, this model requires "
    "approximately 457.00 GB of memory, and continuing to load it would likely overload your system and cause it to "
    "freeze. If you think this is incorrect, you can adjust the model loading guardrails in settings."
)
STARTUP_ABORTED = "Engine protocol startup was aborted."
CANCELED = "Operation canceled."
CRASHED = "The model has crashed without additional information. (Exit code: null)"


class LoadFailed(Exception):
    """The model did not load; the message is the server's own."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f'Failed to load model "{key}". Error: {reason}')


class UnknownModel(Exception):
    """No downloaded model, or no loaded instance, has that name."""


@dataclass
class Instance:
    """One loaded model."""

    id: str
    model: DoubleModel
    context: int
    parallel: int
    loaded_by: str  # "app", "rest", "lms" or "jit"
    ttl_ms: int | None = None
    eval_batch_size: int = 512
    flash_attention: bool = True
    offload_kv_cache_to_gpu: bool = True
    is_alive: bool = True
    refusals_left: int | None = None  # after its worker died: requests it still refuses; None: all
    worker: Any = None  # Engine's process
    cached: set[str] = field(default_factory=set)  # prompts it has seen; gone with the instance, as §7.3 says
    last_used_ms: int | None = None
    busy: int = 0

    def config(self) -> Json:
        """As `loaded_instances` shows it (§2.1)."""
        if self.model.type == "embedding":
            return {"context_length": self.context}
        if self.model.format == "mlx":
            shown = {"parallel": self.parallel} if self.model.shows_parallel else {}
            return {"context_length": self.context, **shown}
        return {**self.load_config(), "parallel": self.parallel}

    def load_config(self) -> Json:
        """As a load echoes it (§2.2): the documented example has no `parallel`, and MLX nothing but the context."""
        if self.model.format == "mlx" or self.model.type == "embedding":
            return {"context_length": self.context}
        experts = {"num_experts": self.model.experts} if self.model.experts else {}
        return {
            "context_length": self.context,
            "eval_batch_size": self.eval_batch_size,
            "flash_attention": self.flash_attention,
            "offload_kv_cache_to_gpu": self.offload_kv_cache_to_gpu,
            **experts,
        }

    def honors_seed(self) -> bool:
        """§7.6: batched MLX, which is any with parallel above 1, ignores the seed."""
        if self.model.honors_seed is not None:
            return self.model.honors_seed
        return self.model.format == "gguf" or self.parallel == 1

    def ps_entry(self) -> Json:
        """One entry of `lms ps --json` (§5.3)."""
        return {
            **ls_entry(self.model),
            "identifier": self.id,
            "ttlMs": self.ttl_ms,
            "lastUsedTime": self.last_used_ms,
            "contextLength": self.context,
            "status": "generating" if self.busy else "idle",
            "queued": self.busy,
            "parallel": None if self.model.type == "embedding" else self.parallel,
        }


class State:
    """The models, which of them are loaded, and which are just loading."""

    def __init__(self, models: list[DoubleModel]) -> None:
        self.models = models
        self.instances: list[Instance] = []
        self.loading: list[DoubleModel] = []
        self.fail_next: dict[str, str] = {}  # key → reason, for one load
        self.may_load = threading.Event()  # tests clear it to look at a load in progress
        self.may_load.set()
        self._lock = threading.RLock()

    def find(self, name: str) -> DoubleModel:
        """The downloaded model with that key, or the build that `key@variant` names. Raises UnknownModel."""
        key, _, variant = name.rpartition("@")
        for model in self.models:
            if model.downloaded and model.key == name:
                return model
            if model.downloaded and model.key == key and (build := model.build(variant)):
                return build
        raise UnknownModel(name)

    def of_key(self, key: str) -> list[Instance]:
        """Every instance of a model."""
        return [instance for instance in self.instances if instance.model.key == key]

    def serving(self, name: str) -> Instance | None:
        """What a request for `name` goes to: the instance so called, else the first one of that model (§2.2)."""
        with self._lock:
            for instance in self.instances:
                if name in (instance.id, instance.model.key, f"{instance.model.key}@{instance.model.selected_variant}"):
                    return instance
        return None

    def load(self, name: str, by: str, source: Any, identifier: str | None = None, **asked: Any) -> Instance:
        """Load a model, or a second instance of it (§2.2). Raises UnknownModel, LoadFailed."""
        model = self.find(name)
        with self._lock:
            if self.loading:  # §3.8: what comes while another load runs is refused
                raise LoadFailed(model.key, CANCELED)
            self.loading.append(model)
        try:
            self.may_load.wait(timeout=60)
            time.sleep(model.load_ms / 1000)
            if reason := self.fail_next.pop(model.key, None) or model.load_error:
                raise LoadFailed(model.key, reason)
            return self._put(model, by, source, identifier, asked)
        finally:
            self.loading.remove(model)

    def _put(self, model: DoubleModel, by: str, source: Any, identifier: str | None, asked: Json) -> Instance:
        context = asked.pop("context_length", None) or min(DEFAULT_CONTEXT, model.max_context_length)
        parallel = asked.pop("parallel", None) or 4  # §7.4: the default of loads over REST and JIT
        given = {name: value for name, value in asked.items() if value is not None}
        for dead in [old for old in self.of_key(model.key) if not old.is_alive]:
            self.unload(dead.id)  # §6: a reload replaces what had died
        with self._lock:
            taken = {instance.id for instance in self.instances}
            numbered = (f"{model.key}:{number}" for number in range(2, 100))
            free = next(name for name in (identifier or model.key, *numbered) if name not in taken)
            instance = Instance(free, model, model.auto_fit or context, parallel, by, **given)
            instance.worker = source.start(instance)
            self.instances.append(instance)
        return instance

    def unload(self, identifier: str) -> None:
        """Unload one instance. Raises UnknownModel."""
        with self._lock:
            found = [instance for instance in self.instances if instance.id == identifier]
            if not found:
                raise UnknownModel(identifier)
            self.instances.remove(found[0])
        if found[0].worker is not None:
            found[0].worker.stop()

    def v0_list(self, version: tuple[int, ...]) -> list[Json]:
        """Every instance under its own name, then what is loading or not loaded (§1.1)."""
        loaded = [v0_entry(one.model, one.id, "loaded", one.context, version) for one in list(self.instances)]
        loading = {model.key for model in list(self.loading)}
        others = [
            v0_entry(model, model.key, "loading" if model.key in loading else "not-loaded", None, version)
            for model in self.models
            if model.downloaded and not self.of_key(model.key)
        ]
        return loaded + others
