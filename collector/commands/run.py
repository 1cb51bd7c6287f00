"""`collect`: measure the model that is loaded."""

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.commands import say
from collector.errors import CollectorError

if TYPE_CHECKING:
    import httpx

    from collector.backends import Backend
    from collector.run import Outcome
    from collector.schema import Results

REPEATS, QUICK_REPEATS = 5, 3
EMBEDDED_CONTEXT = 8192


def _address(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    if re.fullmatch(r"https?://[^/\s:]+(:\d+)?/?|https?://\[[0-9a-fA-F:]+\](:\d+)?/?", value):
        return value
    raise click.BadParameter("an address looks like http://localhost:1234")


@click.command(name="run")
@click.option("--embedded", is_flag=True, help="A real llama.cpp engine and a small real model; needs no server.")
@click.option(
    "--url", default="http://localhost:1234", show_default=True, callback=_address, help="The server's address."
)
@click.option("--model", metavar="NAME", help="Which model, if the server lists several; with --embedded a GGUF file.")
@click.option("--suite", default="standard", show_default=True, help="Which prompts to send.")
@click.option("--repeats", type=click.IntRange(1, 100), help=f"Measured requests per prompt.  [default: {REPEATS}]")
@click.option("--quick", is_flag=True, help=f"{QUICK_REPEATS} repeats: exploratory.")
@click.option("--context-length", type=click.IntRange(256), help="Context length in tokens, with --embedded.")
@click.option("--results", metavar="DIR", help="Results folder.  [default: $LLM_RESULTS, else the clone's results/]")
@click.option("--force", is_flag=True, help="Measure although a check of the machine fails; stored in the run.")
@click.option("--json", "as_json", is_flag=True, help="Print the run's figures as JSON instead of its path.")
def command(
    embedded: bool,
    url: str,
    model: str | None,
    suite: str,
    repeats: int | None,
    quick: bool,
    context_length: int | None,
    results: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Measure the model that is loaded, and store the run as one Parquet file.

    The path of the file goes to stdout, everything else to stderr.
    """
    from collector import measure, preflight, store
    from collector import run as runs
    from collector import suite as suites
    from collector.commands._progress import Progress
    from collector.schema import Results

    if quick and repeats:
        raise click.UsageError("--quick and --repeats both say how often; pass one.")
    if context_length and not embedded:
        raise click.UsageError("--context-length goes with --embedded; elsewhere the server was told when it loaded.")
    folder = Results.find(results)
    for saved in store.recover(folder):
        say(f"An earlier run was cut off; what it had measured is saved as {saved.name}.")
    prompts = suites.read(suite)
    findings = preflight.check()
    for finding in findings:
        if finding["verdict"] != "pass":
            say(f"{finding['verdict']}: {finding['detail']}")
    if any(finding["verdict"] == "fail" for finding in findings) and not force:
        raise CollectorError("The machine is not fit to measure.", "Mend what failed above, or pass --force.")

    count = QUICK_REPEATS if quick else repeats or REPEATS
    with measure.connect(url) as client:
        backend = _backend(client, embedded, model, context_length)
        job = runs.Job(
            prompts,
            count,
            folder,
            context_requested=(context_length or EMBEDDED_CONTEXT) if embedded else None,
            preflight=tuple(findings),
            forced=force,
        )
        with Progress(total=count * len(prompts.prompts)) as progress:
            outcome = runs.run(client, backend, job, progress)
    _report(outcome, folder, as_json)
    sys.exit(_exit_code(outcome))


def _backend(client: "httpx.Client", embedded: bool, model: str | None, context: int | None) -> "Backend":
    if embedded:
        from collector.backends.embedded import Embedded
        from collector.embedded_model import small_model

        return Embedded(client, Path(model) if model else small_model(), context or EMBEDDED_CONTEXT)
    from collector.backends.openai_chat import OpenAIChat

    return OpenAIChat(client, model)


def _report(outcome: "Outcome", folder: "Results", as_json: bool) -> None:
    if outcome.path is None:
        say("Stopped before anything was measured; nothing was stored.")
        return
    from collector.commands._summary import figures, show

    if outcome.load_error:
        say(f"The model did not load: {outcome.load_error}. That is stored as a run.")
    if outcome.failed_count:
        say(f"{outcome.failed_count} of {outcome.request_count} requests failed; the run stores why.")
    if outcome.was_interrupted:
        say("Interrupted; what was measured is stored.")
    run = figures(folder, outcome.run_id)
    if as_json:
        click.echo(json.dumps({"path": str(outcome.path), **run}, default=str, ensure_ascii=False))
    else:
        show(run)
        click.echo(outcome.path)


def _exit_code(outcome: "Outcome") -> int:
    if outcome.was_interrupted:
        return 130
    return 3 if outcome.load_error or outcome.failed_count == outcome.request_count else 0
