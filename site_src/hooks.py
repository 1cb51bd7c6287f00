"""MkDocs' side of the site: hands it the files that `build.py` makes, and has it watch what they are made of."""

import fcntl
import logging
import os
import threading
import time
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from collector import litter
from collector.errors import CollectorError
from collector.schema import Results
from site_src import progress
from site_src.handed_over import Command, Handed, build_translation
from site_src.made import Made, PageFailed, Site
from site_src.reuse import whole
from site_src.reuse.drawings import Drawings
from site_src.reuse.store import Store
from site_src.second import Second
from site_src.watching import stand_in
from site_src.words import LANGUAGES

if TYPE_CHECKING:
    from site_src.reuse.maker import Maker

log = logging.getLogger("mkdocs.hooks.site")
HERE = Path(__file__).parent

_building: list[int] = []  # the descriptor that locks the runs during a build
_command: list[Command] = ["build"]  # of MkDocs, the one that runs
_day = [""]  # of the newest run
_second: list[Executor] = []  # the process beside this build
_later: list["Maker"] = []  # whose pictures are drawn when the pages stand
_drawing: list[threading.Thread] = []  # and where that is done
_translations: list["Future[list[tuple[str, int, str]]]"] = []  # that it builds


class Raw(File):
    """A file that readers take away as it is: a report in Markdown is no page."""

    def is_documentation_page(self) -> bool:
        """Whatever its name ends in."""
        return False


def on_startup(command: Command, **_: Any) -> None:
    """Remember what MkDocs was called for."""
    _command[:] = [command]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Tell the theme's policy of the inline script that `mkdocs serve` writes into each page afterwards."""
    config.extra["live_reload"] = _command == ["serve"]
    return config


def on_pre_build(config: MkDocsConfig) -> None:
    """Wait while a run is measured here: a build would take the cores that the model needs. A run waits likewise."""
    for drawing in _drawing:  # of the build before, whose pages go now
        _end()
        drawing.join()
    results = Results.find()
    if results.runs.exists():  # a build leaves no folder behind, and where none is nothing is measured
        _wait(results)
    _second.append(Second())


def _wait(results: Results) -> None:
    _hold(results)
    if results.being_measured():
        log.info("A run is being measured; the site is built when it has finished.")
        while results.being_measured():
            _release()
            time.sleep(0.5)
            _hold(results)


def on_post_build(config: MkDocsConfig) -> None:
    """Wait for the other languages, which are built beside, and tell of what was wrong there; then let a run begin."""
    try:
        for translation in _translations:
            for name, level, text in translation.result():
                if level >= logging.ERROR:
                    raise PluginError(text)
                logging.getLogger(name).log(level, text)
    except BrokenExecutor:
        _end()
        raise PluginError("The process that builds the other language was ended. Build once more.") from None
    except PluginError:
        _end()
        raise
    _drawing.clear()
    if _later:
        _drawing.append(threading.Thread(target=_draw_later, args=(_later.pop(), Path(config.site_dir)), daemon=True))
        _drawing[0].start()
    else:
        _end()


def _draw_later(maker: "Maker", folder: Path) -> None:
    """Put pictures into pages that are shown already: scripts have drawn those that somebody looks at.

    A build is over when this is: until then no run begins.
    """
    try:
        maker.drawings.begin()
        for path in litter.without(folder.rglob("*.html")):
            text = path.read_text(encoding="utf-8")
            if not maker.drawings.is_whole(text):
                beside = path.with_name(f".{path.name}")  # so that nobody is served half a page
                beside.write_text(maker.drawings.filled(text), encoding="utf-8")
                beside.replace(path)
        maker.finish()
    except CancelledError:  # nobody looks any more, or at other pages
        pass
    except Exception as error:  # whatever it is, the pages stand, and the next build makes what is missing
        log.error(f"Pictures are missing in pages: {type(error).__name__}: {error}")
    finally:
        maker.close()
        _end()


def on_shutdown(**_: Any) -> None:
    """Draw no more when nobody looks any more."""
    _end()


def on_build_error(error: Exception, **_: Any) -> None:
    """Let a run begin after a failed build, too."""
    _end()


def _end() -> None:
    """What belongs to one build ends with it."""
    _translations.clear()
    while _later:
        _later.pop().close()
    while _second:
        _second.pop().shutdown(cancel_futures=True)
    _release()


def _hold(results: Results) -> None:
    """Keep runs from beginning; where nothing may be written, none can."""
    with suppress(OSError):
        _building.append(results.lock(fcntl.LOCK_SH))


def _release() -> None:
    while _building:
        os.close(_building.pop())


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace the pages by their filled-in form, and add data and assets; have translations built beside."""
    site = _site(config)
    _day[0] = site.day
    for language in LANGUAGES[1:]:
        _hand_over(language, site.made[language], config)
    for text in site.told:  # no warnings: they would end a strict build, and all news with it
        log.info(text)
    for file in [file for file in files if "[" in file.src_uri]:  # makes pages, and is none
        files.remove(file)
    for one in site.made[LANGUAGES[0]]:
        if known := files.get_file_from_path(one.path):
            files.remove(known)
        kind = Raw if one.path.startswith("data/") else File
        files.append(kind.generated(config, one.path, content=one.content))
    return files


def _site(config: MkDocsConfig) -> Site:
    """What an earlier build made of the same things, or else what is made now."""
    results, store = Results.find(), Store()
    settings = (_address(config), str(config.use_directory_urls), *LANGUAGES)
    try:
        key = whole.key(results, *settings)
        if _command[0] != "serve" and (found := whole.find(store, key)):
            progress.ended("Nothing has changed since an earlier build: all is as it made it.")
            return found
        site = _made(results, store, config)
        if _command[0] != "serve" and whole.key(results, *settings) == key:  # nothing came in the meantime
            whole.keep(store, key, site)
        return site
    finally:
        if not _later:
            store.close()


def _made(results: Results, store: Store, config: MkDocsConfig) -> Site:
    # Late, for a build that has nothing to make needs neither database nor charts, whose libraries take half a second.
    from site_src import build
    from site_src.reuse.maker import Maker
    from site_src.warehouse import kept

    try:
        warehouse = kept(results.root)
        warehouse.refresh()
        process = _second[0] if _second else None
        maker = Maker(warehouse, store, Drawings(store, process, is_late=_command[0] == "serve"))
        site = build.site(warehouse, maker, config.use_directory_urls, _address(config))
    except (CollectorError, PageFailed) as error:
        progress.ended()
        raise PluginError(str(error)) from error
    if maker.drawings.is_late:
        _later.append(maker)
    progress.ended(
        f"Made {maker.made} blocks and {maker.drawings.made} pictures; "
        f"{maker.reused} blocks and {maker.drawings.reused} pictures are those of earlier builds."
    )
    return site


def _hand_over(language: str, pages: list[Made], config: MkDocsConfig) -> None:
    """Have a translation built beside this language, in a folder of its own."""
    what = Handed(
        language=language,
        pages=pages,
        day=_day[0],
        site_dir=str(Path(config.site_dir) / language),
        site_url=f"{config.site_url or ''}{language}/",
        command=_command[0],
        use_directory_urls=config.use_directory_urls,
    )
    _translations.extend(process.submit(build_translation, what) for process in _second)


def on_page_content(html: str, page: Page, **_: Any) -> str:
    """Let the sitemap say the day of the newest run, not that of the build: the same results make the same site."""
    page.update_date = _day[0]
    return html


def on_serve(server: LiveReloadServer, config: MkDocsConfig, **_: Any) -> LiveReloadServer:
    """Build again when a run file appears or a table, view, chart or asset is edited."""
    results = Results.find()
    folders = (results.runs, results.grades, results.votes)
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    from site_src.tables import TABLES

    tables = map(results.table, TABLES)
    own = ("words.toml", "decision_tree.toml", "notices.toml", *LANGUAGES[1:])
    for path in (stand_in(folders), *tables, *(HERE / name for name in (*own, "views", "charts", "assets"))):
        server.watch(str(path))
    return server


def _address(config: MkDocsConfig) -> str:
    """Where the whole site is published; languages are folders of it."""
    return (config.site_url or "").removesuffix(config.extra.get("folder", ""))
