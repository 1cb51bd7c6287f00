"""One `collect`, unchanged, against servers of every kind: what it says of each, and one short request.

MLX and a second engine are not installed here, so they are named on the command line:

    scripts/bench servers --mlx-python ENV/bin/python --mlx-model DIR
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from collector import measure, run
from collector.backends import Backend
from collector.backends.lmstudio import LMStudio
from collector.backends.openai_chat import OpenAIChat
from collector.embedded_model import small_model
from collector.schema import Results
from collector.suite import Prompt, Suite
from site_src.warehouse import Warehouse

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.lmstudio import Double, DoubleModel, Engine  # the double is no part of the package

TOKENS = 16  # MLX without a Mac makes about one token a second
SUITE = Suite("servers", "One short request", (Prompt("story", "bench", "Tell a long story.", TOKENS),))
MLX = "mlx-community/SmolLM2-135M-Instruct-4bit"
GGUF = "unsloth/smollm2-135m-instruct@q4_1"
PORT = 18222


def main() -> None:
    """Measure each server, then print what the views say."""
    options = argparse.ArgumentParser()
    options.add_argument("--mlx-python", type=Path)
    options.add_argument("--mlx-model", type=Path)
    options.add_argument("--full", action="store_true")  # the same: one request shows all there is to see
    asked = options.parse_args()
    run.WARMUP = Prompt("warmup", "warmup", "Count from one to ten.", 4)
    with tempfile.TemporaryDirectory() as folder:
        results = Results(Path(folder))
        for version, key in (("0.3.30", GGUF), ("0.4.16", GGUF), ("0.4.16", MLX)):
            double(version, key, results)
        llama_server(results)
        if asked.mlx_python and asked.mlx_model:
            mlx_server(asked.mlx_python, asked.mlx_model, results)
        show(results)


def double(version: str, key: str, results: Results) -> None:
    """LM Studio's protocol with a real engine behind it."""
    models = [DoubleModel(GGUF, quantization="Q4_1"), DoubleModel(MLX, format="mlx", auto_fit=131072)]
    with Double(models, version=version, tokens=Engine()) as lmstudio:
        lmstudio.load(key, context_length=131072)
        collect(lmstudio.url, results, is_lmstudio=True)


def llama_server(results: Results) -> None:
    """The embedded engine, spoken to as any llama-server."""
    command = [sys.executable, "-m", "collector.embedded_server", str(small_model()), "8192"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout is not None and process.stdin is not None
        collect(process.stdout.readline().strip(), results)
        process.stdin.close()


def mlx_server(python: Path, model: Path, results: Results) -> None:
    """A real mlx_lm.server."""
    command = [str(python), "-m", "mlx_lm", "server", "--model", str(model), "--port", str(PORT)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{PORT}"
            for _ in range(120):
                with measure.connect(url) as client:
                    try:
                        client.get("/health")
                        break
                    except Exception:  # not listening yet
                        measure.sleep(0.5)
            collect(url, results, model=str(model))
        finally:
            process.terminate()


def collect(url: str, results: Results, model: str | None = None, is_lmstudio: bool = False) -> None:
    """One run of one request."""
    with measure.connect(url) as client:
        backend: Backend = LMStudio(client) if is_lmstudio else OpenAIChat(client, model)
        run.run(client, backend, run.Job(SUITE, 1, results))


def show(results: Results) -> None:
    """A line a run."""
    asked = """
        select server, runtime, runtime_version, quantization, context_effective, completion_tokens, cached_tokens,
            chunk_count, ttft_ms, error_kind
        from request_speed inner join stg_runs using (run_id) order by run_started_at
    """
    for row in Warehouse(results).rows(asked):
        proven = f"{row['server']}: {row['runtime']} ({row['runtime_version']}), {row['quantization']}"
        context = f"context {row['context_effective']}"
        counts = f"{row['completion_tokens']} tokens in {row['chunk_count']} chunks, {row['cached_tokens']} cached"
        print(f"{proven}, {context}; {counts}; TTFT {row['ttft_ms']:.0f} ms; error: {row['error_kind'] or 'none'}")


if __name__ == "__main__":
    main()
