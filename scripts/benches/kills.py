"""SIGKILL at random moments of real runs: is what had finished in exactly one valid file after the next start?

    scripts/bench kills [--full] [--seed N]     40 kills, or 300: of `collect`, its sampler, its engine, and the plan

The engine and the model are real; LM Studio, for the plan, is the double with that engine behind it. Prompts and
answers are short, and nobody waits for the machine to come to rest.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from collector.embedded_model import small_model
from collector.schema import CLONE
from scripts.benches._kills import Chain, Tally, Victim

sys.path.insert(0, str(CLONE))
from tests.lmstudio import Double, DoubleModel, Engine  # the double is no part of the package

LINK = 25  # kills in one results folder
EMBEDDED = ("--embedded", "--suite", "standard", "--repeats", "2", "--context-length", "1024")
PLAN = """model,variant,runtime,format,quantization,bits,size_gb,memory_gb,priority,status,compare_to,source,note
SmolLM2-135M-Instruct,mlx-4bit,mlx,mlx,4bit,4,0.1,0.4,1,pending,,x/smol-mlx,
SmolLM2-135M-Instruct,Q4_K_M,llama.cpp,gguf,Q4_K_M,4,0.1,0.4,1,pending,mlx-4bit,x/smol,
"""
MODELS = (
    DoubleModel("mlx-community/SmolLM2-135M-Instruct-4bit", format="mlx", max_context_length=8192),
    DoubleModel("unsloth/smollm2-135m-instruct@q4_k_m", max_context_length=8192),
)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--full", action="store_true")
    options.add_argument("--seed", type=int, default=512)
    asked = options.parse_args()
    small_model()
    print(f"kills: SIGKILL at random moments, seed {asked.seed}")
    began = time.monotonic()
    total = Tally()
    with Double(MODELS, tokens=Engine()) as double:
        plan = ("plan", "--run", "--next", "--suite", "standard", "--url", double.url)
        for victim, share in (
            (Victim("collect", EMBEDDED), 0.4),
            (Victim("plan --run", plan), 0.3),
            (Victim("the engine", EMBEDDED, "collector.embedded_server"), 0.15),
            (Victim("the sampler", EMBEDDED, "collector.memory.sampler"), 0.15),
        ):
            tally = kill(victim, round(share * (300 if asked.full else 40)), random.Random(f"{asked.seed} {victim}"))
            show(victim.name, tally)
            total.add(tally)
    print(f"\nall: {total.kills} kills in {time.monotonic() - began:.0f} s")
    show("all", total)
    sys.exit(1 if total.faults else 0)


def kill(victim: Victim, kills: int, chance: random.Random) -> Tally:
    """So many kills, in chains of results folders."""
    tally = Tally()
    while tally.kills < kills:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            chain = Chain(victim, folder, chance)
            (chain.results.root / "plan.csv").write_text(PLAN)
            tally.add(chain.run(min(LINK, kills - tally.kills)))
    return tally


def show(name: str, tally: Tally) -> None:
    print(f"\n{name}: {tally.kills} kills")
    for phase, count in tally.phases.most_common():
        print(f"  {count:>6} {phase}")
    print(f"  {tally.operations:>6} operations stored, {len(tally.lost)} lost, {len(tally.twice)} stored twice")
    print(f"  {len(tally.unreadable):>6} files unreadable, {len(tally.left)} left over, {len(tally.orphans)} processes")
    for fault in tally.faults:
        print(f"  {fault}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
