"""Which file of results holds more than any run does, whatever it says of itself: views, pages and memory pay for it.

The limits stand in `collector/capacity.py`. Those on bytes hold before anything is unpacked; those on what stands in
the rows are rules of form.
"""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from collector import capacity
from site_src.leaves import leaves
from site_src.parquet_parts import Part

OWN = (  # columns that may well say something else in each row
    *("nonce", "needles.name", "needles.number", "voter", *capacity.WRITTEN, *capacity.DESCRIBING),
    *("run_id", "other_run_id", "a_run_id", "b_run_id", "vote_id"),
    *("text_sha256", "other_sha256", "a_sha256", "b_sha256"),
)


def beyond_when_unpacked(rows: int, parts: list[Part]) -> str | None:
    """Why a file is not even unpacked."""
    if rows > capacity.ROWS:
        return f"it has {rows:,} rows, more than {capacity.ROWS:,}"
    for part in parts:
        most = _most_values(part.column)
        if part.value_count > most:
            return f"its column {part.column} has {part.value_count:,} values, more than {most:,}"
    size = sum(part.size for part in parts)
    if size > capacity.UNPACKED_BYTES:
        return f"it unpacks to {size / 1e6:,.0f} MB, more than {capacity.UNPACKED_BYTES / 1e6:,.0f} MB"
    return None


def _most_values(column: str) -> int:
    """An empty list, or none, counts as a value too."""
    top, _, within = column.partition(".")
    return capacity.ROWS + (capacity.LISTED.get(top, capacity.LISTED_ELSE) if within else 0)


def too_long(table: pa.Table) -> Iterator[tuple[str, str, int | None]]:
    """Texts, or all of a column, longer than any that is measured or names a thing: column, how long, and the row."""
    for leaf in leaves(table):
        name, values = leaf.name, leaf.values
        if not pa.types.is_string(leaf.type) or leaf.is_void or _is_short(values, name):
            continue
        lengths, unit = pc.binary_length(values), "bytes"
        total = pc.sum(lengths).as_py()
        if name not in capacity.WRITTEN:
            # few have a letter of several bytes in a text that long
            longest = pc.max(lengths).as_py() > capacity.longest(name)
            lengths, unit = pc.utf8_length(values) if longest else lengths, "characters"
        yield from _above(name, lengths, leaf.rows, capacity.longest(name), unit)
        if total > capacity.together(name):
            yield name, f"{total:,} bytes in all rows, at most {capacity.together(name):,}", None


def _is_short(values: pa.Array, name: str) -> bool:
    """Whether neither one of the texts nor all of them together have more bytes than letters are allowed."""
    ends = memoryview(values.buffers()[1]).cast("i")
    total = ends[values.offset + len(values)] - ends[values.offset]
    if total > capacity.together(name):
        return False
    return bool(total <= capacity.longest(name) or pc.max(pc.binary_length(values)).as_py() <= capacity.longest(name))


def _above(name: str, found: pa.Array, rows: pa.Array, most: int, unit: str) -> Iterator[tuple[str, str, int]]:
    wrong = pc.fill_null(pc.greater(found, most), False)
    if pc.any(wrong).as_py():
        for length, row in zip(found.filter(wrong).to_pylist(), rows.filter(wrong).to_pylist(), strict=True):
            yield name, f"{length:,} {unit}, at most {most:,}", row


def too_many(table: pa.Table) -> Iterator[tuple[str, str, int | None]]:
    """Lists too long for one operation, and columns of more different names than there are things to name."""
    for name, most in capacity.AT_ONCE.items():
        if name in table.column_names:
            lists = table[name].combine_chunks()
            yield from _above(name, pc.list_value_length(lists), pa.array(range(len(lists))), most, "entries")
    for leaf in leaves(table):
        if not pa.types.is_string(leaf.type) or len(leaf.values) <= capacity.DISTINCT or leaf.name in OWN:
            continue
        count = pc.count_distinct(leaf.values).as_py()
        if count > capacity.DISTINCT:
            yield leaf.name, f"{count:,} names, at most {capacity.DISTINCT:,}", None
