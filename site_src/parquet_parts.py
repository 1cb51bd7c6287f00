"""What a Parquet file holds, told by its summary and by each of its pages, before anything in it is unpacked.

The summary is read by DuckDB: over some damaged ones pyarrow ends the whole process (`ColumnChunkMetaData` throws where
nobody catches), though reading such a file's rows is refused in an orderly way. A summary may lie; what a reader
unpacks is what the pages' own headers say, so these are counted.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from site_src import database
from site_src.parquet_pages import pages

SUMMARY = """
    select
        path_in_schema, type, compression, row_group_num_rows, num_values, coalesce(data_page_offset, -1),
        coalesce(dictionary_page_offset, 0), total_compressed_size
    from parquet_metadata($path)
    limit $most
"""
MOST_PARTS = 20_000  # columns times row groups: the collector writes one group
WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}  # bytes of a value
LEVELS = 4  # bytes of a value while it is unpacked: whether it is there, and in which list
OFFSET = 4  # bytes of a text beside its letters
IN_FULL = {0, 3, 4}  # PLAIN, RLE, BIT_PACKED: each value stands there
BY_NUMBER = {2, 8}  # PLAIN_DICTIONARY, RLE_DICTIONARY: its place in a dictionary stands there
PLAIN = {0, 2}  # of a dictionary itself


@dataclass(frozen=True)
class Part:
    """One column of one row group: how many values, and how many bytes these take at most when unpacked."""

    column: str
    value_count: int
    size: int


def parts(path: Path, data: bytes) -> list[Part]:
    """All parts of a file, given its bytes too. Raises ValueError, which says what nothing can be made of."""
    plain = re.sub(r"[*?\[]", r"[\g<0>]", str(path))  # which would stand for several files
    try:
        found = _con().cursor().execute(SUMMARY, {"path": plain, "most": MOST_PARTS + 1}).fetchall()
    except duckdb.Error:
        raise ValueError("its summary cannot be read") from None
    if len(found) > MOST_PARTS:
        raise ValueError(f"it is in more than {MOST_PARTS:,} parts")
    return [_part(data, *row) for row in found]


def _part(
    data: bytes, path: str, kind: str, codec: str, rows: int, told: int, first: int, dictionary: int, size: int
) -> Part:
    column = path.replace(", ", ".")
    if rows == told == 0:  # a reader looks at no page
        return Part(column, 0, 0)
    begin = dictionary if 0 < dictionary < first else first
    there = pages(data, begin, size)
    values = [page for page in there if not page.is_dictionary]
    entries = [page for page in there if page.is_dictionary]
    # A reader stops where the summary's count is reached, and takes whole pages until then.
    if (
        sum(page.value_count for page in values) != told
        or told < rows
        or any(page.value_count > told for page in entries)
    ):
        raise ValueError(f"its summary and its pages disagree about how many values {column} has")
    if any(page.encoding not in PLAIN for page in entries) or len(entries) > 1:
        raise ValueError(f"{column} has a dictionary as no collector writes one")
    if any(page.encoding not in IN_FULL | BY_NUMBER for page in values):
        raise ValueError(f"{column} is encoded as no collector does it")
    unpacked = sum(page.size for page in there) + LEVELS * told
    if width := WIDTHS.get(kind):
        return Part(column, told, unpacked + width * told)
    numbered = sum(page.value_count for page in values if page.encoding in BY_NUMBER)
    longest = max((page.longest(codec) for page in entries), default=0) if numbered else 0
    return Part(column, told, unpacked + OFFSET * told + longest * numbered)


@functools.cache
def _con() -> duckdb.DuckDBPyConnection:
    return database.connect()
