"""The database that a Warehouse begins with: tables without rows, the clone's hand-kept ones, and views in no layer.

It is made once in a process and copied for each Warehouse: to make it takes 70 ms of CPU, to copy it 6.
"""

import functools
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import duckdb
import pyarrow as pa

from collector.judgments import Gradable
from collector.schema import CLONE, TableInvalid
from site_src import counted_once, intake, judged, tables, whose
from site_src.layers import KEPT, View

COMPUTER = {"chip": "VARCHAR", "cpu_cores": "INTEGER", "gpu_cores": "INTEGER", "memory_bytes": "BIGINT"}  # as in a run
STRENGTHS = {
    **dict.fromkeys(("build_id", "component_id"), "VARCHAR"),
    **dict.fromkeys(("strength", "strength_low", "strength_high"), "DOUBLE"),
    "vote_group_count": "INTEGER",
}
TABLES = {
    "raw_strengths": STRENGTHS,
    "raw_here": COMPUTER,
    "raw_asked": {"a_id": "VARCHAR", "b_id": "VARCHAR"},
}


class Blank(NamedTuple):
    """A database, and what stands in it: hand-kept tables by name, and what there is to grade with."""

    con: duckdb.DuckDBPyConnection
    hand_kept: dict[str, pa.Table]
    gradable: Gradable


def database(views: Sequence[View]) -> Blank:
    """A database of its own. `views` are those that are kept, with all they are made of."""
    made = _made(tuple(views))
    con = intake.connect()
    con.execute(f"copy from database {intake.name_of(made.con)} to {intake.name_of(con)}")
    return made._replace(con=con)


@functools.lru_cache(maxsize=1)  # until a view is edited
def _made(views: tuple[View, ...]) -> Blank:
    con = intake.connect()
    intake.workshop().copy_foundation(con)
    intake.make_tables(con)
    gradable = judged.make_tables(con)
    whose.make_table(con)
    counted_once.make_table(con)
    for name, columns in TABLES.items():
        con.execute(f"create table {name} ({', '.join(f'{column} {kind}' for column, kind in columns.items())})")
    for view in views:
        if view.name in KEPT:
            con.execute(view.said_of_table)
    hand_kept = {}
    for name in tables.TABLES:
        with suppress(TableInvalid):  # whoever has none of their own will be told of it
            hand_kept[name] = tables.read(CLONE / "results" / name)
    tables.put(con, hand_kept)
    return Blank(con, hand_kept, gradable)
