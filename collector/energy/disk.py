"""Bytes that processes had the disk read: of an engine that is measured, weights that had left memory."""

import struct
from collections.abc import Iterable
from pathlib import Path

from collector import energy
from collector.memory import macos

DISKIO_BYTESREAD = 144  # in struct rusage_info_v2 and later, xnu bsd/sys/resource.h


def bytes_read(pids: Iterable[int]) -> int | None:
    """Since these processes began, all together; None where one of them cannot be asked, or there is none."""
    counts = [_of(pid) for pid in pids]
    known = [count for count in counts if count is not None]
    return sum(known) if counts and len(known) == len(counts) else None


def _of(pid: int) -> int | None:
    if energy.IS_MACOS:
        usage = macos.read_usage(pid)
        return None if usage is None else int(struct.unpack_from("<Q", usage, DISKIO_BYTESREAD)[0])
    try:
        said = Path(f"/proc/{pid}/io").read_text()
    except OSError:
        return None
    fields = dict(line.split(": ") for line in said.splitlines())
    return int(fields["read_bytes"])
