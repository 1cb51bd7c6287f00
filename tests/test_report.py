"""`collect report`: which run is meant, what is said of it, and that nothing a model wrote is taken for markup."""

import json
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from collector import cli, store
from collector.backends import Facts
from collector.schema import Results
from site_src import report
from site_src.warehouse import Warehouse
from tests.conftest import RUN, STARTED, of_its_own, request

Report = Callable[..., str]
Given = Callable[..., Warehouse]
ID = "0123456789ab"
HOSTILE = "```\n# owned\n<script>alert(1)</script>\n~~~~~\n[a](http://x) ![b](c) | `d` **e** &lt; \\\n`````\n"
CHECKS = [
    {"name": "context", "verdict": "pass", "detail": "131,072 tokens"},
    {"name": "parallel", "verdict": "warn", "detail": "4 slots; `lms load --parallel 1` loads with one"},
]


@pytest.fixture
def collect(results: Results, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Report:
    """`collect("report", …)`: its stdout; a mistake is what stands on stderr."""

    def call(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["collect", *arguments])
        try:
            cli.main()
        except SystemExit as ended:
            said = capsys.readouterr()
            return said.err if ended.code else said.out
        raise AssertionError("a command ends with an exit code")

    return call


def stored(results: Results, *rows: Facts, run_id: str = ID, **facts: Any) -> Path:
    """One run file, with one good request unless given."""
    operations = [dict(row, op_index=index) for index, row in enumerate(rows or [request()])]
    return store.write(results, {**RUN, "run_id": run_id, "run_started_at": STARTED, **facts}, operations)


def facts_of(results: Results, *rows: Facts, **facts: Any) -> dict[str, Any]:
    stored(results, *rows, **facts)
    return report.facts(Warehouse(results), ID)


def parsed(markdown: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)


def kinds(tokens: list[Token]) -> set[str]:
    return {child.type for token in tokens for child in [token, *(token.children or [])]}


def headings(markdown: str) -> list[str]:
    tokens = parsed(markdown)
    return [
        "".join(child.content for child in inline.children or [])
        for token, inline in pairwise(tokens)
        if token.type == "heading_open"
    ]


def section(markdown: str, name: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    text = markdown.partition(f"## {name}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return rows[2:]


# ---------------------------------------------------------------- which run


def test_a_run_is_found_by_its_id_its_beginning_and_its_file(results: Results, collect: Report, tmp_path: Path) -> None:
    path = stored(results)
    stored(results, run_id="0fffffffffff", model_key="other")
    elsewhere = tmp_path / "downloaded.parquet"
    elsewhere.write_bytes(path.read_bytes())
    for wanted in (ID, ID[:2], ID.upper(), str(path), path.name, str(elsewhere)):
        assert f"Run `{ID}`, complete" in collect("report", wanted), wanted


def test_a_file_elsewhere_is_named_by_the_folders_own_tables(results: Results, collect: Report, tmp_path: Path) -> None:
    path = stored(results, model_key="mine")
    (results.root / "models.csv").write_text(
        "model,aliases,parameters_total_b,parameters_active_b,context_advertised,suites\nMy Model,mine,,,,\n"
    )
    elsewhere = path.rename(tmp_path / "downloaded.parquet")
    assert "My Model" in collect("report", str(elsewhere))


def test_results_may_lie_in_another_folder(results: Results, collect: Report, tmp_path: Path) -> None:
    other = Results(tmp_path / "other")
    stored(other)
    assert "There is no run" in collect("report", ID)
    assert f"Run `{ID}`" in collect("report", ID, "--results", str(other.root))


def test_an_unknown_run_is_a_mistake_that_names_the_latest(results: Results, collect: Report) -> None:
    assert collect("report", "abc").splitlines() == [
        f"error: There is no run 'abc' in {results.runs}.",
        "       Nothing is stored there yet; `collect` measures.",
    ]
    stored(results)
    for wanted in ("abc", "", "%", "not-there.parquet"):
        said = collect("report", wanted)
        assert f"There is no run {wanted!r}" in said
        assert f"The latest are: {ID} (MiniMax-M2.1 Q4_K_M · llama.cpp)." in said


def test_a_beginning_of_several_runs_names_them(results: Results, collect: Report) -> None:
    for number in range(7):
        stored(results, *of_its_own([request()], number), run_id=f"ab{number:010x}")
    said = collect("report", "ab")
    assert "7 runs begin with 'ab': ab0000000000 (" in said
    assert "and 2 more." in said
    assert "Give more digits" in said


def test_a_damaged_file_says_so(results: Results, collect: Report, tmp_path: Path) -> None:
    path = stored(results)
    path.write_bytes(path.read_bytes()[:500])
    elsewhere = tmp_path / "cut.parquet"
    elsewhere.write_bytes(path.read_bytes())
    for wanted in (path.name, str(path), str(elsewhere)):
        assert "cannot be trusted: it is damaged" in collect("report", wanted)


# ---------------------------------------------------------------- what is said


def test_the_title_is_runtime_model_quantization_and_time(results: Results) -> None:
    markdown = report.markdown(facts_of(results))
    assert headings(markdown)[0] == "llama.cpp · MiniMax-M2.1 · Q4_K_M · 2026-11-22 12:00 UTC"


def test_the_report_has_every_part(results: Results) -> None:
    markdown = report.markdown(facts_of(results, preflight=CHECKS))
    assert headings(markdown)[1:] == [
        "Figures",
        "Prompts",
        "Memory",
        "Load",
        "Settings",
        "Pre-flight checks",
        "Failures and flaws",
        "Outputs of the first repeat",
        "short",
    ]


def test_prompts_stand_in_sending_order_with_n_and_spread(results: Results) -> None:
    rows = [
        request("zulu", 1, tps=40.0, ttft_ms=100.0),
        request("alpha", 1, tps=20.0, tokens=20),
        request("zulu", 2, tps=50.0, ttft_ms=300.0),
        request("zulu", 3, error_kind="worker_gone"),
    ]
    found = facts_of(results, *rows)
    assert [(row["prompt_id"], row["decode_count"], row["request_count"]) for row in found["prompts"]] == [
        ("zulu", 2, 3),
        ("alpha", 0, 1),
    ]
    zulu, alpha = section(report.markdown(found), "Prompts")
    assert zulu[:3] == ["zulu", "45.0", "40.0 – 50.0"]
    assert zulu[4:6] == ["200", "100 – 300"]
    assert zulu[8:] == ["2 of 3", "the request failed: worker_gone"]
    assert (alpha[1], alpha[2], alpha[8], alpha[9]) == ("–", "", "0 of 1", "fewer than 32 tokens were generated")


def test_figures_carry_interval_and_n(results: Results) -> None:
    rows = [request(repeat=repeat, tps=tps) for repeat, tps in enumerate((40.0, 41.0, 42.0), start=1)]
    [decode, ttft, prefill, *_] = section(report.markdown(facts_of(results, *rows)), "Figures")
    assert (decode[0], decode[1], decode[3]) == ("decode, tokens/s", "41.0", "3")
    low, high = map(float, decode[2].split(" – "))
    assert low < 40 < 42 < high
    assert (ttft[3], prefill[1], prefill[3]) == ("3", "–", "0")


def test_settings_show_what_is_known_as_it_was_set(results: Results) -> None:
    found = facts_of(results, request(block=2, order_code="ABBA"), seed_honored=False, parallel=None)
    shown = dict(section(report.markdown(found), "Settings"))
    assert shown["temperature"] == "0.7"
    assert shown["context, tokens"] == "131,072"
    assert shown["machine"] == "apple-m3-ultra-80gpu-512gb"
    assert shown["seed honored"] == "no"
    assert shown["weights on disk, GB"] == "138"
    assert (shown["block"], shown["order code"]) == ("2", "ABBA")
    assert "parallel" not in shown
    assert "suite" in shown


def test_a_run_outside_the_plan_has_no_block(results: Results) -> None:
    assert "block" not in facts_of(results, request(block=1))["settings"]


def test_checks_failures_and_what_was_not_measured_are_said(results: Results) -> None:
    rows = [
        {"op": "load", "error_kind": "load_out_of_memory", "error_detail": "Failed to load model"},
    ]
    found = facts_of(results, *rows, preflight=CHECKS, forced=True)
    markdown = report.markdown(found)
    assert [row[:2] for row in section(markdown, "Pre-flight checks")] == [["context", "pass"], ["parallel", "warn"]]
    assert section(markdown, "Failures and flaws") == [
        ["load", "–", "–", "load_out_of_memory", "Failed to load model"],
    ]
    assert "Nothing was measured." in markdown
    assert "the model did not load: load_out_of_memory: Failed to load model" in markdown
    assert "measured although a check had failed" in markdown
    assert "## Outputs" not in markdown


def test_only_first_repeats_are_printed(results: Results) -> None:
    rows = [request("a", 1, output_text="first"), request("a", 2, output_text="second"), request("b", 1)]
    found = facts_of(results, *rows)
    assert [(row["prompt_id"], row["output_text"][:5]) for row in found["outputs"]] == [("a", "first"), ("b", "wordw")]
    assert "second" not in report.markdown(found)


def test_an_answer_that_did_not_come_is_said(results: Results) -> None:
    row = request(output_text=None, reasoning_text="x" * 1234, error_kind="truncated_in_reasoning")
    markdown = report.markdown(facts_of(results, row))
    assert "101 tokens; ended by length · truncated_in_reasoning · 1,234 characters of reasoning before it" in markdown
    assert "No answer." in markdown


def test_json_holds_the_same_facts(results: Results, collect: Report) -> None:
    path = stored(results, request(), request("b", output_text="数学\n```"), preflight=CHECKS)
    told = json.loads(collect("report", ID, "--format", "json"))
    found = report.facts(Warehouse(results), ID)
    assert told == json.loads(json.dumps(found, default=str))
    assert told["run"]["file"] == path.name
    assert told["outputs"][1]["output_text"] == "数学\n```"
    assert [check["verdict"] for check in told["preflight"]] == ["pass", "warn"]
    assert not [name for row in (told["run"], *told["prompts"]) for name in row if name.endswith(("_se", "_log_mean"))]


# ---------------------------------------------------------------- untrusted words


def test_nothing_that_others_wrote_is_markup(results: Results) -> None:
    rows = [
        request(HOSTILE, output_text=HOSTILE, finish_reason=HOSTILE),
        request("b", error_kind="server_error", error_detail=HOSTILE, output_text=None),
    ]
    check = {"name": HOSTILE, "verdict": "warn", "detail": HOSTILE}
    names = dict.fromkeys(("model_key", "quantization", "runtime", "runtime_version", "chip", "memory_method"), HOSTILE)
    markdown = report.markdown(facts_of(results, *rows, preflight=[check], **names))
    tokens = parsed(markdown)
    assert kinds(tokens).isdisjoint(
        {"html_block", "html_inline", "link_open", "image", "em_open", "strong_open", "s_open", "blockquote_open", "hr"}
    )
    assert [token.content for token in tokens if token.type == "fence"] == [HOSTILE + "\n"]
    assert "owned" not in headings(markdown)
    assert {token.tag for token in tokens if token.type == "heading_open"} == {"h1", "h2", "h3"}
    assert len([token for token in tokens if token.type == "heading_open"]) == 11
    # every table is as wide as its head, so no cell was split
    widths = {line.count("|") - line.count("\\|") for line in markdown.splitlines() if line.startswith("| short")}
    assert len(widths) <= 1


def test_what_is_printed_cannot_steer_the_terminal(results: Results) -> None:
    evil = "a\x1b[2Jb\x00c\rd\u202ee\x9bf\x7fg\th\n"
    markdown = report.markdown(facts_of(results, request(output_text=evil, error_detail=evil, error_kind="x")))
    assert not [char for char in markdown if ord(char) < 32 and char not in "\n\t"]
    assert not set("\u202e\x9b\x7f\r") & set(markdown)
    assert "a␛[2Jb␀c\nd\ufffde\ufffdf\ufffdg\th" in markdown


@settings(deadline=None, max_examples=300, derandomize=True)
@for_all(st.text(alphabet=st.sampled_from("`~\n a#<>[]()*_|\\&;!-=1.\t数")))
def test_a_fence_ends_where_the_text_does(text: str) -> None:
    [fence] = parsed(report._fenced(text))
    assert (fence.type, fence.content) == ("fence", text + "\n")


@settings(deadline=None, max_examples=300, derandomize=True)
@for_all(st.text(alphabet=st.sampled_from("`~\n a#<>[]()*_|\\&;!-=1.\t数$"), max_size=40))
def test_words_in_a_table_stay_words(text: str) -> None:
    tokens = parsed(report._grid(("head", "other"), [("x", text)]))
    cells = [token for token in tokens if token.type == "inline"]
    assert [cell.content for cell in cells[:3]] == ["head", "other", "x"]
    assert len(cells) == 4
    assert kinds(cells[3:]) <= {"inline", "text", "text_special"}
    assert "".join(child.content for child in cells[3].children or []) == " ".join(text.split())
