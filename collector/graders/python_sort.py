"""Does the quicksort it wrote sort, and is it one?

Runs in the sandbox only. The host alone knows what is right: the program gets lists and must print them sorted.
"""

import json
import random
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from collector.graders import GUESTS, NOT_RUN, Grade, Output
from collector.graders._code import MOST_CHARS, programs
from collector.graders._text import Block

if TYPE_CHECKING:
    from collector.sandbox import Execute, Ran

TIER, VERSION = "Q1", 1
GUEST = GUESTS / "sort.py"
BUILT_IN = {"sorted", ".sort", ".argsort"} | {
    dot + name for dot in ("", ".") for name in ("heapify", "heappop", "nsmallest", "merge", "insort", "insort_left")
}


@cache
def cases() -> tuple[tuple[int, ...], ...]:
    """The plan's: empty, one, duplicates, negatives, sorted, reversed, 200 random ones, and one of 2,000 numbers."""
    draw = random.Random(42)
    fixed = [(), (1,), (2, 1), (5, 5, 5, 5), (3, -1, 0, -7, 3, -1), tuple(range(50)), tuple(range(50, 0, -1))]
    some = [tuple(draw.randrange(-99, 100) for _ in range(draw.randrange(2, 40))) for _ in range(200)]
    return (*fixed, *some, tuple(draw.sample(range(10_000), 2000)))


def grade(output: Output, declared: Mapping[str, Any], execute: "Execute | None") -> Grade:
    """Pass: every case right, by a quicksort of its own. `share` is of the cases."""
    found = list(programs(output.answer))
    if not found:
        return Grade("unparsed" if not output.answer.strip() else "fail", "no code")
    if any(len(code.text) > MOST_CHARS for code in found):
        return Grade("fail", f"{max(len(code.text) for code in found)} characters of code")
    if execute is None:
        return NOT_RUN
    best = _graded(found[0], execute)
    for code in found[1:]:
        if best.outcome != "pass":
            best = max(best, _graded(code, execute), key=lambda one: (one.outcome == "pass", one.share or 0))
    return best


def _graded(code: Block, execute: "Execute") -> Grade:
    files = {"solution.py": code.text, "harness.py": GUEST.read_text(encoding="utf-8")}
    ran = execute(files, ["/w/harness.py"], json.dumps(cases()))
    first, last = _said(ran)
    if "syntax" in first:
        return Grade("fail", f"syntax: {first['syntax']}" + ("" if code.is_closed else " (cut off)"), 0.0)
    right = _right(last.get("sorted"))
    share = right / len(cases())
    if why := ran.trouble or last.get("error"):
        return Grade("fail", f"{right} of {len(cases())} cases; {_kind(str(why))}", share)
    if not last.get("function"):
        return Grade("fail", "no function that takes a list", 0.0)
    told = f"{right} of {len(cases())} cases" + ("; changes its input" if last.get("changes_input") is True else "")
    if right < len(cases()):
        return Grade("fail", f"{told}; wrong result", share)
    if why := _no_quicksort(first, last):
        return Grade("fail", f"{told}, but {why}", share)
    return Grade("pass", told, share)


def _said(ran: "Ran") -> tuple[dict[str, Any], dict[str, Any]]:
    """The guest's first line, from before the program ran, and its last: whatever it is, only data."""
    found = []
    lines = ran.stdout.strip().splitlines()
    for line in (lines[:1] or [""])[0], (lines[-1:] or [""])[0]:
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            said = {}
        found.append(said if isinstance(said, dict) else {})
    return found[0], found[1]


def _right(results: Any) -> int:
    if not isinstance(results, list):
        return 0
    pairs = zip(results, cases(), strict=False)
    return sum(isinstance(got, list) and got == sorted(numbers) for got, numbers in pairs)


def _kind(why: str) -> str:
    return f"recursion: {why}" if "RecursionError" in why and not why.startswith("recursion") else why


def _no_quicksort(made_of: Mapping[str, Any], last: Mapping[str, Any]) -> str | None:
    """Why a program that sorts is none: it reaches beyond a sort, leaves the work to Python, or has no pivots."""
    if made_of.get("reaches"):
        return f"it uses {', '.join(made_of['reaches'])}"
    calls: Mapping[str, list[str]] = made_of.get("calls", {})
    reached, todo = set[str](), [str(last["function"]).rpartition(".")[2]]
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += [called.removeprefix(".") for called in calls.get(name, []) if called.removeprefix(".") in calls]
    used = {called for name in reached for called in calls.get(name, []) if called.removeprefix(".") not in calls}
    if used & BUILT_IN:
        return f"it calls {', '.join(sorted(used & BUILT_IN))}"
    return "it compares no number with all others, as a pivot is" if last.get("pivots") is False else None
