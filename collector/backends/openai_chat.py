"""Any server with OpenAI's `/v1/chat/completions`: llama-server, mlx_lm.server, vLLM, Ollama's `/v1`, LM Studio's."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import httpx

from collector import addresses
from collector.backends import Event, Facts, Request, chunk, listing
from collector.backends.chunk import part
from collector.backends.identity import get_json, identify
from collector.errors import ModelUnclear, ServerNotFound

ENDPOINT = "/v1/chat/completions"
SHOWN = 8  # names of models in a message
QUANTIZATION = re.compile(
    r"(?i)(?<![a-z0-9])((?:UD-)?(?:IQ|TQ|Q)\d_[A-Z0-9_]+|BF16|F16|F32|FP8|MXFP[48]|NVFP4"
    # 4bit, 8-bit, 6.5bit, 4bit-DWQ, mixed-3_6bit; not the 5bit of Qwen2.5bit
    r"|(?:mixed[-_])?(?:\d_)?(?<!\d\.)\d{1,2}(?:\.\d+)?-?bit(?:-dwq)?)(?![a-z0-9])"
)


class OpenAIChat:
    """A server that was started, and loaded its model, before `collect` came."""

    loads = False
    was_loaded = False
    may_reload = False

    def __init__(self, client: httpx.Client, model: str | None = None) -> None:
        self.client = client
        self.model = model
        self.left_out: set[str] = set()
        self._tells_loaded = False

    def others(self) -> list[str]:
        """None that such a server would tell of."""
        return []

    def planned(self) -> Facts:
        """The model's name. Raises ServerNotFound, ModelUnclear."""
        return {"model_key": basename(self._choose(self.models())["id"])}

    def describe(self) -> Facts:
        """What the server says of itself and of the model. Raises ServerNotFound, ModelUnclear."""
        models = self.models()
        entry = self._choose(models)
        self.model = entry["id"]
        self._tells_loaded = listing.is_loaded(entry)
        meta = part(entry, "meta")
        facts: Facts = {
            "server": "unknown",
            "server_place": place(self.client.base_url),
            "endpoint": ENDPOINT,
            "model_key": basename(self.model),
            "model_parameters": meta.get("n_params"),
            "file_bytes": meta.get("size"),
            "context_advertised": meta.get("n_ctx_train"),
            "context_effective": entry.get("max_model_len"),
        }
        facts |= identify(self.client, self.model)
        if facts.get("quantization"):
            facts["quantization_source"] = "server"
        elif found := QUANTIZATION.search(facts["model_key"]):
            facts |= {"quantization": found[1], "quantization_source": "model name"}
        return facts

    def trivial_requests(self) -> tuple[tuple[str, str], ...]:
        """Nothing much, whether it is there or not; and the model list, which most servers answer from memory."""
        return ("HEAD", "/"), ("GET", "/health"), ("GET", "/v1"), ("GET", "/v1/models")

    def instances(self) -> list[str] | None:
        """The loaded models of a router; other servers list what they could load, or have one only."""
        if not self._tells_loaded:
            return None
        try:
            return [entry["id"] for entry in listing.listed(self.client) if listing.is_loaded(entry)]
        except ServerNotFound:
            return None

    def chat(self, messages: list[dict[str, str]], max_tokens: int, sampling: Mapping[str, Any]) -> Request:
        """A streamed chat request that names every sampling parameter, since defaults differ between servers."""
        optional = {"stream_options": {"include_usage": True}, **sampling}
        return Request(
            ENDPOINT,
            {
                "model": self.model,
                "messages": messages,
                "max_tokens": max_tokens,
                "stream": True,
                **{key: value for key, value in optional.items() if key not in self.left_out},
            },
        )

    def parse(self, event: str, data: str) -> Event:
        """One streamed chunk. Raises ValueError when it is not a chunk of this protocol."""
        return chunk.read(event, data)

    def prepare(self) -> None:
        """Nothing: see `load`."""

    def load(self) -> Facts:
        """Nothing: the model was loaded before."""
        return {}

    def unload(self) -> Facts:
        """Nothing: what somebody else loaded stays loaded."""
        return {}

    def engine_pid(self) -> int | None:
        """The process that listens at the address, if it is on this machine and ours to see."""
        if place(self.client.base_url) != "local":
            return None
        from collector.memory.engine import listening_pid

        return listening_pid(self.client.base_url.port or 80)

    def models(self) -> list[dict[str, Any]]:
        """The models the server lists. Raises ServerNotFound, ServerLoading."""
        try:
            return listing.listed(self.client)
        except listing.NoList:
            if self.model and get_json(self.client, "/health").get("status") == "ok":
                return [{"id": self.model}]  # seen: mlx_lm.server without a model cache cannot list what it serves
            raise

    def _choose(self, models: list[dict[str, Any]]) -> dict[str, Any]:
        if self.model:
            models = [entry for entry in models if self.model in (entry["id"], basename(entry["id"]))]
            if not models:
                raise ModelUnclear(
                    f"The server has no model {self.model!r}.",
                    "Pass one it lists with --model, or load it there.",
                )
        if not models:
            raise ModelUnclear("The server has no model loaded.", "Load one there, then run `collect` again.")
        loaded = [entry for entry in models if listing.is_loaded(entry)]
        if len(loaded) == 1 and not self.model:  # a router lists all that it could load
            return loaded[0]
        if len(models) > 1:
            listed = [basename(entry["id"]) for entry in loaded or models]
            names = ", ".join(listed[:SHOWN]) + (f" and {len(listed) - SHOWN:,} more" if len(listed) > SHOWN else "")
            which = f", {len(loaded)} of them loaded" if loaded else ""
            raise ModelUnclear(f"The server lists {len(models)} models{which}: {names}.", "Say which one with --model.")
        return models[0]


def place(url: httpx.URL) -> str:
    """`local`, `lan` or `remote`: all that is published of an address."""
    if addresses.is_here(url.host):
        return "local"
    address = addresses.parsed(url.host)
    if address is None:
        return "lan" if url.host.endswith(".local") or "." not in url.host else "remote"
    return "lan" if address.is_private or address.is_link_local else "remote"


def basename(model: str) -> str:
    """A model's name without the folders of the machine it lies on; `publisher/model` keeps both."""
    path = PurePosixPath(model.replace("\\", "/"))
    return model if len(path.parts) <= 2 and not path.is_absolute() else path.name
