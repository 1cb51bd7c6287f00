"""What a built page shows who reads it without scripts: its text, its tables' rows, its charts."""

import re
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

VOID = ("br", "hr", "img", "input", "meta", "link", "wbr", "source", "col")
NOT_READ = ("script", "style", "pre", "code", "svg", "template", "title")
DRAWN = ("path", "line", "rect", "circle", "text")
MARK = re.compile(r"mark-(?:symbol|rule|rect|line|area|text|arc|tick|bar|trail)\b")


@dataclass
class Row:
    """A row of a table: whose, and what it says."""

    machine: str
    cells: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " | ".join(self.cells)


@dataclass
class Figure:
    """A chart: its id, its description, how many marks its static picture has."""

    name: str
    described: str = ""
    mark_count: int = 0


class Shown(HTMLParser):
    """A page's main column, taken apart."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, str]] = []  # elements and their classes
        self.text: list[str] = []
        self.tables: list[list[Row]] = []
        self.figures: list[Figure] = []
        self.answers: dict[str, str] = {}  # by machine, "" where it is nobody's
        self._answering: str | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "")
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append(Row(given.get("data-machine", "")))
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self.tables[-1][-1].cells.append("")
        elif tag == "figure" and "chart" in classes.split():
            self.figures.append(Figure(given.get("id", "")))
        elif "chart-box" in classes.split() and self.figures:
            self.figures[-1].described = given.get("aria-label", "")
        elif tag in DRAWN and any(MARK.search(own) and "role-mark" in own for _, own in self.open):
            self.figures[-1].mark_count += bool(self.figures)
        if "answer" in classes.split():
            self._answering = given.get("data-machine", "")
            self.answers[self._answering] = ""
        if tag not in VOID:
            self.open.append((tag, classes))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in (name for name, _ in self.open):
            while self.open.pop()[0] != tag:
                pass
        if not any("answer" in classes.split() for _, classes in self.open):
            self._answering = None

    def handle_data(self, data: str) -> None:
        if self._answering is not None:
            self.answers[self._answering] += data
        if {tag for tag, _ in self.open} & {*NOT_READ}:
            return
        self.text.append(data)
        if {"td", "th"} & {tag for tag, _ in self.open} and self.tables and self.tables[-1]:
            self.tables[-1][-1].cells[-1] += data


@cache
def read(path: Path) -> Shown:
    """A page of a site, read once."""
    return Shown(path.read_text(encoding="utf-8"))


def squeezed(text: str) -> str:
    """Any white space as one space."""
    return " ".join(text.split())
