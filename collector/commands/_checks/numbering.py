"""Each operation of a run has a number of its own."""

from collections.abc import Iterator

from collector.commands._checks import FETCH, File, Found

HAPPENED = "Its rows are not numbered, each once, by op_index:"
REMEDY = FETCH


def find(file: File) -> Iterator[Found]:
    """Rows without a number, or with another row's."""
    seen = set()
    for number, row in enumerate(file.rows if file.kind == "runs" else []):
        place = row.get("op_index")
        if place is None or place in seen:
            yield Found("op_index", "none" if place is None else place, number)
        seen.add(place)
