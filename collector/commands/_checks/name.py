"""A run file's name is what its content gives, so that it is found, and neither a path nor a command."""

from collections.abc import Iterator

from collector import store
from collector.commands._checks import File, Found

HAPPENED = "Its name is not the one that its content gives:"
REMEDY = "Give it that name; if it says neither its run nor when that began, measure again."


def find(file: File) -> Iterator[Found]:
    """The name that it should have."""
    if file.kind != "runs":
        return
    first = file.rows[0]
    if missing := [name for name in ("run_id", "run_started_at") if not first.get(name)]:
        yield from (Found(name, "none") for name in missing)
    elif file.path.name != store.file_name(first):
        yield Found(store.file_name(first))
