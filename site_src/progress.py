"""What a build is doing, on the last line of a terminal; elsewhere nothing is said.

A build of less than a second says nothing but what it came to.
"""

import sys

from collector.clock import clock

QUIET_S, STEP_S = 1.0, 0.1
_began: list[float] = []  # when the build's first step was told, and when the last line was written


def step(what: str, done: int, of: int) -> None:
    """So many of these are done: `pages 12 of 92`."""
    if not sys.stderr.isatty():
        return
    now = clock() / 1e9
    if not _began:
        _began[:] = [now, now]
    if now - _began[0] >= QUIET_S and (now - _began[1] >= STEP_S or done == of):
        _began[1] = now
        sys.stderr.write(f"\r\x1b[K{what} {done} of {of}")
        sys.stderr.flush()


def ended(said: str = "") -> None:
    """The build has made what it had to; or it failed, and its error stands on a line of its own."""
    _began.clear()
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{said}\n" if said else "\r\x1b[K")
        sys.stderr.flush()
