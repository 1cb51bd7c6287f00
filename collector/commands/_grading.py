"""Grading after measuring: the same for `collect`, `collect plan` and `collect grade`."""

from pathlib import Path
from typing import TYPE_CHECKING

from collector.commands import say

if TYPE_CHECKING:
    from collector.grading import Graders
    from collector.schema import Results

WITHOUT_SANDBOX = (
    "Programs that models wrote were not run: there is no sandbox. Install it in the clone, "
    "`pip install -e '.[sandbox]'`, then `collect grade`."
)
LATER = "Stopped before all outputs were graded; `collect grade` does that."
FOUND = """
    with grades as (from raw_grades where list_contains($files, file))
    select
        count(distinct (run_id, op_index)) as output_count,
        count(*) filter (outcome = 'not run' and tier = 'Q1') as not_run_count,
        (
            select string_agg(n || ' ' || replace(check_id, '_', ' '), ', ' order by check_id)
            from (select check_id, count(*) as n from grades where tier = 'Q0' and outcome = 'fail' group by check_id)
        ) as flaws,
        (
            select string_agg(n || ' ' || outcome, ', ' order by outcome)
            from (select outcome, count(*) as n from grades where tier = 'Q1' group by outcome)
        ) as checks,
        count(*) filter (starts_with(detail, $trouble)) as trouble_count,
        any_value(detail) filter (starts_with(detail, $trouble)) as trouble
    from grades
"""


def after(results: "Results", run: Path) -> None:
    """Grade a run that was just measured; where that fails or is stopped it is said, and the run is safe."""
    from collector import stopping
    from collector.errors import StoreFailed

    if stopping.asked():
        say(LATER)
        return
    try:
        grade(results, [run])
    except StoreFailed as error:
        say(f"{error.happened} {error.remedy}")
    except KeyboardInterrupt:
        say(LATER)


def grade(results: "Results", runs: list[Path]) -> tuple[int, int]:
    """Grade these runs where that is new, and measure similarities that are missing: files written, runs unreadable.

    A run that cannot be read is said, and the others go on. Raises StoreFailed.
    """
    from collector import grading
    from collector.commands import _ask
    from collector.errors import RunDamaged, SandboxFailed
    from collector.sandbox import Sandbox, available

    written: list[Path] = []
    damaged = 0
    with Sandbox() as sandbox:
        graders = grading.Graders.ready(sandbox.execute if available() else None)
        for run in runs:
            try:
                path = graders.grade(results, run)
            except RunDamaged as error:
                say(f"{error.happened} {error.remedy}")
                damaged += 1
                continue
            except SandboxFailed as error:  # its interpreter is fetched when the first program is to be run
                say(f"{error.happened} {error.remedy}")
                graders = grading.Graders.ready(None)
                path = graders.grade(results, run)
            written += [path] if path else []
    if written:
        _tell(results, written, graders)
    pairs = _ask.rows(results, "from similarity_wanted")
    if path := grading.compare(results, pairs):
        written.append(path)
        say(f"Similarity was measured for {len(pairs)} {'pair' if len(pairs) == 1 else 'pairs'} of outputs.")
    return len(written), damaged


def _tell(results: "Results", files: list[Path], graders: "Graders") -> None:
    from collector.commands import _ask
    from collector.graders import TROUBLE

    [found] = _ask.rows(results, FOUND, files=[path.name for path in files], trouble=TROUBLE)
    say(f"{found['output_count']} outputs graded: {found['flaws'] or 'none with a flaw'}.")
    if found["checks"]:
        say(f"Checks: {found['checks']}.")
    if found["not_run_count"] and graders.execute is None:
        say(WITHOUT_SANDBOX)
    if found["trouble_count"]:
        say(f"Of them {found['trouble_count']} for {found['trouble']}; `collect grade` runs them again.")
