"""A grade from elsewhere counts where its text is here and these graders find the same in it again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from collector import grading, ownership, regrading, sandbox, signing, store
from collector.commands import grade, review, validate
from collector.judgments import GRADE, GRADES_FORMAT
from collector.schema import Results
from site_src.warehouse import Warehouse
from tests import keys
from tests.texts import RIGHT, answer, answers, graded

Given = Callable[..., Warehouse]
TEXTS = {name: RIGHT[name] for name in ("short", "reasoning", "instruction")}  # none that has to be run


def contributed(results: Results, change: Callable[[list[dict[str, Any]]], None]) -> Path:
    """The grades of the one run, changed."""
    graded(results)
    [own] = results.grades.glob("*.parquet")
    rows = pq.read_table(own).to_pylist()
    own.unlink()
    change(rows)
    path = results.grades / "contributed.parquet"
    ownership.claim(results, signing.public(keys.key("owner")))
    with keys.signing_as("stranger"):
        store.keep(results, store.rows_as_table(rows, GRADE, GRADES_FORMAT), path, "grades", "Grades", "")
    return path


def of(rows: list[dict[str, Any]], check: str) -> dict[str, Any]:
    return next(row for row in rows if row["check_id"] == check)


CHANGES: dict[str, tuple[str, Callable[[list[dict[str, Any]]], Any]]] = {
    "no such grader": ("there is no grader nobody", lambda rows: of(rows, "answer_facts").update(grader="nobody")),
    "a private module": ("there is no grader _text", lambda rows: of(rows, "answer_facts").update(grader="_text")),
    "a later version": ("not 1000000", lambda rows: of(rows, "answer_facts").update(grader_version=1_000_000)),
    "an earlier version": ("not 0", lambda rows: of(rows, "answer_facts").update(grader_version=0)),
    "no version": ("not None", lambda rows: of(rows, "answer_facts").update(grader_version=None)),
    "another check": ("has no such check", lambda rows: of(rows, "answer_facts").update(check_sha256="0" * 64)),
    "another id": ("has no such check", lambda rows: of(rows, "answer_facts").update(check_id="made-up")),
    "a check without its hash": ("has no such check", lambda rows: of(rows, "answer_facts").update(check_sha256=None)),
    "another tier": ("is of tier Q1", lambda rows: of(rows, "answer_facts").update(tier="Q0")),
    "another text": ("is another text", lambda rows: of(rows, "answer_facts").update(text_sha256="0" * 64)),
    "no such run": ("has no output 0 here", lambda rows: of(rows, "answer_facts").update(run_id="f" * 12)),
    "no such output": ("has no output 99 here", lambda rows: of(rows, "answer_facts").update(op_index=99)),
    "another outcome": ("it says fail 1, and made", lambda rows: of(rows, "answer_facts").update(outcome="fail")),
    "another share": ("it says pass 0.5, and made", lambda rows: of(rows, "answer_facts").update(share=0.5)),
    "no share": ("it says pass, and made", lambda rows: of(rows, "answer_facts").update(share=None)),
    "another validity": ("it says fail, and made", lambda rows: of(rows, "degenerate").update(outcome="fail")),
    "twice": ("graded twice", lambda rows: rows.append({**of(rows, "empty"), "outcome": "fail"})),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_grade_that_cannot_be_made_again_is_told_with_its_row(given: Given, results: Results, change: str) -> None:
    given(answers(TEXTS))
    why, changed = CHANGES[change]
    path = contributed(results, changed)
    rows = pq.read_table(path).to_pylist()
    [(number, check, told)] = regrading.Regrader(results, None).faults(rows)
    assert why in told
    assert rows[number]["check_id"] == check


def test_honest_grades_are_found_again(given: Given, results: Results) -> None:
    given(answers(TEXTS))
    path = contributed(results, lambda rows: None)
    rows = pq.read_table(path).to_pylist()
    assert rows
    assert list(regrading.Regrader(results, None).faults(rows)) == []


def test_a_program_is_run_again(given: Given, results: Results) -> None:
    given(
        [answer("medium", RIGHT["medium"]), answer("medium", "```python\ndef quick_sort(a): return a\n```", repeat=2)]
    )
    path = contributed(
        results, lambda rows: [row.update(outcome="pass", share=1.0) for row in rows if row["check_sha256"]]
    )
    rows = pq.read_table(path).to_pylist()
    told = list(regrading.Regrader(results, sandbox.execute).faults(rows))
    assert [(rows[number]["op_index"], check) for number, check, _ in told] == [(1, "python_sort")]
    assert "made again it is fail" in told[0][2]
    without = [why for _, _, why in regrading.Regrader(results, None).faults(rows)]
    assert without == ["it cannot be made again without the sandbox"] * 2


def test_no_file_has_more_programs_run_than_a_look_can_bear(
    given: Given, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    given([answer("medium", f"def f{n}(): 0", repeat=n) for n in range(1, 4)])
    path = contributed(
        results, lambda rows: [row.update(outcome="pass", share=1.0) for row in rows if row["check_sha256"]]
    )
    monkeypatch.setattr(regrading, "MOST_PROGRAMS", 1)
    told = regrading.Regrader(results, lambda *_: sandbox.Ran(0, None, "", "")).faults(pq.read_table(path).to_pylist())
    assert [why for _, _, why in told][1:] == ["more than 1 programs are not run at once"] * 2


def test_a_similarity_is_measured_again(given: Given, results: Results) -> None:
    warehouse = given([answer("short", text, "fidelity", n) for n, text in ((1, "甲乙丙"), (2, "甲乙丁"))])
    path = grading.compare(results, warehouse.rows("from similarity_wanted"))
    assert path
    rows = pq.read_table(path).to_pylist()
    assert list(regrading.Regrader(results, None).faults(rows)) == []
    rows[0]["share"] = 1.0
    rows[1]["check_id"] = "likeness"
    rows[2]["other_sha256"] = "0" * 64
    told = [why for _, _, why in regrading.Regrader(results, None).faults(rows)]
    assert ["made again" in told[0], "no measure likeness" in told[1], "another text" in told[2]] == [True] * 3


def test_the_commands_refuse_such_a_file_in_one_line(given: Given, results: Results) -> None:
    given(answers(TEXTS))
    path = contributed(results, CHANGES["another outcome"][1])
    done = CliRunner().invoke(validate.command, [str(path), "--results", str(results.root)])
    lines = done.output.splitlines()
    assert (done.exit_code, sum(line.startswith("error: ") for line in lines)) == (1, 1)
    assert "cannot be made again" in lines[0]
    assert "answer_facts: it says fail" in lines[0]
    assert "(row " in lines[0]
    done = CliRunner().invoke(review.command, [str(path), "--results", str(results.root)])
    assert done.exit_code == 1
    assert "cannot be made again" in done.output


def test_what_is_this_repositorys_own_is_trusted(given: Given, results: Results) -> None:
    given(answers(TEXTS))
    path = contributed(results, CHANGES["another outcome"][1])
    ownership.add_key(results, signing.public(keys.key("stranger")))
    done = CliRunner().invoke(validate.command, [str(path), "--results", str(results.root)])
    assert "made again" not in done.output


def test_honest_grades_pass_both_commands(given: Given, results: Results) -> None:
    given(answers(TEXTS))
    path = contributed(results, lambda rows: None)
    for command in (validate.command, review.command):
        done = CliRunner().invoke(command, [str(path), "--results", str(results.root)])
        assert done.exit_code == 0, done.output


# ---------------------------------------------------------------- what this machine could not run


def test_what_this_machine_could_not_run_is_graded_again_later(given: Given, results: Results) -> None:
    def refuse(*_: object) -> None:
        raise sandbox.HostTrouble("no room")

    warehouse = given(answers())
    asked = "select outcome from stg_grades where check_id in ('python_sort', 'answer_facts') order by all"
    for expected in (1, 1):  # in part, and not once more in part
        graded(results, refuse)
        assert len(list(results.grades.glob("*.parquet"))) == expected
    warehouse.refresh()
    assert [row["outcome"] for row in warehouse.rows(asked)] == ["not run", "pass"]
    graded(results, sandbox.execute)
    warehouse.refresh()
    assert [row["outcome"] for row in warehouse.rows(asked)] == ["pass", "pass"]
    assert grading.Graders.ready(sandbox.execute).grade(results, next(results.runs.iterdir())) is None


def test_the_command_says_what_this_machine_could_not_run(
    given: Given, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise sandbox.HostTrouble("no room")

    monkeypatch.setattr(sandbox.Sandbox, "execute", refuse)
    given(answers())
    said = CliRunner().invoke(grade.command, ["--results", str(results.root)]).output
    assert "Of them 1 for trouble of this machine: no room; `collect grade` runs them again." in said
