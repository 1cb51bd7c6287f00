"""`collect context`: how much of the context can really be used."""

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from collector.commands import say
from collector.commands._progress import is_failed, trouble, waiting
from collector.commands._words import why
from collector.commands.run import exit_code, results_option, url_option

if TYPE_CHECKING:
    import httpx

    from collector.backends import Backend, Facts
    from collector.preflight import Finding
    from collector.run import Outcome
    from collector.schema import Results

BUDGET_S = 1200.0
EARLIER = """
    select context_rung, repeat as set_number, raw_facts.prompt_tokens, elapsed_ns / 1e9 as seconds
    from raw_facts
    inner join (select run_id, op_index from stg_context where is_accepted) as accepted using (run_id, op_index)
    where chip is not distinct from $chip and memory_bytes is not distinct from $memory_bytes
        and server is not distinct from $server and runtime is not distinct from $runtime
        and model_key is not distinct from $model_key and quantization is not distinct from $quantization
        and context_effective is not distinct from $context_effective and suite_sha256 = $suite_sha256
"""
THIS = "where ladder_id = (select ladder_id from stg_runs where run_id = $id)"


@click.command(name="context")
@click.option("--embedded", is_flag=True, help="A real llama.cpp engine and a small real model; needs no server.")
@url_option
@click.option("--load", "key", metavar="KEY", help="LM Studio: load this model first.")
@click.option("--model", metavar="NAME", help="Which model, if several are loaded; with --embedded a GGUF file.")
@click.option(
    "--budget", type=click.FloatRange(min=1), default=BUDGET_S, show_default=True, help="Seconds the ladder may take."
)
@click.option(
    "--context-length", type=click.IntRange(1024), help="In tokens, with --load or --embedded.  [default: 131072; 8192]"
)
@click.option("--fresh", is_flag=True, help="Measure rungs again that an earlier ladder has measured.")
@results_option
@click.option("--yes", is_flag=True, help="With --load: may unload other models, without asking.")
@click.option("--force", is_flag=True, help="Measure although a check fails; stored in every row.")
@click.option("--json", "as_json", is_flag=True, help="Print the ladder as JSON instead of the run's path.")
def command(
    embedded: bool,
    url: str,
    key: str | None,
    model: str | None,
    budget: float,
    context_length: int | None,
    fresh: bool,
    results: str | None,
    yes: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Climb a ladder of ever longer prompts with needles hidden in them, up to the real limit, within a time budget.

    A later call goes on where an earlier one ran out of time. The path of the run goes to stdout.
    """
    from collector import calibrate, preflight
    from collector.commands import _backend, _owner, _start
    from collector.errors import Unfit

    if embedded and key:
        raise click.UsageError("--embedded and --load both say what to load; pass one.")
    if context_length and not (embedded or key):
        raise click.UsageError("--context-length goes with --load or --embedded.")
    folder = _start.folder(results)
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
            backend = _backend.loading(client, key, context, True, yes)
        else:
            backend = _backend.loaded_already(client, model)
        findings = _backend.check(folder, backend, backend.planned(), context)
        _backend.show_findings(findings)
        if preflight.failures(findings) and not force:
            raise Unfit("The machine is not fit to measure.", "Mend what failed above, or pass --force.")
        known = calibrate.last(folder)
        outcome = climb(client, backend, folder, budget, context, findings, force, known, fresh)
    if outcome.path is None:
        say("Stopped before anything was measured; nothing was stored.")
        sys.exit(exit_code(outcome))
    _owner.claim(folder)
    if outcome.stopped_by:
        from collector.backends.words import words

        say(f"Nothing could be measured: {words(outcome.said or outcome.stopped_by)}. That is stored as a run.")
    try:
        ladder, summary = _asked(folder, outcome.run_id)
    except KeyboardInterrupt:
        say("Stopped; the ladder is stored.")
        ladder, summary = [], {}
    if as_json:
        from site_src.visible import json_of

        click.echo(json_of({"path": str(outcome.path), **summary, "rungs": ladder}, indent=None))
    else:
        _show(ladder, summary)
        click.echo(outcome.path)
    sys.exit(130 if outcome.was_interrupted else 3 if outcome.stopped_by else 0)


def climb(
    client: "httpx.Client",
    backend: "Backend",
    folder: "Results",
    budget_s: float,
    context: int | None,
    findings: "list[Finding]",
    force: bool,
    facts: "Facts",
    fresh: bool = False,
) -> "Outcome":
    """Run one ladder and store it. `facts` are run columns that the caller knows."""
    from collector import context as contexts
    from collector import run as runs
    from collector.commands import _start

    def earlier(known: "Facts") -> list[dict[str, Any]]:
        return [] if fresh else _earlier(folder, known)

    job = runs.Job(
        contexts.SUITE,
        contexts.SETS,
        folder,
        context_requested=context,
        preflight=tuple(findings),
        forced=force,
        sampling=contexts.SAMPLING,
        facts={"context_budget_s": budget_s, **facts},
        refusal=_start.refusal,
    )
    work = contexts.Climb(budget_s, say, earlier)
    return runs.run(client, backend, job, _tell, work)


def _tell(stage: str, row: "Facts") -> None:
    if stage == "wait":
        say(waiting(row))
    if stage == "trouble":
        say(trouble(row))
    if row["op"] == "load" and stage == "begin":
        say("loading the model …")
    if row["op"] not in ("warmup", "context") or stage != "end":
        return
    what = row["prompt_id"] if row["op"] == "warmup" else f"{row['context_rung']:,} tokens #{row['repeat']}"
    if is_failed(row) and row["error_kind"] != "budget":
        say(f"{what}: {why(row['error_kind'], row.get('http_status'), row.get('error_detail'))}")
    if row["op"] == "warmup" or row.get("prompt_tokens") is None:
        return
    hits = sum(needle["found"] for needle in row["needles"])
    seconds = (row["first_text_ns"] or 0) / 1e9
    what = f"{row['prompt_tokens']:,} tokens #{row['repeat']}"
    say(f"{what}: {hits} of {len(row['needles'])} needles, TTFT {seconds:.1f} s")


def _earlier(folder: "Results", known: "Facts") -> list[dict[str, Any]]:
    """Requests of earlier ladders with everything equal that the prompts and the limit hang on."""
    from collector.commands import _ask

    return _ask.about(folder, EARLIER, known)


def _asked(folder: "Results", run_id: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    from collector.commands import _ask

    rungs = _ask.rows(folder, f"from context_ladder {THIS}", id=run_id)
    summary = _ask.rows(folder, f"from context_utilization {THIS}", id=run_id)
    return rungs, summary[0] if summary else {}


def _show(rungs: list[dict[str, Any]], summary: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from site_src import figures
    from site_src.visible import visible

    table = Table("rung", "tokens", "TTFT ms", "decode tokens/s", "needles", "verdict", "why")
    for row in rungs:
        cells = (
            f"{row['rung']:,}",
            figures.plain("prompt_tokens", row["prompt_tokens"]),
            figures.plain("ttft_ms", row["ttft_ms"]),
            figures.plain("decode_tps", row["decode_tps"]),
            f"{row['found_count']}/{row['needle_count']}",
            row["verdict"],
            row["reason"] or "",
        )
        table.add_row(*(Text(visible(str(cell))) for cell in cells))
    console = Console(stderr=True, highlight=False)
    console.print(table)
    if summary:
        words = [
            f"{name} {summary[f'context_{name}'] or 'unknown'}" for name in ("advertised", "effective", "accepted")
        ]
        below = summary["context_usable_below"]
        usable = f"usable {summary['context_usable']}" + (f", less than {below}" if below else "")
        console.print(f"context in tokens: {', '.join([*words, usable])}")
        if summary["reason"]:
            console.print(Text(visible(f"note: {summary['reason']}"), "yellow"))
