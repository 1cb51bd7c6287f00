"""A run file: whole or not at all, and never changed afterwards."""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from collector import journal, locks, signing, whole
from collector.backends import Facts
from collector.errors import KeyUnusable, RunRefused, StoreFailed
from collector.journal import sync
from collector.room import NO_ROOM
from collector.schema import COLUMNS, LARGEST, SCHEMA_VERSION, Column, Results, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class Refused(NamedTuple):
    """Why a reader would not take a file, and whether that is its size alone."""

    why: str
    is_size: bool


Refusal = Callable[[Path], Refused | None]

LONGEST_PART = 40
LARGE = ("chunks", "memory", "output_text", "reasoning_text")  # columns
MEND = "Mend its folder, or move it away; it is kept."
NO_NUMBERS = (float("inf"), float("-inf"))  # Python's JSON reader takes them; NaN differs even from itself


def taken(path: Path) -> None:
    """No reader is asked."""


def write(results: Results, facts: Facts, operations: list[Facts], refusal: Refusal = taken) -> Path:
    """Write a run as one Parquet file and return its path. Raises StoreFailed; then nothing new lies in `runs/`.

    Temporary name → fsync → read back with checksums → hard link, which never replaces a file that is there. What is
    more than a reader takes is left out, from the largest operations on, and these are stored as failed.
    """
    target = results.runs / file_name(facts)
    remedy = "Its journal is kept; make room or mend the folder, and the next `collect` saves it."
    bare = 0
    while True:
        table = _table({**facts, "schema_version": SCHEMA_VERSION}, _bared(operations, bare))
        try:
            keep(results, table, target, facts["run_id"], "The run", remedy, refusal)
        except RunRefused as refused:
            if not refused.is_size or bare >= len(operations):
                raise
            bare = max(1, 2 * bare)
        else:
            return target


def _bared(operations: list[Facts], count: int) -> list[Facts]:
    """The same; so many of the largest without what makes them large."""

    def size(place: int) -> int:
        row = operations[place]
        return sum(len(row.get(name) or ()) for name in LARGE)

    largest = set(sorted(range(len(operations)), key=size, reverse=True)[:count])
    bare = {**dict.fromkeys(LARGE), "error_kind": "too_large", "error_detail": "more than a run file can hold"}
    return [{**row, **bare} if place in largest else row for place, row in enumerate(operations)]


def keep(
    results: Results,
    table: "pa.Table",
    target: Path,
    prefix: str,
    what: str,
    remedy: str,
    refusal: Refusal = taken,
) -> None:
    """Write a table as the file `target`, whole or not at all.

    Raises StoreFailed, in which `what` names the table; RunRefused where a reader would not take it.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        results.journals.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f"{prefix}-", suffix=".part", dir=results.journals)
        part = Path(name)
        try:
            with os.fdopen(handle, "w+b") as file:
                locks.wait_for(file.fileno())  # so that no other process takes it for a killed one's
                _encode(table, file)
                sync(file.fileno())
                _check(part, table)
                if refused := refusal(part):
                    happened = f"{what} would be read by nobody: {refused.why}."
                    raise RunRefused(happened, "Its journal is kept; please report it.", refused.is_size)
                whole.place(part, target)
                _sync_folder(target.parent)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise StoreFailed(
            f"{what} could not be written to {target.parent}: {error.strerror or error}.", remedy
        ) from error


def rescue(
    results: Results, facts: Facts, operations: list[Facts], failed: StoreFailed, refusal: Refusal = taken
) -> StoreFailed:
    """Where neither run file nor journal could be written: write the run to the system's folder for temporary files.

    The error to raise, whose `path` says where the run is; None where it is nowhere.
    """
    elsewhere: Path | None = None
    try:
        elsewhere = Path(tempfile.gettempdir()) / f"llm-mac-512-{facts['run_id']}"
        path = write(Results(elsewhere), facts, operations, refusal)
    except (StoreFailed, FileNotFoundError):  # the second where no such folder takes a file
        if elsewhere:
            shutil.rmtree(elsewhere, ignore_errors=True)
        remedy = "Make room: what its journal took before that is kept, and the next `collect` saves it."
        return StoreFailed(failed.happened, remedy)
    remedy = f"The whole run is in {path}: make room, and move it to {results.runs}."
    return StoreFailed(failed.happened, remedy, path)


def lacks_room(failed: StoreFailed) -> bool:
    """Whether it would do to make room."""
    return isinstance(failed.__cause__, OSError) and failed.__cause__.errno in NO_ROOM


def recover(results: Results, refusal: Refusal = taken) -> list[Path]:
    """Turn journals that killed collectors left behind into runs marked interrupted; the paths of those runs.

    One that cannot be made a run hides no other, and stays. Raises StoreFailed, once all others are saved.
    """
    saved: list[Path] = []
    failed: StoreFailed | None = None
    for path in journal.left_over(results):
        try:
            saved += _recovered(results, path, refusal)
        except RunRefused:
            continue  # `set_aside` keeps it
        except StoreFailed as error:
            failed = error
        except OSError as error:
            failed = StoreFailed(f"{path} cannot be saved as a run: {error.strerror or error}.", MEND)
        except Exception:  # whatever somebody wrote there: `set_aside` keeps it, and its name is told
            continue
    if failed:
        raise failed
    return saved


def _recovered(results: Results, path: Path, refusal: Refusal) -> list[Path]:
    left = journal.read(path)
    if not _is_a_run(left):
        return []
    target = results.runs / file_name(left.facts)
    if target.exists() and not target.stat().st_size:
        target.unlink()  # killed between claiming the name and placing the file, where links don't exist
    saved = []
    if not target.exists():  # else it was killed between placing the file and removing the journal
        # a line that could not be read leaves no gap: rows are counted by their place
        rows = [{**row, "op_index": place} for place, row in enumerate(left.operations)]
        saved.append(write(results, {**left.facts, "run_state": "interrupted"}, rows, refusal))
    if not left.unread:
        path.unlink(missing_ok=True)
    return saved


def _is_a_run(left: journal.Journaled) -> bool:
    is_known = isinstance(left.facts.get("run_id"), str) and isinstance(left.facts.get("run_started_at"), datetime)
    return is_known and bool(left.operations)


def set_aside(results: Results) -> list[Path]:
    """Rename journals that hold what `recover` could not read, as `….damaged`; their new paths. Raises StoreFailed."""
    aside = []
    for path in journal.left_over(results):
        try:
            left = journal.read(path)
            if left.operations or left.unread:
                aside.append(journal.set_aside(path))
        except OSError as error:
            raise StoreFailed(f"{path} cannot be read or renamed: {error.strerror or error}.", MEND) from None
    return aside


def sweep(results: Results) -> list[str]:
    """Remove what killed processes had begun to write, journals apart that hold anything; the files' names."""
    removed = []
    for kind in ("*.jsonl", "*.part"):
        for path in journal.left_over(results, kind):
            if kind == "*.jsonl" and (left := journal.read(path)) and (left.operations or left.unread):
                continue
            path.unlink(missing_ok=True)
            removed.append(path.name)
    return removed


def file_name(facts: Facts) -> str:
    """`<runtime>-<model>-<quantization>-<utc>-<id>.parquet`, of harmless characters only."""
    started: datetime = facts["run_started_at"]
    parts = [
        facts.get("runtime") or "unknown",
        facts.get("model_key") or "no-model",
        facts.get("quantization") or "unknown",
        started.strftime("%Y%m%dt%H%M%Sz"),
        facts["run_id"],
    ]
    return "-".join(slug(str(part)) for part in parts) + ".parquet"


def slug(text: str) -> str:
    """`text` in `[a-z0-9._-]`, at most 40 characters, no dot or dash at either end."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower())[:LONGEST_PART].strip(".-_") or "x"


def _table(facts: Facts, operations: list[Facts]) -> "pa.Table":
    import pyarrow as pa

    rows = operations or [{}]
    columns: dict[str, list[Any]] = {
        column.name: [facts.get(column.name)] * len(rows)
        if column.scope == "run"
        else [row.get(column.name) for row in rows]
        for column in COLUMNS
    }
    schema = arrow_schema()
    arrays = [_array(columns[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def rows_as_table(rows: list[Facts], columns: tuple[Column, ...], form: str) -> "pa.Table":
    """Rows of grades or votes as Arrow; what does not fit its column becomes NULL."""
    import pyarrow as pa

    schema = arrow_schema(columns, form)
    return pa.Table.from_arrays(
        [_array([row.get(field.name) for row in rows], field.type) for field in schema], schema=schema
    )


def _array(values: list[Any], kind: "pa.DataType") -> "pa.Array":
    """The values as Arrow; what a server sent in the wrong type becomes NULL instead of costing the run."""
    import pyarrow as pa

    is_nested = pa.types.is_nested(kind)
    if is_nested:
        with contextlib.suppress(pa.ArrowException, OverflowError, TypeError, ValueError):
            return pa.array(values, kind)
    plain = {pa.string(): str, pa.int32(): int, pa.int64(): int, pa.float64(): float, pa.bool_(): bool}.get(kind)

    def fits(value: Any) -> Any:
        if value is None or (type(value) is plain and _is_plain(value)):
            return value
        if isinstance(value, str):  # a server that cuts text in UTF-16 sends an emoji in two halves
            value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        try:
            [stored] = pa.array([value], kind).to_pylist()
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            return None
        return value if is_nested or (stored == value and stored not in NO_NUMBERS) else None

    known = {id(value): value for value in values}  # a run's columns are the same in each row
    fitting = {place: fits(value) for place, value in known.items()}
    return pa.array([fitting[id(value)] for value in values], kind)


def _is_plain(value: Any) -> bool:
    """Whether a value is stored as it is by a column of its type, whichever that is: most are."""
    if isinstance(value, str):
        return value.isascii()
    return bool(abs(value) <= LARGEST["INTEGER"])  # neither no number nor infinite, and in the range of each


def _encode(table: "pa.Table", file: Any) -> None:
    import pyarrow.parquet as pq

    # Dictionaries only where values repeat: on the lists they would double a small file.
    texts = [field.name for field in table.schema if str(field.type) == "string"]
    repeating = [name for name in texts if not name.endswith("_text")]
    key = _key()
    with pq.ParquetWriter(
        file,
        table.schema,
        compression="zstd",
        compression_level=9,
        use_dictionary=repeating,
        write_page_checksum=True,
    ) as writer:
        writer.write_table(table)
        if key:
            writer.add_key_value_metadata(signing.blank(key))
    if key:
        signing.sign(file, key)
    file.flush()


def _key() -> "Ed25519PrivateKey | None":
    """The user's key; None where it cannot be had: a run is kept unsigned rather than lost."""
    try:
        return signing.own()
    except KeyUnusable:
        return None


def _check(path: Path, table: "pa.Table") -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        read_back = pq.ParquetFile(path, page_checksum_verification=True).read()
    except (pa.ArrowException, OSError) as error:
        raise OSError(f"what was written cannot be read back ({error})") from error
    if not read_back.equals(table):
        raise OSError("what was read back differs from what was written")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # not every file system syncs folders; the file stands and was synced
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
