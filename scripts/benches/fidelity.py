"""How true are the figures of clients? A real engine on one thread, each client on its own, against the engine's log.

Ours is run as `collect` runs it: journal, memory sampler, run file, views. `--peers VENV` adds llama-benchy, frugal-llm
and asiai where they are installed there; `--tokenizer DIR` is what llama-benchy needs. `--full` writes the table to
results/clients.csv, from which the site shows it.
"""

import argparse
import csv
import importlib.metadata
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psutil

from collector import measure, run
from collector.backends import Facts
from collector.backends.openai_chat import OpenAIChat
from collector.machine import describe
from collector.nonce import messages, nonce
from collector.run import SAMPLING
from collector.schema import CLONE, Results
from collector.suite import Prompt, Suite, read
from scripts.benches import _bare
from scripts.benches._engine import Engine, engine
from scripts.benches._peers import Result, Said, peers

TOKENS, PROMPT_TOKENS = 64, 128
HEAVY = ("duckdb", "pyarrow")
TEXT = next(prompt.text for prompt in read("smoke").prompts if prompt.id == "ship")


class Costs:
    """What the client used from the first measured request to the last, sampler included. Call it as `run.Watch`."""

    def __init__(self) -> None:
        self.cpu_s = self.sampler_s = self.rss_mb = 0.0
        self.heavy: list[str] = []
        self._from: tuple[float, float] | None = None

    def __call__(self, stage: str, row: Facts) -> None:
        if row["op"] != "request":
            return
        now = (time.process_time(), sampler_s())
        self._from = self._from or now
        self.cpu_s, self.sampler_s = (b - a for a, b in zip(self._from, now, strict=True))
        self.rss_mb = max(self.rss_mb, psutil.Process().memory_info().rss / 1e6)
        self.heavy = [name for name in HEAVY if name in sys.modules]


def sampler_s() -> float:
    """CPU time of the sampler so far."""
    for child in psutil.Process().children():
        if "collector.memory.sampler" in child.cmdline():
            used = child.cpu_times()
            return float(used.user + used.system)
    return 0.0


def ours(served: Engine, count: int) -> tuple[Result, Costs]:
    """`collect` against the running server."""
    suite = Suite("fidelity", "one prompt", (Prompt("hay", "bench", TEXT, TOKENS),))
    costs = Costs()
    with tempfile.TemporaryDirectory() as folder, measure.connect(served.url) as client:
        results = Results(Path(folder))
        served.truths()
        run.run(client, OpenAIChat(client), run.Job(suite, count, results), costs)
        truths = served.truths()[2 : 2 + count]  # two warm-ups before, a warm resend after
        said = list(measured(results))
    version = f"collect {importlib.metadata.version('llm-mac-512')}"
    return Result(version, said, truths, costs.cpu_s + costs.sampler_s, costs.rss_mb), costs


def measured(results: Results) -> Iterator[Said]:
    """As the views say it."""
    from site_src.warehouse import Warehouse

    for row in Warehouse(results).rows("from request_speed order by op_index"):
        yield Said(row["decode_tps"], row["ttft_ms"])


def beside_bare(served: Engine, count: int) -> list[float]:
    """Excess of our TTFT over a bare socket's, each less the server's prompt time, in ms; in turn, all prompts cold."""
    excess = []
    with measure.connect(served.url) as client:
        backend = OpenAIChat(client)
        backend.describe()
        served.truths()
        for place in range(count):
            times: dict[str, float] = {}
            for which in ("ours", "bare") if place % 2 else ("bare", "ours"):
                digits = nonce("bare", which, place, 2 * place + (which == "ours"))
                request = backend.chat(messages(digits, TEXT), 8, SAMPLING)
                if which == "ours":
                    seen = measure.exchange(client, request, backend.parse)
                    times[which] = next(at for at, _, text in seen.arrivals if text) / 1e6
                else:
                    times[which] = _bare.ttft_ms(served.url, dict(request.body))
                [truth] = served.truths()
                times[which] -= truth.prompt_ms
            excess.append(times["ours"] - times["bare"])
    return excess


def row(result: Result) -> dict[str, object]:
    """One line of the table."""
    errors = [
        100 * (said.decode_tps / truth.decode_tps - 1)
        for said, truth in zip(result.said, result.truths, strict=True)
        if said.decode_tps is not None
    ]
    late = [
        said.ttft_ms - truth.prompt_ms
        for said, truth in zip(result.said, result.truths, strict=True)
        if said.ttft_ms is not None
    ]
    longest = max(truth.prompt_tokens for truth in result.truths)
    return {
        "client": result.client,
        "request_count": len(result.said),
        "decode_error_percent": f"{statistics.median(errors):.3f}",
        "decode_error_percent_max": f"{max(map(abs, errors)):.3f}",
        "decode_error_abs_percent": f"{statistics.median(map(abs, errors)):.3f}",
        "ttft_excess_ms": f"{statistics.median(late):.1f}",
        "cached_count": sum(truth.prompt_tokens < longest / 2 for truth in result.truths),
        "cpu_s": f"{result.cpu_s:.2f}",
        "rss_mb": f"{result.rss_mb:.0f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="more requests, and results/clients.csv is written")
    parser.add_argument("--peers", type=Path, metavar="VENV")
    parser.add_argument("--tokenizer", type=Path, metavar="DIR")
    asked = parser.parse_args()
    count, pairs, many = (8, 60, 100) if asked.full else (8, 10, 20)
    with engine() as served:
        mine, costs = ours(served, count)
        excess = beside_bare(served, pairs)
        rows = [row(mine)]
        if asked.peers:
            rows += [
                row(result) for result in peers(served, asked.peers, asked.tokenizer, count, PROMPT_TOKENS, TOKENS)
            ]
        more, _ = ours(served, many)
    about = describe()
    told = {
        "engine": f"xllamacpp {importlib.metadata.version('xllamacpp')}, one thread",
        "machine": f"{about.get('chip')}, {about.get('cpu_cores')} cores",
        "measured_on": date.today().isoformat(),
    }
    print(f"fidelity: {count} requests of {TOKENS} tokens for each client")
    print(f"          {told['engine']}; {told['machine']}; {told['measured_on']}\n")
    table(rows)
    print(f"\nours with {many} requests:")
    table([row(more)])
    print(f"\nTTFT over a bare socket, {pairs} pairs in turn, cold, each less the server's prompt time:")
    print(f"    median {statistics.median(excess):.2f} ms, from {min(excess):.2f} to {max(excess):.2f}")
    print(f"our CPU for {count} requests: {costs.cpu_s:.2f} s client and {costs.sampler_s:.2f} s sampler")
    print(
        f"our RSS while measuring: {costs.rss_mb:.0f} MB; imported by then: {', '.join(costs.heavy) or 'neither '}",
        end="",
    )
    print("" if costs.heavy else " nor ".join(HEAVY))
    print(f"our RSS afterwards, with views: {psutil.Process().memory_info().rss / 1e6:.0f} MB")
    if asked.full:
        write(rows, told)


def table(rows: list[dict[str, object]]) -> None:
    """Columns as wide as their longest cell."""
    names = list(rows[0])
    widths = [max(len(name), *(len(str(one[name])) for one in rows)) for name in names]
    for line in (dict(zip(names, names, strict=True)), *rows):
        print("  ".join(str(line[name]).ljust(width) for name, width in zip(names, widths, strict=True)).rstrip())


def write(rows: list[dict[str, object]], told: dict[str, str]) -> None:
    """The table as the site reads it; clients that are not installed today keep the figures of their day."""
    path = CLONE / "results" / "clients.csv"
    new = [{**one, **told} for one in rows]
    names = {str(one["client"]).partition(" ")[0] for one in new}
    with path.open(encoding="utf-8", newline="") as file:
        kept = [one for one in csv.DictReader(file) if one["client"].partition(" ")[0] not in names]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], *told], lineterminator="\n")
        writer.writeheader()
        writer.writerows([*new, *kept])


if __name__ == "__main__":
    main()
