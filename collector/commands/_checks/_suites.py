"""The suites that this project has or had, with what each of their prompts is."""

import csv
import functools
from typing import NamedTuple

from collector import context, suite


class Asked(NamedTuple):
    """A prompt as a run names it."""

    sha256: str
    max_tokens: int


@functools.cache
def prompts(name: str, digest: str) -> dict[str, Asked] | None:
    """Prompts by id of the suite of this name and hash; None where there is no such suite, none where it is a ladder.

    `suites/former.csv` has what `suites/NAME.toml` once was.
    """
    if (name, digest) == (context.SUITE.name, context.SUITE.sha256):
        return {}
    parts = name.split("+")
    if set(parts) <= set(suite.names()) and len(set(parts)) == len(parts):
        known = suite.read(name)
        if known.sha256 == digest:
            return {prompt.id: Asked(prompt.sha256, prompt.max_tokens) for prompt in known.prompts}
    return _former().get((name, digest))


@functools.cache
def _former() -> dict[tuple[str, str], dict[str, Asked]]:
    found: dict[tuple[str, str], dict[str, Asked]] = {}
    with (suite.FOLDER / "former.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            its = found.setdefault((row["suite"], row["suite_sha256"]), {})
            its[row["prompt_id"]] = Asked(row["prompt_sha256"], int(row["max_tokens"]))
    return found
