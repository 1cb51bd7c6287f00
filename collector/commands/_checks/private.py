"""What must not be published, in any text but those that models wrote."""

from collections.abc import Iterator

from collector import privacy
from collector.commands._checks import File, Found

HAPPENED = "It holds what must not be published:"
REMEDY = "Measure again with the newest collector, which removes it, and do not push this file."


def find(file: File) -> Iterator[Found]:
    """Home folders, names, tokens, addresses and serial numbers; each once for a column."""
    seen = set()
    for number, row in enumerate(file.rows):
        kept = {name: value for name, value in row.items() if name not in privacy.WRITTEN}
        for column, text in privacy.traces(kept, file.names):
            if (column, text) not in seen:
                seen.add((column, text))
                yield Found(column, text, number)
