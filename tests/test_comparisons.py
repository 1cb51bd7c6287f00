"""What is compared with what, and what is said of it: given rows → pairs, verdicts, reasons; planted truths."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from scipy import stats

from collector.backends import Facts
from site_src.warehouse import Warehouse
from tests import synthetic
from tests.conftest import STARTED, request
from tests.rows import shared, sharing
from tests.synthetic import LLAMA, MLX

Given = Callable[..., Warehouse]
Run = list[Facts]
Speeds = Sequence[float | None]

GB = 10**9
MARGIN = math.log(1.03)
QWEN = "Qwen3-Coder-Next"


def mlx(quantization: str = "4bit", name: str = "MiniMax-M2.1", **more: Any) -> Facts:
    key = f"mlx-community/{name}-{quantization}"
    return {
        "runtime": "mlx",
        "model_key": key,
        "model_format": "mlx",
        "quantization": quantization,
        "parallel": 1,
        **more,
    }


def gguf(quantization: str = "Q4_K_M", name: str = "MiniMax-M2.1", **more: Any) -> Facts:
    key = f"unsloth/{name.lower()}@{quantization.lower()}"
    return {"runtime": "llama.cpp", "model_key": key, "quantization": quantization, "parallel": 1, **more}


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    """Once in a test."""
    return sharing(given, monkeypatch)


@pytest.fixture
def planted() -> Iterator[Callable[[Iterable[synthetic.Row]], Warehouse]]:
    """`planted(rows)`: the shared warehouse with these speeds and no others, to the last digit."""

    def make(rows: Iterable[synthetic.Row]) -> Warehouse:
        synthetic.fill(shared(), rows)
        return shared()

    yield make
    shared().refresh()


@pytest.fixture
def graded() -> Iterator[Callable[[dict[str, str]], None]]:
    """`graded({configuration: gate})`: quality as if outputs had been graded."""

    def grade(gates: dict[str, str]) -> None:
        reasons = [f"graded {gate}" for gate in gates.values()]
        columns = {"configuration_id": list(gates), "gate": list(gates.values()), "reason": reasons}
        synthetic.stand_in(shared(), "configuration_quality", columns)

    yield grade
    shared().refresh()


def apart(given: Given, *groups: Sequence[Run]) -> Warehouse:
    """Groups of runs, each on a machine of its own, in one warehouse; a run begins with its facts."""
    return given(*([{"chip": f"chip {at}", **run[0]}, *run[1:]] for at, group in enumerate(groups) for run in group))


def again(*runs: Run) -> list[Run]:
    """Each run and the same once more, so that there are two a side: what one run a side shows is no verdict.

    Runs that agree add nothing to what prompts say of a ratio.
    """
    return [*runs, *runs]


def welch(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of a difference of means, by SciPy; each side has its own spread."""
    interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    return float(interval.low), float(interval.high)


def which(row: dict[str, Any]) -> int:
    """The group whose row this is."""
    return int(row["machine"].split("-")[1])


def speeds(prompt: str, *values: float, **more: Any) -> list[Facts]:
    return [request(prompt, repeat, tps=tps, **more) for repeat, tps in enumerate(values, start=1)]


def prompts(*values: float, **more: Any) -> list[Facts]:
    """Prompts a, b, c … at these speeds, two repeats each."""
    return [row for name, tps in zip("abcdefgh", values, strict=False) for row in speeds(name, tps, tps, **more)]


def memory(gb: float, **more: Any) -> list[Facts]:
    """A load whose peak above the baseline is this, in 20 s unless told."""

    def sample(at_s: float, used_gb: float) -> dict[str, Any]:
        return {"at_ns": round(at_s * 1e9), "system_used_bytes": round(used_gb * GB)}

    load = {"op": "load", "started_ns": 2 * 10**9, "elapsed_ns": 20 * 10**9, **more}
    return [
        {"op": "idle", "started_ns": 0, "memory": [sample(1, 10)]},
        load,
        {"op": "idle", "started_ns": 0, "memory": [sample(30, 10 + gb)]},
    ]


# ---------------------------------------------------------------- pairs

BESIDE = """
select a.machine, kind, a.label as a, b.label as b, obstacle, memory_obstacle, caveat
from pairs
inner join configurations as a on a.configuration_id = a_id
inner join configurations as b on b.configuration_id = b_id
order by all
"""


def beside(given: Given, *groups: Sequence[Facts]) -> list[list[dict[str, Any]]]:
    """The pairs that each group of configurations makes."""
    found: list[list[dict[str, Any]]] = [[] for _ in groups]
    for row in apart(given, *([[facts, request()] for facts in group] for group in groups)).rows(BESIDE):
        found[which(row)].append(row)
    return found


M, Q = "MiniMax-M2.1", QWEN


@pytest.mark.parametrize("is_turned", [False, True], ids=["first measured first", "the other first"])
def test_what_differs_in_one_thing_is_a_pair_with_fixed_sides(given: Given, is_turned: bool) -> None:
    cases = [
        (mlx(), gguf(), ("framework", f"{M} 4bit · mlx", f"{M} Q4_K_M · llama.cpp")),
        (mlx("8bit"), gguf("Q8_0"), ("framework", f"{M} 8bit · mlx", f"{M} Q8_0 · llama.cpp")),
        (mlx("8bit"), mlx("4bit"), ("quantization", f"{M} 4bit · mlx", f"{M} 8bit · mlx")),
        (gguf("Q6_K"), gguf("Q8_0"), ("quantization", f"{M} Q6_K · llama.cpp", f"{M} Q8_0 · llama.cpp")),
        (gguf("F16"), gguf("Q4_K_M"), ("quantization", f"{M} Q4_K_M · llama.cpp", f"{M} F16 · llama.cpp")),
        (gguf(name=QWEN), gguf(), ("model", f"{M} Q4_K_M · llama.cpp", f"{Q} Q4_K_M · llama.cpp")),
        (gguf("Q4_0", QWEN), gguf(), ("model", f"{M} Q4_K_M · llama.cpp", f"{Q} Q4_0 · llama.cpp")),
        (mlx("6bit"), mlx("6bit", QWEN), ("model", f"{M} 6bit · mlx", f"{Q} 6bit · mlx")),
    ]
    groups = [(b, a) if is_turned else (a, b) for a, b, _ in cases]
    found = [[(row["kind"], row["a"], row["b"]) for row in rows] for rows in beside(given, *groups)]
    assert found == [[expected] for _, _, expected in cases]


def test_two_quantizations_of_equal_bits_are_one_pair(given: Given) -> None:
    [rows] = beside(given, [gguf("Q4_K_S"), gguf("Q4_K_M")])
    assert [row["kind"] for row in rows] == ["quantization"]


def test_what_differs_in_two_things_or_in_none_that_is_asked_about_is_at_most_a_choice(given: Given) -> None:
    cases = [
        (mlx("4bit"), gguf("Q8_0")),  # runtime and bits
        (mlx(), gguf(name=QWEN)),  # runtime and model
        (gguf("Q4_K_M"), gguf("Q8_0", QWEN)),  # model and bits
        (gguf(), {**gguf(), "runtime": "vllm"}),  # no MLX
        (mlx(), {**gguf(), "runtime": None}),  # nobody knows which runtime
        ({**mlx(), "quantization": None}, {**gguf(), "quantization": None}),  # nor which bits
        (gguf(), gguf(context_effective=262144)),
        (gguf(), gguf(parallel=4)),
        (gguf(), gguf(temperature=0.0)),
        (gguf(), gguf(server="llama-server")),
        (gguf(), gguf(suite="coding-agent")),
        (gguf(), gguf()),  # two runs of one configuration
        (mlx(), gguf(suite="context")),  # a ladder
        (mlx(), gguf(server="llama-bench")),  # an imported file
    ]
    choices = [True, True, True, True, True, True, True, True, True, True, True, False, False, False]
    assert [[row["kind"] for row in rows] for rows in beside(given, *cases)] == [
        ["choice"] * is_one for is_one in choices
    ]


def test_machines_are_never_compared(given: Given) -> None:
    assert beside(given, [mlx()], [gguf()], [mlx(memory_bytes=64 * 2**30), gguf(memory_bytes=96 * 2**30)]) == [
        [],
        [],
        [],
    ]


def test_every_two_of_a_matrix_that_differ_in_one_thing_meet_once(given: Given) -> None:
    cells = [of(bits, name) for name in (M, Q) for of in (mlx,) for bits in ("4bit", "8bit")]
    cells += [gguf(bits, name) for name in (M, Q) for bits in ("Q4_K_M", "Q8_0")]
    [rows] = beside(given, cells)
    kinds = Counter(row["kind"] for row in rows)
    assert kinds == {"framework": 4, "quantization": 4, "model": 4, "choice": 16}  # all 28
    assert len({frozenset((row["a"], row["b"])) for row in rows}) == len(rows)


def test_what_forbids_a_comparison_and_what_only_makes_it_doubtful(given: Given) -> None:
    """Of MLX and llama.cpp with these facts: obstacle, what forbids to compare memory beyond that, caveat."""
    outside, short, sampling = "not both through LM Studio", "context below 131,072", "different sampling"
    other, both_long = "different context", "different context, both long enough"
    unknown, slots, forced = "context unknown on one side", "slots unknown on one side", "a check had failed"
    cases: list[tuple[Facts, Facts, str | None, str | None, str | None]] = [
        ({}, {}, None, None, None),
        ({"server": "llama-server"}, {}, outside, None, None),
        ({}, {"server": "llama-server"}, outside, None, None),
        ({"server": "llama-server"}, {"server": "llama-server"}, outside, None, None),
        ({"server": None}, {}, outside, None, None),
        ({"endpoint": "/api/v1/chat"}, {}, "different endpoints", None, None),
        ({"endpoint": None}, {}, "different endpoints", None, None),
        ({"temperature": 0.0}, {}, sampling, None, None),
        ({"top_p": None}, {}, sampling, None, None),
        ({"top_k": 20}, {}, sampling, None, None),
        ({"repeat_penalty": 1.1}, {}, sampling, None, None),
        ({"seed": 7}, {}, sampling, None, None),
        ({"context_effective": 4096}, {"context_effective": 4096}, short, None, None),  # memory is not blamed twice
        ({"context_effective": 208384}, {}, None, other, both_long),
        ({}, {"context_effective": 131073}, None, other, both_long),
        ({"context_effective": None}, {}, None, unknown, unknown),
        ({}, {"context_effective": None}, None, unknown, unknown),
        ({"context_effective": None}, {"context_effective": 131071}, short, unknown, unknown),
        ({"context_effective": 131071}, {"context_effective": None}, short, unknown, unknown),
        ({"parallel": 4}, {"parallel": 4}, None, None, None),
        ({"parallel": 2}, {"parallel": 4}, "2 slots against 4", None, None),
        ({"parallel": None}, {"parallel": 4}, None, None, slots),
        ({"parallel": 4}, {"parallel": None}, None, None, slots),
        ({"forced": True}, {}, None, None, forced),
        ({}, {"forced": True}, None, None, forced),
        ({"temperature": 0.0, "endpoint": "/x"}, {}, "different endpoints; different sampling", None, None),
        ({"parallel": None, "forced": True}, {}, None, None, f"{slots}; {forced}"),
    ]
    found = beside(given, *([mlx(**a), gguf(**b)] for a, b, *_ in cases))
    said = [[(row["obstacle"], row["memory_obstacle"], row["caveat"]) for row in rows] for rows in found]
    assert said == [[tuple(expected)] for _, _, *expected in cases]


@pytest.mark.parametrize("short", ["a", "b"])
def test_one_side_with_a_short_context_is_enough(given: Given, short: str) -> None:
    contexts = {"a": 131072, "b": 131072, short: 131071}
    [[row]] = beside(given, [mlx(context_effective=contexts["a"]), gguf(context_effective=contexts["b"])])
    assert (row["obstacle"], row["memory_obstacle"]) == ("context below 131,072", "different context")


def test_runs_and_versions_of_one_configuration_are_set_beside_those_just_before(given: Given) -> None:
    """Nothing forbids it: what the two measured is the same, also at a short context and outside LM Studio."""
    same = {"server": "llama-server", "context_effective": 4096}
    rows = given(*([gguf(runtime_version=version, **same), request()] for version in ("1", "2", "3"))).rows(
        "from pairs"
    )
    assert Counter(row["kind"] for row in rows) == {"version": 2, "run": 2}
    runs = sorted((row["a_id"], row["b_id"]) for row in rows if row["kind"] == "run")
    assert runs == [("000000000001", "000000000000"), ("000000000002", "000000000001")]
    assert {row["obstacle"] for row in rows} == {row["memory_obstacle"] for row in rows} == {None}


# ---------------------------------------------------------------- pair_speed: ratio and verdict


def sides(at: int, a: dict[str, Speeds], b: dict[str, Speeds]) -> Iterator[synthetic.Row]:
    """Decode speeds by prompt and repeat, MLX and llama.cpp, alike in two runs; TTFT is a tenth of their inverse."""
    for runtime, side in ((MLX, a), (LLAMA, b)):
        for prompt, values in side.items():
            for repeat, tps in enumerate(values, start=1):
                for run in (1, 2):
                    yield synthetic.Row(f"m-{at}", runtime, run, prompt, repeat, tps, 100 / tps if tps else None)


def spoken(warehouse: Warehouse) -> list[dict[str, Any]]:
    """The rows of pair_speed in the order of machines, `m-0` first."""
    rows = warehouse.rows(
        "select machine, pair_speed.* from pair_speed inner join configurations on configuration_id = a_id"
    )
    return sorted(rows, key=which)


def ratios(*logs: float) -> tuple[dict[str, Speeds], dict[str, Speeds]]:
    """Two sides whose prompts' ratios have these logarithms, without any noise."""
    names = [f"prompt {at}" for at in range(len(logs))]
    fast: dict[str, Speeds] = {name: [50 * math.exp(log)] * 2 for name, log in zip(names, logs, strict=True)}
    return fast, {name: [50, 50] for name in names}


def test_the_verdict_turns_at_a_margin_of_three_percent_on_both_sides(planted: Any) -> None:
    """Two prompts at center ± margin / t make just that interval; a thousandth of ln(1.03) decides."""
    bit = MARGIN / 1000
    expected = [
        (0.06, 0.06 - MARGIN - bit, "a faster"),  # (center, half the interval)
        (0.06, 0.06 - MARGIN + bit, "small difference"),
        (0.02, MARGIN - 0.02 - bit, "equivalent"),  # its interval is above 1 as a whole, and within the margin
        (0.02, MARGIN - 0.02 + bit, "small difference"),
        (0.02, 0.02 - bit, "small difference"),
        (0.02, 0.02 + bit, "inconclusive"),
        (0.0, MARGIN - bit, "equivalent"),
        (0.0, MARGIN + bit, "inconclusive"),
        (-0.06, 0.06 - MARGIN - bit, "b faster"),
        (-0.06, 0.06 - MARGIN + bit, "small difference"),
        (-0.02, MARGIN - 0.02 - bit, "equivalent"),
        (-0.02, MARGIN - 0.02 + bit, "small difference"),
        (-0.02, 0.02 + bit, "inconclusive"),
    ]
    t = stats.t.ppf(0.975, 1)
    cases = [ratios(center - margin / t, center + margin / t) for center, margin, _ in expected]
    found = spoken(planted(row for at, case in enumerate(cases) for row in sides(at, *case)))
    assert [row["verdict"] for row in found] == [verdict for *_, verdict in expected]
    assert [row["decode"] for row in found] == pytest.approx([center for center, *_ in expected], abs=1e-12)
    assert [row["decode_margin"] for row in found] == pytest.approx([margin for _, margin, _ in expected], rel=1e-9)
    assert {row["reason"] for row in found} == {None}


def test_without_any_variance_the_ratio_alone_decides(planted: Any) -> None:
    above, below = MARGIN + 1e-6, MARGIN - 1e-6
    expected = {0.0: "equivalent", above: "a faster", below: "equivalent", -above: "b faster", -below: "equivalent"}
    cases = [ratios(log, log, log) for log in expected]
    found = spoken(planted(row for at, case in enumerate(cases) for row in sides(at, *case)))
    assert [row["verdict"] for row in found] == list(expected.values())
    assert [row["decode_margin"] for row in found] == pytest.approx([0] * len(expected), abs=1e-12)


def test_one_prompt_has_a_ratio_and_no_interval(planted: Any) -> None:
    [row] = spoken(planted(sides(0, *ratios(0.5))))
    assert (row["prompt_count"], row["decode"]) == (1, pytest.approx(0.5))
    assert [row[name] for name in ("decode_se", "decode_margin", "ttft_margin", "detectable")] == [None] * 4
    assert (row["verdict"], row["reason"]) == ("inconclusive", "one prompt has no interval")


def test_one_repeat_is_enough_where_there_are_prompts(planted: Any) -> None:
    """The prompts are the sample."""
    [row] = spoken(planted(sides(0, {"a": [60], "b": [61], "c": [62]}, {"a": [50], "b": [50], "c": [50]})))
    logs = [math.log(tps / 50) for tps in (60, 61, 62)]
    assert (row["prompt_count"], row["request_count"], row["verdict"]) == (3, 12, "a faster")
    assert row["decode_margin"] == pytest.approx(stats.sem(logs) * stats.t.ppf(0.975, 2), rel=1e-9)


def test_prompts_weigh_alike_whatever_their_repeats(planted: Any) -> None:
    [row] = spoken(planted(sides(0, {"a": [60] * 9, "b": [50]}, {"a": [50] * 9, "b": [50]})))
    assert row["decode"] == pytest.approx(math.log(1.2) / 2)
    assert row["request_count"] == 40


def test_a_repeat_that_one_side_lacks_counts_on_neither(planted: Any) -> None:
    """Not even where the side that has it is far off in it."""
    a = {"a": [60, None, 60], "b": [60, 60, 60, 900]}
    b = {"a": [50, 900, 50], "b": [50, 50, 50]}
    [row] = spoken(planted(sides(0, a, b)))
    assert row["decode"] == pytest.approx(math.log(1.2))
    assert row["verdict"] == "a faster"


def test_repeats_are_paired_by_number(planted: Any) -> None:
    """Both sides slow down alike from repeat to repeat, and each lost another one."""
    a, b = {"a": [66, 63, None], "b": [66, 63, None]}, {"a": [None, 52.5, 50], "b": [None, 52.5, 50]}
    [row] = spoken(planted(sides(0, a, b)))
    assert row["decode"] == pytest.approx(math.log(63 / 52.5))


def test_a_request_that_something_speaks_against_counts_nowhere(planted: Any) -> None:
    rows = [
        row._replace(exclusion="the machine was hot") if row.prompt == "c" and row.runtime == MLX else row
        for row in sides(0, {"a": [60], "b": [60], "c": [900]}, {"a": [50], "b": [50], "c": [50]})
    ]
    [row] = spoken(planted(rows))
    assert (row["prompt_count"], row["request_count"]) == (2, 8)
    assert row["decode"] == pytest.approx(math.log(1.2))


def test_no_decode_speed_on_one_side_is_not_comparable(planted: Any) -> None:
    rows = [row._replace(decode_tps=None) if row.runtime == LLAMA else row for row in sides(0, *ratios(0.2, 0.2))]
    [row] = spoken(planted(rows))
    assert (row["prompt_count"], row["decode"], row["verdict"]) == (0, None, "not comparable")
    assert row["reason"] == "no prompt with a decode speed on both sides"
    assert (row["ttft_prompt_count"], row["ttft"]) == (2, pytest.approx(-0.2))


def test_without_a_common_prompt_there_is_nothing_to_say(planted: Any) -> None:
    assert spoken(planted(sides(0, {"a": [60], "b": [60]}, {"c": [50], "d": [50]}))) == []


def test_nothing_is_said_of_a_pair_with_an_obstacle(given: Given) -> None:
    warehouse = given([mlx(temperature=0.0), *prompts(60, 60)], [gguf(), *prompts(50, 50)])
    assert len(warehouse.rows("from pairs")) == 1
    assert warehouse.rows("from pair_speed") == []


def test_ttft_has_its_own_ratio_and_interval(planted: Any) -> None:
    """TTFT of the second prompt is missing on one side: its decode speed counts, its TTFT does not."""
    rows = [
        row._replace(ttft_ms=None) if row.prompt == "prompt 1" and row.runtime == MLX else row
        for row in sides(0, *ratios(0.1, 0.2, 0.3))
    ]
    [row] = spoken(planted(rows))
    assert (row["prompt_count"], row["ttft_prompt_count"]) == (3, 2)
    assert row["ttft"] == pytest.approx(-0.2)
    assert row["ttft_margin"] == pytest.approx(stats.sem([0.1, 0.3]) * stats.t.ppf(0.975, 1), rel=1e-9)


def test_the_smallest_difference_that_would_be_found(planted: Any) -> None:
    [row] = spoken(planted(sides(0, *ratios(0.0, 0.01, 0.05))))
    found = stats.sem([0.0, 0.01, 0.05]) * (stats.t.ppf(0.975, 2) + stats.t.ppf(0.8, 2))
    assert row["detectable"] == pytest.approx(math.exp(found) - 1, rel=1e-9)


def test_answers_that_differ_in_length_by_a_fifth_are_compared_by_their_first_tokens(given: Given) -> None:
    lengths = [(100, 100), (120, 100), (121, 100), (100, 120), (100, 121)]
    groups = [again([mlx(), *prompts(60, 60, tokens=a)], [gguf(), *prompts(50, 50, tokens=b)]) for a, b in lengths]
    found = spoken(apart(given, *groups))
    told = "answers to 2 of 2 prompts differ in length by more than 20 %, their first 256 tokens count"
    assert [row["reason"] for row in found] == [None, None, told, None, told]
    assert {row["verdict"] for row in found} == {"a faster"}


# ---------------------------------------------------------------- drift


def several(at: int, a: Sequence[float], b: Sequence[float]) -> Iterator[synthetic.Row]:
    """A run for each speed given, of three prompts alike."""
    for runtime, runs in ((MLX, a), (LLAMA, b)):
        for run, tps in enumerate(runs, start=1):
            for prompt in "abc":
                yield synthetic.Row(f"m-{at}", runtime, run, prompt, 1, tps, 100.0)


def test_an_effect_no_larger_than_a_sides_drift_is_not_decided(planted: Any) -> None:
    told = "a side changed by 10 % from its first run to its last"
    expected = [
        ([60, 60], [50, 50], "a faster", None),
        ([50, 55], [50, 50], "inconclusive", told),  # drift 10 %, effect 5 %
        ([50, 50], [50, 55], "inconclusive", told),
        ([55, 50], [50, 50], "inconclusive", told),  # falling is drifting
        ([50, 50], [55, 50], "inconclusive", told),
        ([50, 55], [55, 50], "inconclusive", told),  # equal in the mean, and yet nothing is known
        ([100, 110], [50, 50], "a faster", told),  # 110 % is more than any drift here
        ([50, 50], [100, 110], "b faster", told),
        ([50, 51.4], [50, 50], "inconclusive", None),  # no drift of 3 %, but runs differ by more than can be told
        ([50, 51.6], [50, 50], "inconclusive", "a side changed by 3 % from its first run to its last"),
        ([100, 140, 100], [50, 50, 50], "a faster", None),  # the first and the last run are alike
        ([50, 55], [50, 60], "inconclusive", "a side changed by 20 % from its first run to its last"),
    ]
    found = spoken(planted(row for at, (a, b, *_) in enumerate(expected) for row in several(at, a, b)))
    assert [(row["verdict"], row["reason"]) for row in found] == [(verdict, reason) for *_, verdict, reason in expected]
    changes = [max(abs(math.log(side[-1] / side[0])) for side in (a, b)) for a, b, *_ in expected]
    assert [row["drift"] for row in found] == pytest.approx(changes, abs=1e-12)


def test_an_effect_just_above_the_drift_counts_and_one_just_below_does_not(planted: Any) -> None:
    """The runs of a are this much above b, the first less and the last more; drift is 10 %. So many that spread decides
    nothing."""
    drift = math.log(1.1)
    runs = [
        [50 * math.exp(effect + off * drift / 2) for off in (-1, *[0] * 20, 1)]
        for effect in (drift * 0.99, drift * 1.01)
    ]
    found = spoken(planted(row for at, a in enumerate(runs) for row in several(at, a, [50] * 22)))
    assert [row["verdict"] for row in found] == ["inconclusive", "a faster"]


def test_drift_is_from_the_first_run_to_the_last_with_a_speed(given: Given) -> None:
    """By time, not by name of file or run."""

    def run(minute: int, run_id: str, *rows: Facts) -> Run:
        return [gguf(run_started_at=STARTED + timedelta(minutes=minute), run_id=run_id), *rows]

    warehouse = given(
        run(3, "a" * 12, *prompts(60, 60)),
        run(1, "b" * 12, *prompts(50, 50)),
        run(2, "c" * 12, *prompts(90, 90)),
        run(0, "d" * 12, *prompts(9, 9, error_kind="timeout")),
        run(4, "e" * 12, {"op": "load", "error_kind": "engine"}),
    )
    [row] = warehouse.rows("from configuration_drift")
    assert (row["run_count"], row["drift"]) == (3, pytest.approx(math.log(60 / 50), abs=1e-4))


def test_one_run_cannot_drift(given: Given) -> None:
    assert given([gguf(), *prompts(50, 60)], [gguf("Q8_0"), *prompts(40, 50)]).rows("from configuration_drift") == []


# ---------------------------------------------------------------- planted truths, through run files


def measured(chance: Random, facts: Facts, tps: float, noise: float = 0.005, spread: float = 0.005) -> Run:
    """Five repeats of seven prompts about this fast, with noise and an effect of the prompt."""
    rows = []
    for at, name in enumerate("abcdefg"):
        center = tps * (1 + 0.05 * at) * math.exp(chance.gauss(0, spread))
        rows += speeds(name, *(center * math.exp(chance.gauss(0, noise)) for _ in range(5)))
    return [facts, *rows]


def test_planted_truths_come_back_as_exactly_the_right_verdicts(given: Given) -> None:
    chance = Random(512)
    groups = [
        [
            *(measured(chance, mlx("4bit"), 75) for _ in "12"),  # 25 % faster at 4 bits
            *(measured(chance, gguf("Q4_K_M"), 60) for _ in "12"),
            *(measured(chance, mlx("8bit"), 40) for _ in "12"),  # equal at 8
            *(measured(chance, gguf("Q8_0"), 40) for _ in "12"),
        ],
        [
            measured(chance, mlx(), 60),  # 10 % faster in the mean, and it became 20 % faster from run to run
            measured(chance, mlx(), 72),
            *(measured(chance, gguf(), 60) for _ in "12"),
        ],
        again(measured(chance, mlx(context_effective=32768), 75), measured(chance, gguf(), 60)),
        again(measured(chance, mlx(), 61, spread=0.1), measured(chance, gguf(), 60, spread=0.1)),
        [measured(chance, mlx(), 75), measured(chance, gguf(), 60)],
    ]
    rows = apart(given, *groups).rows("from framework_delta")
    assert {(which(row), row["bits"]): row["verdict"] for row in rows} == {
        (0, 4): "MLX faster",
        (0, 8): "equivalent",
        (1, 4): "inconclusive",
        (2, 4): "not comparable",
        (3, 4): "inconclusive",
        (4, 4): "one run a side",
    }
    by_bits = {row["bits"]: row for row in rows if which(row) == 0}
    assert by_bits[4]["decode_tps_ratio"] == pytest.approx(1.25, rel=0.02)
    assert (by_bits[4]["prompt_count"], by_bits[4]["request_count"]) == (7, 140)
    assert by_bits[4]["decode_tps_ratio_low"] < 1.25 < by_bits[4]["decode_tps_ratio_high"]
    assert by_bits[8]["decode_tps_ratio_low"] < 1 < by_bits[8]["decode_tps_ratio_high"]
    reasons = {which(row): row["reason"] for row in rows if which(row)}
    assert reasons[1] == "a side changed by 21 % from its first run to its last"
    assert reasons[2].startswith("context below 131,072")
    assert (reasons[3], reasons[4]) == (None, "one run on a side")


# ---------------------------------------------------------------- model_comparison


def test_of_two_models_the_faster_is_named(given: Given) -> None:
    ratios = [
        (50, 60, f"{Q} faster"),
        (60, 50, f"{M} faster"),
        (50, 50.2, "equivalent"),
        (50, 51.48, "small difference"),
    ]
    groups = [again([gguf(), *prompts(a, a + 1, a)], [gguf("Q4_0", QWEN), *prompts(b, b + 1, b)]) for a, b, _ in ratios]
    rows = sorted(apart(given, *groups).rows("from model_comparison"), key=which)
    assert [row["verdict"] for row in rows] == [verdict for *_, verdict in ratios]
    first = rows[0]
    assert (first["model"], first["other_model"], first["bits"], first["runtime"]) == (M, Q, 4, "llama.cpp")
    assert (first["quantization"], first["other_quantization"]) == ("Q4_K_M", "Q4_0")
    assert (first["prompt_count"], first["request_count"], first["reason"]) == (3, 24, None)
    assert first["decode_tps_ratio"] == pytest.approx((50 / 60 * 51 / 61 * 50 / 60) ** (1 / 3), rel=1e-4)
    assert first["decode_tps_ratio_low"] < first["decode_tps_ratio"] < first["decode_tps_ratio_high"]
    assert (first["decode_tps"], first["other_decode_tps"]) == (
        pytest.approx(50.3, rel=0.01),
        pytest.approx(60.3, rel=0.01),
    )


def test_ttft_of_two_models_is_the_first_over_the_other(given: Given) -> None:
    """Decode speeds have no spread, TTFT has one over the prompts."""
    late = {"a": 280, "b": 300, "c": 330}
    slow = [row for name, ms in late.items() for row in speeds(name, 50, 50, ttft_ms=ms)]
    [row] = given([gguf(name=QWEN), *prompts(50, 50, 50, ttft_ms=200)], [gguf(), *slow]).rows("from model_comparison")
    ratios = [math.log(ms / 200) for ms in late.values()]
    center, margin = sum(ratios) / 3, stats.sem(ratios) * stats.t.ppf(0.975, 2)
    expected = [math.exp(center), math.exp(center - margin), math.exp(center + margin)]
    assert [row[f"ttft_ms_ratio{end}"] for end in ("", "_low", "_high")] == pytest.approx(expected)
    assert [row[f"decode_tps_ratio{end}"] for end in ("", "_low", "_high")] == pytest.approx([1] * 3)


def test_models_that_cannot_be_compared_say_why(given: Given) -> None:
    cases: list[tuple[Facts, list[Facts], str]] = [
        ({"temperature": 0.0}, prompts(60, 60), "different sampling"),
        ({}, prompts(60, 60, completion_tokens=None), "no prompt with a decode speed on both sides"),
        ({}, prompts(60), "one prompt has no interval"),
    ]
    groups = [again([gguf(), *prompts(50, 50)], [gguf(name=QWEN, **facts), *rows]) for facts, rows, _ in cases]
    rows = sorted(apart(given, *groups).rows("from model_comparison"), key=which)
    assert [row["verdict"] for row in rows] == ["not comparable", "not comparable", "inconclusive"]
    assert [row["reason"] for row in rows] == [reason for *_, reason in cases]
    assert [row["decode_tps_ratio"] for row in rows] == [None, None, pytest.approx(50 / 60, rel=1e-4)]
    assert [row["prompt_count"] for row in rows] == [0, 0, 1]


def test_memory_of_two_models_is_compared_at_equal_context_and_of_one_kind_only(given: Given) -> None:
    footprint = {"at_ns": 10**9, "engine_footprint_bytes": 100 * GB}
    seen = [{"op": "idle", "started_ns": 0, "memory": [footprint]}]
    none = "no peak memory of one kind on both sides"
    cases: list[tuple[Facts, list[Facts], float | None, str | None]] = [
        ({}, memory(50), 2.0, "one run on a side"),
        ({"context_effective": 208384}, memory(50), None, "different context"),
        ({"temperature": 0.0}, memory(50), None, "different sampling"),
        ({"model_format": "mlx"}, seen, None, none),
        ({}, [], None, none),
    ]
    groups = [
        ([gguf(), *memory(100), *prompts(50, 50)], [gguf(name=QWEN, **facts), *rows, *prompts(50, 50)])
        for facts, rows, *_ in cases
    ]
    rows = sorted(apart(given, *groups).rows("from model_comparison"), key=which)
    assert [row["peak_memory_ratio"] for row in rows] == [pytest.approx(e) if e else None for *_, e, _ in cases]
    assert [row["memory_reason"] for row in rows] == [reason for *_, reason in cases]
    first = rows[0]
    assert (first["peak_memory_gb"], first["other_peak_memory_gb"]) == (100, 50)
    assert (first["tps_per_gb"], first["other_tps_per_gb"]) == (pytest.approx(0.5), pytest.approx(1.0))


def test_memory_and_load_of_two_models_are_told_with_the_model_that_needs_more(given: Given) -> None:
    """Two runs a side: 100 against 50 GB, and 20 against 40 s, both with files that were probably cached."""
    runs = [
        [facts, *memory(gb + more, elapsed_ns=(s + more) * 10**9, load_is_repeat=True), *prompts(50, 50)]
        for facts, gb, s in ((gguf(), 100, 20), (gguf(name=QWEN), 50, 40))
        for more in (0, 1)
    ]
    [row] = given(*runs).rows("from model_comparison")
    assert (row["memory_verdict"], row["load_kind"], row["load_verdict"]) == (f"{M} larger", "warm", f"{Q} slower")
    for figure, a, b in (("peak_memory", (100, 101), (50, 51)), ("load_s", (20, 21), (40, 41))):
        sides = [[math.log(value) for value in values] for values in (a, b)]
        center = sum(sides[0]) / 2 - sum(sides[1]) / 2
        expected = [math.exp(end) for end in (center, *welch(*sides))]
        assert [row[f"{figure}_ratio{end}"] for end in ("", "_low", "_high")] == pytest.approx(expected), figure


def test_cold_and_warm_loads_are_not_compared(given: Given) -> None:
    sides = ((gguf(), True), (gguf(name=QWEN), False))
    [row] = given(*([facts, *memory(50, load_is_repeat=warm), *prompts(50, 50)] for facts, warm in sides)).rows(
        "from model_comparison"
    )
    assert (row["load_s_ratio"], row["load_kind"], row["load_verdict"]) == (None, None, "not comparable")
    assert row["load_reason"] == "no load time on both sides that is known as cold or as warm"


def test_models_show_their_quality_gates(given: Given, graded: Any) -> None:
    warehouse = given([gguf(), *prompts(50, 50)], [gguf(name=QWEN), *prompts(60, 60)])
    [row] = warehouse.rows("from model_comparison")
    assert (row["quality_gate"], row["other_quality_gate"]) == ("unproven", "unproven")
    graded({row["configuration_id"]: "warn", row["other_configuration_id"]: "pass"})
    [row] = warehouse.rows("from model_comparison")
    assert (row["quality_gate"], row["other_quality_gate"]) == ("warn", "pass")


# ---------------------------------------------------------------- quant_tradeoff


def tradeoff(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    return {row["quantization"]: row for row in warehouse.rows("from quant_tradeoff")}


def test_quantizations_are_measured_against_the_highest_precision(given: Given) -> None:
    """75, 60, 48, 47.9 tokens/s from 4 to 16 bits: 6 and 4 are faster than 16, 8 is equal to it."""
    runs = {"Q4_K_M": 75.0, "Q6_K": 60.0, "Q8_0": 48.0, "F16": 47.9}
    found = tradeoff(given(*again(*([gguf(name), *prompts(tps, tps + 1, tps)] for name, tps in runs.items()))))
    assert {name: row["verdict"] for name, row in found.items()} == {
        "Q4_K_M": "faster",
        "Q6_K": "faster",
        "Q8_0": "equivalent",
        "F16": "reference",
    }
    assert {row["reference_quantization"] for row in found.values()} == {"F16"}
    assert [row["is_reference"] for row in found.values()] == [name == "F16" for name in found]
    assert list(found) == ["F16", "Q8_0", "Q6_K", "Q4_K_M"]  # the highest first
    four = found["Q4_K_M"]
    assert four["decode_tps_ratio"] == pytest.approx((75 / 47.9 * 76 / 48.9 * 75 / 47.9) ** (1 / 3), rel=1e-4)
    assert four["decode_tps_ratio_low"] < four["decode_tps_ratio"] < four["decode_tps_ratio_high"]
    assert (four["prompt_count"], four["request_count"], four["run_count"], four["runs_a_side"]) == (3, 12, 2, 2)
    assert [found["F16"][name] for name in ("decode_tps_ratio", "memory_saved_gb", "peak_memory_ratio")] == [None] * 3


def test_fewer_bits_may_be_slower(given: Given) -> None:
    found = tradeoff(given(*again([gguf("Q2_K"), *prompts(40, 41)], [gguf("Q8_0"), *prompts(50, 51)])))
    assert found["Q2_K"]["verdict"] == "slower"


def test_each_model_runtime_and_server_has_a_reference_of_its_own(given: Given) -> None:
    runs = [mlx("4bit"), mlx("8bit"), gguf("Q4_K_M"), gguf("Q4_K_M", QWEN), gguf("Q6_K", server="llama-server")]
    rows = given(*([facts, *prompts(50, 50)] for facts in runs)).rows("from quant_tradeoff")
    assert {(row["model"], row["runtime"], row["server"], row["reference_quantization"]) for row in rows} == {
        (M, "mlx", "lmstudio", "8bit"),
        (M, "llama.cpp", "lmstudio", "Q4_K_M"),
        (Q, "llama.cpp", "lmstudio", "Q4_K_M"),
        (M, "llama.cpp", "llama-server", "Q6_K"),
    }
    assert sum(row["is_reference"] for row in rows) == 4


def test_a_model_that_never_gave_a_speed_is_no_reference(given: Given) -> None:
    runs = [[gguf("F16"), {"op": "load", "error_kind": "engine"}], [gguf("Q8_0"), *prompts(50, 50)]]
    found = tradeoff(given(*runs))
    assert {name: row["verdict"] for name, row in found.items()} == {"Q8_0": "reference"}


def test_a_quantization_without_known_bits_is_no_reference(given: Given) -> None:
    found = tradeoff(given([gguf("Q4_K_M"), *prompts(50, 50)], [gguf("strange"), *prompts(60, 60)]))
    assert (found["Q4_K_M"]["verdict"], found["strange"]["bits"]) == ("reference", None)


def test_of_equal_bits_the_larger_file_is_the_reference(given: Given) -> None:
    """Whichever it is, and however often the smaller was measured."""
    groups = []
    for large, small in (("Q8_0", "Q8_K_XL"), ("Q8_K_XL", "Q8_0")):
        sizes = {large: 260, small: 250, "Q4_K_M": 300}
        groups.append([[gguf(name, file_bytes=gb * GB), *prompts(50, 50)] for name, gb in sizes.items()])
        groups[-1].append([gguf(small, file_bytes=250 * GB), *prompts(50, 50)])
    rows = apart(given, *groups).rows("from quant_tradeoff")
    assert {(which(row), row["reference_quantization"]) for row in rows} == {(0, "Q8_0"), (1, "Q8_K_XL")}


def test_a_quantization_that_cannot_be_compared_says_why(given: Given) -> None:
    reference = [gguf("Q8_0"), *prompts(50, 50)]
    cases = [
        ([gguf(top_k=1), *prompts(60, 60)], "different sampling; quality not graded"),
        ([gguf(), request("another")], "no prompt with a decode speed on both sides; quality not graded"),
    ]
    rows = apart(given, *([run, reference] for run, _ in cases)).rows("from quant_tradeoff where not is_reference")
    rows = sorted(rows, key=which)
    assert [row["verdict"] for row in rows] == ["not comparable"] * 2
    assert [row["reason"] for row in rows] == [reason for _, reason in cases]
    assert [(row["prompt_count"], row["decode_tps_ratio"]) for row in rows] == [(0, None)] * 2


def test_memory_saved_is_told_at_equal_context_and_of_one_kind_only(given: Given) -> None:
    seen = [{"op": "idle", "started_ns": 0, "memory": [{"at_ns": 10**9, "engine_footprint_bytes": 100 * GB}]}]
    cases: list[tuple[Facts, list[Facts], float | None, str]] = [
        ({}, memory(60), 40, "one run on a side"),
        ({"context_effective": 208384}, memory(60), None, "different context"),
        ({"context_effective": 4096}, memory(60), None, "context below 131,072"),
        ({"temperature": 0.0}, memory(60), None, "different sampling"),
        ({"model_format": "mlx"}, seen, None, "no peak memory of one kind on both sides"),
    ]
    groups = [
        ([gguf(**facts), *rows, *prompts(60, 60)], [gguf("Q8_0"), *memory(100), *prompts(50, 50)])
        for facts, rows, *_ in cases
    ]
    rows = sorted(apart(given, *groups).rows("from quant_tradeoff where not is_reference"), key=which)
    saved = [saved for *_, saved, _ in cases]
    assert [row["memory_saved_gb"] for row in rows] == [pytest.approx(gb) if gb else None for gb in saved]
    assert [row["peak_memory_ratio"] for row in rows] == [pytest.approx(1 - gb / 100) if gb else None for gb in saved]
    assert [row["memory_reason"] for row in rows] == [reason for *_, reason in cases]
    assert rows[0]["peak_memory_gb"] == 60
    once, no = "one run a side", "not comparable"
    assert [row["verdict"] for row in rows] == [once, once, no, no, once]


def test_only_faster_smaller_and_proven_good_dominates_surely(given: Given, graded: Any) -> None:
    """Q4_K_M against Q8_0 at 50 tokens/s and 100 GB. Both have an interval of about ±1 %."""

    def run(facts: Facts, tps: float, gb: float, **more: Any) -> Run:
        rows = [row for name in "abc" for row in speeds(name, tps, tps * 1.01, tps * 0.99)]
        return [{**facts, **more}, *memory(gb), *rows]

    seen = {"op": "idle", "started_ns": 0, "memory": [{"at_ns": 10**9, "engine_footprint_bytes": 60 * GB}]}
    good = run(gguf(), 60, 60)
    unloaded = [gguf(model_format="mlx"), seen, *good[4:]]
    cases = [
        (good, "pass", "Q4_K_M"),
        (good, "warn", None),
        (good, "fail", None),
        (good, None, None),  # unknown is no proof
        (run(gguf(), 50.3, 60), "pass", None),  # faster, and the intervals overlap
        (run(gguf(), 40, 60), "pass", None),
        (run(gguf(), 60, 97.9), "pass", "Q4_K_M"),
        (run(gguf(), 60, 98.1), "pass", None),
        (run(gguf(), 60, 120), "pass", None),
        ([gguf(), *good[4:]], "pass", None),  # how much it needs is not known
        (unloaded, "pass", None),  # 60 GB, read in another way
    ]
    groups = [again(case, run(gguf("Q8_0"), 50, 100)) for case, *_ in cases]
    groups.append([good, run(gguf("Q8_0"), 50, 100)])  # one run a side
    cases.append((good, "pass", None))
    warehouse = apart(given, *groups)
    ids = {which(row): row["configuration_id"] for row in warehouse.rows("from quant_tradeoff where bits = 4")}
    graded({ids[at]: gate for at, (_, gate, _) in enumerate(cases) if gate})
    rows = sorted(warehouse.rows("from quant_tradeoff"), key=which)
    assert [row["dominated_by"] for row in rows if row["bits"] == 8] == [expected for *_, expected in cases]
    assert [row["dominated_by"] for row in rows if row["bits"] == 4] == [None] * len(cases)
    assert all(row["is_surely_dominated"] == (row["dominated_by"] is not None) for row in rows)
    gates = [(row["quality_gate"], row["reason"].split("; ")[-1]) for row in rows if row["bits"] == 4]
    assert gates == [(gate or "unproven", f"graded {gate}" if gate else "quality not graded") for _, gate, _ in cases]


def test_of_several_that_dominate_the_fastest_is_named(given: Given, graded: Any) -> None:
    rows = {"Q4_K_M": (60, 60), "Q3_K_M": (70, 50), "Q8_0": (50, 100)}
    warehouse = given(*again(*([gguf(name), *memory(gb), *prompts(tps, tps)] for name, (tps, gb) in rows.items())))
    graded({row["configuration_id"]: "pass" for row in warehouse.rows("from quant_tradeoff")})
    assert {name: row["dominated_by"] for name, row in tradeoff(warehouse).items()} == {
        "Q8_0": "Q3_K_M",
        "Q4_K_M": "Q3_K_M",
        "Q3_K_M": None,
    }


def test_another_model_dominates_nothing(given: Given, graded: Any) -> None:
    runs = [gguf("Q4_K_M", QWEN), mlx("4bit"), gguf("Q8_0")]
    sizes = [(60, 60), (60, 60), (50, 100)]
    warehouse = given(*([facts, *memory(gb), *prompts(tps, tps)] for facts, (tps, gb) in zip(runs, sizes, strict=True)))
    graded({row["configuration_id"]: "pass" for row in warehouse.rows("from quant_tradeoff")})
    assert not any(row["is_surely_dominated"] for row in warehouse.rows("from quant_tradeoff"))


def valued(warehouse: Warehouse, grade: Callable[[dict[str, str]], None], **gates: str) -> dict[str, Any]:
    """By quantization, whether it is the best value and why, with these gates."""
    ids = {name: row["configuration_id"] for name, row in tradeoff(warehouse).items()}
    grade({ids[name]: gate for name, gate in gates.items()})
    return {name: (row["is_best_value"], row["best_value_reason"]) for name, row in tradeoff(warehouse).items()}


SMALLEST = (True, "smallest whose quality is proven")


def test_the_best_value_is_the_smallest_of_proven_quality(given: Given, graded: Any) -> None:
    """However slow it is, and whatever is smaller without proof."""
    runs = {"Q2_K": (70, 40), "Q4_K_M": (55, 60), "Q6_K": (60, 80), "Q8_0": (50, 100)}
    warehouse = given(*([gguf(name), *memory(gb), *prompts(tps, tps)] for name, (tps, gb) in runs.items()))
    nothing = (None, "no quality is proven, and without proof fewer bits always look better")
    assert valued(warehouse, graded, Q2_K="warn", Q8_0="fail") == dict.fromkeys(runs, nothing)
    assert valued(warehouse, graded, Q2_K="fail", Q4_K_M="pass", Q6_K="pass", Q8_0="pass") == {
        "Q2_K": (False, None),
        "Q4_K_M": SMALLEST,
        "Q6_K": (False, None),
        "Q8_0": (False, None),
    }


def test_of_nearly_one_size_the_faster_is_the_best_value(given: Given, graded: Any) -> None:
    runs = {"Q4_K_S": (50, 99.9), "Q4_K_M": (60, 100.1), "Q8_0": (70, 200)}
    warehouse = given(*([gguf(name), *memory(gb), *prompts(tps, tps)] for name, (tps, gb) in runs.items()))
    found = valued(warehouse, graded, Q4_K_S="pass", Q4_K_M="pass", Q8_0="pass")
    assert {name for name, said in found.items() if said == SMALLEST} == {"Q4_K_M"}


def test_memory_of_a_quantization_has_an_interval_and_a_verdict_over_runs(given: Given) -> None:
    cases = [(60, 61, "smaller"), (99.9, 100.1, "equivalent"), (120, 121, "larger"), (80, 120, "inconclusive")]
    groups = [
        [
            [gguf(name), *memory(gb), *prompts(50, 50)]
            for name, gbs in (("Q4_K_M", pair), ("Q8_0", (99.9, 100.1)))
            for gb in gbs
        ]
        for *pair, _ in cases
    ]
    rows = sorted(apart(given, *groups).rows("from quant_tradeoff where not is_reference"), key=which)
    assert [row["memory_verdict"] for row in rows] == [verdict for *_, verdict in cases]
    for row, (low, high, _) in zip(rows, cases, strict=True):
        sides = [[math.log(gb) for gb in gbs] for gbs in ((low, high), (99.9, 100.1))]
        center = sum(sides[0]) / 2 - sum(sides[1]) / 2
        expected = [math.exp(end) for end in (center, *welch(*sides))]
        assert [row[f"peak_memory_ratio{end}"] for end in ("", "_low", "_high")] == pytest.approx(expected)


# ---------------------------------------------------------------- stability


def varying(at: int, cv: float, prompts: int, repeats: int = 5, runs: int = 1) -> Iterator[synthetic.Row]:
    """Prompts whose repeats have just this CV."""
    shape = [(-1) ** number for number in range(repeats)]
    mean = sum(shape) / repeats
    sd = math.sqrt(sum((x - mean) ** 2 for x in shape) / (repeats - 1)) if repeats > 1 else 1
    for run in range(1, runs + 1):
        for prompt in range(prompts):
            for repeat, x in enumerate(shape, start=1):
                tps = 50 * (1 + prompt) * (1 + cv * (x - mean) / sd)
                yield synthetic.Row(f"m-{at}", MLX, run, f"prompt {prompt}", repeat, tps, 100.0)


def stable(warehouse: Warehouse) -> list[dict[str, Any]]:
    return sorted(warehouse.rows("from stability"), key=which)


def test_a_grade_is_provisional_while_the_interval_reaches_too_far(planted: Any) -> None:
    """With 4 degrees of freedom the interval ends at 2.87 times the CV, with 28 it is 0.79 to 1.35 times it."""
    expected = [
        (0.0199, 7, "stable", "settled"),
        (0.0201, 7, "acceptable", "settled"),
        (0.0499, 7, "acceptable", "settled"),
        (0.0501, 7, "unstable", "provisional"),
        (0.0629, 7, "unstable", "provisional"),  # from 4.99 %
        (0.0632, 7, "unstable", "settled"),  # from 5.02 %
        (0.0172, 1, "stable", "settled"),  # up to 4.94 %
        (0.0175, 1, "stable", "provisional"),  # up to 5.03 %
        (0.0346, 1, "acceptable", "settled"),  # up to 9.94 %
        (0.0349, 1, "acceptable", "provisional"),  # up to 10.03 %
    ]
    found = stable(planted(row for at, (cv, count, *_) in enumerate(expected) for row in varying(at, cv, count)))
    assert [(row["grade"], row["verdict"]) for row in found] == [(grade, verdict) for *_, grade, verdict in expected]
    assert [row["cv"] for row in found] == pytest.approx([cv for cv, *_ in expected], rel=1e-9)
    assert [row["cv_degrees"] for row in found] == [4 * count for _, count, *_ in expected]
    assert [row["request_count"] for row in found] == [5 * count for _, count, *_ in expected]


def test_runs_of_a_configuration_share_their_degrees_of_freedom(planted: Any) -> None:
    [row] = stable(planted(varying(0, 0.019, prompts=2, repeats=3, runs=4)))
    assert (row["cv_degrees"], row["prompt_count"], row["request_count"], row["run_count"]) == (16, 2, 24, 4)
    assert (row["cv_between_runs"], row["drift"], row["reason"]) == (pytest.approx(0, abs=1e-12), 0, None)


def test_cv_is_the_root_mean_square_over_prompts(planted: Any) -> None:
    rows = [*varying(0, 0.01, 1), *(row._replace(prompt="other") for row in varying(0, 0.07, 1))]
    [row] = stable(planted(rows))
    assert row["cv"] == pytest.approx(0.05)


def test_without_two_repeats_nothing_is_known(planted: Any) -> None:
    [row] = stable(planted(varying(0, 0.01, 3, repeats=1)))
    assert [row[name] for name in ("cv", "cv_low", "cv_high", "grade", "drift", "cv_between_runs")] == [None] * 6
    assert (row["verdict"], row["cv_degrees"], row["prompt_count"], row["run_count"]) == ("unknown", 0, 0, 1)
    assert row["reason"] == (
        "no prompt with two valid repeats; one run: nothing is known of the difference between runs"
    )


def test_a_configuration_that_never_gave_a_speed_is_unknown(given: Given) -> None:
    [row] = given([gguf(), {"op": "load", "error_kind": "engine"}]).rows("from stability")
    assert (row["verdict"], row["run_count"], row["request_count"]) == ("unknown", 0, 0)


def test_requests_left_out_do_not_make_a_configuration_unstable(planted: Any) -> None:
    steady = list(varying(0, 0.01, 3))
    odd = [row._replace(repeat=6, decode_tps=5.0, exclusion="the machine was hot") for row in steady if row.repeat == 1]
    [row] = stable(planted(steady + odd))
    assert (row["cv"], row["cv_degrees"]) == (pytest.approx(0.01), 12)


def test_a_drifting_configuration_says_so(planted: Any) -> None:
    changes = [1.0, 1.029, 1.031, 0.971, 0.969]
    rows = [
        row._replace(decode_tps=row.decode_tps * (change if row.run == 2 else 1))
        for at, change in enumerate(changes)
        for row in varying(at, 0.01, 3, runs=2)
        if row.decode_tps is not None
    ]
    found = stable(planted(rows))
    assert [row["drift"] for row in found] == pytest.approx([change - 1 for change in changes], abs=1e-12)
    assert [row["is_drifting"] for row in found] == [False, False, True, False, True]
    told = "speed changed by {} % from the first run to the last"
    assert [row["reason"] for row in found] == [None, None, told.format("3.1"), None, told.format("-3.1")]
    assert [row["grade"] for row in found] == ["stable"] * 5  # within a run; between runs is another matter
    between = [abs(math.log(change)) / math.sqrt(2) for change in changes]
    assert [row["cv_between_runs"] for row in found] == pytest.approx(between, abs=1e-12)


def test_ladders_have_no_stability(given: Given) -> None:
    assert given([gguf(suite="context"), *prompts(50, 50)]).rows("from stability") == []


# ---------------------------------------------------------------- version_speed, runtime_history


def under(version: str | None, *speeds: float, **more: Any) -> Run:
    return [gguf(runtime_version=version, server_version="0.4.16", **more), *prompts(*speeds)]


def history(warehouse: Warehouse) -> list[dict[str, Any]]:
    return sorted(warehouse.rows("from runtime_history"), key=lambda row: (which(row), row["first_run_at"]))


def test_an_update_is_compared_with_the_versions_before_it(given: Given) -> None:
    cases = [
        ((50, 50, 50), (60, 61, 60), "faster"),
        ((50, 50, 50), (45, 45, 44), "regression"),
        ((50, 50, 50), (50.1, 50.2, 50), "equivalent"),
        ((50, 50, 50), (51.2, 51.4, 51.6), "faster"),  # by less than 3 %, and surely
        ((50, 50, 50), (60, 40, 50), "inconclusive"),
    ]
    rows = history(apart(given, *(again(under("1.0", *old), under("2.0", *new)) for old, new, _ in cases)))
    assert [row["verdict"] for row in rows] == [verdict for *_, last in cases for verdict in ("first", last)]
    first, second = rows[:2]
    assert [first[name] for name in ("version_before", "decode_tps_ratio", "reason", "decode_tps_ratio_low")] == [
        None
    ] * 4
    assert (first["prompt_count"], first["request_count"], first["run_count"]) == (0, 0, 2)
    assert (first["version"], second["version"]) == (
        "lmstudio 0.4.16 · llama.cpp 1.0 · macOS 26.1",
        "lmstudio 0.4.16 · llama.cpp 2.0 · macOS 26.1",
    )
    assert second["version_before"] == first["version"]
    assert (second["prompt_count"], second["request_count"], second["reason"]) == (3, 24, None)
    assert second["decode_tps_ratio"] == pytest.approx((1.2 * 1.22 * 1.2) ** (1 / 3), rel=1e-4)
    logs = [math.log(x) for x in (1.2, 1.22, 1.2)]
    margin = stats.sem(logs) * stats.t.ppf(0.975, 2)
    ends = [second["decode_tps_ratio_low"], second["decode_tps_ratio_high"]]
    assert ends == pytest.approx([math.exp(sum(logs) / 3 + side * margin) for side in (-1, 1)], rel=1e-4)


def test_each_set_of_versions_is_compared_with_the_one_just_before(given: Given) -> None:
    """Also where it was measured again later, and whatever part of it is new."""
    runs = [
        under("1.0", 50, 50),
        under("2.0", 60, 60),
        under("1.0", 50, 50),
        under("2.0", 72, 72, os_version="26.2"),
        [gguf(runtime_version="2.0", server_version="0.5.0", os_version="26.2"), *prompts(72, 72)],
    ]
    rows = history(apart(given, again(*runs)))
    assert [row["verdict"] for row in rows] == ["first", "faster", "faster", "equivalent"]
    assert [row["run_count"] for row in rows] == [4, 2, 2, 2]
    assert [row["decode_tps_ratio"] for row in rows] == [None, *(pytest.approx(x, rel=1e-4) for x in (1.2, 1.2, 1.0))]
    assert [row["version_before"] for row in rows] == [None, *(row["version"] for row in rows[:-1])]
    assert rows[1]["request_count"] == 24  # the run that came later counts with its version


def test_places_in_the_history_go_by_first_measurement(given: Given) -> None:
    rows = given(under("9", 50), under("10", 50), under("8", 50)).rows("from version_speed order by place")
    assert [row["version"].split(" · ")[1] for row in rows] == ["llama.cpp 9", "llama.cpp 10", "llama.cpp 8"]
    assert [row["place"] for row in rows] == [1, 2, 3]


def test_other_configurations_have_a_history_of_their_own(given: Given) -> None:
    rows = history(apart(given, [under("1.0", 50, 50), under("2.0", 60, 60, temperature=0.0)]))
    assert [row["verdict"] for row in rows] == ["first", "first"]


def test_versions_without_a_common_prompt_or_with_one_say_so(given: Given) -> None:
    other = [gguf(runtime_version="2.0"), *speeds("z", 60, 60)]
    failed = [gguf(runtime_version="2.0"), *prompts(60, 60, error_kind="timeout")]
    rows = history(apart(given, *(again(under("1.0", 50, 50), new) for new in (other, failed, under("2.0", 60)))))
    found = [(row["verdict"], row["prompt_count"], row["reason"]) for row in rows if row["version_before"]]
    assert found == [
        ("not comparable", 0, "no prompt with a decode speed under both"),
        ("not comparable", 0, "no prompt with a decode speed under both"),
        ("faster", 1, None),  # the run is the unit: prompts need not be several
    ]


def test_one_run_under_each_version_is_no_verdict(given: Given) -> None:
    rows = history(apart(given, [under("1.0", 50, 50), under("2.0", 60, 60)]))
    assert [(row["verdict"], row["reason"]) for row in rows] == [
        ("first", None),
        ("one run a side", "one run on a side"),
    ]


def test_versions_are_paired_by_prompt_and_repeat(given: Given) -> None:
    """Repeats slow down alike under both versions, and another one is missing in each."""
    old = [request(name, repeat, tps=tps) for name in "ab" for repeat, tps in ((1, 50), (2, 45))]
    new = [request(name, repeat, tps=tps) for name in "ab" for repeat, tps in ((2, 54), (3, 30))]
    rows = history(apart(given, [[gguf(runtime_version="1"), *old], [gguf(runtime_version="2"), *new]]))
    assert rows[1]["decode_tps_ratio"] == pytest.approx(54 / 45, rel=1e-4)
    assert rows[1]["request_count"] == 4


def test_a_request_that_something_speaks_against_is_in_no_history(given: Given) -> None:
    odd = [*speeds("a", 60, 60), *speeds("b", 60, 60), *speeds("c", 600, 600, cached_tokens=64)]
    rows = history(apart(given, [under("1.0", 50, 50, 50), [gguf(runtime_version="2.0"), *odd]]))
    assert (rows[1]["prompt_count"], rows[1]["request_count"]) == (2, 8)
    assert rows[1]["decode_tps_ratio"] == pytest.approx(1.2, rel=1e-4)


def test_a_version_nobody_told_is_left_out_of_its_name(given: Given) -> None:
    [row] = given([gguf(runtime_version=None, server_version=None), *prompts(50, 50)]).rows("from version_speed")
    assert row["version"] == "macOS 26.1"


def test_ladders_have_no_history(given: Given) -> None:
    assert given([gguf(suite="context"), *prompts(50, 50)]).rows("from version_speed") == []


# ---------------------------------------------------------------- what was wrong once; a mark: what still is


@pytest.mark.parametrize("view", ["framework_delta", "model_comparison"])
def test_without_a_common_prompt_the_reason_is_told(given: Given, view: str) -> None:
    other = mlx() if view == "framework_delta" else gguf(name=QWEN)
    [row] = given([other, *speeds("z", 60, 60)], [gguf(), *prompts(50, 50)]).rows(f"from {view}")
    assert (row["verdict"], row["prompt_count"]) == ("not comparable", 0)
    assert row["reason"] == "no prompt with a decode speed on both sides"


def test_quantizations_of_equal_bits_are_compared_with_the_reference(given: Given) -> None:
    runs = [(gguf("Q4_K_M"), 138, 50), (gguf("Q4_K_S"), 130, 60)]
    found = tradeoff(
        given(*again(*([{**facts, "file_bytes": gb * GB}, *prompts(tps, tps)] for facts, gb, tps in runs)))
    )
    assert (found["Q4_K_M"]["verdict"], found["Q4_K_S"]["verdict"]) == ("reference", "faster")
    assert found["Q4_K_S"]["decode_tps_ratio"] == pytest.approx(1.2, rel=1e-4)


def test_a_run_at_a_short_context_is_no_reference_for_longer_ones(given: Given) -> None:
    """Somebody loaded Q8_0 with LM Studio's default context, twice, before measuring the plan's."""
    short, long = gguf("Q8_0", context_effective=4096), gguf("Q8_0")
    runs = [[short, *prompts(50, 50)], [short, *prompts(50, 50)], [long, *prompts(50, 50)], [gguf(), *prompts(60, 60)]]
    assert tradeoff(given(*again(*runs)))["Q4_K_M"]["verdict"] == "faster"


def test_another_configuration_of_the_references_quantization_says_what_differs(given: Given) -> None:
    runs = [[gguf("Q8_0"), *prompts(50, 50)], [gguf("Q8_0", context_effective=262144), *prompts(50, 50)]]
    reasons = [row["reason"] for row in given(*runs).rows("from quant_tradeoff where not is_reference")]
    assert "no prompt in common" not in reasons[0]


def test_what_may_not_be_compared_dominates_nothing(given: Given, graded: Any) -> None:
    """Design 4.3: every comparison goes through one view. At a short context less memory is needed."""
    small = [gguf(context_effective=4096), *memory(60), *prompts(60, 60)]
    warehouse = given(small, [gguf("Q8_0"), *memory(100), *prompts(50, 50)])
    graded({row["configuration_id"]: "pass" for row in warehouse.rows("from quant_tradeoff")})
    assert not any(row["is_surely_dominated"] for row in warehouse.rows("from quant_tradeoff"))


def test_an_unknown_quantization_is_not_taken_for_the_one_of_more_bits(given: Given) -> None:
    [rows] = beside(given, [gguf("Q4_K_M"), gguf("strange")])
    assert "quantization" not in {row["kind"] for row in rows}


def test_a_short_context_is_not_called_long_enough(given: Given) -> None:
    [[row]] = beside(given, [mlx(context_effective=4096), gguf()])
    assert "both long enough" not in (row["caveat"] or "")


SUITE = (20, 25, 30, 35, 40, 50, 60)  # prompts differ in speed


def test_an_interrupted_run_is_no_drift(given: Given) -> None:
    [row] = given([gguf(), *prompts(*SUITE)], [gguf(run_state="interrupted"), *prompts(20)]).rows(
        "from configuration_drift"
    )
    assert row["drift"] == pytest.approx(0, abs=1e-3)


def test_an_interrupted_run_does_not_change_its_configurations_speed(given: Given) -> None:
    [row] = given([gguf(), *prompts(*SUITE)], [gguf(run_state="interrupted"), *prompts(20)]).rows("from run_summary")
    assert row["decode_tps"] == pytest.approx(math.prod(SUITE) ** (1 / 7), rel=1e-3)


def test_peak_memory_of_a_configuration_is_of_the_kind_it_says(given: Given) -> None:
    """The first run came after loading and saw nothing; the second has a baseline."""
    [row] = given([gguf(), *prompts(50)], [gguf(), *memory(100), *prompts(50)]).rows("from run_summary")
    assert (row["peak_memory_gb"], row["peak_memory_kind"]) == (100, "system, above baseline")


def test_unstable_is_provisional_while_the_interval_reaches_into_acceptable(planted: Any) -> None:
    """Two values of one prompt: a CV of 6 %, whose interval is 2.7 to 191 %."""
    [row] = stable(planted(varying(0, 0.06, 1, repeats=2)))
    assert (row["grade"], row["verdict"]) == ("unstable", "provisional")


def test_at_another_context_memory_dominates_nothing(given: Given, graded: Any) -> None:
    """The cache of a longer context is a part of what Q8_0 needs."""
    long = [gguf("Q8_0", context_effective=262144), *memory(100), *prompts(50, 50)]
    warehouse = given(long, [gguf(), *memory(60), *prompts(60, 60)])
    graded({row["configuration_id"]: "pass" for row in warehouse.rows("from quant_tradeoff")})
    assert not any(row["is_surely_dominated"] for row in warehouse.rows("from quant_tradeoff"))


def test_more_bits_at_a_short_context_say_that_it_is_short(given: Given) -> None:
    found = tradeoff(given([gguf("Q8_0", context_effective=4096), *prompts(50, 50)], [gguf(), *prompts(60, 60)]))
    assert found["Q4_K_M"]["verdict"] == "reference"
    assert found["Q8_0"]["reason"] == "context below 131,072; quality not graded"


def test_an_interrupted_run_is_no_variation_between_runs(given: Given) -> None:
    runs = [[gguf(), *prompts(*SUITE)], [gguf(), *prompts(*SUITE)], [gguf(run_state="interrupted"), *prompts(20)]]
    [row] = given(*runs).rows("from stability")
    assert row["cv_between_runs"] == pytest.approx(0, abs=1e-3)


def test_a_short_context_is_no_better_value(given: Given, graded: Any) -> None:
    short = [gguf("Q8_0", context_effective=4096), *memory(80), *prompts(50, 50)]
    warehouse = given(short, [gguf("Q8_0"), *memory(100), *prompts(50, 50)], [gguf(), *memory(90), *prompts(60, 60)])
    rows = warehouse.rows("from quant_tradeoff")
    graded({row["configuration_id"]: "pass" for row in rows})
    best = warehouse.rows("select quantization, context_effective from quant_tradeoff where is_best_value")
    assert best == [{"quantization": "Q4_K_M", "context_effective": 131072}]


def test_nearly_one_size_does_not_hang_on_where_a_step_begins(given: Given, graded: Any) -> None:
    """59.5 and 60 GB are 0.8 % apart."""
    runs = {"Q4_K_S": (50, 59.5), "Q4_K_M": (60, 60.0)}
    warehouse = given(*([gguf(name), *memory(gb), *prompts(tps, tps)] for name, (tps, gb) in runs.items()))
    assert valued(warehouse, graded, Q4_K_S="pass", Q4_K_M="pass")["Q4_K_M"] == SMALLEST


def test_what_size_is_not_known_is_not_called_the_smallest(given: Given, graded: Any) -> None:
    warehouse = given([gguf(), *prompts(60, 60)], [gguf("Q8_0"), *prompts(50, 50)])
    assert SMALLEST not in valued(warehouse, graded, Q4_K_M="pass", Q8_0="pass").values()


def test_runs_that_lack_different_prompts_do_not_vary(given: Given) -> None:
    """Each lacks one, the first the slowest and the second the fastest; what both have was as fast in both."""
    rows = prompts(*SUITE)
    runs = [[gguf(), *(row for row in rows if row["prompt_id"] != lost)] for lost in "ag"]
    [row] = given(*runs).rows("from stability")
    assert row["cv_between_runs"] == pytest.approx(0, abs=1e-3)
