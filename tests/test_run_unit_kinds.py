"""Kinds that are never mixed: of memory, of loads, of answers long and short; NULL is no number; joint verdicts."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from collector.backends import Facts
from site_src.warehouse import Warehouse
from tests import synthetic
from tests.conftest import request
from tests.rows import idle, load, sample, shared, sharing

Given = Callable[..., Warehouse]
Graded = Callable[[dict[str, dict[str, Any]]], None]
ABOVE, FOOTPRINT = "system, above baseline", "engine footprint"
GGUF: Facts = {"parallel": 1}  # conftest.RUN is MiniMax-M2.1 Q4_K_M on llama.cpp
MLX: Facts = {"runtime": "mlx", "model_key": "mlx-community/MiniMax-M2.1-4bit", "model_format": "mlx"}
MLX |= {"quantization": "4bit", "parallel": 1}  # what its engine holds is all it needs: no file beside it
EIGHT: Facts = {**MLX, "quantization": "8bit", "model_key": "mlx-community/MiniMax-M2.1-8bit"}


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return sharing(given, monkeypatch)


@pytest.fixture
def graded() -> Iterator[Graded]:
    """`graded({configuration: columns})`: quality as if outputs had been graded; a gate of pass unless told."""

    def grade(found: dict[str, dict[str, Any]]) -> None:
        names = sorted({"gate", *(name for row in found.values() for name in row)})
        rows = [{"gate": "pass", **row} for row in found.values()]
        columns = {name: [row.get(name) for row in rows] for name in names}
        synthetic.stand_in(shared(), "configuration_quality", {"configuration_id": list(found), **columns})

    yield grade
    shared().refresh()


def one(warehouse: Warehouse, query: str) -> dict[str, Any]:
    [row] = warehouse.rows(query)
    return row


def speeds(tps: float, **more: Any) -> list[Facts]:
    return [request(p, r, tps=tps * (1 + 0.001 * r), **more) for p in "abc" for r in (1, 2, 3)]


def above(gb: float, seconds: float = 20.0, **more: Any) -> list[Facts]:
    """A load on top of 10 GB, whose peak is known against that baseline."""
    return [idle(sample(1, 10)), load(seconds, **more), idle(sample(100, 10 + gb))]


def before(gb: float) -> list[Facts]:
    """The model was loaded before: the engine's footprint is what is known."""
    return [idle(sample(1, footprint=gb))]


# ---------------------------------------------------------------- memory


def test_a_footprint_is_never_set_against_a_peak_above_a_baseline(given: Given) -> None:
    sides = [[MLX, *above(60), *speeds(50)], [MLX, *above(61), *speeds(50)], [GGUF, *before(90), *speeds(50)]]
    row = one(given(*sides), "from framework_delta")
    assert (row["memory_verdict"], row["peak_memory_ratio"], row["peak_memory_difference_gb"]) == (
        "not comparable",
        None,
        None,
    )
    assert row["memory_reason"] == "no peak memory of one kind on both sides"


def test_of_two_kinds_on_both_sides_one_is_compared(given: Given) -> None:
    sides = [[side, *of, *speeds(50)] for side, gb in ((MLX, 60), (GGUF, 80)) for of in (above(gb), before(4 * gb))]
    row = one(given(*sides), "from framework_delta")
    assert row["peak_memory_ratio"] == pytest.approx(0.75)
    assert row["peak_memory_difference_gb"] == pytest.approx(-20)


def test_a_configurations_peak_is_of_the_kind_it_says(given: Given) -> None:
    warehouse = given(
        [GGUF, *above(60), *speeds(50)], [GGUF, *before(200), *speeds(50)], [GGUF, *above(62), *speeds(50)]
    )
    row = one(warehouse, "from run_summary")
    assert (row["peak_memory_gb"], row["peak_memory_kind"], row["peak_memory_count"]) == (62, ABOVE, 2)


def test_what_is_asked_for_takes_the_place_of_what_was_asked_before(given: Given) -> None:
    found = given([GGUF, *speeds(50)], [MLX, *speeds(50)])
    a, b = (row["configuration_id"] for row in found.rows("select configuration_id from configurations"))
    asked = "select a_id, b_id from comparison where kind = 'asked'"
    assert found.rows(asked) == []
    for sides in ((a, b), (b, a)):
        found.ask(*sides)
        assert [tuple(row.values()) for row in found.rows(asked)] == [sides]


def test_what_was_asked_for_shows_peaks_of_one_kind(given: Given) -> None:
    found = given([GGUF, *above(60), *speeds(50)], [GGUF, *before(200), *speeds(50)], [MLX, *above(62), *speeds(50)])
    ids = [row["configuration_id"] for row in found.rows("from run_summary order by peak_memory_gb")]
    found.ask(ids[0], ids[1])
    row = one(found, "from comparison where kind = 'asked'")
    assert (row["a_peak_memory_gb"], row["b_peak_memory_gb"]) == (60, 62)


@pytest.mark.parametrize(
    ("kinds", "best"), [(("above", "before"), 101), (("before", "above"), 98), (("above", "above"), 98)]
)
def test_the_best_value_is_among_peaks_of_one_kind(
    given: Given, graded: Graded, kinds: tuple[str, str], best: float
) -> None:
    """101 GB of 4 bit against 98 GB of 8 bit: of two kinds that against a baseline is ranked."""
    of = {"above": above, "before": before}
    bits = [MLX, EIGHT]
    warehouse = given(
        *([facts, *of[kind](gb), *speeds(50)] for facts, kind, gb in zip(bits, kinds, (101, 98), strict=True))
    )
    graded({row["configuration_id"]: {} for row in warehouse.rows("from run_summary")})
    found = warehouse.rows("from quant_tradeoff")
    assert [row["peak_memory_gb"] for row in found if row["is_best_value"]] == [best]
    if kinds[0] != kinds[1]:
        [other] = [row for row in found if not row["is_best_value"]]
        assert other["best_value_reason"] == "its peak memory is of another kind than that of others"


@pytest.mark.parametrize("view", ["quantization_overview", "model_roles"])
@pytest.mark.parametrize(("of", "smallest"), [(before, "4bit"), (above, "8bit")], ids=["two kinds", "one kind"])
def test_the_smallest_is_so_among_peaks_of_one_kind(given: Given, view: str, of: Any, smallest: str) -> None:
    row = one(given([MLX, *above(80), *speeds(50)], [EIGHT, *of(60), *speeds(40)]), f"from {view}")
    assert smallest in row["smallest_label"]


# ---------------------------------------------------------------- loads


def test_a_load_time_is_of_cold_loads_or_of_warm_ones(given: Given) -> None:
    warehouse = given(
        [GGUF, *above(60, 100, load_is_repeat=False), *speeds(50)],
        [GGUF, *above(60, 20, load_is_repeat=True), *speeds(50)],
    )
    row = one(warehouse, "from run_summary")
    assert (row["load_s"], row["load_kind"], row["load_count"]) == (20, "warm", 1)
    assert (row["load_cold_s"], row["load_warm_s"]) == (100, 20)
    assert one(warehouse, "select distinct load_s from configuration")["load_s"] == 20


@pytest.mark.parametrize("kinds", [(False, True), (True, None), (None, None)])
def test_loads_of_two_kinds_are_not_compared(given: Given, kinds: tuple[bool | None, bool | None]) -> None:
    """Cold against warm, warm against one that is not known, and two of which neither is."""
    sides = [
        [side, *above(60, 20, load_is_repeat=kind), *speeds(50)]
        for side, kind in zip((MLX, GGUF), kinds, strict=True)
        for _ in "12"
    ]
    row = one(given(*sides), "from framework_delta")
    assert (row["load_verdict"], row["load_s_ratio"]) == ("not comparable", None)
    assert row["load_reason"] == "no load time on both sides that is known as cold or as warm"


def test_of_loads_of_both_kinds_the_warm_ones_are_compared(given: Given) -> None:
    sides = [
        [side, *above(60, seconds, load_is_repeat=is_warm), *speeds(50)]
        for side, warm, cold in ((MLX, 20, 500), (GGUF, 40, 100))
        for seconds, is_warm in ((warm, True), (warm * 1.001, True), (cold, False))
    ]
    row = one(given(*sides), "from framework_delta")
    assert (row["load_kind"], row["load_s_ratio"]) == ("warm", pytest.approx(0.5))
    assert row["load_verdict"] == "llama.cpp slower"


# ---------------------------------------------------------------- answers that differ in length


def slowing(count: int, *, faster: float = 1.0, each: int = 1) -> list[Facts]:
    """Answers of so many tokens by an engine that slows down as they grow: token n takes (1 + n / 1000) / 40 s.

    `each`: tokens a chunk.
    """
    gaps = [round(1e6 * (1 + n / 1000) / 40 / faster) for n in range(count)]
    chunks = [sum(gaps[at : at + each]) for at in range(0, count, each)]
    first = chunks[0] * 1000
    last = sum(chunks) * 1000
    times = {"first_event_ns": first, "first_text_ns": first, "first_answer_ns": first, "last_text_ns": last}
    times |= {"done_ns": last, "elapsed_ns": last}
    told = [{"gap_us": gap, "kind": "answer", "chars": 4 * each} for gap in chunks]
    return [request(p, r, tokens=count, **times, chunks=told) for p in "abc" for r in (1, 2)]


@pytest.mark.parametrize(("a", "b"), [(1500, 300), (300, 1500), (1000, 256), (600, 400)])
def test_of_answers_that_differ_in_length_the_first_256_tokens_decide(given: Given, a: int, b: int) -> None:
    """Equal engines; over whole answers the one that wrote more would be slower."""
    sides = [[side, *slowing(count)] for side, count in ((MLX, a), (GGUF, b)) for _ in "12"]
    row = one(given(*sides), "from framework_delta")
    assert (row["verdict"], row["decode_tps_ratio"]) == ("equivalent", pytest.approx(1, abs=0.01))
    assert "answers to 3 of 3 prompts differ in length by more than 20 %" in row["reason"]


def test_a_faster_engine_is_faster_in_its_first_256_tokens(given: Given) -> None:
    sides = [[MLX, *slowing(1500, faster=1.2)], [GGUF, *slowing(300)]] * 2
    row = one(given(*([facts, *own] for facts, *own in sides)), "from framework_delta")
    assert (row["verdict"], row["decode_tps_ratio"]) == ("MLX faster", pytest.approx(1.2, rel=0.02))


@pytest.mark.parametrize("each", [16, 64])
def test_too_few_chunks_time_no_first_256_tokens(given: Given, each: int) -> None:
    """16 or 4 of them: where these tokens end is not known, and whole answers are other work."""
    row = one(given([MLX, *slowing(1536, each=each)], [GGUF, *slowing(300)]), "from framework_delta")
    assert (row["verdict"], row["decode_tps_ratio"]) == ("not comparable", None)
    assert "the speed of their first 256 tokens is not known" in row["reason"]


def test_answers_nearly_as_long_are_compared_whole(given: Given) -> None:
    row = one(given([MLX, *slowing(350)], [GGUF, *slowing(300)]), "from framework_delta")
    assert row["decode_tps_ratio"] < 0.99
    assert "differ in length" not in row["reason"]


# ---------------------------------------------------------------- quality, and who dominates


@pytest.mark.parametrize(
    ("better", "worse", "expected"),
    [
        ({}, {}, "Q4_K_M"),  # no rates are known: the gate decides
        (
            {"passed_share_low": 0.7, "passed_share_high": 0.9},
            {"passed_share_low": 0.8, "passed_share_high": 1.0},
            "Q4_K_M",
        ),
        (
            {"passed_share_low": 0.7, "passed_share_high": 0.9},
            {"passed_share_low": 0.94, "passed_share_high": 1.0},
            None,
        ),
        ({"gate": "warn"}, {}, None),
        ({"gate": "unproven"}, {}, None),
    ],
    ids=["gate alone", "rates meet", "rates apart", "warn", "unproven"],
)
def test_a_quantization_that_is_worse_dominates_nothing(
    given: Given, graded: Graded, better: Any, worse: Any, expected: str | None
) -> None:
    small, large = GGUF, {**GGUF, "quantization": "Q8_0"}
    warehouse = given(
        *([facts, *above(gb), *speeds(tps)] for facts, gb, tps in ((small, 60, 60), (large, 100, 40)) for _ in "12")
    )
    ids = [row["configuration_id"] for row in warehouse.rows("from run_summary order by bits")]
    graded(dict(zip(ids, (better, worse), strict=True)))
    assert one(warehouse, "from quant_tradeoff where bits = 8")["dominated_by"] == expected


def test_one_run_a_side_dominates_nothing(given: Given, graded: Graded) -> None:
    sides = [[GGUF, *above(60), *speeds(60)], [{**GGUF, "quantization": "Q8_0"}, *above(100), *speeds(40)]]
    warehouse = given(*sides)
    graded({row["configuration_id"]: {} for row in warehouse.rows("from run_summary")})
    assert not any(row["is_surely_dominated"] for row in warehouse.rows("from quant_tradeoff"))


# ---------------------------------------------------------------- NULL is no number


def deep(warehouse: Warehouse, ladders: list[tuple[int | None, float]], column: str) -> Any:
    """What `candidates` says of ladders at these contexts, with these peaks or these bounds of what is usable."""
    owner = one(warehouse, "from run_summary")
    names = [f"ladder {number}" for number, _ in enumerate(ladders)]
    alike = {name: [owner[name]] * len(ladders) for name in ("machine", "model", "runtime", "quantization")}
    contexts = [context for context, _ in ladders]
    known = {"deep_memory_gb": "context_effective", "context_usable_below": "context_usable"}[column]
    synthetic.stand_in(
        warehouse,
        "context_utilization",
        {"ladder_id": names, **alike, known: contexts, "context_usable_below": [int(value) for _, value in ladders]},
    )
    synthetic.stand_in(
        warehouse,
        "ladder_memory",
        {"ladder_id": names, "kind_rank": [1] * len(names), "peak_memory_gb": [value for _, value in ladders]},
    )
    return one(warehouse, "from candidates")[column]


@pytest.mark.parametrize("column", ["deep_memory_gb", "context_usable_below"])
@pytest.mark.parametrize(
    ("ladders", "expected"),
    [
        ([(131072, 130.0), (None, 290.0)], 130),
        ([(None, 290.0), (4096, 70.0), (65536, 90.0)], 90),
        ([(None, 290.0)], 290),  # better than nothing
    ],
    ids=["one unknown", "the largest known", "all unknown"],
)
def test_what_is_not_known_is_not_the_largest(given: Given, ladders: Any, expected: float, column: str) -> None:
    warehouse = given([GGUF, *above(60), *speeds(50)])
    try:
        assert deep(warehouse, ladders, column) == expected
    finally:
        warehouse.refresh()


def test_a_peak_that_is_not_known_is_neither_the_smallest_nor_the_largest(given: Given, graded: Graded) -> None:
    names = ("Q4_K_M", "Q6_K", "Q8_0")
    sizes = [above(60), above(80), []]
    warehouse = given(*([{**GGUF, "quantization": n}, *own, *speeds(50)] for n, own in zip(names, sizes, strict=True)))
    graded({row["configuration_id"]: {} for row in warehouse.rows("from run_summary")})
    row = one(warehouse, "from quantization_overview")
    assert "Q4_K_M" in row["smallest_label"]
    assert [r["quantization"] for r in warehouse.rows("from quant_tradeoff") if r["is_best_value"]] == ["Q4_K_M"]


# ---------------------------------------------------------------- joint verdicts


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["MLX faster"], "MLX faster"),
        (["MLX faster", "inconclusive"], "not all decided"),
        (["MLX faster", "one run a side"], "not all decided"),
        (["equivalent", "inconclusive", "one run a side"], "not all decided"),
        (["MLX faster", "llama.cpp faster"], "it depends"),
        (["MLX faster", "llama.cpp faster", "inconclusive"], "it depends"),
        (["one run a side"], "one run a side"),
        (["one run a side", "inconclusive"], "inconclusive"),
        ([None, "MLX faster"], "MLX faster"),
        ([], "inconclusive"),
    ],
)
def test_a_joint_verdict_drops_nothing_undecided(given: Given, verdicts: list[str | None], expected: str) -> None:
    [row] = given().rows(
        "select joint_verdict(1, verdicts, 'it depends') as said, is_answer(said) as answers "
        "from (select $verdicts::varchar[] as verdicts)",
        verdicts=verdicts,
    )
    assert row["said"] == expected
    assert row["answers"] == (expected in {"MLX faster", "it depends"})


@pytest.mark.parametrize(
    ("others", "expected"),
    [([(50, 50)], "not all decided"), ([(50, 50), (50, 49.5)], "MLX faster"), ([(30, 30), (50, 49.5)], "it depends")],
    ids=["one run a side", "both faster", "one of each"],
)
def test_question_1_is_answered_by_all_its_comparisons(
    given: Given, others: list[tuple[float, float]], expected: str
) -> None:
    """MiniMax is faster with MLX at 4 bit; at 8 bit so much was measured: MLX's speed a run, against 40."""
    runs = [[side, *speeds(tps)] for side, tps in ((MLX, 60), (MLX, 60.2), (GGUF, 40), (GGUF, 40.1))]
    runs += [
        [side, *speeds(tps)]
        for mlx, _ in others
        for side, tps in ((EIGHT, mlx), ({**GGUF, "quantization": "Q8_0"}, 40))
    ]
    row = one(given(*runs), "from answers where question = 1 and machine is not null")
    said = row["verdict"]
    if expected == "it depends":
        assert said not in ("MLX faster", "llama.cpp faster", "equivalent")
    else:
        assert said == expected
