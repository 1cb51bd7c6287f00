"""Grades are files beside the runs: whole, new for new graders, tied to the text they are about."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from collector import graders, grading, sandbox
from collector.commands import _grading
from collector.commands.grade import command
from collector.errors import SandboxFailed, StoreFailed
from collector.judgments import GRADE, GRADES_FORMAT
from collector.schema import Results, arrow_schema
from site_src.warehouse import Warehouse
from tests.conftest import request
from tests.texts import LOOP, RIGHT, WRONG, answer, answers, graded

Given = Callable[..., Warehouse]


def grades(results: Results) -> list[dict[str, Any]]:
    return [row for path in sorted(results.grades.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def the_run(results: Results) -> Path:
    [path] = results.runs.glob("*.parquet")
    return path


def typed(results: Results, exit_code: int = 0) -> str:
    done = CliRunner().invoke(command, ["--results", str(results.root)])
    assert done.exit_code == exit_code, done.output
    return done.output


def test_every_output_is_graded_for_validity_and_answers_for_what_the_suite_asks(
    given: Given, results: Results
) -> None:
    given([*answers(), *answers({"short": LOOP}, op="request"), request("short", output_text="好" * 9)])
    graded(results)
    found = grades(results)
    assert {row["check_id"] for row in found if row["op_index"] == 5} == set(graders.names("Q0"))
    of_short = {row["check_id"]: row["outcome"] for row in found if row["op_index"] == 0}
    assert of_short == {**dict.fromkeys(graders.names("Q0"), "pass"), "answer_facts": "pass"}
    assert {row["outcome"] for row in found if row["op_index"] == 5 and row["check_id"] == "degenerate"} == {"fail"}
    assert {row["op_index"] for row in found} == set(range(7))


def test_what_is_no_output_is_not_graded(given: Given, results: Results) -> None:
    ops = ("warmup", "warm", "context", "load", "probe")
    given([*(answer("short", "x", op=op) for op in ops), answer("short", "", error_kind="timeout")])
    graded(results)
    assert grades(results) == []


def test_flaws_of_what_was_written_are_graded(given: Given, results: Results) -> None:
    given([answer("short", "<|im_end|>", error_kind="template_leak")])
    graded(results)
    assert {row["check_id"] for row in grades(results) if row["outcome"] == "fail"} >= {"template_leak"}


def test_the_file_has_the_columns_and_their_format(given: Given, results: Results) -> None:
    given(answers())
    graded(results)
    [path] = results.grades.glob("*.parquet")
    assert pq.read_schema(path).equals(arrow_schema(GRADE, GRADES_FORMAT))
    assert pq.read_schema(path).metadata[b"format"].decode() == GRADES_FORMAT
    assert path.name.startswith(the_run(results).stem)
    row = next(row for row in grades(results) if row["check_id"] == "python_sort")
    assert (row["tier"], row["outcome"], row["grader_version"]) == (
        "Q1",
        "not run",
        graders.read("python_sort").VERSION,
    )
    assert len(row["check_sha256"]) == len(row["text_sha256"]) == 64


def test_grading_twice_writes_once_and_the_run_stays_as_it_was(given: Given, results: Results) -> None:
    given(answers())
    before = the_run(results).read_bytes()
    assert grading.Graders.ready(None).grade(results, the_run(results))
    assert grading.Graders.ready(None).grade(results, the_run(results)) is None
    assert the_run(results).read_bytes() == before


@pytest.mark.parametrize("change", ["version", "sandbox", "check"])
def test_a_better_grader_grades_again_and_its_word_counts(
    given: Given, results: Results, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    warehouse = given(answers())
    asked = "select outcome, detail, grader_version from stg_grades where check_id = 'python_sort'"
    graded(results)
    warehouse.refresh()
    assert [row["outcome"] for row in warehouse.rows(asked)] == ["not run"]
    execute, version = None, graders.read("python_sort").VERSION
    if change == "version":
        monkeypatch.setattr(graders.read("python_sort"), "VERSION", version + 1)
        monkeypatch.setattr(graders, "fingerprint", lambda has_sandbox: "another")  # its text has changed
    elif change == "sandbox":
        execute = sandbox.execute
    else:
        monkeypatch.setattr(graders.Check, "sha256", property(lambda check: "f" * 64))
    graded(results, execute)
    warehouse.refresh()
    assert len(list(results.grades.glob("*.parquet"))) == 2
    [row] = warehouse.rows(asked)
    assert (row["outcome"], row["grader_version"]) == (
        "pass" if execute else "not run",
        version + (change == "version"),
    )


def test_a_check_that_was_run_counts_before_a_later_one_that_was_not(given: Given, results: Results) -> None:
    warehouse = given(answers())
    graded(results, sandbox.execute)
    graded(results, None)
    warehouse.refresh()
    [row] = warehouse.rows("select outcome from stg_grades where check_id = 'python_sort'")
    assert row["outcome"] == "pass"


def test_a_prompt_that_no_suite_has_any_more_gets_validity_alone(given: Given, results: Results) -> None:
    given([answer("short", RIGHT["short"], prompt_sha256="0" * 64)])
    graded(results)
    assert {row["tier"] for row in grades(results)} == {"Q0"}
    [language] = [row for row in grades(results) if row["check_id"] == "language"]
    assert language["outcome"] == "not run"


# ---------------------------------------------------------------- files that somebody sends


def test_a_grade_of_another_text_does_not_count(given: Given, results: Results) -> None:
    warehouse = given(answers(WRONG))
    graded(results)
    [path] = results.grades.glob("*.parquet")
    table = pq.read_table(path)
    forged = [{**row, "outcome": "pass", "text_sha256": "0" * 64, "grader_version": 9} for row in table.to_pylist()]
    from collector.store import rows_as_table

    pq.write_table(
        rows_as_table(forged, GRADE, GRADES_FORMAT), results.grades / "forged.parquet", write_page_checksum=True
    )
    warehouse.refresh()
    assert warehouse.rows("select 1 from raw_grades where file = 'forged.parquet'")
    assert {row["outcome"] for row in warehouse.rows("select outcome from stg_grades where check_id = 'concepts'")} == {
        "fail"
    }


@pytest.mark.parametrize("kind", ["a run", "noise", "another format"])
def test_a_file_that_holds_no_grades_is_named_and_left_out(given: Given, results: Results, kind: str) -> None:
    warehouse = given(answers())
    results.grades.mkdir()
    path = results.grades / "x.parquet"
    if kind == "a run":
        shutil.copy(the_run(results), path)
    else:
        path.write_bytes(b"PAR1" + bytes(200) if kind == "noise" else b"")
    warehouse.refresh()
    [row] = warehouse.rows("from damaged_files")
    assert (row["folder"], row["file"]) == ("grades", "x.parquet")
    assert row["reason"]
    path.unlink()
    warehouse.refresh()
    assert warehouse.rows("from damaged_files") == []


# ---------------------------------------------------------------- the command


def test_the_command_says_what_it_found_and_then_that_all_is_done(
    given: Given, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "available", lambda: False)
    given([*answers(), answer("short", LOOP, op="request")])
    said = typed(results)
    assert "6 outputs graded: 1 degenerate." in said
    assert "Checks: 1 agrees, 1 not run, 3 pass." in said
    assert "there is no sandbox" in said
    assert "1 file of grades written" in said
    assert typed(results) == "Everything is graded already.\n"


def test_a_sandbox_that_cannot_be_had_is_said_once_and_all_else_is_graded(
    given: Given, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise SandboxFailed("The interpreter could not be downloaded.", "Check the network.")

    monkeypatch.setattr(sandbox.Sandbox, "execute", refuse)
    given(answers(), answers(repeat=2))
    said = typed(results)
    assert said.count("The interpreter could not be downloaded. Check the network.") == 1
    assert "Checks: 2 agrees, 2 not run, 6 pass." in said


def test_timed_outputs_alone_need_no_sandbox(given: Given, results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox.Sandbox, "execute", lambda *_: pytest.fail("nothing is to be run"))
    given(answers(op="request"))
    assert "5 outputs graded: none with a flaw." in typed(results)


def test_without_runs_it_says_what_to_do(results: Results) -> None:
    assert "`collect` measures" in typed(results)


def test_a_run_that_cannot_be_read_is_said_and_the_others_are_graded(
    given: Given, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "available", lambda: False)
    given(answers())
    (results.runs / "a.parquet").write_bytes(b"PAR1 no")
    said = typed(results, exit_code=1)
    assert "a.parquet cannot be read" in said
    assert "1 file of grades written" in said
    assert typed(results, exit_code=1).endswith("All others are graded already.\n")


def test_after_measuring_a_folder_that_cannot_be_written_is_said_and_no_error(
    given: Given, results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    given(answers(op="request"))
    results.grades.write_text("no folder", encoding="utf-8")
    _grading.after(results, the_run(results))
    assert "The grades could not be written" in capsys.readouterr().err
    assert isinstance(CliRunner().invoke(command, ["--results", str(results.root)]).exception, StoreFailed)


def test_a_folder_that_cannot_be_written_loses_no_run(given: Given, results: Results) -> None:
    given(answers())
    results.grades.write_text("no folder", encoding="utf-8")
    with pytest.raises(StoreFailed, match="The grades could not be written"):
        grading.Graders.ready(None).grade(results, the_run(results))
    assert the_run(results).exists()


# ---------------------------------------------------------------- similarity


def fidelity(texts: dict[str, str], again: dict[str, str] | None = None) -> list[dict[str, Any]]:
    both = enumerate((texts, again or texts), start=1)
    return [answer(prompt, text, "fidelity", repeat) for repeat, said in both for prompt, text in said.items()]


def measured(warehouse: Warehouse, results: Results) -> list[dict[str, Any]]:
    grading.compare(results, warehouse.rows("from similarity_wanted"))
    warehouse.refresh()
    assert warehouse.rows("from similarity_wanted") == []
    return warehouse.rows("from similarity order by bits desc, measure")


def test_a_configuration_against_itself_is_the_noise_floor_and_a_shuffled_text_lies_below(
    given: Given, results: Results
) -> None:
    changed = {**RIGHT, "short": RIGHT["short"].replace("叠加", "迭加")}
    shuffled = {prompt: text[::-1] for prompt, text in RIGHT.items()}
    warehouse = given(
        [{"quantization": "Q8_0", "file_bytes": 243 * 10**9}, *fidelity(RIGHT, changed)],
        [{"quantization": "Q4_K_M"}, *fidelity(shuffled)],
    )
    rows = measured(warehouse, results)
    itself = {row["measure"]: row for row in rows if row["is_reference"]}
    other = {row["measure"]: row for row in rows if not row["is_reference"]}
    assert itself.keys() == other.keys() == {"first_divergence", "edit_similarity", "chrf"}
    for name, row in itself.items():
        assert row["similarity"] == row["noise_floor"] == other[name]["noise_floor"] < 1
        assert (row["verdict"], row["prompt_count"], row["pair_count"]) == ("the noise floor", 5, 5)
        assert other[name]["similarity"] < row["similarity"]
        assert other[name]["floor_difference_high"] < 0
        assert other[name]["verdict"] == "below the noise floor"
        assert (other[name]["prompt_count"], other[name]["pair_count"]) == (5, 10)


def test_equal_texts_are_not_below_the_floor(given: Given, results: Results) -> None:
    warehouse = given([{"quantization": "Q8_0"}, *fidelity(RIGHT)], [{"quantization": "Q4_K_M"}, *fidelity(RIGHT)])
    rows = measured(warehouse, results)
    assert {(row["similarity"], row["floor_difference"]) for row in rows} == {(1.0, 0.0)}
    assert {row["verdict"] for row in rows if not row["is_reference"]} == {"inconclusive"}


def test_what_was_compared_is_all_that_was_generated_reasoning_first(given: Given, results: Results) -> None:
    warehouse = given([answer("short", "乙", "fidelity", n, reasoning_text="甲") for n in (1, 2)])
    [pair] = warehouse.rows("from similarity_wanted")
    assert (pair["text"], pair["other_text"]) == ("甲乙", "甲乙")


def test_nothing_is_compared_with_another_model_machine_or_engine(given: Given, results: Results) -> None:
    warehouse = given(
        [{"quantization": "Q8_0"}, *fidelity(RIGHT)],
        [{"quantization": "Q4_K_M", "chip": "Apple M4 Max"}, *fidelity(RIGHT)],
        [{"quantization": "4bit", "runtime": "mlx"}, *fidelity(RIGHT)],
        [{"quantization": "Q4_K_M", "model_key": "qwen3-coder-next"}, *fidelity(RIGHT)],
    )
    for pair in warehouse.rows("from similarity_wanted"):
        assert pair["run_id"] == pair["other_run_id"]


def test_of_several_passes_the_latest_is_compared(given: Given, results: Results) -> None:
    warehouse = given(fidelity(WRONG), fidelity(RIGHT))
    pairs = warehouse.rows("from similarity_wanted")
    assert {pair["run_id"] for pair in pairs} == {f"{1:012x}"}
    assert len(pairs) == 5
