"""Random data sets of any shape, for what has to hold of each: runs, prompts, repeats, spreads, what is missing."""

import math
from collections.abc import Iterator
from random import Random

from tests.synthetic import LLAMA, MLX, Row

SPEEDS = {"decode": 30.0, "ttft": 6000.0}


def messy(chance: Random, machine: str) -> Iterator[Row]:
    """One machine: up to four configurations of up to six runs, under up to three sets of versions.

    Requests failed, were left out, or are missing; whole prompts are missing in a run; runs were interrupted; answers
    of one side are longer; a machine drifts; requests are far off.
    """
    prompts = [f"prompt {number}" for number in range(chance.choice([1, 2, 3, 5, 5, 7, 9]))]
    levels = {(model, prompt): chance.gauss(0, 0.2) for model in ("", "other") for prompt in prompts}
    noise, spread, between = (math.exp(chance.uniform(*ends)) for ends in ((-7, -2), (-7, -2), (-10, -3)))
    long = chance.choice([1.0, 1.0, 1.0, 1.1, 1.5])  # how much longer one side's answers are
    early = chance.choice([0.0, 0.5, 1.0])  # how often the first 256 tokens of these were timed
    drifts = chance.choice([0.0, 0.0, 0.05])
    lost, outlying = chance.choice([0.0, 0.0, 0.05, 0.3]), chance.choice([0.0, 0.0, 0.1])
    models = ["", "other"] if chance.random() < 0.4 else [""]
    at = 0
    for model in models:
        ratio = chance.choice([0.0, chance.gauss(0, 0.3)])
        for runtime in (MLX, LLAMA):
            runs = chance.choice([1, 1, 2, 2, 3, 4, 6])
            versions = sorted(chance.choice([1, 1, 1, 2, 3]) for _ in range(runs))
            changes = [0.0, *(chance.choice([0.0, 0.1, -0.2]) for _ in range(3))]
            of_prompt = {prompt: chance.gauss(0, spread) for prompt in prompts}
            for version in versions:
                at += 1
                off = chance.gauss(0, between) + changes[version]
                repeats = chance.choice([1, 2, 3, 3, 5, 8]) if chance.random() < 0.2 else 3
                dropped = {prompt for prompt in prompts if chance.random() < (0.15 if lost else 0)}
                interrupted = chance.random() < 0.1
                for prompt in [] if len(dropped) == len(prompts) else prompts:
                    for repeat in range(1, repeats + 1):
                        level = (
                            levels[model, prompt]
                            + (ratio + of_prompt[prompt]) * (runtime == MLX)
                            + off
                            - drifts * at / 8
                        )
                        logs = {
                            name: math.log(center) + (level if name == "decode" else -level) + chance.gauss(0, noise)
                            for name, center in SPEEDS.items()
                        }
                        if chance.random() < outlying:
                            logs["decode"] -= 0.3
                        row = Row(
                            machine,
                            runtime,
                            at,
                            prompt,
                            repeat,
                            math.exp(logs["decode"]),
                            math.exp(logs["ttft"]),
                            model=model,
                            version=f"{version}.0" if max(versions) > 1 else None,
                            system=f"macOS 26.{at % 2}" if len(machine) % 2 else None,
                            is_interrupted=interrupted,
                            tokens=round(400 * (long if runtime == MLX else 1)),
                            early_tps=math.exp(logs["decode"] + 0.02) if chance.random() < early else None,
                        )
                        if prompt in dropped:
                            row = row._replace(decode_tps=None, early_tps=None)
                        yield from spoilt(row, chance) if chance.random() < lost else [row]


def spoilt(row: Row, chance: Random) -> list[Row]:
    """A request without a figure, for one of four reasons."""
    match chance.randrange(4):
        case 0:
            return [row._replace(decode_tps=None, early_tps=None)]
        case 1:
            return [row._replace(decode_tps=None, early_tps=None, ttft_ms=None)]
        case 2:
            return [row._replace(exclusion="the machine was hot")]
    return []
