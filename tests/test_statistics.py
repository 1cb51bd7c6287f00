"""The SQL's statistics against SciPy and NumPy, on random data: every figure to 1e-9, every verdict."""

import math
from random import Random

import numpy as np
import pytest
from scipy import stats

from collector.schema import Results
from site_src.warehouse import Warehouse
from tests import by_scipy, compared, compared_depth, compared_once
from tests.by_scipy import by
from tests.messy_sets import messy
from tests.synthetic import LLAMA, MLX, Row, fill

SETS = 200
SEED = 20261130
EXACT = 1e-9
LAST_DF = 120  # degrees of freedom from which on the table of chi-squared ends
COMPARISONS = (1, 2, 3, 4, 5, 8, 9, 16, 17, 32, 64, 100, 128, 256)


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return Warehouse(Results(tmp_path_factory.mktemp("no") / "results"))


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    chance = Random(SEED)
    long = [  # beyond the table of chi-squared
        Row("long", runtime, run, f"p{prompt}", repeat, 30 * math.exp(chance.gauss(0, 0.02)), 900.0)
        for runtime in (MLX, LLAMA)
        for run in range(3)
        for prompt in range(9)
        for repeat in range(8)
    ]
    return [*long, *(row for number in range(1, SETS) for row in messy(chance, f"set {number}"))]


@pytest.fixture(scope="module")
def filled(views: Warehouse, rows: list[Row]) -> Warehouse:
    fill(views, rows)
    return views


# ---------------------------------------------------------------- quantiles, Wilson


def test_every_quantile_of_t_is_scipys_at_real_degrees_of_freedom(views: Warehouse) -> None:
    every = np.unique(np.concatenate([np.geomspace(1, 1e6, 400), np.linspace(1, 3, 201), np.arange(1, 200)]))
    for comparisons in COMPARISONS:
        degrees = every if comparisons == 1 else every[::40]
        found = views.rows(
            "select t_of_all(degrees, $comparisons) as t from (select unnest($degrees::double[]) as degrees)",
            degrees=degrees.tolist(),
            comparisons=comparisons,
        )
        expected = np.array([by_scipy.t_of(float(each), comparisons) for each in degrees])
        assert np.max(np.abs([row["t"] for row in found] / expected - 1)) < EXACT, comparisons


def test_the_quantiles_for_a_power_of_80_percent_are_scipys(views: Warehouse) -> None:
    degrees = np.geomspace(1, 1e6, 600)
    found = views.rows(
        "select t_of(degrees) as t, t_found(degrees) as both from (select unnest($degrees::double[]) as degrees)",
        degrees=degrees.tolist(),
    )
    t80 = np.array([row["both"] - row["t"] for row in found])
    assert np.max(np.abs(t80 / stats.t.ppf(0.8, degrees) - 1)) < EXACT
    assert np.max(np.abs([row["t"] for row in found] / stats.t.ppf(0.975, degrees) - 1)) < EXACT


def test_a_correction_is_never_for_fewer_comparisons_than_were_made(views: Warehouse) -> None:
    found = views.rows(
        "select n, t_of_all(5, n) as t, t_of(5) as one from (select unnest(range(1, 257)) as n) order by n"
    )
    values = [row["t"] for row in found]
    assert values == sorted(values)
    for n in (2, 3, 5, 17, 200):  # no fewer than were made, and no wider than by Bonferroni for the next power of 2
        rounded = 2 ** math.ceil(math.log2(n))
        exact = by_scipy.t_of(5.0, rounded)
        assert values[n - 1] == pytest.approx(exact, rel=EXACT)
        assert exact < stats.t.isf(0.025 / rounded, 5)
    assert found[0]["t"] == found[0]["one"]


def test_there_is_no_quantile_below_one_degree_of_freedom(views: Warehouse) -> None:
    [row] = views.rows("select t_of(0) as none, t_of(null) as unknown, t_of(0.5) as half, t_of(9999::bigint) as many")
    assert [row["none"], row["unknown"], row["half"]] == [None] * 3
    assert row["many"] == pytest.approx(stats.t.ppf(0.975, 9999), rel=EXACT)


def test_every_quantile_of_chi_squared_is_scipys(views: Warehouse) -> None:
    table = views.rows("from quantiles order by df")
    assert [row["df"] for row in table] == list(range(1, LAST_DF + 1))
    for row in table:
        df = row["df"]
        expected = [stats.chi2.ppf(0.025, df), stats.chi2.ppf(0.975, df)]
        assert [row[name] for name in ("chi025", "chi975")] == pytest.approx(expected, rel=EXACT, abs=0), df


@pytest.mark.parametrize("macro", ["sd_low", "sd_high"])
def test_beyond_the_table_the_last_quantile_holds_and_is_no_narrower(views: Warehouse, macro: str) -> None:
    [row] = views.rows(
        f"select {macro}(0) as none, {macro}(120) as last, {macro}(121) as more, {macro}(9999::bigint) as most"
    )
    assert row["none"] is None
    assert row["last"] == row["more"] == row["most"]
    true = {
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


def test_a_median_is_never_off_by_more_than_its_price_allows(views: Warehouse) -> None:
    """The standard error of a median over that of a mean, of normal values, by simulation."""
    chance = np.random.default_rng(SEED)
    for count in (1, 2, 3, 4, 5, 7, 8, 20):
        values = chance.normal(size=(200_000, count))
        [row] = views.rows("select median_price($count) as price", count=count)
        paid = np.std(np.median(values, axis=1)) * math.sqrt(count)
        assert row["price"] > 0.995 * paid, count
        assert (row["price"] == 1) == (count < 3)


# ---------------------------------------------------------------- runs, sets, ratios, versions


def test_there_are_so_many_data_sets_of_many_shapes(rows: list[Row]) -> None:
    sets = by(rows, "machine")
    shapes = {
        (len(by(same, "runtime", "model", "run")), len(by(same, "prompt")), max(row.repeat for row in same))
        for same in sets.values()
    }
    print(f"{len(sets)} data sets, {len(rows)} requests, {len(shapes)} shapes")
    assert len(sets) == SETS
    assert len(shapes) > 50


@pytest.mark.parametrize("check", compared.CHECKS, ids=lambda check: check.__name__)
def test_in_200_messy_sets_every_figure_is_scipys(filled: Warehouse, rows: list[Row], check: compared.Check) -> None:
    seen = check(filled, rows)
    print(dict(seen))
    assert seen.total() > SETS
    assert all(seen[kind] >= 2 for kind in compared.MET[check]), "every arm of the rule was met"


# ---------------------------------------------------------------- memory, load time, depth


def test_memory_and_load_are_compared_by_welch(views: Warehouse) -> None:
    machines = compared_once.once_a_run(SEED, SETS)
    compared_once.measured(views, machines)
    seen = compared_once.memory_and_load_by_welch(views, machines)
    print(dict(seen))
    assert min(seen["one run a side"], seen["no kind on both sides"], seen["2 against 6"], seen["inconclusive"]) > 2


def test_a_load_time_and_its_interval_are_of_one_kind(views: Warehouse) -> None:
    machines = compared_once.once_a_run(SEED, SETS)
    compared_once.measured(views, machines)
    compared_once.load_times_of_one_kind(views, machines)


def test_a_ratio_at_a_depth_holds_what_ladders_differ_by(views: Warehouse) -> None:
    climbed = compared_depth.ladders(SEED, SETS)
    compared_depth.climb(views, climbed)
    seen = compared_depth.ratios_by_depth(views, climbed)
    print(dict(seen))
    assert min(seen["pooled"], seen["not pooled"]) > 50
