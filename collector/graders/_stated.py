"""What a project in the sandbox states of itself: values of tests and output of programs, which are compared here.

Every task is made in several variants: the first as it stands, the others with other numbers in tests, data and input.
"""

import json
import random
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from collector.graders import GUESTS
from collector.sandbox.stated import renumbered, stated

if TYPE_CHECKING:
    from collector.sandbox import Execute

GUEST = "project.py"
VARIANTS = 5
CODE = (".py", ".md")  # all else in a base is data


@dataclass
class Said:
    """What a project stated, each by variant and name or number: values, and what went wrong."""

    tests: dict[tuple[int, str], tuple[Any, str | None]] = field(default_factory=dict)
    cases: dict[tuple[int, int], tuple[Any, str | None]] = field(default_factory=dict)
    made_of: dict[str, list[str]] = field(default_factory=dict)
    is_whole: bool = False
    trouble: str | None = None  # of the sandbox


class Task:
    """A base with its tests and cases in all variants. `draw`: where the other numbers come from."""

    def __init__(self, declared: Mapping[str, Any], base: Mapping[str, str], draw: random.Random) -> None:
        self.test, self.program, self.base = declared["tests"], declared["program"], base
        self.names = re.findall(r"^def (test_\w+)", base[self.test], re.MULTILINE)
        self.tests = [stated(base[self.test]), *(stated(base[self.test], draw) for _ in range(1, VARIANTS))]
        given = [(case["arguments"], case.get("stdin", "")) for case in declared["cases"]]
        others = [[(named, renumbered(text, draw)) for named, text in given] for _ in range(1, VARIANTS)]
        self.cases = [given, *others]
        data = {path: text for path, text in base.items() if PurePosixPath(path).suffix not in CODE}
        self.data = [{path: renumbered(text, draw) for path, text in data.items()} for _ in range(1, VARIANTS)]

    def stated_by(self, project: Mapping[str, str], execute: "Execute") -> Said:
        """What this project states. Raises HostTrouble, ValueError for a path that is none."""
        folders = [f"variant{number}" for number in range(VARIANTS)]
        files = {GUEST: (GUESTS / GUEST).read_text(encoding="utf-8")}
        for folder, data in zip(folders, ({}, *self.data), strict=True):
            kept = {path: text for path, text in data.items() if project.get(path) == self.base[path]}
            files |= {f"{folder}/{path}": text for path, text in {**project, **kept}.items()}
        word = secrets.token_hex(8)
        task = {"word": word, "folders": folders, "test": self.test, "names": self.names, "tests": self.tests}
        given = json.dumps({**task, "program": self.program, "cases": self.cases})
        ran = execute(files, [f"/w/{GUEST}"], f"{given}\n")
        said = Said(trouble=ran.trouble)
        for line in ran.stdout.split("\n"):
            if line.startswith(f"{word} "):
                _add(said, line.removeprefix(f"{word} "))
        return said


def _add(said: Said, text: str) -> None:
    """What one line states; of what is stated twice nothing counts, since one of both is forged."""
    try:
        one = json.loads(text)
        found = one.get("stated", one.get("printed")), one.get("error")
        if one.get("end"):
            said.is_whole = True
        elif "made_of" in one:
            said.made_of = said.made_of or one["made_of"]
        elif "test" in one:
            at = (one["folder"], one["test"])
            said.tests[at] = found if at not in said.tests else (None, "stated twice")
        else:
            place = (one["folder"], one["case"])
            said.cases[place] = found if place not in said.cases else (None, "stated twice")
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
        said.trouble = said.trouble or "what it states cannot be read"
