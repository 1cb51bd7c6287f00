"""The run files as tables, and every view over them, in an in-memory DuckDB.

Each file is read once, with its page checksums verified, into `raw_operations`; a file that cannot be trusted is
named in `raw_damaged` and skipped. Views are the files in `views/`, layer by layer. A view is computed when it is first
asked for and kept as a table until something changes: planning views that read views that read views takes longer than
computing each once.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from collector.schema import Results
from site_src import bradley_terry, cache, intake, tables
from site_src.judged import Judged

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from site_src.cache import Stamp

VIEWS = Path(__file__).parent / "views"
WIDE = (
    "stg_requests",
    "stg_memory",
    "stg_outputs",
)  # as large as the run files themselves, so each reader computes them anew
CATALOG = {"show", "duckdb_tables", "duckdb_views", "duckdb_columns", "information_schema"}  # where all must be there
STRENGTHS = (
    *("build_id VARCHAR", "component_id VARCHAR", "strength DOUBLE", "strength_low DOUBLE", "strength_high DOUBLE"),
    "vote_group_count INTEGER",
)
VOTES = "select a_id, b_id, a_score, prompt_sha256, voter from counted_votes"
HERE = ("chip VARCHAR", "cpu_cores INTEGER", "gpu_cores INTEGER", "memory_bytes BIGINT")  # as in the schema


class Warehouse:
    """All results of one folder, ready to be asked. `refresh` picks up what has changed there since.

    `here`: run columns about this computer, for who asks what is left to be measured on it (`stg_here`,
    `plan_coverage`); the site is the same wherever it is built. `asked`: two sets of runs (`run_sets`) to be compared
    besides those that views compare by themselves. Raises TableInvalid.
    """

    def __init__(
        self, results: Results, here: "Mapping[str, Any] | None" = None, asked: tuple[str, str] | None = None
    ) -> None:
        self.results = results
        # One thread: several add floats up in varying order, and two builds of the same runs differ in a last digit.
        self._con = duckdb.connect(
            ":memory:",
            config={"autoinstall_known_extensions": False, "autoload_known_extensions": False, "threads": 1},
        )
        self._seen: dict[Path, Stamp] = {}
        self._views: dict[str, View] = {}
        self._made: set[str] = set()
        self._comments: dict[str, dict[str, str | None]] = {}
        intake.make_tables(self._con)
        self._judged = Judged(self._con)
        self._con.sql(f"create table raw_strengths ({', '.join(STRENGTHS)})")
        self._voted: list[bradley_terry.Vote] = []
        self._con.sql("create table raw_twins (run_id VARCHAR, file VARCHAR, first VARCHAR)")
        self._con.sql(f"create table raw_here ({', '.join(HERE)})")
        if here:
            known = {name: here.get(name) for name in (column.split()[0] for column in HERE)}
            self._con.sql("insert into raw_here values ($chip, $cpu_cores, $gpu_cores, $memory_bytes)", params=known)
        self._con.sql("create table raw_asked (a_id VARCHAR, b_id VARCHAR)")
        if asked:
            self._con.sql("insert into raw_asked values ($1, $2)", params=list(asked))
        self.refresh()

    def refresh(self) -> None:
        """Read new and changed files, forget vanished ones, make edited views again. Raises TableInvalid."""
        now = {path: cache.stamp(path) for path in sorted(self.results.runs.glob("*.parquet"))}
        twins = {row["file"] for row in self.rows("select file from raw_twins")}  # what they doubled may be gone
        gone = [path for path, stamp in self._seen.items() if now.get(path) != stamp or path.name in twins]
        for path in gone:
            self._forget(path)
        if new := {path: stamp for path, stamp in now.items() if path not in self._seen}:
            self._take_in(new)
        if new or gone:
            self._settle()
        self._judged.refresh(self.results)
        self._tables()
        self._views = _in_layers()
        self._made.clear()
        self._comments.clear()
        for view in self._views.values():
            if view.is_foundation:
                self._con.sql(view.sql)
                self._made.add(view.name)

    @property
    def views(self) -> list[str]:
        """The names of all views, each after those it reads."""
        return [view.name for view in self._views.values() if not view.path.stem[0].isdigit()]

    def table(self, query: str, **values: Any) -> "pa.Table":
        """The answer to a query as Arrow; `$name` in it stands for a value."""
        words = set(re.findall(r"\w+", query.lower()))
        self._make(set(self._views) if words & CATALOG else words)
        return self._con.sql(query, params=values or None).to_arrow_table()

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """The answer to a query, a dict a row."""
        rows: list[dict[str, Any]] = self.table(query, **values).to_pylist()
        return rows

    def comments(self, view: str) -> dict[str, str | None]:
        """What each column of a view means."""
        if view not in self._comments:
            self._make({view})
            asked = "select column_name, comment from duckdb_columns() where table_name = $view order by column_index"
            self._comments[view] = dict(self._con.sql(asked, params={"view": view}).fetchall())
        return self._comments[view]

    def grain(self, view: str) -> str | None:
        """What a view's rows are."""
        self._make({view})
        tables = "select comment from duckdb_tables() where table_name = $view"
        views = "select comment from duckdb_views() where view_name = $view"
        [(said,)] = self._con.sql(f"{tables} union all {views}", params={"view": view}).fetchall()
        return str(said) if said else None

    def _make(self, wanted: set[str]) -> None:
        """Compute those of these names that are views, and whatever they read, unless that was done before."""
        missing = {name for name in wanted if name in self._views and name not in self._made}
        for name in reversed(self._views):
            if name in missing:
                missing |= self._views[name].reads - self._made
        for name, view in self._views.items():
            if name in missing:
                if "raw_strengths" in view.sql:
                    self._fit()
                self._con.sql(view.sql if name in WIDE else view.as_table())
                self._made.add(name)

    def _fit(self) -> None:
        """Strengths of the votes that count, which takes a second or two: anew only when these have changed."""
        votes = sorted(bradley_terry.Vote(*row) for row in self._con.sql(VOTES).fetchall())
        if votes != self._voted:
            self._con.sql("truncate raw_strengths")
            found = bradley_terry.strengths(votes)
            for one in found:
                row = [one.build, one.component, one.strength, one.low, one.high, one.group_count]
                self._con.sql("insert into raw_strengths values ($1, $2, $3, $4, $5, $6)", params=row)
            self._voted = votes

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


@functools.lru_cache(maxsize=1)
def kept(root: Path) -> Warehouse:
    """One for the whole process: under `serve` only new run files are read, and all languages share it."""
    return Warehouse(Results(root))


@dataclass(frozen=True)
class View:
    """One file of `views/`: its SQL and the names of the views it reads."""

    path: Path
    sql: str
    reads: frozenset[str]

    @property
    def name(self) -> str:
        """The view's, and the file's."""
        return self.path.stem

    @property
    def is_foundation(self) -> bool:
        """Whether it stands in no layer."""
        return self.path.parent == VIEWS

    def as_table(self) -> str:
        """The same with its rows kept."""
        kept = self.sql.replace("create or replace view", "create or replace table", 1)
        return kept.replace("\ncomment on view", "\ncomment on table", 1)


def _in_layers() -> dict[str, View]:
    """Every view by name. Folders are layers, in order; within one, a view comes after those it reads."""
    texts = {path: path.read_text(encoding="utf-8") for path in VIEWS.rglob("*.sql")}
    names = {path.stem for path in texts}
    views = [View(path, sql, _reads(sql) & names - {path.stem}) for path, sql in texts.items()]
    ordered: dict[str, View] = {}
    for folder in sorted({view.path.parent for view in views}):
        layer = sorted((view for view in views if view.path.parent == folder), key=lambda view: view.name)
        own = {view.name for view in layer}
        while layer:
            ready = [view for view in layer if not view.reads & own - ordered.keys()]
            if not ready:
                raise RuntimeError(f"views read each other in a circle: {', '.join(view.name for view in layer)}")
            ordered |= {view.name: view for view in ready}
            layer = [view for view in layer if view not in ready]
    return ordered


def _reads(sql: str) -> frozenset[str]:
    code = re.sub(r"--.*|'(?:[^']|'')*'", "", sql)
    own = re.findall(r"^(\w+) as (?:materialized )?\(", code, re.MULTILINE)  # named queries within the view
    return frozenset(re.findall(r"\b(?:from|join)\s+(\w+)\b", code)) - frozenset(own)
