"""What single requests say beside a headline: outliers are flagged and count all the same; jitter between tokens."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from site_src.warehouse import Warehouse
from tests.conftest import request
from tests.rows import sharing

Given = Callable[..., Warehouse]
STEADY = (50.0, 50.5, 49.5, 50.2)


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return sharing(given, monkeypatch)


def asked(*speeds: float, prompt: str = "a") -> list[dict[str, Any]]:
    """Requests of one prompt at these speeds, in the order they were sent."""
    return [request(prompt, repeat, tps=tps, position=repeat) for repeat, tps in enumerate(speeds, start=1)]


def flagged(warehouse: Warehouse) -> list[tuple[bool, bool]]:
    rows = warehouse.rows("from request_outliers order by run_id, op_index")
    return [(row["is_outlier"], row["is_first_of_run"]) for row in rows]


def test_a_score_is_the_distance_from_the_median_in_robust_standard_deviations(given: Given) -> None:
    speeds = (*STEADY, 40.0, 51.0)
    rows = given(asked(*speeds)).rows("from request_outliers order by op_index")
    exact = 1e6 / np.round(1e6 / np.array(speeds))  # chunks come at whole microseconds
    expected = (exact - np.median(exact)) / (1.4826 * stats.median_abs_deviation(exact))
    assert [row["score"] for row in rows] == pytest.approx(list(expected), rel=1e-6)
    assert [row["is_outlier"] for row in rows] == [abs(score) > 3.5 for score in expected]
    assert [row["is_outlier"] for row in rows].count(True) == 1


def test_an_outlier_counts_all_the_same_and_a_first_one_is_told(given: Given) -> None:
    warehouse = given(asked(30.0, *STEADY))
    assert flagged(warehouse) == [(True, True), *[(False, False)] * 4]
    [row] = warehouse.rows("from stability")
    assert (row["outlier_count"], row["first_outlier_count"], row["judged_count"]) == (1, 1, 5)
    assert "the first request of a run was an outlier: 1" in row["reason"]
    [summary] = warehouse.rows("from run_summary")
    assert (summary["decode_count"], summary["excluded_count"]) == (5, 0)


def test_of_four_requests_none_is_judged(given: Given) -> None:
    warehouse = given(asked(30.0, *STEADY[:3]))
    assert flagged(warehouse) == [(False, True), *[(False, False)] * 3]
    assert warehouse.rows("from stability")[0]["judged_count"] == 0


@pytest.mark.parametrize(("tps", "is_outlier"), [(51.5, False), (52.5, True)])
def test_where_most_are_equal_one_percent_stands_for_their_spread(given: Given, tps: float, is_outlier: bool) -> None:
    assert flagged(given(asked(*[50.0] * 5, tps)))[-1] == (is_outlier, False)


def test_jitter_is_how_much_later_the_slowest_twentieth_of_tokens_comes_than_the_middle_one(given: Given) -> None:
    gaps = [20_000] * 180 + [35_000] * 20
    chunks = [{"gap_us": gap, "kind": "answer", "chars": 4} for gap in (200_000, *gaps)]
    end = sum(chunk["gap_us"] for chunk in chunks) * 1000
    row = request(tokens=201, chunks=chunks, last_text_ns=end, done_ns=end, elapsed_ns=end)
    [found] = given([row]).rows("from configuration_requests")
    assert (found["jitter_ms"], found["jitter_count"]) == (pytest.approx(15.0), 1)
