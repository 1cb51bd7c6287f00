"""`collect compare`, the mart behind it, and what a new run is compared with: who is meant, what is said of them."""

import json
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collector import cli, environment
from collector.backends import Facts
from collector.backends.openai_chat import OpenAIChat
from collector.commands import _sides, _summary
from collector.errors import RunUnclear
from collector.schema import Results
from site_src.warehouse import Warehouse
from tests import planted
from tests.conftest import DONE, STARTED, delta, usage
from tests.loopback import Loopback, NoSampler, stream
from tests.planted import (
    Planted,
    Row,
    gguf,
    loaded,
    mlx,
    rung,
    suite,
    written,
)
from tests.planted import views_without_comments as views_without_comments

Collect = Callable[..., SimpleNamespace]
FIRST, SECOND, OTHER, SHORT, LADDER = "a0" * 6, "a1" * 6, "b0" * 6, "c0" * 6, "d0" * 6
MINIMAX = "MiniMax-M2.1"


@pytest.fixture
def views() -> Iterator[Planted]:
    yield planted.shared()
    planted.shared().clear()


@pytest.fixture
def collect(results: Results, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Collect:
    """`collect("compare", …)` as typed in a wide terminal: `code`, `out`, `err`."""
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.delenv("LM_API_TOKEN", raising=False)

    def call(*arguments: str) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["collect", *arguments])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return call


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Two runs of MLX, one of llama.cpp 25 % slower, one at a short context, and a ladder."""
    results = Results(tmp_path_factory.mktemp("stored") / "results")
    written(
        results,
        [mlx(run_id=FIRST), *loaded(120, 12, is_repeat=True), *suite(50)],
        [gguf(run_id=OTHER), *loaded(140, 14, is_repeat=True), *suite(40)],
        [mlx(run_id=SECOND, runtime_version="3.0"), *loaded(121, 12.2, is_repeat=True), *suite(50, change=0.1)],
        [gguf("Q6_K", run_id=SHORT, context_effective=65536), *suite(30)],
        [mlx(run_id=LADDER, suite="context"), *rung(8192)],
    )
    return results


@pytest.fixture(scope="module")
def warehouse(stored: Results) -> Warehouse:
    return Warehouse(stored)


@pytest.fixture(scope="module")
def ids(warehouse: Warehouse) -> dict[str, str]:
    """Configurations by quantization; the ladder is `context`."""
    rows = warehouse.rows("from configurations")
    return {"context" if row["is_ladder"] else row["quantization"]: row["configuration_id"] for row in rows}


# ---------------------------------------------------------------- who is meant


@pytest.mark.parametrize("wanted", [FIRST, FIRST[:3], FIRST.upper(), f" {FIRST[:4]} "])
def test_a_run_is_found_by_its_id_or_its_beginning(warehouse: Warehouse, wanted: str) -> None:
    assert _sides.find(warehouse, wanted) == FIRST


def test_a_configuration_is_found_by_its_id_or_its_beginning(warehouse: Warehouse, ids: dict[str, str]) -> None:
    for wanted in (ids["Q6_K"], ids["Q6_K"][:8]):
        assert _sides.find(warehouse, wanted) == ids["Q6_K"]


def test_a_run_is_found_by_its_file_wherever_that_lies(warehouse: Warehouse, stored: Results) -> None:
    (path,) = stored.runs.glob(f"*{OTHER}.parquet")
    for wanted in (str(path), path.name, f"/elsewhere/{path.name}"):
        assert _sides.find(warehouse, wanted) == OTHER


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("m2.1 q4_k_m", "Q4_K_M"),
        ("Q6_K", "Q6_K"),
        ("llama.cpp MINIMAX q6", "Q6_K"),
        ("4bit mlx standard", "4bit"),
        ("mlx context", "context"),
        ("  q6_k   m3-ultra  ", "Q6_K"),
    ],
)
def test_a_configuration_is_found_by_words_of_its_label_suite_or_machine(
    warehouse: Warehouse, ids: dict[str, str], words: str, name: str
) -> None:
    assert _sides.find(warehouse, words) == ids[name]


@pytest.mark.parametrize("wanted", ["nothing", "", "   ", "m2.1 q8_0", "%", "*", "no-such.parquet", f"{FIRST}0"])
def test_where_nothing_is_meant_what_there_is_is_named(warehouse: Warehouse, ids: dict[str, str], wanted: str) -> None:
    with pytest.raises(RunUnclear) as raised:
        _sides.find(warehouse, wanted)
    assert raised.value.happened.startswith(f"There is no run or configuration {wanted!r} in ")
    assert raised.value.remedy.startswith("There are: ")
    for name in ids.values():
        assert name in raised.value.remedy
    assert f"{MINIMAX} Q6_K · llama.cpp, standard, apple-m3-ultra-80gpu-512gb" in raised.value.remedy
    assert FIRST not in raised.value.remedy


def test_where_several_are_meant_they_are_named(warehouse: Warehouse, ids: dict[str, str]) -> None:
    with pytest.raises(RunUnclear) as raised:
        _sides.find(warehouse, "4bit mlx")
    assert raised.value.happened.startswith("'4bit mlx' may mean ")
    named = {name for name, id in ids.items() if id in raised.value.happened}
    assert (named, raised.value.remedy) == ({"4bit", "context"}, "Give an id, or more words.")


def test_a_beginning_of_several_runs_names_them(warehouse: Warehouse) -> None:
    with pytest.raises(RunUnclear) as raised:
        _sides.find(warehouse, "a")
    assert FIRST in raised.value.happened
    assert SECOND in raised.value.happened


def known(views: Planted, count: int) -> Warehouse:
    """A warehouse that knows so many configurations, m1, m2, …"""
    names = [f"{number:012x}" for number in range(1, count + 1)]
    views.put("runs")
    views.put("configurations", *({"configuration_id": name, "label": f"m{int(name, 16)}"} for name in names))
    views.put("run_sets", *({"set_id": n, "configuration_id": n, "kind": "configuration"} for n in names))
    return views.warehouse


@pytest.mark.parametrize(("count", "more"), [(5, None), (6, "and 1 more"), (9, "and 4 more")])
def test_of_many_the_first_five_are_named(views: Planted, count: int, more: str | None) -> None:
    with pytest.raises(RunUnclear) as raised:
        _sides.find(known(views, count), "m")
    assert raised.value.happened.count("(m") == 5
    assert raised.value.happened.endswith(f" {more}." if more else "(m5).")


def test_a_set_of_versions_is_nobodys_to_name(views: Planted) -> None:
    warehouse = known(views, 1)
    views.put("run_sets", {"set_id": "c v1", "configuration_id": f"{1:012x}", "kind": "version"})
    with pytest.raises(RunUnclear):
        _sides.find(warehouse, "c v1")


def test_where_nothing_is_stored_that_is_said(collect: Collect, results: Results) -> None:
    said = collect("compare", "a", "b")
    assert (said.code, said.out) == (1, "")
    assert said.err.splitlines() == [
        f"error: There is no run or configuration 'a' in {results.runs}.",
        "       Nothing is stored there yet; `collect` measures.",
    ]
    assert not results.root.exists()


# ---------------------------------------------------------------- what is said


def test_the_same_thing_twice_is_a_mistake(collect: Collect, stored: Results) -> None:
    said = collect("compare", FIRST, FIRST[:3], "--results", str(stored.root))
    assert (said.code, said.out) == (1, "")
    assert said.err.splitlines() == [
        f"error: '{FIRST}' and '{FIRST[:3]}' are the same: {FIRST}.",
        "       Name two different ones.",
    ]


def cells(said: SimpleNamespace) -> dict[str, list[str]]:
    """The rows of the table that was printed, by their first cell."""
    rows = [line.strip("│┃").replace("┃", "│").split("│") for line in said.out.splitlines() if line[0] in "│┃"]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}


def test_two_configurations_stand_side_by_side_with_intervals_and_verdicts(
    collect: Collect, stored: Results, ids: dict[str, str]
) -> None:
    said = collect("compare", "4bit standard", "q4_k_m", "--results", str(stored.root))
    table = cells(said)
    assert (said.code, said.err) == (0, "")
    assert table[""] == [f"a: {ids['4bit']}", f"b: {ids['Q4_K_M']}", "a over b (95 %)", "verdict"]
    assert table["what"][:2] == [f"{MINIMAX} 4bit · mlx", f"{MINIMAX} Q4_K_M · llama.cpp"]
    assert table["versions"][:2] == ["mlx 3.0 · macOS 26.1", "llama.cpp 2.41.0 · macOS 26.1"]  # the newest engine alone
    assert table["runs"][:2] == ["1", "1"]
    assert table["latest, UTC"][:2] == ["2026-11-22 12:02:00", "2026-11-22 12:01:00"]
    once = "one run a side"
    assert table["decode, tokens/s"] == ["58.3", "42.4", "1.37 (1.37 – 1.38 within this run)", once]
    assert table["TTFT, ms"] == ["300", "300", "1.00 (1.00 – 1.00 within this run)", once]
    assert table["prefill, tokens/s"] == ["–"] * 4
    assert table["peak memory, GB"] == ["121", "140", "0.864 (no interval)", once]
    assert table["load time, s"] == ["12.2", "14.0", "0.871 (no interval)", once]
    assert "7 prompts in common, 42 requests, one run on a side, paired by prompt and repeat.\n" in said.out
    assert [line for line in said.out.splitlines() if line.startswith("note: ")] == [
        "note: one run on a side; they differ in runtime, quantization",
        "note: load: one load on a side",
    ]


def test_two_runs_of_one_configuration_as_json_are_one_row_of_the_mart(collect: Collect, stored: Results) -> None:
    said = collect("compare", SECOND, FIRST, "--json", "--results", str(stored.root))
    row = json.loads(said.out)
    assert (said.code, said.err) == (0, "")
    assert (row["kind"], row["a_id"], row["b_id"]) == ("asked", SECOND, FIRST)
    assert (row["decode_tps_ratio"], row["verdict"]) == (pytest.approx(1.1, rel=1e-3), "one run a side")
    assert (row["prompt_count"], row["request_count"], row["runs_a_side"]) == (7, 42, 1)
    assert row["reason"] == "one run on a side"
    assert row["peak_memory_ratio"] == pytest.approx(121 / 120)


def test_what_is_not_comparable_says_why_and_shows_both_sides(collect: Collect, stored: Results) -> None:
    said = collect("compare", OTHER, "q6_k", "--results", str(stored.root))
    table = cells(said)
    assert said.code == 0
    assert table["decode, tokens/s"] == ["42.4", "31.8", "–", "not comparable"]
    assert table["peak memory, GB"] == ["140", "–", "–", "not comparable"]
    assert "0 prompts in common, 0 requests" in said.out
    assert "note: context below 131,072; they differ in quantization" in said.out
    assert said.out.count("context below 131,072") == 1  # what forbids all of it is told once


HOSTILE = "[bold]x[/bold] [/] \x1b[2J\x1b]0;t\x07 \x9b1m\u202e :smile:"


def hostile(results: Results) -> None:
    written(results, [mlx(run_id=FIRST, model_key=HOSTILE), *suite(50)], [gguf(run_id=OTHER), *suite(40)])


def harmful(text: str) -> set[str]:
    """Characters that steer a terminal or turn the direction of text around."""
    return {char for char in text if ord(char) < 32 and char not in "\n\t"} | set("\x7f\x9b\u202e") & set(text)


def test_a_model_name_with_markup_in_it_is_only_a_name(collect: Collect, results: Results) -> None:
    hostile(results)
    said = collect("compare", FIRST, OTHER)
    assert (said.code, said.err) == (0, "")
    assert cells(said)["what"][0].startswith("[bold]x[/bold] [/] ")
    assert ":smile:" in said.out


def test_a_model_name_cannot_steer_the_terminal(collect: Collect, results: Results) -> None:
    hostile(results)
    assert harmful(collect("compare", FIRST, OTHER).out) == set()


def test_a_mistake_that_names_models_cannot_steer_the_terminal(views: Planted) -> None:
    warehouse = known(views, 1)
    views.put("configurations", {"configuration_id": f"{1:012x}", "label": HOSTILE})
    with pytest.raises(RunUnclear) as raised:
        _sides.find(warehouse, "nothing")
    assert harmful(str(raised.value)) == set()


# ---------------------------------------------------------------- pairs: run and asked


def sets(views: Planted, *runs: Row, asked: tuple[str, str] | None = None) -> list[Row]:
    """Pairs of runs with these places in their configuration's history."""
    about = {"machine": "m", "server": "lmstudio", "endpoint": "/v1", "sampling": "t=0", "is_ladder": False}
    names = dict.fromkeys(run["configuration_id"] for run in runs)
    facts = {name: next(run for run in runs if run["configuration_id"] == name).get("facts", {}) for name in names}
    views.put("configurations", *({"configuration_id": name, **about, **facts[name]} for name in names))
    views.put("run_sets", *({"kind": "run", **{k: v for k, v in run.items() if k != "facts"}} for run in runs))
    views.put("raw_asked", *([{"a_id": asked[0], "b_id": asked[1]}] if asked else []))
    return views.rows("select kind, a_id, b_id, is_apart, obstacle, memory_obstacle, caveat from pairs order by all")


def a_run(name: str, place: int | None, configuration: str = "c", **facts: Any) -> Row:
    return {"set_id": name, "run_id": name, "place": place, "configuration_id": configuration, "facts": facts}


def test_a_run_is_compared_with_the_one_just_before_it_of_its_configuration(views: Planted) -> None:
    found = sets(views, a_run("r1", 1), a_run("r2", 2), a_run("r3", 3), a_run("x", None), a_run("y", 1, "d"))
    assert [(row["kind"], row["a_id"], row["b_id"]) for row in found if row["kind"] == "run"] == [
        ("run", "r2", "r1"),
        ("run", "r3", "r2"),
    ]


def test_runs_of_one_configuration_differ_in_nothing_that_forbids_a_comparison(views: Planted) -> None:
    facts = {"server": "llama-server", "context_effective": None, "parallel": None}
    found = sets(views, a_run("r1", 1, **facts), a_run("r2", 2, **facts), asked=("r1", "r2"))
    assert [row["kind"] for row in found] == ["asked", "run"]
    for row in found:
        assert (row["is_apart"], row["obstacle"], row["memory_obstacle"], row["caveat"]) == (False, None, None, None)


def test_two_that_somebody_named_say_in_what_they_differ(views: Planted) -> None:
    one = {
        "model": "M",
        "runtime": "mlx",
        "quantization": "4bit",
        "suite": "a",
        "parallel": 1,
        "context_effective": 131072,
    }
    other = {**one, "model": "Q", "runtime": "llama.cpp", "quantization": "Q4", "suite": "b"}
    found = sets(views, a_run("r", 1, **one), a_run("s", 1, "d", **other), asked=("s", "r"))
    (row,) = [row for row in found if row["kind"] == "asked"]
    assert (row["a_id"], row["b_id"], row["obstacle"]) == ("s", "r", None)
    assert row["caveat"] == "they differ in model, runtime, quantization, suite"
    found = sets(views, a_run("r", 1, **one), a_run("s", 1, "d", **one, machine="n"), asked=("s", "r"))
    (row,) = found
    assert (row["obstacle"], row["caveat"]) == ("different machines", None)


def test_one_that_is_not_there_is_compared_with_none(views: Planted) -> None:
    assert sets(views, a_run("r", 1), asked=("r", "gone")) == []


# ---------------------------------------------------------------- the mart


def mart(views: Planted, *, speed: Row | None = None, memory: Row | None = None, **pair: Any) -> Row:
    """The one row of two runs against another."""
    abouts = {"a": ("r1", "r2"), "b": ("r3",)}
    runs = {"r1": 120.0, "r2": 130.0, "r3": None}
    views.put("configurations", *({"configuration_id": name, "label": name.upper()} for name in abouts))
    views.put("runs", *({"run_id": name, "run_started_at": STARTED} for name in runs))
    views.put("run_memory", *({"run_id": name, "peak_memory_gb": gb} for name, gb in runs.items()))
    figures = {"decode_tps": 60.0, "ttft_ms": 200.0, "prefill_tps": 900.0, "decode_count": 12}
    views.put("set_speeds", {"set_id": "a", **figures})
    views.put("set_load", {"set_id": "a", "load_s": 20.0, "is_shown": True}, {"set_id": "a", "load_s": 99.0})
    views.put(
        "run_sets",
        *(
            {"set_id": name, "configuration_id": name, "kind": "configuration", "run_id": run, "version": f"v{run[1]}"}
            for name, each in abouts.items()
            for run in each
        ),
    )
    ids = {"a_id": "a", "b_id": "b"}
    views.put("pairs", {"kind": "asked", **ids, **pair}, {"kind": "framework", **ids})
    views.put("pair_speed", *([{**ids, **speed}] if speed else []))
    views.put("pair_memory", *([{**ids, **memory}] if memory else []))
    (row,) = views.rows("from comparison")
    return row


def test_a_sides_figures_are_those_of_the_set_and_its_highest_peak(views: Planted) -> None:
    row = mart(views)
    assert (row["a_label"], row["a_version"], row["a_run_count"], row["a_request_count"]) == ("A", "v1 and v2", 2, 12)
    assert (row["a_decode_tps"], row["a_ttft_ms"]) == (60, 200)
    assert (row["a_prefill_tps"], row["a_peak_memory_gb"], row["a_load_s"]) == (900, 130, 20)
    names = ("decode_tps", "ttft_ms", "prefill_tps", "peak_memory_gb", "load_s")
    assert {row[f"b_{name}"] for name in names} == {None}


def test_ratios_are_a_over_b_with_the_interval_of_the_pair(views: Planted) -> None:
    speed = {"decode": 0.2, "decode_margin": 0.1, "verdict": "a faster", "ttft": -0.2, "ttft_margin": 0.1}
    speed |= {"ttft_verdict": "b later"}
    memory = {"memory": 0.3, "memory_margin": 0.1, "memory_verdict": "a larger", "load": 0.4, "load_verdict": "x"}
    counts = {"prompt_count": 7, "request_count": 42, "detectable": 0.05}
    row = mart(views, speed=speed | counts, memory=memory)
    for name, center in (("decode_tps_ratio", 0.2), ("ttft_ms_ratio", -0.2), ("peak_memory_ratio", 0.3)):
        expected = [math.exp(center + side * 0.1) for side in (0, -1, 1)]
        assert [row[f"{name}{end}"] for end in ("", "_low", "_high")] == pytest.approx(expected), name
    assert [row[f"load_s_ratio{end}"] for end in ("", "_low", "_high")] == [pytest.approx(math.exp(0.4)), None, None]
    assert (row["verdict"], row["ttft_verdict"], row["memory_verdict"]) == ("a faster", "b later", "a larger")
    assert (row["prompt_count"], row["request_count"], row["detectable_difference"]) == (7, 42, 0.05)
    assert row["reason"] is None


@pytest.mark.parametrize(
    ("speed", "pair", "verdict", "reason"),
    [
        (None, {}, "not comparable", "no prompt with a decode speed on both sides"),
        (None, {"obstacle": "different machines"}, "not comparable", "different machines"),
        ({"verdict": "equivalent", "reason": "x"}, {"caveat": "y"}, "equivalent", "x; y"),
    ],
)
def test_why_it_is_not_sure_is_told(views: Planted, speed: Row | None, pair: Row, verdict: str, reason: str) -> None:
    row = mart(views, speed=speed, **pair)
    assert (row["verdict"], row["ttft_verdict"], row["reason"]) == (verdict, "not comparable", reason)
    assert (row["prompt_count"], row["request_count"]) == (0, 0)


def test_only_what_was_asked_for_and_runs_are_in_the_mart(warehouse: Warehouse) -> None:
    (row,) = warehouse.rows("from comparison")
    assert (row["kind"], row["a_id"], row["b_id"]) == ("run", SECOND, FIRST)
    assert (row["a_version"], row["b_version"]) == ("mlx 3.0 · macOS 26.1", "mlx 2.41.0 · macOS 26.1")


def test_reasons_are_told_each_once() -> None:
    row = {"reason": "x", "memory_reason": "y", "load_reason": None}
    assert _sides.reasons(row) == ["x", "memory: y"]
    assert _sides.reasons({**row, "reason": None, "memory_reason": None}) == []


# ---------------------------------------------------------------- what a new run is compared with


def test_a_run_is_compared_with_the_one_before_and_its_partner_with_the_other_runtime(
    warehouse: Warehouse, ids: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    run = warehouse.rows("from runs where run_id = $id", id=SECOND)[0]
    before, partner = _summary.comparisons(warehouse, run)
    assert (before["kind"], before["a_id"], before["b_id"]) == ("run", SECOND, FIRST)
    assert (partner["kind"], partner["a_id"], partner["b_id"]) == ("asked", SECOND, ids["Q4_K_M"])
    assert partner["decode_tps_ratio"] == pytest.approx(1.1 * 1.25, rel=1e-3)
    _summary.show_comparisons([before, partner])
    out, err = capsys.readouterr()
    one, other = err.splitlines()
    assert out == ""
    assert one.startswith("against the run before (2026-11-22 12:00 UTC, then mlx 2.41.0 · macOS 26.1): decode 1.10 (")
    assert other.startswith(
        f"against {MINIMAX} Q4_K_M · llama.cpp: decode 1.37 (1.37 – 1.38 within this run): one run a side; TTFT "
    )
    assert "peak memory 0.864 (no interval): one run a side; load time 0.871 (no interval): one run a side" in other


def test_the_partner_of_a_run_on_llama_cpp_is_that_on_mlx_and_it_has_none_before(
    warehouse: Warehouse, ids: dict[str, str]
) -> None:
    run = warehouse.rows("from runs where run_id = $id", id=OTHER)[0]
    (partner,) = _summary.comparisons(warehouse, run)
    assert (partner["a_id"], partner["b_id"]) == (OTHER, ids["4bit"])
    assert partner["decode_tps_ratio"] < 1


def test_a_run_without_any_other_is_compared_with_nothing(warehouse: Warehouse) -> None:
    run = warehouse.rows("from runs where run_id = $id", id=SHORT)[0]
    assert _summary.comparisons(warehouse, run) == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"verdict": "b faster"}, "decode 0.800 (0.700 – 0.900): the other faster; 2 runs a side"),
        ({"verdict": "small difference"}, "decode 0.800 (0.700 – 0.900): small difference; 2 runs a side"),
        (
            {"verdict": "one run a side", "runs_a_side": 1},
            "decode 0.800 (0.700 – 0.900): one run a side",
        ),
        (
            {"verdict": "inconclusive", "runs_a_side": 1},
            "decode 0.800 (0.700 – 0.900): inconclusive; one run on a side",
        ),
        (
            {"verdict": "one run a side", "runs_a_side": 1, "interval_kind": "within this run"},
            "decode 0.800 (0.700 – 0.900 within this run): one run a side",
        ),
        ({"decode_tps_ratio": None, "reason": "different machines"}, "not comparable (different machines)"),
    ],
)
def test_a_comparison_is_one_line(row: Row, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = [
        name for _, figure, ratio, verdict in _sides.FIGURES for name in (f"a_{figure}", f"b_{figure}", ratio, verdict)
    ]
    interval: Facts = {"decode_tps_ratio": 0.8, "decode_tps_ratio_low": 0.7, "decode_tps_ratio_high": 0.9}
    interval |= {"runs_a_side": 2, "interval_kind": "between runs"}
    _summary.show_comparisons(
        [{**dict.fromkeys(filter(None, names)), "kind": "asked", "b_label": "B", **interval, **row}]
    )
    assert capsys.readouterr().err == f"against B: {said}\n"


# A first token that takes long beside what a busy machine adds: else one of two might look as if from a cache. Further
# ones take their time, too: what comes in a burst has no speed.
FORTY_WORDS = [delta(content=f" word{n}") for n in range(40)]
FORTY = stream(*FORTY_WORDS, delta("stop"), usage(30, 40), DONE, first_s=0.2, gap_s=0.02)


def test_collect_prints_what_changed_since_the_run_before(
    collect: Collect, monkeypatch: pytest.MonkeyPatch, results: Results
) -> None:
    monkeypatch.setattr("collector.run.Sampler", NoSampler)
    monkeypatch.setattr(OpenAIChat, "engine_pid", lambda self: None)
    monkeypatch.setattr(environment, "cpu_busy_percent", lambda seconds=0.5: environment.Reading(1.0))
    with Loopback() as server:
        server.otherwise = FORTY
        said = [collect("--url", server.url, "--suite", "smoke", "--repeats", "1") for _ in range(2)]
    assert [one.code for one in said] == [0, 0]
    assert "against" not in said[0].err
    (line,) = [line for line in said[1].err.splitlines() if line.startswith("against the run before (20")]
    assert " UTC): decode " in line
    assert "TTFT" in line
    assert said[1].out == f"{max(results.runs.iterdir(), key=lambda path: path.stat().st_mtime_ns)}\n"
    assert Path(said[1].out.strip()).exists()


def test_a_run_is_not_compared_with_the_configuration_it_is_a_part_of(
    collect: Collect, stored: Results, ids: dict[str, str]
) -> None:
    said = collect("compare", SECOND, ids["4bit"], "--results", str(stored.root))
    assert (said.code, said.out) == (1, "")
    assert "is a part of the other" in said.err


def test_a_damaged_file_is_named_where_a_run_is_not_found(results: Results) -> None:
    results.runs.mkdir(parents=True)
    (results.runs / "cut.parquet").write_bytes(b"no parquet")
    with pytest.raises(RunUnclear) as told:
        _sides.find(Warehouse(results), "a")
    assert "cut.parquet" in told.value.remedy
