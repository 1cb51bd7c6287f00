"""Figures that a run has once, through the views and by SciPy: peak memory, load time."""

import math
from collections import Counter
from random import Random

import numpy as np
from scipy import stats

from site_src.warehouse import Warehouse
from tests import by_scipy
from tests.by_scipy import Ratio
from tests.synthetic import LLAMA, MLX, Row, fill, stand_in

KINDS = {"memory": ("system, above baseline", "engine footprint"), "load": ("warm", "cold")}
Sided = dict[tuple[str, str], list[float]]  # values by runtime and kind


def once_a_run(seed: int, count: int) -> dict[str, dict[str, Sided]]:
    """So many machines. Of each: peaks in GB and load times in s, of one to six runs a side, of two kinds."""
    chance = Random(seed)
    found: dict[str, dict[str, Sided]] = {}
    for number in range(count):
        spreads = [chance.choice([0.0001, 0.001, 0.03, 0.3]) for _ in range(2)]
        center, sized = chance.uniform(2, 5), found.setdefault(f"set {number}", {})
        for figure, kinds in KINDS.items():
            sized[figure] = {
                (runtime, kind): [
                    math.exp(center + 0.1 * (runtime == MLX) + chance.gauss(0, spread)) for _ in range(runs)
                ]
                for runtime, spread in zip((MLX, LLAMA), spreads, strict=True)
                for kind in kinds
                if (runs := chance.choice([0, 1, 2, 2, 3, 6]))
            }
    return found


def measured(views: Warehouse, machines: dict[str, dict[str, Sided]]) -> None:
    """A run for each peak and for each load."""
    rows, memory, loads = [], [], []
    for machine, sized in machines.items():
        for figure, of_figure in sized.items():
            for (runtime, kind), values in of_figure.items():
                for value in values:
                    row = Row(machine, runtime, len(rows), "a", 1, 30.0, 200.0)
                    rows.append(row)
                    (memory if figure == "memory" else loads).append((row.run_id, kind, value))
    fill(views, rows)
    for view, names, of_view in (
        ("run_memory", ("run_id", "peak_memory_kind", "peak_memory_gb"), memory),
        ("run_load", ("run_id", "load_kind", "load_s"), loads),
    ):
        stand_in(views, view, dict(zip(names, zip(*of_view, strict=True), strict=True)))


def memory_and_load_by_welch(views: Warehouse, machines: dict[str, dict[str, Sided]]) -> Counter[str]:
    """Of one kind only: the first of the two where both sides have it."""
    names = {"memory": ("peak_memory", "memory"), "load": ("load_s", "load")}
    seen: Counter[str] = Counter()
    for row in views.rows("from framework_delta"):
        for figure, (column, word) in names.items():
            sided = machines[row["machine"]][figure]
            kind = next((kind for kind in KINDS[figure] if {(MLX, kind), (LLAMA, kind)} <= sided.keys()), None)
            shown = [row[f"{column}_ratio{end}"] for end in ("", "_low", "_high")]
            if kind is None:
                assert (shown, row[f"{word}_verdict"]) == ([None] * 3, "not comparable")
                seen["no kind on both sides"] += 1
                continue
            ours, theirs = (np.log(sided[runtime, kind]) for runtime in (MLX, LLAMA))
            center, margin = float(np.mean(ours) - np.mean(theirs)), None
            if min(len(ours), len(theirs)) > 1:
                welch = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.95)
                margin = float(welch.high - welch.low) / 2
                seen[f"{len(ours)} against {len(theirs)}"] += 1
            assert by_scipy.same(shown, by_scipy.ends(center, margin)), (row["machine"], figure, kind)
            difference = row["peak_memory_difference_gb" if figure == "memory" else "load_difference_s"]
            assert math.isclose(difference, math.exp(np.mean(ours)) - math.exp(np.mean(theirs)), rel_tol=1e-9)
            assert difference * center >= 0, "difference and ratio say the same"
            counts = Ratio(center, margin, None, len(ours), len(theirs), 0, 0, True)
            above, below = (
                ("MLX larger", "llama.cpp larger") if figure == "memory" else ("MLX slower", "llama.cpp slower")
            )
            assert row[f"{word}_verdict"] == by_scipy.verdict(counts, above, below)
            seen[row[f"{word}_verdict"]] += 1
    return seen


def load_times_of_one_kind(views: Warehouse, machines: dict[str, dict[str, Sided]]) -> None:
    """Student's t on the logarithm, with the price of a median, centered on it."""
    for row in views.rows("from run_summary"):
        sided = machines[row["machine"]]["load"]
        medians = {}
        for kind in KINDS["load"]:
            values = sided.get((row["runtime"], kind), [])
            expected: list[float | None] = [None] * 3
            if values:
                medians[kind] = float(np.median(values))
                expected = [medians[kind], None, None]
            if len(values) > 1:
                margin = stats.sem(np.log(values)) * by_scipy.price(len(values)) * by_scipy.t_of(len(values) - 1)
                expected = by_scipy.ends(math.log(medians[kind]), margin)
            assert by_scipy.same([row[f"load_{kind}_s{end}"] for end in ("", "_low", "_high")], expected)
            assert row[f"load_{kind}_count"] == len(values)
        shown = next((kind for kind in KINDS["load"] if kind in medians), None)
        assert (row["load_kind"], row["load_s"]) == (shown, row[f"load_{shown}_s"] if shown else None)
