"""The matrix unattended: a whole `collect plan --run` against the double of LM Studio."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collector.machine import describe
from collector.schema import Results
from site_src.warehouse import Warehouse
from tests.lmstudio import OUT_OF_MEMORY, Double, DoubleModel, Engine, Scripted, steady
from tests.programs import PATIENCE_S
from tests.short_model import short_model

PLAN = """model,variant,runtime,format,quantization,bits,size_gb,memory_gb,priority,status,compare_to,source,note
SmolLM2-135M-Instruct,mlx-4bit,mlx,mlx,4bit,4,0.1,0.4,1,pending,,x/smol-mlx,
SmolLM2-135M-Instruct,Q4_K_M,llama.cpp,gguf,Q4_K_M,4,0.1,0.4,1,pending,mlx-4bit,x/smol,
gemma-3-270m,Q8_0,llama.cpp,gguf,Q8_0,8,0.3,0.4,2,pending,,x/gemma,
"""
SUITE = """name = "standard"
title = "short ones"
[[prompt]]
id = "a"
category = "test"
max_tokens = 40
text = "Write a long story about a lighthouse keeper."
[[prompt]]
id = "b"
category = "test"
max_tokens = 40
text = "Describe in great detail how a wooden sailing ship is built, step by step."
"""
# The command line as it is, with short prompts and without the waits that let a real machine come to rest.
COLLECT = """
import sys
from pathlib import Path
from collector import cooldown, environment, plan, quality, run, suite
suite.FOLDER = Path(sys.argv.pop(1))
run.BASELINE_S = 0.3
run.SETTLE_S = 0
cooldown.MOST_S = 0
environment.CPU_LOOK_S = 0
plan.DOWNLOAD_STEP_S = 0
quality.ALLOWANCE = 8  # or the small model writes until it is cut off
from collector.cli import main
main()
"""
# The same, asking its views itself: that it starts a process to ask them is seen once, with a real engine.
COLLECT_ALONE = COLLECT.replace(
    "main()", "from collector.commands import _ask\nfrom tests import asked_here\n_ask.rows = asked_here.rows\nmain()"
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    results = tmp_path / "results"
    results.mkdir()
    (results / "plan.csv").write_text(PLAN)
    suites = tmp_path / "suites"
    suites.mkdir()
    (suites / "standard.toml").write_text(SUITE)
    yield tmp_path


def models() -> list[DoubleModel]:
    return [
        DoubleModel(
            "mlx-community/SmolLM2-135M-Instruct-4bit", format="mlx", auto_fit=208384, max_context_length=262144
        ),
        DoubleModel("unsloth/smollm2-135m-instruct@q4_k_m", max_context_length=262144, slowdown=2.0),
        DoubleModel("google/gemma-3-270m", quantization="Q8_0", load_error=OUT_OF_MEMORY),
    ]


def command(folder: Path, double: Double, *options: str, program: str = COLLECT_ALONE) -> list[str]:
    fixed = ["--url", double.url, "--results", str(folder / "results"), "--suite", "standard"]
    return [sys.executable, "-c", program, str(folder / "suites"), "plan", *options, *fixed]


def collect(
    folder: Path, double: Double, *options: str, program: str = COLLECT_ALONE
) -> "subprocess.CompletedProcess[str]":
    return ask_shell(command(folder, double, *options, program=program))


def ask_shell(words: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def ask(folder: Path, query: str) -> list[dict[str, Any]]:
    return Warehouse(Results(folder / "results"), describe()).rows(query)


STATES = "select model, variant, state, run_count, next_rank, reason from plan_coverage"


def check_the_end(folder: Path) -> None:
    cells = {(row["model"], row["variant"]): row for row in ask(folder, STATES)}
    mlx, gguf = (cells["SmolLM2-135M-Instruct", name] for name in ("mlx-4bit", "Q4_K_M"))
    failed = cells["gemma-3-270m", "Q8_0"]
    assert (mlx["state"], gguf["state"], failed["state"]) == ("measured", "measured", "failed")
    assert (mlx["run_count"], gguf["run_count"], failed["run_count"]) == (2, 2, 0)
    assert "load_out_of_memory" in failed["reason"]
    assert all(row["next_rank"] is None for row in cells.values())
    order = ask(
        folder,
        "select runtime, min(block) as block, any_value(order_code) as code, any_value(context_effective) as context "
        "from raw_operations where op = 'request' and run_state = 'complete' group by run_id, runtime order by block",
    )
    assert [row["runtime"] for row in order] == ["mlx", "llama.cpp", "llama.cpp", "mlx"]
    assert {row["code"] for row in order} == {"ABBA"}
    asked = "select runtime, repeat, count(*) as n from stg_outputs where op = 'quality' group by all order by all"
    passes = [(row["runtime"], row["repeat"], row["n"]) for row in ask(folder, asked)]
    assert passes == [(runtime, repeat, 2) for runtime in ("llama.cpp", "mlx") for repeat in (1, 2)]
    assert {row["context"] for row in order} == {208384}  # the GGUF side is loaded with what MLX made of the plan's


def test_a_plan_ends_with_every_state_right_and_a_failed_load_as_data(folder: Path) -> None:
    # Of a token in 2 ms a busy machine makes so uneven a speed that both sides are measured once more.
    with Double(models(), tokens=Scripted(steady(40, ms=6, first_ms=20), finish="length")) as double:
        done = collect(folder, double, "--run")
        assert done.returncode == 3, done.stderr  # one model did not load
        assert len(done.stdout.split()) == 5
        check_the_end(folder)
        again = collect(folder, double, "--run")
        assert again.stdout == "", "nothing was left to do"
        assert not double.state.instances, "a measured model is unloaded"


def test_a_plan_killed_in_the_middle_is_resumed_on_a_real_engine(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Of two cells and one prompt, since an engine takes its time: two blocks, then a model that does not load."""
    real = Engine(short_model(tmp_path_factory))
    (folder / "results/plan.csv").write_text("".join(line for line in PLAN.splitlines(True) if ",mlx," not in line))
    (folder / "suites/standard.toml").write_text(SUITE[: SUITE.rindex("[[prompt]]")])
    with Double([replace(model, slowdown=1.0) for model in models()[1:]], tokens=real) as double:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command(folder, double, "--run", program=COLLECT), text=True, **pipes)
        assert process.stderr is not None
        for line in process.stderr:  # in the second block, in the middle of its requests
            if line.startswith("[2/") and len(list((folder / "results/runs").glob("*.parquet"))) == 1:
                os.kill(process.pid, signal.SIGKILL)
                break
        process.communicate(timeout=PATIENCE_S)
        done = collect(folder, double, "--run")
        assert done.returncode == 3, done.stderr
        assert "An earlier run was cut off" in done.stderr
    cells = {row["variant"]: (row["state"], row["run_count"], row["next_rank"]) for row in ask(folder, STATES)}
    assert cells == {"Q4_K_M": ("measured", 2, None), "Q8_0": ("failed", 0, None)}
    runs = ask(folder, "select run_state, count(*) as n, count(distinct run_id) as ids from runs group by 1 order by 1")
    assert [(row["run_state"], row["n"], row["ids"]) for row in runs] == [("complete", 3, 3), ("interrupted", 1, 1)]
    assert not list((folder / "results/.journal").glob("*.jsonl"))


def test_a_dry_run_measures_nothing(folder: Path) -> None:
    with Double(models()) as double:
        done = collect(folder, double, "--run", "--dry-run")
        assert done.returncode == 0, done.stderr
        assert "block 1 of ABBA" in done.stderr
        assert "3 cells have a next block" in done.stderr
        assert not double.requests


def test_only_and_next_measure_one_block(folder: Path) -> None:
    with Double(models(), tokens=Scripted(steady(40, ms=2, first_ms=5), finish="length")) as double:
        done = collect(folder, double, "--run", "--next", "--only", "q4_k_m")
        assert len(done.stdout.split()) == 1, done.stderr
    assert [row["variant"] for row in ask(folder, STATES) if row["state"] == "measured"] == ["Q4_K_M"]


def test_a_model_that_is_not_downloaded_is_passed_over(folder: Path) -> None:
    with Double(models()[1:], tokens=Scripted(steady(40, ms=2, first_ms=5), finish="length")) as double:
        done = collect(folder, double, "--run", "--next", "--only", "smol")
        assert "SmolLM2-135M-Instruct mlx-4bit: not found in LM Studio; --download fetches it" in done.stderr
        assert len(done.stdout.split()) == 1


def test_missing_models_are_downloaded_where_that_is_asked(folder: Path) -> None:
    sources = ("mlx-community/SmolLM2-135M-Instruct-4bit", "unsloth/SmolLM2-135M-Instruct-GGUF")
    plan = PLAN.replace("x/smol-mlx", sources[0]).replace("x/smol", sources[1])
    (folder / "results/plan.csv").write_text(plan)
    missing = [
        DoubleModel(sources[0], format="mlx", downloaded=False, max_context_length=262144),
        DoubleModel("unsloth/smollm2-135m-instruct-gguf@q4_k_m", downloaded=False, max_context_length=262144),
    ]
    with Double(missing, tokens=Scripted(steady(40, ms=2, first_ms=5), finish="length")) as double:
        double.fail_downloads(missing[1].key)
        done = collect(folder, double, "--run", "--next", "--download", "--only", "smol")
        assert len(done.stdout.split()) == 1, done.stderr
        assert "SmolLM2-135M-Instruct mlx-4bit: 0.0 of 0.1 GB" in done.stderr
        refused = collect(folder, double, "--run", "--download", "--only", "q4_k_m")
        assert "SmolLM2-135M-Instruct Q4_K_M: LM Studio's download ended as failed" in refused.stderr
        asked = [seen.json for seen in double.requests if seen.path == "/api/v1/models/download"]
    assert asked[0] == {"model": f"https://huggingface.co/{sources[0]}"}
    assert asked[-1] == {"model": f"https://huggingface.co/{sources[1]}", "quantization": "Q4_K_M"}


def test_a_suite_that_makes_no_cell_measured_is_refused(folder: Path) -> None:
    with Double(models()) as double:
        done = ask_shell([*command(folder, double, "--run")[:-1], "smoke"])
    assert done.returncode == 2
    assert "standard+NAME" in done.stderr
