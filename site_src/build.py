"""Makes the site's files: pages, data to download, assets. Knows no site builder; `hooks.py` feeds MkDocs with it."""

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path, PurePosixPath

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from collector import litter
from site_src import downloads, publishing
from site_src.blocks import ON_PAGES, Blocks
from site_src.place import Place
from site_src.warehouse import Warehouse
from site_src.words import LANGUAGES, Words, read

HERE = Path(__file__).parent
PAGES = HERE / "pages"
ASSETS = HERE / "assets"
ADDRESS = "http://127.0.0.1:8000/"  # as in mkdocs.yml


class PageFailed(Exception):
    """A page that cannot be made: which one, and what is wrong with it."""


@dataclass(frozen=True)
class Made:
    """One file of the site: its path within it, and what stands there."""

    path: str
    content: bytes | str


def make(
    warehouse: Warehouse, language: str = LANGUAGES[0], directory_urls: bool = True, address: str | None = None
) -> Iterator[Made]:
    """Every page in that language; in the first one also the files that all languages share. Raises PageFailed.

    `address` is where the site will be: whoever reads the feed is elsewhere.
    """
    words = read(language)
    site = f"{(address or ADDRESS).rstrip('/')}/"
    used: set[str] = set()
    for path in sorted(litter.without(PAGES.rglob("*.md")), key=lambda path: (path.parent, path.stem != "index", path)):
        for name, only in _pages_of(warehouse, path.relative_to(PAGES).as_posix()):
            place = Place(name, "" if words.is_english else f"{language}/", directory_urls, site)
            text = page(warehouse, path.relative_to(PAGES).as_posix(), used, place, words, only)
            yield Made(name, publishing.described(text))
    if words.is_english:
        yield from _shared(warehouse, used)
        for name, text in publishing.files(warehouse, words, site, directory_urls):
            yield Made(name, text)


def page(
    warehouse: Warehouse,
    name: str,
    used: set[str],
    place: Place | None = None,
    words: Words | None = None,
    only: tuple[str, str] | None = None,
) -> str:
    """One page's Markdown with its blocks filled in, by default in English. Raises PageFailed."""
    words = words or read(LANGUAGES[0])
    blocks = Blocks(warehouse, place or Place(name), used, words, only)
    offered = {block: getattr(blocks, block) for block in ON_PAGES}
    try:
        if only:
            offered["here"] = blocks.one(name.split("/")[0])
        translated = PAGES / name if words.is_english else words.pages / name
        text = (translated if translated.exists() else PAGES / name).read_text(encoding="utf-8")
        if not translated.exists():
            text = re.sub("^# ", f"{_untranslated(words)}# ", text, count=1, flags=re.MULTILINE)
        title, end, rest = _compiled(text).render(offered).partition("\n\n")
        return f"{title}{blocks.contributed()}{end}{rest}"
    except Exception as error:  # whatever it is, the page is what its author can mend
        raise PageFailed(f"page {name}: {type(error).__name__}: {error}") from error


@functools.lru_cache(maxsize=200)
def _compiled(text: str) -> jinja2.Template:
    """A page's template, which pages of rows share."""
    environment = SandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=True, keep_trailing_newline=True)
    return environment.from_string(text)


def _pages_of(warehouse: Warehouse, name: str) -> Iterator[tuple[str, tuple[str, str] | None]]:
    """`VIEW/[COLUMN].md` is a page for each row of that view, named by that column; any other is itself."""
    path = PurePosixPath(name)
    if not path.stem.startswith("["):
        yield name, None
        return
    view, column = path.parent.name, path.stem.strip("[]")
    for row in warehouse.rows(f"from {view}"):  # our own file's name
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", row[column]):
            raise PageFailed(f"page {name}: {row[column]!r} cannot be a page's name")
        yield (path.parent / f"{row[column]}.md").as_posix(), (column, row[column])


def _shared(warehouse: Warehouse, used: set[str]) -> Iterator[Made]:
    for path, content in downloads.files(warehouse, used):
        yield Made(path, content)
    machines = [row["machine"] for row in warehouse.rows("from machines")]
    yield Made("assets/machines.js", f"window.machines = {json.dumps(machines)};\n")
    for asset in litter.without(path for path in ASSETS.rglob("*") if path.is_file()):
        yield Made(f"assets/{asset.relative_to(ASSETS).as_posix()}", asset.read_bytes())


def _untranslated(words: Words) -> str:
    return f'<p class="untranslated-page">{escape(words.block("untranslated_page"))}</p>\n\n'


def export(warehouse: Warehouse, folder: Path, language: str = LANGUAGES[0], address: str | None = None) -> int:
    """Write the site's files as plain Markdown for any other builder; how many."""
    count = 0
    for made in make(warehouse, language, address=address):
        target = folder / made.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(made.content if isinstance(made.content, bytes) else made.content.encode())
        count += 1
    return count
