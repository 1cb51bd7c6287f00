"""What a build of the site comes to, before any site builder has it."""

from dataclasses import dataclass
from datetime import datetime


class PageFailed(Exception):
    """A page that cannot be made: which one, and what is wrong with it."""


@dataclass(frozen=True)
class Made:
    """One file of the site: its path within it, and what stands there."""

    path: str
    content: bytes | str


@dataclass(frozen=True)
class Site:
    """The files of each language, those that all share with the first.

    `day` is that of the newest run, `told` what a builder is told of the results; from `until` on, UTC, a run counts
    that does not yet, so that this site is no longer that of these results.
    """

    made: dict[str, list[Made]]
    day: str
    told: list[str]
    until: datetime | None
