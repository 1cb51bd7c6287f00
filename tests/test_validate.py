"""`collect validate`: each rule is broken by one file, and by nothing that was measured or is made up honestly."""

import os
import re
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from collector import store, suite
from collector.backends import Facts
from collector.commands import _checks, _faults, validate
from collector.commands._checks import _suites
from collector.nonce import nonce, shared
from collector.schema import CLONE, Results
from site_src import form
from site_src.warehouse import Warehouse
from tests import worlds
from tests.conftest import STARTED, request
from tests.test_review import changed, stored

GB = 10**9
SUITE = suite.read("standard+coding-agent")
PROMPTS = {prompt.id: prompt for prompt in SUITE.prompts}
LONG = max(SUITE.prompts, key=lambda prompt: len(prompt.text))
SAMPLE = {"at_ns": 10**9, "system_used_bytes": 200 * GB, "engine_footprint_bytes": 150 * GB, "pressure_level": 1}


def run_file(results: Results, number: int = 0) -> Path:
    """Two requests that a Mac could have answered; by its number it is another run."""
    known = {"memory": [SAMPLE], "elapsed_ns": 2_200_000_000 + number}
    run_id, began = f"{number:012x}", (0, 2_300_000_000)
    rows = [
        {**request("medium", repeat, started_ns=began[repeat - 1], position=repeat, **known), **asking(run_id, repeat)}
        for repeat in (1, 2)
    ]
    return stored(results, *rows, run_id=run_id, run_seconds=60.0, suite=SUITE.name, suite_sha256=SUITE.sha256)


def asking(run_id: str, repeat: int, name: str = "medium") -> Facts:
    """What a request of this prompt says of it."""
    prompt = PROMPTS[name]
    about = {"prompt_id": name, "prompt_sha256": prompt.sha256, "max_tokens": prompt.max_tokens}
    return {**about, "nonce": nonce(run_id, name, repeat, repeat)}


def asked(path: Path, name: str) -> Path:
    """The same requests, of another prompt."""
    told = [asking(row["run_id"], row["repeat"], name) for row in rows(path)]
    return changed(path, **{column: [row[column] for row in told] for column in told[0]})


def named(path: Path, run_id: str, prompt_id: str = "medium") -> Path:
    """The same with other names, and the digits that follow from these."""
    digits = [nonce(run_id, prompt_id, repeat, repeat) for repeat in (1, 2)]
    return changed(path, run_id=[run_id] * 2, prompt_id=[prompt_id] * 2, nonce=digits)


def said(*arguments: object) -> tuple[int, list[str]]:
    """Exit code and lines of `collect validate`, less those that say whose the files are and what they change."""
    done = CliRunner().invoke(validate.command, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, [line for line in done.output.splitlines() if re.match("error|warning|.* checked: ", line)]


def both(path: Path, **values: Any) -> Path:
    """The same value in both rows."""
    return changed(path, **{name: [value, value] for name, value in values.items()})


def rows(path: Path) -> list[Facts]:
    read: list[Facts] = pq.read_table(path).to_pylist()
    return read


def first_chunk(**other: Any) -> Callable[[Path], Path]:
    """Both rows with something else in their first chunk."""

    def spoil(path: Path) -> Path:
        chunks = rows(path)[0]["chunks"]
        return both(path, chunks=[{**chunks[0], **other}, *chunks[1:]])

    return spoil


def with_memory(**figures: int) -> Callable[[Path], Path]:
    return lambda path: both(path, memory=[{**SAMPLE, **figures}])


def three_times_as_fast(path: Path) -> Path:
    """150 tokens/s, and every time in the file agrees."""
    row = rows(path)[0]
    gaps = [row["chunks"][0], *({**chunk, "gap_us": chunk["gap_us"] // 3} for chunk in row["chunks"][1:])]
    end = sum(chunk["gap_us"] for chunk in gaps) * 1000
    return both(path, chunks=gaps, last_text_ns=end, done_ns=end, elapsed_ns=end)


def twin(path: Path) -> None:
    later = [{**row, "run_started_at": STARTED + timedelta(hours=1)} for row in rows(path)]
    store.write(Results(path.parent.parent), later[0], later)


def copied(path: Path) -> None:
    again = [{**row, "run_id": "c" * 12, **asking("c" * 12, row["repeat"])} for row in rows(path)]
    store.write(Results(path.parent.parent), again[0], again)


def of_2099(path: Path) -> None:
    ahead = [{**row, "run_started_at": datetime(2099, 1, 1)} for row in rows(path)]
    path.unlink()
    store.write(Results(path.parent.parent), ahead[0], ahead)


def in_bursts(path: Path) -> Path:
    """24 chunks at a time, every 480 ms."""
    chunks = rows(path)[0]["chunks"]
    gaps = [
        {**chunk, "gap_us": 480_000 if n and n % 24 == 0 else 0 if n else 200_000} for n, chunk in enumerate(chunks)
    ]
    end = sum(chunk["gap_us"] for chunk in gaps) * 1000
    return both(path, chunks=gaps, last_text_ns=end, done_ns=end)


def doubled(path: Path) -> Path:
    chunks = [each for chunk in rows(path)[0]["chunks"] for each in (chunk, {**chunk, "gap_us": 0})]
    return both(path, chunks=chunks, completion_tokens=202, output_text="word" * 202)


def without_its_first_half(path: Path) -> Path:
    """51 of 101 tokens were no text."""
    chunks = rows(path)[0]["chunks"][51:]
    chunks[0] = {**chunks[0], "gap_us": 200_000 + 51 * 20_000}
    first = chunks[0]["gap_us"] * 1000
    return both(path, chunks=chunks, first_text_ns=first, first_answer_ns=first, output_text="word" * 50)


def shorter(path: Path) -> Path:
    """The same prompt has twenty times the tokens in another run."""
    other = run_file(Results(path.parent.parent), 999)
    both(asked(other, "long"), prompt_tokens=2088)
    return asked(path, "long")


# Each rule, how a file breaks just that one, and what is said of it.
BROKEN: dict[str, list[tuple[Callable[[Path], object], str]]] = {
    "ahead": [
        (lambda path: both(path, client_calibrated_at=datetime(2099, 1, 1)), "client_calibrated_at: 2099-01-01"),
    ],
    "above_ceiling": [(three_times_as_fast, "decode_tps: 150.0 tokens/s, at most 1")],
    "asked_twice": [
        (
            lambda path: changed(path, **{name: [rows(path)[0][name]] * 2 for name in ("repeat", "position", "nonce")}),
            "nonce: ",
        ),
    ],
    "characters": [
        (lambda path: both(path, output_text="word" * 100), "output_text: 400 characters, by its chunks 404 (row 0)"),
        (lambda path: both(path, output_text=None), "output_text: 0 characters, by its chunks 404 (row 0)"),
        (lambda path: both(path, reasoning_text="well"), "reasoning_text: 4 characters, by its chunks 0 (row 0)"),
    ],
    "copy": [(copied, "also in: llama.cpp-unsloth-minimax-m2.1-q4_k_m-q4_k_m-20261122t120000z-")],
    "digits": [
        (lambda path: both(path, nonce="123456"), "nonce: 123456 (row 0)"),
        (lambda path: both(path, nonce=None), "nonce: none (row 0)"),
        (lambda path: changed(path, position=[2, 1]), f"nonce: {nonce('0' * 12, 'medium', 1, 1)[0]}"[:7]),
    ],
    "disagreeing_rows": [(lambda path: changed(path, os_build=["25B78", "25C1"]), "os_build: 25C1 (row 1)")],
    "from_the_future": [(of_2099, "run_started_at: 2099-01-01 00:00:00")],
    "fewer_tokens": [
        (lambda path: both(path, completion_tokens=90), "completion_tokens: 90, beside 101 chunks with text (row 0)"),
        (lambda path: both(path, completion_tokens=0), "completion_tokens: 0, beside 101 chunks with text"),
    ],
    "gaps_disagree": [
        (first_chunk(gap_us=100_000), "first_text_ns: 200000000, by its chunks 100000000 (row 0)"),
        (lambda path: both(path, last_text_ns=None), "last_text_ns: , by its chunks 2200000000"),
    ],
    "longer_than_run": [(lambda path: both(path, run_seconds=2.0), "elapsed_ns: 2.200 s from 0.000 s on, in a run of")],
    "memory_above_machine": [
        (with_memory(system_used_bytes=600 * GB), "memory.system_used_bytes: 600.0 GB, at most 549.8 (row 0)"),
        (with_memory(engine_rss_bytes=600 * GB), "memory.engine_rss_bytes: 600.0 GB, at most 549.8"),
        (with_memory(engine_footprint_bytes=3000 * GB), "memory.engine_footprint_bytes: 3000.0 GB"),
    ],
    "metadata": [(lambda path: changed(path, {b"pandas": b"x"}), "that the collector does not write: pandas.")],
    "name": [(lambda path: path.rename(path.with_name(f"x-{path.name}")), "gives: llama.cpp-unsloth-minimax-m2.1")],
    "nameless": [(lambda path: named(path, ""), "run_id: none")],
    "numbering": [(lambda path: changed(path, op_index=[1, 1]), "op_index: 1 (row 1)")],
    "only_bursts": [(in_bursts, "chunks: 2 requests")],
    "out_of_order": [
        (lambda path: both(path, headers_ns=200_000_001), "first_text_ns: 200000000, before headers_ns 200000001"),
        (lambda path: both(path, done_ns=2_199_999_999), "done_ns: 2199999999, before last_text_ns 2200000000"),
    ],
    "overlapping": [
        (lambda path: changed(path, started_ns=[0, 2_100_000_000]), "started_ns: 2100000000, before 22000000"),
    ],
    "private": [
        (lambda path: both(path, served_by="/Users/wang/x"), "served_by: /Users/wang/x (row 0)"),
        (lambda path: both(path, kept_awake_by="192.168.1.20"), "kept_awake_by: 192.168.1.20"),
        (lambda path: both(path, os_build="C02XG2JMH7JY"), "os_build: C02XG2JMH7JY"),
    ],
    "prompt_cut": [
        (
            lambda path: both(asked(path, LONG.id), prompt_tokens=520),
            f"prompt_tokens: 520 for {len(LONG.text.encode()):,} bytes (row 0)",
        ),
        (lambda path: both(path, prompt_chars=4711, prompt_tokens=520), "prompt_tokens: 520 for 4,711 characters"),
    ],
    "prompt_shorter": [(shorter, "prompt_tokens: 100 (row 0)")],
    "prompts": [
        (lambda path: both(path, prompt_sha256="f" * 64), "prompt_sha256: ffffffffffff of medium (row 0)"),
        (lambda path: both(path, max_tokens=512), "max_tokens: 512 for medium, not 500 (row 0)"),
        (lambda path: named(path, rows(path)[0]["run_id"], "easy"), "prompt_id: easy (row 0)"),
        (lambda path: both(path, suite=None, suite_sha256=None), "prompt_id: medium (row 0)"),
        (
            lambda path: both(path, op="fidelity", nonce=shared(PROMPTS["medium"].sha256, 0), max_tokens=1),
            "max_tokens: 1 for medium, not 500 (row 0)",
        ),
    ],
    "range": [
        (lambda path: changed(path, started_ns=[-1, 0]), "started_ns: -1 (row 0)"),
        (lambda path: both(path, top_p=1.5), "top_p: 1.5"),
        (first_chunk(gap_us=-5), "chunks.gap_us: -5 (row 0)"),
        (with_memory(at_ns=-7), "memory.at_ns: -7 (row 0)"),
    ],
    "reasoning_beyond_all": [
        (lambda path: both(path, reasoning_tokens=102), "reasoning_tokens: 102, of 101 in all (row 0)"),
    ],
    "suite": [(lambda path: both(path, suite_sha256="f" * 64), "suite_sha256: ffffffffffff of suite standard+coding")],
    "tokens_without_text": [
        (
            lambda path: both(asked(path, "long"), completion_tokens=1649, prompt_tokens=2088, chip="of unknown speed"),
            "completion_tokens: 1649 for 404 characters",
        ),
        (without_its_first_half, "completion_tokens: 101 for 200 characters in 50 events (row 0)"),
    ],
    "text_twice": [(doubled, "chunks: 101 pairs (row 0)")],
    "too_long": [
        (lambda path: changed(path, output_text=["x" * 2_000_001, None]), "output_text: 2,000,001 bytes, at most"),
        (lambda path: both(path, chip="量" * 1001), "chip: 1,001 characters, at most 1,000 (row 0)"),
        (lambda path: both(path, error_detail="x" * 1_000_001), "error_detail: 1,000,001 characters, at most 10,000"),
    ],
    "too_many": [
        (
            lambda path: changed(path, loaded_instances=[[str(number) for number in range(501)], None]),
            "loaded_instances: 501 names, at most 500",
        ),
    ],
    "too_many_tokens": [(lambda path: asked(path, "short"), "completion_tokens: 101, at most 100 (row 0)")],
    "twin": [(twin, "also in: ")],
    "words": [
        (lambda path: both(path, run_state="perfect"), "run_state: perfect (row 0)"),
        (lambda path: changed(path, op=["request", None]), "op: none (row 1)"),
        (
            lambda path: both(first_chunk(kind="/home/wang")(path), output_text="word" * 100),
            "chunks.kind: /home/wang",
        ),
    ],
}  # fmt: skip


def test_every_rule_has_a_file_that_breaks_it() -> None:
    assert sorted(BROKEN) == _checks.names()


CASES = [(rule, number) for rule, cases in BROKEN.items() for number in range(len(cases))]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], list[str]]:
    """What is said of each broken file: all of them lie in one folder."""
    results = Results(tmp_path_factory.mktemp("broken") / "results")
    for place, (rule, number) in enumerate(CASES):
        BROKEN[rule][number][0](run_file(results, place))
    code, lines = said("--results", results.root)  # a folder without keys: all its owner's
    assert code == 1
    return {case: [line for line in lines if f"{place:012x}.parquet: " in line] for place, case in enumerate(CASES)}


@pytest.mark.parametrize(("rule", "number"), CASES)
def test_a_file_that_breaks_a_rule_is_told_which_where_and_what_to_do(
    rule: str, number: int, told: dict[tuple[str, int], list[str]]
) -> None:
    happened, remedy = sentences(rule)
    line = next(line for line in told[rule, number] if happened in line)
    assert BROKEN[rule][number][1] in line
    assert line.startswith("error: runs/")
    assert line.endswith(f". {remedy}")
    assert [line for line in told[rule, number] if happened not in line] == []


def sentences(rule: str) -> tuple[str, str]:
    path = _checks.FOLDER / f"{rule}.sql"
    if path.exists():
        happened, remedy = (line.removeprefix("-- ") for line in path.read_text(encoding="utf-8").splitlines()[:2])
        return happened, remedy
    if rule in form.OF_RUNS:
        return form.OF_RUNS[rule].happened, form.OF_RUNS[rule].remedy
    module = __import__(f"collector.commands._checks.{rule}", fromlist=["HAPPENED"])
    return module.HAPPENED, module.REMEDY


@pytest.mark.parametrize(
    ("column", "value"),
    [("reported_load_s", float("nan")), ("reported_load_s", float("inf")), ("done_ns", 2**63 - 1)],
)
def test_a_number_that_no_view_could_bear_is_refused_before_any_rule(
    results: Results, column: str, value: float
) -> None:
    path = both(run_file(results), **{column: value})
    [fault] = _faults.of_file(path, "runs").faults
    assert fault.happened == "It cannot be trusted:"
    assert column in fault.shown


@pytest.mark.parametrize("rule", _checks.names())
def test_a_rule_says_in_a_sentence_each_what_is_wrong_and_what_to_do(rule: str) -> None:
    happened, remedy = sentences(rule)
    assert happened.startswith(("It ", "Its ", "One ", "An ", "A ", "The "))
    assert happened.endswith(":")
    assert remedy.endswith(".")


# ---------------------------------------------------------------- what passes


def test_every_committed_file_passes() -> None:
    code, lines = said("--results", CLONE / "results")
    assert code == 0
    assert [line for line in lines if line.startswith("error: ")] == []


def test_honest_made_up_results_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = {name: _suites.Asked(prompt.sha256, prompt.max_tokens) for name, prompt in worlds.ASKED.items()}
    there = _suites.prompts
    monkeypatch.setattr(_suites, "prompts", lambda name, digest: {**(there(name, digest) or {}), **more})
    results = worlds.make("two machines", tmp_path / "results")
    assert said("--results", results.root)[1][-1].endswith(" files checked: 0 errors, 0 warnings.")


def test_an_old_file_passes_with_columns_missing(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    old = runs / "schema-1.parquet"
    old.write_bytes((CLONE / "tests" / "old_runs" / "schema-1.parquet").read_bytes())
    old.rename(runs / store.file_name(rows(old)[0]))
    assert said(runs)[1] == ["1 file checked: 0 errors, 0 warnings."]


def test_a_request_that_failed_is_data(results: Results) -> None:
    failed = {
        **asking("0" * 12, 1),
        "op": "request",
        "position": 1,
        "repeat": 1,
        "elapsed_ns": 10**9,
        "done_ns": 10**9,
        "error_kind": "connect",
        "error_detail": "refused",
    }
    about = {"suite": SUITE.name, "suite_sha256": SUITE.sha256}
    stored(results, failed, run_id="0" * 12, run_seconds=60.0, **about)
    assert said(results.root) == (0, ["1 file checked: 0 errors, 0 warnings."])


# ---------------------------------------------------------------- new and old


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_what_git_holds_is_warned_of_and_what_is_new_is_an_error(results: Results) -> None:
    old = both(run_file(results), run_state="perfect")
    git(results.root, "init", "-q")
    git(results.root, "add", ".")
    git(results.root, "commit", "-qm", "Old")
    code, lines = said(results.root)
    assert (code, lines[-1]) == (0, "1 file checked: 0 errors, 1 warning.")
    assert lines[0].startswith(f"warning: runs/{old.name}: It holds a word")
    # With other content it is no longer the file that is stored; nor is it under another name.
    both(old, run_state="good")
    assert said(results.root)[1][-1] == "1 file checked: 1 error, 0 warnings."
    git(results.root, "commit", "-qam", "New")
    assert said(results.root)[0] == 0
    assert said(results.root, "--since", "HEAD~1")[0] == 1
    assert said(old, "--since", "HEAD~1")[0] == 1
    old.rename(old.with_name("other.parquet"))
    assert said(results.root)[0] == 1


def test_a_commit_that_git_does_not_know_is_a_mistake(results: Results) -> None:
    run_file(results)
    done = CliRunner().invoke(validate.command, [str(results.root), "--since", "no-such"])
    assert "Git knows no commit 'no-such'" in str(done.exception)


# ---------------------------------------------------------------- journals and other files


def test_a_journal_that_comes_with_results_is_an_error(results: Results) -> None:
    """Whoever starts `collect` there next would store it as a run of their own."""
    run_file(results)
    results.journals.mkdir(exist_ok=True)
    (results.journals / "warehouse.duckdb").write_bytes(b"")
    assert said(results.root)[0] == 0
    (results.journals / "x.jsonl").write_text("{}\n")
    code, lines = said(results.root)
    assert code == 1
    assert lines[0].startswith("error: .journal/x.jsonl: It is the journal of a run: ")


def test_of_hidden_files_those_are_errors_that_git_does_not_ignore(results: Results) -> None:
    run_file(results)
    git(results.root, "init", "-q")
    (results.root / ".gitignore").write_text(".journal\n.gitignore\n")
    results.journals.mkdir(exist_ok=True)
    (results.journals / "x.jsonl").write_text("{}\n")
    assert said(results.root)[1][-1] == "2 files checked: 1 error, 0 warnings."  # a .gitignore has no place there
    git(results.root, "add", "-f", ".journal/x.jsonl")
    assert any(line.startswith("error: .journal/x.jsonl: It is the journal") for line in said(results.root)[1])


@pytest.mark.parametrize("kind", ["runs", "grades", "votes"])
def test_what_is_no_regular_file_is_named_and_not_waited_for(kind: str, results: Results) -> None:
    run_file(results)
    (results.root / kind).mkdir(exist_ok=True)
    os.mkfifo(results.root / kind / "pipe.parquet")
    with open(os.fsencode(results.root / kind) + b"/\xff.parquet", "wb") as file:  # noqa: PTH123
        file.write(b"x")
    code, lines = said(results.root)
    assert code == 1
    assert (
        f"error: {kind}/\ufffd.parquet: Its name is no UTF-8, so that no page can name it. Give it another name."
        in lines
    )
    assert f"error: {kind}/pipe.parquet: It is a link, or no file at all. Put the file itself there." in lines
    damaged = Warehouse(results).rows("from damaged_files")
    assert [(row["folder"], row["file"]) for row in damaged] == [(kind, "\\xff.parquet"), (kind, "pipe.parquet")]


# ---------------------------------------------------------------- what is printed


def test_what_a_file_says_stays_on_its_line_and_steers_no_terminal(results: Results) -> None:
    evil = "x\x1b[2J\n\rerror: runs/other.parquet: It is fine.\u202e\x9b31m\x07"
    path = both(run_file(results), run_state=evil)
    for line in said(path)[1]:
        assert line.isprintable()
    assert len(said(path)[1]) == 2


def test_a_thousand_faults_of_one_kind_are_one_line(results: Results) -> None:
    path = run_file(results)
    chunks = [{"gap_us": -number, "kind": "answer", "chars": 1} for number in range(1, 1001)]
    both(path, chunks=chunks)
    _, [line, _] = said(path)
    assert "chunks.gap_us: -5 (row 0); and 1995 more. " in line


def test_a_file_without_a_single_value_is_refused_in_words(results: Results) -> None:
    path = run_file(results)
    schema = pq.read_table(path).schema
    pq.write_table(
        pa.Table.from_arrays([pa.nulls(2, field.type) for field in schema], schema=schema),
        path,
        write_page_checksum=True,
    )
    code, lines = said(path)
    assert code == 1
    assert any("op: none (row 0)" in line for line in lines)
