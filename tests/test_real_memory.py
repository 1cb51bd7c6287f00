"""Memory and context on the real engine, beside what the kernel itself says of its process."""

import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import psutil
import pytest

from collector import ladder
from collector.schema import Results
from site_src.warehouse import Warehouse
from tests.programs import PATIENCE_S, Running, brisk, finish, operations, program, small_model
from tests.short_model import short_model

LOOK_S = 0.05
CONTEXT = 1024  # the least that `collect context` loads: the limit is as real, and reached in seconds
BEYOND = ladder.beyond(CONTEXT)
RUNGS = [64, 192, 448, 640, 896]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


# --- peak memory ---


@dataclass
class Watcher:
    """Reads `smaps_rollup` of the engine's process 20 times a second, from its start to its end."""

    running: Running
    pss: list[int] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(timeout=PATIENCE_S)

    def _watch(self) -> None:
        pid: int | None = None
        while not self._over.wait(LOOK_S):
            pid = pid or self._engine()
            if pid and (read := _rollup(pid)):
                self.pss.append(read["Pss"])
                self.rss.append(read["Rss"])

    def _engine(self) -> int | None:
        with suppress(psutil.Error):
            for process in self.running.descendants():
                with suppress(psutil.Error):  # one that has ended and is not collected yet has no command line
                    if "collector.embedded_server" in process.cmdline():
                        return int(process.pid)
        return None


def _rollup(pid: int) -> dict[str, int]:
    """Bytes by name, of a process that lives."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {}
    found = {name.rstrip(":"): int(size) * 1024 for name, size, *_ in map(str.split, lines)}
    return found if found.get("Rss") else {}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Watcher, Results]]:
    """A whole run, watched from outside."""
    small_model()
    results = Results(tmp_path_factory.mktemp("memory") / "results")
    options = ("--embedded", "--suite", "smoke", "--quick", "--results", str(results.root))
    with Running(program("collect", *options)) as running:
        watcher = Watcher(running)
        try:
            assert running.exit_code() == 0, running.stderr
        finally:
            watcher.stop()
    yield watcher, results


def test_peak_pss_is_within_5_percent_of_the_kernels_own_account(watched: tuple[Watcher, Results]) -> None:
    watcher, results = watched
    assert len(watcher.pss) > 20
    [row] = Warehouse(results).rows("from run_memory")
    assert row["peak_pss_gb"] * 1e9 == pytest.approx(max(watcher.pss), rel=0.05)
    assert row["peak_rss_gb"] * 1e9 == pytest.approx(max(watcher.rss), rel=0.05)
    assert (row["peak_memory_gb"], row["peak_memory_kind"]) == (row["peak_pss_gb"], "engine PSS")
    assert row["memory_confidence"] == "high"


def test_peak_memory_holds_the_weights_and_more(watched: tuple[Watcher, Results]) -> None:
    _, results = watched
    [row] = Warehouse(results).rows("from run_memory")
    assert row["peak_memory_gb"] * 1e9 > small_model().stat().st_size


def test_only_the_engine_is_counted_and_it_was_started_for_this_load(watched: tuple[Watcher, Results]) -> None:
    _, results = watched
    [path] = results.runs.iterdir()
    for row in operations(path):
        told = (row["engine_process_count"], row["engine_found_by"], row["engine_is_new"])
        assert told == (1, "grown while loading", True)


def test_the_load_is_sampled_from_before_it_began_to_its_end(watched: tuple[Watcher, Results]) -> None:
    _, results = watched
    [path] = results.runs.iterdir()
    [load] = [row for row in operations(path) if row["op"] == "load"]
    held = [sample["engine_rss_bytes"] for sample in load["memory"] if sample["engine_rss_bytes"]]
    assert held == sorted(held)  # it fills up
    assert held[-1] > small_model().stat().st_size / 2
    last = load["memory"][-1]["at_ns"] - load["started_ns"]
    assert 0 <= last - load["elapsed_ns"] < 1e9  # the forced sample at its end


# --- the ladder ---


@dataclass(frozen=True)
class Climbed:
    """A finished `collect context`, and what the views said then."""

    results: Results
    model: Path
    done: "CompletedProcess[str]"
    rungs: dict[int, dict[str, Any]]
    told: dict[str, Any]

    @property
    def measured(self) -> list[int]:
        """Rungs with both prompts taken."""
        return [rung for rung, row in self.rungs.items() if row["accepted_count"] == 2]


def climbed(results: Results, model: Path, budget: int) -> Climbed:
    loaded = ("--embedded", "--model", str(model), "--context-length", str(CONTEXT))
    done = finish(brisk("context", *loaded, "--budget", str(budget), "--results", str(results.root)))
    rungs = {row["rung"]: row for row in Warehouse(results).rows("from context_ladder order by rung")}
    told = Warehouse(results).rows("from context_utilization")
    return Climbed(results, model, done, rungs, told[0] if told else {})


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Climbed:
    """A ladder of 8 s; of more where a machine that is busy with something else got nowhere in that time."""
    model = short_model(tmp_path_factory)
    for budget in (8, 20, 100):
        done = climbed(Results(tmp_path_factory.mktemp("ladder") / "results"), model, budget)
        if done.measured:
            break
    return done


def test_a_ladder_on_the_real_engine_ends_at_its_real_limit(first: Climbed) -> None:
    assert first.done.returncode == 0, first.done.stderr
    assert set(first.rungs) <= {*RUNGS, BEYOND}
    beyond = first.rungs[BEYOND]
    assert (beyond["verdict"], beyond["is_beyond"], beyond["accepted_count"]) == ("limit", True, 0)
    assert beyond["reason"] == "context_overflow"
    assert (first.told["is_limit_seen"], first.told["context_effective"]) == (True, CONTEXT)


def test_what_the_context_holds_is_taken_whole(first: Climbed) -> None:
    assert first.measured == RUNGS[: len(first.measured)]
    assert first.measured
    [path] = first.results.runs.iterdir()
    sent = [row for row in operations(path) if row["op"] == "context" and row["prompt_tokens"]]
    for row in sent:
        assert row["cached_tokens"] <= 64  # what the chat template puts before the nonce
        assert len(row["needles"]) == 3
    assert first.told["context_accepted"] == max(row["prompt_tokens"] for row in sent)
    assert first.told["context_accepted"] < CONTEXT


# where the first call had time for every rung there is no forecast to fail
def test_a_second_call_goes_on_and_says_what_was_measured_before(first: Climbed) -> None:
    second = climbed(first.results, first.model, 8)
    assert second.done.returncode == 0, second.done.stderr
    names = ", ".join(f"{rung:,}" for rung in first.measured)
    assert f"measured before, not again: {names} tokens" in second.done.stderr
    assert len(list(first.results.runs.iterdir())) == 2
    for rung in first.measured:
        assert second.rungs[rung] == first.rungs[rung]
    assert second.told["is_limit_seen"]
