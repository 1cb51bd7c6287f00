"""Whose a results folder is, told to the person: before anything is measured into it, and once something is stored."""

from typing import TYPE_CHECKING

from collector.commands import say

if TYPE_CHECKING:
    from collector.schema import Results


def tell(results: "Results") -> None:
    """Say where what is stored will be no part of this repository's figures. Raises KeyUnusable."""
    from collector import ownership, signing
    from collector.errors import KeyUnusable

    owners = ownership.read(results)
    if not owners.is_claimed or owners.is_template:
        return  # `claim` will say whose it is
    try:
        public = signing.own_name()
    except KeyUnusable as error:
        say(f"{error.happened} What is stored now is not signed. {error.remedy}")
        return
    if public not in owners.keys:
        say(
            f"{results.keys} does not list your key {signing.short(public)}: what is stored is shown as contributed. "
            "`collect keys add` makes it this repository's."
        )


def claim(results: "Results") -> None:
    """Something was stored: a folder that was nobody's, or the template's, is from now on this user's; that is said."""
    from collector import ownership, signing
    from collector.errors import KeyUnusable

    try:
        owners = ownership.read(results)
        if owners.is_claimed and not owners.is_template:
            return
        public = signing.public(signing.own())
        count = ownership.claim(results, public)
    except KeyUnusable as error:  # what was stored is safe, and the folder stays as it was
        say(f"{error.happened} {error.remedy}")
        return
    said = f"Your key {signing.short(public)} is in {results.keys} now: what it signs is this repository's."
    if count:
        others = "is the file" if count == 1 else f"are the {count} files"
        said += f" So {others} that lay here before ({results.unsigned.name})."
    say(said)
