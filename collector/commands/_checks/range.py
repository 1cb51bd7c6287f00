"""Numbers that can be: none negative but for those that may be, no NaN and no infinity, times of this age."""

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from collector.commands._checks import FETCH, File, Found
from collector.commands._checks._leaves import leaves

HAPPENED = "It holds a number that cannot be:"
REMEDY = FETCH
ANY = ("seed",)
SIGNED = ("client_bias_percent", "client_event_delay_us", "environment.number")
SHARES = ("top_p", "needles.depth", "share")
MOST = 2**56  # two years in ns, and more bytes or weights than any machine has; their sums fit, too
BEGINNING, END = datetime(2020, 1, 1), datetime(2100, 1, 1)


def find(file: File) -> Iterator[Found]:
    """Values outside of what their column can hold."""
    for name, values, rows in leaves(file.table):
        if pa.types.is_timestamp(values.type):
            wrong = _outside(values, pa.scalar(BEGINNING, values.type), pa.scalar(END, values.type))
            values = values.cast(pa.int64())  # far away there are no dates
        elif name not in ANY and (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
            least, most = -MOST if name in SIGNED else 0, 1 if name in SHARES else MOST
            kind, make = (pa.float64(), float) if pa.types.is_floating(values.type) else (pa.int64(), int)
            wrong = _outside(values, pa.scalar(make(least), kind), pa.scalar(make(most), kind))
        else:
            continue
        found = zip(values.filter(wrong).to_pylist(), rows.filter(wrong).to_pylist(), strict=True)
        yield from (Found(name, value, row) for value, row in found)


def _outside(values: pa.Array, least: pa.Scalar, most: pa.Scalar) -> pa.Array:
    """NaN is within nothing."""
    within = pc.and_(pc.greater_equal(values, least), pc.less_equal(values, most))
    return pc.invert(within)
