"""A page for each configuration: its figures down to single requests, its text and memory over time, its reports."""

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from collector.backends import Facts
from collector.schema import Results
from site_src import build, downloads, report
from site_src.reuse.answers import Answers
from site_src.warehouse import Warehouse
from tests.conftest import STARTED, request
from tests.planted import GB, gguf, loaded, mlx, rung, speeds, suite, written
from tests.rows import sharing

Given = Callable[..., Warehouse]
PAGE = "configuration/[configuration_id].md"
CHECKS = [
    {"name": "context", "verdict": "pass", "detail": "131,072 tokens"},
    {"name": "swap", "verdict": "warn", "detail": "3 GB"},
    {"name": "memory", "verdict": "fail", "detail": "too little"},
]


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return sharing(given, monkeypatch)


def one(warehouse: Warehouse, view: str, where: str = "true") -> dict[str, Any]:
    [row] = warehouse.rows(f"from {view} where {where}")
    return row


def page(warehouse: Warehouse, where: str = "true") -> str:
    name = one(warehouse, "configuration", where)["configuration_id"]
    return build.page(warehouse, PAGE, set(), only=("configuration_id", name))


def words(made: str) -> str:
    """The page's sentences, without blocks, on one line."""
    return " ".join(line for line in made.replace("&#40;", "(").replace("&#41;", ")").splitlines() if "<" not in line)


# ---------------------------------------------------------------- the mart


def test_every_configuration_has_a_row_and_so_a_page(given: Given) -> None:
    warehouse = given(
        [mlx(), *speeds("a", 40, 41)],
        [gguf(), *speeds("a", 30)],
        [{**gguf(), "suite": "context", "context_budget_s": 60.0}, *rung(4096)],
        [{"server": "llama-bench", "suite": None}, {"op": "bench", "bench_test": "tg128", "bench_tps": [1.0]}],
    )
    rows = warehouse.rows("from configuration")
    ids = {row["configuration_id"] for row in rows}
    assert ids == {row["configuration_id"] for row in warehouse.rows("from configurations")}
    assert len(rows) == 3
    pages = build._pages_of(Answers(warehouse), PAGE)
    assert {path for path, _ in pages} == {f"configuration/{name}.md" for name in ids}


def test_its_figures_are_those_of_the_summary(given: Given) -> None:
    first = [*loaded(140.0, 20.0), *suite(40, repeats=3, cv=0.01)]
    second = [{"preflight": CHECKS}, *loaded(141.0, 30.0), *suite(41, repeats=3, cv=0.01, seed=1)]
    warehouse = given(first, second)
    row, summary = one(warehouse, "configuration"), one(warehouse, "run_summary")
    same = ["decode_tps", "decode_tps_low", "decode_count", "ttft_ms", "ttft_count", "peak_memory_gb", "load_s", "cv"]
    assert {name: row[name] for name in same} == {name: summary[name] for name in same}
    assert (row["run_count"], row["decode_count"], row["load_count"]) == (2, 42, 2)
    assert (row["first_run_at"], row["latest_run_at"]) == (STARTED, STARTED + timedelta(minutes=1))
    assert (row["check_count"], row["warned_check_count"], row["failed_check_count"]) == (3, 1, 1)
    assert row["scope_reason"] is None


def test_what_was_not_measured_through_lm_studio_says_so(given: Given) -> None:
    row = one(given([{"server": "llama-server"}, request()]), "configuration")
    assert row["scope_reason"] == "not measured through LM Studio, so part of no verdict"


# ---------------------------------------------------------------- runs, checks, requests


def test_checks_stand_in_their_order_the_latest_run_first(given: Given) -> None:
    rows = given([{"preflight": CHECKS[:1]}, request()], [{"preflight": CHECKS}, request()]).rows("from run_checks")
    assert [(row["run_id"][-1], row["place"], row["name"], row["verdict"]) for row in rows] == [
        ("1", 1, "context", "pass"),
        ("1", 2, "swap", "warn"),
        ("1", 3, "memory", "fail"),
        ("0", 1, "context", "pass"),
    ]


def test_settings_know_the_block_of_the_plan(given: Given) -> None:
    warehouse = given([request(block=2, order_code="ABBA")], [request(block=1)])
    rows = warehouse.rows("select block, order_code from run_settings")
    assert rows == [{"block": None, "order_code": None}, {"block": 2, "order_code": "ABBA"}]


def test_prompts_of_a_run_stand_in_sending_order(given: Given) -> None:
    rows = given([request("z"), request("a", tps=40.0), request("z", 2), request("a", 2, tps=60.0)]).rows(
        "from run_prompts"
    )
    assert [(row["prompt_id"], row["decode_count"], round(row["decode_tps"])) for row in rows] == [
        ("z", 2, 50),
        ("a", 2, 50),
    ]


def test_each_request_leads_to_its_row_in_its_file(given: Given) -> None:
    hot = [{"at_ns": 10**9, "thermal_level": 1}]
    warehouse = given(
        [
            request("a", tps=40.0),
            request("a", 2, memory=hot),
            request("a", 3, tokens=8),
            request("b", error_kind="empty"),
        ]
    )
    rows = warehouse.rows("from requests")
    assert [(row["op_index"], row["repeat"], row["exclusion"], row["reason"]) for row in rows] == [
        (0, 1, None, None),
        (1, 2, "the machine was hot", "the machine was hot"),
        (2, 3, None, "no decode speed: fewer than 32 tokens were generated"),
        (3, 1, "failed: empty", "failed: empty"),
    ]
    assert rows[0]["decode_tps"] == pytest.approx(40.0, rel=1e-4)
    assert rows[1]["decode_tps"] == pytest.approx(50.0, rel=1e-4)  # shown, and in no figure
    assert {row["file"] for row in rows} == {one(warehouse, "runs")["file"]}


# ---------------------------------------------------------------- how text arrived


def test_text_arrives_in_the_longest_request_of_each_of_the_latest_three_runs(given: Given) -> None:
    runs = [[request("short", tokens=40), request(f"long {number}", tokens=101)] for number in range(4)]
    rows = given(*runs).rows("from run_arrival")
    assert [*dict.fromkeys(row["prompt_id"] for row in rows)] == ["long 3", "long 2", "long 1"]
    first = [row for row in rows if row["prompt_id"] == "long 3"]
    assert [row["chunk_number"] for row in first] == list(range(1, 102))
    assert (first[0]["seconds"], first[-1]["seconds"]) == pytest.approx((0.2, 2.2))
    assert (first[0]["characters"], first[-1]["characters"]) == (4, 404)
    assert first[0]["stream"] == "2026-11-22 12:03 UTC, long 3"


@pytest.mark.parametrize("tokens", [399, 400, 401, 2999, 3001])
def test_a_long_stream_is_thinned_evenly_and_ends_at_its_total(given: Given, tokens: int) -> None:
    rows = given([request(tokens=tokens)]).rows("from run_arrival")
    assert min(tokens, 398) <= len(rows) <= 400
    assert (rows[0]["chunk_number"], rows[-1]["chunk_number"]) == (1, tokens)
    assert rows[-1]["characters"] == 4 * tokens
    steps = {later["chunk_number"] - sooner["chunk_number"] for sooner, later in pairwise(rows)}
    assert max(steps) <= -(-tokens // 398)
    assert {row["chunk_count"] for row in rows} == {tokens}


# ---------------------------------------------------------------- memory over time


def samples(*gigabytes: float, start_s: float, step_s: float = 1.0, engine: float = 0.0) -> list[dict[str, Any]]:
    return [
        {
            "at_ns": round((start_s + number * step_s) * 1e9),
            "system_used_bytes": round(value * GB),
            "engine_footprint_bytes": round(engine * GB),
        }
        for number, value in enumerate(gigabytes)
    ]


def measured(*values: float, step_s: float = 1.0, end_s: int = 40) -> list[Facts]:
    """A run that loads for ten seconds from the second second on, asks once at twenty, and unloads."""
    asked = {**request(memory=samples(*values, start_s=20, step_s=step_s, engine=140.0)), "started_ns": 20 * 10**9}
    return [
        {"op": "idle", "started_ns": 0, "memory": samples(20, start_s=1)},
        {"op": "load", "started_ns": 2 * 10**9, "elapsed_ns": 10 * 10**9, "memory": samples(90, start_s=5)},
        {"op": "idle", "started_ns": 13 * 10**9, "memory": samples(150, start_s=15, engine=130.0)},
        {**asked, "elapsed_ns": max(round(len(values) * step_s * 1e9), asked["done_ns"])},
        {"op": "unload", "started_ns": end_s * 10**9, "elapsed_ns": 10**9, "memory": samples(21, start_s=end_s + 2)},
    ]


def test_memory_stands_over_time_with_what_was_going_on(given: Given) -> None:
    rows = given(measured(160, 161)).rows("from memory_over_time")
    system = [row for row in rows if row["figure"] == "in use on the machine"]
    assert [(row["seconds"], row["memory_gb"], row["phase"]) for row in system] == [
        (1.0, 20.0, "before loading"),
        (5.0, 90.0, "loading"),
        (15.0, 150.0, "before requests"),
        (20.0, 160.0, "requests"),
        (21.0, 161.0, "requests"),
        (42.0, 21.0, "afterwards"),
    ]
    engine = [(row["seconds"], row["memory_gb"]) for row in rows if row["figure"] == "engine"]
    assert engine == [(15.0, 130.0), (20.0, 140.0), (21.0, 140.0)]  # 0 is no reading
    assert sum(row["is_first_of_phase"] for row in rows) == 5


def test_memory_is_thinned_and_keeps_its_peak(given: Given) -> None:
    values = [150.0] * 3000
    values[1234] = 199.0
    warehouse = given(measured(*values, step_s=3.0, end_s=10**4))
    rows = warehouse.rows("from memory_over_time where figure = 'in use on the machine'")
    assert 100 < len(rows) <= 200
    assert max(row["memory_gb"] for row in rows) == 199.0


def test_memory_is_that_of_the_latest_run_with_samples(given: Given) -> None:
    rows = given(measured(160), measured(170), [request()]).rows("from memory_over_time")
    assert {row["run_id"][-1] for row in rows} == {"1"}


def test_of_a_failed_load_memory_is_shown_too(given: Given) -> None:
    failed = measured(160)[:2]
    failed[1]["error_kind"] = "load_out_of_memory"
    assert [row["phase"] for row in given(failed).rows("from memory_over_time")] == ["before loading", "loading"]


# ---------------------------------------------------------------- the page


def test_a_page_shows_its_configuration_alone(given: Given) -> None:
    warehouse = given([mlx(), *speeds("only mine", 40, 41, 42)], [gguf(), *speeds("not of mine", 20)])
    made = page(warehouse, "runtime = 'mlx'")
    assert "It decodes 41.0 tokens/s" in made
    assert "(38.0 to 44.2 within this run alone), by 3 requests in one run." in words(made)
    assert '">decode, tokens/s</th><td>41.0 <span class="interval">' in made
    assert "only mine" in made
    assert "not of mine" not in made
    assert made.startswith("# MiniMax&#45;M2.1 4bit\n")


def test_a_page_shows_its_figures_whichever_machine_was_picked(given: Given) -> None:
    made = page(given([*loaded(140.0), *speeds("a", 40, 41)]))
    assert "data-machine" not in made


def test_a_changed_value_changes_the_sentence(given: Given) -> None:
    assert "It decodes 31.0" in page(given(speeds("a", 30, 31, 32)))


def test_without_a_speed_the_page_says_why(given: Given) -> None:
    said = words(page(given([{"op": "load", "started_ns": 1, "elapsed_ns": 1, "error_kind": "load_out_of_memory"}])))
    assert "**No decode speed is known,** in 1 run: the model did not load" in said
    assert "–" not in said


def test_a_ladder_says_what_it_proved(given: Given) -> None:
    warehouse = given([{"suite": "context", "context_budget_s": 60.0}, *rung(4096), *rung(8192, 2)])
    said = words(page(warehouse))
    assert "up to 4,096 tokens were usable" in said


def test_a_run_leads_to_its_reports(given: Given) -> None:
    made = page(given([request()]))
    assert '<a href="../../data/reports/000000000000.md">000000000000</a>' in made
    assert '<a href="../../data/reports/000000000000.json">JSON</a>' in made


# ---------------------------------------------------------------- reports of all runs


def many(results: Results) -> Warehouse:
    runs: list[list[Facts]] = [
        [gguf(f"Q{number % 4 + 2}_0", preflight=CHECKS), *loaded(100.0 + number), *speeds("a", 40 + number, 41)]
        for number in range(7)
    ]
    failed: list[Facts] = [{"op": "load", "started_ns": 1, "elapsed_ns": 1, "error_kind": "empty"}]
    bench: list[Facts] = [{"server": "llama-bench"}, {"op": "bench", "bench_test": "tg128", "bench_tps": [1.0, 2.0]}]
    written(results, *runs, failed, bench)
    return Warehouse(results)


def test_the_report_of_a_run_is_the_same_alone_and_among_all(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = many(results)
    whole = [*report.each(warehouse)]
    assert len(whole) == 9
    monkeypatch.setattr(report, "BATCH", 2)
    assert [*report.each(warehouse)] == whole
    for facts in whole:
        assert report.facts(warehouse, facts["run"]["run_id"]) == facts
    assert [row["prompt_id"] for row in whole[-1]["prompts"]] == ["a"]
    assert [row["name"] for row in whole[-1]["preflight"]] == ["context", "swap", "memory"]


def test_no_run_of_that_id_has_no_report(given: Given) -> None:
    with pytest.raises(ValueError, match="not enough values"):
        report.facts(given([request()]), "nothing")


def test_reports_are_the_same_whenever_they_are_made(results: Results) -> None:
    many(results)
    first = dict(downloads.reports(Warehouse(results)))
    assert first == dict(downloads.reports(Warehouse(results)))
    assert len(first) == 18
    told = json.loads(first["data/reports/000000000003.json"])
    assert told["settings"]["quantization"] == "Q5_0"
    assert "Q5_0" in first["data/reports/000000000003.md"]
