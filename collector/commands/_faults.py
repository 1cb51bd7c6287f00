"""What is wrong with a file of results from somewhere else: untrusted, so read within limits; nothing in it runs."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector import privacy
from collector.commands import _checks
from collector.commands._checks import FETCH, _size
from collector.errors import TableInvalid
from collector.judgments import GRADE, GRADES_FORMAT, VOTE, VOTES_FORMAT
from collector.schema import COLUMNS, FORMAT, Column, Results
from site_src.form import SHOWN
from site_src.review import Fault, Reviewed

if TYPE_CHECKING:
    from site_src.warehouse import Warehouse

FORMS: dict[str, tuple[tuple[Column, ...], str, str]] = {
    "runs": (COLUMNS, FORMAT, "a run file"),
    "grades": (GRADE, GRADES_FORMAT, "a file of grades"),
    "votes": (VOTE, VOTES_FORMAT, "a file of votes"),
}


def of_file(path: Path, kind: str, names: Iterable[str] = ()) -> Reviewed:
    """What is wrong with a file by itself; `kind` is the folder within results that it is for."""
    from site_src.tables import TABLES

    one = Reviewed(path)
    if path.is_symlink() or not path.is_file():
        one.faults.append(Fault("It is a link, or no file at all.", "Put the file itself there."))
    elif path.suffix == ".parquet" and kind in FORMS:
        _of_parquet(one, kind, tuple(names))
    elif kind == "." and path.name in (*TABLES, "README.md"):
        one.faults += of_text(path, names)
    elif path.name != ".gitkeep":
        one.faults.append(Fault("A file of this kind has no place there.", "Leave it out."))
    return one


def _of_parquet(one: Reviewed, kind: str, names: tuple[str, ...]) -> None:
    from site_src.run_file import Untrusted, read, read_rows

    columns, form, called = FORMS[kind]
    if fault := _size.too_large(one.path):
        one.faults.append(fault)
        return
    try:
        table = read_rows(one.path) if kind == "runs" else read(one.path, columns, form, called)
    except Untrusted as reason:
        one.faults.append(Fault("It cannot be trusted:", FETCH, str(reason)))
        return
    file = _checks.File(one.path, kind, table, names)
    one.faults += _checks.in_file(file)
    if kind == "runs" and not one.faults:
        one.notes += _written(file.rows, names)
        one.run_id = file.rows[0]["run_id"]


def kind_of(path: Path) -> str:
    """The folder within results that a file is for, wherever it lies."""
    return path.parent.name if path.parent.name in FORMS else "runs" if path.suffix == ".parquet" else "."


def together(folder: Results, reviewed: list[Reviewed], place: Path) -> Results:
    """A results folder of links: to what is stored, and in its place to what was reviewed and is a run."""
    from site_src.tables import TABLES

    both = Results(place)
    both.runs.mkdir()
    names = {one.path.name for one in reviewed}
    stored = [path for path in folder.runs.glob("*.parquet") if path.name not in names]
    runs = {one.path.name: one.path for one in reviewed if one.run_id}
    for path in (*stored, *runs.values()):
        (both.runs / path.name).symlink_to(path.resolve())
    for table in TABLES:
        (both.root / table).symlink_to(folder.table(table))
    return both


def add_of_runs(warehouse: "Warehouse", added: Iterable[Reviewed]) -> None:
    """Adds to each file what the views say against its run."""
    said = list(_checks.in_runs(warehouse))
    for one in added:
        one.faults += [fault for file, fault in said if file == one.path.name]


def of_text(path: Path, names: Iterable[str] = ()) -> list[Fault]:
    """What is wrong with a hand-kept table, or another text."""
    from site_src import tables

    if path.stat().st_size > _size.LARGEST_MB * 10**6:
        return [Fault(f"It is more than {_size.LARGEST_MB} MB.", "Leave it out.")]
    if path.name in tables.TABLES:
        try:
            tables.read(path)
        except TableInvalid as error:
            return [Fault("The site cannot read it:", "Mend that line.", f"{error.happened} {error.remedy}")]
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return _of_lines(lines, names)


def _of_lines(lines: Iterable[str], names: Iterable[str]) -> list[Fault]:
    """What must not be published in a text."""
    from collector.commands._checks import private

    traces = _traces(({f"line {number}": line} for number, line in enumerate(lines, start=1)), names)
    return [Fault(private.HAPPENED, "Leave it out.", found) for found in traces]


def _written(rows: Iterable[dict[str, Any]], names: Iterable[str]) -> list[str]:
    """The same in what models wrote: mostly made up, so it is for a person to look at."""
    return _traces(({name: row.get(name) for name in privacy.WRITTEN} for row in rows), names)


def _traces(rows: Iterable[dict[str, Any]], names: Iterable[str]) -> list[str]:
    known = tuple(names)
    found = dict.fromkeys(trace for row in rows for trace in privacy.traces(row, known))
    return [f"{column}: {text[:SHOWN]}" for column, text in found]
