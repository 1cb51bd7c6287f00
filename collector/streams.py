"""Standard output and error that bear a reader who has gone: a closed pipe, a closed terminal, a full disk.

Measuring must not end because nobody listens any more.
"""

import contextlib
import errno
import io
import sys
from collections.abc import Iterator
from typing import Any

GONE = (errno.EPIPE, errno.EIO, errno.ENXIO)  # a pipe that nobody reads, a terminal that was closed


class _Bearing(io.FileIO):
    """Writes to the descriptor of another stream, and is silent where that fails."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream.fileno(), "wb", closefd=False)
        self.failure: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in GONE:
                self.failure = error
            return len(data)


@contextlib.contextmanager
def bearing() -> Iterator[list[OSError]]:
    """Both streams are so meanwhile; afterwards the list holds why output was lost that somebody may be waiting for."""
    lost: list[OSError] = []
    out: Any = sys.stdout  # None where the program was started with it closed
    err: Any = sys.stderr
    raw = _Bearing(out) if out and out is sys.__stdout__ else None
    if out and raw:
        sys.stdout = _as(out, raw)
    if err and err is sys.__stderr__:
        sys.stderr = _as(err, _Bearing(err))
    try:
        yield lost
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream:
                stream.flush()
        sys.stdout, sys.stderr = out, err
        if raw and raw.failure:
            lost.append(raw.failure)


def _as(stream: Any, raw: _Bearing) -> io.TextIOWrapper:
    """The same stream on top of another way of writing."""
    stream.flush()
    buffered = io.BufferedWriter(raw)
    return io.TextIOWrapper(
        buffered, stream.encoding, stream.errors, line_buffering=stream.isatty(), write_through=True
    )
