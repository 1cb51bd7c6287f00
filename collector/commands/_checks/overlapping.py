"""A run does one thing after the other."""

from collections.abc import Iterator

from collector.commands._checks import File, Found

HAPPENED = "An operation of it begins before the one before it had ended:"
REMEDY = "Take the file again from where it was made; none is ever edited, and a run never does two things at once."


def find(file: File) -> Iterator[Found]:
    """When an operation began that did so too early; one that nobody timed takes no time."""
    if file.kind != "runs":
        return
    ended = 0
    order = sorted(enumerate(file.rows), key=lambda placed: placed[1].get("op_index") or 0)
    for number, row in order:
        began = row.get("started_ns")
        if began is None:
            continue
        if began < ended:
            yield Found("started_ns", f"{began}, before {ended}", number)
        ended = max(ended, began + (row.get("elapsed_ns") or 0))
