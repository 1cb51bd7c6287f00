"""The decision tree as a picture: from left to right a column for each question, on the right the leaves.

Colors are the page's CSS variables, so the picture follows light and dark. Widths of texts are estimated: nothing
measures them before a browser does.
"""

import unicodedata
from dataclasses import dataclass, field
from html import escape

from site_src import decide
from site_src.charts_theme import FONT, QUIET, RUNTIMES, TEXT
from site_src.data_table import of_machine
from site_src.decide import Branching, Leaf, Node, Row, Script
from site_src.decide_html import clean, marked, plain

WIDTH = 820  # fits beside a page's contents at 1280 px; on a phone its box scrolls
TRUNK, BOX, GAP = 14, 142, 22
LINE, PADDING, BETWEEN = 15, 7, 8
EDGE = "var(--md-default-fg-color--lighter)"
CHAR = 6.3  # of 12 px text, on average


def pictures(rows: list[Row], script: Script) -> str:
    """For each machine a picture for each answer to the first question; a sentence where nothing leads to a pick."""
    made = []
    for machine, own in decide.by_machine(rows).items():
        tree = decide.tree(own, script)
        if not decide.is_any_picked(tree):
            none = plain(script.said["picture"]["none"].format(machine=machine))
            made.append(f'<p class="reason"{of_machine(own[0])}>{none}</p>')
            continue
        parts = (
            tree.answers if isinstance(tree, Branching) and script.question(tree.question)["kind"] == "choice" else ()
        )
        for place, (answer, below) in enumerate(parts or ((None, tree),)):
            said = script.answer(tree.question, answer) if isinstance(tree, Branching) and answer else None
            made.append(_figure(machine, own[0], said, below, script, place))
    return "".join(made)


def _figure(machine: str, row: Row, answer: str | None, node: Node, script: Script, place: int) -> str:
    said = script.said["picture"]
    title = said["title_of_all"].format(machine=machine)
    if answer is not None:
        title = said["title"].format(machine=machine, answer=answer)
    name = escape(f"picture-{clean(machine)}-{place}")
    drawn = _svg(node, script, name, title) if isinstance(node, Branching) else _words(node, script)
    scrolls = plain(said["scrolls"])
    return (
        f'<figure class="decision-picture" data-search-exclude=""{of_machine(row)}>'
        f"<figcaption>{plain(title)}</figcaption>"
        f'<div class="decision-box" tabindex="0" role="group" aria-label="{scrolls}">{drawn}</div></figure>'
    )


def _words(leaf: Leaf, script: Script) -> str:
    """A tree of one leaf is no picture."""
    said = [plain(script.name(leaf.row)), *map(marked, script.of("leaf", "picture", leaf.row))]
    return f'<p class="reason">{". ".join(said)}</p>'


@dataclass
class _Drawing:
    """Shapes, and how far down they reach."""

    columns: list[str]  # the questions, from left to right
    script: Script
    shapes: list[str] = field(default_factory=list)
    y: float = 0.0

    def heads(self) -> None:
        """The questions above their columns."""
        lines = [wrapped(self.script.question(column)["asked"], int(BOX / CHAR)) for column in self.columns]
        for place, asked in enumerate(lines):
            self._text(self._left(place), LINE, asked, f'fill="{QUIET}" font-weight="600"')
        self.y = LINE * max(len(asked) for asked in lines) + 2 * BETWEEN

    def node(self, node: Node) -> float:
        """Draw what is below here; where its middle is."""
        if isinstance(node, Leaf):
            return self._leaf(node)
        left = self._left(self.columns.index(node.question))
        middles = []
        for answer, below in node.answers:
            middle = self.node(below)
            lines = wrapped(self.script.answer(node.question, answer), int((BOX - 2 * PADDING) / CHAR))
            height = LINE * len(lines) + 2 * PADDING
            to = len(self.columns) if isinstance(below, Leaf) else self.columns.index(below.question)
            self._line(f"M{left + BOX} {middle:g}H{self._left(to) - GAP / 2 * isinstance(below, Branching):g}")
            self._box(left, middle - height / 2, BOX, height, f'fill="none" stroke="{QUIET}"')
            self._text(left + PADDING, middle - height / 2 + PADDING + LINE - 4, lines, f'fill="{TEXT}"')
            middles.append(middle)
        middle = (middles[0] + middles[-1]) / 2
        self._line(f"M{left - GAP / 2:g} {middles[0]:g}V{middles[-1]:g}")
        for end in middles:
            self._line(f"M{left - GAP / 2:g} {end:g}H{left}")
        return middle

    def _leaf(self, leaf: Leaf) -> float:
        left = self._left(len(self.columns))
        room = int((WIDTH - left - 2 * PADDING - 4) / CHAR)
        row = leaf.row
        names = wrapped(self.script.name(row), room - 2, most=2)
        says = self.script.of("leaf", "picture", row)
        lines = [text for line in says for text in wrapped(line.plain, room)]
        height = LINE * (len(names) + len(lines)) + 2 * PADDING
        dashed = "" if row["configuration_id"] else ' stroke-dasharray="4 3"'
        self._box(left, self.y, WIDTH - left - 1, height, f'fill="none" stroke="{EDGE}"{dashed}')
        if row["configuration_id"]:
            color = RUNTIMES.get(row["runtime"], QUIET)
            self.shapes.append(f'<rect x="{left}" y="{self.y:g}" width="4" height="{height}" fill="{color}"/>')
        top = self.y + PADDING + LINE - 4
        self._text(left + PADDING + 4, top, names, f'fill="{TEXT}" font-weight="600"')
        self._text(left + PADDING + 4, top + LINE * len(names), lines, f'fill="{TEXT}"')
        middle = self.y + height / 2
        self.y += height + BETWEEN
        return middle

    def _left(self, column: int) -> int:
        return TRUNK + column * (BOX + GAP)

    def _line(self, path: str) -> None:
        self.shapes.append(f'<path d="{path}" fill="none" stroke="{QUIET}"/>')

    def _box(self, x: float, y: float, width: float, height: float, look: str) -> None:
        self.shapes.append(f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="3" {look}/>')

    def _text(self, x: float, y: float, lines: list[str], look: str) -> None:
        for place, line in enumerate(lines):
            self.shapes.append(f'<text x="{x:g}" y="{y + LINE * place:g}" {look}>{escape(line)}</text>')


def _svg(tree: Branching, script: Script, name: str, title: str) -> str:
    asked = _asked(tree)
    drawing = _Drawing([column for column in script.order if column in asked], script)
    drawing.heads()
    drawing.node(tree)
    questions = " ".join(script.question(column)["asked"] for column in drawing.columns)
    describes = script.said["picture"]["describes"].format(questions=questions)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{name}-title {name}-desc" '
        f'width="{WIDTH}" height="{drawing.y:g}" viewBox="0 0 {WIDTH} {drawing.y:g}" '
        f'font-family="{escape(FONT)}" font-size="12"><title id="{name}-title">{plain(title)}</title>'
        f'<desc id="{name}-desc">{plain(describes)}</desc>{"".join(drawing.shapes)}</svg>'
    )


def _asked(node: Node) -> set[str]:
    if isinstance(node, Leaf):
        return set()
    return {node.question}.union(*(_asked(below) for _, below in node.answers))


def wrapped(text: str, room: int, most: int = 5) -> list[str]:
    """Text in lines of so many characters, Chinese ones counting double; what is beyond `most` lines ends in dots."""
    lines = [""]
    for char in clean(text)[: 2 * room * most]:
        if _length(lines[-1] + char) > room:
            head, space, tail = lines[-1].rpartition(" ")
            lines[-1:] = [head, tail] if space and char != " " else [lines[-1], ""]
            if char == " ":
                continue
        lines[-1] += char
    return lines if len(lines) <= most else [*lines[: most - 1], f"{lines[most - 1][: room - 1]}…"]


def _length(text: str) -> int:
    return len(text) + len([char for char in text if unicodedata.east_asian_width(char) in "WF"])
