"""Makes the site's files: pages, data to download, assets. Knows no site builder; `hooks.py` feeds MkDocs with it."""

import functools
import json
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path, PurePosixPath

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from collector import litter
from site_src import downloads, progress, publishing
from site_src.blocks import ON_PAGES, Blocks
from site_src.made import Made as Made
from site_src.made import PageFailed as PageFailed
from site_src.made import Site
from site_src.place import Place
from site_src.reuse.answers import Answers
from site_src.reuse.maker import Maker
from site_src.warehouse import Warehouse
from site_src.words import LANGUAGES, Words, read

HERE = Path(__file__).parent
PAGES = HERE / "pages"
ASSETS = HERE / "assets"
UNCLAIMED = "The results folder has no keys.toml: all that lies there counts as its owner's."
SKIPPED = "from damaged_files"
DAY = "select strftime(coalesce(latest_run_at, '1970-01-01'), '%Y-%m-%d') from data_overview"
MACHINES = "select machine from machines"
ADDRESS = "http://127.0.0.1:8000/"  # as in mkdocs.yml


def in_languages(
    maker: Maker, languages: Sequence[str] = LANGUAGES, directory_urls: bool = True, address: str | None = None
) -> dict[str, list[Made]]:
    """Every page in each language, made while pictures are drawn; with the first one's the files that all share.

    `address` is where the site will be: whoever reads the feed is elsewhere. Raises PageFailed.
    """
    site, used = f"{(address or ADDRESS).rstrip('/')}/", set[str]()
    pages = list(_pages(maker.answers))
    asked = [(words, *page) for words in map(read, languages) for page in pages]
    begun: dict[str, list[tuple[str, str]]] = {language: [] for language in languages}
    for number, (words, source, name, only) in enumerate(asked, start=1):
        place = Place(name, "" if words.is_english else f"{words.language}/", directory_urls, site)
        begun[words.language].append((name, _page(maker, source, used, place, words, only)))
        progress.step("Pages made:", number, len(asked))
    maker.answers.forget()
    shared = list(_shared(maker, used, site, directory_urls)) if LANGUAGES[0] in languages else []
    made: dict[str, list[Made]] = {language: [] for language in languages}
    for language, waiting in begun.items():
        while waiting:  # each held once: of ten thousand runs they are a hundred MB
            made[language].append(_finished(maker, waiting.pop(0)))
    if not maker.drawings.is_late:
        maker.finish()
    if shared:
        made[LANGUAGES[0]] += shared
    return made


def site(warehouse: Warehouse, maker: Maker, directory_urls: bool, address: str) -> Site:
    """The whole site of these results, in all languages. Raises PageFailed."""
    made = in_languages(maker, LANGUAGES, directory_urls, address)
    told = [] if warehouse.is_claimed else [UNCLAIMED]
    told += ["results/{folder}/{file} is skipped: {reason}".format(**row) for row in warehouse.rows(SKIPPED)]
    return Site(made, str(maker.answers.column(DAY)[0]), told, warehouse.until)


def _pages(answers: Answers) -> Iterator[tuple[str, str, tuple[str, str] | None]]:
    """Each page's source, its path, and of which row it is."""
    for path in sorted(litter.without(PAGES.rglob("*.md")), key=lambda path: (path.parent, path.stem != "index", path)):
        source = path.relative_to(PAGES).as_posix()
        for name, only in _pages_of(answers, source):
            yield source, name, only


def _finished(maker: Maker, page: tuple[str, str]) -> Made:
    name, text = page
    pictures = maker.drawings
    try:
        return Made(name, publishing.described(pictures.later(text) if pictures.is_late else pictures.filled(text)))
    except Exception as error:
        raise PageFailed(f"page {name}: {type(error).__name__}: {error}") from error


def page(
    warehouse: Warehouse,
    name: str,
    used: set[str],
    place: Place | None = None,
    words: Words | None = None,
    only: tuple[str, str] | None = None,
) -> str:
    """One page's Markdown with its blocks filled in, by default in English. Raises PageFailed."""
    return _page(Maker(warehouse), name, used, place or Place(name), words or read(LANGUAGES[0]), only)


def _page(
    maker: Maker, name: str, used: set[str], place: Place, words: Words, only: tuple[str, str] | None = None
) -> str:
    blocks = Blocks(maker, place, used, words, only)
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


def _pages_of(answers: Answers, name: str) -> Iterator[tuple[str, tuple[str, str] | None]]:
    """`VIEW/[COLUMN].md` is a page for each row of that view, named by that column; any other is itself."""
    path = PurePosixPath(name)
    if not path.stem.startswith("["):
        yield name, None
        return
    view, column = path.parent.name, path.stem.strip("[]")
    for value in answers.part(view)[column].to_pylist():  # our own file's name
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", value):
            raise PageFailed(f"page {name}: {value!r} cannot be a page's name")
        yield (path.parent / f"{value}.md").as_posix(), (column, value)


def _shared(maker: Maker, used: set[str], site: str, directory_urls: bool) -> Iterator[Made]:
    """The files beside the pages."""
    for path, content in downloads.files(maker, used):
        yield Made(path, content)
    yield Made("assets/machines.js", f"window.machines = {json.dumps(maker.answers.column(MACHINES))};\n")
    for asset in litter.without(path for path in ASSETS.rglob("*") if path.is_file()):
        yield Made(f"assets/{asset.relative_to(ASSETS).as_posix()}", asset.read_bytes())
    for path, text in publishing.files(maker.answers, read(LANGUAGES[0]), site, directory_urls):
        yield Made(path, text)


def _untranslated(words: Words) -> str:
    return f'<p class="untranslated-page">{escape(words.block("untranslated_page"))}</p>\n\n'


def export(maker: Maker, folder: Path, language: str = LANGUAGES[0], address: str | None = None) -> int:
    """Write the site's files as plain Markdown for any other builder; how many."""
    count = 0
    for made in in_languages(maker, [language], address=address)[language]:
        target = folder / made.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(made.content if isinstance(made.content, bytes) else made.content.encode())
        count += 1
    return count
