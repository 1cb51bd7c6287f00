"""`collect grade`: check stored outputs again."""

import sys

import click

from collector.commands import say
from collector.commands.run import results_option


@click.command(name="grade")
@results_option
def command(results: str | None) -> None:
    """Grade every stored output that these graders have not graded yet.

    Grades are files in results/grades/; earlier ones are kept, and the newest version of a grader counts. Programs that
    models wrote run in a WebAssembly sandbox only (the extra `sandbox`); what this machine had no room, memory or time
    for is tried again.
    """
    from collector import litter
    from collector.commands import _grading, _owner
    from collector.schema import Results

    folder = Results.find(results)
    runs = litter.without(folder.runs.glob("*.parquet"))
    if not runs:
        say(f"Nothing is stored in {folder.runs} yet; `collect` measures.")
        return
    _owner.tell(folder)
    written, damaged = _grading.grade(folder, runs)
    if written:
        _owner.claim(folder)
    files = f"{written} {'file' if written == 1 else 'files'} of grades"
    others = "All others are" if damaged else "Everything is"
    say(f"{files} written to {folder.grades}." if written else f"{others} graded already.")
    sys.exit(1 if damaged else 0)
