"""What every command that measures does first: save and tidy up what a killed process left, and be alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from collector.commands import say

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from collector.schema import Results
    from collector.store import Refused


def folder(given: str | None) -> "Results":
    """The results folder, with runs in it that were cut off saved. Raises StoreFailed, KeyUnusable."""
    from collector import embedded_model, store, wheel
    from collector.commands import _owner
    from collector.sandbox import interpreter
    from collector.schema import Results

    results = Results.find(given)
    _owner.tell(results)
    for saved in store.recover(results, refusal):
        say(f"An earlier run was cut off; what it had measured is saved as {saved.name}.")
    for kept in store.set_aside(results):
        say(f"A journal there cannot be read whole; what could be read is saved, and it is kept as {kept}.")
    caches = (embedded_model.CACHE, interpreter.CACHE)
    if removed := [*store.sweep(results), *(name for cache in caches for name in wheel.sweep(cache))]:
        say(f"Removed what a process that was killed had begun to write: {', '.join(removed)}.")
    return results


def refusal(path: "Path") -> "Refused | None":
    """Why the site would not read a run file; None where it would."""
    from collector.store import Refused
    from site_src.run_file import TooMuch, Untrusted, read_run

    try:
        read_run(path)
    except Untrusted as reason:
        return Refused(str(reason), isinstance(reason, TooMuch))
    return None


@contextmanager
def alone(url: str) -> Iterator[None]:
    """Nobody else measures the server meanwhile. Raises ServerBusy."""
    from collector import server_lock

    with server_lock.hold(url) as killed:
        if killed:
            say(f"Process {killed} was killed while it measured this server; its lock is taken over.")
        yield


def connect(url: str) -> "httpx.Client":
    """A client for the server at `url`, with the token for it and the certificate to trust.

    Raises ServerNotFound, TokenInvalid.
    """
    from collector import measure
    from collector.commands.run import CA
    from collector.privacy import api_token

    context = click.get_current_context(silent=True)
    trusted = (context.meta.get(CA) if context else None) or os.environ.get("SSL_CERT_FILE")
    return measure.connect(url, api_token.token(), trusted=trusted)
