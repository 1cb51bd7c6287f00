"""What a warehouse answers during one build: each question is asked once, for all languages and pages.

While a block is made, its questions are noted. A block whose questions have the same answers as last time is the same
block, so it need not be made again (`maker.py`).
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from site_src.reuse.identity import digest
from site_src.warehouse import Warehouse

Question = str  # a JSON list: of what kind it is, and what is asked
Only = tuple[tuple[str, str | None], ...]  # columns with the value that they must have
Row = dict[str, Any]
MANY = 20_000  # rows, of which a page's own are asked for, not picked out of all: those would have to be kept


class Answers:
    """The answers of a warehouse that does not change meanwhile."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._questions: dict[tuple[Any, ...], Question] = {}
        self._known: dict[Question, Any] = {}
        self._digests: dict[Question, bytes] = {}
        self._large: dict[str, bool] = {}
        self._places: dict[tuple[Question, tuple[str, ...]], dict[tuple[Any, ...], list[int]]] = {}
        self._noted: list[dict[Question, None]] = []

    @contextmanager
    def noting(self) -> Iterator[dict[Question, None]]:
        """The questions that are asked within, in their order; whoever notes around it has them, too."""
        noted: dict[Question, None] = {}
        self._noted.append(noted)
        try:
            yield noted
        finally:
            self._noted.pop()
            self.note(noted)

    def note(self, questions: "Sequence[Question] | dict[Question, None]") -> None:
        """Count these as asked."""
        if self._noted:
            self._noted[-1].update(dict.fromkeys(questions))

    def table(self, query: str) -> pa.Table:
        """The answer to a query."""
        table: pa.Table = self._answer("table", query)
        return table

    def rows(self, query: str) -> list[Row]:
        """The same, a dict a row."""
        rows: list[Row] = self.table(query).to_pylist()
        return rows

    def column(self, query: str) -> list[Any]:
        """The only column of the answer to a query."""
        values: list[Any] = self._answer("column", query)
        return values

    def part(self, view: str, where: str = "true", only: Only = ()) -> pa.Table:
        """The rows of a view for which a condition in SQL holds and these columns have these values."""
        table: pa.Table = self._answer("part", view, where, only)
        return table

    def all_of(self, view: str) -> pa.Table:
        """All rows of a view, for who needs them once: they are not kept."""
        question = json.dumps(["part", view, "true", ()])
        known: pa.Table | None = self._known.get(question)
        return self.warehouse.table(f"from {view}") if known is None else known

    def comments(self, view: str) -> dict[str, str | None]:
        """What each column of a view means."""
        said: dict[str, str | None] = self._answer("comments", view)
        return said

    def grain(self, view: str) -> str | None:
        """What a view's rows are."""
        said: str | None = self._answer("grain", view)
        return said

    def sql(self, view: str) -> str:
        """What a view is made by."""
        said: str = self._answer("sql", view)
        return said

    def forget(self) -> None:
        """Let the tables go, when all pages are made."""
        self._known.clear()
        self._places.clear()

    def digest(self, question: Question) -> bytes:
        """Changes with the answer."""
        if question not in self._digests:
            answer = self._known_or_asked(question)
            self._digests[question] = _of_table(answer) if isinstance(answer, pa.Table) else digest(json.dumps(answer))
        return self._digests[question]

    def _answer(self, *asked: Any) -> Any:
        question = self._questions.get(asked)
        if question is None:
            question = self._questions[asked] = json.dumps(asked)
        if self._noted:
            self._noted[-1][question] = None
        return self._known_or_asked(question)

    def _known_or_asked(self, question: Question) -> Any:
        if question not in self._known:
            kind, *asked = json.loads(question)
            self._known[question] = getattr(self, f"_asked_{kind}")(*asked)
        return self._known[question]

    def _asked_table(self, query: str) -> pa.Table:
        return self.warehouse.table(query)

    def _asked_column(self, query: str) -> list[Any]:
        values: list[Any] = self.warehouse.table(query).column(0).to_pylist()
        return values

    def _asked_part(self, view: str, where: str, only: list[tuple[str, str | None]]) -> pa.Table:
        if not only:
            return self.warehouse.table(f"from {view} where ({where})")  # a page's, or a chart file's, own words
        if self._is_large(view):
            named = {f"value_{place}": value for place, (_, value) in enumerate(only)}
            own = " and ".join(
                f"{column} is not distinct from $value_{place}" for place, (column, _) in enumerate(only)
            )
            return self.warehouse.table(f"from {view} where ({where}) and {own}", **named)
        whole = json.dumps(["part", view, where, []])
        columns = tuple(column for column, _ in only)
        if (whole, columns) not in self._places:
            table = self._known_or_asked(whole)
            found: dict[tuple[Any, ...], list[int]] = {}
            for place, values in enumerate(zip(*(table[column].to_pylist() for column in columns), strict=True)):
                found.setdefault(values, []).append(place)
            self._places[whole, columns] = found
        places = self._places[whole, columns].get(tuple(value for _, value in only), [])
        return self._known_or_asked(whole).take(pa.array(places, pa.int64()))

    def _is_large(self, view: str) -> bool:
        if view not in self._large:
            first = self.warehouse.table(f"select 1 from {view} limit {MANY + 1}")  # noqa: S608  # our own file's name
            self._large[view] = first.num_rows > MANY
        return self._large[view]

    def _asked_comments(self, view: str) -> dict[str, str | None]:
        return self.warehouse.comments(view)

    def _asked_grain(self, view: str) -> str | None:
        return self.warehouse.grain(view)

    def _asked_sql(self, view: str) -> str:
        return self.warehouse.sql(view)


def newest_of(table: pa.Table, runs: list[str]) -> pa.Table:
    """Of these runs alone."""
    return table.filter(pc.is_in(table["run_id"], pa.array(runs, pa.string())))


def _of_table(table: pa.Table) -> bytes:
    """Of its schema and rows, however these lie in memory."""
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return digest(out.getvalue())
