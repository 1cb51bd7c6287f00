"""How numbers, times and missing values look."""

from datetime import datetime
from typing import Any

import pytest

from site_src import figures


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (0.01234, "0.0123"),
        (0.0012, "0.00120"),
        (0.5, "0.500"),
        (1.234, "1.23"),
        (1.5, "1.50"),
        (2.0, "2.00"),
        (9.999, "10.0"),
        (45.73, "45.7"),
        (78.0, "78.0"),
        (99.96, "100"),
        (123.4, "123"),
        (999.6, "1,000"),
        (12345.6, "12,346"),
        (-3.14159, "-3.14"),
        (1e-7, "0.000000100"),
        (1e15, "1,000,000,000,000,000"),
    ],
)
def test_a_number_has_three_digits_and_never_an_exponent(value: float, shown: str) -> None:
    assert figures.number(value) == shown


def test_a_number_may_have_other_digits() -> None:
    assert (figures.number(45.73, 2), figures.number(45.73, 4)) == ("46", "45.73")


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("decode_tps", 45.731, "45.7"),
        ("decode_tps", None, "–"),
        ("reason", None, "–"),
        ("request_count", 1234567, "1,234,567"),
        ("request_count", 0, "0"),
        ("is_forced", True, "yes"),
        ("is_forced", False, "no"),
        ("cv", 0.01234, "1.2%"),
        ("run_started_at", datetime(2026, 11, 22, 9, 5, 59), "2026-11-22 09:05"),
        ("label", "MiniMax <M2.1>", "MiniMax <M2.1>"),
        ("label", "", ""),
        ("bits", 4, "4"),
    ],
)
def test_a_value_is_shown_by_its_kind(column: str, value: Any, shown: str) -> None:
    assert figures.plain(column, value) == shown


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("decode_tps", "tokens/s"),
        ("ttft_ms", "ms"),
        ("load_s", "s"),
        ("peak_memory_gb", "GB"),
        ("tps_per_gb", "tokens/s per GB"),
        ("cv", ""),
        ("request_count", ""),
        ("suites", ""),
        ("status", ""),
    ],
)
def test_a_columns_name_says_its_unit(column: str, unit: str) -> None:
    assert figures.unit_of(column) == unit


def test_a_heading_is_words_and_unit() -> None:
    assert figures.heading("prefill_tps") == "prefill, tokens/s"
    assert figures.heading("made_up_column") == "made up column"
    assert figures.heading("made_up_ms") == "made up ms, ms"


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ({"x_tps": 45.73, "x_tps_low": 44.0, "x_tps_high": 47.46}, "44.0–47.5"),
        ({"x_tps": 45.73}, ""),
        ({"x_tps": 45.73, "x_tps_low": None, "x_tps_high": None}, ""),
        ({"x_tps": 45.73, "x_tps_low": 44.0, "x_tps_high": None}, ""),
        ({"x_tps": None, "x_tps_low": 44.0, "x_tps_high": 47.0}, ""),
        ({"x_tps": 0.0, "x_tps_low": 0.0, "x_tps_high": 0.0}, "0–0"),
    ],
)
def test_an_interval_is_shown_where_a_value_has_one(row: dict[str, Any], shown: str) -> None:
    assert figures.interval("x_tps", row) == shown
