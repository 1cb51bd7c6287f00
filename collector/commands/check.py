"""`collect check`: fit to measure? Every finding, no measuring."""

import json
import sys
from typing import TYPE_CHECKING

import click

from collector.commands import say
from collector.commands.run import results_option, url_option

if TYPE_CHECKING:
    from collector.backends import Backend
    from collector.preflight import Finding


@click.command(name="check")
@url_option
@click.option("--model", metavar="NAME", help="Which model, if several are loaded.")
@click.option("--load", "key", metavar="KEY", help="LM Studio: check whether this model would fit.")
@click.option("--context-length", type=click.IntRange(256), help="With --load, in tokens.  [default: 131072]")
@click.option(
    "--probe",
    is_flag=True,
    help="What only this machine can decide, each reading beside another source; with a server, its processes too.",
)
@click.option(
    "--calibrate", is_flag=True, help="Measure the client itself against a server of known times; stored in later runs."
)
@results_option
def command(
    url: str,
    model: str | None,
    key: str | None,
    context_length: int | None,
    probe: bool,
    calibrate: bool,
    results: str | None,
) -> None:
    """Is the machine fit to measure, and is what is loaded what was meant? Exit code 1 if a check fails."""
    if probe:
        _probe(url, results)
        return
    if calibrate:
        _calibrate(results)
        return
    from collector import preflight
    from collector.backends.lmstudio import LMStudio
    from collector.commands import _backend, _start
    from collector.schema import Results

    folder = Results.find(results)
    with _start.connect(url) as client:
        if key:
            _backend.require_lmstudio(client)
            context = context_length or preflight.PLAN_CONTEXT
            backend: Backend = LMStudio(client, load=key, context=context)
            findings = _backend.check(folder, backend, backend.planned(), context)
        else:
            backend = _backend.loaded_already(client, model)
            facts = backend.describe()
            findings = [*_backend.check(folder, backend, facts, None), *preflight.of_loaded(facts)]
    _show(findings)
    sys.exit(1 if preflight.failures(findings) else 0)


def _calibrate(results: str | None) -> None:
    from rich.console import Console
    from rich.table import Table

    from collector import calibrate
    from collector.schema import Results

    cells = calibrate.calibrate()
    table = Table("tokens/s", "tokens a chunk", "tokens", "bias %", "delay µs", "jitter µs", "client CPU µs/token")
    for cell in cells:
        figures = (cell.bias_percent, cell.delay_us, cell.jitter_us, cell.cpu_us_per_token)
        shown = (f"{cell.rate:.0f}", f"{cell.per_chunk}", f"{cell.tokens}", *(f"{figure:.3g}" for figure in figures))
        table.add_row(*shown)
    Console(stderr=True).print(table)
    kept = calibrate.keep(Results.find(results), cells)
    say("Medians are kept on this machine and go into every run from now on:")
    click.echo(json.dumps(kept))


def _probe(url: str, results: str | None) -> None:
    from urllib.parse import urlsplit

    from collector import probe
    from collector.schema import Results

    say("About a minute: the timer is watched, too.")
    found = probe.probe(probe.Place(Results.find(results), urlsplit(url).port or 80))
    words = {True: "decided", False: "differs", None: "not readable"}
    for one in found:
        say(f"{one.name:<20}{words[one.agrees]:<14}{one.said}")
    path = probe.save(found)
    say("What was read, without identity, is saved; commit the file, and a test will judge it from now on:")
    click.echo(path)
    sys.exit(1 if any(one.agrees is False for one in found) else 0)


def _show(findings: "list[Finding]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colors = {"pass": "green", "warn": "yellow", "fail": "red bold", "unknown": "dim"}
    table = Table("check", "verdict", "what was seen, and what helps")
    for finding in findings:
        verdict = finding["verdict"]
        table.add_row(
            finding["name"].replace("_", " "), Text(verdict.upper(), colors[verdict]), Text(finding["detail"])
        )
    Console().print(table)
