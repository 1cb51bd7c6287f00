"""How a number, a time or a missing value looks on a page. No number is computed here."""

import functools
import math
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

ENGLISH = Path(__file__).parent / "words.toml"

# Suffix of a column's name → (unit shown in headings and sentences, digits shown)
UNITS = {
    "_tps": ("tokens/s", 3),
    "_ms": ("ms", 3),
    "_tps_within_low": ("tokens/s", 3),
    "_tps_within_high": ("tokens/s", 3),
    "_ms_p95": ("ms", 3),
    "_s": ("s", 3),
    "_gb": ("GB", 3),
    "_j_per_token": ("J/token", 3),
    "_watts": ("W", 3),
    "tps_per_gb": ("tokens/s per GB", 3),
    "tps_per_file_gb": ("tokens/s per GB", 3),
    "cv": ("", 2),
    "_percent": ("%", 3),
    "_percent_max": ("%", 3),
    "_ms_max": ("ms", 3),
    "_mb": ("MB", 3),
    "_gbs": ("GB/s", 3),
    "_bytes_per_token": ("bytes", 3),
    "cpu_us_per_token": ("µs", 3),
    "_share": ("", 3),
    "_ratio": ("", 3),
    "_difference": ("", 2),
}
# Counts and measures side by side. A measure is hardly ever whole.
MIXED = ("figure_value", "figure_value_low", "figure_value_high")
# Spread and change of a speed, shown as percent.
SHARES = re.compile(r"(cv|drift|(machine_)?run_spread)(_low|_high)?|cv_between_runs")
# What an interval_kind of its row speaks of: memory and load times have intervals over their own runs.
SPREADING = re.compile(r"(decode_tps|ttft_ms|prefill_tps)(_ratio)?|tps_per_\w+|figure_value")
JOULES = re.compile(r"(decode|prefill)_j_per_token|tokens_per_kwh")  # of runs that have some, so their kind may differ
WITHIN = "within this run"
LONGEST = 1000  # characters of a text; the downloads have all of it


@functools.cache
def words(path: Path = ENGLISH) -> dict[str, Any]:
    """The words of a language, as its file has them."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def heading(column: str) -> str:
    """A column's name for people, with its unit, in English."""
    unit = unit_of(column)
    said = words()["headings"].get(column, column.replace("_", " "))
    return f"{said}, {unit}" if unit else said


def unit_of(column: str) -> str:
    """The unit that a column's name says; empty for a count or a text."""
    return _unit(column)[0]


def plain(column: str, value: Any) -> str:
    """One value as text, without its unit; an en dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if _is_share(column):
        return f"{value:.1%}"
    if column in MIXED and float(value).is_integer():
        return f"{value:,.0f}"
    if isinstance(value, float):
        return number(value, _unit(column)[1])
    if isinstance(value, int):
        return f"{value:,}"
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def number(value: float, digits: int = 3) -> str:
    """`digits` significant ones, never an exponent: 0.0123, 1.23, 123, 12,346."""
    if value == 0:
        return "0"
    before_point = math.floor(math.log10(abs(float(f"{value:.{digits}g}")))) + 1
    return f"{value:,.{max(0, digits - before_point)}f}"  # 78.0 keeps its zero: it was measured


def interval(column: str, row: Mapping[str, Any]) -> str:
    """`low–high` where the row has `…_low` and `…_high` of a value, else nothing."""
    low, high = row.get(f"{column}_low"), row.get(f"{column}_high")
    if row[column] is None or low is None or high is None:
        return ""
    dash = " – " if low < 0 else "–"  # a minus before it would be taken for another one
    return f"{plain(column, low)}{dash}{plain(column, high)}"


def is_within(column: str, row: Mapping[str, Any]) -> bool:
    """Whether the interval of a value says only what repeats within its run were apart, and nothing of another day."""
    if JOULES.fullmatch(column):
        return bool(row.get("energy_interval_kind", row.get("interval_kind")) == WITHIN)
    return bool(SPREADING.fullmatch(column)) and row.get("interval_kind") == WITHIN


@functools.cache
def _is_share(column: str) -> bool:
    return bool(SHARES.fullmatch(column))


@functools.cache
def _unit(column: str) -> tuple[str, int]:
    if column in UNITS:
        return UNITS[column]
    return next((unit for suffix, unit in UNITS.items() if suffix[0] == "_" and column.endswith(suffix)), ("", 3))
