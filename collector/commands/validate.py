"""`collect validate`: does each file of results keep every rule? What is new must; what is old is told of."""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector import children, litter, ownership
from collector.commands.run import results_option
from collector.errors import RunUnclear
from collector.locks import is_locked
from collector.schema import CLONE

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
    warning in one that git has in the commit REF with the same name and content. Contributed grades are made again from
    their texts. Exit code 1 if there are errors.
    """
    from collector.commands import _changes, _faults
    from collector.schema import Results
    from site_src.warehouse import Warehouse

    folder = Results.find(results)
    stored = _stored(folder, since)
    reviewed = [one for path in paths if path.is_dir() for one in _faults.of_owners(folder, path)]
    reviewed += [_faults.of_file(file, kind, ()) for path in paths or (_root(folder),) for file, kind in _files(path)]
    _faults.add_whose(folder, reviewed)
    old = _old(reviewed, stored)
    changes: list[str] = []
    if any(one.sha256 for one in reviewed):
        with tempfile.TemporaryDirectory() as name:
            together = _faults.together(folder, reviewed, Path(name, "all"))
            after = Warehouse(together)
            _faults.add_of_runs(after, reviewed)
            new = [one for one in reviewed if one.sha256 and one.path not in old]
            _faults.add_of_grades(together, [one for one in reviewed if one.path not in old])
            without = _faults.together(folder, [replace(one, sha256=None) for one in new], Path(name, "before"))
            if new and ownership.stored(without):
                changes = _changes.told(Warehouse(without), after)
    counts = {"error": 0, "warning": 0}
    for one in reviewed:
        level = "warning" if one.path in old else "error"
        counts[level] += len(one.faults)
        for fault in one.faults:
            click.echo(_line(level, one, fault))
    for line in (*_whose(reviewed), *changes):
        click.echo(line)
    said = ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for level, count in counts.items())
    click.echo(f"{len(reviewed)} file{'' if len(reviewed) == 1 else 's'} checked: {said}.")
    sys.exit(1 if counts["error"] else 0)


def _whose(reviewed: "list[Reviewed]") -> list[str]:
    """A line for each whose files these are."""
    told = Counter(one.whose for one in reviewed if one.whose)
    return [f"{count} file{'' if count == 1 else 's'}: {said}" for said, count in sorted(told.items())]


def _root(folder: "Results") -> Path:
    """The folder as it stands in the clone: there it may be a link, which would be published as one."""
    own = CLONE / "results"
    return own if own.is_symlink() and own.resolve() == folder.root else folder.root


def _files(path: Path) -> list[tuple[Path, str]]:
    """The file, or those of a results folder, each with the folder within results that it is for."""
    from collector.commands import _faults

    if path.is_symlink() or not path.is_dir():
        return [(path, "." if path.is_dir() else _faults.kind_of(path))]
    found = [file for file in sorted(path.rglob("*")) if file.is_symlink() or not file.is_dir()]
    visible = [file.relative_to(path) for file in found]
    hidden = {file for file in visible if litter.is_litter(file)}
    if path.name not in _faults.FORMS:
        hidden |= {file for file in visible if len(file.parts) > 1 and file.parts[0].startswith(".")}  # journals, git
    hidden -= _offered(path, hidden)
    shown = [file for file in visible if file not in hidden]
    return [(path / file, path.name if path.name in _faults.FORMS else file.parent.as_posix()) for file in shown]


def _offered(path: Path, hidden: set[Path]) -> set[Path]:
    """Of the hidden files of a results folder those that go with it: git holds them, or where there is none, journals.

    Whoever runs `collect` there next would store a journal as a run of their own.
    """
    asked = ["git", "-C", str(path), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "."]
    try:
        done = subprocess.run(asked, capture_output=True, check=False, env=children.environment())
    except OSError:
        done = None
    if done and not done.returncode:
        return hidden & {Path(os.fsdecode(name)) for name in done.stdout.split(b"\0")}
    lying = {file for file in hidden if file.parts[0] == ".journal" and file.suffix == ".jsonl"}
    journals = {file for file in lying if not litter.is_litter(file)}
    return {file for file in journals if not (path / file).is_file() or not is_locked(path / file)}


def _stored(folder: "Results", ref: str) -> Stored:
    """What git holds of the results folder in that commit; nothing where there is no git. Raises RunUnclear."""
    asked = ["git", "-C", str(folder.root), "ls-tree", "-r", "-z", ref, "."]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False, env=children.environment())
    except OSError:
        return set()
    if done.returncode and ref != "HEAD":
        raise RunUnclear(
            f"Git knows no commit {ref!r} of {folder.root}.", "Fetch it, or name one that `git log` shows."
        )
    entries = [entry.split("\t", 1) for entry in done.stdout.split("\0") if entry] if not done.returncode else []
    return {(name, about.split()[2]) for about, name in entries}


def _old(reviewed: "list[Reviewed]", stored: Stored) -> set[Path]:
    """Those that git holds, of their kind, name and content."""
    from collector.commands import _faults

    files = [one.path for one in reviewed if one.path.is_file() and not one.path.is_symlink()]
    files = [path for path in files if "\n" not in str(path)] if stored else []  # git takes one path a line
    asked = ["git", "hash-object", "--no-filters", "--stdin-paths"]
    said = "".join(f"{path.absolute()}\n" for path in files)
    done = (
        subprocess.run(
            asked,
            input=said,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
            env=children.environment(),
        )
        if files
        else None
    )
    hashes = done.stdout.split() if done and not done.returncode else []
    named = [((Path(_faults.kind_of(path)) / path.name).as_posix(), path) for path in files]
    return {path for (name, path), found in zip(named, hashes, strict=False) if (name, found) in stored}


def _line(level: str, one: "Reviewed", fault: "Fault") -> str:
    """On one line, whatever the file says."""
    from site_src.visible import visible

    shown = f" {fault.shown}." if fault.shown else ""
    said = f"{one.path.parent.name}/{one.path.name}: {fault.happened}{shown} {fault.remedy}"
    return f"{level}: {' '.join(visible(said).split())}"
