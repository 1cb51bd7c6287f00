"""What files of results would add, as Markdown that can be pasted as a comment.

The files are somebody else's. Whatever comes from them stands in code spans: there nothing is markup, no name calls
anybody, nothing becomes a link.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from site_src.figures import heading, interval, plain
from site_src.visible import visible

ABOUT = ("label", "machine", "server", "runtime_version", "context_effective", "suite", "run_state", "reason")
FIGURES = (
    *(("decode_tps", "decode_count"), ("ttft_ms", "ttft_count"), ("prefill_tps", "prefill_count")),
    *(("cv", ""), ("peak_memory_gb", ""), ("load_s", "")),
)
WORST = ("fail", "warn", "unknown", "pass")
LONGEST = 300  # characters of one thing that a file says


class Fault(NamedTuple):
    """What is wrong and what to do, in a sentence each of our own words; `shown` is what the file itself says there."""

    happened: str
    remedy: str
    shown: str = ""


@dataclass
class Reviewed:
    """One file: what is wrong with it, what a person should look at, and of a run what the views say."""

    path: Path
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    run_id: str | None = None
    signed_by: str | None = None
    sha256: str | None = None
    contributor: str | None = None
    whose: str | None = None
    is_grades: bool = False
    facts: dict[str, Any] | None = None
    compared: list[tuple[str, list[tuple[str, ...]], str | None]] = field(default_factory=list)


def markdown(reviewed: list[Reviewed], changes: list[str]) -> str:
    """All of it: first whether it can be published, then what it would change, then file by file."""
    refused = [one for one in reviewed if one.faults]
    if not reviewed:
        said = "**Nothing is added:** these results are as they are stored."
    elif refused:
        said = f"**{len(refused)} of {len(reviewed)} files cannot be published as they are.**"
    else:
        said = f"**Nothing is wrong with {'the file' if len(reviewed) == 1 else f'all {len(reviewed)} files'}.**"
    listed = ["\n".join(f"- {code(change)}" for change in changes)] if changes else []
    return "\n\n".join(["## Results for review", said, *listed, *map(_of_file, reviewed)]) + "\n"


def code(text: str) -> str:
    """Words of a file as a code span, on one line and of bounded length."""
    shown = " ".join(visible(text).split()).replace("|", "¦")  # a table's cell would end
    shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {shown} {fence}" if longest else f"`{shown or '–'}`"


def _of_file(one: Reviewed) -> str:
    parts = [f"### {code(one.path.name)}", *([one.whose] if one.whose else [])]
    for fault in one.faults:
        parts.append(f"- **{fault.happened}** {f'{code(fault.shown)}. ' if fault.shown else ''}{fault.remedy}")
    if one.facts:
        parts += [_about(one.facts["run"]), _figures(one.facts["run"]), _preflight(one.facts["preflight"])]
    for other, lines, reason in one.compared:
        heads = ["figure", "this", "other", "ratio (95 %)", "verdict"]
        parts += [f"Against {code(other)}:", _grid(heads, lines)]
        parts += [f"Doubtful: {code(reason)}."] if reason else []
    parts += [f"- Look at what the model wrote: {code(note)}." for note in one.notes]
    return "\n\n".join(parts)


def _about(run: dict[str, Any]) -> str:
    known = [name for name in ABOUT if run[name] is not None]
    return _grid(["what", "value"], [(heading(name), plain(name, run[name])) for name in known])


def _figures(run: dict[str, Any]) -> str:
    rows = [
        (heading(name), plain(name, run[name]), interval(name, run), plain(count, run[count]) if count else "")
        for name, count in FIGURES
    ]
    return _grid(["figure", "value", "95 % interval", "requests"], rows)


def _preflight(findings: list[dict[str, Any]]) -> str:
    if not findings:
        return "Nothing was checked before measuring."
    verdicts = {finding["verdict"] for finding in findings}
    worst = next((verdict for verdict in WORST if verdict in verdicts), "unknown")
    told = [finding for finding in findings if finding["verdict"] != "pass"]
    lines = [f"- {code(finding['name'])} {code(finding['verdict'])}: {code(finding['detail'])}" for finding in told]
    return "\n".join([f"Pre-flight: **{worst}**, {len(findings)} checks.", *([""] if lines else []), *lines])


def _grid(heads: list[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [" | ".join(code(cell) if cell else "" for cell in row) for row in rows]
    return "\n".join([f"| {' | '.join(heads)} |", "|" + "---|" * len(heads), *(f"| {line} |" for line in lines)])
