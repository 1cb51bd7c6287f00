"""Builds a translation's pages in a process that has them from the one that makes all languages (`second.py`)."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mkdocs.commands.build import build
from mkdocs.config import load_config

from site_src.made import Made

Command = Literal["build", "gh-deploy", "serve"]
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Handed:
    """A translation to build: its pages, the day of the newest run, and how MkDocs was called for the whole site."""

    language: str
    pages: list[Made]
    day: str
    site_dir: str
    site_url: str
    command: Command
    use_directory_urls: bool


handed: list[Handed] = []  # what is being built here, for `translation.py`


def build_translation(what: Handed) -> list[tuple[str, int, str]]:
    """Build it; the logger, level and text of what MkDocs warned of, the error that ended it included."""
    told = _Told(logging.WARNING)
    logging.getLogger("mkdocs").addHandler(told)
    handed[:] = [what]
    try:
        config = load_config(
            str(HERE / what.language / "mkdocs.yml"),
            site_dir=what.site_dir,
            site_url=what.site_url,
            strict=False,  # who asked for this build counts the warnings
            use_directory_urls=what.use_directory_urls,
        )
        config.plugins.on_startup(command=what.command, dirty=False)
        build(config)
    except Exception as error:
        told.texts.append(("mkdocs.commands.build", logging.ERROR, f"{type(error).__name__}: {error}"))
    finally:
        logging.getLogger("mkdocs").removeHandler(told)
        handed.clear()
    return told.texts


class _Told(logging.Handler):
    """Keeps what is logged, as text: it goes to another process."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.texts: list[tuple[str, int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.texts.append((record.name, record.levelno, record.getMessage()))
