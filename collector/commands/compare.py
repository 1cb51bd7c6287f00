"""`collect compare`: two runs or configurations side by side."""

import click

from collector.commands.run import results_option

SHARED = "select run_id from run_sets where set_id = $a intersect select run_id from run_sets where set_id = $b"
ABOUT = (("what", "label"), ("versions", "version"), ("runs", "run_count"), ("latest, UTC", "latest_run_at"))


@click.command(name="compare")
@click.argument("a")
@click.argument("b")
@results_option
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON instead of a table.")
def command(a: str, b: str, results: str | None, as_json: bool) -> None:
    """Show two runs or configurations side by side, with intervals and verdicts.

    A and B are a run's or a configuration's id or its beginning, a run file, or words of a configuration:

        collect compare "m2.1 4bit mlx" "m2.1 q4_k_m"
    """
    from collector.commands import _sides
    from collector.errors import RunUnclear
    from collector.schema import Results
    from site_src.visible import json_of, visible
    from site_src.warehouse import Warehouse

    warehouse = Warehouse(Results.find(results))
    asked = (_sides.find(warehouse, a), _sides.find(warehouse, b))
    if asked[0] == asked[1]:
        raise RunUnclear(f"{a!r} and {b!r} are the same: {asked[0]}.", "Name two different ones.")
    if warehouse.rows(SHARED, a=asked[0], b=asked[1]):
        raise RunUnclear(f"One of {a!r} and {b!r} is a part of the other.", "Name two runs, or two configurations.")
    warehouse.ask(*asked)
    (row,) = warehouse.rows("from comparison where kind = 'asked'")
    if as_json:
        click.echo(json_of(row))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    sides = (escape(visible(f"{side}: {row[f'{side}_id']}")) for side in "ab")
    table = Table("", *sides, "a over b (95 %)", "verdict")
    for heading, name in ABOUT:
        table.add_row(heading, *(Text(visible(str(row[f"{side}_{name}"]))) for side in "ab"), "", "")
    table.add_section()
    for cells in _sides.lines(row):
        table.add_row(*(Text(visible(cell)) for cell in cells))
    console = Console(highlight=False)
    console.print(table)
    counts = f"{row['prompt_count']} prompts in common, {row['request_count']} requests"
    runs = f", {_sides.runs(row)}" if row["runs_a_side"] else ""
    console.print(f"{counts}{runs}, paired by prompt and repeat.")
    for reason in _sides.reasons(row):
        console.print(Text(visible(f"note: {reason}"), "yellow"))
