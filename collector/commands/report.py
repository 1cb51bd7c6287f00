"""`collect report`: one run, to be read or passed on."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.commands.run import results_option
from collector.errors import RunUnclear

if TYPE_CHECKING:
    from collector.schema import Results
    from site_src.warehouse import Warehouse

SHOWN = 5  # runs named where another is meant


@click.command(name="report")
@click.argument("run")
@click.option("--format", "form", type=click.Choice(["md", "json"]), default="md", show_default=True)
@results_option
def command(run: str, form: str, results: str | None) -> None:
    """Print one run as Markdown or JSON.

    RUN is a run's id, the beginning of one, or a run file. Printed are figures by prompt, memory, load, settings,
    checks, failures and the outputs of the first repeat.
    """
    from collector.schema import Results
    from site_src import report
    from site_src.visible import json_of

    warehouse, run_id = _find(Results.find(results), run)
    facts = report.facts(warehouse, run_id)
    if form == "json":
        click.echo(json_of(facts))
    else:
        click.echo(report.markdown(facts), nl=False)


def _find(folder: "Results", wanted: str) -> "tuple[Warehouse, str]":
    """The warehouse that holds the run, and its id. Raises RunUnclear."""
    from site_src.warehouse import Warehouse

    path = Path(wanted).expanduser()
    if path.is_file():
        warehouse = _of_one_file(folder, path)
        found = warehouse.rows("select run_id, label from runs")
    else:
        warehouse = Warehouse(folder)
        asked = "select run_id, label from runs where starts_with(run_id, $id) or file = $file order by run_started_at"
        found = warehouse.rows(asked, id=wanted.lower() or "-", file=path.name)
    if not found:
        raise _not_there(folder, warehouse, wanted)
    if len(found) > 1:
        raise RunUnclear(f"{len(found)} runs begin with {wanted!r}: {_names(found)}.", "Give more digits of the id.")
    return warehouse, found[0]["run_id"]


def _not_there(folder: "Results", warehouse: "Warehouse", wanted: str) -> RunUnclear:
    file = Path(wanted).name
    for row in warehouse.rows("from damaged_files"):
        if row["file"] == file:
            why = row["reason"].rstrip(".")
            return RunUnclear(f"{file} cannot be trusted: {why}.", "Fetch it again from where it was made.")
    latest = warehouse.rows("select run_id, label from runs order by run_started_at desc")
    remedy = f"The latest are: {_names(latest)}." if latest else "Nothing is stored there yet; `collect` measures."
    return RunUnclear(f"There is no run {wanted!r} in {folder.runs}.", remedy)


def _names(runs: list[dict[str, Any]]) -> str:
    names = ", ".join(f"{run['run_id']} ({run['label']})" for run in runs[:SHOWN])
    return names + (f" and {len(runs) - SHOWN} more" if len(runs) > SHOWN else "")


def _of_one_file(folder: "Results", path: Path) -> "Warehouse":
    """A warehouse of this file alone, wherever it lies, with the tables of the results folder."""
    from tempfile import TemporaryDirectory

    from collector.schema import Results
    from site_src.tables import TABLES
    from site_src.warehouse import Warehouse

    with TemporaryDirectory() as name:
        alone = Results(Path(name))
        alone.runs.mkdir()
        (alone.runs / f"{path.name.removesuffix('.parquet')}.parquet").symlink_to(path.resolve())
        for table in TABLES:
            (alone.root / table).symlink_to(folder.table(table))
        return Warehouse(alone)
