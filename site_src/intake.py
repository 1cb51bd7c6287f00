"""Run files into the tables `raw_operations` and `raw_damaged`, of the database or of one attached to it."""

from pathlib import Path

import duckdb
import pyarrow as pa

from collector.schema import COLUMNS
from site_src.run_file import Untrusted, read_run


def make_tables(con: duckdb.DuckDBPyConnection, place: str = "memory") -> None:
    """Both tables, empty, in the database called `place`."""
    columns = ", ".join(f"{column.name} {column.type}" for column in COLUMNS)
    con.sql(f"create table {place}.raw_operations (file VARCHAR, {columns})")
    con.sql(f"create table {place}.raw_damaged (file VARCHAR, reason VARCHAR)")


def take_in(con: duckdb.DuckDBPyConnection, path: Path, place: str = "memory") -> None:
    """The rows of one file, or its name and why it cannot be trusted."""
    try:
        table = read_run(path)
    except Untrusted as reason:
        values = {"file": path.name, "reason": str(reason)}
        con.sql(f"insert into {place}.raw_damaged values ($file, $reason)", params=values)  # noqa: S608
        return
    con.register("incoming", table.append_column("file", pa.array([path.name] * len(table))))
    con.sql(f"insert into {place}.raw_operations by name select * from incoming")  # noqa: S608
    con.unregister("incoming")


def forget(con: duckdb.DuckDBPyConnection, file: str, place: str = "memory") -> None:
    """Remove what a file of this name brought."""
    for table in ("raw_operations", "raw_damaged"):
        con.sql(f"delete from {place}.{table} where file = $file", params={"file": file})  # noqa: S608
