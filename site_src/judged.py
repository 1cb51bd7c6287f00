"""Files of grades and votes into the tables `raw_grades` and `raw_votes`; those that cannot be trusted are named."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from collector.judgments import GRADE, GRADES_FORMAT, VOTE, VOTES_FORMAT, Gradable, gradable
from collector.ownership import Owners
from collector.schema import Column, Results
from site_src.cache import Stamp, stamps
from site_src.form import OF_ALL, refusal
from site_src.run_file import Untrusted, origin, read


@dataclass(frozen=True)
class Kind:
    """One folder of such files: its name, its columns, and what stands in each file's metadata."""

    name: str
    columns: tuple[Column, ...]
    form: str
    folder: Callable[[Results], Path]
    order: str

    @property
    def table(self) -> str:
        """The table they fill."""
        return f"raw_{self.name}"


OF_GRADES = "run_id, op_index, check_id, other_run_id, other_op_index, graded_at, file"
OF_VOTES = "voted_at, vote_id, file"
KINDS = (
    Kind("grades", GRADE, GRADES_FORMAT, lambda results: results.grades, OF_GRADES),
    Kind("votes", VOTE, VOTES_FORMAT, lambda results: results.votes, OF_VOTES),
)


def make_tables(con: duckdb.DuckDBPyConnection) -> Gradable:
    """Both tables, empty, and those of what there is to grade with now, which is returned too. Raises SuiteInvalid."""
    con.sql("create table raw_damaged_judgments (folder VARCHAR, file VARCHAR, reason VARCHAR)")
    for kind in KINDS:
        columns = ", ".join(f"{column.name} {column.type}" for column in kind.columns)
        con.sql(f"create table {kind.table} (file VARCHAR, contributor VARCHAR, {columns})")
    con.sql("create table raw_graders (grader VARCHAR, tier VARCHAR, version INTEGER)")
    con.sql("create table raw_checks (grader VARCHAR, check_id VARCHAR, check_sha256 VARCHAR)")
    known = gradable()
    _tell_graders(con, known)
    return known


def _tell_graders(con: duckdb.DuckDBPyConnection, known: Gradable) -> None:
    """A grade that names anything else is none."""
    for table, rows in (("raw_graders", known[0]), ("raw_checks", known[1])):
        con.execute(f"truncate {table}")
        if rows:
            places = ", ".join(["(?, ?, ?)"] * len(rows))
            con.execute(f"insert into {table} values {places}", [*itertools.chain(*rows)])  # noqa: S608


class Judged:
    """Keeps both tables of a connection as the folders are. `known`: what its database knows to grade with."""

    def __init__(self, con: duckdb.DuckDBPyConnection, known: Gradable) -> None:
        self._con = con
        self._seen: dict[Path, Stamp] = {}
        self._owners = Owners()
        self._gradable = known

    def refresh(self, results: Results, owners: Owners) -> bool:
        """Read new and changed files, or all where the owners have changed; forget vanished ones; whether any were."""
        is_other, self._owners = owners != self._owners, owners
        is_changed = self._tell_graders()
        for kind in KINDS:
            folder = kind.folder(results)
            now = {folder / name: stamp for name, stamp in stamps(folder).items()}
            mine = [path for path in self._seen if path.parent.name == kind.name]
            gone = [path for path in mine if is_other or now.get(path) != self._seen[path]]
            for path in gone:
                self._forget(kind, path)
            new = [path for path in now if path not in self._seen]
            for path in new:
                self._take_in(kind, path)
                self._seen[path] = now[path]
            if new or gone:
                # the same whichever way the files came: sums of floats hang on it, in their last digit
                self._con.sql(f"create or replace table {kind.table} as from {kind.table} order by {kind.order}")
                is_changed = True
        return is_changed

    def _take_in(self, kind: Kind, path: Path) -> None:
        try:
            table = read(path, kind.columns, kind.form, f"a file of {kind.name}")
            if reason := refusal(table, OF_ALL):
                raise Untrusted(reason)
        except Untrusted as reason:
            values = [kind.name, path.name, str(reason)]
            self._con.sql("insert into raw_damaged_judgments values ($1, $2, $3)", params=values)
            return
        contributor = self._owners.contributor(*origin(table))
        for name, value in (("file", path.name), ("contributor", contributor)):
            table = table.append_column(name, pa.array([value] * len(table), pa.string()))
        self._con.register("incoming", table)
        self._con.sql(f"insert into {kind.table} by name select * from incoming")  # noqa: S608
        self._con.unregister("incoming")

    def _forget(self, kind: Kind, path: Path) -> None:
        del self._seen[path]
        self._con.sql(f"delete from {kind.table} where file = $file", params={"file": path.name})  # noqa: S608
        gone = {"folder": kind.name, "file": path.name}
        self._con.sql("delete from raw_damaged_judgments where folder = $folder and file = $file", params=gone)

    def _tell_graders(self) -> bool:
        """What there is to grade with now; whether that has changed."""
        now = gradable()
        if now == self._gradable:
            return False
        self._gradable = now
        _tell_graders(self._con, now)
        return True
