"""The commands. Only this folder prints and exits: results to stdout, everything else to stderr."""

import click

from collector.errors import CollectorError
from site_src.visible import visible


def say(text: str) -> None:
    """A line for the person, on stderr. What a server said in it does not steer the terminal."""
    click.echo(visible(text), err=True)


def complain(error: CollectorError) -> None:
    """What happened, then what to do."""
    said = visible(f"{error.happened}\n       {error.remedy}")
    click.echo(f"{click.style('error:', fg='red', bold=True)} {said}", err=True)
