"""`python -m site_src --export DIR`: the site's files as plain Markdown."""

import os
from pathlib import Path

import click

from collector.schema import Results, TableInvalid
from site_src import build
from site_src.reuse.maker import Maker
from site_src.reuse.store import Store
from site_src.warehouse import Warehouse
from site_src.words import LANGUAGES


@click.command()
@click.option("--export", "folder", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--language", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True)
def main(folder: Path, language: str) -> None:
    """Write pages, data and assets to a folder, for any Markdown site builder; of other languages, pages alone."""
    try:
        count = build.export(Maker(Warehouse(Results.find()), Store()), folder, language, os.environ.get("SITE_URL"))
    except (TableInvalid, build.PageFailed) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{count} files in {folder}")


if __name__ == "__main__":
    main()
