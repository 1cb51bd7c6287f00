"""How numbers, times and missing values look."""

from datetime import datetime
from typing import Any

import pytest

from site_src import figures
from site_src.words import read


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
        ({"x_tps": 0.5, "x_tps_low": -1.0, "x_tps_high": 2.0}, "-1.00 – 2.00"),
    ],
)
def test_an_interval_is_shown_where_a_value_has_one(row: dict[str, Any], shown: str) -> None:
    assert figures.interval("x_tps", row) == shown


def test_an_interval_of_one_run_alone_says_so_where_it_is_of_a_speed() -> None:
    """Memory and load times have intervals over their own runs."""
    row = {"load_s": 2.0, "load_s_low": 1.0, "load_s_high": 3.0, "interval_kind": "within this run"}
    row |= {"decode_tps": 40.0, "decode_tps_low": 38.0, "decode_tps_high": 42.0}
    assert (figures.is_within("decode_tps", row), figures.is_within("load_s", row)) == (True, False)
    assert not figures.is_within("decode_tps", {**row, "interval_kind": "between runs"})
    assert read("en").interval("decode_tps", row) == "38.0–42.0 within this run"
    assert read("zh").interval("decode_tps", row) == "38.0–42.0，仅运行之内"
    assert read("en").interval("load_s", row) == "1.00–3.00"


@pytest.mark.parametrize(
    ("column", "count", "said"),
    [
        ("run_count", 1, "one run"),
        ("run_count", 2, "2 runs"),
        ("runs_a_side", 1, "one run on a side"),
        ("memory_runs_a_side", 4, "4 runs a side"),
    ],
)
def test_one_run_is_said_in_words(column: str, count: int, said: str) -> None:
    assert read("en").runs(column, count) == said
