"""A whole embedded run on Macs that are none: macOS 15, 26 and 27, each with what it does to a measurement.

The programs are the real ones, down to the sampler in its own process; only the engine answers without a model. Every
figure that is stored is the planted one, or is NULL.
"""

import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from collector.schema import Results
from site_src.run_file import read_run
from site_src.warehouse import Warehouse
from tests.macs import MACS, PAGE, Mac, install
from tests.programs import PATIENCE_S, environment, program

FILE_BYTES = 4 * 10**9
OPTIONS = ("--embedded", "--suite", "smoke", "--quick", "--json")


@dataclass
class MacRun:
    """A finished `collect --embedded` on one of the Macs, and what it stored."""

    mac: Mac
    state: Path
    code: int
    said: str

    @property
    def results(self) -> Results:
        return Results(self.state / "results")

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """All operations, idle ones too."""
        [path] = self.results.runs.iterdir()
        rows: list[dict[str, Any]] = read_run(path).to_pylist()
        return rows

    @property
    def samples(self) -> list[dict[str, Any]]:
        """All memory samples, in order."""
        return [sample for row in self.rows for sample in row["memory"] or ()]

    def stored(self, name: str) -> set[Any]:
        """What samples hold of a figure, where they hold any."""
        return {sample[name] for sample in self.samples} - {None}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, MacRun]:
    """The three at once: most of their time is waiting."""
    states = {name: tmp_path_factory.mktemp(f"mac-{name}") for name in MACS}
    started = {name: launched(name, state) for name, state in states.items()}
    said = {name: process.communicate(timeout=PATIENCE_S)[0] for name, process in started.items()}
    return {name: MacRun(MACS[name], states[name], started[name].returncode, said[name]) for name in MACS}


def launched(name: str, state: Path) -> "subprocess.Popen[str]":
    model = state / "tiny-Q4_1.gguf"
    with model.open("wb") as file:
        file.write(b"GGUF")
        file.truncate(FILE_BYTES)  # takes no room
    command = program("collect", *OPTIONS, "--model", str(model), "--results", str(state / "results"))
    variables = environment(**install.environment(name, state))
    return subprocess.Popen(command, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.fixture(params=MACS)
def run(request: pytest.FixtureRequest, runs: dict[str, MacRun]) -> MacRun:
    return runs[request.param]


def test_it_ends_with_0_and_no_traceback(run: MacRun) -> None:
    assert run.code == 0, run.said
    assert "Traceback" not in run.said


def test_memory_of_the_machine_is_what_was_planted_at_that_moment(run: MacRun) -> None:
    """Each true answer differs from the one before, so a copy taken for a sample would be there twice."""
    mac = run.mac
    known = [sample for sample in run.samples if sample["system_used_bytes"] is not None]
    least = (mac.internal - mac.purgeable + mac.wire + mac.compressor) * PAGE
    for sample in known:
        loaded = sample["wired_bytes"] - mac.wire * PAGE
        assert loaded in (0, mac.weights * PAGE)
        assert 0 < (sample["system_used_bytes"] - least - loaded) / PAGE <= len(run.samples)
    assert len(run.stored("system_used_bytes")) == len(known) > 8
    assert run.stored("wired_bytes") == {mac.wire * PAGE, (mac.wire + mac.weights) * PAGE}
    assert run.stored("compressor_bytes") == {mac.compressor * PAGE}
    assert len(known) < len(run.samples)  # some were copies, some were not asked for


def test_swap_pressure_and_heat_are_in_every_sample(run: MacRun) -> None:
    assert {sample["swap_used_bytes"] for sample in run.samples} == {run.mac.swap}
    assert {sample["pressure_level"] for sample in run.samples} == {run.mac.pressure}
    assert {sample["thermal_level"] for sample in run.samples} == {run.mac.thermal}


def test_memory_of_the_engine_is_its_own_and_no_zombies(run: MacRun) -> None:
    mac, row = run.mac, run.rows[0]
    told = (row["engine_process_count"], row["engine_found_by"], row["engine_is_new"])
    assert told == (1, "grown while loading", True)
    # before it had loaded it was one process among others
    assert mac.engine_rss in run.stored("engine_rss_bytes") <= {mac.engine_rss, mac.other_rss}
    assert mac.engine_footprint in run.stored("engine_footprint_bytes") <= {mac.engine_footprint, mac.other_rss}
    assert run.stored("engine_footprint_max_bytes") <= {mac.engine_footprint_max, mac.other_rss}


def test_the_site_shows_what_the_gpu_wired(run: MacRun) -> None:
    [row] = Warehouse(run.results).rows("from run_memory")
    assert row["peak_memory_kind"] == "system, above baseline"
    assert row["peak_memory_gb"] * 1e9 == pytest.approx(run.mac.weights * PAGE, abs=100 * PAGE)
    assert row["peak_footprint_gb"] * 1e9 == pytest.approx(run.mac.engine_footprint_max)
    assert row["swap_grown_gb"] == 0


def test_the_machine_is_described_as_it_is(run: MacRun) -> None:
    row, mac = run.rows[0], run.mac
    assert (row["os_version"], row["os_build"]) == (mac.version, "25B78")  # not the version for older programs
    assert (row["chip"], row["gpu_cores"], row["machine_model"]) == ("Apple M3 Ultra", 80, "Mac15,14")
    assert (row["memory_bytes"], row["wired_limit_mb"]) == (mac.memory, mac.wired_limit_mb)
    assert "internal - purgeable + wired + compressor; NULL: not asked for, a copy" in row["memory_method"]


def test_what_is_surveyed_is_what_was_planted(run: MacRun) -> None:
    mac = run.mac
    surveys = [{one["name"]: one for one in row["environment"]} for row in run.rows if row["environment"]]
    used = (mac.internal - mac.purgeable + mac.wire + mac.compressor) * PAGE
    for told in surveys:
        assert told["swap_used_bytes"]["number"] == mac.swap
        assert (told["cpu_busy_percent"]["number"], told["gpu_busy_percent"]["number"]) == (25.0, mac.gpu_percent)
        words = ("thermal_pressure", "memory_pressure", "power_source", "power_mode")
        assert [told[name]["text"] for name in words] == ["nominal", "normal", "ac", "high"]
        free = told["free_memory_bytes"]["number"]
        assert min(abs(mac.memory - used - held - free) for held in (0, mac.weights * PAGE)) < 100 * PAGE
    assert len(surveys) == 3


def test_what_is_checked_is_what_was_planted_in_words_that_are_kept(run: MacRun) -> None:
    found = {one["name"]: (one["verdict"], one["detail"]) for one in run.rows[0]["preflight"]}
    assert found["wired_limit"] == ("pass", f"Metal lets the GPU hold {run.mac.working_set / 1e9:.1f} GB")
    assert [found[name][0] for name in ("native", "swap", "free_memory", "cpu_busy", "gpu_busy")] == ["pass"] * 5
    assert not [detail for _, detail in found.values() if "…" in detail]


def test_the_machine_is_kept_from_every_kind_of_sleep(run: MacRun) -> None:
    assert run.rows[0]["kept_awake_by"] == "caffeinate"
    said = (run.state / "bin" / "caffeinate.said").read_text().split()
    assert {"-i", "-m", "-s", "-w"} < set(said)
