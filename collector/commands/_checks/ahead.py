"""Nothing was graded, chosen or calibrated at a time that is still to come."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from collector import clock
from collector.commands._checks import File, Found
from site_src.counted_once import SKEW

HAPPENED = "A time in it is still to come by this computer's clock:"
REMEDY = "Set the clock right, this one or that of the computer where it was made, and make it again."
BEGINNING = "run_started_at"  # of which the views tell


def find(file: File) -> Iterator[Found]:
    """Such times, but for the run's own."""
    latest = clock.utc_now() + SKEW
    for field in file.table.schema:
        if not pa.types.is_timestamp(field.type) or field.name == BEGINNING:
            continue
        column = file.table[field.name]
        late = pc.fill_null(pc.greater(column, pa.scalar(latest, field.type)), False)
        for row in pc.indices_nonzero(late).to_pylist():
            yield Found(field.name, column[row].as_py(), row)
