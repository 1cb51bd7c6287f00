"""The stability page: requests and runs → how far each is from its like, and sentences that follow the numbers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from site_src.warehouse import Warehouse
from tests import planted
from tests.conftest import request
from tests.planted import Planted, Row, gguf, mlx, speeds, suite
from tests.planted import views_without_comments as views_without_comments
from tests.rows import sharing
from tests.test_framework_page import answer, machine, page

Given = Callable[..., Warehouse]
MACHINE = "m3"


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return sharing(given, monkeypatch)


@pytest.fixture
def views() -> Iterator[Planted]:
    yield planted.shared()
    planted.shared().clear()


# ---------------------------------------------------------------- every repeat


def test_each_request_is_seen_against_the_median_of_its_prompt(given: Given) -> None:
    runs = [[mlx(), *speeds("a", 50.0, 40.0), *speeds("b", 10.0)], [mlx(), *speeds("a", 45.0, 46.0)]]
    rows = given(*runs).rows("from stability_repeats where prompt_id = 'a'")
    near = pytest.approx
    assert [row["median_tps"] for row in rows] == [near(45.5, rel=1e-3)] * 4
    assert [row["deviation_percent"] for row in rows] == [
        near(100 * (tps / 45.5 - 1), abs=0.05) for tps in (50, 40, 45, 46)
    ]
    assert [row["run_deviation_percent"] for row in rows[:2]] == [near(100 / 9, abs=0.05), near(-100 / 9, abs=0.05)]
    assert [(row["run_number"], row["repeat"], row["position"]) for row in rows] == [
        (1, 1, 1),
        (1, 2, 2),
        (2, 1, 1),
        (2, 2, 2),
    ]
    assert {row["repeat_count"] for row in rows} == {4}
    assert [row["is_first"] for row in rows] == [True, False, False, False]


def test_a_request_left_out_of_figures_is_shown_and_says_why(given: Given) -> None:
    cached = request("a", 3, tps=90, tokens=40, cached_tokens=90)
    *counted, out = given([mlx(), *speeds("a", 50.0, 52.0), cached]).rows("from stability_repeats")
    assert [row["is_counted"] for row in (*counted, out)] == [True, True, False]
    assert out["reason"] == "the prompt was partly cached"
    assert out["median_tps"] == pytest.approx(51, rel=1e-3)


def test_unstable_and_drifting_configurations_are_named(given: Given) -> None:
    shaky = [mlx(), *speeds("a", 50.0, 40.0, 60.0)]
    slower = [[gguf(), *speeds("a", tps, tps, tps)] for tps in (50.0, 40.0)]
    rows = given(shaky, *slower).rows("select distinct runtime, state from stability_repeats")
    assert {row["runtime"]: row["state"] for row in rows} == {"mlx": "unstable", "llama.cpp": "drifting"}


def test_ladders_are_no_repeats(given: Given) -> None:
    assert given([mlx(suite="context"), *planted.rung(16384)]).rows("from stability_repeats") == []


# ---------------------------------------------------------------- from run to run


def test_each_run_is_set_against_the_first_and_a_new_version_is_marked(given: Given) -> None:
    runs = [[mlx(runtime_version=version), *suite(base)] for base, version in ((50, "1"), (50, "1"), (40, "2"))]
    rows = given(*runs).rows("from stability_by_run")
    assert [row["first_run_ratio"] for row in rows] == [pytest.approx(ratio, rel=1e-3) for ratio in (1, 1, 0.8)]
    assert [row["is_new_version"] for row in rows] == [None, False, True]
    assert [row["is_off_at_end"] for row in rows] == [False, False, True]
    assert [(row["run_number"], row["run_count"], row["decode_count"]) for row in rows] == [
        (n, 3, 21) for n in (1, 2, 3)
    ]


def test_of_those_that_end_off_the_four_farthest_are_named(given: Given) -> None:
    pairs = [[gguf(f"Q{bits}_0"), *suite(base)] for bits in range(2, 8) for base in (50, 50 - 2 * bits)]
    rows = given(*pairs).rows("from stability_by_run where is_named")
    assert [row["bits"] for row in rows] == [4, 5, 6, 7]


def test_a_single_run_has_no_history_and_half_a_run_is_no_part_of_one(given: Given) -> None:
    part = [gguf(), *suite(40, prompts=("qa",))]
    assert given([mlx(), *suite(50)], [gguf(), *suite(40)], part).rows("from stability_by_run") == []


# ---------------------------------------------------------------- sentences


def steady(name: str = "a", cv: float | None = 0.01, grade: str | None = "stable", **more: Any) -> Row:
    """A configuration's row of stability."""
    return {
        "configuration_id": name,
        "label": name,
        "machine": MACHINE,
        "runtime": "mlx",
        "cv": cv,
        "grade": grade,
        "cv_low": cv and cv / 2,
        "cv_high": cv and cv * 2,
        "verdict": "settled" if cv else "unknown",
        "request_count": 21 if cv else 0,
        "run_count": 2,
        "is_drifting": False,
        **more,
    }


SPREAD = {"machine": MACHINE, "figure": "decode", "run_variance": 0.0004, "degrees": 10, "run_count": 14}


def speech(
    views: Planted,
    *rows: Row,
    updates: tuple[Row, ...] = (),
    drifts: tuple[Row, ...] = (),
    spread: tuple[Row, ...] = (),
) -> str:
    views.put("machines", machine())
    views.put("machine_spread", *spread)
    views.put(
        "configuration_names",
        *({"configuration_id": r["configuration_id"], "configuration_name": r["label"]} for r in rows),
    )
    views.put("stability", *rows)
    views.put("runtime_history", *updates)
    views.put("position_drift", *drifts)
    views.put("stg_runs", *({"run_id": row["run_id"], "machine": MACHINE, "suite": "standard"} for row in drifts))
    return answer(views.warehouse, "stability.md")


def test_before_anything_is_measured_the_page_says_so(given: Given) -> None:
    warehouse = given()
    assert "Nothing is measured yet." in answer(warehouse, "stability.md")
    assert "<figure" not in page(warehouse, "stability.md")


def test_without_repeats_nothing_is_known(views: Planted) -> None:
    assert "**Not known.** No prompt has two valid repeats on m3." in speech(views, steady(cv=None, grade=None))


UPDATE = {"machine": MACHINE, "label": "a", "version": "LM Studio 2", "version_before": "LM Studio 1"}
SENTENCES = [
    ((steady(),), {}, "**1 of 1 configuration stable** on m3"),
    ((steady(), steady("b", 0.03, "acceptable")), {}, "**1 of 2 configurations stable** on m3"),
    ((steady(), steady("b", 0.03, "acceptable")), {}, "1 acceptable (up to 5 %), 0 unstable; 42 requests."),
    ((steady(), steady("b", 0.08, "unstable")), {}, "Unstable: b (CV 8.0 %)."),
    ((steady(), steady("b", 0.08, "unstable")), {}, "Widest: b with a CV of 8.0% (95 % interval 4.0% to 16.0%)."),
    ((steady(verdict="provisional"),), {}, "1 grade provisional"),
    ((steady(run_count=1),), {}, "Each was run once"),
    (
        (steady(),),
        {},
        "No configuration changed by more than 3 % from its first run to its last (1 with several runs).",
    ),
    ((steady(is_drifting=True, drift=-0.045),), {}, "from the first run to the last: a (-4.5 %)."),
    (
        (steady(is_drifting=True, drift=-0.045, drift_low=-0.09, drift_high=0.003),),
        {},
        "from the first run to the last: a (-4.5 % [-9.0, +0.3]). In brackets is the 95 % interval",
    ),
    (
        (steady(machine_run_spread=0.0202),),
        {"spread": ({**SPREAD, "configuration_count": 4},)},
        # sqrt(10 / chi-squared) of 0.975 and 0.025 with 10 degrees of freedom: 0.699 and 1.755
        "typically off by 2.0% on this machine (95 % interval 1.4% to 3.6%), by 14 runs of 4 configurations.",
    ),
    (
        (steady(outlier_count=2, first_outlier_count=1, judged_count=30),),
        {},
        "2 outliers among 30 judged requests, 1 of them the first of their run; they count.",
    ),
    (
        (steady(),),
        {"updates": ({**UPDATE, "verdict": "one run a side"},)},
        "1 change of versions with one run a side: nothing can be said of what came of it.",
    ),
    ((steady(),), {"updates": ({**UPDATE, "verdict": "regression"},)}, "Slower after an update: a under LM Studio 2."),
    ((steady(),), {"updates": ({**UPDATE, "verdict": "faster"},)}, "1 change of versions, none made"),
    (
        (steady(),),
        {"drifts": tuple({"run_id": n, "request_count": 6, "is_drifting": n == "1"} for n in "12")},
        "In 1 of 2 runs speed changed steadily",
    ),
]


@pytest.mark.parametrize(("rows", "more", "said"), SENTENCES)
def test_a_sentence_changes_with_the_number_it_is_made_of(
    views: Planted, rows: tuple[Row, ...], more: dict[str, Any], said: str
) -> None:
    assert said in speech(views, *rows, **more)


def test_what_is_measured_twice_is_drawn(given: Given) -> None:
    whole = page(given([mlx(), *suite(50, cv=0.01)], [mlx(), *suite(49, cv=0.01)]), "stability.md")
    for name in ("stability_repeats", "stability_by_run", "stability_by_position"):
        assert f'id="chart-{name}"' in whole, name
