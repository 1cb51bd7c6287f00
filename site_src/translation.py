"""MkDocs' side of a translation: its pages come from the process that makes all languages (`handed_over.py`)."""

from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from site_src.handed_over import handed


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Tell the theme's policy of the inline script that `mkdocs serve` writes into each page afterwards."""
    config.extra["live_reload"] = [one.command for one in handed] == ["serve"]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace the pages by their filled-in form."""
    if not handed:
        raise PluginError("A translation is built with the whole site: build with the mkdocs.yml of the clone.")
    for file in [file for file in files if "[" in file.src_uri]:  # makes pages, and is none
        files.remove(file)
    for made in handed[0].pages:
        if known := files.get_file_from_path(made.path):
            files.remove(known)
        files.append(File.generated(config, made.path, content=made.content))
    return files


def on_page_content(html: str, page: Page, **_: Any) -> str:
    """Let the sitemap say the day of the newest run, as in the first language."""
    page.update_date = handed[0].day
    return html
