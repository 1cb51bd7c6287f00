"""Grading after measuring: the same for `collect`, `collect plan` and `collect grade`."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from collector.commands import say

if TYPE_CHECKING:
    from collector.sandbox import Execute
    from collector.schema import Results

WITHOUT_SANDBOX = (
    "Programs that models wrote were not run: there is no sandbox. `pip install 'llm-mac-512[sandbox]'` "
    "(`pip install -e '.[sandbox]'` in a clone), then `collect grade`."
)


def grade(results: "Results", runs: list[Path]) -> int:
    """Grade these runs where that is new, and measure similarities that are missing; how many files were written.

    A run that cannot be read or a full disk is said, and the others go on.
    """
    from collector import grading
    from collector.errors import StoreFailed

    execute = sandbox()
    written = 0
    for run in runs:
        try:
            path = grading.grade_run(results, run, execute)
        except StoreFailed as error:
            say(f"{error.happened} {error.remedy}")
            continue
        if path:
            written += 1
            _tell(path, execute is not None)
    pairs = _wanted(results)
    if pairs and grading.compare(results, pairs):
        written += 1
        say(f"Similarity was measured for {len(pairs)} {'pair' if len(pairs) == 1 else 'pairs'} of outputs.")
    return written


def sandbox() -> "Execute | None":
    """What runs programs that models wrote; None, after saying why, where there is none."""
    from collector import sandbox
    from collector.errors import SandboxFailed

    if not sandbox.available():
        return None
    try:
        sandbox.interpreter.compiled()
    except SandboxFailed as error:
        say(f"{error.happened} {error.remedy}")
        return None
    return sandbox.execute


def _tell(path: Path, has_sandbox: bool) -> None:
    import pyarrow.parquet as pq

    rows = pq.read_table(path, columns=["op_index", "check_id", "tier", "outcome"]).to_pylist()
    outputs = len({row["op_index"] for row in rows})
    flawed = Counter(row["check_id"] for row in rows if row["tier"] == "Q0" and row["outcome"] == "fail")
    checks = Counter(row["outcome"] for row in rows if row["tier"] == "Q1")
    flaws = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(flawed.items()))
    say(f"{outputs} outputs graded: {flaws or 'none with a flaw'}.")
    if checks:
        say(f"Checks: {', '.join(f'{count} {outcome}' for outcome, count in sorted(checks.items()))}.")
    if checks["not run"] and not has_sandbox:
        say(WITHOUT_SANDBOX)


def _wanted(results: "Results") -> "list[dict[str, object]]":
    from collector.commands import _ask

    return _ask.rows(results, "from similarity_wanted")
