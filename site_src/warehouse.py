"""The run files as tables, and every view over them, in an in-memory DuckDB.

Each file is read once, with its page checksums verified, into `raw_operations`; a file that cannot be trusted is
named in `raw_damaged` and skipped. Views are the files in `views/`, layer by layer.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from collector.schema import Results
from site_src import cache, intake, tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from site_src.cache import Stamp

VIEWS = Path(__file__).parent / "views"
HERE = ("chip VARCHAR", "cpu_cores INTEGER", "gpu_cores INTEGER", "memory_bytes BIGINT")  # as in the schema


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
        self._seen: dict[Path, Stamp] = {}
        self._views: list[tuple[str, str]] = []
        intake.make_tables(self._con)
        self._con.sql("create table raw_twins (run_id VARCHAR, file VARCHAR, first VARCHAR)")
        self._con.sql(f"create table raw_here ({', '.join(HERE)})")
        if here:
            known = {name: here.get(name) for name in (column.split()[0] for column in HERE)}
            self._con.sql("insert into raw_here values ($chip, $cpu_cores, $gpu_cores, $memory_bytes)", params=known)
        self.refresh()

    def refresh(self) -> None:
        """Read new and changed files, forget vanished ones, make edited views again. Raises TableInvalid."""
        now = {path: _stamp(path) for path in sorted(self.results.runs.glob("*.parquet"))}
        twins = {row["file"] for row in self.rows("select file from raw_twins")}  # what they doubled may be gone
        gone = [path for path, stamp in self._seen.items() if now.get(path) != stamp or path.name in twins]
        for path in gone:
            self._forget(path)
        if new := {path: stamp for path, stamp in now.items() if path not in self._seen}:
            self._take_in(new)
        if new or gone:
            self._settle()
        self._tables()
        views = _in_layers()
        if views != self._views:
            for _, sql in views:
                self._con.sql(sql)
            self._views = views

    def table(self, query: str, **values: Any) -> "pa.Table":
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

    def _take_in(self, new: "dict[Path, Stamp]") -> None:
        with cache.attached(self._con, self.results) as kept:
            if not (kept and cache.copy(self._con, new)):
                for path in new:
                    intake.take_in(self._con, path)
        self._seen |= new

    def _settle(self) -> None:
        """The same tables whichever way the files came: of twins the first by name counts, rows in the runs' order."""
        self._con.sql(
            "create or replace table raw_twins as "
            "with named as (select distinct run_id, file, min(file) over (partition by run_id) as first "
            "from (select distinct run_id, file from raw_operations)) from named where file != first"
        )
        self._con.sql("delete from raw_operations where file in (select file from raw_twins)")
        order = "run_started_at, run_id, op_index"  # sums of floats hang on it, in their last digit
        self._con.sql(f"create or replace table raw_operations as from raw_operations order by {order}")

    def _forget(self, path: Path) -> None:
        del self._seen[path]
        intake.forget(self._con, path.name)

    def _tables(self) -> None:
        """The hand-kept tables, as text: views give them their types."""
        for path in map(self.results.table, tables.TABLES):
            self._con.register("incoming", tables.read(path))
            self._con.sql(f"create or replace table raw_{path.stem} as from incoming")  # our own file's name
            self._con.unregister("incoming")


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


def _stamp(path: Path) -> "Stamp":
    try:
        status = path.stat()
    except OSError:  # a link that leads nowhere, or a file that vanished just now: reading it will say so
        return 0, 0
    return status.st_mtime_ns, status.st_size
