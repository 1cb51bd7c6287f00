"""Does the quicksort it wrote sort, and is it one?

Runs in the sandbox only. The host alone knows what is right: the program gets lists and states them sorted. Then it
gets numbers that it does not have and must ask about, so that the host sees what is compared with what, and by whom.
"""

import json
import random
import secrets
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from collector.graders import GUESTS, NOT_RUN, Grade, Output, host_trouble
from collector.graders._asked import Numbers
from collector.graders._code import MOST_CHARS, programs
from collector.graders._pivots import why_none
from collector.graders._text import Block
from collector.sandbox import HostTrouble

if TYPE_CHECKING:
    from collector.sandbox import Execute, Ran

TIER, VERSION = "Q1", 2
FILES = {"harness.py": "sort.py", "asked.py": "asked.py"}
LENGTHS = (61, 61, 150)
AS_POSITIONS = ("IndexError", "MemoryError", "OverflowError")


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
    try:
        best = _graded(found[0], execute)
        for code in found[1:]:
            if best.outcome != "pass":
                best = max(best, _graded(code, execute), key=lambda one: (one.outcome == "pass", one.share or 0))
    except HostTrouble as trouble:
        return host_trouble(trouble)
    return best


def _graded(code: Block, execute: "Execute") -> Grade:
    files = {
        "solution.py": code.text,
        **{name: (GUESTS / of).read_text(encoding="utf-8") for name, of in FILES.items()},
    }
    word = secrets.token_hex(8)
    ran: Ran = execute(files, ["/w/harness.py"], json.dumps({"word": word, "cases": cases()}) + "\n")
    last = _said(ran, word)
    if "syntax" in last:
        return Grade("fail", f"syntax: {last['syntax']}" + ("" if code.is_closed else " (cut off)"), 0.0)
    right = _right(last.get("sorted"))
    share = right / len(cases())
    told = f"{right} of {len(cases())} cases"
    lacking = f"; it needs {last['lacking'][0]}, which is not there" if last.get("lacking") else ""
    if lacking and right < len(cases()) and not last.get("sorts"):
        return Grade("not run", f"{told}{lacking}")
    if why := ran.trouble or last.get("error"):
        return Grade("fail", f"{told}; {_kind(str(why))}", share)
    if not last.get("function"):
        return Grade("fail", "no function that takes a list", 0.0)
    told += "; changes its input" if last.get("changes_input") is True else ""
    if right < len(cases()):
        return Grade("fail", f"{told}; wrong result", share)
    outcome, why = _quicksort(files, execute)
    return Grade(outcome, f"{told}{why and f', but {why}'}", share)


def _quicksort(files: Mapping[str, str], execute: "Execute") -> tuple[str, str]:
    """Whether it sorts as a quicksort does, where it has to ask for each comparison; and why not."""
    numbers = Numbers(LENGTHS, secrets.token_hex(8))
    task = json.dumps({"word": numbers.word, "asked": numbers.named()}) + "\n"
    ran: Ran = execute(files, ["/w/harness.py"], task, numbers.reply)
    end = numbers.end
    if end is None:
        return "fail", f"it does not do it again ({ran.trouble or 'it ends early'})"
    if all(one.is_right for one in numbers.lists):
        why = next(filter(None, (why_none(one.numbers, one.compared) for one in numbers.lists)), None)
        return ("fail", why) if why else ("pass", "")
    error = str(end.get("error") or "wrong result")
    if error.startswith(AS_POSITIONS):
        return "fail", f"it takes the numbers for positions ({error})"
    if end.get("sorts"):
        return "fail", f"it names {', '.join(map(str, end['sorts']))}, and does not sort numbers that must be compared"
    return "partial", f"how could not be seen ({error})"


def _said(ran: "Ran", word: str) -> dict[str, Any]:
    """The guest's one line with the word in it, only data; two are none, since one of them is forged."""
    found = []
    for line in ran.stdout.splitlines():
        try:
            said = json.loads(line) if word in line else None
        except (ValueError, RecursionError):
            continue
        found += [said] if isinstance(said, dict) and said.get("word") == word else []
    return found[0] if len(found) == 1 else {}


def _right(results: Any) -> int:
    if not isinstance(results, list):
        return 0
    pairs = zip(results, cases(), strict=False)
    return sum(isinstance(got, list) and got == sorted(numbers) for got, numbers in pairs)


def _kind(why: str) -> str:
    return f"recursion: {why}" if "RecursionError" in why and not why.startswith("recursion") else why
