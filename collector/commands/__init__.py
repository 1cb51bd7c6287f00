"""The commands. Only this folder prints and exits: results to stdout, everything else to stderr."""

import click

from collector.errors import CollectorError


def say(text: str) -> None:
    """A line for the person, on stderr."""
    click.echo(text, err=True)


def complain(error: CollectorError) -> None:
    """What happened, then what to do."""
    say(f"{click.style('error:', fg='red', bold=True)} {error.happened}\n       {error.remedy}")
