"""The SQL's statistics against SciPy, on random data; and how often an interval holds the truth, and a verdict errs."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from random import Random
from typing import Any

import numpy as np
import pytest
from scipy import stats

from collector.schema import Results
from scripts.benches import coverage
from site_src.warehouse import Warehouse
from tests.synthetic import LLAMA, MLX, Row, fill, two_sides

SETS = 200
SEED = 20261122
EXACT = 1e-9
LAST_DF = 120  # degrees of freedom from which on the table of quantiles ends

Logs = list[float]


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return Warehouse(Results(tmp_path_factory.mktemp("no") / "results"))


# ---------------------------------------------------------------- random data


def messy(chance: Random, machine: str) -> Iterator[Row]:
    """A data set of any shape: runs, prompts, repeats, spread; requests that failed, were left out, or are missing."""
    made = two_sides(
        chance,
        machine,
        ratio=math.exp(chance.gauss(0, 0.3)),
        noise=math.exp(chance.uniform(-6, -2)),
        spread=math.exp(chance.uniform(-6, -2)),
        between=math.exp(chance.uniform(-10, -3)),
        prompts=chance.choice([1, 2, 3, 5, 7, 7, 7, 9]),
        repeats=chance.choice([1, 2, 3, 5, 5, 5, 8]),
        runs=chance.choice([1, 1, 2, 3, 5]),
    )
    lost = chance.choice([0.0, 0.0, 0.05, 0.3])  # how often a request has no figure, for one of four reasons
    for row in made:
        if chance.random() >= lost:
            yield row
            continue
        match chance.randrange(4):
            case 0:
                yield row._replace(decode_tps=None)
            case 1:
                yield row._replace(decode_tps=None, ttft_ms=None)
            case 2:
                yield row._replace(exclusion="the machine was hot")


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    chance = Random(SEED)
    long = two_sides(chance, "long", noise=0.02, spread=0.02, prompts=9, repeats=8, runs=3)  # beyond the quantiles
    return [*long, *(row for number in range(1, SETS) for row in messy(chance, f"set {number}"))]


@pytest.fixture
def filled(views: Warehouse, rows: list[Row]) -> Warehouse:
    fill(views, rows)
    return views


def by(rows: Sequence[Row], *columns: str) -> dict[tuple[Any, ...], list[Row]]:
    """Rows that agree in some columns."""

    def key(row: Row) -> tuple[Any, ...]:
        return tuple(getattr(row, column) for column in columns)

    return {values: list(same) for values, same in groupby(sorted(rows, key=key), key)}


def logs(rows: Sequence[Row], figure: str) -> Logs:
    """Logarithms of a figure, of the requests that have it and that nothing speaks against."""
    return [
        math.log(getattr(row, figure)) for row in rows if row.exclusion is None and getattr(row, figure) is not None
    ]


# ---------------------------------------------------------------- by SciPy


def t975(degrees: int) -> float:
    return float(stats.t.ppf(0.975, min(degrees, LAST_DF)))


def mean_t(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Mean, and half its 95 % interval by Student's t."""
    if len(values) < 2:
        return (values[0] if values else None), None
    interval = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    return float(np.mean(values)), float(interval.high - interval.low) / 2


def paired(rows: Sequence[Row], figure: str) -> Logs:
    """ln(MLX / llama.cpp) of each prompt: mean over the repeats that both have."""
    found = []
    for repeats in by(rows, "prompt").values():
        sides = {
            key: float(np.mean(values))
            for key, same in by(repeats, "runtime", "repeat").items()
            if (values := logs(same, figure))
        }
        ratios = [
            sides[MLX, repeat] - sides[LLAMA, repeat]
            for runtime, repeat in sides
            if runtime == MLX and (LLAMA, repeat) in sides
        ]
        found += [float(np.mean(ratios))] if ratios else []
    return found


def pooled(run: Sequence[Row], figure: str) -> tuple[float, float, int] | None:
    """Mean over prompts of the mean logarithm of a run, its standard error from the repeats, degrees of freedom."""
    prompts = [values for same in by(run, "prompt").values() if (values := logs(same, figure))]
    if not prompts:
        return None
    repeated = [values for values in prompts if len(values) > 1]
    squares = sum(np.var(values, ddof=1) / len(values) for values in repeated)
    error = math.sqrt(squares) / len(repeated) if repeated else math.nan
    return float(np.mean([np.mean(values) for values in prompts])), error, sum(len(values) - 1 for values in repeated)


def whole(rows: Sequence[Row]) -> list[list[Row]]:
    """The runs that have a decode speed of as many prompts as any."""
    runs = list(by(rows, "run").values())
    counts = [sum(bool(logs(same, "decode_tps")) for same in by(run, "prompt").values()) for run in runs]
    return [run for run, count in zip(runs, counts, strict=True) if count == max(counts)]


def over_runs(runs: Sequence[tuple[float, float, int]]) -> float:
    """Half the interval of a configuration."""
    known = [(error, degrees) for _, error, degrees in runs if not math.isnan(error)]
    margins = []
    if known:
        error = math.sqrt(sum(error**2 for error, _ in known)) / len(known)
        margins.append(error * t975(sum(degrees for _, degrees in known)))
    if len(runs) >= 3:
        margins.append(mean_t([center for center, _, _ in runs])[1] or 0.0)
    return max(margins, default=math.nan)


def ends(center: float | None, margin: float | None) -> list[float | None]:
    if center is None or margin is None or math.isnan(margin):
        return [None, None]
    return [math.exp(center - margin), math.exp(center + margin)]


def same(found: Sequence[float | None], expected: Sequence[float | None]) -> bool:
    """Equal to 1e-9, and NULL where there is none."""
    return all(
        known is value or (known is not None and value is not None and math.isclose(known, value, rel_tol=EXACT))
        for known, value in zip(found, expected, strict=True)
    )


# ---------------------------------------------------------------- quantiles, Wilson


def test_every_quantile_is_scipys(views: Warehouse) -> None:
    table = views.rows("from quantiles order by df")
    assert [row["df"] for row in table] == list(range(1, LAST_DF + 1))
    for row in table:
        df = row["df"]
        expected = [stats.t.ppf(0.975, df), stats.t.ppf(0.8, df), stats.chi2.ppf(0.025, df), stats.chi2.ppf(0.975, df)]
        assert [row[name] for name in ("t975", "t80", "chi025", "chi975")] == pytest.approx(
            expected, rel=EXACT, abs=0
        ), df


@pytest.mark.parametrize("macro", ["t_of", "t_found", "sd_low", "sd_high"])
def test_beyond_the_table_the_last_quantile_holds_and_is_no_narrower(views: Warehouse, macro: str) -> None:
    [row] = views.rows(
        f"select {macro}(0) as none, {macro}(120) as last, {macro}(121) as more, {macro}(9999::bigint) as most"
    )
    assert row["none"] is None
    assert row["last"] == row["more"] == row["most"]
    true = {
        "t_of": stats.t.ppf(0.975, 121),
        "t_found": stats.t.ppf(0.975, 121) + stats.t.ppf(0.8, 121),
        "sd_low": -math.sqrt(121 / stats.chi2.ppf(0.975, 121)),
        "sd_high": math.sqrt(121 / stats.chi2.ppf(0.025, 121)),
    }[macro]
    assert (-row["more"] if macro == "sd_low" else row["more"]) > true


def test_wilson_bounds_are_scipys(views: Warehouse) -> None:
    counts = [(passed, total) for total in (1, 2, 5, 7, 20, 35, 350) for passed in {0, 1, total // 2, total - 1, total}]
    for passed, total in counts:
        [row] = views.rows(
            "select wilson_low(passed, total) as low, wilson_high(passed, total) as high "
            "from (select $passed::bigint as passed, $total::bigint as total)",
            passed=passed,
            total=total,
        )
        expected = stats.binomtest(passed, total).proportion_ci(0.95, method="wilson")
        assert [row["low"], row["high"]] == pytest.approx([expected.low, expected.high], rel=1e-9, abs=1e-12), (
            passed,
            total,
        )


def test_nothing_passed_of_nothing_is_unknown(views: Warehouse) -> None:
    assert views.rows("select wilson_low(0, 0) as low, wilson_high(0, 0) as high") == [{"low": None, "high": None}]


# ---------------------------------------------------------------- ratios and intervals


def test_there_are_so_many_data_sets_of_many_shapes(rows: list[Row]) -> None:
    sets = by(rows, "machine")
    shapes = {
        (len(by(same, "run")), len(by(same, "prompt")), max(row.repeat for row in same)) for same in sets.values()
    }
    print(f"{len(sets)} data sets, {len(rows)} requests, {len(shapes)} shapes")
    assert len(sets) == SETS
    assert len(shapes) > 50


@pytest.mark.parametrize("figure", ["decode_tps", "ttft_ms"])
def test_a_ratio_and_its_interval_are_scipys(filled: Warehouse, rows: list[Row], figure: str) -> None:
    """Student's t over prompts of the mean over repeats of ln(MLX / llama.cpp)."""
    found = {row["machine"]: row for row in filled.rows("from framework_delta")}
    assert len(found) == SETS
    for (machine,), of_set in by(rows, "machine").items():
        ratios = paired(of_set, figure)
        row = found[machine]
        center, margin = mean_t(ratios)
        seen = [row[f"{figure}_ratio{end}"] for end in ("", "_low", "_high")]
        assert same(seen, [None if center is None else math.exp(center), *ends(center, margin)]), machine
        if figure == "decode_tps":
            assert row["prompt_count"] == len(ratios)
            detected = None
            if margin is not None:
                degrees = len(ratios) - 1
                detected = math.exp(stats.sem(ratios) * (stats.t.ppf(0.975, degrees) + stats.t.ppf(0.8, degrees))) - 1
            assert same([row["detectable_difference"]], [detected]), machine


@pytest.mark.parametrize("figure", ["decode_tps", "ttft_ms"])
def test_a_runs_headline_and_its_interval_are_scipys(filled: Warehouse, rows: list[Row], figure: str) -> None:
    found = {row["run_id"]: row for row in filled.rows("from runs")}
    runs = by(rows, "machine", "runtime", "run")
    assert len(found) == len(runs)
    for key, run in runs.items():
        row = found[" ".join(map(str, key))]
        medians = [np.median(np.exp(values)) for same in by(run, "prompt").values() if (values := logs(same, figure))]
        spread = pooled(run, figure)
        expected = ends(spread[0], spread[1] * t975(spread[2]) if spread[2] else None) if spread else [None, None]
        headline = float(stats.gmean(medians)) if medians else None
        assert same([row[f"{figure}{end}"] for end in ("", "_low", "_high")], [headline, *expected]), key


@pytest.mark.parametrize("figure", ["decode_tps", "ttft_ms"])
def test_a_configurations_interval_is_scipys(filled: Warehouse, rows: list[Row], figure: str) -> None:
    """From three runs on the wider of the one between runs and the one within them; of runs with all prompts."""
    found = {row["configuration_id"]: row for row in filled.rows("from run_summary")}
    wider = Counter[bool]()
    for key, same_side in by(rows, "machine", "runtime").items():
        runs = [run for same in whole(same_side) if (run := pooled(same, figure))]
        margin = over_runs(runs)
        center = float(np.mean([run[0] for run in runs]))
        row = found[" ".join(key)]
        assert same([row[f"{figure}_low"], row[f"{figure}_high"]], ends(center, margin)), key
        if len(runs) >= 3 and any(degrees for _, _, degrees in runs):
            wider[margin == mean_t([run[0] for run in runs])[1]] += 1
    assert min(wider[True], wider[False]) > 10  # both arms of the rule were met


def test_a_cv_and_its_interval_are_scipys(filled: Warehouse, rows: list[Row]) -> None:
    found = {row["configuration_id"]: row for row in filled.rows("from stability")}
    assert max(row["cv_degrees"] for row in found.values()) > LAST_DF
    for key, same_side in by(rows, "machine", "runtime").items():
        repeated = [
            values
            for same in by(same_side, "run", "prompt").values()
            if len(values := np.exp(logs(same, "decode_tps"))) > 1
        ]
        row = found[" ".join(key)]
        seen = [row["cv"], row["cv_low"], row["cv_high"]]
        degrees = sum(len(values) - 1 for values in repeated)
        assert row["cv_degrees"] == degrees
        if not repeated:
            assert seen == [None] * 3
            continue
        cv = math.sqrt(np.mean([(np.std(values, ddof=1) / np.mean(values)) ** 2 for values in repeated]))
        used = min(degrees, LAST_DF)
        factors = [math.sqrt(used / stats.chi2.ppf(quantile, used)) for quantile in (0.975, 0.025)]
        assert same(seen, [cv, *(cv * factor for factor in factors)]), key


def test_the_spread_between_runs_is_scipys(filled: Warehouse, rows: list[Row]) -> None:
    found = {row["configuration_id"]: row for row in filled.rows("from stability")}
    for key, same_side in by(rows, "machine", "runtime").items():
        centers = [run[0] for same in whole(same_side) if (run := pooled(same, "decode_tps"))]
        row = found[" ".join(key)]
        assert row["run_count"] == len(centers)
        between = float(stats.tstd(centers)) if len(centers) > 1 else None
        assert same([row["cv_between_runs"]], [between]), key


# ---------------------------------------------------------------- what an interval and a verdict are worth


def test_an_interval_of_95_percent_holds_the_truth(views: Warehouse) -> None:
    """93 % is asked for: of 500 sets, two standard errors below 95 %."""
    for spread, found in coverage.asked(views, coverage.SPREADS, 500, coverage.RATIO):
        held = coverage.holding(found, coverage.RATIO)
        print(f"{spread}: {held} of {len(found)} intervals hold the truth")
        assert len(found) == 500
        assert held / 500 >= 0.93, spread


def test_no_difference_is_never_called_one_side_faster(views: Warehouse) -> None:
    for spread, found in coverage.asked(views, coverage.QUIET, 500, 1.0):
        verdicts = Counter(row["verdict"] for row in found)
        print(f"no difference, {spread}: {dict(verdicts)}")
        assert verdicts.total() == 500
        assert not {"MLX faster", "llama.cpp faster"} & verdicts.keys(), spread
        assert verdicts["equivalent"] >= 475, spread
