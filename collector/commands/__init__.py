"""The commands. Only this folder prints and exits: results to stdout, everything else to stderr."""

import os

import click

from collector.children import API_TOKEN
from collector.errors import CollectorError
from site_src.visible import visible


def say(text: str) -> None:
    """A line for the person, on stderr. A server's words in it do not steer the terminal, nor tell the API token."""
    click.echo(visible(_without_token(text)), err=True)


def complain(error: CollectorError) -> None:
    """What happened, then what to do."""
    said = visible(_without_token(f"{error.happened}\n       {error.remedy}"))
    click.echo(f"{click.style('error:', fg='red', bold=True)} {said}", err=True)


def _without_token(text: str) -> str:
    if not os.environ.get(API_TOKEN):
        return text
    from collector.privacy.api_token import without

    return without(text)
