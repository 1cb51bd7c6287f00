"""How often an interval holds the truth, and a verdict errs: the bench's hardest cells in little.

Bounds leave room for chance: four standard errors of a share of so many, since what one machine's configurations share,
its variance, makes them a little less than independent. The numbers drawn are the same each time.
"""

import math

import pytest

from collector.schema import Results
from scripts.benches import coverage
from scripts.benches._drawn import Spread
from site_src.warehouse import Warehouse

MACHINES = 60


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return Warehouse(Results(tmp_path_factory.mktemp("drawn") / "results"))


def room(share: float, count: int) -> float:
    return 4 * math.sqrt(share * (1 - share) / count)


@pytest.mark.parametrize(("runs", "least"), [(1, 0.92), (2, 0.93), (4, 0.93)])
@pytest.mark.parametrize("spread", [Spread(0.02, 0.003), Spread(0.01, 0.03)], ids=str)
def test_a_speeds_interval_holds_the_long_run_speed(
    warehouse: Warehouse, spread: Spread, runs: int, least: float
) -> None:
    found = list(coverage.of_configurations(warehouse, MACHINES, spread, runs))
    held = coverage.covering(found)
    print(f"{spread}, {runs} runs: {100 * held:.1f} % of {len(found)}")
    assert len(found) == MACHINES * (4 if runs == 1 else 14)
    assert held >= least - room(least, len(found))


@pytest.mark.parametrize("drift", [0.0, coverage.DRIFT])
@pytest.mark.parametrize("order", ["ABBA", "ABBAABBA"])
def test_a_ratios_interval_holds_it_and_the_margin_is_no_faster(warehouse: Warehouse, order: str, drift: float) -> None:
    found = list(coverage.of_pairs(warehouse, MACHINES, order, Spread(0.02, 0.01), drift))
    held, wrong = coverage.covering(found), coverage.said(found, 1.03, "a faster")
    print(f"{order}, drift {drift}: {100 * held:.1f} % of {len(found)} held, faster at 1.03 {100 * wrong:.1f} %")
    assert len(found) == MACHINES * 7
    assert held >= 0.93 - room(0.93, len(found))
    assert wrong <= 0.03 + room(0.03, coverage.many(found, 1.03))
    assert coverage.said(found, 1.0, "a faster") == coverage.said(found, 1.0, "b faster") == 0


@pytest.mark.parametrize("drift", [0.0, coverage.DRIFT])
def test_one_run_a_side_has_an_interval_and_no_verdict(warehouse: Warehouse, drift: float) -> None:
    found = list(coverage.of_pairs(warehouse, 2 * MACHINES, "AB", Spread(0.01, 0.01), drift))
    assert {one.verdict for one in found} == {"one run a side"}
    assert drift or coverage.covering(found) >= 0.93 - room(0.93, len(found))


@pytest.mark.parametrize("models", [1, 14], ids=["alone", "one of fourteen"])
def test_a_history_calls_no_chance_a_change_and_finds_one_of_5_percent(warehouse: Warehouse, models: int) -> None:
    nothing = coverage.of_histories(warehouse, 280, models, [1.0] * 5, 0.02)
    wrong = sum(bool({"faster", "regression"} & set(said)) for said in nothing) / len(nothing)
    slower = coverage.of_histories(warehouse, 280, models, [1.0, 1.0, 1.0, 1.0, 0.95], 0.01)
    found = sum(said[-1] == "regression" for said in slower) / len(slower)
    print(f"{len(nothing)} histories: false in {100 * wrong:.1f} %, 5 % found in {100 * found:.1f} %")
    assert wrong <= 0.08 + room(0.08, len(nothing))
    assert found >= 0.80 - room(0.80, len(slower))


def test_a_headline_lies_in_its_interval_whatever_requests_did(warehouse: Warehouse) -> None:
    """Outliers, cold first repeats, drift, one or few repeats: in all of 500 configurations, and of their runs."""
    bounds = coverage.Bounds(leeway=0)
    coverage.headlines(warehouse, coverage.REDUCED._replace(headlines=500), bounds)
    assert not bounds.failed
    assert bounds.held_count == 1


def test_the_bench_fails_where_a_bound_does_not_hold() -> None:
    bounds = coverage.Bounds(leeway=0)
    assert bounds.check("held", 0.9301, ">=", 0.93, 100) == " 93.01 "
    assert bounds.check("faster", 0.0301, "<=", 0.03, 100) == "  3.01!"
    assert bounds.failed == ["faster: 3.01 %, not <= 3 %"]
