"""What is in the files that readers download, as HTML on one line: columns of run files, and the marts."""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from collector.schema import COLUMNS
from site_src import data_table
from site_src.reuse.answers import Answers
from site_src.words import Words


def columns(scope: str, words: Words) -> str:
    """The columns of a run file of that scope, with type, unit and meaning."""
    rows = [
        {"column": column.name, "type": column.type, "unit": column.unit or None, "meaning": column.meaning}
        for column in COLUMNS
        if column.scope == scope
    ]
    return _table(rows, words)


def marts(answers: Answers, marts: Iterable[str], words: Words, links: Callable[[str], str]) -> str:
    """A closed section for each mart; `links` makes those to its files."""
    return "".join(
        f'<details class="source mart"><summary><code>{escape(view)}</code> '
        f"{words.cell('meaning', answers.grain(view))}</summary>"
        f"{_mart(answers, view, words)}{links(view)}</details>"
        for view in marts
    )


def _mart(answers: Answers, view: str, words: Words) -> str:
    rows = [{"column": name, "meaning": said} for name, said in answers.comments(view).items()]
    return _table(rows, words)


def _table(rows: list[dict[str, Any]], words: Words) -> str:
    return data_table.html(rows, list(rows[0]), {}, words, lambda row, name: [], lambda row: "")
