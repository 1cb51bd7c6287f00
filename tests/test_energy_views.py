"""Joules a token from planted rails: rest subtracted, phases apart, and a reason where there is no figure."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from collector.commands._checks import words
from site_src import report
from site_src.warehouse import Warehouse
from site_src.words import read
from tests.energy_rows import IOREPORT, RAPL, Flowing
from tests.rows import one, probe, sharing
from tests.test_framework_page import page

Given = Callable[..., Warehouse]
PREFILL, DECODE = (150, 12, 0, 20), (90, 10, 0, 30)  # watts of GPU, CPU, neural engine and memory
REST_W = 0.5 + 4 + 1.5
PROBE = probe(1000)


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return sharing(given, monkeypatch)


def measured(flowing: Flowing | None = None, **more: Any) -> list[Any]:
    """Rest, three requests of one prompt, rest: 2 s of prefill of 1000 tokens, 2 s of decode of 100."""
    run = (flowing or Flowing()).rest()
    for repeat in (1, 2, 3):
        run.ask(PREFILL, DECODE, **{"repeat": repeat, **more})
    return [PROBE, *run.rest().rows]


def both(warehouse: Warehouse) -> dict[str, Any]:
    """The one configuration as the views have it."""
    return {**one(warehouse, "configuration_energy"), **one(warehouse, "run_summary")}


def test_a_token_costs_what_flows_beyond_rest(given: Given) -> None:
    row = both(given([IOREPORT, *measured()]))
    assert row["decode_j_per_token"] == pytest.approx((130 - REST_W) / 50, rel=1e-6)
    assert row["prefill_j_per_token"] == pytest.approx((182 - REST_W) * 2 / 1000, rel=1e-6)
    assert row["decode_watts"] == pytest.approx(130, rel=1e-6)
    assert row["rest_watts"] == pytest.approx(REST_W, rel=1e-6)
    assert row["gpu_busy_share"] == pytest.approx(1, rel=1e-6)
    assert row["tokens_per_kwh"] == pytest.approx(3.6e6 / row["decode_j_per_token"], rel=1e-9)
    assert (row["energy_kind"], row["energy_reason"]) == ("GPU + CPU + ANE + DRAM", None)


def test_readings_a_little_late_cost_little(given: Given) -> None:
    """Ten ms after the first and the last text, of two seconds each: within half a percent."""
    row = both(given([IOREPORT, *measured(late_s=0.01)]))
    assert row["decode_j_per_token"] == pytest.approx((130 - REST_W) / 50, rel=0.005)
    assert row["prefill_j_per_token"] == pytest.approx((182 - REST_W) * 2 / 1000, rel=0.005)


def test_rails_that_stand_still_leave_the_gpu_and_say_so(given: Given) -> None:
    """As on macOS 27: CPU, neural engine and memory at 0 all run long."""
    run = Flowing(rest=(0.5, 0, 0, 0)).rest()
    for repeat in (1, 2, 3):
        run.ask((150, 0, 0, 0), (90, 0, 0, 0), repeat=repeat)
    row = both(given([IOREPORT, PROBE, *run.rest().rows]))
    assert row["decode_j_per_token"] == pytest.approx((90 - 0.5) / 50, rel=1e-6)
    assert row["prefill_j_per_token"] == pytest.approx((150 - 0.5) * 2 / 1000, rel=1e-6)
    assert row["energy_kind"] == "GPU only"
    assert row["energy_reason"] == "GPU only: counters that stand still on this system: CPU, ANE, DRAM"


def test_a_processors_own_counters_are_of_its_package(given: Given) -> None:
    run = Flowing(rest=(None, 10, None, None)).rest()
    run.ask((0, 80, 0, 0), (0, 60, 0, 0)).rest()
    row = both(given([RAPL, PROBE, *run.rows]))
    assert row["decode_j_per_token"] == pytest.approx(50 / 50, rel=1e-6)
    assert (row["energy_kind"], row["gpu_busy_share"]) == ("CPU package only", None)
    assert row["energy_reason"] == "what a graphics card draws is not in it"


def unread(rows: list[Any]) -> list[Any]:
    return [{name: value for name, value in row.items() if name != "energy"} for row in rows]


BUSY = [(watts, 4, 0, 1.5) for watts in (0.5, 60, 0.5, 60, 0.5, 60, 0.5, 60)]
UNREST = "the machine was not at rest: {} W while nothing was asked"
WHOLE: dict[str, tuple[dict[str, Any], list[Any]]] = {  # of a run: the reason, its facts, its rows
    "measured before energy was read": ({}, unread(measured())),
    "the server is on another machine": ({"energy_reason": "the server is on another machine"}, unread(measured())),
    "energy was not read at rest": (IOREPORT, unread(measured())),
    "the energy counters stood still": (
        IOREPORT,
        Flowing(rest=(0, 0, 0, 0)).rest().ask((0, 0, 0, 0), (0, 0, 0, 0)).rest().rows,
    ),
    UNREST.format("6.0 to 65.5"): (IOREPORT, Flowing().rest(*BUSY).ask(PREFILL, DECODE).rest(*BUSY).rows),
    # steady before and steady after, and 14 W apart: what decoding adds may be off by 7 of 117
    UNREST.format("6.0 to 20.0"): (
        IOREPORT,
        Flowing().rest().ask(PREFILL, DECODE).rest(*[(14.5, 4, 0, 1.5)] * 8).rows,
    ),
    "no more energy flowed than at rest": (
        IOREPORT,
        Flowing(rest=(95, 10, 0, 30)).rest().ask(DECODE, DECODE).rest().rows,
    ),
}


def test_a_run_without_joules_says_why_and_nothing_is_0(given: Given) -> None:
    runs = [[{**facts, "suite": f"suite {place}"}, PROBE, *rows] for place, (facts, rows) in enumerate(WHOLE.values())]
    found = given(*runs).rows("select * from run_summary order by suite")
    assert [row["energy_reason"] for row in found] == list(WHOLE)
    assert {row[name] for row in found for name in ("decode_j_per_token", "prefill_j_per_token", "decode_watts")} == {
        None
    }
    assert {row["energy_kind"] for row in found} == {None}


def test_a_little_unrest_is_no_reason(given: Given) -> None:
    uneven = [(watts, 4, 0, 1.5) for watts in (0, 1, 0, 4, 0, 1, 2, 0)]
    row = one(given([IOREPORT, PROBE, *Flowing().rest(*uneven).ask(PREFILL, DECODE).rest(*uneven).rows]), "run_summary")
    assert row["decode_j_per_token"] == pytest.approx((130 - 6.5) / 50, rel=1e-6)


SLOW = "shorter than 0.5 s: the energy counters are too slow for it"
FAR = "no reading of the energy counters near where it began or ended"


CACHED, SLEPT = "the prompt was partly cached", "the machine slept meanwhile"
PHASES: list[tuple[dict[str, Any], str | None, str | None]] = [  # of a request: how it went, why there are no joules
    ({}, None, None),
    ({"tokens": 41, "tps": 100}, SLOW, None),
    ({"prefill_s": 0.4}, None, SLOW),
    ({"reads": "last"}, FAR, FAR),
    ({"prompt_tokens": 100}, None, "the prompt is shorter than 512 tokens"),
    ({"cached_tokens": 900}, CACHED, CACHED),
    ({"completion_tokens": None}, "the server sent no token count", None),
    ({"slept_ms": 900}, SLEPT, SLEPT),
]


def test_a_phase_without_joules_says_why(given: Given) -> None:
    runs = [
        [
            {**IOREPORT, "suite": f"suite {place}"},
            PROBE,
            *Flowing().rest().ask(PREFILL, DECODE, prompt=f"prompt {place}", **asked).rest().rows,
        ]
        for place, (asked, _, _) in enumerate(PHASES)
    ]
    found = given(*runs).rows("select * from request_energy order by run_id")
    assert [(row["decode_reason"], row["prefill_reason"]) for row in found] == [(one, two) for _, one, two in PHASES]
    figures = [(row["decode_j_per_token"] is None, row["prefill_j_per_token"] is None) for row in found]
    assert figures == [(bool(decode), bool(prefill)) for _, decode, prefill in PHASES]


def test_a_rail_missing_from_one_reading_is_no_smaller_sum(given: Given) -> None:
    run = Flowing().rest().ask(PREFILL, DECODE).rest()
    run.rows[1]["energy"][-1]["dram_uj"] = None
    row = one(given([IOREPORT, PROBE, *run.rows]), "request_energy")
    assert (row["decode_j_per_token"], row["decode_reason"]) == (None, "the energy counters were not read around it")
    assert row["prefill_j_per_token"] == pytest.approx((182 - REST_W) * 2 / 1000, rel=1e-6)


def test_an_interval_holds_what_runs_differ_by(given: Given) -> None:
    """Two runs at 2.48 and 2.58 J a token; Student-t with one degree of freedom."""

    def decoding(watts: tuple[float, ...]) -> list[Any]:
        return [PROBE, *Flowing().rest().ask(PREFILL, watts).rest().rows]

    row = one(given([IOREPORT, *decoding(DECODE)], [IOREPORT, *decoding((95, 10, 0, 30))]), "run_summary")
    low, high = 124 / 50, 129 / 50
    assert row["decode_j_per_token"] == pytest.approx(math.sqrt(low * high), rel=1e-6)
    margin = 12.706 * abs(math.log(high / low)) / math.sqrt(2) / math.sqrt(2)
    assert math.log(row["decode_j_per_token_high"] / row["decode_j_per_token"]) == pytest.approx(margin, rel=1e-3)
    assert (row["energy_interval_kind"], row["energy_run_count"]) == ("between runs", 2)


def test_joules_of_different_rails_are_not_pooled(given: Given) -> None:
    """After an update to macOS 27 the newest run has the GPU alone, and what older ones have is of another kind."""
    gpu = Flowing(rest=(0.5, 0, 0, 0)).rest().ask((150, 0, 0, 0), (90, 0, 0, 0)).rest()
    row = one(given([IOREPORT, *measured()], [IOREPORT, PROBE, *gpu.rows]), "run_summary")
    assert row["decode_j_per_token"] == pytest.approx(89.5 / 50, rel=1e-6)
    assert (row["energy_kind"], row["energy_run_count"]) == ("GPU only", 1)


def test_what_the_engine_read_from_disk_is_told(given: Given) -> None:
    row = one(given([IOREPORT, *measured(engine_read_bytes=2 * 10**9)]), "configuration_energy")
    assert row["read_gb"] == pytest.approx(6)


SAID = [
    *WHOLE,
    *(reason for _, *reasons in map(list, PHASES) for reason in reasons if reason),
    *("GPU + CPU + ANE + DRAM", "GPU only", "CPU package + DRAM", "CPU package only", "GPU + DRAM"),
    "GPU only: counters that stand still on this system: CPU, ANE, DRAM",
    "GPU + DRAM: counters that stand still on this system: CPU, ANE",
    f"prefill: {SLOW}; what a graphics card draws is not in it",
    *("joules are not known of what fits", "its joules are of another kind than the newest run has"),
    *words.KNOWN["energy_reason"],
]


def test_all_of_it_is_said_in_chinese() -> None:
    chinese = read("zh")
    left = {said: text for said in SAID for text, known in chinese.phrases.said(said) if not known}
    assert left == {}


def test_the_results_page_shows_joules_beside_speed_and_memory(given: Given) -> None:
    made = page(given([IOREPORT, *measured()]), "results.md")
    assert 'id="chart-energy_by_configuration"' in made
    assert "decode, J/token" in made
    assert made.count('>2.48 <span class="interval">') >= 2  # in the table of speeds, and in that of energy
    assert "GPU + CPU + ANE + DRAM" in made


def test_joules_that_hold_within_a_run_say_so_whatever_speeds_do() -> None:
    figures_of = {"decode_j_per_token": 2.0, "decode_j_per_token_low": 1.9, "decode_j_per_token_high": 2.1}
    kinds = {"interval_kind": "between runs", "energy_interval_kind": "within this run"}
    assert read("en").interval("decode_j_per_token", {**figures_of, **kinds}) == "1.90–2.10 within this run"
    assert read("en").interval("decode_j_per_token", {**figures_of, "interval_kind": "between runs"}) == "1.90–2.10"


def test_a_report_names_the_counters(given: Given) -> None:
    warehouse = given([IOREPORT, *measured()])
    [run] = warehouse.rows("select run_id from runs")
    made = report.facts(warehouse, run["run_id"])
    assert made["settings"]["energy_channels"] == ["gpu_uj", "cpu_uj", "ane_uj", "dram_uj"]
    assert "gpu_uj, cpu_uj, ane_uj, dram_uj" in report.markdown(made)
