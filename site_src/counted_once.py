"""Of the run files that can be read, those that count: none from the future, and each run once.

A run that is there twice would make intervals narrower than anything measured, and one of the year 2099 would be the
newest for ever. What is set aside stands in `raw_set_aside`, and in no table that views count.
"""

from datetime import datetime, timedelta

import duckdb

from collector import clock
from site_src import intake

SKEW = timedelta(days=1)  # by which the clocks of two computers, or what they hold for UTC, may differ
AHEAD, TWIN, COPY = "ahead", "twin", "copy"
COLUMNS = (
    *("file VARCHAR", "run_id VARCHAR", "run_started_at TIMESTAMP", "why VARCHAR"),
    *("first VARCHAR", "first_id VARCHAR"),
)
# Times to the nanosecond happen once: runs that share all of theirs are one run, whatever else they say of themselves.
# Of those the one that began first counts; the others may have been given another beginning.
FOUND = f"""
with
runs as (
    select
        file, any_value(run_id) as run_id, any_value(run_started_at) as run_started_at,
        list(elapsed_ns order by op_index) filter (where elapsed_ns is not null) as times
    from raw_facts
    group by file
),
named as (
    select *, first_value(file) over (partition by run_id order by run_started_at, file) as first
    from runs
    where run_started_at <= $latest
),
timed as (
    select
        file, run_id, run_started_at, first_value(file) over same as first, first_value(run_id) over same as first_id
    from named
    where file = first and times is not null
    window same as (partition by times order by run_started_at, run_id, file)
)
select file, run_id, run_started_at, '{AHEAD}' as why, null as first, null as first_id
from runs where run_started_at > $latest
union all
select file, run_id, run_started_at, '{TWIN}', first, run_id from named where file != first
union all
select file, run_id, run_started_at, '{COPY}', first, first_id from timed where file != first
"""  # noqa: S608


def make_table(con: duckdb.DuckDBPyConnection) -> None:
    """`raw_set_aside`, empty."""
    con.sql(f"create table raw_set_aside ({', '.join(COLUMNS)})")


def latest() -> datetime:
    """The latest beginning that a run can have, UTC."""
    return clock.utc_now() + SKEW


def files(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Those set aside."""
    return [file for (file,) in con.sql("select file from raw_set_aside order by file").fetchall()]


def is_due(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the time of a run has come that was from the future."""
    asked = f"from raw_set_aside where why = '{AHEAD}' and run_started_at <= $latest limit 1"
    return bool(con.sql(asked, params={"latest": latest()}).fetchall())


def set_aside(con: duckdb.DuckDBPyConnection) -> None:
    """Take out of the tables what does not count of the files that they hold."""
    con.sql("truncate raw_set_aside")
    con.sql(f"insert into raw_set_aside {FOUND}", params={"latest": latest()})
    for table in intake.TABLES:
        con.sql(f"delete from {table} where file in (select file from raw_set_aside)")  # noqa: S608
