"""What is wrong with a file of results from somewhere else: untrusted, so read within limits; nothing in it runs."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector import privacy, store
from collector.errors import TableInvalid
from collector.judgments import GRADE, GRADES_FORMAT, VOTE, VOTES_FORMAT
from collector.schema import COLUMNS, FORMAT, OPERATIONS, RUN, Column
from site_src.review import Fault

if TYPE_CHECKING:
    import pyarrow as pa

LARGEST_MB = 5  # a run of a whole day with every token's time in it is below 1 MB
LARGEST_UNPACKED_MB = 500
MOST_ROWS = 100_000
METADATA = {b"format", b"schema_version", b"ARROW:schema"}
SHOWN = 100  # characters of what was found
FORMS: dict[str, tuple[tuple[Column, ...], str, str]] = {
    "runs": (COLUMNS, FORMAT, "a run file"),
    "grades": (GRADE, GRADES_FORMAT, "a file of grades"),
    "votes": (VOTE, VOTES_FORMAT, "a file of votes"),
}
FETCH = "Take the file again from where it was made; none is ever edited."
CLEAN = "Measure again with the newest collector, which removes it, and do not push this file."


def of_parquet(path: Path, kind: str, names: Iterable[str] = ()) -> tuple[list[dict[str, Any]], list[Fault]]:
    """The rows of a file in `runs`, `grades` or `votes`, and what is wrong with it; no rows if it cannot be read."""
    from site_src.run_file import Untrusted, read, read_run

    columns, form, called = FORMS[kind]
    if fault := _too_large(path):
        return [], [fault]
    try:
        table: pa.Table = read_run(path) if kind == "runs" else read(path, columns, form, called)
    except Untrusted as reason:
        return [], [Fault("It cannot be trusted:", FETCH, str(reason))]
    rows = table.to_pylist()
    faults = [*_metadata(path), *of_texts(rows, names)]
    if kind == "runs":
        faults += [*_contradictions(rows), *_name(path, rows[0])]
    return rows, faults


def of_text(path: Path, names: Iterable[str] = ()) -> list[Fault]:
    """What is wrong with a hand-kept table, or another text."""
    from site_src import tables

    if path.stat().st_size > LARGEST_MB * 10**6:
        return [Fault(f"It is more than {LARGEST_MB} MB.", "Leave it out.")]
    if path.name in tables.TABLES:
        try:
            tables.read(path)
        except TableInvalid as error:
            return [Fault("The site cannot read it:", "Mend that line.", f"{error.happened} {error.remedy}")]
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return of_texts(({f"line {number}": line} for number, line in enumerate(lines, start=1)), names)


def of_texts(rows: Iterable[dict[str, Any]], names: Iterable[str] = ()) -> list[Fault]:
    """What must not be published, but for what models wrote."""
    kept = ({name: value for name, value in row.items() if name not in privacy.WRITTEN} for row in rows)
    return [Fault("It holds what must not be published:", CLEAN, found) for found in _traces(kept, names)]


def written(rows: Iterable[dict[str, Any]], names: Iterable[str] = ()) -> list[str]:
    """The same in what models wrote: mostly made up, so it is for a person to look at."""
    return _traces(({name: row.get(name) for name in privacy.WRITTEN} for row in rows), names)


def _traces(rows: Iterable[dict[str, Any]], names: Iterable[str]) -> list[str]:
    known = tuple(names)
    found = dict.fromkeys(trace for row in rows for trace in privacy.traces(row, known))
    return [f"{column}: {text[:SHOWN]}" for column, text in found]


def _too_large(path: Path) -> Fault | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    size = path.stat().st_size / 10**6
    if size > LARGEST_MB:
        return Fault(f"It is {size:.1f} MB, more than {LARGEST_MB} MB.", "Leave it out: no run is that large.")
    try:
        about = pq.ParquetFile(path).metadata
    except (pa.ArrowException, OSError, ValueError):
        return None  # whoever reads it says what is wrong
    unpacked = sum(about.row_group(number).total_byte_size for number in range(about.num_row_groups)) / 10**6
    if unpacked > LARGEST_UNPACKED_MB or about.num_rows > MOST_ROWS:
        said = f"It would unpack to {about.num_rows:,} rows and {unpacked:,.0f} MB."
        return Fault(said, "Leave it out: no run is that large.")
    return None


def _metadata(path: Path) -> list[Fault]:
    import pyarrow.parquet as pq

    other = sorted(set(pq.ParquetFile(path).metadata.metadata or {}) - METADATA)
    names = ", ".join(key.decode(errors="replace") for key in other)[:SHOWN]
    return [Fault("It carries metadata that the collector does not write:", FETCH, names)] if other else []


def _contradictions(rows: list[dict[str, Any]]) -> list[Fault]:
    """What no collector writes: facts of the run that differ from row to row, rows twice, operations nobody knows."""
    first, faults = rows[0], []
    if torn := [column.name for column in RUN if any(row.get(column.name) != first.get(column.name) for row in rows)]:
        faults.append(Fault("Its rows disagree about the run:", FETCH, ", ".join(torn)))
    places = [row.get("op_index") for row in rows]
    if None in places or len(set(places)) != len(places):
        faults.append(Fault("Its rows are not numbered, each once, by op_index.", FETCH))
    if strange := sorted({str(row.get("op"))[:SHOWN] for row in rows} - set(OPERATIONS)):
        faults.append(Fault("It holds operations that the schema does not know:", FETCH, ", ".join(strange)))
    return faults


def _name(path: Path, row: dict[str, Any]) -> list[Fault]:
    if not row.get("run_id") or not row.get("run_started_at"):
        return [Fault("It does not say which run it is, or when it began.", FETCH)]
    expected = store.file_name(row)
    happened = "Its name is not the one that its content gives:"
    return [] if path.name == expected else [Fault(happened, "Give it that name.", expected)]
