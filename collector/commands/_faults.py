"""What is wrong with a file of results from somewhere else: untrusted, so read within limits; nothing in it runs."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector import capacity, litter, ownership, privacy, signing
from collector.commands import _checks
from collector.commands._checks import FETCH
from collector.errors import TableInvalid
from collector.judgments import GRADE, GRADES_FORMAT, VOTE, VOTES_FORMAT
from collector.schema import CLONE, COLUMNS, FORMAT, KEYS, UNSIGNED, Column, Results
from site_src import form
from site_src.form import LEAVE, SHOWN, Found
from site_src.review import Fault, Reviewed

if TYPE_CHECKING:
    from site_src.warehouse import Warehouse

OWNERS_CHANGE = "It changes whose measurements are this repository's."
OWNERS_REMEDY = "Leave it as it is; an owner runs `collect keys add` or `collect keys remove` on main."
NOT_AGAIN = "Grades in it do not count, since they cannot be made again from the texts they are about:"
FORMS: dict[str, tuple[tuple[Column, ...], str, str]] = {
    "runs": (COLUMNS, FORMAT, "a run file"),
    "grades": (GRADE, GRADES_FORMAT, "a file of grades"),
    "votes": (VOTE, VOTES_FORMAT, "a file of votes"),
}

JOURNAL = "It is the journal of a run: whoever runs `collect` here next would store it as a run of their own."


def telling(names: Iterable[str]) -> tuple[str, ...]:
    """Those of these names that tell of a person: a login may be a word, such as mlx, of which every run is full."""
    from site_src.tables import TABLES

    said = [(CLONE / "results" / table).read_text(encoding="utf-8") for table in TABLES]
    said += [column.meaning for columns, _, _ in FORMS.values() for column in columns]
    words = set(re.findall(r"\w+", " ".join(said).lower()))
    return tuple(name for name in names if name.lower() not in words)


def of_file(path: Path, kind: str, names: Iterable[str] = ()) -> Reviewed:
    """What is wrong with a file by itself; `kind` is the folder within results that it is for."""
    from site_src.tables import TABLES

    one = Reviewed(path)
    if path.is_symlink() or not path.is_file():
        one.faults.append(Fault("It is a link, or no file at all.", "Put the file itself there."))
    elif not _is_utf8(path.name):
        one.faults.append(Fault("Its name is no UTF-8, so that no page can name it.", "Give it another name."))
    elif kind == ".journal" and path.suffix == ".jsonl":
        one.faults.append(Fault(JOURNAL, "If it is yours, run `collect` here, which saves it; otherwise leave it out."))
    elif path.suffix == ".parquet" and kind in FORMS:
        _of_parquet(one, kind, tuple(names))
    elif kind == "." and path.name in (*TABLES, "README.md", KEYS, UNSIGNED):
        one.faults += of_text(path, names)
    elif path.name != ".gitkeep":
        one.faults.append(Fault("A file of this kind has no place there.", "Leave it out."))
    return one


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _of_parquet(one: Reviewed, kind: str, names: tuple[str, ...]) -> None:
    from site_src.run_file import TooMuch, Untrusted, origin, read, read_rows

    columns, form, called = FORMS[kind]
    try:
        table = read_rows(one.path) if kind == "runs" else read(one.path, columns, form, called)
        one.signed_by, one.sha256 = origin(table)
    except TooMuch as reason:
        one.faults.append(Fault("It holds more than any run does:", LEAVE, str(reason)))
        return
    except Untrusted as reason:
        one.faults.append(Fault("It cannot be trusted:", FETCH, str(reason)))
        return
    file = _checks.File(one.path, kind, table, names)
    one.faults += _checks.in_file(file)
    one.is_grades = kind == "grades"
    if kind == "runs" and not one.faults:
        one.notes += _written(file.rows, names)
        one.run_id = file.rows[0]["run_id"]


def kind_of(path: Path) -> str:
    """The folder within results that a file is for, wherever it lies."""
    return path.parent.name if path.parent.name in FORMS else "runs" if path.suffix == ".parquet" else "."


def together(folder: Results, reviewed: list[Reviewed], place: Path) -> Results:
    """A results folder of links: to what is stored, and in its place to what was reviewed and could be read."""
    from site_src.tables import TABLES

    both = Results(place)
    names = {one.path.name for one in reviewed}
    for kind in FORMS:
        (both.root / kind).mkdir(parents=True)
        found = litter.without((folder.root / kind).glob("*.parquet"))
        stored = [path for path in found if path.name not in names]
        new = {one.path.name: one.path for one in reviewed if one.sha256 and kind_of(one.path) == kind}
        readable = {one.path.name for one in reviewed if one.run_id or kind != "runs"}
        for path in (*stored, *(path for name, path in new.items() if name in readable)):
            (both.root / kind / path.name).symlink_to(path.resolve())
    for table in TABLES:
        (both.root / table).symlink_to(folder.table(table))
    for owned in (folder.keys, folder.unsigned):
        if owned.exists():
            (both.root / owned.name).symlink_to(owned)
    return both


def of_owners(folder: Results, proposed: Path) -> list[Reviewed]:
    """What is wrong where a proposed results folder would change who the owners are, which no contribution may."""
    changed: list[Reviewed] = []
    if proposed.name in FORMS:  # a folder within results holds neither
        return changed
    for own in (folder.keys, folder.unsigned):
        theirs = proposed / own.name
        before, after = (path.read_bytes() if path.is_file() else None for path in (own, theirs))
        if before != after:
            changed.append(Reviewed(theirs, faults=[Fault(OWNERS_CHANGE, OWNERS_REMEDY)]))
    return changed


def add_whose(folder: Results, reviewed: Iterable[Reviewed]) -> None:
    """Says of each file that could be read whose it is."""
    owners = ownership.read(folder)
    for one in reviewed:
        if one.sha256 is None:
            continue
        signed = f"signed by {signing.short(one.signed_by)}" if one.signed_by else "not signed"
        one.contributor = owners.contributor(one.signed_by, one.sha256)
        if one.contributor:
            one.whose = f"Contributed, {signed}: shown beside this repository's own, in none of its figures."
        elif owners.is_claimed:
            one.whose = f"This repository's own, {signed}."
        else:
            one.whose = f"This repository's own, for it has no {KEYS} ({signed})."


def add_of_runs(warehouse: "Warehouse", added: Iterable[Reviewed]) -> None:
    """Adds to each file what the views say against its run."""
    said = list(_checks.in_runs(warehouse))
    for one in added:
        one.faults += [fault for file, fault in said if file == one.path.name]


def add_of_grades(together: Results, added: Iterable[Reviewed]) -> None:
    """Adds to each contributed file of grades those that are not found again in these runs. Raises SandboxFailed."""
    from collector.regrading import Regrader
    from collector.sandbox import Sandbox, available
    from site_src.run_file import read

    with Sandbox() as sandbox:
        regrader = Regrader(together, sandbox.execute if available() else None)
        for one in added:
            if one.is_grades and one.contributor and not one.faults:
                rows = read(one.path, GRADE, GRADES_FORMAT, "a file of grades").to_pylist()
                found = [Found(check, why, number) for number, check, why in regrader.faults(rows)]
                if told := form.all_shown(found):
                    one.faults.append(
                        Fault(NOT_AGAIN, "Leave it out: `collect grade` makes grades of the same runs.", told)
                    )


def of_text(path: Path, names: Iterable[str] = ()) -> list[Fault]:
    """What is wrong with a hand-kept table, or another text."""
    from site_src import tables

    if path.stat().st_size > capacity.FILE_BYTES:
        return [Fault(f"It is more than {capacity.FILE_BYTES // 10**6} MB.", "Leave it out.")]
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
