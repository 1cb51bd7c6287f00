"""`collect validate`: does each file of results keep every rule? What is new must; what is old is told of."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.commands.run import results_option
from collector.errors import RunUnclear

if TYPE_CHECKING:
    from collector.schema import Results
    from site_src.review import Fault, Reviewed

Stored = set[tuple[str, str]]  # kind and name of a file, and git's hash of its content


@click.command(name="validate")
@click.argument("paths", metavar="[FILE|FOLDER]…", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--since", default="HEAD", show_default=True, metavar="REF", help="Old is what this commit holds.")
@results_option
def command(paths: tuple[Path, ...], since: str, results: str | None) -> None:
    """Check files against every rule: schema, ranges, physics, privacy, size, duplicates, suite.

    Without a FILE every file of the results folder is checked. What breaks a rule is an error in a new file, and a
    warning in one that git has in the commit REF with the same name and content. Exit code 1 if there are errors.
    """
    from collector.commands import _faults
    from collector.schema import Results
    from site_src.warehouse import Warehouse

    folder = Results.find(results)
    stored = _stored(folder, since)
    reviewed = [_faults.of_file(file, kind, ()) for path in paths or (folder.root,) for file, kind in _files(path)]
    if any(one.run_id for one in reviewed):
        with tempfile.TemporaryDirectory() as name:
            _faults.add_of_runs(Warehouse(_faults.together(folder, reviewed, Path(name))), reviewed)
    counts = {"error": 0, "warning": 0}
    for one in reviewed:
        level = "warning" if one.faults and _is_old(one.path, stored) else "error"
        counts[level] += len(one.faults)
        for fault in one.faults:
            click.echo(_line(level, one, fault))
    said = ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for level, count in counts.items())
    click.echo(f"{len(reviewed)} file{'' if len(reviewed) == 1 else 's'} checked: {said}.")
    sys.exit(1 if counts["error"] else 0)


def _files(path: Path) -> list[tuple[Path, str]]:
    """The file, or those of a results folder, each with the folder within results that it is for."""
    from collector.commands import _faults

    if not path.is_dir():
        return [(path, _faults.kind_of(path))]
    found = [file for file in sorted(path.rglob("*")) if file.is_symlink() or not file.is_dir()]
    visible = [file.relative_to(path) for file in found]
    if path.name in _faults.FORMS:
        return [(path / file, path.name) for file in visible]
    hidden = [file for file in visible if len(file.parts) > 1 and file.parts[0].startswith(".")]  # journals, git
    return [(path / file, file.parent.as_posix()) for file in visible if file not in hidden]


def _stored(folder: "Results", ref: str) -> Stored:
    """What git holds of the results folder in that commit; nothing where there is no git. Raises RunUnclear."""
    asked = ["git", "-C", str(folder.root), "ls-tree", "-r", "-z", ref, "."]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
    except OSError:
        return set()
    if done.returncode and ref != "HEAD":
        raise RunUnclear(
            f"Git knows no commit {ref!r} of {folder.root}.", "Fetch it, or name one that `git log` shows."
        )
    entries = [entry.split("\t", 1) for entry in done.stdout.split("\0") if entry] if not done.returncode else []
    return {(name, about.split()[2]) for about, name in entries}


def _is_old(path: Path, stored: Stored) -> bool:
    """Whether git holds a file of its kind, name and content."""
    from collector.commands import _faults

    if path.is_symlink() or not path.is_file():
        return False
    asked = ["git", "hash-object", "--no-filters", str(path)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    kind = _faults.kind_of(path)
    return ((Path(kind) / path.name).as_posix(), done.stdout.strip()) in stored


def _line(level: str, one: "Reviewed", fault: "Fault") -> str:
    """On one line, whatever the file says."""
    from site_src.visible import visible

    shown = f" {fault.shown}." if fault.shown else ""
    said = f"{one.path.parent.name}/{one.path.name}: {fault.happened}{shown} {fault.remedy}"
    return f"{level}: {' '.join(visible(said).split())}"
