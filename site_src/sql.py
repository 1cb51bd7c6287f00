"""`scripts/sql "select …"`: ask the views."""

import sys

import click
import duckdb

from collector.schema import Results, TableInvalid
from site_src.downloads import csv
from site_src.visible import json_of, visible
from site_src.warehouse import Warehouse


@click.command()
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.argument("query")
def main(form: str, query: str) -> None:
    """Answer QUERY, DuckDB SQL over the views of the results folder ($LLM_RESULTS, else the clone's results/)."""
    try:
        warehouse = Warehouse(Results.find())
    except TableInvalid as error:
        raise click.ClickException(str(error)) from None
    try:
        answer = warehouse.table(query)
    except duckdb.Error as error:
        raise click.ClickException(f"{error}\nViews there are: {', '.join(sorted(warehouse.views))}") from None
    if form == "csv":
        sys.stdout.buffer.write(csv(answer))
    elif form == "json":
        click.echo(json_of(answer.to_pylist()))
    else:
        _print_table(answer.column_names, [list(row.values()) for row in answer.to_pylist()])


def _print_table(names: list[str], rows: list[list[object]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*map(escape, names))
    for row in rows:
        table.add_row(*(escape("NULL" if value is None else visible(str(value))) for value in row))
    Console().print(table)


if __name__ == "__main__":
    main()
