"""Columns that a server fills hold what is of their form, and nothing that a person wrote into it."""

import getpass
import socket
from typing import Any

import pytest

from collector import privacy
from collector.backends import Facts
from collector.privacy import forms, here
from tests.personal import COMPUTER, HOME, HOST, LOGIN, PERSON


@pytest.fixture(autouse=True)
def someone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LM_API_TOKEN", raising=False)
    monkeypatch.setenv("HOME", HOME)
    monkeypatch.setattr(getpass, "getuser", lambda: LOGIN)
    monkeypatch.setattr(socket, "gethostname", lambda: HOST)
    monkeypatch.setattr(here, "_shown_names", lambda: (COMPUTER, PERSON))


SEEN = {
    "server_version": (
        *("0.4.17", "LM Studio 0.4.17+1", "llmster 0.0.21+2", "b9251-e2b129e1b", "b0-unknown", "0.32.2", "8cf427ff"),
        *("xllamacpp 2026.10.11549", "0.16.0rc1.dev3+g1a2b3c4.cu128", "0.13.1-rc0", "0.11.0.1", "1"),
    ),
    "runtime_version": (
        *("llama.cpp-mac-arm64-apple-metal-advsimd 2.41.0", "mlx-llm-mac-arm64-apple-metal-advsimd 1.11.0", "0.32.4"),
        *("llama.cpp-linux-x86_64-nvidia-cuda12-avx2 1.50.2", "llama.cpp-mac-arm64-apple-metal-advsimd", "1.1"),
    ),
    "quantization": (
        *(
            "Q4_K_M",
            "Q4_K - Medium",
            "4bit",
            "8-bit",
            "6.5bit",
            "UD-Q4_K_XL",
            "mixed_3_6bit",
            "4bit-DWQ",
            "BF16",
            "F32",
        ),
        *("IQ3_S mix - 3.66 bpw", "MXFP4 MoE", "TQ1_0 - 1.69 bpw ternary", "NVFP4", "all F32", "FP8", "Q2_K", "IQ4_NL"),
    ),
    "model_format": ("gguf", "mlx", "safetensors"),
    "model_architecture": ("qwen3moe", "gemma3_text", "minimax-m2", "llama", "gpt-oss"),
    "finish_reason": (
        *("stop", "length", "tool_calls", "content_filter", "eosFound", "maxPredictedTokensReached", "end_turn"),
        *("abort", "insufficient_system_resource", "model_length", "error", "cancelled", "userStopped"),
    ),
    "model_key": (
        *("unsloth/tiny@q4_k_m", "qwen3:4b", "gemma-3-270m-Q4_K_M.gguf", "Qwen/Qwen3-Coder-Next", "通义千问-7b", "m"),
        *("lmstudio-community/MiniMax-M2.1-GGUF", "text-embedding-nomic-embed-text-v1.5", "model (2).gguf"),
    ),
    "system_fingerprint": ("fp_44709d6fcb", "b0-unknown", "0.32.2-0.32.4-macOS-26.1-arm64-applegpu_g15d"),
    "model_publisher": ("unsloth", "lmstudio-community"),
}


@pytest.mark.parametrize(("column", "value"), [(column, one) for column, values in SEEN.items() for one in values])
def test_what_servers_say_stays(column: str, value: str) -> None:
    assert privacy.clean({column: value}) == {column: value}
    assert privacy.traces({column: value}) == []


@pytest.mark.parametrize(
    ("column", "said", "kept"),
    [
        ("server_version", f"0.4.17 (built by {LOGIN})", "0.4.17"),
        ("server_version", f"0.11+{LOGIN}", "0.11"),
        ("server_version", f"by {LOGIN} on {HOST}", None),
        ("server_version", "Gwendolyn's server 2", None),
        ("server_version", "", None),
        ("runtime_version", f"llama.cpp-mac-arm64-{LOGIN} 2.4", None),
        (
            "runtime_version",
            "mlx-llm-mac-arm64 1.11.0 for Gwendolyn",
            "mlx-llm-mac-arm64 1.11.0",
        ),
        ("quantization", f"Q4_K_M {LOGIN}", "Q4_K_M"),
        ("quantization", "Gwendolyn's Q4_K_M", None),
        ("quantization", "4bitten by Gwendolyn", None),
        ("model_format", LOGIN, None),
        ("model_format", "gguf of Gwendolyn", None),
        ("model_architecture", f"llama by {LOGIN}", None),
        ("model_architecture", "x" * 200, None),
        ("finish_reason", f"error in {HOME}/a", None),
        ("finish_reason", "gwendolyn_stopped", None),
        ("finish_reason", "stop\nstop", None),
        ("system_fingerprint", "fp Gwendolyn Quux", None),
        ("model_key", f"{HOME}/.lmstudio/models/unsloth/tiny.gguf", "tiny.gguf"),
        ("model_key", "C:\\Users\\jnovak\\tiny.gguf", "tiny.gguf"),
        ("model_key", "file:%2F%2F%2FUsers%2Fjnovak%2Ftiny.gguf", "tiny.gguf"),
        ("model_key", "~jnovak/models/tiny.gguf", "tiny.gguf"),
        ("model_key", r"\\tower\berta\tiny.gguf", "tiny.gguf"),
        ("model_key", "models/private/tiny.gguf", "tiny.gguf"),
        ("model_key", f"{LOGIN}/tiny", "[name]/tiny"),
        ("model_key", f"tiny-on-{HOST}", "tiny-on-[name]"),
        ("model_key", "a\nb", None),
        ("model_key", "/", None),
        ("model_key", "x" * 5000, None),
        ("model_variant", f"tiny@{LOGIN.upper()}", "tiny@[name]"),
        ("answered_model", f"{HOME}/tiny.gguf", "tiny.gguf"),
        ("loaded_instances", ["tiny", f"{HOME}/tiny.gguf", f"{LOGIN}-test"], ["tiny", "tiny.gguf", "[name]-test"]),
        ("model_publisher", "Quendt, Berta", None),
    ],
)
def test_what_a_person_wrote_into_it_does_not(column: str, said: Any, kept: Any) -> None:
    facts: Facts = {column: said}
    cleaned = privacy.clean(facts)
    assert cleaned == {column: kept}
    assert privacy.clean(cleaned) == cleaned
    assert privacy.traces(cleaned) == []


@pytest.mark.parametrize("column", ["server_version", "runtime_version", "model_format", "finish_reason"])
def test_validate_sees_what_is_not_of_the_form(column: str) -> None:
    assert privacy.traces({column: "by Gwendolyn Quux"}) == [(column, "by Gwendolyn Quux")]


@pytest.mark.parametrize("value", [None, 5, 1.5, True, {"a": "b"}, [1, None]])
def test_what_is_no_text_is_for_the_schema_to_refuse(value: Any) -> None:
    for column in forms.FORMS:
        assert forms.fitting(column, value) == value


def test_a_machine_called_like_every_other_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "_shown_names", lambda: ("Mac Studio", ""))
    for login, host in (("admin", "Mac.local"), ("runner", "localhost"), ("me", "")):
        monkeypatch.setattr(getpass, "getuser", lambda login=login: login)
        monkeypatch.setattr(socket, "gethostname", lambda host=host: host)
        assert here.names() == []
