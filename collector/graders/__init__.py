"""Facts about stored outputs: each file here is one grader, found by its name.

A grader has a docstring whose first line says what it asks, `TIER` (Q0: of every output; Q1: where a suite's prompt
declares `[[prompt.check]] grader = "NAME"`), `VERSION` (raised when outcomes of the one before are to be overruled) and
`grade`. All are pure functions of the stored text. Nothing a model wrote is ever run here: `execute` is the sandbox, or
None.
"""

import hashlib
import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from collector import litter

if TYPE_CHECKING:
    from collector.sandbox import Execute

TROUBLE = "trouble of this machine:"  # how such a grade's words begin
OUTCOMES = ("pass", "partial", "fail", "unparsed", "not run", "agrees", "differs")
RUN_CODE = ("python_sort", "python_project")  # graders that run what a model wrote, in the sandbox
FOLDER = Path(__file__).parent
GUESTS = FOLDER.parent / "sandbox" / "guests"  # programs of ours that run in the sandbox, beside a model's


@dataclass(frozen=True)
class Output:
    """One stored output. `language`: the one its prompt asks for, as its suite says; None is unknown."""

    answer: str
    reasoning: str = ""
    finish_reason: str | None = None
    language: str | None = None

    @property
    def sha256(self) -> str:
        """Hash of reasoning and answer, which ties a grade to the text it is about; the views compute the same."""
        return hashlib.sha256(f"{self.reasoning}\x1f{self.answer}".encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True)
class Grade:
    """What a grader found: one of OUTCOMES, and in words why; `share`: of the things asked for, those found."""

    outcome: str
    detail: str | None = None
    share: float | None = None


NOT_RUN = Grade("not run", "there is no sandbox")


def host_trouble(trouble: Exception) -> Grade:
    """The grade of a program that this machine could not run: it says nothing about the program, and is made again."""
    return Grade("not run", f"{TROUBLE} {trouble}")


@dataclass(frozen=True)
class Check:
    """A grader that a prompt declares, with what it needs to know. `id` tells several of one prompt apart."""

    id: str
    grader: str
    declared: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """Hash of the declaration: a changed check is another check."""
        return hashlib.sha256(json.dumps(self.declared, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Graded:
    """A grade and which grader, in which version, gave it."""

    check: Check
    tier: str
    version: int
    grade: Grade


def names(tier: str | None = None) -> list[str]:
    """The graders there are, of one tier or of all."""
    return [name for name in _names(FOLDER) if tier is None or tier == read(name).TIER]


def modules() -> dict[str, ModuleType]:
    """All of them by name."""
    return {name: importlib.import_module(f"collector.graders.{name}") for name in names()}


def read(name: str) -> ModuleType:
    """The grader of that name. Raises KeyError when there is none."""
    if name not in _names(FOLDER):
        raise KeyError(name)
    return importlib.import_module(f"collector.graders.{name}")


@cache
def _names(folder: Path) -> tuple[str, ...]:
    """Looked up once: each is asked for with every check of every prompt, whenever the views are brought up to date."""
    return tuple(sorted(path.stem for path in folder.glob("[a-z]*.py")))


def grade(output: Output, checks: tuple[Check, ...], execute: "Execute | None") -> Iterator[Graded]:
    """Every Q0 grader, then the checks declared for the output's prompt."""
    for check in (*(Check(name, name, {}) for name in names("Q0")), *checks):
        yield again(check, output, execute)


def again(check: Check, output: Output, execute: "Execute | None") -> Graded:
    """What a check finds in a text: the same each time, so that anybody can make a grade again. Raises KeyError."""
    grader = read(check.grader)
    return Graded(check, grader.TIER, grader.VERSION, grader.grade(output, check.declared, execute))


def fingerprint(has_sandbox: bool) -> str:
    """Changes with any grader, with the sandbox, and with whether that is there: then it is worth grading again."""
    sources = [path for folder in (FOLDER, GUESTS.parent, GUESTS) for path in litter.without(folder.glob("*.py"))]
    digest = hashlib.sha256(str(has_sandbox).encode())
    for path in sources:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]
