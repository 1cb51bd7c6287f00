"""The matrix: what is measured, what comes next and in which order; and what is wrong with a hand-kept table."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files

from collector import store
from collector.backends import Facts
from collector.schema import CLONE, Results, TableInvalid
from site_src import hooks, tables, warehouse
from site_src.warehouse import Warehouse
from tests.conftest import RUN, STARTED, of_its_own, request
from tests.rows import sharing

Given = Callable[..., Warehouse]
HEADER = "model,variant,runtime,format,quantization,bits,size_gb,memory_gb,priority,status,compare_to,source,note"
MODEL = "MiniMax-M2.1"
MLX4 = {"runtime": "mlx", "quantization": "4bit", "model_key": "mlx-community/MiniMax-M2.1-4bit", "model_format": "mlx"}
HERE = {"chip": RUN["chip"], "gpu_cores": RUN["gpu_cores"], "memory_bytes": RUN["memory_bytes"], "os_name": "macOS"}


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return sharing(given, monkeypatch)


@cache
def home() -> Warehouse:
    return Warehouse(Results(Path(__file__) / "no results"), here=HERE)


def at_home(results: Results) -> Warehouse:
    """As this computer sees these results; one warehouse for all tests, since to open one takes longest."""
    warehouse = home()
    warehouse.results = results
    warehouse.refresh()
    return warehouse


def plan(results: Results, *cells: str) -> None:
    """A plan.csv of the folder's own; a cell is `quantization [priority [status [model]]]`; 4bit and such are MLX."""
    lines = [HEADER]
    for cell in cells:
        quantization, priority, status, model = [*cell.split(), *("1", "pending", MODEL)[len(cell.split()) - 1 :]]
        runtime, kind = ("mlx", "mlx") if quantization.endswith("bit") else ("llama.cpp", "gguf")
        bits = "".join(filter(str.isdigit, quantization))[:2] if "F16" in quantization else quantization.strip("Q")[0]
        variant = f"mlx-{quantization}" if runtime == "mlx" else quantization
        lines.append(f"{model},{variant},{runtime},{kind},{quantization},{bits},120,135,{priority},{status},,,a note")
    results.root.mkdir(parents=True, exist_ok=True)
    (results.root / "plan.csv").write_text("\n".join(lines) + "\n")


def run(*requests: Facts, **facts: Any) -> list[Facts]:
    """A run of MiniMax Q4_K_M through LM Studio, unless said otherwise, with one good request unless given."""
    return [facts, *(requests or [request()])]


def block(number: int, code: str = "ABBA", **facts: Any) -> list[Facts]:
    return run(request(block=number, order_code=code), **facts)


def load_fails(said: str = "not enough memory", **facts: Any) -> list[Facts]:
    return run({"op": "load", "error_kind": "load_out_of_memory", "error_detail": said}, **facts)


def later(minutes: int) -> dict[str, Any]:
    """Run columns of a run that began so much after the fixture's first one."""
    return {"run_id": f"{0xABC000 + minutes:012x}", "run_started_at": STARTED + timedelta(minutes=minutes)}


def cells(warehouse: Warehouse, columns: str = "variant, state") -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in warehouse.rows(f"select {columns} from plan_coverage")]  # noqa: S608


def cell(warehouse: Warehouse, variant: str = "Q4_K_M") -> dict[str, Any]:
    [row] = warehouse.rows("from plan_coverage where variant = $variant", variant=variant)
    return row


def due(warehouse: Warehouse) -> list[str]:
    rows = warehouse.rows("select variant from plan_coverage where next_rank is not null order by next_rank")
    return [row["variant"] for row in rows]


# ---------------------------------------------------------------- the plan itself


def test_the_matrix_is_all_there_before_anything_is_measured(given: Given) -> None:
    states = {
        "MiniMax-M2.1": {
            "mlx-4bit": "pending, with reference",
            "mlx-6bit": "pending, with reference",
            "mlx-8bit": "pending, with reference",
            "mlx-bf16": "unavailable",
            "Q4_K_S": "running",
            "Q4_K_M": "pending",
            "Q6_K": "pending",
            "Q8_0": "pending",
            "BF16": "failed",
        },
        "Qwen3-Coder-Next": {
            "mlx-4bit": "to find",
            "mlx-6bit": "to find",
            "mlx-8bit": "to find",
            "Q4_K_M": "pending",
            "Q6_K": "pending",
            "Q8_0": "pending",
            "Q4_0": "pending",
            "Q2_K": "pending",
            "BF16": "pending",
        },
    }
    expected = [(None, model, variant, state) for model, of in states.items() for variant, state in of.items()]
    expected += [(None, model, "Q4_K_M context", "pending") for model in states]
    assert cells(given(), "machine, model, variant, state") == expected


def test_the_plans_sequence_goes_by_priority_then_model_and_mlx_leads_its_group(given: Given) -> None:
    rows = given().rows(
        "select model[1] || ' ' || variant as cell, position_in_order as place, order_code as code "
        "from plan_coverage where next_rank is not null order by next_rank"
    )
    assert [f"{row['cell']} {row['place']}/{row['code']}" for row in rows] == [
        "M mlx-4bit 1/ABCCBA",
        "M Q4_K_S 2/ABCCBA",
        "M Q4_K_M 3/ABCCBA",
        "Q Q4_K_M 2/ABCCBA",  # its MLX partner is still to be found, and keeps its place
        "Q Q4_0 3/ABCCBA",
        "M mlx-6bit 1/ABBA",
        "M Q6_K 2/ABBA",
        "Q Q6_K 2/ABBA",
        "M mlx-8bit 1/ABBA",
        "M Q8_0 2/ABBA",
        "Q Q8_0 2/ABBA",
        "Q Q2_K 1/AA",
        "Q BF16 1/AA",
        "M Q4_K_M context 1/context",  # ladders come last: they take long, and compare with nothing in their group
        "Q Q4_K_M context 1/context",
    ]


def test_what_waits_says_why(given: Given) -> None:
    warehouse = given()
    reasons = warehouse.rows("select variant, reason from plan_coverage where model = $model", model=MODEL)
    said = {row["variant"]: row["reason"] for row in reasons}
    assert said["BF16"] == "out of memory when loading (tried)"
    assert said["mlx-bf16"] == "no official conversion published"
    assert said["mlx-4bit"] == "archived native mlx-lm figure 45.73 TPS; repeat through LM Studio"
    assert said["Q4_K_S"] == "by the plan's word only"
    assert said["Q6_K"] is None


def test_the_hand_kept_tables_hold_what_the_notes_say(given: Given) -> None:
    warehouse = given()
    shapes = (
        "select distinct model, kv_bytes_per_token as size from stg_models where experts is not null order by model"
    )
    assert warehouse.rows(shapes) == [
        {"model": "MiniMax-M2.1", "size": 253_952},
        {"model": "Qwen3-Coder-Next", "size": 24_576},
    ]
    chips = "select memory_bandwidth_gbs as gbs from stg_machines where chip = 'Apple M3 Ultra'"
    assert warehouse.rows(chips) == [{"gbs": 819.0}]
    planned = "select count(*)::int as n from stg_plan where model not in (select model from stg_models)"
    assert warehouse.rows(planned) == [{"n": 0}]
    assert warehouse.rows("select count(*)::int as n from archive") == [{"n": 3}]


# ---------------------------------------------------------------- measured


def test_a_run_through_lm_studio_measures_its_cell(given: Given, results: Results) -> None:
    plan(results, "4bit 1 archived", "Q4_K_M")
    warehouse = given(run(request(tps=40.0), request(repeat=2, tps=40.0)), run(request(tps=90.0), **MLX4))
    row = cell(warehouse)
    assert (row["state"], row["run_count"], row["request_count"]) == ("measured", 1, 2)
    assert (round(row["decode_tps"]), row["latest_run_at"], row["reason"]) == (40, STARTED, None)
    assert row["machine"] == "apple-m3-ultra-80gpu-512gb"
    row = cell(warehouse, "mlx-4bit")
    assert (row["state"], row["run_count"], round(row["decode_tps"])) == ("measured", 1, 90)


def test_runs_of_a_cell_are_pooled_with_an_interval(given: Given, results: Results) -> None:
    plan(results, "Q4_K_M")
    runs = [run(request(tps=tps), request(repeat=2, tps=tps * 1.01)) for tps in (40.0, 41.0, 42.0)]
    row = cell(given(*runs))
    assert (row["run_count"], row["request_count"]) == (3, 6)
    assert row["decode_tps_low"] < 40.5 < row["decode_tps"] < 42 < row["decode_tps_high"]


def test_a_run_that_does_not_count_says_why(given: Given, results: Results) -> None:
    cases = {
        "Q4_A": (run(server="llama-server"), "not through LM Studio but llama-server"),
        "Q4_B": (run(run_state="interrupted"), "the run was interrupted"),
        "Q4_C": (run(suite="smoke"), "suite smoke, not standard"),
        "Q4_D": (run(suite=None), "suite unknown, not standard"),
        "Q4_E": (run(request(tokens=20)), "no decode speed"),
        "Q4_F": (run(context_effective=42496), "context of 42,496 tokens, below the plan's 131,072"),
    }
    plan(results, *(f"{quantization} 1 archived" for quantization in cases))
    warehouse = given(*([{**rows[0], "quantization": name}, *rows[1:]] for name, (rows, _) in cases.items()))
    for name, (_, why) in cases.items():
        row = cell(warehouse, name)
        assert (row["state"], row["run_count"], row["decode_tps"]) == ("pending, with reference", 0, None)
        assert row["reason"] == f"a note; 1 run does not count: {why}"
        assert row["next_rank"] is not None


def test_reasons_not_to_count_are_named_once(given: Given, results: Results) -> None:
    plan(results, "Q4_K_M")
    interrupted = run(run_state="interrupted")
    row = cell(given(interrupted, run(suite="smoke"), interrupted, run()))
    assert row["state"] == "measured"
    assert row["reason"] == "3 runs do not count: suite smoke, not standard, the run was interrupted"


def test_a_run_that_counts_may_be_doubtful(given: Given, results: Results) -> None:
    plan(results, "Q4_K_M")
    row = cell(given(run(context_effective=None), run(forced=True), run(suite="standard+coding-agent")))
    assert (row["state"], row["run_count"]) == ("measured", 3)
    assert row["reason"] == "1 of 3 runs with unknown context; 1 of 3 runs although a check had failed"


def test_a_cell_is_model_runtime_and_quantization(given: Given, results: Results) -> None:
    same: list[dict[str, Any]] = [
        {"quantization": "q4_k_m"},
        {"model_key": "minimax-m2.1"},
        {"model_key": "MiniMax-M2.1-Q4_K_M-00001-of-00003.gguf"},
    ]
    other: list[dict[str, Any]] = [
        {"quantization": "Q4_K_S"},
        {"runtime": "mlx"},
        {"runtime": None},
        {"model_key": "minimax-m2@q4_k_m"},
    ]
    plan(results, "Q4_K_M")
    warehouse = given(*(run(**facts) for facts in [*same, *other]))
    counted = warehouse.rows("select run_id from plan_runs order by run_id")
    assert [int(row["run_id"], 16) for row in counted] == [0, 1, 2]
    assert cell(warehouse)["run_count"] == 3


def test_a_model_that_models_csv_does_not_know_is_said(given: Given, results: Results) -> None:
    plan(results, "Q4_K_M 1 pending Other-Model")
    assert cell(given())["reason"] == "a note; models.csv does not know this model"


# ---------------------------------------------------------------- failed


def test_a_model_that_does_not_load_has_failed_and_is_not_tried_again(given: Given, results: Results) -> None:
    plan(results, "4bit 1 archived", "Q4_K_M")
    warehouse = given(load_fails(), run(**MLX4))
    row = cell(warehouse)
    assert (row["state"], row["run_count"], row["next_rank"]) == ("failed", 0, None)
    assert row["reason"] == "the model did not load: load_out_of_memory: not enough memory"
    assert row["position_in_order"] == 2  # for who asks to have it tried again
    assert due(warehouse) == ["mlx-4bit"]


def test_a_model_that_loads_after_all_has_not_failed(given: Given, results: Results) -> None:
    plan(results, "Q4_K_M")
    row = cell(given(load_fails(), run()))
    assert (row["state"], row["next_rank"], row["reason"]) == ("measured", 1, None)


def test_a_measured_model_that_does_not_load_again_stays_measured_and_waits(given: Given, results: Results) -> None:
    plan(results, "Q4_K_M")
    row = cell(given(run(), load_fails("crash")))
    assert (row["state"], row["run_count"], row["next_rank"]) == ("measured", 1, None)
    assert row["reason"] == "the model did not load: load_out_of_memory: crash"


def test_a_model_that_was_not_fit_to_measure_has_failed(given: Given, results: Results) -> None:
    plan(results, "Q4_K_M")
    row = cell(given(run({"op": "probe", "error_kind": "unfit", "error_detail": "runtime: contradicted"})))
    assert (row["state"], row["reason"]) == ("failed", "not measured: unfit: runtime: contradicted")


def test_a_run_in_which_every_request_failed_has_failed(given: Given, results: Results) -> None:
    plan(results, "Q4_K_M")
    row = cell(given(run(request(error_kind="worker_gone"), request(repeat=2, error_kind="worker_gone"))))
    assert (row["state"], row["next_rank"]) == ("failed", None)
    assert row["reason"] == "every request failed: the request failed: worker_gone"


def test_a_run_in_which_some_requests_failed_is_measured(given: Given, results: Results) -> None:
    plan(results, "Q4_K_M")
    row = cell(given(run(request(error_kind="worker_gone"), request(repeat=2))))
    assert (row["state"], row["request_count"], row["next_rank"]) == ("measured", 1, 1)


def test_another_server_makes_no_cell_fail(given: Given, results: Results) -> None:
    plan(results, "Q4_K_M")
    assert cell(given(load_fails(server="llama-server"), run(quantization="Q8_0")))["state"] == "pending"


@pytest.mark.parametrize("status", ["failed", "to-find", "unavailable"])
def test_what_the_plan_rules_out_is_not_due_until_it_is_measured(given: Given, results: Results, status: str) -> None:
    plan(results, f"Q4_K_M 1 {status}")
    row = cell(given())
    assert (row["state"], row["next_rank"], row["reason"]) == (status.replace("-", " "), None, "a note")
    row = cell(given(run()))
    assert (row["state"], row["next_rank"], row["reason"]) == ("measured", 1, None)


# ---------------------------------------------------------------- what comes next


@pytest.mark.parametrize(
    ("cells_of", "sequence"),
    [
        (["Q4_K_M"], "Q4_K_M Q4_K_M"),
        (["Q4_K_M", "4bit"], "mlx-4bit Q4_K_M Q4_K_M mlx-4bit"),
        (["Q4_K_S", "Q4_K_M", "4bit"], "mlx-4bit Q4_K_S Q4_K_M Q4_K_M Q4_K_S mlx-4bit"),
        (["4bit 1 to-find", "Q4_K_S", "Q4_K_M"], "Q4_K_S Q4_K_M Q4_K_M Q4_K_S"),
        (["Q4_K_M", "8bit 1 unavailable", "Q8_0"], "Q4_K_M Q4_K_M Q8_0 Q8_0"),
        (["Q8_0 2", "8bit 3", "Q4_K_M 1"], "Q4_K_M Q4_K_M mlx-8bit Q8_0 Q8_0 mlx-8bit"),
        (["Q8_0 2", "Q4_K_M 2"], "Q4_K_M Q4_K_M Q8_0 Q8_0"),
    ],
)
def test_working_through_the_plan_goes_there_and_back_and_ends(
    results: Results, cells_of: list[str], sequence: str
) -> None:
    plan(results, *cells_of)
    warehouse, done = at_home(results), []
    while ahead := warehouse.rows("from plan_coverage where next_rank = 1"):
        [cell] = ahead
        done.append(cell["variant"])
        where = {"block": cell["position_in_order"], "order_code": cell["order_code"]}
        facts = {"runtime": cell["runtime"], "quantization": cell["quantization"], **later(len(done))}
        store.write(results, {**RUN, **facts}, of_its_own([{**request(**where), "op_index": 0}], len(done)))
        warehouse.refresh()
        assert len(done) < 20
    assert done == sequence.split()
    measured = warehouse.rows("from plan_coverage where state = 'measured'")
    assert {(row["block_count"], row["planned_block_count"], row["position_in_order"]) for row in measured} == {
        (2, 2, None)
    }


def test_a_block_is_a_finished_run_at_its_place(given: Given, results: Results) -> None:
    cases = {
        "at its place": (block(2), True),
        "outside the plan": (run(request(block=1)), False),
        "in the order of another plan": (block(2, "ABCCBA"), False),
        "at its partner's place": (block(1), False),
        "interrupted": (block(2, run_state="interrupted"), False),
        "of another suite": (block(2, suite="smoke"), False),
        "through another server": (block(2, server="llama-server"), False),
        "with a short context": (block(2, context_effective=4096), True),  # would be as short again
        "failed": (run(request(block=2, order_code="ABBA", error_kind="worker_gone")), False),
    }
    models = dict(zip(cases, "abcdefghi", strict=True))
    plan(results, *(f"{name} 1 pending {model}" for model in models.values() for name in ("4bit", "Q4_K_M")))
    warehouse = given(*([{**rows[0], "model_key": models[case]}, *rows[1:]] for case, (rows, _) in cases.items()))
    seen = "select block_count, position_in_order from plan_coverage where model = $model and runtime = 'llama.cpp'"
    found = {case: tuple(warehouse.rows(seen, model=model)[0].values()) for case, model in models.items()}
    assert found == {case: (1, 3) if is_block else (0, 2) for case, (_, is_block) in cases.items()}


def test_a_place_filled_twice_is_one_block(given: Given, results: Results) -> None:
    plan(results, "4bit", "Q4_K_M")
    row = cell(given(block(2), block(2)))
    assert (row["block_count"], row["run_count"], row["position_in_order"]) == (1, 2, 3)


def test_a_cell_with_all_blocks_is_not_due_even_where_none_counts(given: Given, results: Results) -> None:
    plan(results, "4bit", "Q4_K_M")
    short = {"context_effective": 42496}
    row = cell(given(block(2, **short), block(3, **short)))
    assert (row["state"], row["block_count"], row["next_rank"], row["position_in_order"]) == ("pending", 2, None, None)
    assert "2 runs do not count: context of 42,496" in row["reason"]


def there_and_back(mlx: tuple[float, float], gguf: tuple[float, float], *more: list[Facts]) -> list[list[Facts]]:
    """A B B A of 4 bit with these speeds, two prompts and two repeats each; then `more`."""

    def one(number: int, tps: float, **facts: Any) -> list[Facts]:
        asked = [
            request(prompt, repeat, tps=tps, block=number, order_code="ABBA") for prompt in "ab" for repeat in (1, 2)
        ]
        return run(*asked, **facts)

    return [one(1, mlx[0], **MLX4), one(2, gguf[0]), one(3, gguf[1]), one(4, mlx[1], **MLX4), *more]


def test_what_one_way_there_and_back_decides_is_done(given: Given, results: Results) -> None:
    plan(results, "4bit", "Q4_K_M")
    rows = given(*there_and_back((50.0, 50.1), (40.0, 40.1))).rows("from plan_coverage")
    assert [(row["block_count"], row["planned_block_count"], row["next_rank"]) for row in rows] == [(2, 2, None)] * 2


def test_what_it_leaves_undecided_is_gone_through_once_more_in_the_same_order(given: Given, results: Results) -> None:
    """Runs differ by 2 %, the sides by 2.5 %. What was never measured comes before."""
    plan(results, "4bit", "Q4_K_M", "Q8_0 9")
    warehouse = given(*there_and_back((41.0, 41.8), (40.0, 40.8)))
    assert due(warehouse) == ["Q8_0", "mlx-4bit", "Q4_K_M"]
    row = cell(warehouse)
    assert (row["block_count"], row["planned_block_count"], row["position_in_order"]) == (2, 4, 6)
    assert (cell(warehouse, "mlx-4bit")["position_in_order"], row["order_code"]) == (5, "ABBA")


def test_a_second_time_there_and_back_is_the_last(given: Given, results: Results) -> None:
    plan(results, "4bit", "Q4_K_M")
    more = [block(5, **MLX4), block(6), block(7), block(8, **MLX4)]
    rows = given(*there_and_back((41.0, 41.8), (40.0, 40.8), *more)).rows("from plan_coverage")
    assert [(row["block_count"], row["planned_block_count"], row["next_rank"]) for row in rows] == [(4, 4, None)] * 2


def test_a_failed_member_changes_no_others_place(given: Given, results: Results) -> None:
    plan(results, "4bit", "Q4_K_S", "Q4_K_M")
    warehouse = given(load_fails(**MLX4), block(2, "ABCCBA", quantization="Q4_K_S"))
    assert due(warehouse) == ["Q4_K_M", "Q4_K_S"]
    assert (cell(warehouse)["position_in_order"], cell(warehouse, "Q4_K_S")["position_in_order"]) == (3, 5)


def test_minutes_come_from_finished_runs_of_the_cell(given: Given, results: Results) -> None:
    plan(results, "Q4_K_M", "Q8_0")
    seconds = [600.0, 660.0, 6000.0]
    warehouse = given(*(run(run_seconds=each) for each in seconds), run(run_seconds=1.0, run_state="interrupted"))
    row = cell(warehouse)
    assert (row["estimated_minutes"], row["estimate_reason"], row["download_gb"]) == (11.0, None, 120.0)
    row = cell(warehouse, "Q8_0")
    assert (row["estimated_minutes"], row["estimate_reason"]) == (None, "no finished run of this cell on this machine")


# ---------------------------------------------------------------- machines


def test_each_machine_has_its_own_matrix(given: Given, results: Results) -> None:
    plan(results, "Q4_K_M")
    warehouse = given(run(), run(chip="Apple M4 Max", gpu_cores=40, memory_bytes=128 * 2**30), load_fails(chip="X"))
    assert cells(warehouse, "machine, state, run_count") == [
        ("apple-m3-ultra-80gpu-512gb", "measured", 1),
        ("apple-m4-max-40gpu-128gb", "measured", 1),
        ("x-80gpu-512gb", "failed", 0),
    ]


def test_a_machine_without_lm_studio_has_no_matrix(given: Given, results: Results) -> None:
    plan(results, "Q4_K_M")
    assert cells(given(run(server="llama-server")), "machine, state, reason") == [(None, "pending", "a note")]


def test_this_computer_has_its_matrix_before_it_is_measured(given: Given, results: Results) -> None:
    plan(results, "Q4_K_M")
    given(run(chip="Apple M4 Max"))
    warehouse = at_home(results)
    assert warehouse.rows("from stg_here") == [{"machine": "apple-m3-ultra-80gpu-512gb"}]
    assert cells(warehouse, "machine, state, next_rank") == [
        ("apple-m3-ultra-80gpu-512gb", "pending", 1),
        ("apple-m4-max-80gpu-512gb", "measured", 1),
    ]


def test_this_computer_is_the_machine_of_its_runs(given: Given, results: Results) -> None:
    plan(results, "Q4_K_M")
    given(run())
    assert cells(at_home(results), "state, run_count") == [("measured", 1)]


# ---------------------------------------------------------------- tables that are wrong


def edited(results: Results, name: str, old: str, new: str) -> Path:
    results.root.mkdir(parents=True, exist_ok=True)
    text = (CLONE / "results" / name).read_text(encoding="utf-8")
    assert old in text
    path = results.root / name
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "old", "new", "wrong"),
    [
        ("plan.csv", ",4,120,", ",four,120,", "line 2: bits is 'four', not a number"),
        ("plan.csv", ",4,120,", ",,120,", "line 2: bits is empty"),
        ("plan.csv", ",4,120,", ",4,1e2,", "line 2: size_gb is '1e2', not a number"),
        ("plan.csv", ",archived,", ",archivd,", "line 2: status is 'archivd'"),
        ("plan.csv", ",priority,", ",prioritty,", "the column priority is missing"),
        ("plan.csv", "priority,status,", "", "the columns priority, status are missing"),
        ("plan.csv", "Q6_K,6,188", "Q4_K_S,6,188", "line 8: it says the same model, runtime, quantization, kind as"),
        ("plan.csv", ",4,120,135,", ",4,120,135,,", "line 2: 17 fields, but 16 columns"),
        ("models.csv", ",230,", ",230 B,", "line 2: parameters_total_b is '230 B', not a number"),
        ("models.csv", "minimax-m2.1,", ",", "line 2: aliases is empty"),
        ("models.csv", "aliases", "names", "the column aliases is missing"),
        ("machines.csv", ",819,", ",fast,", "memory_bandwidth_gbs is 'fast', not a number"),
        ("archive.csv", "45.73", "45,73", "line 2: 8 fields, but 7 columns"),
        ("archive.csv", "native mlx-lm", '"native', "it is no CSV in UTF-8"),
    ],
)
def test_a_wrong_table_is_refused_by_file_line_and_column(
    given: Given, results: Results, name: str, old: str, new: str, wrong: str
) -> None:
    path = edited(results, name, old, new)
    with pytest.raises(TableInvalid) as refused:
        given()
    assert refused.value.happened.startswith(str(path))
    assert wrong in refused.value.happened
    assert refused.value.remedy.endswith(".")


def test_an_empty_table_has_no_columns(given: Given, results: Results) -> None:
    results.root.mkdir(parents=True)
    (results.root / "plan.csv").touch()
    with pytest.raises(TableInvalid, match=r"plan\.csv: the columns model, variant"):
        given()


def test_a_table_that_is_no_text_is_refused(given: Given, results: Results) -> None:
    results.root.mkdir(parents=True)
    (results.root / "models.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TableInvalid, match=r"models\.csv: it is no CSV in UTF-8"):
        given()


def test_a_plan_may_have_no_cells(given: Given, results: Results) -> None:
    results.root.mkdir(parents=True)
    (results.root / "plan.csv").write_text(HEADER + "\n")
    assert cells(given()) == []


def test_a_table_from_a_spreadsheet_reads_the_same(results: Results) -> None:
    results.root.mkdir(parents=True)
    ours = (CLONE / "results" / "plan.csv").read_text(encoding="utf-8")
    (results.root / "plan.csv").write_bytes(b"\xef\xbb\xbf" + ours.replace("\n", "\r\n").encode() + b"\r\n")
    assert tables.read(results.root / "plan.csv").equals(tables.read(CLONE / "results" / "plan.csv"))


def test_an_older_models_csv_reads_as_null_in_newer_columns(given: Given, results: Results) -> None:
    results.root.mkdir(parents=True)
    header = "model,aliases,parameters_total_b,parameters_active_b,context_advertised,suites"
    (results.root / "models.csv").write_text(f"{header}\nMine,mine*,1,1,,standard\n")
    [row] = given().rows("from stg_models")
    assert (row["model"], row["kv_bytes_per_token"], row["context_advertised"]) == ("Mine", None, None)


def test_a_wrong_table_is_named_by_mkdocs(results: Results) -> None:
    edited(results, "plan.csv", ",4,120,", ",four,120,")
    warehouse.kept.cache_clear()
    try:
        with pytest.raises(PluginError, match=r"plan\.csv, line 2: bits is 'four', not a number"):
            hooks.on_files(Files([]), MkDocsConfig())
    finally:
        warehouse.kept.cache_clear()
