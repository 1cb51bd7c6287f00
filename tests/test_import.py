"""`collect import`: llama-bench's results become runs of their own kind, once, and a bad file becomes a sentence."""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from collector import cli, llama_bench, machine
from collector.errors import ImportFailed
from collector.schema import Results
from site_src.warehouse import Warehouse
from tests.conftest import request

Given = Callable[..., Warehouse]
Entry = dict[str, Any]
# As llama-bench wrote it on a Mac, in another folder of another person.
ENTRY: Entry = {
    "build_commit": "8cf427ff",
    "build_number": 11026,
    "cpu_info": "Accelerate, Apple M3 Ultra",
    "gpu_info": "Apple M3 Ultra",
    "backends": "MTL,BLAS",
    "model_filename": "/Users/somebody/models/unsloth/MiniMax-M2.1-Q4_K_S-00001-of-00003.gguf",
    "model_type": "minimax-m2 230B.A10B Q4_K - Small",
    "model_size": 130_004_746_240,
    "model_n_params": 228_689_764_832,
    "n_batch": 2048,
    "n_ubatch": 512,
    "n_threads": 24,
    "cpu_mask": "0x0",
    "cpu_strict": False,
    "poll": 50,
    "type_k": "f16",
    "type_v": "f16",
    "n_gpu_layers": -1,
    "n_cpu_moe": 0,
    "split_mode": "layer",
    "main_gpu": 0,
    "no_kv_offload": False,
    "flash_attn": -1,
    "devices": "MTL0/BLAS",
    "tensor_split": "0.00",
    "tensor_buft_overrides": "none",
    "load_mode": "mmap",
    "embeddings": False,
    "no_op_offload": 0,
    "no_host": False,
    "repack": True,
    "fit_target": 0,
    "fit_min_ctx": 0,
}


def entry(prompt: int = 0, generated: int = 0, speeds: tuple[float, ...] = (40.0, 41.0, 42.0), **more: Any) -> Entry:
    """One test of llama-bench with these speeds."""
    tokens = prompt + generated
    ns = [round(tokens * 1e9 / speed) for speed in speeds]
    mean = sum(speeds) / len(speeds)
    results = {
        "n_prompt": prompt,
        "n_gen": generated,
        "n_depth": 0,
        "test_time": "2026-11-20T11:58:50Z",
        "avg_ns": sum(ns) // len(ns),
        "stddev_ns": 1,
        "avg_ts": mean,
        "stddev_ts": 1.0,
        "samples_ns": ns,
        "samples_ts": list(speeds),
    }
    return {**ENTRY, **results, **more}


PP, TG = entry(prompt=512, speeds=(700.0, 710.0)), entry(generated=128, test_time="2026-11-20T11:59:50Z")


class Said(NamedTuple):
    """What a command printed, and how it ended."""

    code: int
    out: list[str]
    err: str


@pytest.fixture
def imported(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """`collect import` of a file with this content: entries of an array, or its text."""

    def call(*content: Entry | str | bytes) -> Said:
        file = tmp_path / "bench.json"
        if content and isinstance(content[0], bytes):
            file.write_bytes(content[0])
        elif content and isinstance(content[0], str):
            file.write_text(content[0], encoding="utf-8")
        else:
            file.write_text(json.dumps(content, indent=2), encoding="utf-8")
        monkeypatch.setattr(sys, "argv", ["collect", "import", str(file)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return Said(int(ended.value.code or 0), said.out.splitlines(), said.err)

    return call


Imported = Callable[..., Said]


def files(results: Results) -> list[Path]:
    return sorted(results.runs.glob("*.parquet"))


# ---------------------------------------------------------------- what is stored


def test_a_file_becomes_a_run_with_a_row_a_test(results: Results, imported: Imported) -> None:
    said = imported(PP, TG, entry(512, 128, n_depth=4096))
    assert (said.code, said.out) == (0, [str(path) for path in files(results)])
    assert said.err.splitlines()[-1] == "MiniMax-M2.1-Q4_K_S-00001-of-00003.gguf: 3 tests imported."
    rows = Warehouse(results).rows("from raw_operations order by op_index")
    assert [(row["op"], row["bench_test"], row["bench_depth"]) for row in rows] == [
        ("bench", "pp512", 0),
        ("bench", "tg128", 0),
        ("bench", "pp512+tg128@d4096", 4096),
    ]
    assert [row["bench_tps"] for row in rows] == [[700.0, 710.0], [40.0, 41.0, 42.0], [40.0, 41.0, 42.0]]
    assert [row["started_ns"] for row in rows] == [0, 60 * 10**9, 0]
    settings = dict(each.split("=") for each in rows[0]["bench_settings"].split())
    assert settings == {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in ENTRY.items()
        if name not in llama_bench.ABOUT_RUN
    }


def test_a_run_says_what_the_file_says_and_nothing_of_this_computer(
    results: Results, imported: Imported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "describe", lambda: {"chip": "here", "memory_bytes": 1, "os_name": "here"})
    imported(PP)
    [row] = Warehouse(results).rows("from raw_operations")
    told = {
        "chip": "Apple M3 Ultra",
        "server": "llama-bench",
        "runtime": "llama.cpp",
        "runtime_version": "b11026-8cf427ff",
        "model_key": "MiniMax-M2.1-Q4_K_S-00001-of-00003.gguf",
        "model_architecture": "minimax-m2",
        "model_format": "gguf",
        "model_parameters": 228_689_764_832,
        "quantization": "Q4_K_S",
        "file_bytes": 130_004_746_240,
        "run_state": "complete",
        "run_started_at": datetime(2026, 11, 20, 11, 58, 50),
    }
    assert {name: row[name] for name in told} == told
    unknown = ("memory_bytes", "os_name", "cpu_cores", "gpu_cores", "suite", "endpoint", "context_effective", "seed")
    assert [row[name] for name in unknown] == [None] * len(unknown)


def test_no_folder_of_anybody_is_stored(results: Results, imported: Imported) -> None:
    imported(
        entry(
            128,
            tensor_buft_overrides="/Users/somebody/x=CPU",
            model_filename=r"C:\Users\somebody\llama-7b.Q4_0.gguf",
            lora="~/somebody/adapter.gguf",
            cpu_info="somebody@example.org",
        )
    )
    [path] = files(results)
    rows = Warehouse(results).rows("from raw_operations")
    assert "somebody" not in json.dumps(rows, default=str)
    assert "somebody" not in path.name
    assert rows[0]["model_key"] == "llama-7b.Q4_0.gguf"
    assert "lora=[path]" in rows[0]["bench_settings"]
    assert "devices=MTL0/BLAS" in rows[0]["bench_settings"]


@pytest.mark.parametrize(
    ("cpu", "gpu", "chip"),
    [
        ("Accelerate, Apple M3 Ultra", "Apple M3 Ultra", "Apple M3 Ultra"),
        ("Apple M2", "", "Apple M2"),
        ("AMD EPYC", None, "AMD EPYC"),
        ("AMD Ryzen 7", "NVIDIA GeForce RTX 4080", "AMD Ryzen 7 + NVIDIA GeForce RTX 4080"),
        ("", "", None),
    ],
)
def test_the_chip_is_processor_and_graphics(tmp_path: Path, cpu: str, gpu: str | None, chip: str | None) -> None:
    [run] = read(tmp_path, [entry(1, cpu_info=cpu, gpu_info=gpu)])
    assert run.facts["chip"] == chip


@pytest.mark.parametrize(
    ("name", "words", "quantization", "source"),
    [
        ("a-UD-Q4_K_XL.gguf", "qwen3 8B Q4_K - Medium", "UD-Q4_K_XL", "model name"),
        ("ggml-model-q4_0.gguf", "llama 7B Q4_0", "Q4_0", "model name"),
        ("model.gguf", "llama 7B mostly Q4_0", "Q4_0", "server"),
        ("model.gguf", "qwen2 7B Q4_K - Medium", "Q4_K_M", "server"),
        ("model.gguf", "qwen2 7B Q3_K - Large", "Q3_K_L", "server"),
        ("model.gguf", "qwen2 7B Q2_K - Medium", "Q2_K", "server"),
        ("model.gguf", "qwen2 7B Q6_K", "Q6_K", "server"),
        ("model.gguf", "llama 7B IQ4_XS - 4.25 bpw", "IQ4_XS", "server"),
        ("model.gguf", "gpt-oss 20B MXFP4 MoE", "MXFP4", "server"),
        ("model.gguf", "llama 1B BF16", "BF16", "server"),
        ("model.gguf", "something new", None, None),
    ],
)
def test_quantization_is_from_the_files_name_or_llama_cpps_words(
    tmp_path: Path, name: str, words: str, quantization: str | None, source: str | None
) -> None:
    [run] = read(tmp_path, [entry(1, model_filename=f"/m/{name}", model_type=words)])
    assert (run.facts["quantization"], run.facts["quantization_source"]) == (quantization, source)


def read(tmp_path: Path, entries: list[Any]) -> list[llama_bench.Imported]:
    file = tmp_path / "bench.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    return llama_bench.read(file)


# ---------------------------------------------------------------- groups, and once only


def test_each_model_file_and_setting_is_a_run(tmp_path: Path) -> None:
    entries = [
        PP,
        entry(512, n_threads=8),
        TG,
        entry(128, model_filename="/m/other-Q8_0.gguf"),
        entry(512, a_setting_of_a_newer_version=3),
        entry(512, build_number=2),
    ]
    runs = read(tmp_path, entries)
    assert [len(run.operations) for run in runs] == [2, 1, 1, 1, 1]
    assert len({run.run_id for run in runs}) == 5
    assert runs[0].run_id.isalnum()
    assert [row["bench_test"] for row in runs[0].operations] == ["pp512", "tg128"]


def test_importing_twice_adds_nothing(results: Results, imported: Imported) -> None:
    imported(PP, TG)
    before = [(path, path.read_bytes()) for path in files(results)]
    said = imported(PP, TG)
    assert (said.code, said.out) == (0, [])
    assert said.err == f"{before[0][0].name} holds these results already.\n"
    assert [(path, path.read_bytes()) for path in files(results)] == before


def test_only_what_is_new_in_a_file_is_added(results: Results, imported: Imported) -> None:
    imported(PP)
    said = imported(PP, entry(512, n_threads=8))
    assert len(said.out) == 1
    assert "holds these results already" in said.err
    assert len(files(results)) == 2
    assert Warehouse(results).rows("select count(*)::int as n from llama_bench") == [{"n": 2}]


def test_another_measurement_is_another_run(tmp_path: Path) -> None:
    ids = {read(tmp_path, [entry(512, speeds=speeds)])[0].run_id for speeds in ((1.0,), (2.0,))}
    ids |= {read(tmp_path, [entry(512, speeds=(1.0,), test_time="2026-11-21T00:00:00Z")])[0].run_id}
    assert len(ids) == 3


def test_json_lines_and_one_object_are_the_same_as_an_array(tmp_path: Path) -> None:
    file = tmp_path / "bench.jsonl"
    whole = read(tmp_path, [PP, TG])
    file.write_text(f"{json.dumps(PP)}\n\n{json.dumps(TG)}\n", encoding="utf-8")
    assert llama_bench.read(file) == whole
    file.write_text(json.dumps(PP), encoding="utf-8-sig")
    assert llama_bench.read(file) == read(tmp_path, [PP])


def test_an_old_file_without_depth_was_at_none(tmp_path: Path) -> None:
    old = {name: value for name, value in TG.items() if name not in ("n_depth", "devices", "samples_ns", "model_size")}
    [run] = read(tmp_path, [old])
    assert (run.operations[0]["bench_depth"], run.operations[0]["bench_test"]) == (0, "tg128")
    assert run.facts["file_bytes"] is None


def test_a_time_with_an_offset_is_stored_in_utc(tmp_path: Path) -> None:
    [run] = read(tmp_path, [entry(1, test_time="2026-11-20T13:00:00+02:00")])
    assert run.facts["run_started_at"] == datetime(2026, 11, 20, 11, 0, 0)


# ---------------------------------------------------------------- where it shows, and where not


def test_the_view_has_n_mean_and_spread(results: Results, imported: Imported) -> None:
    imported(PP, TG, entry(generated=64, speeds=(9.0,)))
    warehouse = Warehouse(results)
    rows = warehouse.rows(
        "select bench_test, repetition_count as n, mean_tps, round(sd_tps, 3) as sd, min_tps, max_tps, reason "
        "from llama_bench"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("pp512", 2, 705.0, 7.071, 700.0, 710.0, None),
        ("tg128", 3, 41.0, 1.0, 40.0, 42.0, None),
        ("tg64", 1, 9.0, None, 9.0, 9.0, "one repetition has no spread"),
    ]
    [where] = warehouse.rows("select distinct model, quantization, bits, machine, runtime_version from llama_bench")
    assert list(where.values()) == ["MiniMax-M2.1", "Q4_K_S", 4, "apple-m3-ultra", "b11026-8cf427ff"]


def test_it_is_in_no_comparison_with_runs_through_a_server(given: Given, results: Results, imported: Imported) -> None:
    given([request()], quantization="Q4_K_S")
    imported(PP, TG)
    warehouse = Warehouse(results)
    for view in ("request_speed", "prompt_speed", "run_speed", "run_summary", "tps_per_gb", "decode_by_prompt"):
        assert len(warehouse.rows(f"from {view}")) == 1, view
    runs = warehouse.rows("select server, request_count, decode_tps is null as is_empty, reason from runs")
    assert [row for row in runs if row["server"] == "llama-bench"] == [
        {
            "server": "llama-bench",
            "request_count": 0,
            "is_empty": True,
            "reason": "imported: its figures stand in the view llama_bench",
        }
    ]
    covered = "select machine, run_count, reason from plan_coverage where model = 'MiniMax-M2.1' and variant = 'Q4_K_S'"
    assert warehouse.rows(covered) == [{"machine": "apple-m3-ultra-80gpu-512gb", "run_count": 1, "reason": None}]


def test_a_report_shows_its_tests(
    results: Results, imported: Imported, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [path] = imported(PP).out
    monkeypatch.setattr(sys, "argv", ["collect", "report", path])
    with pytest.raises(SystemExit):
        cli.main()
    said = capsys.readouterr().out
    assert "# llama.cpp · MiniMax-M2.1 · Q4_K_S · 2026-11-20 11:58 UTC" in said
    assert "| pp512 | 0 | 2 | 705 | 7.07 | 700 | 710 |" in said
    assert "## Prompts" not in said


# ---------------------------------------------------------------- bad files


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("", "holds no results"),
        ("[]", "holds no results"),
        ("| model | size | t/s |\n| --- | --- | --- |\n", "is no JSON, or was cut off"),
        (json.dumps([PP, TG])[:-40], "is no JSON, or was cut off"),
        ("[" * 100_000, "is no JSON, or was cut off"),
        (b"\xff\xfe\x00\x01", "is no text"),
        ('"text"', "its entry 1 is no object"),
        ('[{"benchmark": 1}]', "its entry 1 names no model_filename"),
        (json.dumps([PP, {**TG, "model_filename": 3}]), "its entry 2 names no model_filename"),
        (json.dumps([{**PP, "samples_ts": None}]), "its entry 1 has no list of speeds in samples_ts"),
        (json.dumps([{**PP, "samples_ts": []}]), "no list of speeds"),
        (json.dumps([{**PP, "samples_ts": [1.0, "2"]}]), "no list of speeds"),
        (json.dumps([{**PP, "samples_ts": [float("nan")]}]), "no list of speeds"),
        (json.dumps([{**PP, "samples_ts": [float("inf")]}]), "no list of speeds"),
        (json.dumps([{**PP, "samples_ts": [0.0]}]), "no list of speeds"),
        (json.dumps([{**PP, "samples_ts": [10**400]}]), "no list of speeds"),
        (json.dumps([{**PP, "samples_ts": [True]}]), "no list of speeds"),
        (json.dumps([{**PP, "n_prompt": 0}]), "tells no test in n_prompt and n_gen"),
        (json.dumps([{**PP, "n_prompt": -1}]), "tells no test"),
        (json.dumps([{**PP, "n_gen": "128"}]), "tells no test"),
        (json.dumps([{**PP, "n_depth": "deep"}]), "has no number in n_depth"),
        (json.dumps([{**PP, "test_time": "yesterday"}]), "has no time like"),
        (json.dumps([{name: PP[name] for name in PP if name != "test_time"}]), "has no time like"),
    ],
)
def test_a_bad_file_is_a_sentence_and_stores_nothing(
    results: Results, imported: Imported, content: str | bytes, wrong: str
) -> None:
    said = imported(content)
    assert said.code == 1
    assert said.out == []
    assert wrong in said.err
    assert len(said.err.splitlines()) == 2
    assert "Traceback" not in said.err
    assert not files(results)


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.json", tmp_path):
        with pytest.raises(ImportFailed, match="cannot be read"):
            llama_bench.read(path)


def test_a_bad_entry_keeps_the_good_ones_out_too(results: Results, imported: Imported) -> None:
    assert imported(PP, {**TG, "samples_ts": []}).code == 1
    assert not files(results)


def test_odd_values_of_facts_cost_only_these(results: Results, imported: Imported) -> None:
    odd = {"model_size": "big", "model_n_params": 2**80, "model_type": 7, "build_number": None, "cpu_info": ["a"]}
    assert imported(entry(8, **odd)).code == 0
    [row] = Warehouse(results).rows("select file_gb, quantization, runtime_version from llama_bench")
    assert list(row.values()) == [None, "Q4_K_S", "8cf427ff"]
