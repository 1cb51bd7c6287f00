"""What stands in a table's columns, and in the lists and structs in them."""

import weakref
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


class Leaf:
    """The plain values of one column, or of one field within its lists and structs.

    `name` is such as memory.at_ns. What is asked of a leaf by several checks is found once.
    """

    def __init__(self, name: str, values: pa.Array, rows: "Callable[[], pa.Array]") -> None:
        self.name = name
        self.values = values
        self._rows = rows

    @cached_property
    def rows(self) -> pa.Array:
        """The row of each value."""
        return self._rows()

    @cached_property
    def is_void(self) -> bool:
        """Whether nothing is known here."""
        return bool(self.values.null_count == len(self.values))

    @cached_property
    def type(self) -> pa.DataType:
        """The values' own."""
        return self.values.type

    @cached_property
    def is_number(self) -> bool:
        """Whether values can be less than others."""
        return pa.types.is_integer(self.type) or pa.types.is_floating(self.type) or self.is_time

    @cached_property
    def is_time(self) -> bool:
        """Whether they are points in time."""
        return bool(pa.types.is_timestamp(self.type))

    @cached_property
    def extent(self) -> tuple[Any, Any]:
        """The lowest and the highest number; of times in their own unit. None where there is none."""
        found = pc.min_max(self.values.cast(pa.int64()) if self.is_time else self.values).as_py()
        return found["min"], found["max"]


_known: dict[int, tuple[Leaf, ...]] = {}  # of tables that live


def leaves(table: pa.Table) -> tuple[Leaf, ...]:
    """Every column down to its plain values."""
    if id(table) not in _known:
        rows = pa.array(range(len(table)), pa.int64())
        found: list[Leaf] = []
        for name, column in zip(table.column_names, table.columns, strict=True):
            array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
            found += _within(name, array, lambda: rows)
        _keep(table, tuple(found))
    return _known[id(table)]


def same_leaves(table: pa.Table, others: pa.Table) -> None:
    """Let a table whose columns are some of another's, in any order, have the leaves of these."""
    by_column: dict[str, list[Leaf]] = {}
    for leaf in leaves(others):
        by_column.setdefault(leaf.name.partition(".")[0], []).append(leaf)
    _keep(table, tuple(leaf for name in table.column_names for leaf in by_column.get(name, ())))


def _keep(table: pa.Table, found: tuple[Leaf, ...]) -> None:
    _known[id(table)] = found
    weakref.finalize(table, _known.pop, id(table), None).atexit = False


def _within(name: str, values: pa.Array, rows: "Callable[[], pa.Array]") -> Iterator[Leaf]:
    if pa.types.is_list(values.type):
        yield from _within(name, pc.list_flatten(values), lambda: rows().take(pc.list_parent_indices(values)))
    elif pa.types.is_struct(values.type):
        for field in values.type:
            yield from _within(f"{name}.{field.name}", pc.struct_field(values, field.name), rows)
    else:
        yield Leaf(name, values, rows)
