"""Waiting for a machine at rest between blocks, and what is looked at around a run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest

from collector import cooldown, environment, measure
from collector import run as runs
from collector.backends import Facts
from collector.backends.openai_chat import OpenAIChat
from collector.environment import Reading
from collector.schema import Results
from collector.suite import Prompt, Suite
from tests.loopback import Loopback, NoSampler

NOT_TOLD = Reading(None, "this system does not tell")


class Machine:
    """A machine whose load is scripted, a look a step; the last one stays. Its time passes by looking and waiting."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cpu: list[float | None] = [1.0]
        self.gpu: list[float | None] = [0.0]
        self.thermal: list[str | None] = ["nominal"]
        self.passed_s = 0.0
        monkeypatch.setattr(measure, "sleep", self._pass)
        monkeypatch.setattr(environment, "cpu_busy_percent", self._look)
        monkeypatch.setattr(environment, "gpu_busy_percent", lambda: self._next(self.gpu))
        monkeypatch.setattr(environment, "thermal_pressure", lambda: self._next(self.thermal))

    def _look(self, seconds: float = 0.5) -> Reading:
        self._pass(seconds)
        return self._next(self.cpu)

    def _pass(self, seconds: float) -> None:
        self.passed_s += seconds

    def _next(self, script: list[Any]) -> Reading:
        value = script.pop(0) if len(script) > 1 else script[0]
        return NOT_TOLD if value is None else Reading(value)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


# --- at rest? ---


@pytest.mark.parametrize(
    ("cpu", "gpu", "thermal", "rests"),
    [
        (1.0, 0.0, "nominal", True),
        (19.9, 4.9, "nominal", True),
        (20.0, 0.0, "nominal", False),
        (1.0, 5.0, "nominal", False),
        (1.0, 0.0, "moderate", False),
        (1.0, 0.0, "heavy", False),
        (1.0, None, "nominal", True),  # what this system does not tell speaks against nothing
        (None, 0.0, "nominal", True),
        (1.0, 0.0, None, True),
        (None, None, None, True),
    ],
)
def test_at_rest_is_nominal_with_idle_cpu_and_gpu(
    machine: Machine, cpu: float | None, gpu: float | None, thermal: str | None, rests: bool
) -> None:
    machine.cpu, machine.gpu, machine.thermal = [cpu], [gpu], [thermal]
    assert cooldown.is_at_rest() is rests


# --- waiting ---


def test_a_machine_at_rest_is_watched_for_10_seconds(machine: Machine) -> None:
    assert cooldown.cool_down() == machine.passed_s == 10


def test_a_busy_machine_is_waited_for_until_it_has_rested_10_seconds(machine: Machine) -> None:
    machine.cpu = [90.0, 80.0, 70.0, 2.0]
    assert cooldown.cool_down() == machine.passed_s == 3 * 2 + 10


def test_rest_that_is_broken_does_not_count(machine: Machine) -> None:
    machine.gpu = [0.0, 0.0, 0.0, 0.0, 60.0, 0.0]
    assert cooldown.cool_down() == machine.passed_s == 5 * 2 + 10


def test_a_machine_that_is_hot_is_waited_for(machine: Machine) -> None:
    machine.thermal = ["heavy"] * 10 + ["moderate"] * 5 + ["nominal"]
    assert cooldown.cool_down() == machine.passed_s == 15 * 2 + 10


def test_after_two_minutes_it_goes_on_in_any_case(machine: Machine) -> None:
    machine.cpu = [100.0]
    assert cooldown.cool_down() == machine.passed_s == 120


# --- surveys ---

NAMES = {
    "thermal_pressure",
    "memory_pressure",
    "power_source",
    "power_mode",
    "gpu_busy_percent",
    "cpu_busy_percent",
    "swap_used_bytes",
    "free_memory_bytes",
    "disk_free_bytes",
}
ON_A_MAC = {
    "thermal_pressure": Reading("moderate"),
    "memory_pressure": Reading("warn"),
    "power_source": Reading("battery"),
    "power_mode": Reading("low"),
    "gpu_busy_percent": Reading(97.0),
}


@pytest.fixture
def a_mac(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, reading in ON_A_MAC.items():
        monkeypatch.setattr(environment, name, lambda reading=reading: reading)


@pytest.mark.usefixtures("a_mac")
def test_a_survey_holds_numbers_as_numbers_and_words_as_words(tmp_path: Path) -> None:
    rows = {row.pop("name"): row for row in environment.survey(tmp_path)}
    assert rows.keys() == NAMES
    assert rows["thermal_pressure"] == {"number": None, "text": "moderate", "reason": None}
    assert rows["gpu_busy_percent"] == {"number": 97.0, "text": None, "reason": None}
    for name in NAMES - ON_A_MAC.keys() - {"cpu_busy_percent"}:  # tests give it no moment to look at
        assert isinstance(rows[name]["number"], float)
        assert rows[name]["text"] is None


def test_a_survey_looks_at_the_cpu_for_a_moment_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []
    monkeypatch.undo()  # what every test here has: no moment at all
    monkeypatch.setattr(environment.measure, "sleep", looks.append)
    environment.survey(tmp_path)
    assert looks == [environment.CPU_LOOK_S]
    assert 0 < environment.CPU_LOOK_S <= 0.2


@pytest.mark.parametrize(
    ("before", "after", "percent"),
    [
        (((1, 9), (1, 9)), ((2, 9), (1, 10)), 50.0),
        (((1, 9), (1, 9)), ((1, 10), (1, 10)), 0.0),
        (((1, 9), (1, 9)), ((1, 9), (1, 9)), None),  # a copy of the last answer, which would look like rest
    ],
)
def test_the_cpus_share_is_of_all_cores_and_counts_that_stood_still_tell_nothing(
    monkeypatch: pytest.MonkeyPatch, before: Any, after: Any, percent: float | None
) -> None:
    class Core(NamedTuple):
        user: float
        idle: float

    told = iter([before, after])
    monkeypatch.setattr(environment.psutil, "cpu_times", lambda percpu: [Core(*core) for core in next(told)])
    reading = environment.cpu_busy_percent(0)
    assert (reading.value, bool(reading.reason)) == (percent, percent is None)


SUITE = Suite("tiny", "Tiny", (Prompt("a", "test", "Say a.", 10), Prompt("b", "test", "Say b.", 10)))


@pytest.fixture
def measured(results: Results, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Facts]]:
    """`measured(kind of backend)`: the stored rows of a run of two repeats."""
    monkeypatch.setattr(runs, "Sampler", NoSampler)
    monkeypatch.setattr(runs, "BASELINE_S", 0)
    monkeypatch.setattr(OpenAIChat, "engine_pid", lambda self: None)

    def measure_it(kind: type[OpenAIChat] = OpenAIChat) -> list[Facts]:
        with Loopback() as server, measure.connect(server.url) as client:
            outcome = runs.run(client, kind(client), runs.Job(SUITE, 2, results, facts={"cooldown_s": 14.0}))
        assert outcome.path is not None
        rows: list[Facts] = pq.read_table(outcome.path).to_pylist()
        return rows

    return measure_it


class Loads(OpenAIChat):
    loads = True


@pytest.mark.usefixtures("a_mac")
def test_the_machine_is_surveyed_before_the_load_before_and_after_each_repeat_and_at_the_end(
    measured: Callable[..., list[Facts]],
) -> None:
    rows = measured(Loads)
    surveyed = "".join({"request": "r", "warm": "w"}.get(row["op"], "s" if row["environment"] else "-") for row in rows)
    assert surveyed == "ss--rrsrwrws-"  # the load's own stands in the load's row
    for row in rows:
        if row["environment"]:
            assert {reading["name"] for reading in row["environment"]} == NAMES
            told = {reading["name"]: reading["text"] or reading["number"] for reading in row["environment"]}
            assert {name: told[name] for name in ON_A_MAC} == {name: on.value for name, on in ON_A_MAC.items()}


def test_what_a_system_does_not_tell_is_stored_with_its_reason(measured: Callable[..., list[Facts]]) -> None:
    for row in measured():
        for reading in row["environment"] or ():
            known = [reading[name] for name in ("number", "text", "reason") if reading[name] is not None]
            assert len(known) == 1, reading


def test_the_cool_down_is_stored_with_the_run_that_waited_for_it(measured: Callable[..., list[Facts]]) -> None:
    assert {row["cooldown_s"] for row in measured()} == {14.0}
