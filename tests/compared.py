"""Rows of `tests.synthetic` through the views, each figure beside that of `tests.by_scipy`.

A check raises AssertionError at the first difference, and otherwise counts what it met, so that a test can see whether
every arm of a rule was tried.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import stats

from site_src.warehouse import Warehouse
from tests import by_scipy
from tests.by_scipy import FIGURES, LAST_DF, by, ends, same
from tests.synthetic import LLAMA, MLX, Row

Check = Callable[[Warehouse, Sequence[Row]], Counter[str]]
Rows = list[dict[str, Any]]


def machines(rows: Sequence[Row]) -> dict[str, dict[str, list[Row]]]:
    """A machine's configurations by id."""
    found = {}
    for (machine,), of_machine in by(rows, "machine").items():
        found[machine] = {same[0].configuration: same for same in by(of_machine, "runtime", "model").values()}
    return found


def the_spread_of_a_machines_runs(views: Warehouse, rows: Sequence[Row]) -> Counter[str]:
    found = {(row["machine"], row["figure"]): row for row in views.rows("from machine_spread")}
    seen: Counter[str] = Counter()
    for machine, configurations in machines(rows).items():
        for figure in FIGURES:
            expected = by_scipy.spread([row for own in configurations.values() for row in own], figure)
            row = found.pop((machine, figure), None)
            seen["unknown" if expected is None else "pooled"] += 1
            if expected is None or row is None:
                assert row is expected, (machine, figure)
                continue
            assert row["degrees"] == expected.degrees, (machine, figure)
            assert same([row["run_variance"], row["noise_variance"]], expected[:2]), (machine, figure)
            assert same([row["run_spread"]], [math.expm1(math.sqrt(expected.variance))]), (machine, figure)
            seen["of several configurations"] += row["configuration_count"] > 1
            seen["more noise than spread"] += expected.noise > expected.variance
    assert not found
    return seen


def the_speed_of_a_set(views: Warehouse, rows: Sequence[Row]) -> Counter[str]:
    """Of a configuration as it is today, of it under each set of versions, of each run."""
    found = {(row["set_id"], row["figure"]): row for row in views.rows("from set_speed")}
    seen: Counter[str] = Counter()
    for configurations in machines(rows).values():
        everything = [row for own in configurations.values() for row in own]
        for figure in FIGURES:
            pooled = by_scipy.spread(everything, figure)
            for set_id, of_set in sets(configurations).items():
                expected = by_scipy.speed(of_set, figure, pooled)
                row = found.pop((set_id, figure), None)
                if expected is None or row is None:
                    assert row is expected, (set_id, figure)
                    continue
                counts = [row[name] for name in ("interval_kind", "run_count", "prompt_count", "value_count")]
                assert counts == list(expected[3:]), (set_id, figure)
                assert same([row["center"], row["margin"], row["within_margin"]], expected[:3]), (set_id, figure)
                seen[str(expected.kind)] += 1
                seen["no narrower than within"] += (
                    expected.kind == "between runs" and expected.margin == expected.within
                )
                seen["runs left out"] += expected.runs < len({row.run for row in of_set})
    assert not found
    return seen


def sets(configurations: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """Every set of runs of a machine by id."""
    found = {}
    for own, of_configuration in configurations.items():
        found[own] = by_scipy.today(of_configuration)
        for place, group in enumerate(by_scipy.versions(of_configuration), start=1):
            found[f"{own} v{place}"] = group
        for group in by(of_configuration, "run").values():
            found[group[0].run_id] = group
    return found


def a_runs_headline_and_interval(views: Warehouse, rows: Sequence[Row]) -> Counter[str]:
    """The headline lies within both intervals, and each is of that estimator."""
    found = {row["run_id"]: row for row in views.rows("from runs")}
    seen: Counter[str] = Counter()
    for configurations in machines(rows).values():
        everything = [row for own in configurations.values() for row in own]
        for figure, column in FIGURES.items():
            pooled = by_scipy.spread(everything, figure)
            for of_configuration in configurations.values():
                for run in by(of_configuration, "run").values():
                    row = found[run[0].run_id]
                    expected = by_scipy.speed(run, figure, pooled)
                    shown = [row[f"{column}{end}"] for end in ("", "_low", "_high")]
                    assert same(shown, ends(*(expected[:2] if expected else (None, None)))), run[0].run_id
                    if column == "decode_tps":
                        inner = [row[f"{column}{end}"] for end in ("", "_within_low", "_within_high")]
                        assert same(inner, ends(*(expected[0::2][:2] if expected else (None, None)))), run[0].run_id
                    seen["within" if expected and expected.within else "no interval within"] += 1
    return seen


def the_ratio_of_mlx_over_llama_cpp(views: Warehouse, rows: Sequence[Row]) -> Counter[str]:
    found = {
        (row["mlx_configuration_id"], row["llama_cpp_configuration_id"]): row
        for row in views.rows("from framework_delta")
    }
    drawn = {(row["a_id"], row["b_id"]): row for row in views.rows("from pair_speed")}
    seen: Counter[str] = Counter()
    for configurations in machines(rows).values():
        everything = [row for own in configurations.values() for row in own]
        for a_id, a in configurations.items():
            for b_id, b in configurations.items():
                if (a[0].runtime, b[0].runtime) != (MLX, LLAMA) or a[0].model != b[0].model:
                    continue
                row, inner = found.pop((a_id, b_id)), drawn.get((a_id, b_id))
                ours, theirs = by_scipy.today(a), by_scipy.today(b)
                for figure, column in FIGURES.items():
                    pooled = by_scipy.spread(everything, figure)
                    expected = by_scipy.ratio(ours, theirs, figure, pooled)
                    shown = [row[f"{column}_ratio{end}"] for end in ("", "_low", "_high")]
                    assert same(shown, ends(*(expected[:2] if expected else (None, None)))), (a_id, figure)
                    if figure == "ttft":
                        said = by_scipy.wait_verdict(expected, "MLX later", "llama.cpp later")
                        assert row["ttft_verdict"] == said, a_id
                        continue
                    drifts = [by_scipy.drift(ours), by_scipy.drift(theirs)]
                    said = by_scipy.verdict(expected, "MLX faster", "llama.cpp faster", drifts)
                    assert row["verdict"] == said, a_id
                    assert row["prompt_count"] == (expected.prompts if expected else 0), a_id
                    assert row["request_count"] == (expected.requests if expected else 0), a_id
                    assert same([row["detectable_difference"]], [expected.detectable if expected else None]), a_id
                    seen[said] += 1
                    seen["not pooled, several runs"] += bool(
                        expected and not expected.is_pooled and expected.margin and said == "inconclusive"
                    )
                    if inner and inner["decode_margin"] is not None:
                        seen["nothing of the runs' part left"] += inner["lasting_variance"] == 0
                        seen["within this run"] += inner["interval_kind"] == "within this run"
                        seen["degrees below those of prompts"] += inner["decode_df"] < row["prompt_count"] - 1
                    seen["first 256 tokens"] += "their first 256" in (row["reason"] or "")
    assert not found
    return seen


def what_a_version_changed(views: Warehouse, rows: Sequence[Row]) -> Counter[str]:
    """The variance of runs over both, and quantiles for as many comparisons as the history has steps."""
    found: dict[str, Rows] = {}
    for row in views.rows("from runtime_history order by configuration_id, first_run_at, version"):
        found.setdefault(row["configuration_id"], []).append(row)
    seen: Counter[str] = Counter()
    for configurations in machines(rows).values():
        pooled = by_scipy.spread([row for own in configurations.values() for row in own], "decode")
        for own, of_configuration in configurations.items():
            history = by_scipy.versions(of_configuration)
            shown = found.pop(own)
            assert [row["verdict"] == "first" for row in shown] == [True, *[False] * (len(history) - 1)], own
            for row, (before, after) in zip(shown[1:], pairwise(history), strict=True):
                steps = len(history) - 1
                expected = by_scipy.ratio(after, before, "decode", pooled, is_apart=False, comparisons=steps)
                seen[row["verdict"]] += 1
                assert row["verdict"] == by_scipy.change(expected), (own, row["version"])
                center, margin = expected[:2] if expected else (None, None)
                seen["several steps"] += steps > 1
                shown_ends = [row[f"decode_tps_ratio{end}"] for end in ("", "_low", "_high")]
                assert same(shown_ends, ends(center, margin if pooled else None)), (own, row["version"])
    assert not found
    return seen


def the_cv_and_its_interval(views: Warehouse, rows: Sequence[Row]) -> Counter[str]:
    found = {row["configuration_id"]: row for row in views.rows("from stability")}
    seen: Counter[str] = Counter()
    for configurations in machines(rows).values():
        pooled = by_scipy.spread([row for own in configurations.values() for row in own], "decode")
        for own, of_configuration in configurations.items():
            row, ours = found.pop(own), by_scipy.today(of_configuration)
            table = by_scipy.counted(ours, "decode")
            repeated = [list(cell.values()) for prompts in table.values() for cell in prompts.values() if len(cell) > 1]
            degrees = sum(len(values) - 1 for values in repeated)
            assert row["cv_degrees"] == degrees, own
            cv: list[float | None] = [None] * 3
            if repeated:
                mean = math.sqrt(np.mean([(np.std(values, ddof=1) / np.mean(values)) ** 2 for values in repeated]))
                used = min(degrees, LAST_DF)
                low, high = (math.sqrt(used / stats.chi2.ppf(quantile, used)) for quantile in (0.975, 0.025))
                cv = [mean, mean * low, mean * high]
            assert same([row["cv"], row["cv_low"], row["cv_high"]], cv), own
            centers = [by_scipy.headline(prompts)[0] for prompts in by_scipy.complete(ours, "decode").values()]
            assert row["run_count"] == len(centers), own
            between = float(stats.tstd(centers)) if len(centers) > 1 else None
            machine = math.expm1(math.sqrt(pooled.variance)) if pooled else None
            assert same([row["cv_between_runs"], row["machine_run_spread"]], [between, machine]), own
            changed = by_scipy.drift(ours)
            if changed and pooled and row["drift"] is not None:
                margin = by_scipy.t_of(pooled.degrees) * math.sqrt(2 * pooled.variance)
                shown = [row["drift"] + 1, row["drift_low"] + 1, row["drift_high"] + 1]
                assert same(shown, ends(changed, margin)), own
                seen["with drift"] += 1
            seen["with cv" if repeated else "without"] += 1
            seen["beyond the table"] += degrees > LAST_DF
    assert not found
    return seen


CHECKS: list[Check] = [
    the_spread_of_a_machines_runs,
    the_speed_of_a_set,
    a_runs_headline_and_interval,
    the_ratio_of_mlx_over_llama_cpp,
    what_a_version_changed,
    the_cv_and_its_interval,
]
# What each of them has to meet in 200 random sets to have tried every arm.
MET: dict[Check, tuple[str, ...]] = {
    the_spread_of_a_machines_runs: ("unknown", "of several configurations", "more noise than spread"),
    the_speed_of_a_set: ("between runs", "within this run", "None", "no narrower than within", "runs left out"),
    a_runs_headline_and_interval: ("within", "no interval within"),
    the_ratio_of_mlx_over_llama_cpp: (
        *("MLX faster", "llama.cpp faster", "equivalent", "small difference", "inconclusive", "one run a side"),
        *("not comparable", "nothing of the runs' part left", "within this run", "first 256 tokens"),
        *("degrees below those of prompts", "not pooled, several runs"),
    ),
    what_a_version_changed: ("faster", "regression", "one run a side", "inconclusive", "several steps"),
    the_cv_and_its_interval: ("with cv", "without", "with drift", "beyond the table"),
}
