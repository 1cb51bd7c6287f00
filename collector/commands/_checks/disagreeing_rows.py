"""Columns about the run say the same in each row."""

from collections.abc import Iterator

from collector.commands._checks import FETCH, File, Found
from collector.schema import RUN

HAPPENED = "Its rows disagree about the run:"
REMEDY = FETCH


def find(file: File) -> Iterator[Found]:
    """Columns of scope run with several values."""
    if file.kind != "runs":
        return
    first = file.rows[0]
    for column in RUN:
        for number, row in enumerate(file.rows):
            if row.get(column.name) != first.get(column.name):
                yield Found(column.name, row.get(column.name), number)
                break
