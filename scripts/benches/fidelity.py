"""How true are our figures? A real engine on one core, the client on the other, against the engine's own timings.

Everything is done as `collect` does it: journal, memory sampler, run file, views.
"""

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from collector import measure, run
from collector.backends import Facts
from collector.backends.embedded import Embedded
from collector.embedded_model import small_model
from collector.schema import Results
from collector.suite import Prompt, Suite, read

TOKENS = 128
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


class Costs:
    """What the client itself used from the first measured request to the last. Call it as `run.Watch`."""

    def __init__(self, backend: Embedded) -> None:
        self.cores = ""
        self.load = os.getloadavg()[0]  # what else this machine was doing
        self._backend = backend
        self.cpu_s = self.sampler_s = self.wall_s = 0.0
        self.rss_bytes = 0
        self._from: tuple[float, float, float] | None = None

    def __call__(self, stage: str, row: Facts) -> None:
        if (stage, row["op"]) == ("begin", "warmup") and not self.cores:
            self.cores = separate(self._backend.engine_pid())
        if row["op"] != "request":
            return
        now = (time.process_time(), _sampler_s(), time.perf_counter())
        if self._from is None:
            self._from = now
        self.cpu_s, self.sampler_s, self.wall_s = (b - a for a, b in zip(self._from, now, strict=True))
        self.rss_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT


def _sampler_s() -> float:
    for child in psutil.Process().children():
        if "collector.memory.sampler" in child.cmdline():
            used = child.cpu_times()
            return float(used.user + used.system)
    return 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="100 requests instead of 20")
    count = 100 if parser.parse_args().full else 20
    text = next(prompt.text for prompt in read("smoke").prompts if prompt.id == "ship")
    suite = Suite("fidelity", "one prompt", (Prompt("ship", "bench", text, TOKENS),))
    with tempfile.TemporaryDirectory() as folder, measure.connect("http://localhost") as client:
        results = Results(Path(folder))
        backend = Embedded(client, small_model(), 8192)
        costs = Costs(backend)
        run.run(client, backend, run.Job(suite, count, results, context_requested=8192), costs)
        rows = measured(results)
    report(rows, costs)


def separate(engine: int | None) -> str:
    """Put this process and the sampler on the last core and the engine's threads on the others, where that can be."""
    cores = os.cpu_count() or 1
    if engine is None or not hasattr(os, "sched_setaffinity") or cores < 2:
        return f"{cores} cores, the system places client and engine"
    allowed = os.sched_getaffinity(0)
    client, others = max(allowed), allowed - {max(allowed)}
    for process in (psutil.Process(), *psutil.Process().children()):
        for thread in process.threads():
            os.sched_setaffinity(thread.id, others if process.pid == engine else {client})
    return f"{cores} cores, client on core {client}, engine on {', '.join(map(str, sorted(others)))}"


def measured(results: Results) -> list[Facts]:
    from site_src.warehouse import Warehouse

    return Warehouse(results).rows(
        "select * from request_speed join raw_operations using (run_id, op_index) where not is_failed order by op_index"
    )


def report(rows: list[Facts], costs: Costs) -> None:
    errors = [
        100 * (row["decode_tps"] / row["reported_decode_tps"] - 1) for row in rows if row["decode_tps"] is not None
    ]
    late = [row["ttft_ms"] - row["reported_prompt_ms"] for row in rows]
    tps = [row["decode_tps"] for row in rows if row["decode_tps"] is not None]
    ended = Counter(f"{row['completion_tokens']} tokens, {row['finish_reason']}" for row in rows)
    print(f"fidelity: {len(rows)} requests of up to {TOKENS} tokens, {rows[0]['model_key']}")
    print(f"          {rows[0]['runtime_version']}; {rows[0]['chip']}; {costs.cores}")
    print(f"          load average before it began: {costs.load:.1f}\n")
    print(f"{'':44} {'n':>4} {'median':>9} {'min':>9} {'max':>9}")
    line("decode, tokens/s", tps, 2)
    line("decode less the engine's own, %", errors, 3)
    line("|decode error|, %", [abs(error) for error in errors], 3)
    line("TTFT less the engine's prompt time, ms", late, 2)
    seconds = costs.wall_s
    print(f"\ncached prompt tokens    {spread(Counter(row['cached_tokens'] for row in rows))}")
    print(f"how they ended          {spread(ended)}")
    print(
        f"client CPU              {costs.cpu_s:.2f} s in {seconds:.1f} s: {100 * costs.cpu_s / seconds:.1f} % of a core"
    )
    print(f"memory sampler CPU      {costs.sampler_s:.2f} s: {100 * costs.sampler_s / seconds:.1f} % of a core")
    print(f"client peak RSS         {costs.rss_bytes / 1e6:.0f} MB")


def line(what: str, values: list[float], digits: int) -> None:
    figures = (statistics.median(values), min(values), max(values))
    print(f"{what:44} {len(values):>4} " + " ".join(f"{figure:>9.{digits}f}" for figure in figures))


def spread(counted: "Counter[object]") -> str:
    return " · ".join(f"{count} × {value}" for value, count in counted.most_common())


if __name__ == "__main__":
    main()
