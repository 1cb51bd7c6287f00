"""The commands. Only this folder prints and exits: results to stdout, everything else to stderr."""

import re

import click

from collector.errors import CollectorError

# What moves a terminal's cursor, colors it, or turns the direction of text around; the site's reports know the same.
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def say(text: str) -> None:
    """A line for the person, on stderr. What a server said in it does not steer the terminal."""
    click.echo(harmless(text), err=True)


def complain(error: CollectorError) -> None:
    """What happened, then what to do."""
    said = harmless(f"{error.happened}\n       {error.remedy}")
    click.echo(f"{click.style('error:', fg='red', bold=True)} {said}", err=True)


def harmless(text: str) -> str:
    """Text with a sign in the place of what would steer a terminal."""
    return STEERING.sub("\ufffd", text)
