"""The whole site as an earlier build made it, for a build of the same folders by the same code: it asks no question.

Of code, words, pages and views the content counts; of results, as everywhere, names, times of change and sizes.
"""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from collector import clock, litter
from collector.schema import CLONE, Results
from site_src.made import Made, Site
from site_src.reuse import identity
from site_src.reuse.store import Store

SOURCES = ("collector", "site_src")
LEFT_OUT = ("__pycache__", "theme")  # which MkDocs reads by itself


def key(results: Results, *settings: str) -> bytes:
    """Of everything that the site's files are made of, but for the time."""
    sources = (path for folder in SOURCES for path in _within(CLONE / folder))
    tables = litter.without((CLONE / "results").glob("*.csv"))  # which stand in for a folder's own
    return identity.digest(
        identity.versions(),
        json.dumps(settings),
        *(part for path in (*sources, *tables) for part in (str(path.relative_to(CLONE)), path.read_bytes())),
        *(f"{path.relative_to(results.root)} {_stamp(path)}" for path in _within(results.root)),
    )


def find(store: Store, key: bytes) -> Site | None:
    """The site that was kept under this key, if all of it is still there."""
    found = store.get(key)
    if not found:
        return None
    kept = json.loads(found)
    until = datetime.fromisoformat(kept["until"]) if kept["until"] else None
    if until and clock.utc_now() >= until:
        return None
    made: dict[str, list[Made]] = {}
    for language, files in kept["files"].items():
        made[language] = []
        for path, name, is_text in files:
            content = store.get(bytes.fromhex(name))
            if content is None:
                return None
            made[language].append(Made(path, content.decode("utf-8", "surrogatepass") if is_text else content))
    return Site(made, kept["day"], kept["told"], until)


def keep(store: Store, key: bytes, site: Site) -> None:
    """Let later builds find it."""
    files: dict[str, list[tuple[str, str, bool]]] = {}
    for language, made in site.made.items():
        files[language] = []
        for one in made:
            is_text = isinstance(one.content, str)
            content = one.content.encode("utf-8", "surrogatepass") if isinstance(one.content, str) else one.content
            name = identity.digest("content", content)
            store.put(name, content)
            store.commit_much()
            files[language].append((one.path, name.hex(), is_text))
    until = site.until.isoformat() if site.until else None
    store.put(key, json.dumps({"until": until, "day": site.day, "told": site.told, "files": files}).encode())
    store.commit()


def _within(folder: Path) -> Iterator[Path]:
    """The files below a folder, in order; not what systems leave there, nor what is in hidden folders."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in LEFT_OUT)
        yield from litter.without(Path(place, name) for name in sorted(names))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:  # a link that leads nowhere
        return 0, 0
    return status.st_mtime_ns, status.st_size
