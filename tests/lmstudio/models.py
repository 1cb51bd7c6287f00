"""What is downloaded: the models of the double, and how each behaves."""

import re
from dataclasses import dataclass, replace
from typing import Any

Json = dict[str, Any]

# §4. LM Studio's own engine names on Apple Silicon; the versions are its own too.
RUNTIMES = {
    "gguf": ("llama.cpp-mac-arm64-apple-metal-advsimd", "2.41.0"),
    "mlx": ("mlx-llm-mac-arm64-apple-metal-advsimd", "1.11.0"),
}
DEFAULT_CONTEXT = 4096  # what LM Studio loads when nothing is asked


@dataclass
class DoubleModel:
    """One downloaded model, or one that can be downloaded. Give only what matters."""

    key: str
    format: str = "gguf"  # or "mlx"
    quantization: str | None = None  # "Q4_K_M" or "4bit" when not given
    bits: int | None = None  # nominal; taken from the name when not given
    size_bytes: int = 98_362_432
    params_string: str | None = "135M"
    architecture: str | None = "llama"
    publisher: str = ""
    type: str = "llm"  # or "vlm", "embedding"
    max_context_length: int = 131_072
    tool_use: bool = False
    experts: int | None = None
    variants: tuple[str, ...] = ()  # names after the "@"; absent from the answers when empty, as for most downloads
    selected_variant: str | None = None  # one of them
    builds: tuple["DoubleModel", ...] = ()  # §4: further builds under this same key, told apart by selected_variant
    device: str | None = None  # served by another machine over LM Link; only `lms ls/ps --json` shows it
    downloaded: bool = True

    # How it behaves
    load_ms: float = 0
    load_error: str | None = None  # never loads, for this reason
    auto_fit: int | None = None  # §7.2: the context it gets, whatever was asked (MLX)
    shows_parallel: bool = False  # §2.1: later versions show `parallel` in an MLX instance's config
    reasoning_in: str = (
        "reasoning_content"  # or "reasoning", or inline tags: "think" (§3.4), "THINK" (bt#699), "mm:think"
    )
    honors_seed: bool | None = None  # None: as §7.6 says (MLX only with parallel 1)
    caches: bool = True  # §7.3: some models do not reuse a prompt
    cuts_prompts: bool = False  # the app's setting "truncate middle": a prompt beyond the context is cut without a word
    hides_runtime: bool = False  # no runtime block in /api/v0 answers
    runtime_of: str | None = None  # the runtime block and model_info contradict: those of this format
    tokens_per_chunk: int = 1  # with Engine; a script says it itself
    slowdown: float = 1.0  # every delay times this
    tokens: Any = None  # a token source of its own; else the double's

    def __post_init__(self) -> None:
        self.quantization = self.quantization or {"gguf": "Q4_K_M", "mlx": "4bit"}[self.format]
        self.publisher = self.publisher or self.key.partition("/")[0]
        if self.bits is None and (digit := re.search(r"\d+", self.quantization)):
            self.bits = int(digit[0])
        if self.variants and self.selected_variant is None:
            self.selected_variant = self.variants[0]

    def build(self, variant: str) -> "DoubleModel | None":
        """The build that `key@variant` names."""
        for build in (self, *self.builds):
            if build.selected_variant == variant:
                return build
        if variant not in self.variants:
            return None
        quantization = variant.upper() if self.format == "gguf" else variant
        return replace(self, selected_variant=variant, quantization=quantization, bits=None, builds=())

    def runtime(self) -> Json | None:
        """The runtime block of §1.3."""
        if self.hides_runtime:
            return None
        name, version = RUNTIMES[self.runtime_of or self.format]
        return {"name": name, "version": version, "supported_formats": [self.runtime_of or self.format]}

    def full_variants(self) -> list[str]:
        """As the lists spell them: `key@variant`."""
        return [f"{self.key}@{name}" for name in self.variants]


def v1_entry(model: DoubleModel, loaded: list[Json]) -> Json:
    """One entry of `GET /api/v1/models` (§2.1)."""
    is_embedding = model.type == "embedding"
    entry: Json = {
        "type": "embedding" if is_embedding else "llm",
        "publisher": model.publisher,
        "key": model.key,
        "display_name": model.key.partition("/")[2] or model.key,
    }
    if not is_embedding:
        entry["architecture"] = model.architecture
    entry |= {
        "quantization": {"name": model.quantization, "bits_per_weight": model.bits},
        "size_bytes": model.size_bytes,
        "params_string": model.params_string,
        "loaded_instances": loaded,
        "max_context_length": model.max_context_length,
        "format": model.format,
    }
    if not is_embedding:
        entry["capabilities"] = {"vision": model.type == "vlm", "trained_for_tool_use": model.tool_use}
        entry["description"] = None
    if model.variants:
        entry["variants"] = model.full_variants()
        entry["selected_variant"] = f"{model.key}@{model.selected_variant}"
    return entry


def v0_entry(model: DoubleModel, identifier: str, state: str, context: int | None, version: tuple[int, ...]) -> Json:
    """One entry of `GET /api/v0/models` (§1.1)."""
    entry: Json = {
        "id": identifier,
        "object": "model",
        "type": {"embedding": "embeddings"}.get(model.type, model.type),
        "publisher": model.publisher,
        "arch": model.architecture,
        "compatibility_type": model.format,
        "quantization": model.quantization,
        "state": state,
        "max_context_length": model.max_context_length,
    }
    if context is not None:
        entry["loaded_context_length"] = context
    if model.tool_use and version >= (0, 3, 16):
        entry["capabilities"] = ["tool_use"]
    return entry


def ls_entry(model: DoubleModel) -> Json:
    """One entry of `lms ls --json` (§5.2). MLX appears as safetensors."""
    entry: Json = {
        "type": "embedding" if model.type == "embedding" else "llm",
        "modelKey": model.key,
        "format": {"mlx": "safetensors"}.get(model.format, model.format),
        "displayName": model.key.partition("/")[2] or model.key,
        "publisher": model.publisher,
        "path": model.key,
        "sizeBytes": model.size_bytes,
        "indexedModelIdentifier": model.key,
        "deviceIdentifier": model.device,
        "paramsString": model.params_string,
        "architecture": model.architecture,
        "quantization": {"name": model.quantization, "bits": model.bits},
        "maxContextLength": model.max_context_length,
    }
    if model.variants:
        entry["variants"] = model.full_variants()
        entry["selectedVariant"] = f"{model.key}@{model.selected_variant}"
    if model.type != "embedding":
        entry |= {"vision": model.type == "vlm", "trainedForToolUse": model.tool_use}
    return entry
