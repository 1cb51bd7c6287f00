"""`collect review`: may these files of results be published? And what would they add?"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector import litter
from collector.commands import say
from collector.commands.run import results_option
from collector.errors import RunUnclear

if TYPE_CHECKING:
    from collector.schema import Results
    from site_src.review import Reviewed
    from site_src.warehouse import Warehouse

ASK = "If it is meant, say so in the pull request: whoever merges it decides."


@click.command(name="review")
@click.argument("paths", metavar="FILE|FOLDER…", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--name", "names", multiple=True, metavar="WORD", help="A word that must not occur, such as a name.")
@results_option
def command(paths: tuple[Path, ...], names: tuple[str, ...], results: str | None) -> None:
    """Check files of results before they are published, and print as Markdown what they add.

    A FOLDER is a whole results folder: what differs from the one of --results is looked at. Checked are format, page
    checksums, size, name, contradictions, duplicates, and that nothing about a person is in it. Exit code 1 if a file
    is refused.
    """
    from collector.commands import _changes, _faults
    from collector.schema import Results
    from site_src import review
    from site_src.warehouse import Warehouse

    folder = Results.find(results)
    telling = _faults.telling(names)
    if common := sorted(set(names) - set(telling)):
        say(f"Not looked for, as files of results are full of it: {', '.join(common)}.")
    reviewed = [one for path in paths if path.is_dir() for one in _faults.of_owners(folder, path)]
    reviewed += [one for path in paths for one in _look(folder, path, telling)]
    _faults.add_whose(folder, reviewed)
    changes: list[str] = []
    if any(one.sha256 for one in reviewed):
        with tempfile.TemporaryDirectory() as name:
            together = _faults.together(folder, reviewed, Path(name))
            _faults.add_of_grades(together, reviewed)
            after = Warehouse(together)
            _compare(after, [one for one in reviewed if one.run_id])
            changes = _changes.told(Warehouse(folder), after)
    click.echo(review.markdown(reviewed, changes), nl=False)
    for one in reviewed:
        for fault in one.faults:
            said = " ".join(part for part in (fault.happened, fault.shown) if part)
            say(f"error: {one.path.name}: {said}\n       {fault.remedy}")
    sys.exit(1 if any(one.faults for one in reviewed) else 0)


def _look(folder: "Results", path: Path, names: tuple[str, ...]) -> Iterator["Reviewed"]:
    """The file, or each one in that folder which is not in ours as it is there. Raises RunUnclear."""
    from collector.commands import _faults
    from site_src.review import Fault, Reviewed

    if path.is_symlink() or not path.is_dir():
        yield _faults.of_file(path, "." if path.is_dir() else _faults.kind_of(path), names)
        return
    theirs = {found.relative_to(path) for found in _files(path)}
    if not theirs:
        raise RunUnclear(f"There are no files in {path}.", "Name a results folder, or files of its folder runs.")
    ours = {found.relative_to(folder.root) for found in _files(folder.root)}
    published = {name for name in ours if name.parent.as_posix() in _faults.FORMS}
    owned = {Path(own.name) for own in (folder.keys, folder.unsigned)}  # told of already, and first
    for name in sorted((theirs | published) - owned):
        file, own = path / name, folder.root / name
        if name not in theirs:
            yield Reviewed(file, faults=[Fault("It is removed, and with it figures that others may cite.", ASK)])
        elif file.is_symlink() or name not in ours or file.read_bytes() != own.read_bytes():
            one = _faults.of_file(file, name.parent.as_posix(), names)
            if name in published:
                one.faults.append(Fault("It is stored already, with other content.", "A stored file never changes."))
            yield one


def _files(folder: Path) -> Iterator[Path]:
    """Whatever lies in it, and links to what does not, but for what a Mac leaves there."""
    for found in folder.rglob("*"):
        if (found.is_symlink() or not found.is_dir()) and not litter.is_litter(found):
            yield found


def _compare(together: "Warehouse", added: "list[Reviewed]") -> None:
    """Fills in what the views say of each run, against it first."""
    from collector.commands import _faults, _sides, _summary
    from site_src import report

    _faults.add_of_runs(together, added)
    for one in added:
        if one.faults or not one.run_id:
            continue
        one.facts = report.facts(together, one.run_id)
        for row in _summary.comparisons(together, one.facts["run"]):
            other = "the run before" if row["kind"] == "run" else row["b_label"]
            lines = [(*line[:4], _sides.called(line[4] or "–", "this one", "the other")) for line in _sides.lines(row)]
            one.compared.append((other, lines, row["reason"]))
