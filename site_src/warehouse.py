"""The run files as tables, and every view over them, in an in-memory DuckDB.

Each file is read once, with its page checksums verified, into `raw_operations`; a file that cannot be trusted is
named in `raw_damaged` and skipped. Views are the files in `views/`, layer by layer.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from collector.schema import COLUMNS, FORMAT, SCHEMA_VERSION, Results, arrow_schema
from site_src import tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VIEWS = Path(__file__).parent / "views"
HERE = ("chip VARCHAR", "cpu_cores INTEGER", "gpu_cores INTEGER", "memory_bytes BIGINT")  # as in the schema
RAW = "create table raw_operations (file VARCHAR, {columns})"


class Untrusted(Exception):
    """A run file that must not be read, and why."""


class Warehouse:
    """All results of one folder, ready to be asked. `refresh` picks up what has changed there since.

    `here`: run columns about this computer, for who asks what is left to be measured on it (`stg_here`,
    `plan_coverage`); the site is the same wherever it is built. Raises TableInvalid.
    """

    def __init__(self, results: Results, here: "Mapping[str, Any] | None" = None) -> None:
        self.results = results
        # One thread: several add floats up in varying order, and two builds of the same runs differ in a last digit.
        self._con = duckdb.connect(
            ":memory:",
            config={"autoinstall_known_extensions": False, "autoload_known_extensions": False, "threads": 1},
        )
        self._seen: dict[Path, tuple[int, int]] = {}
        self._views: list[tuple[str, str]] = []
        columns = ", ".join(f"{column.name} {column.type}" for column in COLUMNS)
        self._con.sql(RAW.format(columns=columns))
        self._con.sql("create table raw_damaged (file VARCHAR, reason VARCHAR)")
        self._con.sql(f"create table raw_here ({', '.join(HERE)})")
        if here:
            known = {name: here.get(name) for name in (column.split()[0] for column in HERE)}
            self._con.sql("insert into raw_here values ($chip, $cpu_cores, $gpu_cores, $memory_bytes)", params=known)
        self.refresh()

    def refresh(self) -> None:
        """Read new and changed files, forget vanished ones, make edited views again. Raises TableInvalid."""
        now = {path: _stamp(path) for path in sorted(self.results.runs.glob("*.parquet"))}
        # A refused file is tried again: what it doubled may be gone.
        refused = {row["file"] for row in self.rows("select file from raw_damaged")}
        for path in [path for path, stamp in self._seen.items() if now.get(path) != stamp or path.name in refused]:
            self._forget(path)
        for path in [path for path in now if path not in self._seen]:
            self._seen[path] = now[path]
            self._load(path)
        self._tables()
        views = _in_layers()
        if views != self._views:
            for _, sql in views:
                self._con.sql(sql)
            self._views = views

    def table(self, query: str, **values: Any) -> pa.Table:
        """The answer to a query as Arrow; `$name` in it stands for a value."""
        return self._con.sql(query, params=values or None).to_arrow_table()

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """The answer to a query, a dict a row."""
        rows: list[dict[str, Any]] = self.table(query, **values).to_pylist()
        return rows

    def comments(self, view: str) -> dict[str, str | None]:
        """What each column of a view means."""
        asked = "select column_name, comment from duckdb_columns() where table_name = $view order by column_index"
        return {row["column_name"]: row["comment"] for row in self.rows(asked, view=view)}

    def _load(self, path: Path) -> None:
        try:
            table = read_run(path)
            self._refuse_twins(path, table)
        except Untrusted as reason:
            self._con.sql("insert into raw_damaged values ($file, $reason)", params=_named(path, str(reason)))
            return
        self._con.register("incoming", table.append_column("file", pa.array([path.name] * len(table))))
        self._con.sql("insert into raw_operations by name select * from incoming")
        self._con.unregister("incoming")

    def _refuse_twins(self, path: Path, table: pa.Table) -> None:
        run_id = table["run_id"][0].as_py()
        held = self.rows("select file from raw_operations where run_id = $id limit 1", id=run_id)
        if held:
            raise Untrusted(f"it holds the run that {held[0]['file']} holds already")

    def _forget(self, path: Path) -> None:
        del self._seen[path]
        for name in ("raw_operations", "raw_damaged"):
            self._con.sql(f"delete from {name} where file = $file", params={"file": path.name})  # noqa: S608

    def _tables(self) -> None:
        """The hand-kept tables, as text: views give them their types."""
        for path in map(self.results.table, tables.TABLES):
            self._con.register("incoming", tables.read(path))
            self._con.sql(f"create or replace table raw_{path.stem} as from incoming")  # our own file's name
            self._con.unregister("incoming")


def read_run(path: Path) -> pa.Table:
    """A run file's rows in the columns of the schema. Raises Untrusted, with the reason in words."""
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
        metadata = file.schema_arrow.metadata or {}
        if metadata.get(b"format", b"").decode() != FORMAT:
            raise Untrusted("it is not a run file of this project")
        version = int(metadata.get(b"schema_version", b"0"))
        if version > SCHEMA_VERSION:
            raise Untrusted(f"it was written by a newer version (schema {version}); update this clone")
        table = file.read()
    except (pa.ArrowException, OSError, ValueError) as error:
        said = str(error).partition("\n")[0].replace(f"{path.parent}/", "")  # reasons are published
        raise Untrusted(f"it is damaged: {said}") from None
    if len(table) == 0:
        raise Untrusted("it has no rows")
    return _typed(table)


def _typed(table: pa.Table) -> pa.Table:
    wanted = arrow_schema()
    for field in table.schema:
        if field.name not in wanted.names:  # page checksums do not cover names, and a newer version was refused before
            raise Untrusted(f"it is damaged, or written by a newer clone: the schema has no column {field.name!r}")
        known = wanted.field(field.name)
        if not _fits(field.type, known.type):
            raise Untrusted(f"its column {field.name} is {field.type}, not {known.type}")
    return table.select([name for name in wanted.names if name in table.schema.names])


def _fits(given: pa.DataType, known: pa.DataType) -> bool:
    """Whether values of one type are values of the other; an older struct may lack fields."""
    if pa.types.is_list(given) and pa.types.is_list(known):
        return _fits(given.value_type, known.value_type)
    if pa.types.is_struct(given) and pa.types.is_struct(known):
        names = {field.name: field.type for field in known}
        return all(field.name in names and _fits(field.type, names[field.name]) for field in given)
    return bool(given == known)


def _in_layers() -> list[tuple[str, str]]:
    """(name, SQL) of every view. Folders are layers, in order; within one, a view comes after those it reads."""
    ordered: list[tuple[str, str]] = []
    layers: dict[Path, dict[str, str]] = {}
    for path in sorted(VIEWS.rglob("*.sql"), key=lambda path: (str(path.parent), path.name)):
        layers.setdefault(path.parent, {})[path.stem] = path.read_text(encoding="utf-8")
    for views in layers.values():
        while views:
            ready = [
                name for name, sql in views.items() if not _reads(sql, [other for other in views if other != name])
            ]
            if not ready:
                raise RuntimeError(f"views read each other in a circle: {', '.join(sorted(views))}")
            ordered += [(name, views.pop(name)) for name in ready]
    return ordered


def _reads(sql: str, names: "Sequence[str]") -> bool:
    code = re.sub(r"--.*|'(?:[^']|'')*'", "", sql)
    return any(re.search(rf"\b(?:from|join)\s+{name}\b", code) for name in names)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:  # a link that leads nowhere, or a file that vanished just now: reading it will say so
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _named(path: Path, reason: str) -> dict[str, str]:
    return {"file": path.name, "reason": reason}
