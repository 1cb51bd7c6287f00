"""The decision tree as a structure: questions in the order of decision_tree.toml, answers and leaves from a mart.

The same rows in any order make the same tree. Neighboring answers that lead to the same are one answer, and a question
with one answer is not asked.
"""

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from site_src.words import Words

Row = dict[str, Any]
NAMES = re.compile(r"\{(\w+)\}")
ENGLISH = Path(__file__).parent / "decision_tree.toml"


@dataclass(frozen=True)
class Answer:
    """A word, or a span of numbers; an end that is None is open."""

    word: str | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Leaf:
    """Where the tree ends: what the mart says of it, the questions' columns left out."""

    row: Row


@dataclass(frozen=True)
class Branching:
    """A question, and where each of its answers leads."""

    question: str  # the column that is asked about
    answers: "tuple[tuple[Answer, Node], ...]"


Node = Leaf | Branching


@dataclass(frozen=True)
class Script:
    """What decision_tree.toml says in one language: the order of the questions, and how everything is called."""

    said: dict[str, Any]
    words: Words

    @property
    def order(self) -> list[str]:
        """The columns that are asked about, one after the other."""
        return list(self.said["order"])

    def question(self, column: str) -> dict[str, Any]:
        """Its kind and words."""
        found: dict[str, Any] = self.said["questions"][column]
        return found

    def answer(self, column: str, answer: Answer) -> str:
        """An answer as text."""
        said: dict[str, str] = self.question(column)["answers"]
        if answer.word is not None:
            return said.get(answer.word, answer.word)
        if self.question(column)["kind"] == "upto":
            name = "zero" if answer.high == 0 else "upto" if not answer.low else "between"
        else:
            name = {(True, True): "any", (True, False): "below", (False, True): "from", (False, False): "between"}[
                answer.low is None, answer.high is None
            ]
        return said[name].format(low=_end(answer.low), high=_end(answer.high))

    def of(self, part: str, name: str, row: Row) -> "list[Line]":
        """The lines of a part of the script about this row; a leaf without a pick ends with what to type."""
        lines = [self._line(wordings, row) for wordings in self.said[part][name]]
        if not row["configuration_id"]:
            lines.append(self._line(self.said["leaf"]["run"], row))
        return [line for line in lines if line]

    def name(self, row: Row) -> str:
        """What a leaf is called: its pick, or that there is none."""
        line = self._line(self.said["leaf"]["name"], row)
        return line.plain if line else ""

    def _line(self, wordings: list[str], row: Row) -> "Line | None":
        """Of several wordings the first whose values are known."""
        known = {column: self.words.text(column, value) for column, value in row.items() if value is not None}
        return next((Line(wording, known) for wording in wordings if set(NAMES.findall(wording)) <= known.keys()), None)


@dataclass(frozen=True)
class Line:
    """A sentence of ours, and somebody else's words in it."""

    wording: str
    values: dict[str, str]

    @property
    def plain(self) -> str:
        """As text."""
        return self.wording.format(**self.values)


def read(words: Words, path: Path | None = None) -> Script:
    """The script beside the language's pages, or in a file; what a translation lacks is as in English."""
    english = tomllib.loads(ENGLISH.read_text(encoding="utf-8"))
    path = path or (ENGLISH if words.is_english else words.pages.parent / ENGLISH.name)
    own = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return Script(_over(english, own), words)


def by_machine(rows: list[Row]) -> dict[str, list[Row]]:
    """The rows of each machine, the first machine first."""
    machines = sorted({(row["machine_place"], row["machine"]) for row in rows})
    return {machine: [row for row in rows if row["machine"] == machine] for _, machine in machines}


def tree(rows: list[Row], script: Script) -> Node:
    """The tree of one machine's rows. Raises ValueError where the rows leave open, or say twice, what to do."""
    return _node(rows, script.order, script)


def leaves(node: Node) -> Iterator[Leaf]:
    """The ends below a node, from the first answer to the last."""
    if isinstance(node, Leaf):
        yield node
    else:
        for _, below in node.answers:
            yield from leaves(below)


def is_any_picked(node: Node) -> bool:
    """Whether any way through this part of the tree ends at a pick."""
    return any(leaf.row["configuration_id"] for leaf in leaves(node))


def answers(rows: list[Row], column: str, script: Script) -> list[tuple[Answer, list[Row]]]:
    """Every answer to a question that makes a difference in any of these rows, with the rows that it leaves."""
    question = script.question(column)
    if question["kind"] == "choice":
        there = {row[column] for row in rows}
        known = [word for word in question["answers"] if word in there]
        words = [*known, *sorted(there.difference(known))]
        return [(Answer(word), [row for row in rows if row[column] == word]) for word in words]
    edges = sorted({row[column] for row in rows})
    spans = _upto(edges) if question["kind"] == "upto" else _from(edges)
    covers = _COVERS[question["kind"]]
    return [
        (span, [row for row in rows if covers(row[column], row[question["other_end"]], edge)])
        for edge, span in zip(edges, spans, strict=True)
    ]


def _node(rows: list[Row], order: list[str], script: Script) -> Node:
    if not order:
        if len(rows) != 1:
            raise ValueError(f"{len(rows)} rows for one leaf of the decision tree")
        asked = {"machine", "machine_place"} | {name for column in script.order for name in _columns(column, script)}
        return Leaf({name: value for name, value in rows[0].items() if name not in asked})
    column, *rest = order
    merged: list[tuple[Answer, Node]] = []
    for answer, left in answers(rows, column, script):
        below = _node(left, rest, script)
        if merged and answer.word is None and merged[-1][1] == below:
            merged[-1] = (replace(merged[-1][0], high=answer.high), below)
        else:
            merged.append((answer, below))
    first = merged[0][1]
    if all(below == first for _, below in merged) and not (_ends(column, script) and is_any_picked(first)):
        return first
    return Branching(column, tuple(merged))


def _ends(column: str, script: Script) -> bool:
    """Whether there are answers beyond the last: a pick is none for a length that nobody asked about."""
    return bool(script.question(column)["kind"] == "upto")


def _end(number: float | None) -> str:
    """An end of a span in full: it is a border and no measurement."""
    return "" if number is None else f"{number:,.15g}"


def _columns(column: str, script: Script) -> list[str]:
    return [column, *([script.question(column)["other_end"]] if "other_end" in script.question(column) else [])]


def _from(edges: list[float]) -> list[Answer]:
    return [
        Answer(low=edge if place else None, high=below)
        for place, (edge, below) in enumerate(zip(edges, [*edges[1:], None], strict=True))
    ]


def _upto(edges: list[float]) -> list[Answer]:
    return [Answer(low=above, high=edge) for above, edge in zip([None, *edges[:-1]], edges, strict=True)]


_COVERS: dict[str, Callable[[float, float | None, float], bool]] = {
    "from": lambda low, high, edge: low <= edge and (high is None or edge < high),
    "upto": lambda high, low, edge: edge <= high and (low is None or edge > low),
}


def _over(english: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    both = {name: _over(value, own.get(name, {})) for name, value in english.items() if isinstance(value, dict)}
    kept = {name: own.get(name, value) for name, value in english.items() if name not in both}
    return {**kept, **both}
