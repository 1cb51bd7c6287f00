"""Rows of a mart as an HTML table on one line. Everything from a view is escaped."""

from collections.abc import Callable
from html import escape
from typing import Any

from site_src.words import Words

Row = dict[str, Any]
Links = Callable[[Row, str], list[tuple[str | None, str]]]  # words, or None for the cell's own, and address
Scope = Callable[[Row], str]
NUMBERS = (int, float)  # quicker to ask of than a union of both
LONGEST = 200  # rows shown on a page; the download has them all
BEHIND = 60  # of them behind a chart, which shows them already


def html(
    rows: list[Row],
    columns: list[str],
    comments: dict[str, str | None],
    words: Words,
    links: Links,
    scope: Scope,
    rest: int = 0,
) -> str:
    """The named columns.

    `links` says where the cell of a row and column leads, `scope` whose rows these are, `rest` how many more there are.
    """
    classes = {name: _class(rows, name) for name in columns}
    spread = {name for name in columns if f"{name}_low" in rows[0]} if rows else set()
    head = "".join(
        f'<th scope="col"{classes[name]} title="{escape(comments.get(name) or "")}">{words.heading(name)}</th>'
        for name in columns
    )
    shown = [(name, classes[name], name in spread) for name in columns]
    body = "".join(
        f"<tr{scope(row)}>{''.join(_cell(row, *column, words, links) for column in shown)}</tr>" for row in rows
    )
    more = f'<p class="reason">{escape(words.block("more_rows", count=f"{rest:,}"))}</p>' if rest > 0 else ""
    none, search = escape(words.block("no_rows_here")), escape(words.block("filter"))
    return (
        f'<div class="data-table" data-none="{none}" data-filter="{search}"><table data-search-exclude="">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}"
    )


def facts(row: Row, columns: list[str], comments: dict[str, str | None], words: Words) -> str:
    """One row as a table of two columns: what, and its value."""
    lines = "".join(
        f'<tr><th scope="row" title="{escape(comments.get(name) or "")}">{words.heading(name)}</th>'
        f"<td>{words.cell(name, row[name])}{_interval(name, row, words)}</td></tr>"
        for name in columns
    )
    return f'<div class="facts"><table><tbody>{lines}</tbody></table></div>'


def of_machine(row: Row) -> str:
    """The attribute that shows a piece of a page only to readers of this machine; nothing where it is of none."""
    machine = row.get("machine")
    return f' data-machine="{escape(machine)}"' if machine else ""


def _cell(row: Row, name: str, html_class: str, has_interval: bool, words: Words, links: Links) -> str:
    value = row[name]
    sortable = f' data-value="{escape(str(value))}"' if isinstance(value, NUMBERS) else ""
    shown = words.cell(name, value) + (_interval(name, row, words) if has_interval else "")
    linked = " ".join(
        f'<a href="{escape(address)}">{shown if said is None else escape(said)}</a>'
        for said, address in links(row, name)
    )
    return f"<td{html_class}{sortable}>{linked or shown}</td>"


def _interval(name: str, row: Row, words: Words) -> str:
    ends = words.interval(name, row)
    return f' <span class="interval">{escape(ends)}</span>' if ends else ""


def _class(rows: list[Row], name: str) -> str:
    if name == "machine":  # which a reader of one machine knows
        return ' class="of-machine"'
    values = [row[name] for row in rows if row[name] is not None]
    is_number = bool(values) and all(isinstance(value, NUMBERS) and not isinstance(value, bool) for value in values)
    return ' class="num"' if is_number else ""
