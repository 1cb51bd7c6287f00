"""What it costs to start `collect`, and to build the site over 1 and over 100 runs."""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from collector import store
from collector.backends import Facts
from collector.schema import CLONE, Results

BAR_S = 0.3  # CPU seconds that `collect --help` may take
BIN = Path(sys.executable).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="5 builds of each size instead of 2")
    builds = 5 if parser.parse_args().full else 2

    print(f"startup: {os.cpu_count()} cores, load average before it began: {os.getloadavg()[0]:.1f}\n")
    print(f"{'':44} {'n':>4} {'median':>9} {'min':>9} {'max':>9}")
    help_s = [cpu_s([str(BIN / "collect"), "--help"]) for _ in range(20)]
    line("collect --help, CPU s", help_s, f"   bar {BAR_S}")
    line("import collector.cli, CPU s", [cpu_s([sys.executable, "-c", "import collector.cli"]) for _ in range(20)])
    line("python alone, CPU s", [cpu_s([sys.executable, "-c", ""]) for _ in range(20)])
    medians = {}
    for count in (1, 100):
        with tempfile.TemporaryDirectory() as folder:
            made = Results(Path(folder) / "results")
            synthetic(made, count)
            times = [build_s(made, Path(folder) / "site") for _ in range(builds)]
        line(f"mkdocs build --strict, {count} synthetic runs, s", times)
        medians[count] = statistics.median(times)
    print(f"\n100 runs take {medians[100] / medians[1]:.2f} times as long as 1")


def cpu_s(command: list[str]) -> float:
    """User and system time of a program, its children included."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime


def build_s(results: Results, site: Path) -> float:
    began = time.perf_counter()
    environment = {**os.environ, "LLM_RESULTS": str(results.root), "NO_MKDOCS_2_WARNING": "1"}
    command = [str(BIN / "mkdocs"), "build", "--strict", "--quiet", "--site-dir", str(site)]
    done = subprocess.run(command, cwd=CLONE, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return time.perf_counter() - began


def synthetic(results: Results, count: int) -> None:
    """Runs of 10 models, each 5 prompts five times, 400 tokens a request, one a chunk."""
    chance = random.Random(42)
    started = datetime(2026, 1, 1)
    for number in range(count):
        model = number % 10
        facts = {
            "run_id": f"{number:012x}",
            "run_started_at": started + timedelta(hours=number),
            "run_state": "complete",
            "chip": "Synthetic",
            "memory_bytes": 512 * 10**9,
            "server": "synthetic",
            "runtime": "llama.cpp" if model % 2 else "mlx",
            "runtime_proof": "synthetic",
            "model_key": f"synthetic-{model}-4bit",
            "quantization": "4bit",
            "file_bytes": (model + 1) * 10**9,
            "context_effective": 131072,
            "suite": "synthetic",
            "repeats": 5,
        }
        rows = [request(chance, prompt, repeat) for repeat in range(1, 6) for prompt in range(5)]
        store.write(results, facts, [{**row, "op_index": index} for index, row in enumerate(rows)])


def request(chance: random.Random, prompt: int, repeat: int) -> Facts:
    gaps = [200_000] + [round(chance.gauss(20_000, 500)) for _ in range(399)]
    times = [gaps[0] * 1000, sum(gaps) * 1000]
    return {
        "op": "request",
        "prompt_id": f"prompt-{prompt}",
        "prompt_category": "synthetic",
        "prompt_sha256": f"{prompt}",
        "repeat": repeat,
        "max_tokens": 400,
        "prompt_tokens": 600,
        "completion_tokens": 400,
        "cached_tokens": 0,
        "first_text_ns": times[0],
        "first_answer_ns": times[0],
        "last_text_ns": times[1],
        "done_ns": times[1],
        "elapsed_ns": times[1],
        "finish_reason": "length",
        "chunks": [{"gap_us": gap, "kind": "answer", "chars": 4} for gap in gaps],
        "output_text": "word" * 400,
    }


def line(what: str, values: list[float], more: str = "") -> None:
    figures = (statistics.median(values), min(values), max(values))
    print(f"{what:44} {len(values):>4} " + " ".join(f"{figure:>9.3f}" for figure in figures) + more, flush=True)


if __name__ == "__main__":
    main()
