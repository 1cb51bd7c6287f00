"""LM Studio: finds what is loaded, loads and unloads, and proves which runtime answers.

Timed requests go to `/v1/chat/completions` like everywhere else, so that MLX and llama.cpp are timed alike.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx

from collector.backends import Facts, failures, lms
from collector.backends.chunk import error_text, part
from collector.backends.identity import NO_JSON, get_json, string
from collector.backends.lmstudio_models import Instance, Listed, format_of, has_load_api, instance_ids, listed
from collector.backends.openai_chat import ENDPOINT, OpenAIChat, place
from collector.errors import ModelUnclear
from collector.measure import connect, sleep

STATUS_PORTS = (41343, 52993, 16141, 39414, 22931)  # LM Studio's internal server, on this machine only
UNLOAD_S = 60  # takes seconds; whoever stopped the run is waiting
SETTLE_TRIES, SETTLE_S = 40, 0.25  # a model is not gone, or not there, at the very moment LM Studio says so


class LMStudio(OpenAIChat):
    """A running LM Studio, with the model to measure loaded already or to be loaded."""

    def __init__(
        self,
        client: httpx.Client,
        model: str | None = None,
        load: str | None = None,
        context: int | None = None,
        unload: bool = False,
    ) -> None:
        """`load`: the key to load first; `model`: which of the loaded ones. Raises ServerNotFound, ModelUnclear."""
        super().__init__(client, model)
        self.loads = load is not None
        self.may_reload = load is None
        self._unloads = unload
        self._is_loading = False
        self._context = context
        self._lms = lms.find() if place(client.base_url) == "local" else None
        self._target = self._find(load) if load else None
        self._key = self._target.full_name(load) if self._target and load else None

    def loaded(self) -> list[tuple[Listed, Instance]]:
        """Every loaded instance; one of an embedding model takes memory too."""
        return [(model, instance) for model in listed(self.client) for instance in model.instances]

    def instances(self) -> list[str] | None:
        """The ids of everything loaded: somebody else's request may evict the model, or load another beside it."""
        return instance_ids(self.client)

    def others(self) -> list[str]:
        """Other loaded instances; where this one is to be loaded, they are unloaded first."""
        if self.loads:
            return []
        _, chosen = self.chosen()
        return [instance.id for _, instance in self.loaded() if instance.id != chosen.id]

    def planned(self) -> Facts:
        """What the model list says of the model. Raises ModelUnclear."""
        if self._target:
            return {**self._server(), **_model_facts(self._target), "model_requested": self._key}
        # Which of several variants is loaded, and with it the size, only `describe` finds out.
        return {**self._server(), **_model_facts(self.chosen()[0]), "file_bytes": None}

    def prepare(self) -> None:
        """Unload everything, so that memory is at rest and no second instance comes about. Raises ModelUnclear."""
        if not has_load_api(self.client) and not self._lms:
            raise ModelUnclear(
                "This LM Studio loads and unloads only through its window (its HTTP load API came with 0.4).",
                "Load the model there and run `collect` without --load and --reload, or install the `lms` command.",
            )
        for _, instance in self.loaded():
            self._unload(instance.id)
        self._settle(lambda: not self.loaded(), "LM Studio still lists a loaded model after unloading it.")

    def load(self) -> Facts:
        """Load the model over the API, or through `lms`, which alone can ask for one slot."""
        assert self._target is not None and self._key is not None
        self._is_loading = True
        if self._lms:
            said = lms.load(self._lms, self._key, self._context)
            facts: Facts = _failed_load(said) if said else {}
        else:
            facts = self._load_over_api()
        self._is_loading = False
        if "error_kind" in facts:
            return facts
        instances = self.loaded()
        if len(instances) != 1 or instances[0][0].key != self._target.key:
            if self._unloads:
                for _, instance in instances:
                    self._unload(instance.id)
            return {
                "error_kind": "load_mismatch",
                "error_detail": f"asked for {self._key}, loaded {_names(instances)}",
                "loaded_instances": [instance.id for _, instance in instances],
            }
        self.model = instances[0][1].id
        return facts

    def unload(self) -> Facts:
        """Unload the measured model, where that was asked for; also one whose loading was stopped, once it is there."""
        if self._unloads and self._is_loading:
            self._is_loading = False
            self._wait(lambda: bool(self._instances_of_target()))
            for name in self._instances_of_target():
                self._unload(name)
        elif self._unloads and self.model:
            self._unload(self.model)
            self._unloads = False
        return {}

    def _instances_of_target(self) -> list[str]:
        return [one.id for model, one in self.loaded() if self._target and model.key == self._target.key]

    def describe(self) -> Facts:
        """What is loaded, and the proof of the runtime. Raises ModelUnclear, ServerNotFound."""
        model, instance = self.chosen()
        self.model = instance.id
        model = replace(model, format=format_of(self.client, instance.id) or model.format)
        proven = self._runtime(model)
        facts = {
            **self._server(),
            # Of several variants under one key, only the one that answers tells which it is.
            **_model_facts(model.as_variant(str(proven.get("quantization") or ""))),
            "context_effective": instance.context,
            "parallel": instance.parallel,
            **proven,
        }
        if self._lms:
            facts |= _from_lms(lms.loaded(self._lms), instance.id, facts)
        return {name: value for name, value in facts.items() if value is not None}

    def as_loaded(self) -> tuple[str, int | None]:
        """The key and context that load the chosen model again as it is. Raises ModelUnclear."""
        model, instance = self.chosen()
        self.model = instance.id
        answers = model.as_variant(str(self._runtime(model).get("quantization") or ""))
        return answers.variant or answers.key, instance.context

    def _server(self) -> Facts:
        return {
            "server": "lmstudio",
            "server_version": self._version(),
            "server_place": place(self.client.base_url),
            "endpoint": ENDPOINT,
        }

    def _version(self) -> str | None:
        if place(self.client.base_url) != "local":
            return None
        for port in STATUS_PORTS:
            with connect(f"http://127.0.0.1:{port}") as client:  # without the token
                client.timeout = httpx.Timeout(1)
                said = get_json(client, "/lms-status")
            if said.get("version"):
                return " ".join(str(said[name]) for name in ("package", "version") if said.get(name))
        return None

    def chosen(self) -> tuple[Listed, Instance]:
        """The loaded model that is meant. Raises ModelUnclear."""
        instances = [one for one in self.loaded() if one[0].is_llm]
        if not instances:
            self.models()  # tells a server that wants a token from one without models
        if self.model:
            wanted = [one for one in instances if one[1].id == self.model]
            wanted = wanted or [one for one in instances if one[0].is_called(self.model)]
            if not wanted:
                raise ModelUnclear(
                    f"{self.model!r} is not loaded in LM Studio; loaded: {_names(instances)}.",
                    "Load it there, or let `collect --load KEY` do it.",
                )
            instances = wanted
        if not instances:
            raise ModelUnclear("LM Studio has no model loaded.", "Load one there, or let `collect --load KEY` do it.")
        if len(instances) > 1:
            raise ModelUnclear(
                f"LM Studio has several models loaded: {_names(instances)}.",
                "Unload all but one, or say which one with --model.",
            )
        return instances[0]

    def _find(self, key: str) -> Listed:
        models = [model for model in listed(self.client) if model.is_llm]
        if not models:
            self.models()  # tells a server that wants a token, or is none, from one without models
        wanted = [model for model in models if model.is_called(key)]
        if not wanted and "@" in key:  # not every version lists a model's variants
            wanted = [model for model in models if not model.variants and model.is_called(key.partition("@")[0])]
        if len(wanted) == 1:
            return wanted[0].as_variant(key)
        names = ", ".join(model.variant or model.key for model in wanted or models) or "none"
        which = "several models" if wanted else "no model"
        raise ModelUnclear(f"LM Studio has {which} called {key!r}; it lists: {names}.", "Pass one of these to --load.")

    def _load_over_api(self) -> Facts:
        asked: dict[str, Any] = {"model": self._key, "echo_load_config": True}
        if self._context:
            asked["context_length"] = self._context
        try:
            response = self.client.post("/api/v1/models/load", json=asked)
            body = response.json()
            if isinstance(body, dict) and body.get("status") == "loaded" and not body.get("error"):
                return {"reported_load_s": body.get("load_time_seconds"), "http_status": response.status_code}
            said = error_text(body.get("error") or body) if isinstance(body, dict) else str(body)
        except httpx.TimeoutException:
            return {"error_kind": "load_timeout", "error_detail": "LM Studio did not answer while loading"}
        except (httpx.HTTPError, *NO_JSON) as error:
            return _failed_load(f"{type(error).__name__}: {error}")
        return {**_failed_load(said), "http_status": response.status_code}

    def _unload(self, instance: str) -> None:
        if has_load_api(self.client):
            get_json(self.client, "/api/v1/models/unload", post={"instance_id": instance}, patience_s=UNLOAD_S)
        elif self._lms:
            lms.unload(self._lms, instance)

    def _settle(self, holds: Callable[[], bool], otherwise: str) -> None:
        if not self._wait(holds):
            raise ModelUnclear(otherwise, "Unload it in LM Studio's window, then try again.")

    def _wait(self, holds: Callable[[], bool]) -> bool:
        for _ in range(SETTLE_TRIES):
            if holds():
                return True
            sleep(SETTLE_S)
        return False

    def _runtime(self, model: Listed) -> Facts:
        """One untimed token over `/api/v0`, whose answer alone names the engine."""
        asked = {"model": self.model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
        said = get_json(self.client, "/api/v0/chat/completions", post=asked)
        engine = part(said, "runtime")
        name = string(engine, "name") or ""
        runtime = "mlx" if name.startswith("mlx") else "llama.cpp" if name.startswith("llama.cpp") else None
        quantization = string(part(said, "model_info"), "quant")
        answered = {"quantization": quantization, "quantization_source": "server"} if quantization else {}
        by_format = {"mlx": "mlx", "gguf": "llama.cpp"}.get(model.format or "")
        if runtime is None:
            return {"runtime": by_format, "runtime_proof": None, **answered}
        if by_format and runtime != by_format:
            proof = CONTRADICTED
        else:
            proof = "the model list's format and the runtime block of /api/v0 agree"
        version = f"{name} {string(engine, 'version') or ''}".strip()
        return {"runtime": runtime, "runtime_version": version, "runtime_proof": proof, **answered}


CONTRADICTED = "contradicted: the model list's format and the runtime block of /api/v0 disagree"


def is_lmstudio(client: httpx.Client) -> bool:
    """Whether LM Studio answers. Asked before any other server: it answers 200 to every path."""
    return bool(get_json(client, "/lmstudio-greeting").get("lmstudio"))


def _model_facts(model: Listed) -> Facts:
    return {
        "model_key": model.key,
        "model_publisher": model.publisher,
        "model_variant": model.variant,
        "model_architecture": model.architecture,
        "model_format": model.format,
        "runtime": {"mlx": "mlx", "gguf": "llama.cpp"}.get(model.format or ""),
        "quantization": model.quantization,
        "quantization_source": "server" if model.quantization else None,
        "file_bytes": model.size_bytes,
        "context_advertised": model.context_advertised,
    }


def _failed_load(said: str) -> Facts:
    return {"error_kind": failures.of_load(said), "error_detail": said}


def _names(instances: list[tuple[Listed, Instance]]) -> str:
    return ", ".join(instance.id for _, instance in instances) or "nothing"


def _from_lms(loaded: list[dict[str, Any]], instance: str, known: Facts) -> Facts:
    """Size, slots and device, which older HTTP APIs do not tell."""
    entry = next((one for one in loaded if one.get("identifier") == instance), {})
    return {
        "file_bytes": entry.get("sizeBytes") or known.get("file_bytes"),
        "parallel": known.get("parallel") or entry.get("parallel"),
        "served_by": "another device (LM Link)" if entry.get("deviceIdentifier") else known.get("served_by"),
    }
