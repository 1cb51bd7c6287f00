"""What LM Studio has downloaded and loaded, read from `/api/v1/models` (0.4) or `/api/v0/models` (0.3.6 and later)."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from collector.backends.chunk import part
from collector.backends.identity import ASKED_S, NO_JSON, parts, string
from collector.measure import sleep

AGAIN_TRIES, AGAIN_S = 5, 0.25  # at the instant a load begins, the model lists may answer 500 with a page
NAMES = {"mlx": re.compile(r"\d+-?bit"), "gguf": re.compile(r"(ud-)?i?q\d")}  # of quantizations, in lower case


@dataclass(frozen=True)
class Instance:
    """A loaded copy of a model. What the server does not tell is None."""

    id: str
    context: int | None = None
    parallel: int | None = None


@dataclass(frozen=True)
class Listed:
    """A model that LM Studio lists."""

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
    is_llm: bool = True  # else an embedding model: never measured, but it takes memory too

    def is_called(self, name: str) -> bool:
        """Whether a person may mean this model by `name`: key, variant, their last part, or an instance's id."""
        known = [self.key, self.variant, *self.variants, *(instance.id for instance in self.instances)]
        return any(_means(name, one) for one in known if one)

    def full_name(self, name: str) -> str:
        """What LM Studio itself calls that which a person calls `name`: the key, or `key@variant`."""
        if "@" in name and not self.is_called(name):  # not every version lists a model's variants
            return f"{self.key}@{name.partition('@')[2]}"
        return next((one for one in (self.key, *self.variants) if _means(name, one)), self.key)

    def as_variant(self, name: str) -> "Listed":
        """The same as the variant of that name, or of `key@name`; the list has the size of the selected one only."""
        wanted = name.rpartition("@")[2].lower()
        found = next((one for one in self.variants if one.rpartition("@")[2].lower() == wanted), None)
        if found is None or found == self.variant:
            return self
        form = next((form for form, names in NAMES.items() if names.match(wanted)), self.format)
        quantization = wanted.upper() if form == "gguf" else wanted
        return replace(self, variant=found, format=form, quantization=quantization, size_bytes=None)


def _means(name: str, full: str) -> bool:
    return name.lower() in (full.lower(), full.lower().split("/")[-1])


def listed(client: httpx.Client) -> list[Listed]:
    """All models; from the newer list where the server has it."""
    v1 = _entries(client, "/api/v1/models", "models")
    if v1 is not None:
        return [_of_v1(entry) for entry in v1]
    return [_of_v0(entry) for entry in _entries(client, "/api/v0/models", "data") or []]


def instance_ids(client: httpx.Client) -> list[str] | None:
    """The ids of everything loaded; None where no list tells it."""
    v1 = _entries(client, "/api/v1/models", "models")
    if v1 is not None:
        return [instance.id for entry in v1 for instance in _of_v1(entry).instances]
    v0 = _entries(client, "/api/v0/models", "data")
    return None if v0 is None else [instance.id for entry in v0 for instance in _of_v0(entry).instances]


def has_load_api(client: httpx.Client) -> bool:
    """Whether this LM Studio loads and unloads over HTTP (0.4 and later)."""
    return _entries(client, "/api/v1/models", "models") is not None


def format_of(client: httpx.Client, instance: str) -> str | None:
    """The format of what is loaded: under one key there may be variants of both, and the newer list has one format."""
    v0 = _entries(client, "/api/v0/models", "data") or []
    return next((string(entry, "compatibility_type") for entry in v0 if entry.get("id") == instance), None)


def _entries(client: httpx.Client, path: str, name: str) -> list[dict[str, Any]] | None:
    """A list of models, asked again while the server fails; None where there is no such list."""
    for attempt in range(AGAIN_TRIES):
        if attempt:
            sleep(AGAIN_S)
        try:
            response = client.get(path, timeout=ASKED_S)
        except httpx.HTTPError:
            return None
        if response.status_code < 500:
            break
    try:
        body = response.json()
    except NO_JSON:
        return None
    return parts(body, name) if isinstance(body, dict) and isinstance(body.get(name), list) else None


def _of_v1(entry: dict[str, Any]) -> Listed:
    variants = entry.get("variants")
    return Listed(
        key=str(entry.get("key")),
        format=string(entry, "format"),
        quantization=string(part(entry, "quantization"), "name"),
        publisher=string(entry, "publisher"),
        architecture=string(entry, "architecture"),
        variant=string(entry, "selected_variant"),
        variants=tuple(one for one in variants if isinstance(one, str)) if isinstance(variants, list) else (),
        size_bytes=_count(entry, "size_bytes"),
        context_advertised=_count(entry, "max_context_length"),
        # An MLX instance's config may hold only the context length; every other key is optional.
        instances=tuple(
            Instance(
                str(one.get("id")), *(_count(part(one, "config"), name) for name in ("context_length", "parallel"))
            )
            for one in parts(entry, "loaded_instances")
        ),
        is_llm=entry.get("type") == "llm",
    )


def _count(answer: dict[str, Any], name: str) -> int | None:
    found = answer.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _of_v0(entry: dict[str, Any]) -> Listed:
    key = str(entry.get("id"))
    loaded = (Instance(key, _count(entry, "loaded_context_length")),) if entry.get("state") == "loaded" else ()
    return Listed(
        key=key,
        format=string(entry, "compatibility_type"),
        quantization=string(entry, "quantization"),
        publisher=string(entry, "publisher"),
        architecture=string(entry, "arch"),
        context_advertised=_count(entry, "max_context_length"),
        instances=loaded,
        is_llm=entry.get("type") in ("llm", "vlm"),
    )
