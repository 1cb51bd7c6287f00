"""The run files as tables, and every view over them, in an in-memory DuckDB.

Each file is read once, with its page checksums verified; a file that cannot be trusted is named in `raw_damaged` and
skipped, and one whose run does not count, such as a copy, in `raw_set_aside`. `raw_facts` has all rows without chunks,
memory samples and texts; `raw_details` has these of the runs of which pages show them; `raw_operations` has everything,
and is read from the files when a query names it. Views are the files in `views/`, layer by layer. A view is computed
when it is first asked for and kept as a table until something changes: planning views that read views that read views
takes longer than computing each once.
"""

import functools
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from collector import ownership
from collector.ownership import Owners
from collector.schema import COLUMNS, Results, arrow_schema
from site_src import blank, bradley_terry, cache, computing, counted_once, intake, layers, tables, whose
from site_src.judged import Judged
from site_src.layers import KEPT, in_layers
from site_src.layers import VIEWS as VIEWS
from site_src.run_file import Untrusted, read_again

if TYPE_CHECKING:
    from collections.abc import Mapping

    from site_src.cache import Stamp

WIDE = ("stg_requests", "stg_memory")  # as large as the run files themselves, so each reader computes them anew
CATALOG = {"show", "duckdb_tables", "duckdb_views", "duckdb_columns", "information_schema"}  # where all must be there
VOTES = "select a_id, b_id, a_score, prompt_sha256, voter from counted_votes"
COMMENTED = re.compile(r"^comment on column \w+\.(\w+) is '((?:[^']|'')*)';$", re.MULTILINE)
GRAIN = re.compile(r"^comment on view \w+ is '((?:[^']|'')*)';$", re.MULTILINE)


class Warehouse:
    """All results of one folder, ready to be asked. `refresh` picks up what has changed there since.

    `here`: run columns about this computer, for who asks what is left to be measured on it (`stg_here`,
    `plan_coverage`); the site is the same wherever it is built. Raises TableInvalid.
    """

    def __init__(self, results: Results, here: "Mapping[str, Any] | None" = None) -> None:
        self.results = results
        self._views = in_layers()
        self._con, self._hand_kept, gradable = blank.database(layers.of_a_file(self._views))
        self._seen: dict[str, Stamp] = {}
        self._made: set[str] = set()
        self._commented: set[str] = set()
        self._detailed: set[str] = set()  # files whose rows are in raw_details
        self._has_details = False
        self._digests: dict[str, str] = {}  # of the run files, as soon as one is asked for
        self._judged = Judged(self._con, gradable)
        self._voted: list[bradley_terry.Vote] = []
        self._owners = Owners()
        if here:
            known = {name: here.get(name) for name in blank.COMPUTER}
            self._con.sql("insert into raw_here values ($chip, $cpu_cores, $gpu_cores, $memory_bytes)", params=known)
        self._unmake()
        self.refresh()

    def refresh(self) -> None:
        """Read new and changed files, forget vanished ones, make edited views again. Raises TableInvalid."""
        if self._read_views():
            self._unmake()
        owners = ownership.read(self.results)
        is_other, self._owners = owners != self._owners, owners
        now = cache.stamps(self.results.runs)
        gone = {name for name, stamp in self._seen.items() if now.get(name) != stamp}
        new = {name: stamp for name, stamp in now.items() if name not in self._seen or name in gone}
        if new or gone or is_other or counted_once.is_due(self._con):
            aside = counted_once.files(self._con)  # what they doubled may be gone
            gone |= self._seen.keys() & aside
            new |= {name: now[name] for name in aside if name in now}
            self._unmake()
        if gone:
            self._forget(sorted(gone))
        if new:
            self._take_in(new, now)
        if new or gone or is_other:
            self._settle(list(self._seen if is_other else new))
        if self._judged.refresh(self.results, owners):
            self._unmake()
        if self._tables():
            self._unmake()

    def ask(self, a_id: str, b_id: str) -> None:
        """Compare these two sets of runs (`run_sets`), too, besides those that views compare by themselves."""
        self._con.execute("truncate raw_asked")
        self._con.execute("insert into raw_asked values ($1, $2)", [a_id, b_id])
        self._outdate({name for name, view in self._views.items() if "raw_asked" in view.sql})

    def _outdate(self, names: set[str]) -> None:
        """Let these views be computed anew, and those that read them."""
        gone = set(names)
        for name, view in self._views.items():  # each after those it reads
            if view.reads & gone:
                gone.add(name)
        self._made -= gone
        self._commented -= gone

    def _unmake(self) -> None:
        """Let every view be computed anew. Its rows go first, or they would be compressed with those of the files."""
        there = {view.name for view in self._views.values() if view.is_foundation or view.name in KEPT}
        gone = [f"drop {'view' if name in WIDE else 'table'} if exists {name}" for name in self._made - there]
        if gone:
            self._con.execute("; ".join(gone))
        self._made.clear()
        self._digests.clear()
        self._commented.clear()
        self._has_details = False
        self._con.execute("drop table if exists raw_operations")
        self._made |= there
        self._commented |= there

    def _read_views(self) -> bool:
        """Read the files of the views; whether any was edited."""
        known, self._views = self._views, in_layers()
        if self._views == known:
            return False
        before, kept = layers.of_a_file(known), layers.of_a_file(self._views)
        recipe = [view.body for view in kept]
        if recipe != [view.body for view in before]:
            intake.make_tables(self._con)
            intake.make_details(self._con)
            self._seen.clear()
            self._detailed.clear()
        for view in kept if kept != before else []:
            if view.is_foundation or view.name in KEPT:
                self._con.sql(view.sql if view.is_foundation else view.said_of_table)
        return True

    @property
    def is_claimed(self) -> bool:
        """Whether the folder says whose it is; else all that lies there is its owner's."""
        return self._owners.is_claimed

    @property
    def until(self) -> datetime | None:
        """When time alone changes the answers, UTC."""
        return counted_once.until(self._con)

    @property
    def views(self) -> list[str]:
        """The names of all views, each after those it reads."""
        return [view.name for view in self._views.values() if not view.path.stem[0].isdigit()]

    def table(self, query: str, **values: Any) -> "pa.Table":
        """The answer to a query as Arrow; `$name` in it stands for a value."""
        words = set(re.findall(r"\w+", query.lower()))
        if words & CATALOG:
            self._comment(set(self._views))
        self._make(words)
        if "raw_details" in words:
            self._detail()
        if "raw_operations" in words:
            self._read_all()
        return self._con.sql(query, params=values or None).to_arrow_table()

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """The answer to a query, a dict a row."""
        rows: list[dict[str, Any]] = self.table(query, **values).to_pylist()
        return rows

    def comments(self, view: str) -> dict[str, str | None]:
        """What each column of a view means."""
        said = {name: text.replace("''", "'") for name, text in COMMENTED.findall(self._views[view].said)}
        return {name: said.get(name) for name in self.table(f"from {view} limit 0").column_names}  # our own file's name

    def grain(self, view: str) -> str | None:
        """What a view's rows are."""
        found = GRAIN.search(self._views[view].said)
        return found[1].replace("''", "'") if found else None

    def sql(self, view: str) -> str:
        """What a view is made by. Raises KeyError."""
        return self._views[view].body

    def _make(self, wanted: set[str]) -> None:
        """Compute those of these names that are views, and whatever they read, unless that was done before."""
        missing = {name for name in wanted if name in self._views and name not in self._made}
        for name in reversed(self._views):
            if name in missing:
                missing |= self._views[name].reads - self._made
        if any("raw_strengths" in self._views[name].sql for name in missing):
            self._make({"counted_votes"})
            self._fit()
        if any("raw_details" in self._views[name].sql for name in missing):
            self._detail()
        views = {name: view for name, view in self._views.items() if name in missing - self._made}
        computing.compute(self._con, views, WIDE)
        self._made |= views.keys()

    def _comment(self, wanted: set[str]) -> None:
        """Make these views, and let the database know what they say of their columns: a third of making them."""
        self._make(wanted)
        for name in wanted & self._views.keys() - self._commented:
            view = self._views[name]
            self._con.sql(view.said if name in WIDE else view.said_of_table)
            self._commented.add(name)

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

    def stored(self, file: str, *columns: str) -> "pa.Table":
        """The rows of a run file, or these columns of them, also those that are in no table here."""
        schema = arrow_schema()
        names = [name for name in schema.names if name in columns] or schema.names
        try:
            table = read_again(self.results.runs / file, self._digest(file), columns)
        except Untrusted:  # it has gone, or was replaced, since it was taken in
            return schema.empty_table().select(names)
        return pa.concat_tables([schema.empty_table(), table], promote_options="permissive").select(names)

    def _digest(self, file: str) -> str:
        """The SHA-256 of a run file's bytes as they were taken in."""
        if not self._digests:
            self._digests = dict(self._con.sql("select file, sha256 from raw_origins").fetchall())
        return self._digests.get(file, "")

    def texts(self, file: str) -> dict[int, str | None]:
        """What was written in answer to each operation of a run file, by its place there."""
        return {row["op_index"]: row["output_text"] for row in self.stored(file, "op_index", "output_text").to_pylist()}

    def _detail(self) -> None:
        """Let `raw_details` hold the rows of the runs that pages show more of than figures."""
        if self._has_details:
            return
        self._has_details = True
        self._make({"shown_runs", "stg_runs"})
        asked = "select file from stg_runs where run_id in (from shown_runs) order by run_started_at, run_id"
        wanted = [file for (file,) in self._con.sql(asked).fetchall()]
        for file in self._detailed - set(wanted):
            self._con.sql("delete from raw_details where file = $file", params={"file": file})
        for file in wanted:
            if file not in self._detailed:
                intake.insert_details(self._con, intake.named(self.stored(file), self.results.runs / file))
        self._detailed = set(wanted)

    def _read_all(self) -> None:
        """Make `raw_operations` of every trusted file, unless that was done before."""
        there = "from duckdb_tables() where database_name = current_database() and table_name = 'raw_operations'"
        if self._con.execute(there).fetchall():
            return
        columns = ", ".join(f"{column.name} {column.type}" for column in COLUMNS)
        self._con.sql(f"create table raw_operations (file VARCHAR, {columns})")
        files = self._con.sql(
            "select distinct on (run_id) file from raw_facts order by run_started_at, run_id"
        ).fetchall()
        for (file,) in files:
            rows = intake.named(self.stored(file).sort_by("op_index"), Path(file))
            intake.insert(self._con, "raw_operations", rows)

    def _take_in(self, new: "dict[str, Stamp]", now: "dict[str, Stamp]") -> None:
        folder = self.results.runs
        with cache.attached(self._con, self.results) as place:
            if not (place and cache.copy(self._con, place, folder, new, now.keys(), self._owners)):
                intake.take_in(self._con, [folder / name for name in new])
        self._seen |= new

    def _settle(self, new: list[str]) -> None:
        """The same tables whichever way the files came: of a run twice there the first counts, in the runs' order."""
        whose.mark(self._con, self._owners)
        counted_once.set_aside(self._con)
        if not intake.in_order(self._con, new):  # sums of floats hang on it, in their last digit
            intake.sort(self._con, list(self._seen))
        intake.compress(self._con, new)

    def _forget(self, names: list[str]) -> None:
        for name in names:
            del self._seen[name]
            self._detailed.discard(name)
        intake.forget(self._con, names)
        asked = "delete from raw_details where file in (select unnest($names))"
        self._con.sql(asked, params={"names": names})

    def _tables(self) -> bool:
        """The hand-kept tables, as text: views give them their types; whether any says something else than before."""
        found = {name: tables.read(self.results.table(name)) for name in tables.TABLES}
        other = {name: table for name, table in found.items() if table != self._hand_kept.get(name)}
        tables.put(self._con, other)
        self._hand_kept = found
        return bool(other)


@functools.lru_cache(maxsize=1)
def kept(root: Path) -> Warehouse:
    """One for the whole process: under `serve` only new run files are read, and all languages share it."""
    return Warehouse(Results(root))
