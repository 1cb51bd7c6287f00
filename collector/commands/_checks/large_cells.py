"""No single row holds more than a run of a whole day could put there."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from collector.commands._checks import File, Found

HAPPENED = "A row of it holds more than any operation gives:"
REMEDY = "Leave the file out, or measure again."
MOST_BYTES = 2_000_000  # of a text: 131,072 tokens are well below 1 MB
MOST_ENTRIES = 500_000  # of a list: memory is sampled four times a second


def find(file: File) -> Iterator[Found]:
    """Texts and lists that are too long."""
    for name in file.table.column_names:
        column = file.table[name]
        if pa.types.is_string(column.type):
            lengths, most, unit = pc.binary_length(column), MOST_BYTES, "bytes"
        elif pa.types.is_list(column.type):
            lengths, most, unit = pc.list_value_length(column), MOST_ENTRIES, "entries"
        else:
            continue
        for number, length in enumerate(lengths.to_pylist()):
            if length is not None and length > most:
                yield Found(name, f"{length:,} {unit}, at most {most:,}", number)
