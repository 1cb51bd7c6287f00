"""Every output of the corpus gets, from every grader, the outcome that a careful reader gives it."""

import ast
import json
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from collector import graders, sandbox, suite
from collector.graders import Graded, Output, python_sort
from collector.graders._code import programs
from collector.graders._files import proposed
from collector.graders._text import split
from collector.sandbox import Execute
from tests import corpus
from tests.corpus import KINDS, Sample

SAMPLES = {sample.name: sample for sample in corpus.samples()}
CHECKS = [check for name in suite.names() for prompt in suite.read(name).prompts for check in prompt.checks]
RUNS_CODE = ("python_sort", "python_project")
MODULES = [*sorted(graders.FOLDER.glob("*.py")), graders.FOLDER.parent / "judgments.py"]


@pytest.fixture(scope="module")
def execute() -> Iterator[Execute]:
    """One sandbox for all of them."""
    with sandbox.Sandbox() as one:
        yield one.execute


@pytest.fixture(scope="module")
def said(execute: Execute) -> dict[str, dict[str, Graded]]:
    """What the graders say of each output; two at a time, since most of the time is the sandbox's."""
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda sample: sample.graded(execute), SAMPLES.values())
        return dict(zip(SAMPLES, found, strict=True))


# --- the corpus ---


@pytest.mark.parametrize("name", SAMPLES)
def test_an_output_gets_the_outcomes_a_reader_gives_it(name: str, said: dict[str, dict[str, Graded]]) -> None:
    expected = SAMPLES[name].expected
    got = {check: graded.grade.outcome for check, graded in said[name].items()}
    wrong = {check: said[name][check].grade.detail for check in got if got[check] != expected.get(check)}
    assert got == expected, wrong


def test_an_outcome_is_one_of_those_there_are(said: dict[str, dict[str, Graded]]) -> None:
    grades = [graded.grade for found in said.values() for graded in found.values()]
    assert {grade.outcome for grade in grades} == set(graders.OUTCOMES)
    assert all(grade.share is None or 0 <= grade.share <= 1 for grade in grades)


def test_the_corpus_holds_every_kind_of_output_and_real_ones() -> None:
    kinds = Counter(sample.kind for sample in SAMPLES.values())
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) >= 5
    assert sum(sample.origin != "written by hand" for sample in SAMPLES.values()) >= 12
    assert {sample.prompt.id for sample in SAMPLES.values()} >= {
        prompt.id for name in suite.names() if name != "reference" for prompt in suite.read(name).prompts
    }


def test_a_corpus_file_says_nothing_that_is_not_read() -> None:
    known = {"prompt", "origin", "kind", "finish_reason", "reasoning", "text", "expected"}
    for path in corpus.FOLDER.glob("*"):
        assert path.suffix == ".toml"
        assert set(tomllib.loads(path.read_text(encoding="utf-8"))) <= known, path.name


def test_the_same_text_gets_the_same_grade_again(said: dict[str, dict[str, Graded]]) -> None:
    for sample in SAMPLES.values():
        again = sample.graded(None)
        for check, graded in said[sample.name].items():
            if again[check].grade.outcome != "not run":
                assert graded == again[check], f"{sample.name}: {check}"


def test_code_that_ran_twice_gets_the_same_grade(said: dict[str, dict[str, Graded]], execute: Execute) -> None:
    for name in ("sort_off_by_one", "evil_forged_verdict", "split_breaks_a_test"):
        assert SAMPLES[name].graded(execute) == said[name]


def test_every_test_and_case_of_a_project_begins_with_nothing_of_it_imported(execute: Execute) -> None:
    tests = "import kept\n" + "".join(
        f"def {name}():\n    kept.SEEN.append(1)\n    _state(1, [kept.X, len(kept.SEEN)])\n" for name in ("one", "two")
    )
    program = "import sys\nimport kept\nkept.SEEN.append(1)\nprint({}, kept.X, len(kept.SEEN))\n"
    files = {"project.py": (graders.GUESTS / "project.py").read_text(encoding="utf-8")}
    for number, folder in enumerate("ab"):
        files[f"{folder}/kept.py"] = f"X = {number}\nSEEN = []\n"
        files[f"{folder}/run.py"] = program.format(number)
    task = {"word": "w", "folders": ["a", "b"], "test": "test_kept.py", "names": ["one", "two"], "tests": [tests] * 2}
    given = json.dumps({**task, "program": "run.py", "cases": [[[[], ""]] * 2] * 2})
    lines = execute(files, ["/w/project.py"], f"{given}\n").stdout.splitlines()
    said = [json.loads(line.removeprefix("w ")) for line in lines if line.startswith("w ")]
    for number in range(2):
        mine = [one for one in said if one.get("folder") == number]
        assert [one["stated"] for one in mine if "test" in one] == [[[1, ["list", [number, 1]]]]] * 2
        assert [one["printed"] for one in mine if "case" in one] == [[f"{number} {number} 1\n", "", 0]] * 2


SOLUTION = """
import bisect, functools
from heapq import heappush as push

def timed(function):
    @functools.wraps(function)
    def inner(*given):
        return function(*given)
    return inner

@timed
def quick_sort(numbers, key=None):
    return [one for one in sorted(numbers)]

def other(numbers):
    numbers.sort()
    bisect.insort(numbers, 1)

if __name__ == "__main__":
    print(nlargest)
"""


def test_the_sorts_harness_states_what_it_calls_and_what_that_names(execute: Execute) -> None:
    files = {name: (graders.GUESTS / of).read_text(encoding="utf-8") for name, of in python_sort.FILES.items()}
    given = json.dumps({"word": "w", "cases": [[3, 1, 2], []]})
    said = json.loads(execute({**files, "solution.py": SOLUTION}, ["/w/harness.py"], f"{given}\n").stdout)
    assert said["function"] == "quick_sort"  # which takes one argument, as what it wraps does
    assert said["sorts"] == ["bisect", "heappush", "insort", "sort", "sorted"]
    assert said["sorted"] == [[1, 2, 3], []]


# --- the graders ---


@pytest.mark.parametrize("name", graders.names())
def test_a_grader_says_what_it_asks(name: str) -> None:
    grader = graders.read(name)
    assert "?" in (grader.__doc__ or "").splitlines()[0]
    assert grader.TIER in ("Q0", "Q1")
    assert grader.VERSION >= 1
    assert grader.grade.__doc__


def test_every_check_names_a_grader_that_exists() -> None:
    assert CHECKS
    assert {check.grader for check in CHECKS} == set(graders.names("Q1"))


@pytest.mark.parametrize("name", ["no such grader", "_text", "../suite", "__init__"])
def test_what_is_no_grader_cannot_be_read(name: str) -> None:
    with pytest.raises(KeyError):
        graders.read(name)


def test_the_fingerprint_changes_with_the_text_of_a_grader_and_with_the_sandbox(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copy = tmp_path / "collector" / "graders"
    shutil.copytree(graders.FOLDER.parent / "sandbox", copy.parent / "sandbox")
    shutil.copytree(graders.FOLDER, copy)
    before = graders.fingerprint(True)
    guests = copy.parent / "sandbox" / "guests"
    monkeypatch.setattr(graders, "FOLDER", copy)
    monkeypatch.setattr(graders, "GUESTS", guests)
    assert graders.fingerprint(True) == before != graders.fingerprint(False)
    (copy / "empty.py").write_text("# better")
    after = graders.fingerprint(True)
    assert after != before
    (guests / "sort.py").write_text("# better")
    assert graders.fingerprint(True) not in (before, after)


def test_without_a_sandbox_no_code_passes() -> None:
    outcomes = Counter(
        graded.grade.outcome
        for sample in SAMPLES.values()
        for graded in sample.graded(None).values()
        if graded.check.grader in RUNS_CODE
    )
    assert set(outcomes) == {"not run", "fail", "unparsed"}
    assert outcomes["not run"] > 50


# --- what was written is never run here ---


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_grader_can_run_what_a_model_wrote(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used, imported = set[str](), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert not used & {"eval", "exec", "compile", "__import__", "open"}
    assert not imported & {"os", "subprocess", "pickle", "marshal", "runpy", "ctypes", "shelve", "socket", "ast"}
    if path.name != "__init__.py":  # which finds the graders themselves by their names
        assert "importlib" not in imported


HOSTILE = """
import sys
from collector import graders, suite
from collector.graders import Output

PATTERNS = ("concepts", "seeded_bugs")  # of the suites: each is bounded, so a shorter text will do
checks = [check for name in suite.names() for prompt in suite.read(name).prompts for check in prompt.checks]
PIECES = ("a", "`", "$", "路径:", "(", "[", "#\\n", "\\n", "\\\\[", "```\\n")
for n, names in ((200_000, None), (20_000, PATTERNS)):
    texts = [piece * (n // len(piece)) for piece in PIECES]
    texts += ["```" + "a" * n + "`", "def f(" + "):" * (n // 2), "```python\\n" + "\\n" * n, "1" + "\\n" * n]
    for text in texts[int(sys.argv[1])::2]:
        output = Output(text, language="zh")
        asked = [check for check in checks if (check.grader in PATTERNS) == bool(names)]
        found = list(graders.grade(output, tuple(asked), None))
        assert all(graded.grade.outcome in graders.OUTCOMES for graded in found)
print("read all")
"""


def test_hostile_texts_take_no_more_than_their_length() -> None:
    command = [sys.executable, "-c", HOSTILE]
    running = [subprocess.Popen([*command, half], stdout=subprocess.PIPE, text=True) for half in ("0", "1")]
    try:  # what grows with the square of 200,000 characters takes hours
        assert [process.communicate(timeout=60)[0] for process in running] == ["read all\n"] * 2
    finally:
        for process in running:
            process.kill()
            process.wait(timeout=60)


# --- parts of an answer ---


@pytest.mark.parametrize(
    "line", ["路径: a/b.py", "**路径：`a/b.py`**", "### path: ./a//b.py", "- 文件路径: a/b.py（新增）"]
)
def test_a_path_line_in_any_dress_names_its_file(line: str) -> None:
    files, gone, is_whole = proposed(f"{line}\n\n```python\nX = 1\n```\n")
    assert (files, gone, is_whole) == ({"a/b.py": "X = 1\n"}, [], True)


@pytest.mark.parametrize("line", ["删除: old.py", "- 删除：`old.py`（没有用处）", "**delete: old.py**"])
def test_a_line_that_deletes_a_file(line: str) -> None:
    assert proposed(line) == ({}, ["old.py"], True)


def test_the_last_word_on_a_file_counts() -> None:
    text = "路径: a.py\n```\nX = 1\n```\n路径: a.py\n```\nX = 2\n```\n删除: a.py\n"
    assert proposed(text) == ({"a.py": "X = 2\n"}, [], True)


def test_a_fence_ends_with_as_many_marks_as_it_began() -> None:
    _, [block] = split("````\n```python\nx\n```\n````\nend")
    assert (block.text, block.is_closed) == ("```python\nx\n```", True)


def test_the_program_is_the_last_block_that_defines_something_or_all_of_them() -> None:
    text = "```python\ndef f(): 1\n```\n```python\ndef g(): f()\n```\n```python\ng()\n```"
    assert [block.text for block in programs(text)] == ["def g(): f()", "def f(): 1\n\ndef g(): f()"]


def test_a_hash_ties_a_grade_to_reasoning_and_answer() -> None:
    hashes = {Output("b", "a").sha256, Output("ab").sha256, Output("a", "b").sha256, Output("", "ab").sha256}
    assert len(hashes) == 4
    assert Output("\ud800").sha256


def test_a_sample_is_of_a_prompt_with_its_language() -> None:
    assert all(isinstance(sample, Sample) and sample.output.language for sample in SAMPLES.values())
