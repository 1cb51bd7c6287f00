"""Numbers that can be: none negative but for those that may be, shares up to 1, times of this age.

What is no number, or larger than anything measured, no reader takes in the first place (`site_src/run_file.py`).
"""

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from collector.commands._checks import FETCH, File, Found
from site_src.leaves import leaves

HAPPENED = "It holds a number that cannot be:"
REMEDY = FETCH
ANY = ("seed", "client_bias_percent", "client_event_delay_us", "environment.number")
SHARES = ("top_p", "needles.depth", "share")
BEGINNING, END = datetime(2020, 1, 1), datetime(2100, 1, 1)


def find(file: File) -> Iterator[Found]:
    """Values outside of what their column can hold."""
    for name, values, rows in leaves(file.table):
        if pa.types.is_timestamp(values.type):
            early, late = (pa.scalar(moment, values.type) for moment in (BEGINNING, END))
            wrong = pc.or_(pc.less(values, early), pc.greater(values, late))
            values = values.cast(pa.int64())  # far away there are no dates
        elif name not in ANY and (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
            wrong = pc.less(values, 0)
            if name in SHARES:
                wrong = pc.or_(wrong, pc.greater(values, 1))
        else:
            continue
        found = zip(values.filter(wrong).to_pylist(), rows.filter(wrong).to_pylist(), strict=True)
        yield from (Found(name, value, row) for value, row in found)
