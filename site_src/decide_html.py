"""The decision tree as nested `<details>`, which need no JavaScript, and the chooser that finds a leaf of it.

All of it on one line. Names of models are somebody else's words, and escaped.
"""

import re
from collections.abc import Callable
from html import escape

from site_src import decide
from site_src.data_table import of_machine
from site_src.decide import Answer, Branching, Leaf, Line, Node, Row, Script
from site_src.drawing import NOT_IN_XML
from site_src.visible import visible

Link = Callable[[Row], str | None]


def trees(rows: list[Row], script: Script, link: Link) -> str:
    """The tree of each machine; where there is no row, what to do for one."""
    if not rows:
        return f'<p class="reason">{marked(Line(script.said["tree"]["nothing"], {}))}</p>'
    return "".join(
        f'<div class="decision-tree" id="{_id(machine)}"{of_machine(own[0])}>'
        f"{_tree(machine, decide.tree(own, script), script, link)}</div>"
        for machine, own in decide.by_machine(rows).items()
    )


def choosers(rows: list[Row], script: Script) -> str:
    """For each machine with a pick a list to choose from for each question; chooser.js shows them."""
    said = {name: plain(text) for name, text in script.said["chooser"].items()}
    return "".join(
        f'<div class="chooser" role="group" aria-label="{said["title"]}" hidden data-tree="{_id(machine)}"'
        f"{of_machine(own[0])}>"
        f"{''.join(_select(column, own, script) for column in script.order)}"
        f'<div class="chosen" role="status"></div><p class="reason">{said["share"]}</p></div>'
        for machine, own in decide.by_machine(rows).items()
        if decide.is_any_picked(decide.tree(own, script))
    )


def clean(text: str) -> str:
    """Text on one line, without what XML forbids."""
    return NOT_IN_XML.sub("\ufffd", " ".join(visible(text).split()))


def plain(text: str) -> str:
    """Text as HTML."""
    return escape(clean(text))


def marked(line: Line) -> str:
    """A line as HTML; what stands in backticks in our own wording is code."""
    wording = re.sub("`([^`]+)`", r"<code>\1</code>", escape(line.wording))
    return wording.format(**{name: plain(value) for name, value in line.values.items()})


def _tree(machine: str, node: Node, script: Script, link: Link) -> str:
    if isinstance(node, Leaf):
        return f"<p>{plain(script.said['tree']['single'].format(machine=machine))}</p>{_leaf(node, script, link)}"
    return _branching(node, script, link, is_top=True)


def _branching(node: Branching, script: Script, link: Link, is_top: bool = False) -> str:
    branches = "".join(
        f"<details{_when(node.question, answer, script)}{' open' if is_top and not place else ''}>"
        f"<summary>{plain(script.answer(node.question, answer))}{_hint(below, script)}</summary>"
        f"{_leaf(below, script, link) if isinstance(below, Leaf) else _branching(below, script, link)}</details>"
        for place, (answer, below) in enumerate(node.answers)
    )
    return (
        f'<div class="branching"><p class="asked">{plain(script.question(node.question)["asked"])}</p>{branches}</div>'
    )


def _hint(node: Node, script: Script) -> str:
    """What an answer leads to, where that is the end."""
    return f": <strong>{plain(script.name(node.row))}</strong>" if isinstance(node, Leaf) else ""


def _leaf(leaf: Leaf, script: Script, link: Link) -> str:
    row = leaf.row
    target, name = link(row), plain(script.name(row))
    title = f'<a href="{escape(target)}">{name}</a>' if target else name
    says = "".join(f"<li>{marked(line)}</li>" for line in script.of("leaf", "says", row))
    kind = "pick" if row["configuration_id"] else "open"
    return f'<div class="leaf {kind}"><p class="leaf-name">{title}</p><ul>{says}</ul></div>'


def _select(column: str, rows: list[Row], script: Script) -> str:
    question = script.question(column)
    found = [answer for answer, _ in decide.answers(rows, column, script)]
    usual = found[-1] if question["kind"] == "from" else found[0]  # all the memory, else the first answer
    options = "".join(
        f'<option value="{escape(_value(answer, question["kind"]))}"{_when(column, answer, script)}'
        f"{' selected' if answer == usual else ''}>{plain(script.answer(column, answer))}</option>"
        for answer in found
    )
    return f'<label>{plain(question["asked"])} <select name="{escape(question["link"])}">{options}</select></label>'


def _when(column: str, answer: Answer, script: Script) -> str:
    """The attributes by which chooser.js knows whether a choice is this answer."""
    question = script.question(column)
    ends = {"value": answer.word, "low": answer.low, "high": answer.high}
    told = {"link": question["link"], "kind": question["kind"], **ends}
    return "".join(f' data-{name}="{plain(str(end))}"' for name, end in told.items() if end is not None)


def _value(answer: Answer, kind: str) -> str:
    if answer.word is not None:
        return answer.word
    return f"{answer.high if kind == 'upto' else answer.low or 0:.15g}"


def _id(machine: str) -> str:
    return escape(f"tree-{clean(machine)}")
