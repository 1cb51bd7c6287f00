"""Of the run files that can be read, those that count: none from the future, and each run once.

A run that is there twice would make intervals narrower than anything measured, and one of the year 2099 would be the
newest for ever. What is set aside stands in `raw_set_aside`, and in no table that views count.
"""

from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from collector import clock
from site_src import intake

# By which the clocks of two computers, or what they hold for UTC, may differ: beyond it a new file is refused.
SKEW = timedelta(days=1)
# No clock that anybody looks at is that wrong: beyond it no file counts, whoever added it.
AMISS = timedelta(days=62)
COLUMNS = (
    *("file VARCHAR", "run_id VARCHAR", "run_started_at TIMESTAMP", "why VARCHAR"),
    *("first VARCHAR", "first_id VARCHAR"),
)
FOUND = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


def make_table(con: duckdb.DuckDBPyConnection) -> None:
    """`raw_set_aside`, and `raw_ahead` of the files that began later than now, both empty."""
    con.sql(f"create table raw_set_aside ({', '.join(COLUMNS)})")
    con.sql("create table raw_ahead (file VARCHAR, run_started_at TIMESTAMP)")


def latest() -> datetime:
    """The latest beginning that a run which counts can have, UTC."""
    return clock.utc_now() + AMISS


def files(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Those set aside."""
    return [file for (file,) in con.execute("select file from raw_set_aside order by file").fetchall()]


def is_due(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the time of a run has come that was from the future."""
    asked = "from raw_set_aside where why = 'ahead' and run_started_at <= $latest limit 1"
    return bool(con.execute(asked, {"latest": latest()}).fetchall())


def until(con: duckdb.DuckDBPyConnection) -> datetime | None:
    """When the next run counts, or is no longer told to be from the future, if nothing changes but the time."""
    due = (
        "select min(due) from (select run_started_at - $amiss as due from raw_set_aside where why = 'ahead' "
        "union all select run_started_at - $skew from raw_ahead)"
    )
    at: datetime | None
    [(at,)] = con.sql(due, params={"amiss": AMISS, "skew": SKEW}).fetchall()
    return at


def set_aside(con: duckdb.DuckDBPyConnection) -> None:
    """Take out of the tables what does not count of the files that they hold."""
    con.execute("truncate raw_ahead")
    ahead = "select distinct file, run_started_at from raw_facts where run_started_at > $soon"
    con.execute(f"insert into raw_ahead {ahead}", {"soon": clock.utc_now() + SKEW})
    con.execute("truncate raw_set_aside")
    con.execute(f"insert into raw_set_aside {FOUND}", {"latest": latest()})
    for table in intake.TABLES if files(con) else ():
        con.execute(f"delete from {table} where file in (select file from raw_set_aside)")  # noqa: S608
