"""DuckDB as the site uses it."""

import duckdb


def connect(**more: str) -> duckdb.DuckDBPyConnection:
    """A database in memory; `more` are further settings."""
    # One thread: several add floats up in varying order, and two builds of the same runs differ in a last digit.
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "threads": 1,
        **more,
    }
    return duckdb.connect(":memory:", config=config)
