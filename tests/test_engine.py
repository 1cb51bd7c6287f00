"""`collect` on a real llama.cpp engine: what it stores, that it agrees with the engine, and how it ends."""

import itertools
import json
import signal
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from collector.nonce import messages
from collector.run import SAMPLING
from collector.schema import Results
from collector.suite import read as suite
from site_src.warehouse import Warehouse
from tests.programs import EngineRun, Running, brisk, engine, finish, is_gone, operations, small_model, until
from tests.short_model import short_model

CONTEXT = 8192


KEPT = ("loads.json", "runs.lock", "warehouse.duckdb", "warehouse.lock")


def collect(results: Results, *options: str) -> list[str]:
    return brisk("--suite", "smoke", "--results", str(results.root), *options)


def files(results: Results) -> list[Path]:
    return sorted(results.runs.glob("*"))


def left_behind(results: Results) -> list[str]:
    """What lies in the journal folder, but for what is kept there on purpose."""
    return sorted(path.name for path in results.journals.glob("*") if path.name not in KEPT)


def phases(rows: list[dict[str, Any]]) -> list[str]:
    """The kinds of operations in the order they came, each run of one kind once."""
    return [kind for kind, _ in itertools.groupby(row["op"] for row in rows)]


# --- one run -----------------------------------------------------------------------------------------------------


def test_a_run_ends_with_0_and_one_file(engine_run: EngineRun) -> None:
    assert engine_run.done.returncode == 0, engine_run.done.stderr
    assert [path.suffix for path in files(engine_run.results)] == [".parquet"]
    assert left_behind(engine_run.results) == []


def test_stdout_is_the_json_and_nothing_else(engine_run: EngineRun) -> None:
    said = json.loads(engine_run.done.stdout)
    assert said["path"] == str(engine_run.path)
    assert said["request_count"] == len(engine_run.requests) == 6
    assert [prompt["prompt_id"] for prompt in said["prompts"]] == ["ship", "story"]


def test_progress_goes_to_stderr_in_plain_lines(engine_run: EngineRun) -> None:
    lines = engine_run.done.stderr.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("[")] == [f"[{number}/6]" for number in range(1, 7)]
    assert "\x1b" not in engine_run.done.stderr
    assert "Traceback" not in engine_run.done.stderr


def test_operations_come_in_order(engine_run: EngineRun) -> None:
    # Its last requests are each followed by a warm resend; what the machine does is surveyed after each repeat.
    measured = ["request", "probe", "request", "probe", "request", "warm", "request", "warm", "probe"]
    assert phases(engine_run.rows) == ["load", "probe", "warmup", *measured, "unload"]
    asked = [(row["position"], row["prompt_id"], row["repeat"]) for row in engine_run.requests]
    assert asked == [(1, "story", 1), (2, "ship", 1), (3, "ship", 2), (4, "story", 2), (5, "story", 3), (6, "ship", 3)]


def test_operations_do_not_overlap(engine_run: EngineRun) -> None:
    timed = [(row["started_ns"], row["elapsed_ns"]) for row in engine_run.rows if row["elapsed_ns"] is not None]
    ends = [started + elapsed for started, elapsed in timed]
    assert all(end <= started for end, (started, _) in zip(ends, timed[1:], strict=False))
    assert ends[-1] <= engine_run.rows[0]["run_seconds"] * 1e9


def test_offsets_of_a_request_are_in_order(engine_run: EngineRun) -> None:
    for row in engine_run.requests:
        offsets = [row[name] for name in ("headers_ns", "first_event_ns", "first_text_ns", "last_text_ns", "done_ns")]
        assert offsets[0] > 0 and offsets == sorted(offsets), row["position"]
        assert row["first_text_ns"] == row["first_answer_ns"]  # this model does not reason


def test_gaps_of_chunks_add_up_to_the_last_event(engine_run: EngineRun) -> None:
    for row in engine_run.requests:
        gaps = [chunk["gap_us"] for chunk in row["chunks"]]
        assert abs(sum(gaps) - row["done_ns"] / 1000) <= len(gaps)
        with_text = [number for number, chunk in enumerate(row["chunks"], 1) if chunk["chars"]]
        assert abs(sum(gaps[: with_text[0]]) - row["first_text_ns"] / 1000) <= with_text[0]
        assert abs(sum(gaps[: with_text[-1]]) - row["last_text_ns"] / 1000) <= with_text[-1]


def test_chunks_hold_the_whole_text(engine_run: EngineRun) -> None:
    for row in engine_run.requests:
        assert sum(chunk["chars"] for chunk in row["chunks"]) == len(row["output_text"])


def test_the_engine_generates_up_to_the_limit_or_stops_by_itself(engine_run: EngineRun) -> None:
    for row in engine_run.requests:
        assert row["error_kind"] is None
        if row["finish_reason"] == "length":
            assert row["completion_tokens"] == row["max_tokens"]
        else:
            assert (row["finish_reason"], row["completion_tokens"] <= row["max_tokens"]) == ("stop", True)


def test_memory_is_sampled_in_every_longer_request(engine_run: EngineRun) -> None:
    file_bytes = small_model().stat().st_size
    longer = [row for row in engine_run.requests if row["elapsed_ns"] > 0.5e9]
    assert longer
    for row in longer:
        assert row["memory"]
        for sample in row["memory"]:
            assert sample["at_ns"] >= row["started_ns"]
            assert sample["system_used_bytes"] > 0
            if sys.platform == "linux":
                assert file_bytes / 2 < sample["engine_rss_bytes"] < file_bytes * 10
    if sys.platform == "linux":  # read when resident memory has moved, and every ten seconds
        walked = [sample["engine_pss_bytes"] for row in engine_run.rows for sample in row["memory"] or ()]
        assert any(size is not None and size > file_bytes / 2 for size in walked)
    # One every second at the least (four are meant): more than the one that ends each request.
    assert sum(len(row["memory"]) for row in longer) >= sum(row["elapsed_ns"] for row in longer) / 1e9


def test_loading_is_timed_and_is_no_part_of_a_request(engine_run: EngineRun) -> None:
    [load] = [row for row in engine_run.rows if row["op"] == "load"]
    assert load["elapsed_ns"] > 0
    assert load["error_kind"] is None
    assert load["started_ns"] + load["elapsed_ns"] < engine_run.requests[0]["started_ns"]


def test_engine_and_model_are_told_by_the_server(engine_run: EngineRun) -> None:
    row = engine_run.rows[0]
    assert row["runtime"] == "llama.cpp"
    assert row["runtime_version"].startswith("xllamacpp ")
    assert (row["quantization"], row["quantization_source"]) == ("Q4_1", "server")
    assert (row["context_requested"], row["context_effective"]) == (CONTEXT, CONTEXT)
    assert row["file_bytes"] == small_model().stat().st_size
    assert row["run_state"] == "complete"


def test_a_run_file_names_no_folder_and_no_host(engine_run: EngineRun) -> None:
    import getpass
    import socket

    private = {str(Path.home()), str(engine_run.results.root), str(small_model().parent), socket.gethostname()}
    private |= {getpass.getuser()} if len(getpass.getuser()) > 4 else set()  # "root" may well stand in a story
    for row in engine_run.rows:
        texts = [value for value in row.values() if isinstance(value, str)]
        assert not [text for text in texts for word in private if len(word) > 4 and word in text]


# --- two runs on one server ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server that both runs use."""
    with engine(CONTEXT) as address:
        yield address


@pytest.fixture(scope="module")
def two_runs(address: str, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Two `collect`s in a row on one server."""
    results = Results(tmp_path_factory.mktemp("served") / "results")
    for count in (1, 2):
        done = finish(collect(results, "--url", address, "--repeats", "2"))
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() in map(str, files(results))
        assert len(files(results)) == count
    return results


def tokens_before(address: str, row: dict[str, Any]) -> int:
    """How many tokens of the request's prompt end before its nonce begins, by the server's own tokenizer."""
    text = {prompt.id: prompt.text for prompt in suite("smoke").prompts}[row["prompt_id"]]
    asked = {"messages": messages(row["nonce"], text)}
    assert asked["messages"][0]["content"].startswith(row["nonce"])  # nothing but the chat template stands before it
    prompt = httpx.post(f"{address}/apply-template", json=asked).json()["prompt"].encode()
    whole = {"content": prompt.decode(), "add_special": True, "parse_special": True, "with_pieces": True}
    tokens = httpx.post(f"{address}/tokenize", json=whole).json()["tokens"]
    pieces = [_bytes(token["piece"]) for token in tokens]
    assert b"".join(pieces) == prompt
    assert len(pieces) == row["prompt_tokens"]
    nonce_at = prompt.index(row["nonce"].encode())
    return sum(len(b"".join(pieces[: number + 1])) <= nonce_at for number in range(len(pieces)))


def _bytes(piece: str | list[int]) -> bytes:
    """llama-server sends a token that is no whole character as a list of bytes."""
    return piece.encode() if isinstance(piece, str) else bytes(piece)


def test_no_request_is_cached_beyond_what_stands_before_its_nonce(address: str, two_runs: Results) -> None:
    for path in files(two_runs):
        measured = [row for row in operations(path) if row["op"] == "request"]
        assert len(measured) == 4
        for row in measured:
            assert row["cached_tokens"] <= tokens_before(address, row), (path.name, row["position"])


def test_the_server_would_have_cached_a_prompt_it_knows(address: str, two_runs: Results) -> None:
    """Without this the test above would pass on a server that caches nothing."""
    row = next(row for row in operations(files(two_runs)[-1]) if row["op"] == "request")
    text = {prompt.id: prompt.text for prompt in suite("smoke").prompts}[row["prompt_id"]]
    body = {"messages": messages(row["nonce"], text), "max_tokens": 1, **SAMPLING}
    httpx.post(f"{address}/v1/chat/completions", json=body, timeout=60)
    again = httpx.post(f"{address}/v1/chat/completions", json=body, timeout=60).json()
    assert again["timings"]["cache_n"] > row["prompt_tokens"] - 4 > tokens_before(address, row)


def test_a_model_that_was_loaded_before_has_no_load_row(two_runs: Results) -> None:
    for path in files(two_runs):
        assert phases(operations(path))[:3] == ["probe", "warmup", "request"]
        assert "load" not in phases(operations(path))
        assert {row["context_requested"] for row in operations(path)} == {None}
        assert {row["context_effective"] for row in operations(path)} == {CONTEXT}


def test_the_engine_of_a_local_server_is_found_by_its_port(two_runs: Results) -> None:
    measured = [row for path in files(two_runs) for row in operations(path) if row["op"] == "request"]
    samples = [sample for row in measured for sample in row["memory"]]
    assert min(sample["engine_rss_bytes"] for sample in samples) > small_model().stat().st_size / 2


def compared(*folders: Results) -> list[dict[str, Any]]:
    """Measured requests with our decode speed, as the site shows it, and the server's.

    Now and then the model stops after a few words; such a request has no decode speed.
    """
    asked = "select * from request_speed join raw_operations using (run_id, op_index) where decode_tps is not null"
    return [row for folder in folders for row in Warehouse(folder).rows(asked)]


def test_our_decode_speed_is_the_engines_own_within_1_percent(engine_run: EngineRun, two_runs: Results) -> None:
    rows = compared(engine_run.results, two_runs)
    assert len(rows) >= 12  # of 14
    ratios = [row["decode_tps"] / row["reported_decode_tps"] for row in rows]
    assert abs(statistics.median(ratios) - 1) <= 0.01, ratios
    for run_id in {row["run_id"] for row in rows}:
        own = [row for row in rows if row["run_id"] == run_id]
        ours, theirs = ([row[name] for row in own] for name in ("decode_tps", "reported_decode_tps"))
        assert statistics.median(ours) == pytest.approx(statistics.median(theirs), rel=0.01)


def test_the_engines_own_times_fit_into_ours(engine_run: EngineRun, two_runs: Results) -> None:
    """What the client sees contains what the server did: a clock started late or stopped early would show here."""
    for row in compared(engine_run.results, two_runs):
        assert row["first_text_ns"] / 1e6 >= row["reported_prompt_ms"]  # what a first text in a burst has, too
        assert row["ttft_ms"] in (None, pytest.approx(row["first_text_ns"] / 1e6, abs=0.1))
        assert row["done_ns"] / 1e6 >= row["reported_prompt_ms"] + row["reported_decode_ms"]


# --- how a run ends ------------------------------------------------------------------------------------------------


def gone(processes: list[psutil.Process]) -> None:
    """None of them outlives the collector that started it; one that does is ended here all the same."""
    try:
        until(lambda: all(map(is_gone, processes)), f"the end of {processes}", patience_s=30)
    finally:
        for process in processes:
            if not is_gone(process):
                process.kill()


def in_second_request(running: Running) -> list[psutil.Process]:
    """Wait until the engine works on the second request; the processes that the collector has started."""
    running.wait_for("[1/4]")  # two repeats are usual
    found = running.descendants()
    # an inhibitor without a service to ask has ended at once
    commands = {process: " ".join(process.cmdline()) for process in found if not is_gone(process)}
    assert any("collector.memory.sampler" in command for command in commands.values()), commands
    [worker] = [process for process, command in commands.items() if "collector.embedded_server" in command]
    before = worker.cpu_times().user
    until(lambda: worker.cpu_times().user > before + 0.1, "work of the engine")
    return found


def test_a_killed_run_is_saved_by_the_next_collect(results: Results, tmp_path_factory: pytest.TempPathFactory) -> None:
    with Running(collect(results, "--embedded")) as first:
        processes = in_second_request(first)
        first.signal(signal.SIGKILL)
        assert first.exit_code() == -signal.SIGKILL
    gone(processes)
    assert files(results) == []
    assert not results.being_measured()
    [journal] = results.journals.glob("*.jsonl")

    other = ("--embedded", "--model", str(short_model(tmp_path_factory)))
    second = finish(collect(results, *other, "--repeats", "1", "--context-length", "1024"))
    assert second.returncode == 0, second.stderr
    assert left_behind(results) == []
    [own] = [path for path in files(results) if str(path) == second.stdout.strip()]
    [saved] = [path for path in files(results) if path != own]
    assert journal.stem in saved.name
    assert f"saved as {saved.name}" in second.stderr

    rows = operations(saved)
    assert {(row["run_state"], row["run_seconds"]) for row in rows} == {("interrupted", None)}
    assert phases(rows)[:4] == ["load", "probe", "warmup", "request"]
    assert {row["error_kind"] for row in rows} == {None}
    assert {(row["run_state"], row["context_effective"]) for row in operations(own)} == {("complete", 1024)}
    states = Warehouse(results).rows("select run_state from runs order by run_started_at")
    assert [row["run_state"] for row in states] == ["interrupted", "complete"]


def test_ctrl_c_in_a_request_leaves_a_valid_run_and_no_process(results: Results) -> None:
    with Running(collect(results, "--embedded")) as running:
        processes = in_second_request(running)
        running.signal(signal.SIGINT)
        assert running.exit_code() == 130
    gone(processes)
    [path] = files(results)
    assert running.stdout == str(path)
    assert "Traceback" not in running.stderr
    assert left_behind(results) == []
    rows = [row for row in operations(path) if row["op"] == "request"]
    assert {row["run_state"] for row in rows} == {"interrupted"}
    assert [row["error_kind"] for row in rows] == [*[None] * (len(rows) - 1), "interrupted"]
    [figures] = Warehouse(results).rows("from runs")
    assert (figures["run_state"], figures["request_count"], figures["failed_count"]) == ("interrupted", len(rows), 1)


def test_ctrl_c_before_anything_is_measured_leaves_nothing(results: Results) -> None:
    with Running(collect(results, "--embedded")) as running:
        running.wait_for("loading the model")
        processes = running.descendants()
        assert processes
        running.signal(signal.SIGINT)
        assert running.exit_code() == 130
    gone(processes)
    assert running.stdout == ""
    assert "Traceback" not in running.stderr
    assert (files(results), left_behind(results)) == ([], [])


def test_a_model_that_does_not_load_is_a_run_with_one_load_row(results: Results, tmp_path: Path) -> None:
    cut = tmp_path / "cut-short.gguf"
    with small_model().open("rb") as whole:
        cut.write_bytes(whole.read(10**6))
    done = finish(collect(results, "--embedded", "--model", str(cut)))
    assert done.returncode == 3, done.stderr
    assert "did not load" in done.stderr
    assert "Traceback" not in done.stderr
    [path] = files(results)
    assert done.stdout.strip() == str(path)
    [row] = operations(path)
    assert (row["op"], row["error_kind"], row["model_key"]) == ("load", "load", cut.name)
    assert row["elapsed_ns"] > 0
    assert left_behind(results) == []
    [figures] = Warehouse(results).rows("from runs")
    assert (figures["decode_tps"], figures["load_s"]) == (None, None)
    assert row["error_detail"] in figures["reason"]


def test_a_file_that_is_no_gguf_is_a_mistake_and_leaves_nothing(results: Results, tmp_path: Path) -> None:
    letter = tmp_path / "letter.gguf"
    letter.write_text("Dear model,\n")
    done = finish(collect(results, "--embedded", "--model", str(letter)))
    assert done.returncode == 1
    assert done.stdout == ""
    happened, remedy = done.stderr.splitlines()
    assert happened == "error: letter.gguf is not a GGUF file."
    assert "--model" in remedy
    assert (files(results), left_behind(results)) == ([], [])
