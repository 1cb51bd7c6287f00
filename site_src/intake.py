"""Run files into the tables that views read, of the database or of one attached to it.

Chunks, memory samples and texts are nearly all of a run file, and ten thousand files of them fit into no memory. So
`raw_facts` holds the other columns, and the views that are `KEPT` say what these few come to, file by file.
"""

import itertools
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from collector.schema import COLUMNS
from site_src import database
from site_src.layers import KEPT, View, in_layers, of_a_file
from site_src.remembered import Remembered
from site_src.run_file import REMEMBERED_BYTES, Untrusted, origin, read_run

HOME = "main"  # the schema of whichever database a connection uses: there the views are made
WIDE = ("chunks", "memory", "energy", "output_text", "reasoning_text")
TIMES = ("started_ns", "elapsed_ns", "first_text_ns", "last_text_ns")
DETAILS = ("run_id", "op_index", "op", *TIMES, "completion_tokens", *WIDE)
TABLES = ("raw_facts", *KEPT)  # with the column `file`, by which a file is forgotten
OF_FILES = ("raw_damaged", "raw_origins")  # with one row a file
# Contributed files come last, so that the owner's rows stay where they are: sums of floats hang on it.
RUNS = "contributor is not null, run_started_at, run_id"
WHOSE = f"left join {HOME}.raw_contributors using (file)"
ORDER = f"{RUNS}, op_index"
UNNESTED = {"stg_early": "chunks", "stg_energy": "energy", "run_peaks": "memory"}  # what rows of kept views come from
BATCH = 50  # files whose every column is held at a time
COMPRESSED = 200  # files from which on it is worth while
COPIED = 2_000  # files whose rows are copied at a time


def connect() -> duckdb.DuckDBPyConnection:
    """An empty database in memory, which goes with the connection.

    All share one instance of DuckDB, since to start one takes 15 ms; so its catalogs (`duckdb_tables()` and the like)
    tell of the others' tables too.
    """
    name = f"home_{next(_numbers)}"
    con = _instance().cursor()
    con.execute("set enable_progress_bar = false")  # which would be written into what a build says
    con.execute(f"attach ':memory:' as {name} (compress)")  # what a run repeats on each row takes next to nothing
    con.execute(f"use {name}")
    weakref.finalize(con, _forsake, name).atexit = False
    return con


def name_of(con: duckdb.DuckDBPyConnection) -> str:
    """What the database is called that a connection uses."""
    [(name,)] = con.execute("select current_database()").fetchall()
    return str(name)


_numbers = iter(range(1 << 62))


@cache
def _instance() -> duckdb.DuckDBPyConnection:
    # else .tmp where we stand
    return database.connect(temp_directory=str(Path(tempfile.gettempdir()) / f"llm-mac-512-{os.getpid()}"))


def _forsake(name: str) -> None:
    _instance().cursor().execute(f"detach {name}")


def make_tables(con: duckdb.DuckDBPyConnection, place: str = HOME) -> None:
    """The tables of run files, empty, in the database called `place`."""
    types = {column.name: column.type for column in COLUMNS}
    narrow = ", ".join(f"{name} {kind}" for name, kind in types.items() if name not in WIDE)
    con.execute(f"create or replace table {place}.raw_facts (file VARCHAR, {narrow})")
    con.execute(f"create or replace table {place}.raw_damaged (file VARCHAR, reason VARCHAR)")
    con.execute(f"create or replace table {place}.raw_origins (file VARCHAR, signed_by VARCHAR, sha256 VARCHAR)")
    for name, kept in workshop().columns.items():
        columns = ", ".join(f"{column} {kind}" for column, kind in kept)
        con.execute(f"create or replace table {place}.{name} ({columns})")


def make_details(con: duckdb.DuckDBPyConnection) -> None:
    """`raw_details`, empty: every column that an operation's own figures are made of, of the files at hand."""
    types = {column.name: column.type for column in COLUMNS}
    con.execute(
        f"create or replace table raw_details (file VARCHAR, {', '.join(f'{name} {types[name]}' for name in DETAILS)})"
    )


def take_in(con: duckdb.DuckDBPyConnection, paths: Iterable[Path], place: str = HOME) -> None:
    """The rows of these files, or a file's name and why it cannot be trusted."""
    for batch in _batches(paths):
        tables: dict[tuple[str, str], pa.Table] = {}
        origins: list[tuple[str | None, ...]] = []
        for path in batch:
            try:
                table = read_run(path)
                signed_by, hashed = origin(table)
                tables[path.name, hashed] = named(table, path).replace_schema_metadata()
                origins.append((path.name, signed_by, hashed))
            except Untrusted as reason:
                values = {"file": path.name, "reason": str(reason)}
                con.execute(f"insert into {place}.raw_damaged values ($file, $reason)", values)  # noqa: S608
                if reason.origin:
                    origins.append((path.name, *reason.origin))
        if origins:
            names = ("file", "signed_by", "sha256")
            columns = [pa.array(column, pa.string()) for column in zip(*origins, strict=True)]
            insert(con, f"{place}.raw_origins", pa.table(columns, names))
        if tables:
            rows = pa.concat_tables(tables.values(), promote_options="permissive")
            insert(con, f"{place}.raw_facts", rows.drop_columns([name for name in WIDE if name in rows.column_names]))
            for name, kept in workshop().of_files(tables):
                insert(con, f"{place}.{name}", kept)


def named(rows: pa.Table, path: Path) -> pa.Table:
    """The rows of a file with its name."""
    return rows.append_column("file", pa.array([path.name] * len(rows), pa.string()))


def in_order(con: duckdb.DuckDBPyConnection, new: Sequence[str]) -> bool:
    """Whether the rows of these files, which came last, belong after all others and into the order they have."""
    others = f"select max(({RUNS})) as latest from raw_facts {WHOSE} where file not in (select unnest($new))"  # noqa: S608
    own = f"""
        select ({ORDER}) as place, lag(({ORDER})) over (order by line) as before, ({RUNS}) as of_run
        from (select rowid as line, * from raw_facts) {WHOSE} where file in (select unnest($new))
    """  # noqa: S608
    wrong = f"select 1 from ({own}) as own, ({others}) as others where place < before or of_run < latest limit 1"  # noqa: S608
    return not con.execute(wrong, {"new": list(new)}).fetchall()


def forget(con: duckdb.DuckDBPyConnection, files: Sequence[str], place: str = HOME) -> None:
    """Remove what files of these names brought."""
    for table in (*TABLES, *OF_FILES):
        asked = f"delete from {place}.{table} where file in (select unnest($files))"  # noqa: S608
        con.execute(asked, {"files": list(files)})


def insert_details(con: duckdb.DuckDBPyConnection, rows: pa.Table) -> None:
    """Add rows of a file to `raw_details`."""
    insert(con, "raw_details", rows.select([name for name in ("file", *DETAILS) if name in rows.column_names]))


class Workshop:
    """A database of its own, in which the kept views are made of a few files at a time."""

    def __init__(self, views: Iterable[View]) -> None:
        self._con = connect()
        make_details(self._con)
        self._in_layers = [view.name for view in views if not view.is_foundation]
        self._kept = [view.name for view in views if view.name in KEPT]
        self._made: Remembered[dict[str, pa.Table]] = Remembered(REMEMBERED_BYTES)
        for view in views:
            self._con.execute(view.sql if view.is_foundation else view.body)
        asked = """
            select table_name, column_name, data_type from duckdb_columns()
            where database_name = current_database() order by column_index
        """
        told = self._con.execute(asked).fetchall()
        self.columns = {name: [(column, kind) for view, column, kind in told if view == name] for name in self._kept}

    def copy_foundation(self, con: duckdb.DuckDBPyConnection) -> None:
        """Put the views and macros that stand in no layer into an empty database: to make them takes ten times as long.

        Of the others' names none is left but `raw_details`, which is empty.
        """
        con.execute(f"copy from database {name_of(self._con)} to {name_of(con)} (schema)")
        for name in self._in_layers:
            con.execute(f"drop view {name}")

    def figures(self, rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
        """Each kept view's name and its rows for these rows of run files; no view that has none."""
        make_details(self._con)
        insert_details(self._con, rows)
        for name in self._kept:
            if not _is_void(rows, UNNESTED.get(name)):
                yield name, self._con.sql(f"from {name}").to_arrow_table()

    def of_files(self, files: Mapping[tuple[str, str], pa.Table]) -> Iterator[tuple[str, pa.Table]]:
        """The same of the rows of these files, by name and hash; file by file, whichever were known before."""
        found = {key: made for key in files if (made := self._made.get(key)) is not None}
        new = {key: rows for key, rows in files.items() if key not in found}
        if new:
            figures = dict(self.figures(pa.concat_tables(new.values(), promote_options="permissive")))
            for key in new:
                own = {name: kept.filter(pc.equal(kept["file"], key[0])) for name, kept in figures.items()}
                found[key] = {name: kept for name, kept in own.items() if len(kept)}
                self._made.put(key, found[key], new[key].nbytes)  # what is kept of it is less
        for name in self._kept:
            if some := [found[key][name] for key in files if name in found[key]]:
                yield name, pa.concat_tables(some)


def _is_void(rows: pa.Table, column: str | None) -> bool:
    """Whether nothing stands in a column."""
    return column is not None and (column not in rows.column_names or rows[column].null_count == len(rows))


def workshop() -> Workshop:
    """One for the whole process, until a view is edited."""
    return _workshop(tuple(of_a_file(in_layers())))


_workshop = lru_cache(maxsize=1)(Workshop)


def sort(con: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
    """Put the rows of all tables into the order of the runs; `names` are those of all files."""
    files = ordered(con, names)
    for table in TABLES:
        con.execute(f"create or replace table sorted as from {table} limit 0")
        append(con, "sorted", table, files)
        con.execute(f"truncate {table}")  # and not replaced: what is said of its columns would go with it
        append(con, table, "sorted", files)
        con.execute("drop table sorted")


def ordered(con: duckdb.DuckDBPyConnection, files: Sequence[str], place: str = HOME) -> list[str]:
    """Those of these files whose rows are in the database called `place`, in the order of their runs."""
    firsts = (
        f"select distinct on (file) file, run_started_at, run_id from {place}.raw_facts "  # noqa: S608
        "where file in (select unnest($files)) order by run_started_at, run_id"
    )
    asked = f"select file from ({firsts}) {WHOSE} order by {RUNS}, file"  # noqa: S608
    return [file for (file,) in con.execute(asked, {"files": list(files)}).fetchall()]


def append(con: duckdb.DuckDBPyConnection, table: str, source: str, files: Sequence[str]) -> None:
    """Add the rows of these files from another table, in this order; some at a time, as they come uncompressed."""
    within = "rowid" if "run_peaks" in f"{source} {table}" else "op_index"  # of run_peaks a file has one row
    for start in range(0, len(files), COPIED):
        some = list(files[start : start + COPIED])
        con.execute(
            f"insert into {HOME}.{table} by name select own.* from {source} as own "  # noqa: S608
            "inner join (select unnest($files) as file, generate_subscripts($files, 1) as place) using (file) "
            f"order by place, own.{within}",
            {"files": some},
        )
        compress(con, some)


def compress(con: duckdb.DuckDBPyConnection, files: Sequence[str]) -> None:
    """After the rows of these files were written; of a few files it takes longer than it gains."""
    if len(files) >= COMPRESSED:
        con.execute("checkpoint")


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    """Add rows to a table, column by column as they are called."""
    con.register("incoming", rows)
    con.execute(f"insert into {table} by name select * from incoming")  # noqa: S608
    con.unregister("incoming")


def _batches(paths: Iterable[Path]) -> Iterator[list[Path]]:
    rest = iter(paths)
    while batch := list(itertools.islice(rest, BATCH)):
        yield batch
