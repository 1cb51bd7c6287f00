"""Rules about files of results from anywhere: each file here is one, found by its name.

A rule is NAME.py with `HAPPENED`, `REMEDY` and `find`, or NAME.sql, whose first two comment lines are those sentences
and whose query over the views of all runs gives `file, row, name, value`. What is found names a column, its value and,
where it is about one operation, its row. Rules without which no file is read stand in `site_src/form.py`.
"""

import functools
import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from site_src import form
from site_src.form import Found as Found
from site_src.review import Fault

if TYPE_CHECKING:
    import pyarrow as pa

    from site_src.warehouse import Warehouse

FOLDER = Path(__file__).parent
FETCH = form.AGAIN


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
    own = [path.stem for pattern in ("[a-z]*.py", "[a-z]*.sql") for path in FOLDER.glob(pattern)]
    return sorted([*form.OF_RUNS, *own])


def in_file(file: File) -> list[Fault]:
    """What is wrong with one file by itself."""
    faults: list[Fault] = []
    for name, rule in (form.OF_RUNS if file.kind == "runs" else form.OF_ALL).items():
        faults += _fault(rule.happened, rule.remedy, rule.find(file.table))
        if faults and name in form.OF_ALL:  # others rest on it
            return faults
    for path in sorted(FOLDER.glob("[a-z]*.py")):
        module = importlib.import_module(f"{__name__}.{path.stem}")
        faults += _fault(module.HAPPENED, module.REMEDY, module.find(file))
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
    if told := form.all_shown(found):
        yield Fault(happened, remedy, told)
