"""`collect keys`: whose measurements are this repository's."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.commands import say
from collector.commands.run import results_option
from collector.errors import KeyUnusable

if TYPE_CHECKING:
    from collector.ownership import Owners
    from collector.schema import Results

FOLDER = "folder"


@click.group(name="keys", invoke_without_command=True)
@results_option
@click.pass_context
def command(context: click.Context, results: str | None) -> None:
    """Show whose measurements this repository's figures rest on; `add` and `remove` change that.

    Each file of results is signed with the key of who measured it. A file that no listed key signed is contributed: it
    is shown beside the others, and part of no answer. Without keys.toml a folder is all its owner's.
    """
    from collector.schema import Results

    context.meta[FOLDER] = Results.find(results)
    if context.invoked_subcommand is None:
        _show(context.meta[FOLDER])


@command.command()
@click.argument("what", nargs=-1, metavar="[KEY|FILE]…")
@click.pass_context
def add(context: click.Context, what: tuple[str, ...]) -> None:
    """Make files this repository's: all that a KEY signs (without one, yours), or a FILE by its hash."""
    from collector import ownership, signing

    folder: Results = context.meta[FOLDER]
    stored = {path.resolve() for path in ownership.stored(folder)}
    files = [Path(word) for word in what if Path(word).is_file()]
    keys = [word for word in what if not Path(word).is_file()] if what else [signing.public(signing.own())]
    for path in files:
        if path.resolve() not in stored:
            raise KeyUnusable(f"{path} is no file of results in {folder.root}.", "Put it there first.")
    for key in keys:
        public = _full(folder, key)
        if ownership.add_key(folder, public):
            say(f"Key {signing.short(public)} is listed in {folder.keys}: what it signs is this repository's.")
        else:
            say(f"Key {signing.short(public)} is listed already.")
    if files:
        count = ownership.add_files(folder, files)
        say(f"{count} {'file is' if count == 1 else 'files are'} listed in {folder.unsigned}.")


@command.command()
@click.argument("key")
@click.pass_context
def remove(context: click.Context, key: str) -> None:
    """Take a KEY off the list: what it signed is contributed from then on, and nothing is deleted."""
    from collector import ownership, signing

    folder: Results = context.meta[FOLDER]
    public = _full(folder, key)
    if public not in ownership.read(folder).keys:
        raise KeyUnusable(
            f"Key {signing.short(public)} is not listed in {folder.keys}.", "`collect keys` shows those that are."
        )
    ownership.remove_key(folder, public)
    say(f"Key {signing.short(public)} is no longer listed in {folder.keys}.")


def _show(folder: "Results") -> None:
    from collector import ownership, signing

    owners = ownership.read(folder)
    own = signing.public(signing.own())
    origins = _origins(folder)
    if not owners.is_claimed:
        say(f"{folder.root} has no keys.toml: all that lies there is its owner's.")
    for key in sorted(owners.keys | {own} | {signed_by for signed_by, _ in origins if signed_by}):
        said = "this repository's" if key in owners.keys or not owners.is_claimed else "contributed"
        count = sum(signed_by == key for signed_by, _ in origins)
        yours = ", yours" if key == own else ""
        click.echo(f"{signing.short(key)}  {key}  {said}{yours}: {count} {'file' if count == 1 else 'files'}")
    _show_unsigned(owners, [sha256 for signed_by, sha256 in origins if signed_by is None])


def _show_unsigned(owners: "Owners", hashes: list[str]) -> None:
    if hashes:
        own = sum(owners.contributor(None, sha256) is None for sha256 in hashes)
        click.echo(f"not signed: {len(hashes)} files, {own} of them this repository's")


def _origins(folder: "Results") -> list[tuple[str | None, str]]:
    """Who signed each file that can be read, and its hash."""
    from collector import ownership
    from collector.commands import _faults
    from site_src.run_file import Untrusted, origin, read

    found = []
    for path in ownership.stored(folder):
        columns, form, called = _faults.FORMS[path.parent.name]
        try:
            found.append(origin(read(path, columns, form, called, ("run_id",))))
        except Untrusted as reason:
            say(f"{path.name} cannot be trusted: {reason}")
    return found


def _full(folder: "Results", key: str) -> str:
    """A public key by itself, or by the short name of one that is listed or signed a file here. Raises KeyUnusable."""
    from collector import ownership, signing

    if signing.PUBLIC.fullmatch(key):
        return key
    known = ownership.read(folder).keys | {signed_by for signed_by, _ in _origins(folder) if signed_by}
    found = [public for public in known if signing.short(public) == key]
    if len(found) != 1:
        raise KeyUnusable(
            f"No file here and no listed key is called {key!r}.", "`collect keys` shows the keys there are."
        )
    return found[0]
