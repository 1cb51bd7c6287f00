"""From stored outputs to stored grades: one file for a run and a set of graders; the runs never change."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector import graders, measure, similarity, store, suite
from collector.backends import Facts
from collector.errors import RunDamaged
from collector.graders import Graded, Output
from collector.judgments import GRADE, GRADES_FORMAT
from collector.schema import OUTPUT_FLAWS, Results

if TYPE_CHECKING:
    from collector.sandbox import Execute

JUDGED = ("request", "quality", "fidelity")  # operations whose texts are judged
CHECKED = ("quality",)  # and those that could end by themselves: only there a suite's checks are asked
READ = (
    *("run_id", "op_index", "op", "prompt_id", "prompt_sha256", "repeat"),
    *("output_text", "reasoning_text", "finish_reason", "error_kind"),
)
REMEDY = "The run itself is safe; make room or mend the folder, then `collect grade`."


@dataclass(frozen=True)
class Graders:
    """All that grading takes, read once: the prompts there are, and what tells these graders from others."""

    execute: "Execute | None"
    prompts: dict[str, suite.Prompt]
    fingerprint: str

    @classmethod
    def ready(cls, execute: "Execute | None") -> "Graders":
        """As the graders and suites are now; `execute` is the sandbox, or None. Raises SuiteInvalid."""
        prompts = suite.known()
        declared = sorted(check.sha256 for prompt in prompts.values() for check in prompt.checks)
        told = f"{graders.fingerprint(execute is not None)} {declared}"
        return cls(execute, prompts, hashlib.sha256(told.encode()).hexdigest()[:8])

    def grade(self, results: Results, run: Path) -> Path | None:
        """Grade a run's outputs and store that; None when that was done before, or there is nothing to be graded.

        Where this machine could not run a program, what else was found is stored under a name that leaves the whole to
        be graded again. Raises RunDamaged, StoreFailed, SandboxFailed.
        """
        target = results.grades / f"{run.stem}-{self.fingerprint}.parquet"
        if target.exists():
            return None
        graded_at = measure.utc_now()
        rows = [
            {**_about(row, output), **_row(graded), "graded_at": graded_at}
            for row, output, checks in outputs(run, self.prompts)
            for graded in graders.grade(output, checks, self.execute)
        ]
        if any(str(row["detail"]).startswith(graders.TROUBLE) for row in rows):
            target = target.with_stem(f"{target.stem}-in-part")
            if target.exists():
                return None
        return _keep(results, target, rows)


def compare(results: Results, pairs: list[Facts]) -> Path | None:
    """Measure how alike the texts of these pairs are and store that; None without pairs. Raises StoreFailed.

    A pair: `run_id, op_index, prompt_id, prompt_sha256, text, text_sha256` and the other's `other_…` of the last four.
    """
    graded_at = measure.utc_now()
    rows = [
        {
            **{name: value for name, value in pair.items() if name not in ("text", "other_text")},
            "check_id": name,
            "tier": "Q2",
            "outcome": "measured",
            "share": alike(pair["text"], pair["other_text"]),
            "grader": "similarity",
            "grader_version": similarity.VERSION,
            "graded_at": graded_at,
        }
        for pair in pairs
        for name, alike in similarity.MEASURES.items()
    ]
    named = "".join(f"{pair['text_sha256']}{pair['other_sha256']}" for pair in pairs)
    about = hashlib.sha256(named.encode()).hexdigest()[:12]
    return _keep(results, results.grades / f"similarity-{graded_at:%Y%m%dt%H%M%Sz}-{about}.parquet", rows)


def outputs(run: Path, prompts: dict[str, suite.Prompt]) -> Iterator[tuple[Facts, Output, tuple[graders.Check, ...]]]:
    """The outputs of a run that are judged, each with its row and the checks of its prompt. Raises RunDamaged."""
    for row in _read(run):
        failed = row["error_kind"] is not None and row["error_kind"] not in OUTPUT_FLAWS
        if row["op"] not in JUDGED or failed:
            continue
        prompt = prompts.get(row["prompt_sha256"])
        answer, reasoning = row["output_text"] or "", row["reasoning_text"] or ""
        output = Output(answer, reasoning, row["finish_reason"], prompt.language if prompt else None)
        yield row, output, prompt.checks if prompt and row["op"] in CHECKED else ()


def _read(run: Path) -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(run, page_checksum_verification=True)
        there = [name for name in READ if name in file.schema_arrow.names]
        rows: list[dict[str, Any]] = file.read(columns=there).to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        said = str(error).partition("\n")[0]
        raise RunDamaged(f"{run.name} cannot be read: {said}", "Fetch it again from where it was made.") from None
    return [{name: row.get(name) for name in READ} for row in rows]


def _about(row: Facts, output: Output) -> Facts:
    names = ("run_id", "op_index", "prompt_id", "prompt_sha256")
    return {**{name: row[name] for name in names}, "text_sha256": output.sha256}


def _row(graded: Graded) -> Facts:
    return {
        "check_id": graded.check.id,
        "tier": graded.tier,
        "outcome": graded.grade.outcome,
        "share": graded.grade.share,
        "detail": graded.grade.detail,
        "grader": graded.check.grader,
        "grader_version": graded.version,
        "check_sha256": graded.check.sha256 if graded.check.declared else None,
    }


def _keep(results: Results, target: Path, rows: list[Facts]) -> Path | None:
    if not rows:
        return None
    table = store.rows_as_table(rows, GRADE, GRADES_FORMAT)
    store.keep(results, table, target, "grades", "The grades", REMEDY)
    return target
