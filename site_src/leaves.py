"""What stands in a table's columns, and in the lists and structs in them."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

Leaf = tuple[str, pa.Array, pa.Array]  # name such as memory.at_ns, values, and the row of each


def leaves(table: pa.Table) -> Iterator[Leaf]:
    """Every column down to its plain values."""
    rows = pa.array(range(len(table)), pa.int64())
    for name in table.column_names:
        column = table[name]
        array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        yield from _within(name, array, rows)


def _within(name: str, values: pa.Array, rows: pa.Array) -> Iterator[Leaf]:
    if pa.types.is_list(values.type):
        yield from _within(name, pc.list_flatten(values), rows.take(pc.list_parent_indices(values)))
    elif pa.types.is_struct(values.type):
        for field in values.type:
            yield from _within(f"{name}.{field.name}", pc.struct_field(values, field.name), rows)
    else:
        yield name, values, rows
