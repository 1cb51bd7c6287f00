"""`collect plan`: the matrix and its states; `--run` works through it."""

import sys
from typing import TYPE_CHECKING, Any

import click

from collector.commands import say
from collector.commands.run import results_option, url_option

if TYPE_CHECKING:
    import httpx

    from collector.plan import Block
    from collector.run import Outcome
    from collector.schema import Results

NEXT_SHOWN = 3


@click.command(name="plan")
@click.option("--run", "go", is_flag=True, help="Work through it: check, load, measure, unload, cool down, next.")
@click.option("--next", "one", is_flag=True, help="With --run: one block only.")
@click.option(
    "--dry-run", is_flag=True, help="Say what would be measured next, how long it takes and what it needs on disk."
)
@click.option("--only", metavar="TEXT", help="Only cells with TEXT in model or variant.")
@click.option("--retry-failed", is_flag=True, help="Try cells again whose model did not load.")
@click.option("--download", is_flag=True, help="Have LM Studio fetch models that are missing.")
@click.option("--force", is_flag=True, help="Measure although a check fails; stored in every row.")
@click.option("--suite", help="Which prompts to send.  [default: the model's, by models.csv]")
@click.option("--quality/--no-quality", default=True, show_default=True, help="Ask for texts to be checked, too.")
@url_option
@results_option
def command(
    go: bool,
    one: bool,
    dry_run: bool,
    only: str | None,
    retry_failed: bool,
    download: bool,
    force: bool,
    suite: str | None,
    quality: bool,
    url: str,
    results: str | None,
) -> None:
    """The matrix and its states, worked out from the results. It may be interrupted and run again at any time."""
    from collector.commands import _start

    if suite and "standard" not in suite.split("+"):
        raise click.UsageError("a cell of the plan is measured with the standard suite; add others: standard+NAME.")
    folder = _start.folder(results)
    if dry_run:
        _show_ahead(_coverage(folder), only, retry_failed)
        return
    if not go:
        _show(_coverage(folder), only)
        _show_next(folder)
        return
    worker = _Worker(url, folder, suite, only, retry_failed, download, force, quality)
    worker.work(most=1 if one else None)
    _show(_coverage(folder), only)
    sys.exit(worker.exit_code)


class _Worker:
    """Takes the next block again and again until none is left that can be measured here and now."""

    def __init__(
        self,
        url: str,
        folder: "Results",
        suite: str | None,
        only: str | None,
        retry_failed: bool,
        download: bool,
        force: bool,
        quality: bool,
    ) -> None:
        self.quality = quality
        self.url, self.folder, self.suite = url, folder, suite
        self.only, self.retry_failed, self.download, self.force = only, retry_failed, download, force
        self.skipped: dict[str, str] = {}  # cell → why it is not tried again now
        self.exit_code = 0

    def work(self, most: int | None) -> None:
        """Measure block after block. Raises ServerNotFound when LM Studio is gone, ServerBusy."""
        from collector import awake, stopping
        from collector.commands import _backend, _start

        done = 0
        with (
            _start.alone(self.url),
            awake.keep(),
            _start.connect(self.url) as client,
        ):
            due = self._due()
            while (most is None or done < most) and (block := self._first(due)):
                _backend.require_lmstudio(client)
                why = self._measure(client, block)
                if self.exit_code == 130 or stopping.asked():
                    return
                due = self._due()  # asked once a block: it takes a second
                if why:
                    self.skipped[block.cell] = why
                    say(f"{block.cell}: {why}; going on with the next")
                    continue
                if (left := self._first(due)) and (left.cell, left.number) == (block.cell, block.number):
                    self.skipped[block.cell] = "the run is stored, but does not count as its block"
                    say(f"{block.cell}: {self.skipped[block.cell]}; going on with the next")
                done += 1

    def _due(self) -> "list[Block]":
        """Each cell's next block, as the views have it now."""
        from collector import plan

        return plan.blocks(_coverage(self.folder), self.only, self.retry_failed)

    def _first(self, due: "list[Block]") -> "Block | None":
        return next((block for block in due if block.cell not in self.skipped), None)

    def _measure(self, client: "httpx.Client", block: "Block") -> str | None:
        """One block; None when it was measured, else why the cell is left for now."""
        from collector import calibrate, cooldown, plan, preflight
        from collector import run as runs
        from collector import suite as suites
        from collector.commands import _backend, _grading, _passes, _start
        from collector.commands._progress import Progress
        from collector.commands.context import climb
        from collector.errors import ModelUnclear, Unfit

        def find() -> str | None:
            return plan.find(client, block, lambda key: _backend.model_of(self.folder, key))

        key = find()
        if key is None and self.download:
            if why := plan.download(client, block, say):
                return why
            key = find()
        if key is None:
            return "not found in LM Studio" + (" after downloading" if self.download else "; --download fetches it")
        waited = cooldown.cool_down()
        say(f"{block.cell}: block {block.number} of {block.order_code}, {key}; cooled down for {waited:.0f} s")
        try:
            context = block.context_length or _partner_context(self.folder, block) or preflight.PLAN_CONTEXT
            backend = _backend.loading(client, key, context, unload=True, yes=True)
            findings = _backend.check(self.folder, backend, backend.planned(), context)
            _backend.show_findings(findings)
            if (failed := preflight.failures(findings)) and not self.force:
                return "; ".join(finding["detail"] for finding in failed)
            facts = {"cooldown_s": waited, **calibrate.last(self.folder)}
            if block.ladder_budget_s:
                outcome = climb(
                    client, backend, self.folder, block.ladder_budget_s, context, findings, self.force, facts
                )
                return self._came(outcome)
            prompts = suites.read(self.suite or _backend.suites_of(self.folder, block.model))
            job = runs.Job(
                prompts,
                plan.REPEATS,
                self.folder,
                context_requested=context,
                preflight=tuple(findings),
                forced=self.force,
                block=block.number,
                order_code=block.order_code,
                facts=facts,
                passes=_passes.wanted(self.folder, self.quality, fidelity=False),
                refusal=_start.refusal,
            )
            with Progress(total=plan.REPEATS * len(prompts.prompts) + job.passes.count(prompts)) as progress:
                outcome = runs.run(client, backend, job, progress)
            if outcome.path and not outcome.stopped_by:
                _grading.after(self.folder, outcome.path)
        except (ModelUnclear, Unfit) as error:
            return error.happened
        return self._came(outcome)

    def _came(self, outcome: "Outcome") -> str | None:
        """What came of a block; None when it was measured, else why the cell is left for now."""
        from collector.commands import _owner

        if outcome.path:
            _owner.claim(self.folder)
        if outcome.was_interrupted:
            self.exit_code = 130
        elif outcome.path:
            click.echo(outcome.path)
        if outcome.stopped_by:
            self.exit_code = self.exit_code or 3
        failed_all = outcome.request_count > 0 and outcome.failed_count == outcome.request_count
        return outcome.said or outcome.stopped_by or ("every request failed" if failed_all else None)


def _coverage(folder: "Results") -> list[dict[str, Any]]:
    from collector import machine
    from collector.commands import _ask

    asked = "from plan_coverage where machine = (select machine from stg_here)"
    return _ask.rows(folder, asked, here=machine.describe())


def _partner_context(folder: "Results", block: "Block") -> int | None:
    """What MLX made of the context it was asked for, in this block's group: its partners get the same."""
    if block.runtime == "mlx":
        return None
    from collector.commands import _ask

    asked = (
        "select context_effective from runs where server = 'lmstudio' and runtime = 'mlx' and model = $model "
        "and bits = $bits and context_effective is not null order by run_started_at desc limit 1"
    )
    found = _ask.rows(folder, asked, model=block.model, bits=block.bits)
    return int(found[0]["context_effective"]) if found else None


def _show(rows: list[dict[str, Any]], only: str | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from site_src import figures, words
    from site_src.visible import visible

    english = words.read(words.LANGUAGES[0])
    table = Table("model", "variant", "state", "runs", "decode, tokens/s (95 %)", "next", "why")
    for row in rows:
        if only is None or only.lower() in f"{row['model']} {row['variant']}".lower():
            rank = f"{row['next_rank']}." if row["next_rank"] is not None else ""
            ends = english.interval("decode_tps", row)
            speed = figures.plain("decode_tps", row["decode_tps"]) + (f" ({ends})" if ends else "")
            cells = (
                row["model"],
                row["variant"],
                row["state"],
                str(row["run_count"]),
                speed,
                rank,
                row["reason"] or "",
            )
            table.add_row(*(Text(visible(str(cell))) for cell in cells))
    Console(stderr=True).print(table)


def _show_next(folder: "Results") -> None:
    """The few further measurements that would settle most."""
    from collector import machine
    from collector.commands import _ask

    asked = "from next_runs where machine = (select machine from stg_here) order by run_rank limit $count"
    for row in _ask.rows(folder, asked, here=machine.describe(), count=NEXT_SHOWN):
        minutes = "" if row["estimated_minutes"] is None else f", about {row['estimated_minutes']:.0f} min"
        runs = "" if row["further_runs"] is None else f", {row['further_runs']} more of each"
        say(f"{row['run_rank']}. {row['subject']}: {row['why']}{runs}{minutes}")
        say(f"   {row['command'] or row['reason']}")


def _show_ahead(rows: list[dict[str, Any]], only: str | None, retry_failed: bool) -> None:
    from collector import plan

    due = plan.blocks(rows, only, retry_failed)
    for block in due:
        minutes = f"about {block.minutes:.0f} min" if block.minutes is not None else "time unknown: not measured yet"
        say(f"{block.cell}: block {block.number} of {block.order_code}, {minutes}, {block.download_gb or '?'} GB")
    known = [block.minutes for block in due if block.minutes is not None]
    size = sum(block.download_gb or 0 for block in due)
    say(f"{len(due)} cells have a next block: {sum(known):.0f} min for the {len(known)} known, {size:.0f} GB of disk.")
