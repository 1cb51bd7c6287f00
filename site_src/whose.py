"""Which run files are contributed: `raw_contributors` has one row for each, with the contributor's name.

Whose a file is hangs on its origin, which is kept, and on the folder's list of keys, which may change at any time.
"""

import duckdb

from collector.ownership import Owners
from site_src import intake


def make_table(con: duckdb.DuckDBPyConnection) -> None:
    """`raw_contributors`, empty."""
    con.sql("create table raw_contributors (file VARCHAR, contributor VARCHAR)")


def mark(con: duckdb.DuckDBPyConnection, owners: Owners) -> None:
    """Fill it anew from the origins of all files taken in."""
    con.execute(f"truncate {intake.HOME}.raw_contributors")
    for file, *origin in con.execute(f"from {intake.HOME}.raw_origins").fetchall():
        if contributor := owners.contributor(*origin):
            con.execute(f"insert into {intake.HOME}.raw_contributors values ($1, $2)", [file, contributor])  # noqa: S608
