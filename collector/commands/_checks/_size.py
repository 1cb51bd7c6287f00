"""Whether a file may be read at all: by its own summary, before anything in it is unpacked."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from site_src.leaves import leaves
from site_src.parquet_parts import Part, parts
from site_src.review import Fault

LARGEST_MB = 5  # a run of a whole day with every token's time in it is below 1 MB
LARGEST_UNPACKED_MB = 500
MOST_ROWS = 100_000
MOST_VALUES = 200_000  # of one column
MOST_LISTED = 2_000_000  # chunks, or samples of memory: a whole day has 345,600
LISTS = ("chunks.", "memory.")
WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "FLOAT": 4, "DOUBLE": 8}  # bytes; of others the pages tell
IN_FULL = {"PLAIN", "RLE", "BIT_PACKED", "DELTA_LENGTH_BYTE_ARRAY"}  # encodings that hold each text in full
BY_NUMBER = {*IN_FULL, "PLAIN_DICTIONARY", "RLE_DICTIONARY"}
LEAVE = "Leave it out: no run is that large."


def too_large(path: Path) -> Fault | None:
    """What is too much about it; None too where its summary cannot be read, which whoever reads it will say."""
    size = path.stat().st_size / 10**6
    if size > LARGEST_MB:
        return Fault(f"It is {size:.1f} MB, more than {LARGEST_MB} MB.", LEAVE)
    try:
        rows = pq.ParquetFile(path).metadata.num_rows
        if rows > MOST_ROWS:
            return Fault(f"It would unpack to {rows:,} rows, more than {MOST_ROWS:,}.", LEAVE)
        there = parts(path)
        for part in there:
            most = MOST_LISTED if part.column.startswith(LISTS) else MOST_VALUES
            if part.value_count > most:
                happened = f"It would unpack to {part.value_count:,} values of one column, more than {most:,}:"
                return Fault(happened, LEAVE, part.column)
        megabytes = (sum(map(_at_most, there)) + _by_number(path, there)) / 10**6
    except (pa.ArrowException, OSError, ValueError):
        return None
    if megabytes > LARGEST_UNPACKED_MB:
        return Fault(f"It would unpack to {megabytes:,.0f} MB, more than {LARGEST_UNPACKED_MB} MB.", LEAVE)
    return None


def _at_most(part: Part) -> int:
    """Bytes that it can become, but for texts that stand there by number."""
    if width := WIDTHS.get(part.physical_type):
        return width * part.value_count
    # Of texts that share their beginnings each may be as long as all together.
    return part.size if part.encodings <= BY_NUMBER else part.size * part.value_count


def _by_number(path: Path, there: list[Part]) -> int:
    """Bytes of texts that stand once in a dictionary and then by number: a long one may be meant a million times."""
    texts = [part for part in there if part.physical_type not in WIDTHS and part.encodings <= BY_NUMBER]
    named = [part for part in texts if not part.encodings <= IN_FULL]
    if sum(part.size * part.value_count for part in named) <= LARGEST_UNPACKED_MB * 10**6:
        return 0
    if sum(part.size for part in named) > LARGEST_UNPACKED_MB * 10**6:
        return 0  # too large as it is
    columns = sorted({part.column for part in named})
    table = pq.ParquetFile(path, read_dictionary=columns).read(columns=columns)
    size = 0
    for _, values, _ in leaves(table):
        if pa.types.is_dictionary(values.type):
            size += pc.sum(pc.binary_length(values.dictionary).take(values.indices)).as_py() or 0
    return size
