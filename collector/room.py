"""Room on the disk of the results, kept from the start of a run until it is needed.

A nameless file takes it: nothing is left over, whatever becomes of the process.
"""

import errno
import os
import tempfile
from pathlib import Path

BYTES = 16_000_000  # a journal of 300 answers of 1,000 tokens, or the run file made of it
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class Room:
    """So many bytes beside the results. Raises OSError where they cannot be had."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # `close` closes it
        try:
            _fill(self._file.fileno())
        except OSError:
            self._file.close()
            raise

    def give_back(self) -> bool:
        """Let others have it; whether there was any left to give."""
        had = os.fstat(self._file.fileno()).st_size > 0
        os.ftruncate(self._file.fileno(), 0)
        return had

    def close(self) -> None:
        """Give back what is left."""
        self._file.close()


def _fill(descriptor: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, BYTES)
        return
    zeros = bytes(1 << 20)  # macOS
    for start in range(0, BYTES, len(zeros)):
        os.pwrite(descriptor, zeros, start)
