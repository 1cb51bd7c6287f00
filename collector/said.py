"""What servers said of failures, word for word: for whoever measures here, never published, never grows without end."""

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from collector.clock import utc_now

NAME = "said.log"  # among the journals, which git ignores
MOST_BYTES = 5_000_000  # of the file; an older one is kept beside it


def keep(file: Path, run_id: str, failures: Iterable[tuple[str, str | None, str]]) -> None:
    """Add a line of JSON for each failure: operation, kind, words. A disk that takes no more costs these alone."""
    at = utc_now().isoformat(timespec="seconds")
    lines = [
        json.dumps({"at": at, "run_id": run_id, "op": op, "error_kind": kind, "said": text}, ensure_ascii=False) + "\n"
        for op, kind, text in failures
    ]
    if not lines:
        return
    with contextlib.suppress(OSError):
        if file.exists() and file.stat().st_size > MOST_BYTES:
            file.replace(file.with_suffix(".older"))
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as log:
            log.write("".join(lines).encode("utf-8", "replace"))
