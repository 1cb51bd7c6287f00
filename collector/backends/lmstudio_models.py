"""What LM Studio has downloaded and loaded, read from `/api/v1/models` (0.4) or `/api/v0/models` (0.3.6 and later)."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from collector.backends.identity import get_json


@dataclass(frozen=True)
class Instance:
    """A loaded copy of a model. What the server does not tell is None."""

    id: str
    context: int | None = None
    parallel: int | None = None


@dataclass(frozen=True)
class Listed:
    """A language model that LM Studio lists."""

    key: str
    format: str | None
    quantization: str | None
    publisher: str | None = None
    architecture: str | None = None
    variant: str | None = None
    variants: tuple[str, ...] = ()
    size_bytes: int | None = None
    context_advertised: int | None = None
    instances: tuple[Instance, ...] = field(default=())

    def is_called(self, name: str) -> bool:
        """Whether a person may mean this model by `name`: key, variant, their last part, or an instance's id."""
        known = [self.key, self.variant, *self.variants, *(instance.id for instance in self.instances)]
        return name.lower() in {form for one in known if one for form in (one.lower(), one.lower().split("/")[-1])}


def listed(client: httpx.Client) -> list[Listed]:
    """The language models; from the newer list where the server has it."""
    v1 = get_json(client, "/api/v1/models").get("models")
    if isinstance(v1, list):
        return [_of_v1(entry) for entry in v1 if isinstance(entry, dict) and entry.get("type") == "llm"]
    v0 = get_json(client, "/api/v0/models").get("data")
    entries = v0 if isinstance(v0, list) else []
    return [_of_v0(entry) for entry in entries if isinstance(entry, dict) and entry.get("type") in ("llm", "vlm")]


def has_load_api(client: httpx.Client) -> bool:
    """Whether this LM Studio loads and unloads over HTTP (0.4 and later)."""
    return isinstance(get_json(client, "/api/v1/models").get("models"), list)


def _of_v1(entry: dict[str, Any]) -> Listed:
    return Listed(
        key=str(entry.get("key")),
        format=entry.get("format"),
        quantization=(entry.get("quantization") or {}).get("name"),
        publisher=entry.get("publisher"),
        architecture=entry.get("architecture"),
        variant=entry.get("selected_variant"),
        variants=tuple(str(one) for one in entry.get("variants") or []),
        size_bytes=entry.get("size_bytes"),
        context_advertised=entry.get("max_context_length"),
        instances=tuple(
            Instance(str(one.get("id")), _config(one).get("context_length"), _config(one).get("parallel"))
            for one in entry.get("loaded_instances") or []
        ),
    )


def _config(instance: dict[str, Any]) -> dict[str, Any]:
    """An MLX instance's config may hold only the context length; every other key is optional."""
    return instance.get("config") or {}


def _of_v0(entry: dict[str, Any]) -> Listed:
    key = str(entry.get("id"))
    loaded = (Instance(key, entry.get("loaded_context_length")),) if entry.get("state") == "loaded" else ()
    return Listed(
        key=key,
        format=entry.get("compatibility_type"),
        quantization=entry.get("quantization"),
        publisher=entry.get("publisher"),
        architecture=entry.get("arch"),
        context_advertised=entry.get("max_context_length"),
        instances=loaded,
    )
