"""The reference set: two small models, each in five GGUF quantizations on llama.cpp and in 4, 6, 8 bit on MLX.

    scripts/bench reference MODELS PYTHON

MODELS holds NAME-QUANT.gguf and mlx/NAME-BITSbit/; PYTHON is one with mlx-lm. Each group of bits is measured in the
order A B B A, by `collect`, into the results folder. Run it on a machine that does nothing else: about an hour.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from collector import measure
from scripts.benches.servers import PORT

REPEATS = 2
GGUF, MLX = "gguf", "mlx"
GROUPS = {
    "SmolLM2-135M-Instruct": (("Q2_K", "Q4_0", "Q4_1", "4bit"), ("Q6_K", "6bit"), ("Q8_0", "8bit")),
    "gemma-3-270m": (("Q2_K", "Q4_0", "Q4_K_M", "4bit"), ("Q6_K", "6bit"), ("Q8_0", "8bit")),
}
LADDERS = ("SmolLM2-135M-Instruct-Q4_1", "gemma-3-270m-Q4_K_M")
COLLECT = (sys.executable, "-m", "collector")


def main() -> None:
    """Every group there and back, then a context ladder of each model."""
    models, python = Path(sys.argv[1]), Path(sys.argv[2])
    for name, groups in GROUPS.items():
        for group in groups:
            for quantization in (*group, *reversed(group)):
                if quantization.endswith("bit"):
                    mlx(python, models / "mlx" / f"{name}-{quantization}")
                else:
                    collect("--embedded", "--model", str(models / f"{name}-{quantization}.gguf"))
    for name in LADDERS:
        file = str(models / f"{name}.gguf")
        subprocess.run([*COLLECT, "context", "--embedded", "--model", file, "--budget", "150"], check=True)


def collect(*options: str) -> None:
    """One run; its path goes to stdout. An unfit machine ends the whole: figures of a busy one are no reference."""
    subprocess.run([*COLLECT, "--suite", "reference", "--repeats", str(REPEATS), *options], check=True)


def mlx(python: Path, model: Path) -> None:
    """One run against a real mlx_lm.server, which loads its model with the first request."""
    with tempfile.TemporaryDirectory() as folder:
        # without a cache of models it lists none, and takes the name it is told
        environment = os.environ | {"HF_HUB_CACHE": f"{folder}/none", "HF_HUB_OFFLINE": "1"}
        command = [str(python), "-m", "mlx_lm", "server", "--model", str(model), "--port", str(PORT)]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                url = f"http://127.0.0.1:{PORT}"
                wait_for(url)
                measure.sleep(10)  # it has just imported a lot
                collect("--url", url, "--model", str(model))
            finally:
                process.terminate()


def wait_for(url: str) -> None:
    """Until a server listens there; for a minute at most."""
    for _ in range(120):
        with measure.connect(url) as client:
            try:
                client.get("/health")
                return
            except Exception:  # not listening yet
                measure.sleep(0.5)


if __name__ == "__main__":
    main()
