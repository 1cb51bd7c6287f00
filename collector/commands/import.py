"""`collect import`: figures that another tool has measured."""

# ruff: noqa: N999 - a command is found by its file's name

from pathlib import Path

import click

from collector.commands import say
from collector.commands.run import results_option


@click.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@results_option
def command(file: Path, results: str | None) -> None:
    """Store what llama-bench has measured.

    FILE is its output with -o json or -o jsonl. Each model file under each set of settings becomes one run; a run that
    is there already is left alone. It times the engine alone, so its figures (view llama_bench) are in no comparison
    with those of a server.
    """
    from collector import litter, llama_bench, privacy, store
    from collector.commands import _owner, _start
    from collector.schema import Results

    folder = Results.find(results)
    _owner.tell(folder)
    for run in llama_bench.read(file):
        there = litter.without(folder.runs.glob(f"*-{run.run_id}.parquet"))
        if there:
            say(f"{there[0].name} holds these results already.")
            continue
        facts = privacy.clean(run.facts)
        path = store.write(folder, facts, [privacy.clean(row, facts) for row in run.operations], _start.refusal)
        _owner.claim(folder)
        count = len(run.operations)
        say(f"{run.facts['model_key']}: {count} {'test' if count == 1 else 'tests'} imported.")
        click.echo(path)
