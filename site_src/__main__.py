"""`python -m site_src --export DIR`: the site's files as plain Markdown."""

from pathlib import Path

import click

from collector.schema import Results, TableInvalid
from site_src import build
from site_src.warehouse import Warehouse


@click.command()
@click.option("--export", "folder", type=click.Path(path_type=Path, file_okay=False), required=True)
def main(folder: Path) -> None:
    """Write pages, data and assets to a folder, for any Markdown site builder."""
    try:
        count = build.export(Warehouse(Results.find()), folder)
    except (TableInvalid, build.PageFailed) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{count} files in {folder}")


if __name__ == "__main__":
    main()
