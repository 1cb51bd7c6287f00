"""The files of `views/`: layer by layer, each after those it reads."""

import functools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VIEWS = Path(__file__).parent / "views"
# What one run file says by itself, in little: computed when the file is taken in, of all its columns, and kept.
KEPT = ("stg_streams", "stg_early", "stg_texts", "stg_energy", "run_peaks")


@dataclass(frozen=True)
class View:
    """One file of `views/`: its SQL and the names of the views it reads."""

    path: Path
    sql: str
    reads: frozenset[str]

    @functools.cached_property
    def name(self) -> str:
        """The view's, and the file's."""
        return self.path.stem

    @functools.cached_property
    def body(self) -> str:
        """The SQL less what it says of its columns."""
        return self.sql.partition("\ncomment on ")[0]

    @functools.cached_property
    def said(self) -> str:
        """What it says of its columns."""
        return self.sql.removeprefix(self.body)

    @functools.cached_property
    def said_of_table(self) -> str:
        """The same, said of a table of that name."""
        return self.said.replace("\ncomment on view", "\ncomment on table", 1)

    @functools.cached_property
    def is_foundation(self) -> bool:
        """Whether it stands in no layer."""
        return self.path.parent == VIEWS

    def as_table(self) -> str:
        """The body with its rows kept."""
        return self.body.replace("create or replace view", "create or replace table", 1)


def in_layers() -> dict[str, View]:
    """Every view by name. Folders are layers, in order; within one, a view comes after those it reads."""
    return dict(_ordered(tuple(sorted(_files(str(VIEWS))))))


def _files(folder: str) -> Iterator[tuple[str, int, int]]:
    """Each with what changes when it does. Raises OSError: a view that was missed without a word others would miss."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(entry.path)
            elif entry.name.endswith(".sql") and not entry.name.startswith("."):
                status = entry.stat()
                yield entry.path, status.st_mtime_ns, status.st_size


@functools.lru_cache(maxsize=1)  # until one is edited
def _ordered(files: tuple[tuple[str, int, int], ...]) -> dict[str, View]:
    texts = [(path, path.read_text(encoding="utf-8")) for path in sorted(Path(name) for name, *_ in files)]
    names = {path.stem for path, _ in texts}
    views = [View(path, sql, _reads(sql) & names - {path.stem}) for path, sql in texts]
    ordered: dict[str, View] = {}
    for folder in sorted({view.path.parent for view in views}):
        layer = sorted((view for view in views if view.path.parent == folder), key=lambda view: view.name)
        own = {view.name for view in layer}
        while layer:
            ready = [view for view in layer if not view.reads & own - ordered.keys()]
            if not ready:
                raise RuntimeError(f"views read each other in a circle: {', '.join(view.name for view in layer)}")
            ordered |= {view.name: view for view in ready}
            layer = [view for view in layer if view not in ready]
    return ordered


def of_a_file(views: dict[str, View]) -> list[View]:
    """Those that are kept, with all they are made of, in their order."""
    wanted = set(KEPT)
    for name in reversed(views):
        if name in wanted:
            wanted |= views[name].reads
    return [view for view in views.values() if view.name in wanted or view.is_foundation]


def _reads(sql: str) -> frozenset[str]:
    code = re.sub(r"--.*|'(?:[^']|'')*'", "", sql)
    own = re.findall(r"^(\w+) as (?:materialized )?\(", code, re.MULTILINE)  # named queries within the view
    return frozenset(re.findall(r"\b(?:from|join)\s+(\w+)\b", code)) - frozenset(own)
