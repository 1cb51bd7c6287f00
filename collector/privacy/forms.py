"""What the columns look like that a server fills: a value that does not is kept as far as it does, or not at all."""

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from collector.privacy import words

LONGEST = 200
# Names that the person may have chosen: what LM Studio calls a fingerprint is the identifier a model was loaded under.
CHOSEN = (
    "model_key",
    "model_publisher",
    "model_variant",
    "model_requested",
    "system_fingerprint",
    "answered_model",
    "loaded_instances",
)
FORMATS = ("gguf", "ggml", "mlx", "safetensors", "pytorch", "onnx", "coreml", "exl2", "exl3", "awq", "gptq", "mlc")
_PRODUCT = r"(?:LM ?Studio|lmstudio|llmster|xllamacpp|llama\.cpp|llama-server|mlx_lm|mlx-lm|mlx|ollama|vllm|sglang)"
# 0.4.17, b9251-e2b129e1b, 0.16.0rc1.dev3+g1a2b3c4.cu128, b0-unknown
_NUMBER = (
    r"(?:(?=[a-f]{0,39}\d)[0-9a-f]{7,40}|[bvr]?\d{1,10}(?:\.\d{1,10}){0,4}(?:[-+._]?(?:rc|a|b|alpha|beta|dev|post|pre|build)\.?\d{0,8}){0,3}"
    r"(?:[-+.](?:g?[0-9a-f]{6,40}|d\d{8}|cu\d{2,3}|cpu|rocm\d{0,4}|unknown|\d{1,10})){0,3})(?![^\W_])"
)
_ENGINE = (
    r"(?:llama\.cpp|mlx|llm|vlm|mac\d{0,2}|macos|linux|win|windows|arm64|aarch64|x86_64|amd64|x64|apple|metal|advsimd|neon"
    r"|avx2?|avx512|cuda|cuda\d{1,3}|nvidia|amd|rocm|hip|vulkan|cpu|gpu|engine|mlx_engine|universal)"
)
_VERSION = re.compile(
    rf"(?i)(?:(?:{_PRODUCT}|{_ENGINE}(?:-{_ENGINE}){{0,9}})(?=$|[ /@-]v?b?\d))?(?:(?:^|[ /@-])v?{_NUMBER})?"
)
_BITS = (
    r"(?:UD|(?:IQ|TQ|Q)\d|[KSMLPR]|XS|XXS|XL|NL|BF16|F16|F32|FP\d{1,2}|INT\d|MXFP\d|NVFP\d|W\d{1,2}A\d{1,2}|DWQ|AWQ|GPTQ"
    r"|QAT|GS\d{2,3}|EXL\d|mixed|MoE|mix|bpw|ternary|Small|Medium|Large|all|mostly|guessed|unknown"
    r"|\d{1,3}(?:\.\d{1,4})?-?(?:bit|bpw)?)"
)
_QUANTIZATION = re.compile(rf"(?i)\(?{_BITS}(?:[ _,()-]{{1,3}}{_BITS}){{0,9}}\)?(?![^\W_])")
_ARCHITECTURE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{1,39}")
_NAME_PART = re.compile(r"(?:\[name\]|[^\W_])[\w.@:+()\[\]=,~-]*(?: [\w.@:+()\[\]=,~-]+){0,8}")
_REASON = re.compile(r"[A-Za-z]+(?:[ _-][A-Za-z]+){0,5}")
_SEPARATOR = re.compile(r"[\\/]+")
_FOLDERS = re.compile(r"(?:/|~|[A-Za-z]:|file:|\\)")  # with these begins a name that is a path


def name(value: str) -> str | None:
    """What a model's name needs: `publisher/model` as it is, of a path its last part."""
    plain = html.unescape(unquote(value)).replace("\\/", "/") if re.search(r"%[0-9a-fA-F]{2}|\\/|&#", value) else value
    parts = [part for part in _SEPARATOR.split(plain.strip()) if part]
    if not parts:
        return None
    is_path = len(parts) > 2 or (_FOLDERS.match(plain) and len(parts) > 1) or plain.startswith(("/", "~"))
    kept = parts[-1:] if is_path else parts
    if any(not _NAME_PART.fullmatch(part) for part in kept):
        return None
    told = value if kept == parts and "/".join(parts) == value else "/".join(kept)
    return told if len(told) <= LONGEST else None


def _without_blanks(value: str) -> str | None:
    told = name(value)
    return told if told and not re.search(r"\s", told) else None


def _beginning(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    def part(value: str) -> str | None:
        found = pattern.match(value.strip())
        return found.group().strip() or None if found else None

    return part


def _one_of(known: tuple[str, ...]) -> Callable[[str], str | None]:
    return lambda value: value if value.lower() in known else None


def _whole(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda value: value if pattern.fullmatch(value) else None


def _reason(value: str) -> str | None:
    """Why generation ended, in words that are known."""
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", value).replace("_", " ").lower()
    return value if _REASON.fullmatch(value) and words.are_known(parts) else None


FORMS: dict[str, Callable[[str], str | None]] = {
    **dict.fromkeys(CHOSEN, name),
    "system_fingerprint": _without_blanks,
    "model_publisher": _without_blanks,
    "server_version": _beginning(_VERSION),
    "runtime_version": _beginning(_VERSION),
    "quantization": _beginning(_QUANTIZATION),
    "model_architecture": _whole(_ARCHITECTURE),
    "model_format": _one_of(FORMATS),
    "finish_reason": _reason,
}


def fitting(column: str, value: Any) -> Any:
    """The value, or its part, that is of the column's form; None where none is. A list keeps its length."""
    if isinstance(value, list):
        return [fitting(column, entry) for entry in value]
    form = FORMS.get(column)
    return form(value) if form and isinstance(value, str) else value
