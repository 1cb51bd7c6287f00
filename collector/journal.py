"""The journal of a run in progress: each finished operation at once, so that a killed process loses at most one.

Lines of JSON: `{"facts": {…}}` adds run columns, `{"operation": {…}}` one finished operation. The collector holds a
lock on the file while it lives; a journal nobody holds is a run that was killed, and the next `collect` saves it.
"""

import fcntl
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from collector.backends import Facts
from collector.errors import StoreFailed
from collector.schema import Results, is_locked


class Journal:
    """A journal being written. Use it as a context manager; `remove` it when the run file stands."""

    def __init__(self, results: Results, run_id: str) -> None:
        self.path = results.journals / f"{run_id}.jsonl"
        try:
            results.journals.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("x", encoding="utf-8")
        except OSError as error:
            raise StoreFailed(
                f"The results folder {results.root} cannot be written: {error.strerror or error}.",
                "Pass another one with --results, or mend its permissions. Nothing was measured.",
            ) from error
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def facts(self, facts: Facts) -> None:
        """Add run columns; a later value replaces an earlier one."""
        self._line({"facts": facts})

    def operation(self, row: Facts) -> None:
        """Add one finished operation."""
        self._line({"operation": row})

    def remove(self) -> None:
        """The run file stands, or there was nothing to keep."""
        self.path.unlink(missing_ok=True)

    def _line(self, content: dict[str, Any]) -> None:
        self._file.write(json.dumps(content, default=_plain) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def read(path: Path) -> tuple[Facts, list[Facts]]:
    """The run's facts and its finished operations; a line cut off by the crash, and what follows it, is left out."""
    facts: Facts = {}
    operations: list[Facts] = []
    for line in path.read_bytes().split(b"\n"):  # not splitlines: stored text may hold U+2028
        try:
            content = json.loads(line)
        except ValueError:
            break
        facts |= content.get("facts", {})
        operations += [content["operation"]] if "operation" in content else []
    if isinstance(facts.get("run_started_at"), str):
        facts["run_started_at"] = datetime.fromisoformat(facts["run_started_at"])
    return facts, operations


def left_over(results: Results) -> list[Path]:
    """Journals of runs whose process is gone."""
    return [path for path in sorted(results.journals.glob("*.jsonl")) if not is_locked(path)]


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not belong in a journal")
