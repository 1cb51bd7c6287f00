"""Progress while a run is measured: painted between operations only, so that painting never falls into a request."""

import sys
from types import TracebackType

from collector.backends import Facts
from collector.backends.words import words
from collector.commands import say
from collector.commands._words import why
from collector.schema import OUTPUT_FLAWS

COUNTED = ("request", "quality", "fidelity")


class Progress:
    """A bar on a terminal, plain lines elsewhere. Call it as `run.Watch`."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._bar = _bar(total) if sys.stderr.isatty() else None

    def __enter__(self) -> "Progress":
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, stage: str, row: Facts) -> None:
        """Show that an operation begins or has ended."""
        if stage == "trouble":
            say(trouble(row))
            return
        if stage == "wait":
            say(waiting(row))
            return
        is_request = row["op"] in COUNTED
        if stage == "end" and is_request:
            self._done += 1
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=self._done, description=_what(row), refresh=True)
        if not self._bar and stage == "end" and is_request:
            say(f"[{self._done}/{self._total}] {_what(row)}: {_came(row)}")
        if stage == "end" and not self._bar and is_failed(row):
            say(f"    {why(row['error_kind'], row.get('http_status'), row.get('error_detail'))}")
        if not self._bar and stage == "begin" and not is_request:
            say(f"{_what(row)} …")


def trouble(row: Facts) -> str:
    """What is said when the journal, or in the end the run, cannot be written, or a server sends the API token back."""
    if row["op"] == "token":
        return f"The API token came back: {row['error_detail']}. That is not stored."
    if row["op"] == "store":
        return (
            f"{row['error_detail']} It is in memory alone: make room, and it is stored; "
            "it is tried again all the time. Ctrl-C gives it up."
        )
    return (
        f"The journal cannot be written: {row['error_detail']}. Measuring goes on, and what was measured waits in "
        "memory: make room now, or a crash loses it."
    )


def waiting(row: Facts) -> str:
    """What is said when the server turns requests away until its model is loaded."""
    return (
        f"The server is still loading its model ({words(row['error_detail'])}). Waiting for it, ten minutes at most …"
    )


def is_failed(row: Facts) -> bool:
    """Whether an operation failed; a flaw of its text is none."""
    return row.get("error_kind") not in (None, *OUTPUT_FLAWS)


def _came(row: Facts) -> str:
    tokens = f"{row.get('completion_tokens', 'unknown')} tokens"
    if row["error_kind"] in OUTPUT_FLAWS:
        return f"{tokens}, {row['error_kind'].replace('_', ' ')}"
    return f"failed: {row['error_kind']}" if row["error_kind"] else tokens


def _what(row: Facts) -> str:
    op: str = row["op"]
    if op in COUNTED:
        return f"{row['prompt_id']} #{row['repeat']}" + ("" if op == "request" else f", {op}")
    return {
        "load": "loading the model",
        "unload": "unloading",
        "warmup": "warming up",
        "rest": "reading energy at rest",
    }.get(op, op)


def _bar(total: int):  # type: ignore[no-untyped-def]  # rich is imported only where a bar is shown
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Bar(*columns, console=Console(stderr=True), auto_refresh=False)  # no thread that paints during a request
    bar.add_task("starting", total=total)
    return bar
