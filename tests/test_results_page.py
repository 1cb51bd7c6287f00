"""The results page: every configuration, the plan's cells, and sentences that follow the numbers."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from site_src import build
from site_src.warehouse import Warehouse
from tests import planted
from tests.conftest import request
from tests.planted import Planted, Row, everything, gguf, mlx, speeds, suite
from tests.planted import views_without_comments as views_without_comments
from tests.rows import sharing
from tests.test_framework_page import answer, machine, page

Given = Callable[..., Warehouse]
MACHINE = "m3"
PAGE = "results.md"
OTHER = {"chip": "Apple M4 Max", "gpu_cores": 40, "memory_bytes": 128 * 2**30}


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return sharing(given, monkeypatch)


@pytest.fixture
def views() -> Iterator[Planted]:
    yield planted.shared()
    planted.shared().clear()


# ---------------------------------------------------------------- marts


def test_every_configuration_with_a_speed_is_drawn_the_fastest_first(given: Given) -> None:
    rows = given([mlx(), *suite(50)], [gguf(), *suite(60)], [gguf("Q8_0"), request("a", tokens=8)]).rows(
        "from decode_by_configuration"
    )
    assert [(row["quantization"], row["decode_count"], row["run_count"]) for row in rows] == [
        ("Q4_K_M", 21, 1),
        ("4bit", 21, 1),
    ]


def test_by_prompt_each_machine_has_the_six_measured_last(given: Given) -> None:
    runs = [[gguf(f"Q{bits}_0"), *speeds("a", 50.0, 52.0)] for bits in range(2, 9)]
    warehouse = given(
        *runs, [mlx(**OTHER), *speeds("a", 30.0)], [mlx("4bit", "qwen3-coder-next", **OTHER), *speeds("a", 40.0)]
    )
    rows = warehouse.rows("from decode_by_prompt where is_first")
    by_machine: dict[str, list[str]] = {}
    for row in rows:
        by_machine.setdefault(row["machine"], []).append(row["short_name"])
    assert [*by_machine.values()] == [
        [f"Q{bits}_0" for bits in range(8, 2, -1)],
        ["Qwen3-Coder-Next 4bit", "MiniMax-M2.1 4bit"],
    ]
    (row,) = [row for row in rows if row["short_name"] == "Q8_0"]
    assert (row["median_tps"], row["request_count"]) == (pytest.approx(51, rel=1e-3), 2)


def test_each_machine_shows_how_the_text_of_its_latest_run_arrived(given: Given) -> None:
    warehouse = given([mlx(), *speeds("a", 50.0)], [gguf(), *speeds("b", 50.0)], [mlx(**OTHER), *speeds("c", 50.0)])
    rows = warehouse.rows(
        "select machine, prompt_id, count(*) as n, max(chunk_number) as last from token_arrival group by all"
    )
    assert {(row["prompt_id"], row["n"], row["last"]) for row in rows} == {("b", 40, 40), ("c", 40, 40)}


def test_the_matrix_has_one_order_of_variants_for_all_models(views: Planted) -> None:
    rows = views.rows(
        "select variant, model, state, machine from plan_matrix where kind = 'speed' order by matrix_place"
    )
    assert len(rows) == 18
    assert list(dict.fromkeys(row["variant"] for row in rows)) == [
        *("Q2_K", "mlx-4bit", "Q4_0", "Q4_K_M", "Q4_K_S", "mlx-6bit", "Q6_K", "mlx-8bit", "Q8_0", "mlx-bf16", "BF16"),
    ]
    states = {(row["model"], row["variant"]): row["state"] for row in rows}
    assert states["MiniMax-M2.1", "mlx-4bit"] == "pending, with reference"
    assert states["MiniMax-M2.1", "Q4_K_S"] == "running"
    assert {row["machine"] for row in rows} == {None}


def test_engines_that_are_neither_have_a_table_of_their_own(given: Given) -> None:
    warehouse = given([mlx(), *suite(50)], [gguf(runtime="vllm"), *suite(60)])
    assert [row["runtime"] for row in warehouse.rows("from other_engines")] == ["vllm"]
    assert "### Other engines" in build.page(warehouse, PAGE, set())


def test_without_such_engines_there_is_no_table_of_them(given: Given) -> None:
    assert "### Other engines" not in build.page(given(), PAGE, set())


# ---------------------------------------------------------------- sentences


def overview(views: Planted, **more: Any) -> str:
    """The answer, where what was counted is known."""
    views.put("machines", machine(is_plan=more.pop("is_plan", True)))
    views.put(
        "damaged_files", *({"folder": "runs", "file": "x", "reason": "broken"} for _ in range(more.pop("damaged", 0)))
    )
    states = more.pop("states", ("measured", "failed", "pending"))
    views.put(
        "plan_coverage",
        *({"machine": MACHINE, "model": "M", "variant": s, "state": s, "kind": "speed"} for s in states),
    )
    run = {
        "machine": MACHINE,
        "run_id": "r",
        "model": "M",
        "request_count": 21,
        "failed_count": 1,
        **more.pop("run", {}),
    }
    views.put("runs", run)
    side = {"machine": MACHINE, "configuration_id": "c", "label": "M 4bit", "runtime": "mlx", "decode_tps": 45.67}
    side |= {"decode_tps_low": 45.0, "decode_tps_high": 46.0, "decode_count": 20, "decode_run_count": 2}
    side |= {"interval_kind": "between runs", **more}
    views.put("run_summary", side)
    return answer(views.warehouse, PAGE)


SENTENCES = [
    ({}, "**1 run with 21 measured requests** on m3 (1 failed), 1 model"),
    ({"run": {"request_count": 7, "failed_count": 0}}, "7 measured requests** on m3 (0 failed)"),
    ({}, "1 configuration with a decode speed: 1 on MLX, 0 on llama.cpp."),
    ({"runtime": "llama.cpp"}, "0 on MLX, 1 on llama.cpp."),
    ({}, "Fastest: M 4bit with **45.7 tokens/s** (95 % interval 45.0 to 46.0, 2 runs, 20 requests)."),
    ({"decode_run_count": 1}, "(95 % interval 45.0 to 46.0, one run, 20 requests)."),
    (
        {"decode_run_count": 1, "interval_kind": "within this run"},
        "(45.0 to 46.0 within this run alone, one run, 20 requests).",
    ),
    ({"decode_tps": 12.3, "decode_tps_low": None}, "with **12.3 tokens/s** (no interval, 2 runs, 20 requests)."),
    ({"decode_tps": None}, "None has a decode speed"),
    ({}, "1 of 20 cells of [the plan](#the-plan) measured, 1 failed."),
    ({"states": ("measured", "measured")}, "2 of 20 cells of [the plan](#the-plan) measured, 0 failed."),
    ({"is_plan": False}, "Nothing of this repository's own went through LM Studio here"),
    ({"damaged": 2}, "2 files cannot be trusted and [had to be left out](#files-left-out)."),
]


@pytest.mark.parametrize(("facts", "said"), SENTENCES)
def test_a_sentence_changes_with_the_number_it_is_made_of(views: Planted, facts: Row, said: str) -> None:
    assert said in overview(views, **facts)


def test_before_anything_is_measured_the_page_shows_the_plan_and_the_archive(given: Given) -> None:
    warehouse = given()
    assert "**No results yet.**" in answer(warehouse, PAGE)
    assert "None of the 20 cells of" in answer(warehouse, PAGE)
    whole = page(warehouse, PAGE)
    assert re.findall(r'<figure class="chart" id="([^"]*)"', whole) == ["chart-plan_matrix"]
    assert "native mlx-lm" in whole


def test_old_links_still_lead_somewhere() -> None:
    """Anchors that earlier versions of the page had; other pages and people link to them."""
    text = (Path(build.PAGES) / PAGE).read_text(encoding="utf-8")
    titles = re.findall(r"^##+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\s-]", "", title.lower()).strip().replace(" ", "-") for title in titles}
    assert {
        *("by-configuration", "mlx-against-llamacpp", "quantizations", "models", "stability", "the-plan"),
        *("how-text-arrives", "every-run", "files-left-out", "imported-from-llama-bench", "reference-native-mlx-lm"),
    } <= anchors


def test_with_a_bit_of_everything_every_picture_is_there(given: Given) -> None:
    whole = page(given(*everything()), PAGE)
    drawn = re.findall(r'<figure class="chart" id="chart-(\w+)"', whole)
    assert drawn == ["decode_by_configuration", "decode_by_prompt", "plan_matrix", "token_arrival"]
    assert whole.count('data-machine="') > 10
