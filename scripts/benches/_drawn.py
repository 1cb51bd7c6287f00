"""Machines whose truth is known, drawn by the thousand and put in the place of measured ones.

Speeds are normal on the logarithm. A machine has seven models with MLX (A) and llama.cpp (B) each; their runs go by an
order such as A B B A, and a request's time in it decides what a linear drift has taken from its speed. What a pair's
ratio is off from prompt to prompt is 0 on every other machine and 1 % on the rest.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from site_src.warehouse import Warehouse
from tests.synthetic import LLAMA, MLX, put, stand_in

PROMPTS, REPEATS = 5, 3
BATCH = 300  # machines at once: a million requests at most

Floats = np.ndarray[Any, np.dtype[np.float64]]


class Spread(NamedTuple):
    """How far runs are apart, and requests of one prompt within a run: standard deviations on the logarithm."""

    between: float
    within: float

    def __str__(self) -> str:
        return f"{100 * self.between:.0f} % / {100 * self.within:.1f} %"


SPREADS = tuple(Spread(between, within) for between in (0.0, 0.01, 0.02, 0.03) for within in (0.003, 0.01, 0.03))


class Pair(NamedTuple):
    """One model of a machine: the order of its runs, its true ratio of A over B, factors a version."""

    order: str
    ratio: float = 1.0
    versions: tuple[float, ...] = ()  # of both sides: each run of the order once under each


class Drawn(NamedTuple):
    """Machines as they were put: ids a machine and model, and the truth of both sides."""

    a_ids: list[list[str]]
    b_ids: list[list[str]]
    a_truth: Floats
    b_truth: Floats


def draw(
    warehouse: Warehouse,
    chance: np.random.Generator,
    count: int,
    pairs: Sequence[Pair],
    spread: Spread,
    *,
    drift: float = 0.0,
    outlying: float = 0.0,
    cold: float = 0.0,
    prompts: int = PROMPTS,
    repeats: int = REPEATS,
) -> Drawn:
    """Put so many machines into the warehouse. `drift`: what speed falls by from a pair's first request to its last.

    `outlying`: the share of requests that are 20 % slower; `cold`: what a run's first repeat is slower by.
    """
    plan = [  # a run of each machine: model, side, place in the order of so many, version
        (model, side, place, len(pair.order), version)
        for model, pair in enumerate(pairs)
        for version in range(max(len(pair.versions), 1))
        for place, side in enumerate(pair.order)
    ]
    models, sides, places, lengths, _ = (np.array(column) for column in zip(*plan, strict=True))
    is_a = sides == "A"
    factors = np.array([(pair.versions or (1.0,))[version] for (model, *_, version) in plan for pair in [pairs[model]]])
    base = math.log(30) + chance.normal(0, 0.2, (count, len(pairs), prompts))
    apart = np.log([pair.ratio for pair in pairs])[:, None] + chance.normal(0, 0.01, base.shape) * (
        np.arange(count)[:, None, None] % 2
    )
    shape = (count, len(plan), repeats, prompts)
    logs = (base[:, models] + apart[:, models] * is_a[:, None] + np.log(factors)[:, None])[:, :, None, :]
    logs = logs + chance.normal(0, spread.between, shape[:2])[:, :, None, None] + chance.normal(0, spread.within, shape)
    order = np.arange(repeats * prompts).reshape(repeats, prompts)
    order[1::2] = order[1::2, ::-1]  # prompts go there and back
    time = (places[:, None, None] + (order + 0.5) / order.size) / lengths[:, None, None]
    logs += math.log1p(-drift) * time
    logs += math.log(0.8) * (chance.random(shape) < outlying)
    logs[:, :, 0] += math.log1p(-cold)
    _put(warehouse, count, plan, np.exp(logs))
    return Drawn(
        _named(count, len(pairs), MLX),
        _named(count, len(pairs), LLAMA),
        a_truth=base.mean(axis=2) + apart.mean(axis=2),
        b_truth=base.mean(axis=2),
    )


def _named(count: int, models: int, runtime: str) -> list[list[str]]:
    return [[f"{machine} {runtime} {model}" for model in range(models)] for machine in range(count)]


def _put(warehouse: Warehouse, count: int, plan: Sequence[tuple[int, str, int, int, int]], speeds: Floats) -> None:
    """Runs of each machine in the order they began."""
    runtimes = {"A": MLX, "B": LLAMA}
    runs = [
        (str(machine), runtimes[side], model, version, number)
        for machine in range(count)
        for number, (model, side, _, _, version) in enumerate(plan)
    ]
    owners = [f"{machine} {runtime} {model}" for machine, runtime, model, _, _ in runs]
    run_ids = [f"{owner} {number}" for owner, (*_, number) in zip(owners, runs, strict=True)]
    each = speeds[0, 0].size
    prompts = pa.array([f"p{number}" for number in range(speeds.shape[3])])
    size, (repeats, of_run) = speeds.size, speeds.shape[2:]
    put(
        warehouse,
        {
            "run_id": run_ids,
            "configuration_id": owners,
            "machine": [machine for machine, *_ in runs],
            "runtime": [runtime for _, runtime, *_ in runs],
            "model": [str(model) for _, _, model, _, _ in runs],
            "runtime_version": [str(version) for _, _, _, version, _ in runs],
            "run_started_at": pa.array([1_800_000_000 + number for *_, number in runs], pa.timestamp("s")),
        },
        {
            "run_id": pa.array(run_ids).take(pa.array(np.repeat(np.arange(len(runs)), each))),
            "prompt_id": prompts.take(pa.array(np.tile(np.arange(of_run), size // of_run))),
            "repeat": pa.array(np.tile(np.repeat(np.arange(1, repeats + 1), of_run), size // each)),
            "decode_tps": pa.array(speeds.reshape(-1)),
            "completion_tokens": pa.array(np.full(size, 400)),
        },
    )


def compare(warehouse: Warehouse, sides: Sequence[tuple[str, str]], *, is_apart: bool = True) -> None:
    """Let these sets of runs be compared, and no others: of all those a machine has, thousands would be."""
    a_ids, b_ids = zip(*sides, strict=True)
    stand_in(
        warehouse,
        "pairs",
        {
            "kind": ["framework" if is_apart else "version"] * len(sides),
            "a_id": a_ids,
            "b_id": b_ids,
            "a_configuration_id": [a if is_apart else a.rpartition(" v")[0] for a in a_ids],
            "b_configuration_id": [b if is_apart else b.rpartition(" v")[0] for b in b_ids],
            "is_apart": [is_apart] * len(sides),
        },
    )


def batches(count: int, least: int = 1) -> Iterator[int]:
    """So many machines, a batch at a time, in so many batches at least."""
    size = min(BATCH, -(-count // least))
    for begun in range(0, count, size):
        yield min(size, count - begun)
