"""How a number, a time or a missing value looks on a page. No number is computed here."""

import math
from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any

# Suffix of a column's name → (unit shown in headings and sentences, digits shown)
UNITS = {
    "_tps": ("tokens/s", 3),
    "_ms": ("ms", 3),
    "_s": ("s", 3),
    "_gb": ("GB", 3),
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
WORDS = {
    "tps_per_gb": "TPS per GB of peak memory",
    "tps_per_file_gb": "TPS per GB of file",
    "decode_tps": "decode",
    "prefill_tps": "prefill",
    "ttft_ms": "TTFT",
    "peak_memory_gb": "peak memory",
    "file_gb": "weights on disk",
    "load_s": "load time",
    "cv": "CV",
    "run_started_at": "began, UTC",
    "request_count": "requests",
    "run_count": "runs",
    "failed_count": "failed",
    "label": "configuration",
    "decode_tps_ratio": "decode ratio",
    "ttft_ms_ratio": "TTFT ratio",
    "mlx_quantization": "MLX",
    "llama_cpp_quantization": "llama.cpp",
    "memory_gb": "memory",
    "run_state": "state",
    "context_effective": "context, tokens",
    "prompt_id": "prompt",
    "peak_memory_kind": "memory is",
    "decode_count": "requests",
    "reason": "missing or doubtful",
    "baseline_gb": "in use before loading",
    "peak_system_gb": "peak of the system, above that",
    "peak_pss_gb": "peak PSS of the engine",
    "peak_rss_gb": "peak RSS of the engine",
    "peak_memory_reason": "why there is no peak",
    "memory_sample_count": "samples",
    "reported_load_s": "load time by the server",
    "load_reason": "why there is no load time",
    "stop_kind": "stopped by",
    "stop_reason": "why nothing was measured",
    "bench_test": "test",
    "bench_depth": "tokens before",
    "repetition_count": "repetitions",
    "mean_tps": "mean",
    "sd_tps": "standard deviation",
    "min_tps": "slowest",
    "max_tps": "fastest",
    "decode_error_percent": "decode error",
    "decode_error_percent_max": "largest",
    "ttft_excess_ms": "TTFT over the server's prompt time",
    "client_cpu_us_per_token": "client CPU for a token",
    "client_bias_percent": "calibrated bias",
    "cached_count": "cached prompts measured",
    "cpu_s": "CPU",
    "rss_mb": "peak RSS",
    "excluded_count": "left out",
    "total_count": "of",
    "warm_ratio": "warm over cold",
    "cold_ttft_ms": "cold TTFT",
    "warm_ttft_ms": "warm TTFT",
    "ceiling_tps": "ceiling",
    "ceiling_share": "share reached",
    "gb_per_token": "GB for each token",
    "weights_per_token_b": "weights for each token, billions",
    "drift_rho": "rank correlation with position",
    "memory_bytes_per_token": "memory for each token",
    "kv_bytes_per_token": "by formula",
    "found_count": "found",
    "needle_count": "of",
    "figure_value": "value",
    "figure": "of what",
    "figure_of": "of which",
    "settled_by": "settled by",
    "settled_in_minutes": "in minutes",
    "memory_budget_gb": "budget from",
    "memory_budget_below_gb": "to below",
    "context_needed": "context needed, tokens",
    "fitting_count": "that fit",
    "run_rank": "place",
    "seen_difference": "difference seen",
    "detectable_difference": "detectable",
    "estimated_minutes": "minutes, about",
    "peak_memory_ratio": "memory ratio",
    "passed_count": "passed",
    "judged_count": "answers judged",
    "prompt_count": "prompts",
    "passed_share": "share passed",
    "broken_count": "broken",
    "graded_count": "outputs graded",
    "truncated_count": "cut off",
    "agrees_count": "puzzle: agree",
    "opinion_count": "of",
    "both_count": "both pass",
    "lost_count": "only the first",
    "gained_count": "only the second",
    "neither_count": "neither",
    "p_value": "p",
    "sign_p": "p",
    "vote_count": "votes",
    "voter_count": "voters",
    "other_label": "second",
    "timed_count": "timed outputs",
    "outcomes": "by repeat",
    "load_s_ratio": "load ratio",
}


def heading(column: str) -> str:
    """A column's name for people, with its unit."""
    unit = unit_of(column)
    words = WORDS.get(column, column.replace("_", " "))
    return f"{words}, {unit}" if unit else words


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
    if column == "cv":
        return f"{value:.1%}"
    if isinstance(value, float):
        return number(value, _unit(column)[1])
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def number(value: float, digits: int = 3) -> str:
    """`digits` significant ones, never an exponent: 0.0123, 1.23, 123, 12346."""
    if value == 0:
        return "0"
    before_point = math.floor(math.log10(abs(float(f"{value:.{digits}g}")))) + 1
    return f"{value:.{max(0, digits - before_point)}f}"  # 78.0 keeps its zero: it was measured


def with_interval(column: str, row: Mapping[str, Any]) -> str:
    """The value as HTML, followed by its interval where the row has `…_low` and `…_high`."""
    shown = escape(plain(column, row[column]))
    low, high = row.get(f"{column}_low"), row.get(f"{column}_high")
    if row[column] is None or low is None or high is None:
        return shown
    return f'{shown} <span class="interval">{plain(column, low)}–{plain(column, high)}</span>'


def _unit(column: str) -> tuple[str, int]:
    if column in UNITS:
        return UNITS[column]
    return next((unit for suffix, unit in UNITS.items() if suffix[0] == "_" and column.endswith(suffix)), ("", 3))
