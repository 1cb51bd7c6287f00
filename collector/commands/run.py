"""`collect`: measure the model that is loaded, or load it first."""

import re
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from collector.commands import say

if TYPE_CHECKING:
    from collector.backends import Backend
    from collector.run import Outcome
    from collector.schema import Results

REPEATS, QUICK_REPEATS = 2, 1  # further runs tell more than further repeats, see views/2_metrics/machine_spread.sql


ADDRESS = re.compile(r"(https?://(?:[^/\s:@?#]+|\[[0-9a-fA-F:]+\])(?::\d+)?)(/[^\s@?#]*)?")
ROUTE = re.compile(r"(/v1(/models|/chat/completions)?)?/*$")  # what people copy with an address, and is added to it
CA = "collector.ca"  # in click's `meta`


def _address(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    if found := ADDRESS.fullmatch(value):
        return found[1] + ROUTE.sub("", found[2] or "")
    raise click.BadParameter("an address looks like http://localhost:1234")


def _keep_ca(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    ctx.meta[CA] = value


def url_option(command: click.decorators.FC) -> click.decorators.FC:
    """`--url`, and `--ca`, which `_start.connect` knows of."""
    ca = click.option(
        "--ca",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False),
        callback=_keep_ca,
        expose_value=False,
        help="A certificate to trust, or its issuer's, as PEM.  [default: $SSL_CERT_FILE]",
    )
    url = click.option(
        "--url", default="http://localhost:1234", show_default=True, callback=_address, help="The server's address."
    )
    return url(ca(command))


results_option = click.option(
    "--results", metavar="DIR", help="Results folder.  [default: $LLM_RESULTS, else the clone's results/]"
)


@click.command(name="run")
@click.option("--embedded", is_flag=True, help="A real llama.cpp engine and a small real model; needs no server.")
@url_option
@click.option("--load", "key", metavar="KEY", help="LM Studio: load this model first, timed.")
@click.option("--reload", is_flag=True, help="LM Studio: unload what is loaded and load it again as it was, timed.")
@click.option("--unload", is_flag=True, help="LM Studio: unload the model afterwards.")
@click.option("--model", metavar="NAME", help="Which model, if several are loaded; with --embedded a GGUF file.")
@click.option("--suite", help="Which prompts to send, such as standard+coding-agent.  [default: by models.csv]")
@click.option("--repeats", type=click.IntRange(1, 100), help=f"Measured requests per prompt.  [default: {REPEATS}]")
@click.option(
    "--quality", is_flag=True, help="Afterwards ask each prompt once more with a raised limit, and check the answers."
)
@click.option(
    "--allowance", type=click.IntRange(0), help="With --quality: tokens added to each limit.  [default: 8192]"
)
@click.option(
    "--fidelity", is_flag=True, help="Afterwards ask each prompt twice at temperature 0, to compare quantizations."
)
@click.option("--quick", is_flag=True, help=f"{QUICK_REPEATS} repeat: exploratory.")
@click.option(
    "--context-length", type=click.IntRange(256), help="In tokens, with --load or --embedded.  [default: 131072; 8192]"
)
@results_option
@click.option("--yes", is_flag=True, help="With --load or --reload: may unload other models, without asking.")
@click.option("--force", is_flag=True, help="Measure although a check fails; stored in every row.")
@click.option("--json", "as_json", is_flag=True, help="Print the run's figures as JSON instead of its path.")
def command(
    embedded: bool,
    url: str,
    key: str | None,
    reload: bool,
    unload: bool,
    model: str | None,
    suite: str | None,
    repeats: int | None,
    quality: bool,
    allowance: int | None,
    fidelity: bool,
    quick: bool,
    context_length: int | None,
    results: str | None,
    yes: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Measure the model that is loaded, and store the run as one Parquet file.

    The path of the file goes to stdout, everything else to stderr.
    """
    from collector import calibrate, preflight
    from collector import run as runs
    from collector import suite as suites
    from collector.commands import _backend, _passes, _start
    from collector.commands._progress import Progress
    from collector.errors import Unfit

    if allowance is not None and not quality:
        raise click.UsageError("--allowance goes with --quality.")
    if quick and repeats:
        raise click.UsageError("--quick and --repeats both say how often; pass one.")
    if sum((embedded, bool(key), reload)) > 1:
        raise click.UsageError("--embedded, --load and --reload each say what to load; pass one.")
    if context_length and not (embedded or key):
        raise click.UsageError("--context-length goes with --load or --embedded; --reload keeps what was loaded.")
    folder = _start.folder(results)
    if suite:
        suites.read(suite)  # a misspelt one is said before anything is loaded
    count = QUICK_REPEATS if quick else repeats or REPEATS

    with (
        nullcontext() if embedded else _start.alone(url),
        _start.connect(url) as client,
    ):
        context: int | None = None
        backend: Backend
        if embedded:
            context = context_length or _backend.EMBEDDED_CONTEXT
            backend = _backend.embedded(client, model, context)
        elif key:
            context = context_length or preflight.PLAN_CONTEXT
            backend = _backend.loading(client, key, context, unload, yes)
        elif reload:
            backend, context = _backend.reloading(client, model, unload, yes)
        else:
            backend = _backend.loaded_already(client, model, unload)
        planned = backend.planned()
        prompts = suites.read(suite or _backend.suites_of(folder, planned["model_key"]))
        findings = _backend.check(folder, backend, planned, context)
        _backend.show_findings(findings)
        if preflight.failures(findings) and not force:
            raise Unfit("The machine is not fit to measure.", "Mend what failed above, or pass --force.")
        job = runs.Job(
            prompts,
            count,
            folder,
            context_requested=context,
            preflight=tuple(findings),
            forced=force,
            facts=calibrate.last(folder),
            passes=_passes.wanted(folder, quality, fidelity, allowance),
            refusal=_start.refusal,
        )
        with Progress(total=count * len(prompts.prompts) + job.passes.count(prompts)) as progress:
            outcome = runs.run(client, backend, job, progress)
        report(outcome, folder, as_json)
        if backend.may_reload and outcome.path:
            say(
                "Load time and a memory baseline need a load: `collect --reload` unloads this model and loads it again."
            )
    sys.exit(exit_code(outcome))


def report(outcome: "Outcome", folder: "Results", as_json: bool) -> None:
    """What came of a run: notes and a table to stderr, path or JSON to stdout."""
    if outcome.path is None:
        say("Stopped before anything was measured; nothing was stored.")
        return
    told = {"path": str(outcome.path)}
    try:
        told |= _told(outcome, folder, as_json)
    except KeyboardInterrupt:
        say("Stopped; the run is stored.")
    finally:  # whatever keeps its figures from being shown: the run is stored
        _print(told, as_json)


def _print(told: dict[str, Any], as_json: bool) -> None:
    from site_src.visible import json_of

    click.echo(json_of(told, indent=None) if as_json else told["path"])


def _told(outcome: "Outcome", folder: "Results", as_json: bool) -> dict[str, Any]:
    """What came of a run that is stored, on stderr; its figures, which nobody was shown with `as_json`."""
    from collector.backends.words import words
    from collector.commands import _owner, _words
    from collector.commands._grading import after
    from collector.commands._summary import comparisons, figures, show, show_comparisons
    from site_src.warehouse import Warehouse

    assert outcome.path is not None
    _owner.claim(folder)
    if outcome.stopped_by:
        say(f"Nothing could be measured: {words(outcome.said or outcome.stopped_by)}. That is stored as a run.")
    else:
        after(folder, outcome.path)
    if outcome.left_out:
        say(f"The server refuses {outcome.left_out}: left out of every request, and stored as such.")
    if outcome.was_interrupted:
        say("Interrupted; what was measured is stored.")
    warehouse = Warehouse(folder)
    run = figures(warehouse, outcome.run_id)
    if not run:
        say("The site does not read this run; `collect validate` says why.")
    elif not as_json:
        show(run)
        show_comparisons(comparisons(warehouse, run))
    if outcome.failed_count:  # last, where a person looks
        say(f"{outcome.failed_count} of {outcome.request_count} requests failed; the run stores why.")
        for reason in _words.told(outcome.failures):
            say(f"    {reason}")
    if outcome.log:
        say(f"Word for word it stands in {outcome.log}, which git ignores; the run has the words that are known.")
    return run


def exit_code(outcome: "Outcome") -> int:
    """See `collect --help`."""
    if outcome.was_interrupted:
        return 130
    return 3 if outcome.stopped_by or outcome.failed_count == outcome.request_count else 0
