"""What a Parquet file's own summary says of its parts, before anything in it is unpacked.

Read by DuckDB: over some damaged summaries pyarrow ends the whole process (`ColumnChunkMetaData` throws where nobody
catches), though reading such a file's rows is refused in an orderly way.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from site_src import database

SUMMARY = """
    select path_in_schema, type, greatest(num_values, 0), greatest(total_uncompressed_size, 0), encodings
    from parquet_metadata($path)
"""


@dataclass(frozen=True)
class Part:
    """One column of one row group: `size` is its bytes without compression, as the file says."""

    column: str
    physical_type: str
    value_count: int
    size: int
    encodings: frozenset[str]


def parts(path: Path) -> list[Part]:
    """All parts of a file. Raises ValueError when its summary cannot be read."""
    plain = re.sub(r"[*?\[]", r"[\g<0>]", str(path))  # which would stand for several files
    try:
        found = _con().cursor().execute(SUMMARY, {"path": plain}).fetchall()
    except duckdb.Error:
        raise ValueError("its summary cannot be read") from None
    return [
        Part(column.replace(", ", "."), kind, count or 0, size or 0, frozenset((encodings or "").split(", ")))
        for column, kind, count, size, encodings in found
    ]


@functools.cache
def _con() -> duckdb.DuckDBPyConnection:
    return database.connect()
