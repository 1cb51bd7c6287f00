"""The digits that a request began with follow from run, prompt and repeat: nobody can choose what they answer to."""

from collections.abc import Iterator
from typing import Any

from collector.commands._checks import File, Found
from collector.nonce import nonce, shared

HAPPENED = "The digits of a request are not those that follow from its run, prompt and repeat:"
REMEDY = "Take the file again from where it was made; none is ever edited, and no run takes another's name."
OF_ITS_RUN, OF_ALL_RUNS = ("request", "warm", "warmup", "context"), ("quality", "fidelity")


def find(file: File) -> Iterator[Found]:
    """Digits that differ; where nothing was asked there are none. Of a run without an id another rule tells."""
    if file.kind != "runs" or not file.rows[0].get("run_id"):
        return
    for number, row in enumerate(file.rows):
        op, asked = row.get("op"), row.get("prompt_id")
        if op not in (*OF_ITS_RUN, *OF_ALL_RUNS) or (op in ("context", "warmup") and asked is None):
            continue  # a rung that was not tried asked nothing
        told = row.get("nonce")
        if told not in _right(row):
            yield Found("nonce", told or "none", number)


def _right(row: dict[str, Any]) -> set[str]:
    """What they may be: of a request its place decides the first one, which is not known of all operations."""
    repeat: int = row.get("repeat") or 0
    if row["op"] in OF_ALL_RUNS:
        return {shared(row.get("prompt_sha256") or "", repeat if row["op"] == "quality" else 0)}
    place: int | None = row.get("position") if row["op"] in ("request", "warm") else None
    about = row.get("run_id") or "", row.get("prompt_id") or "", repeat
    return {nonce(*about, at) for at in (range(10) if place is None else (place,))}
