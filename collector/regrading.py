"""Grades from elsewhere, made again: a grade counts where its text is here and these graders find the same in it."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from collector import graders, grading, litter, similarity, suite
from collector.backends import Facts
from collector.errors import RunDamaged
from collector.graders import Check, Output

if TYPE_CHECKING:
    from collector.sandbox import Execute
    from collector.schema import Results

MOST_PROGRAMS = 500  # of one look, each up to some seconds of computing time
SIMILAR = 1e-9  # shares that differ by less are the same


@dataclass
class Regrader:
    """Makes grades again from the texts in a results folder; each text and check once."""

    results: "Results"
    execute: "Execute | None"
    program_count: int = field(default=0, init=False)

    def faults(self, rows: list[Facts]) -> Iterator[tuple[int, str, str]]:
        """Of the rows that do not count: number, what was asked, and why, in words."""
        seen = set()
        for number, row in enumerate(rows):
            is_similarity = row["grader"] == "similarity"
            at = (row["run_id"], row["op_index"], row["check_id"], row["other_run_id"], row["other_op_index"])
            why = "the same is graded twice" if at in seen else None
            why = why or (self._of_similarity(row) if is_similarity else self._of_grade(row))
            seen.add(at)
            if why:
                yield number, row["check_id"] or "no check", why

    def _of_grade(self, row: Facts) -> str | None:
        if row["grader"] not in graders.names():
            return f"there is no grader {row['grader']}"
        grader = graders.read(row["grader"])
        if why := _version(row, grader.VERSION):
            return why
        found = self._text(row["run_id"], row["op_index"], row["text_sha256"])
        if isinstance(found, str):
            return found
        check = _check(row, found.checks)
        if check is None:
            return "the text's prompt has no such check"
        if row["tier"] != grader.TIER:
            return f"{row['grader']} is of tier {grader.TIER}, not {row['tier']}"
        if row["outcome"] == "not run":
            return None  # which says nothing, and never counts against what was run
        if check.grader in graders.RUN_CODE:
            if self.execute is None:
                return "it cannot be made again without the sandbox"
            self.program_count += 1
            if self.program_count > MOST_PROGRAMS:
                return f"more than {MOST_PROGRAMS} programs are not run at once"
        grade = graders.again(check, found.output, self.execute).grade
        return _difference(row, grade.outcome, grade.share, grade.detail)

    def _of_similarity(self, row: Facts) -> str | None:
        if row["tier"] != "Q2" or row["check_id"] not in similarity.MEASURES:
            return f"there is no measure {row['check_id']} of similarity"
        if why := _version(row, similarity.VERSION):
            return why
        texts = []
        for run_id, op_index, digest in (
            (row["run_id"], row["op_index"], row["text_sha256"]),
            (row["other_run_id"], row["other_op_index"], row["other_sha256"]),
        ):
            found = self._text(run_id, op_index, digest)
            if isinstance(found, str):
                return found
            texts.append(found.output.reasoning + found.output.answer)
        return _difference(row, "measured", similarity.MEASURES[row["check_id"]](*texts))

    def _text(self, run_id: str | None, op_index: int | None, digest: str | None) -> "_Text | str":
        """The output, if it is the one that the hash is of; else why not."""
        found = self._outputs(run_id).get(op_index) if run_id and op_index is not None else None
        if found is None:
            return f"run {run_id} has no output {op_index} here"
        return found if found.output.sha256 == digest else f"output {op_index} of run {run_id} is another text"

    @functools.cache  # noqa: B019 - it lives as long as one command
    def _outputs(self, run_id: str) -> "dict[int, _Text]":
        paths = litter.without(self.results.runs.glob(f"*-{run_id}.parquet"))
        try:
            outputs = [found for path in paths for found in grading.outputs(path, suite.known())]
        except RunDamaged:
            return {}
        return {row["op_index"]: _Text(output, checks) for row, output, checks in outputs if row["run_id"] == run_id}

    def __hash__(self) -> int:
        return id(self)


@dataclass(frozen=True)
class _Text:
    output: Output
    checks: tuple[Check, ...]


def _check(row: Facts, declared: tuple[Check, ...]) -> Check | None:
    """What was asked: a grader of every output, or a check of the prompt, by its hash."""
    if row["check_sha256"] is None:
        check = Check(row["check_id"], row["check_id"], {})
        return check if row["check_id"] == row["grader"] in graders.names("Q0") else None
    same = (row["check_id"], row["grader"], row["check_sha256"])
    return next((check for check in declared if (check.id, check.grader, check.sha256) == same), None)


def _version(row: Facts, newest: int) -> str | None:
    if row["grader_version"] == newest:
        return None
    return f"{row['grader']} is of version {newest}, not {row['grader_version']}"


def _difference(row: Facts, outcome: str, share: float | None, detail: str | None = None) -> str | None:
    """What is not as it says, in words."""
    is_same = row["share"] == share or (None not in (row["share"], share) and abs(row["share"] - share) < SIMILAR)
    if row["outcome"] == outcome and is_same:
        return None
    told = f" ({detail})" if detail else ""
    return f"it says {_said(row['outcome'], row['share'])}, and made again it is {_said(outcome, share)}{told}"


def _said(outcome: Any, share: float | None) -> str:
    return f"{outcome}" if share is None else f"{outcome} {share:.3g}"
