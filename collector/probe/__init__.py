"""What only the machine itself can decide: one answer to a question, each reading beside another source.

`ask` takes down what the system says, and `judge` makes of that whether the two sources agree: what was taken down
goes into a file to commit, and a test judges it again from then on. No names, process ids, times of day or identifiers
are in it. The second source is one of Apple's own programs wherever there is one, since the kernel answers those
neither with copies nor with the version that an older program expects.
"""

import json
import platform
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from collector.schema import CLONE, Results

Raw = dict[str, Any]
Pair = tuple[float | None, float | None]  # what two sources say of the same
NEAR = 0.1  # two sources are asked one after the other, and memory moves meanwhile
PLATFORM = sys.platform


@dataclass(frozen=True)
class Place:
    """What is looked at beside the machine: a results folder, and the port a server may listen on."""

    results: Results
    port: int


@dataclass(frozen=True)
class Verdict:
    """Whether two sources agree, None where there is nothing to compare; and both in a line."""

    agrees: bool | None
    said: str


@dataclass(frozen=True)
class Question:
    """What is taken down of the machine, and what that decides; `only` names the system that has it."""

    name: str
    ask: Callable[[Place], Raw]
    judge: Callable[[Raw], Verdict]
    only: str | None = "darwin"


@dataclass(frozen=True)
class Answer:
    """What was taken down, and the verdict on it."""

    name: str
    raw: Raw
    agrees: bool | None
    said: str


def probe(place: Place) -> list[Answer]:
    """An answer to every question; one that cannot be asked costs no other."""
    return [_answer(question, place) for question in questions().values()]


def questions() -> dict[str, Question]:
    """All of them by name, in the order they are shown."""
    from collector.probe import channels, memory, processes, system, timing

    parts = (memory, processes, system, channels, timing)
    return {one.name: one for part in parts for one in part.QUESTIONS}


def judge(name: str, raw: Raw) -> Verdict:
    """What was taken down once, judged as it would be now."""
    if "missing" in raw:
        return Verdict(None, str(raw["missing"]))
    return questions()[name].judge(raw)


def save(answers: list[Answer], folder: Path | None = None) -> Path:
    """Write them as a fixture, in the clone's tests if it is one, beside earlier ones; returns the path."""
    tests = CLONE / "tests"
    place = folder or (tests / "probes" if tests.is_dir() else Path.cwd())
    place.mkdir(exist_ok=True)
    path = next(path for path in _paths(place) if not path.exists())
    path.write_text(json.dumps([asdict(one) for one in answers], indent=1) + "\n", encoding="utf-8")
    return path


def lines(pattern: str, text: str | None) -> str:
    """The lines of a text that match from end to end: all that is kept of what a program prints."""
    return "\n".join(line.strip() for line in (text or "").splitlines() if re.fullmatch(pattern, line.strip()))


def near(one: float, other: float) -> bool:
    """Whether two figures are the same, as far as two looks can be."""
    return abs(one - other) <= NEAR * max(abs(one), abs(other))


def compared(
    named: Mapping[str, tuple[float | None, float | None]], unit: float, suffix: str
) -> tuple[bool | None, str]:
    """Whether each pair is near, and all of them in words; None where none of them is whole."""
    whole = {name: (one, other) for name, (one, other) in named.items() if one is not None and other is not None}
    told = "; ".join(f"{name} {one / unit:.2f} and {other / unit:.2f} {suffix}" for name, (one, other) in whole.items())
    return (all(near(*pair) for pair in whole.values()) if whole else None), told or "nothing to compare"


def _paths(place: Path) -> list[Path]:
    from collector.machine import macos_version

    version = (macos_version() if PLATFORM == "darwin" else None) or re.sub(r"[^0-9.].*", "", platform.release())
    name = f"{platform.system().lower()}-{version}-{platform.machine()}"
    return [place / f"{name}{'' if number == 1 else f'-{number}'}.json" for number in range(1, 1000)]


def _answer(question: Question, place: Place) -> Answer:
    raw: Raw
    if question.only not in (None, PLATFORM):
        raw = {"missing": f"only {'macOS' if question.only == 'darwin' else 'Linux'} has it"}
    else:
        try:
            raw = question.ask(place)
        except Exception as error:  # a look that fails in a way nobody foresaw is an answer, too
            raw = {"missing": f"could not be asked: {type(error).__name__}"}
    verdict = judge(question.name, raw)
    return Answer(question.name, raw, verdict.agrees, verdict.said)
