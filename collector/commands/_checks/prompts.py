"""What was asked is what the suite asks: the prompt's hash, and the limit that this operation has."""

from collections.abc import Iterator
from typing import Any

from collector import run
from collector.commands._checks import File, Found, _suites

HAPPENED = "Its suite does not ask so:"
REMEDY = "Measure again with the suite as this project has it; for prompts of your own, add a suite first."
ASKING = ("request", "warm", "quality", "fidelity")


def find(file: File) -> Iterator[Found]:
    """Prompts that the suite has not, or has with another hash or limit. Of an unknown suite another rule tells."""
    if file.kind != "runs":
        return
    first = file.rows[0]
    name, digest = first.get("suite"), first.get("suite_sha256")
    known = _suites.prompts(name or "", digest or "") if name or digest else {}
    if known is None:
        return
    for number, row in enumerate(file.rows):
        if row.get("op") in ASKING:
            yield from _wrong(row, number, known)


def _wrong(row: dict[str, Any], number: int, known: dict[str, _suites.Asked]) -> Iterator[Found]:
    asked = known.get(row.get("prompt_id") or "")
    if asked is None:
        yield Found("prompt_id", row.get("prompt_id") or "none", number)
    elif row.get("prompt_sha256") != asked.sha256:
        yield Found("prompt_sha256", f"{str(row.get('prompt_sha256'))[:12]} of {row['prompt_id']}", number)
    elif row.get("max_tokens") != (most := _limit(row, asked)):
        yield Found("max_tokens", f"{row.get('max_tokens')} for {row['prompt_id']}, not {most}", number)


def _limit(row: dict[str, Any], asked: _suites.Asked) -> int:
    if row["op"] == "warm":
        return min(asked.max_tokens, run.WARM_TOKENS)
    return asked.max_tokens + ((row.get("quality_allowance") or 0) if row["op"] == "quality" else 0)
