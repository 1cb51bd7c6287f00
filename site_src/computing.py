"""Views computed into tables, two at a time: DuckDB plans one on a single core, which takes longer than its rows do."""

from collections.abc import Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import duckdb

from site_src import intake
from site_src.layers import View

AT_ONCE = 2
FEW = 8  # views, for which threads are not worth their beginning


def compute(con: duckdb.DuckDBPyConnection, views: Mapping[str, View], wide: Collection[str]) -> None:
    """Compute these views, each after those of them that it reads; `wide` ones stay views. The order changes no row."""
    if len(views) < FEW:
        for view in views.values():
            _compute(con, view, wide)
        return
    left = dict(views)
    free = [_cursor(con) for _ in range(AT_ONCE)]
    at_work: dict[Future[None], tuple[str, duckdb.DuckDBPyConnection]] = {}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        while left or at_work:
            missing = left.keys() | {name for name, _ in at_work.values()}
            for name in [name for name, view in left.items() if not view.reads & missing][: len(free)]:
                cursor = free.pop()
                at_work[threads.submit(_compute, cursor, left.pop(name), wide)] = name, cursor
            done, _ = wait(at_work, return_when=FIRST_COMPLETED)
            for one in done:
                free.append(at_work.pop(one)[1])
                one.result()


def _compute(con: duckdb.DuckDBPyConnection, view: View, wide: Collection[str]) -> None:
    con.execute(view.body if view.name in wide else view.as_table())  # `sql` would plan it twice


def _cursor(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    cursor = con.cursor()
    cursor.execute(f"use {intake.name_of(con)}")
    return cursor
