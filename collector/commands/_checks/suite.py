"""The suite that a run names is one of this project, as it is or as it once was."""

import csv
import functools
from collections.abc import Iterator

from collector import context, suite
from collector.commands._checks import File, Found

HAPPENED = "Its suite is none that this project has or had, so that nothing can be compared with it:"
REMEDY = "Update this clone and measure again; for a suite of your own, add its file to collector/suites first."


def find(file: File) -> Iterator[Found]:
    """The suite's name and the beginning of its hash; imported runs have no suite."""
    if file.kind != "runs":
        return
    name, digest = (file.rows[0].get(column) for column in ("suite", "suite_sha256"))
    if (name or digest) and digest not in _hashes(name):
        yield Found("suite_sha256", f"{str(digest)[:12]} of suite {name}")


@functools.cache
def _hashes(name: str | None) -> set[str]:
    with (suite.FOLDER / "former.csv").open(encoding="utf-8") as file:
        known = {row["suite_sha256"] for row in csv.DictReader(file) if row["suite"] == name}
    if name == context.SUITE.name:
        known.add(context.SUITE.sha256)
    parts = (name or "").split("+")
    if set(parts) <= set(suite.names()) and len(set(parts)) == len(parts):
        known.add(suite.read("+".join(parts)).sha256)
    return known
