"""The suite that a run names is one of this project, as it is or as it once was."""

from collections.abc import Iterator

from collector.commands._checks import File, Found, _suites

HAPPENED = "Its suite is none that this project has or had, so that nothing can be compared with it:"
REMEDY = "Update this clone and measure again; for a suite of your own, add its file to collector/suites first."


def find(file: File) -> Iterator[Found]:
    """The suite's name and the beginning of its hash; imported runs have no suite."""
    if file.kind != "runs":
        return
    name, digest = (file.rows[0].get(column) for column in ("suite", "suite_sha256"))
    if (name or digest) and _suites.prompts(name or "", digest or "") is None:
        yield Found("suite_sha256", f"{str(digest)[:12]} of suite {name}")
