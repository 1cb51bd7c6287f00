"""Run files that were read once, kept in a DuckDB file beside the journal, so that only new ones are read again.

It holds nothing that the run files do not, is open only while files are taken in, and may be deleted at any time. Who
cannot have it within two seconds, or finds it broken, does without.
"""

import fcntl
import hashlib
import os
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from collector import capacity, signing
from collector.ownership import Owners
from collector.schema import COLUMNS, SCHEMA_VERSION, Results
from site_src import bounds, form, intake, parquet_pages, parquet_parts, run_file, whose
from site_src.layers import in_layers, of_a_file

Stamp = tuple[int, int]  # of a file: time of its last change in ns, size in bytes
AT_ONCE = 500  # files of which all is taken in or nothing
PATIENCE, STEP_S = 40, 0.05  # looks for the lock


def stamps(folder: Path) -> dict[str, Stamp]:
    """Of each Parquet file of a folder, by name: what changes when the file does."""
    try:
        files = [entry for entry in os.scandir(folder) if entry.name.endswith(".parquet")]
        files = [entry for entry in files if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}
    return {_printable(entry.name): _stamp(entry) for entry in sorted(files, key=lambda entry: entry.name)}


def _printable(name: str) -> str:
    """A name that is no UTF-8 in letters that stand for its bytes: no file is found by it, and so it is told of."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _stamp(entry: "os.DirEntry[str]") -> Stamp:
    try:
        status = entry.stat()
    except OSError:  # a link that leads nowhere, or a file that vanished just now: reading it will say so
        return 0, 0
    return status.st_mtime_ns, status.st_size


@contextmanager
def attached(con: duckdb.DuckDBPyConnection, results: Results) -> Iterator[str]:
    """What the file is called as a database of this connection, ours alone; empty where that cannot be had."""
    place = f"{intake.name_of(con)}_kept"  # others of this process may have another folder's
    try:
        results.journals.mkdir(exist_ok=True)  # no results folder is made just to be read
        lock = os.open(results.journals / "warehouse.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError:
        yield ""
        return
    try:
        yield place if _locked(lock) and _attach(con, results.journals / "warehouse.duckdb", place) else ""
    finally:
        with suppress(duckdb.Error):
            con.execute(f"detach database if exists {place}")
        os.close(lock)


def copy(
    con: duckdb.DuckDBPyConnection,
    place: str,
    folder: Path,
    wanted: Mapping[str, Stamp],
    there: Collection[str],
    owners: Owners,
) -> bool:
    """Bring it up to date with these files of a folder and copy their rows; whether that worked, else none is here.

    What it holds of files that are not `there` is forgotten.
    """
    names = list(wanted)
    try:
        _update(con, place, folder, wanted, there)
        for table in intake.OF_FILES:
            con.execute(
                f"insert into {intake.HOME}.{table} from {place}.{table} where file in (select unnest($names))",
                {"names": names},
            )
        whose.mark(con, owners)
        files = intake.ordered(con, names, place)
        for table in intake.TABLES:
            intake.append(con, table, f"{place}.{table}", files)
    except duckdb.Error:
        with suppress(duckdb.Error):
            con.execute("rollback")
        intake.forget(con, names)
        return False
    return True


def _update(
    con: duckdb.DuckDBPyConnection, place: str, folder: Path, wanted: Mapping[str, Stamp], there: Collection[str]
) -> None:
    """Read what is new or has changed since; forget what is no longer there."""
    kept = {name: (time, size) for name, time, size in con.execute(f"from {place}.files").fetchall()}
    gone = kept.keys() - there
    changed = [name for name, stamp in wanted.items() if kept.get(name) != stamp]
    if not gone and not changed:
        return
    if old := sorted({*gone, *changed} & kept.keys()):
        con.execute("begin")
        intake.forget(con, old, place)
        con.execute(f"delete from {place}.files where file in (select unnest($files))", {"files": old})  # noqa: S608
        con.execute("commit")
    for start in range(0, len(changed), AT_ONCE):
        names = changed[start : start + AT_ONCE]
        con.execute("begin")
        intake.take_in(con, [folder / name for name in names], place)
        for name in names:
            con.execute(f"insert into {place}.files values ($1, $2, $3)", [name, *wanted[name]])  # noqa: S608
        con.execute("commit")
        con.execute(f"checkpoint {place}")


def _locked(lock: int) -> bool:
    for _ in range(PATIENCE):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            threading.Event().wait(STEP_S)
        except OSError:
            return False  # as network shares may refuse it
        else:
            return True
    return False


def _attach(con: duckdb.DuckDBPyConnection, file: Path, place: str) -> bool:
    """Attach the file, made anew when it is broken or of another version."""
    for _ in range(2):
        with suppress(duckdb.Error):
            con.execute(f"attach '{str(file).replace(chr(39), 2 * chr(39))}' as {place}")
            names = [name for (name,) in con.execute(f"select name from (show tables from {place})").fetchall()]  # noqa: S608
            if not names:
                intake.make_tables(con, place)
                con.execute(f"create table {place}.files (file VARCHAR, changed_ns BIGINT, size BIGINT)")
                con.execute(f"create table {place}.made_by as select $version as version", {"version": _version()})
                return True
            if con.execute(f"from {place}.made_by").fetchall() == [(_version(),)]:
                return True
        with suppress(duckdb.Error):
            con.execute(f"detach database if exists {place}")
        with suppress(OSError):
            file.unlink(missing_ok=True)
            file.with_name(f"{file.name}.wal").unlink(missing_ok=True)
    return False


def _version() -> str:
    """Changes with whatever decides how a file's rows look here."""
    modules = (run_file, form, intake, signing, bounds, capacity, parquet_parts, parquet_pages)
    reading = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules]
    views = [view.body for view in of_a_file(in_layers())]
    said = f"{SCHEMA_VERSION} {COLUMNS} {duckdb.__version__} {reading} {views}"
    return hashlib.sha256(said.encode()).hexdigest()
