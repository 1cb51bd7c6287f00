"""MkDocs' side of the site: hands it the files that `build.make` makes, and has it watch what they are made of."""

import fcntl
import logging
import os
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from mkdocs.commands.build import build as build_site
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from collector.errors import CollectorError
from collector.schema import Results
from site_src import build
from site_src.tables import TABLES
from site_src.warehouse import kept
from site_src.watching import stand_in
from site_src.words import LANGUAGES

log = logging.getLogger("mkdocs.hooks.site")
Command = Literal["build", "gh-deploy", "serve"]
HERE = Path(__file__).parent

_building: list[int] = []  # the descriptor that locks the runs during a build
_command: list[Command] = ["build"]  # of MkDocs, the one that runs


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
    results = Results.find()
    # The first language's build waits for all. A build leaves no folder behind, and where none is nothing is measured.
    if config.theme["language"] != LANGUAGES[0] or not results.runs.exists():
        return
    _hold(results)
    if results.being_measured():
        log.info("A run is being measured; the site is built when it has finished.")
        while results.being_measured():
            _release()
            time.sleep(0.5)
            _hold(results)


def on_post_build(config: MkDocsConfig) -> None:
    """Build the site once more in every other language, in a folder of its own; then let a run begin."""
    if config.theme["language"] == LANGUAGES[0]:
        for language in LANGUAGES[1:]:
            other = load_config(
                str(HERE / language / "mkdocs.yml"),
                site_dir=str(Path(config.site_dir) / language),
                site_url=f"{config.site_url or ''}{language}/",
                strict=config.strict,
                use_directory_urls=config.use_directory_urls,
            )
            other.plugins.on_startup(command=_command[0], dirty=False)
            build_site(other)
    _release()


def on_build_error(error: Exception, **_: Any) -> None:
    """Let a run begin after a failed build, too."""
    _release()


def _hold(results: Results) -> None:
    """Keep runs from beginning; where nothing may be written, none can."""
    with suppress(OSError):
        _building.append(results.lock(fcntl.LOCK_SH))


def _release() -> None:
    while _building:
        os.close(_building.pop())


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace the pages by their filled-in form, and add data and assets."""
    try:
        warehouse = kept(Results.find().root)
        warehouse.refresh()
    except CollectorError as error:
        raise PluginError(str(error)) from None
    language = config.theme["language"]
    if language == LANGUAGES[0]:
        if not warehouse.is_claimed:
            log.info("The results folder has no keys.toml: all that lies there counts as its owner's.")
        for row in warehouse.rows(
            "from damaged_files"
        ):  # no warning: it would end a strict build, and all news with it
            log.info("results/%s/%s is skipped: %s", row["folder"], row["file"], row["reason"])
    for file in [file for file in files if "[" in file.src_uri]:  # makes pages, and is none
        files.remove(file)
    try:
        for made in build.make(warehouse, language, config.use_directory_urls, _address(config)):
            if known := files.get_file_from_path(made.path):
                files.remove(known)
            kind = Raw if made.path.startswith("data/") else File
            files.append(kind.generated(config, made.path, content=made.content))
    except build.PageFailed as error:
        raise PluginError(str(error)) from error
    return files


def on_page_content(html: str, page: Page, **_: Any) -> str:
    """Let the sitemap say the day of the newest run, not that of the build: the same results make the same site."""
    [counted] = kept(Results.find().root).rows("select latest_run_at from data_overview")
    page.update_date = f"{counted['latest_run_at'] or datetime(1970, 1, 1):%Y-%m-%d}"
    return html


def on_serve(server: LiveReloadServer, config: MkDocsConfig, **_: Any) -> LiveReloadServer:
    """Build again when a run file appears or a table, view, chart or asset is edited."""
    results = Results.find()
    folders = (results.runs, results.grades, results.votes)
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    tables = map(results.table, TABLES)
    own = ("words.toml", "decision_tree.toml", "notices.toml", *LANGUAGES[1:])
    for path in (stand_in(folders), *tables, *(HERE / name for name in (*own, "views", "charts", "assets"))):
        server.watch(str(path))
    return server


def _address(config: MkDocsConfig) -> str:
    """Where the whole site is published; languages are folders of it."""
    return (config.site_url or "").removesuffix(config.extra["folder"])
