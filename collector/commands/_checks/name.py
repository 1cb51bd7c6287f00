"""A run file's name is what its content gives, so that it is found, and neither a path nor a command."""

from collections.abc import Iterator

from collector import store
from collector.commands._checks import File, Found

HAPPENED = "Its name is not the one that its content gives:"
REMEDY = "Give it that name."


def find(file: File) -> Iterator[Found]:
    """The name that it should have."""
    if file.kind != "runs":
        return
    first = file.rows[0]
    if first.get("run_id") and first.get("run_started_at") and file.path.name != store.file_name(first):
        yield Found(store.file_name(first))
