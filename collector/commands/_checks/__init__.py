"""Rules about files of results from anywhere: each file here is one, found by its name.

A rule is NAME.py with `HAPPENED`, `REMEDY` and `find`, or NAME.sql, whose first two comment lines are those sentences
and whose query over the views of all runs gives `file, row, name, value`. What is found names a column, its value and,
where it is about one operation, its row.
"""

import functools
import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from site_src.review import Fault

if TYPE_CHECKING:
    import pyarrow as pa

    from site_src.warehouse import Warehouse

FOLDER = Path(__file__).parent
FETCH = "Take the file again from where it was made; none is ever edited."
FIRST = "range"  # others rest on it: values beyond it cannot even be turned into Python's, or be added up
SHOWN = 100  # characters of a value
MOST = 5  # things found that are named


class Found(NamedTuple):
    """One thing that breaks a rule; `row` counts from 0, as op_index does."""

    name: str
    value: object = None
    row: int | None = None


@dataclass(frozen=True)
class File:
    """A file in `runs`, `grades` or `votes` that could be read. `names`: words that must not occur in it."""

    path: Path
    kind: str
    table: "pa.Table"
    names: tuple[str, ...] = ()

    @functools.cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Its rows, without the long lists of numbers."""
        lists = [name for name in ("chunks", "memory") if name in self.table.column_names]
        rows: list[dict[str, Any]] = self.table.drop_columns(lists).to_pylist()
        return rows


def names() -> list[str]:
    """The rules there are."""
    return sorted(path.stem for pattern in ("[a-z]*.py", "[a-z]*.sql") for path in FOLDER.glob(pattern))


def in_file(file: File) -> list[Fault]:
    """What is wrong with one file by itself."""
    told = [path.stem for path in sorted(FOLDER.glob("[a-z]*.py"), key=lambda path: path.stem != FIRST)]
    faults = []
    for name in told:
        rule = importlib.import_module(f"{__name__}.{name}")
        faults += list(_fault(rule.HAPPENED, rule.REMEDY, rule.find(file)))
        if faults and name == FIRST:
            break
    return faults


def in_runs(warehouse: "Warehouse") -> Iterator[tuple[str, Fault]]:
    """What the views say against runs: file, and what is wrong with it."""
    for path in sorted(FOLDER.glob("[a-z]*.sql")):
        sql = path.read_text(encoding="utf-8")
        happened, remedy = (line.removeprefix("-- ") for line in sql.splitlines()[:2])
        found: dict[str, list[Found]] = {}
        for row in warehouse.rows(sql):
            found.setdefault(row["file"], []).append(Found(row["name"], row["value"], row["row"]))
        for file, things in found.items():
            yield from ((file, fault) for fault in _fault(happened, remedy, things))


def _fault(happened: str, remedy: str, found: Iterable[Found]) -> Iterator[Fault]:
    told = list(dict.fromkeys(map(_words, found)))
    if told:
        more = [f"and {len(told) - MOST} more"] if len(told) > MOST else []
        yield Fault(happened, remedy, "; ".join(told[:MOST] + more))


def _words(found: Found) -> str:
    value = "" if found.value is None else f": {str(found.value)[:SHOWN]}"
    return f"{found.name[:SHOWN]}{value}" + ("" if found.row is None else f" (row {found.row})")
