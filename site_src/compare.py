"""Any two configurations beside each other: what the browser shows once two were chosen (assets/compare.js).

Every number is text here already, with its unit and in the page's language: the browser puts texts into cells, and
computes nothing.
"""

import json
from collections.abc import Callable
from html import escape
from typing import Any

from site_src import figures
from site_src.words import Words

Row = dict[str, Any]
# A side's figure, what counts it, the ratio of both sides, its verdict.
FIGURES: tuple[tuple[str, str | None, str | None, str | None], ...] = (
    ("decode_tps", "decode_count", "decode_tps_ratio", "verdict"),
    ("ttft_ms", "ttft_count", "ttft_ms_ratio", "ttft_verdict"),
    ("peak_memory_gb", "peak_memory_count", "peak_memory_ratio", "memory_verdict"),
    ("peak_memory_kind", None, None, None),
    ("load_s", "load_count", "load_s_ratio", "load_verdict"),
    ("quality_gate", "checked_count", None, None),
)
REASONS = (("reason", None), ("memory_reason", "peak_memory_gb"), ("load_reason", "load_s"))
WORDS = ("compare_a", "compare_b", "compare_first", "compare_second", "compare_ratio", "compare_verdict")


def html(rows: list[Row], words: Words, page_of: Callable[[str | None], str | None]) -> str:
    """The chooser with all it may show; hidden until its script runs."""
    sides = {row[f"{side}_configuration_id"]: _side(row, side, words, page_of) for row in rows for side in "ab"}
    known = {
        "words": {name.removeprefix("compare_"): words.block(name) for name in WORDS},
        "figures": [words.named(name) for name, *_ in FIGURES],
        "sides": dict(sorted(sides.items(), key=lambda item: (item[1]["machine"], item[1]["name"]))),
        "pairs": {f"{row['a_configuration_id']} {row['b_configuration_id']}": _pair(row, words) for row in rows},
    }
    text = json.dumps(known, ensure_ascii=True, separators=(",", ":"))
    return f"<div class=\"compare\" hidden data-pairs='{_quoted(text)}'></div>"


def _quoted(text: str) -> str:
    """For an attribute in single quotes, since the text is full of double ones."""
    return escape(text, quote=False).replace("'", "&#39;")


def _side(row: Row, side: str, words: Words, page_of: Callable[[str | None], str | None]) -> Row:
    own = {name.removeprefix(f"{side}_"): value for name, value in row.items() if name.startswith(f"{side}_")}
    return {
        "name": own["label"],
        "machine": row["machine"],
        "page": page_of(own["configuration_id"]),
        "figures": [_figure(own, name, count, words) for name, count, *_ in FIGURES],
    }


def _figure(own: Row, name: str, count: str | None, words: Words) -> list[str]:
    """The value, and in small print its interval and n."""
    if own[name] is None:
        return [figures.plain(name, None), ""]
    shown = f"{words.text(name, own[name])} {figures.unit_of(name)}".rstrip()
    small = [words.interval(name, own), f"n = {own[count]:,}" if count else ""]
    return [shown, "; ".join(filter(None, small))]


def _pair(row: Row, words: Words) -> Row:
    """Ratio with interval and verdict of each figure, and what they rest on."""
    cells = [
        [[figures.plain(ratio, row[ratio]), words.interval(ratio, row)], [words.text(verdict, row[verdict]), ""]]
        if ratio and verdict
        else [["", ""], ["", ""]]
        for _, _, ratio, verdict in FIGURES
    ]
    about = words.block(
        "compare_about",
        prompts=f"{row['prompt_count']:,}",
        requests=f"{row['request_count']:,}",
        runs=words.runs("runs_a_side", row["runs_a_side"]),
    )
    return {"cells": cells, "notes": [about, *_reasons(row, words)]}


def _reasons(row: Row, words: Words) -> list[str]:
    """What is doubtful; what forbids all of it is told once."""
    of_all = row["reason"] or ""
    return [
        f"{words.named(name)}: {words.text(column, row[column])}" if name else words.text(column, of_all)
        for column, name in REASONS
        if row[column] and (name is None or not of_all.startswith(row[column]))
    ]
