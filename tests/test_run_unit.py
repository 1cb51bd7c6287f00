"""The run is the unit: what an interval holds, what decides nothing, what is of today, one speed in all views."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from collector.backends import Facts
from site_src.warehouse import Warehouse
from tests.by_scipy import t_of
from tests.conftest import request
from tests.rows import sharing
from tests.synthetic import LLAMA, MLX, Row, fill

Given = Callable[..., Warehouse]
PROMPTS = "abcde"
GGUF: Facts = {"parallel": 1}  # conftest.RUN is MiniMax-M2.1 Q4_K_M on llama.cpp
MLX_4BIT: Facts = {
    "runtime": "mlx",
    "model_key": "mlx-community/MiniMax-M2.1-4bit",
    "model_format": "mlx",
    "quantization": "4bit",
    "parallel": 1,
}
Q8: Facts = {"model_key": "unsloth/minimax-m2.1@q8_0", "quantization": "Q8_0", "parallel": 1}


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return sharing(given, monkeypatch)


def requests(tps: float, *, prompts: str = PROMPTS, repeats: int = 3, **more: Any) -> list[Facts]:
    """Repeats 0.1 % apart."""
    return [
        request(prompt, repeat, tps=tps * (1 + 0.001 * ((place + repeat) % 3 - 1)), **more)
        for place, prompt in enumerate(prompts)
        for repeat in range(1, repeats + 1)
    ]


def runs(facts: Facts, *speeds: float, **more: Any) -> list[list[Facts]]:
    return [[facts, *requests(tps, **more)] for tps in speeds]


def rows(
    runtime: str, *speeds: float, machine: str = "m", model: str = "", ttft_ms: float = 500.0, versions: Any = None
) -> list[Row]:
    """A run each, of three prompts and three repeats 0.1 % apart."""
    return [
        Row(
            *(machine, runtime, run, prompt, repeat, tps * (1 + 0.001 * ((place + repeat) % 3 - 1)), ttft_ms),
            model=model,
            version=versions and versions[run],
        )
        for run, tps in enumerate(speeds)
        for place, prompt in enumerate("abc")
        for repeat in (1, 2, 3)
    ]


def one(warehouse: Warehouse, query: str) -> dict[str, Any]:
    [row] = warehouse.rows(query)
    return row


# ---------------------------------------------------------------- an interval holds what runs have shown


@pytest.mark.parametrize(
    "speeds",
    [(40.0, 44.0), (40.0, 51.1), (44.0, 40.0, 40.0), (40.0, 40.2)],
    ids=["10 %", "28 %", "one of three", "0.5 %"],
)
def test_an_interval_holds_what_its_runs_showed(given: Given, speeds: tuple[float, ...]) -> None:
    row = one(given(*runs(GGUF, *speeds)), "from run_summary")
    assert row["decode_tps_low"] < min(speeds)
    assert row["decode_tps_high"] > max(speeds)
    assert row["interval_kind"] == "between runs"
    assert row["decode_tps_within_high"] / row["decode_tps_within_low"] < 1.01  # repeats keep a name of their own


def test_one_run_borrows_the_spread_of_the_machines_other_configurations(given: Given) -> None:
    found = given(*runs(GGUF, 40, 44), *runs(MLX_4BIT, 60)).rows("from run_summary order by decode_tps")
    margins = [math.log(row["decode_tps_high"] / row["decode_tps"]) for row in found]
    assert [row["interval_kind"] for row in found] == ["between runs"] * 2
    assert margins[1] == pytest.approx(margins[0] * math.sqrt(2), rel=1e-6)  # 1 run against 2
    assert found[1]["reason"].startswith("one run; ")


def test_no_machine_borrows_from_another(given: Given) -> None:
    alone: Facts = {**MLX_4BIT, "chip": "Apple M4 Max"}
    row = one(given(*runs(GGUF, 40, 44), *runs(alone, 60)), "from run_summary where runtime = 'mlx'")
    assert row["interval_kind"] == "within this run"
    assert "its interval holds within this run alone" in row["reason"]


def test_a_time_to_first_token_has_the_spread_of_its_own(given: Given) -> None:
    slow, fast = ([GGUF, *requests(40, ttft_ms=ttft_ms)] for ttft_ms in (400, 500))
    row = one(given(slow, fast), "from run_summary")
    assert row["ttft_ms_low"] < 400
    assert row["ttft_ms_high"] > 500
    assert row["decode_tps_high"] / row["decode_tps_low"] < 1.01


# ---------------------------------------------------------------- one run a side decides nothing


@pytest.mark.parametrize(
    ("a", "b", "query"),
    [
        (MLX_4BIT, GGUF, "from framework_delta"),
        (Q8, GGUF, "from quant_tradeoff where not is_reference and bits = 4"),
        ({**GGUF, "model_key": "unsloth/qwen3-coder-next@q4_k_m"}, GGUF, "from model_comparison limit 1"),
        ({**GGUF, "suite": "own"}, GGUF, "from compare_pairs where abs(ln(decode_tps_ratio)) < 1"),
    ],
    ids=["framework", "quantization", "model", "any two"],
)
def test_one_run_a_side_is_no_verdict(given: Given, a: Facts, b: Facts, query: str) -> None:
    """Twice as fast, and what runs of this machine differ by is known."""
    known = runs({**GGUF, "quantization": "Q6_K", "model_key": "unsloth/other@q6_k"}, 10, 10.05)
    told = one(given(*runs(a, 80), *runs(b, 40), *known), query)
    assert told["verdict"] == "one run a side"
    assert "one run on a side" in told["reason"]


def test_two_runs_on_one_side_are_enough_where_the_spread_is_known(given: Given) -> None:
    row = one(given(*runs(MLX_4BIT, 80, 80.5), *runs(GGUF, 40)), "from framework_delta")
    assert (row["verdict"], row["runs_a_side"]) == ("MLX faster", 1)
    assert row["reason"] == "one run on a side"


@pytest.mark.parametrize("what", ["os_version", "server_version"])
def test_two_runs_under_two_systems_are_no_spread(given: Given, what: str) -> None:
    """Nothing can be pooled, and repeats decide nothing."""
    sides = [
        [{**side, what: version}, *requests(tps)]
        for side, tps in ((MLX_4BIT, 80), (GGUF, 40))
        for version in ("26.0", "26.1")
    ]
    row = one(given(*sides), "from framework_delta")
    assert (row["runs_a_side"], row["interval_kind"], row["verdict"]) == (2, "within this run", "inconclusive")


def test_a_side_that_slowed_down_decides_nothing_smaller(given: Given) -> None:
    row = one(given(*runs(MLX_4BIT, 42, 42.1), *runs(GGUF, 41.5, 39.5)), "from framework_delta")
    assert row["verdict"] == "inconclusive"
    assert "a side changed by 5 % from its first run to its last" in row["reason"]


# ---------------------------------------------------------------- today's engine


def version(number: str, tps: float, **more: Any) -> list[Facts]:
    return [{**GGUF, "runtime_version": number}, *requests(tps, **more)]


@pytest.mark.parametrize(
    "history",
    [
        [("1.0", 40), ("2.0", 50)],
        [("9.0", 40), ("10.0", 50)],  # which sorts before
        [("2.0", 40), ("1.0", 50)],  # the older one was put back
        [("1.0", 40), ("1.0", 41), ("1.0", 40), ("2.0", 50)],  # however many there are
    ],
    ids=["newer", "ten after nine", "put back", "one against three"],
)
def test_a_configuration_is_what_one_gets_today(given: Given, history: list[tuple[str, float]]) -> None:
    row = one(given(*(version(*step) for step in history)), "from run_summary")
    assert row["decode_tps"] == pytest.approx(50, rel=0.01)
    assert (row["run_count"], row["older_run_count"]) == (1, len(history) - 1)
    assert f"runs under other versions of the engine left out: {len(history) - 1}" in row["reason"]


def test_a_newer_version_without_any_speed_is_not_todays(given: Given) -> None:
    broken = [{**GGUF, "runtime_version": "3.0"}, *requests(50, error_kind="http")]
    row = one(given(version("2.0", 40), broken), "from run_summary")
    assert (row["decode_tps"], row["run_count"]) == (pytest.approx(40, rel=0.01), 1)


def test_a_ratio_is_of_todays_engines(given: Given) -> None:
    old, new = (
        [[{**MLX_4BIT, "runtime_version": v}, *requests(tps)] for _ in "12"] for v, tps in (("1", 40), ("2", 60))
    )
    row = one(given(*old, *new, *runs(GGUF, 40, 40.1)), "from framework_delta")
    assert (row["verdict"], row["decode_tps_ratio"]) == ("MLX faster", pytest.approx(1.5, rel=0.01))


@pytest.mark.parametrize("times", [2.2, 4.0, 10.0])
def test_a_version_that_reads_prompts_faster_is_no_cache(given: Given, times: float) -> None:
    before = [version("1.0", 40, ttft_ms=1000) for _ in "12"]
    after = [version("2.0", 44, ttft_ms=1000 / times) for _ in "12"]
    warehouse = given(*before, *after)
    row = one(warehouse, "from run_summary")
    assert (row["excluded_count"], row["ttft_ms"]) == (0, pytest.approx(1000 / times, rel=0.01))
    told = one(warehouse, "from runtime_history where version_before is not null")
    assert (told["verdict"], told["decode_tps_ratio"]) == ("faster", pytest.approx(1.1, rel=0.01))


def test_within_a_version_half_the_usual_time_is_still_a_cache(given: Given) -> None:
    cached = [*requests(40, ttft_ms=1000)[:-1], request("e", 3, tps=40, ttft_ms=450)]
    row = one(
        given(version("1.0", 40, ttft_ms=1000), [{**GGUF, "runtime_version": "1.0"}, *cached]), "from run_summary"
    )
    assert row["excluded_count"] == 1


# ---------------------------------------------------------------- one speed in all views

# What is of a run, a prompt or a request, not of a configuration.
FINER = {
    "changes",
    "decode_by_prompt",
    "feed",
    "requests",
    "run_prompts",
    "runs",
    "stability_by_run",
    "stability_repeats",
}
SIDES = {
    "framework_delta": [
        ("mlx_configuration_id", "mlx_decode_tps"),
        ("llama_cpp_configuration_id", "llama_cpp_decode_tps"),
    ],
    "compare_pairs": [("a_configuration_id", "a_decode_tps"), ("b_configuration_id", "b_decode_tps")],
    "model_comparison": [("configuration_id", "decode_tps"), ("other_configuration_id", "other_decode_tps")],
}
BY_CONFIGURATION = """
select table_name as name from duckdb_columns()
where database_name = current_database() and column_name in ('configuration_id', 'decode_tps')
group by table_name
having count(*) = 2
"""


@cache  # which columns a view has does not hang on its rows
def by_configuration(warehouse: Warehouse) -> set[str]:
    """The views that say a configuration's speed."""
    return {row["name"] for row in warehouse.rows(BY_CONFIGURATION)}


def lacking(facts: Facts, tps: float, *prompts: str) -> list[Facts]:
    """A run in which answers to these prompts were too short for a speed."""
    return [facts, *(row for p in PROMPTS for row in requests(tps, prompts=p, tokens=28 if p in prompts else 101))]


@pytest.mark.parametrize(
    "case",
    [
        lambda facts: [lacking(facts, 40), *(lacking(facts, 28, "a") for _ in "123")],
        lambda facts: [lacking(facts, 40, "a"), lacking(facts, 44, "b"), lacking(facts, 42)],
        lambda facts: [[{**facts, "runtime_version": str(v)}, *requests(40 + v)] for v in (1, 2, 2)],
        lambda facts: [[{**facts, "run_state": "interrupted"}, *requests(30, prompts="ab")], *runs(facts, 40, 41)],
    ],
    ids=["newer runs lack a prompt", "each lacks another", "versions", "interrupted"],
)
def test_one_configuration_has_one_speed_in_all_views(given: Given, case: Callable[[Facts], list[list[Facts]]]) -> None:
    other = {**GGUF, "model_key": "unsloth/qwen3-coder-next@q4_k_m"}
    warehouse = given(*case(MLX_4BIT), *case(GGUF), *case(other))
    speeds = {row["set_id"]: row["decode_tps"] for row in warehouse.rows("from set_speeds")}
    views = by_configuration(warehouse) - FINER
    assert views >= {
        "run_summary",
        "decode_by_configuration",
        "tps_per_gb",
        "framework_sides",
        "plan_results",
        "candidates",
    }
    met = 0
    for view, columns in {**{view: [("configuration_id", "decode_tps")] for view in views}, **SIDES}.items():
        for row in warehouse.rows(f"from {view}"):
            for owner, speed in columns:
                if row[owner] is not None and row[speed] is not None:
                    assert row[speed] == pytest.approx(speeds[row[owner]], rel=1e-12), view
                    met += 1
    assert met > 30
    planned = {row["decode_tps"] for row in warehouse.rows("from plan_coverage where decode_tps is not null")}
    assert planned <= set(speeds.values())


def test_what_was_asked_for_has_the_same_speed(given: Given) -> None:
    warehouse = given(lacking(GGUF, 40), *(lacking(GGUF, 28, "a") for _ in "123"), *runs(MLX_4BIT, 50, 51))
    ids = [row["configuration_id"] for row in warehouse.rows("from run_summary order by decode_tps")]
    warehouse.ask(ids[0], ids[1])
    row = one(warehouse, "from comparison where kind = 'asked'")
    assert [row["a_decode_tps"], row["b_decode_tps"]] == [
        found["decode_tps"] for found in warehouse.rows("from run_summary order by decode_tps")
    ]


# ---------------------------------------------------------------- sample sizes, TTFT


@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        ({}, 30),
        ({(MLX, "a", 2), (MLX, "b", 1)}, 26),
        ({(MLX, "a", 2), (LLAMA, "a", 2)}, 28),
        ({(MLX, "a", 2), (LLAMA, "b", 2)}, 26),
        ({(MLX, "a", repeat) for repeat in (1, 2, 3)}, 24),
    ],
    ids=["all", "two of one side", "both of one pair", "one of each side", "a whole prompt"],
)
def test_a_request_without_its_partner_is_not_behind_a_ratio(given: Given, gone: Any, expected: int) -> None:
    def side(facts: Facts, runtime: str) -> list[Facts]:
        own = [(p, r, 20 if (runtime, p, r) in gone else 101) for p in PROMPTS for r in (1, 2, 3)]
        return [facts, *(request(p, r, tps=40, tokens=tokens, ttft_ms=200) for p, r, tokens in own)]

    row = one(given(side(MLX_4BIT, MLX), side(GGUF, LLAMA)), "from framework_delta")
    assert (row["request_count"], row["ttft_request_count"]) == (expected, 30)


@pytest.mark.parametrize(("tokens", "decode"), [(20, "not comparable"), (101, "one run a side")])
def test_a_time_to_first_token_needs_no_decode_speed(given: Given, tokens: int, decode: str) -> None:
    sides = ([facts, *requests(40, tokens=tokens, ttft_ms=ms)] for facts, ms in ((MLX_4BIT, 500), (GGUF, 1000)))
    warehouse = given(*sides)
    row = one(warehouse, "from framework_delta")
    assert (row["verdict"], row["ttft_verdict"], row["ttft_request_count"]) == (decode, "llama.cpp later", 30)
    assert one(warehouse, "from compare_pairs")["ttft_verdict"] == "second later"
    told = one(warehouse, "from framework_ratios where figure = 'TTFT'")
    assert (told["observation_count"], told["ratio"]) == (30, pytest.approx(0.5, rel=0.01))


def test_a_wait_that_is_less_than_half_as_long_again_wants_two_runs(given: Given) -> None:
    sides = [[facts, *requests(40, ttft_ms=ms)] for facts, ms in ((MLX_4BIT, 500), (GGUF, 700))]
    again = [[{**facts, "chip": "Apple M4 Max"}, *own] for facts, *own in [*sides, *sides]]
    found = given(*sides, *again).rows("from framework_delta order by machine")
    assert [row["ttft_verdict"] for row in found] == ["one run a side", "llama.cpp later"]


# ---------------------------------------------------------------- histories


def test_a_history_is_corrected_for_its_steps(given: Given) -> None:
    """The more versions the wider, at the same spread and degrees of freedom: for as many questions as were asked."""
    histories = {steps: [str(min(run // 2, steps)) for run in range(18)] for steps in (1, 2, 4, 8)}
    warehouse = given()
    fill(
        warehouse,
        [
            row
            for steps, versions in histories.items()
            for row in rows(MLX, *(40 + run % 2 for run in range(18)), machine=f"m {steps}", versions=versions)
        ],
    )
    spreads = {row["machine"]: row for row in warehouse.rows("from machine_spread where figure = 'decode'")}
    found = warehouse.rows("from runtime_history where version_before is not null order by machine, version")
    for row in found:
        steps, spread = row["step_count"], spreads[row["machine"]]
        sides = [histories[steps].count(one.rpartition(" ")[2]) for one in (row["version"], row["version_before"])]
        error = math.sqrt(spread["run_variance"] * sum(1 / count for count in sides))
        margin = math.log(row["decode_tps_ratio_high"] / row["decode_tps_ratio"])
        assert margin / error == pytest.approx(t_of(spread["degrees"], steps), rel=1e-9)
        assert row["reason"] == (f"corrected for {steps} steps" if steps > 1 else None)
    assert len(found) == sum(histories)


def test_what_one_run_under_each_version_shows_is_no_change(given: Given) -> None:
    found = given(version("1", 40), version("2", 36), version("3", 40)).rows(
        "from runtime_history order by first_run_at"
    )
    assert [row["verdict"] for row in found] == ["first", "one run a side", "one run a side"]


def test_a_wide_history_fills_from_made_up_rows(given: Given) -> None:
    """A change within 3 % is one where the interval excludes 1, and none where it does not."""
    warehouse = given()
    small = rows(MLX, *[40.0, 40.02] * 4, *[41.0, 41.02] * 2, versions=["1"] * 8 + ["2"] * 4)
    wide = rows(MLX, *[40.0, 41.5] * 4, *[41.0, 42.5] * 2, machine="wide", versions=["1"] * 8 + ["2"] * 4)
    fill(warehouse, [*small, *wide])
    found = warehouse.rows("from runtime_history where version_before is not null order by machine")
    assert [row["verdict"] for row in found] == ["faster", "inconclusive"]
