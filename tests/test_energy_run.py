"""A whole run with planted rails: asked of a server, read through libIOReport's own functions, stored, and read by SQL.

Time passes only as the server plans it, so that what each phase costs is known.
"""

import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from collector import energy, measure
from collector import run as runs
from collector.backends import openai_chat
from collector.backends.openai_chat import OpenAIChat
from collector.energy import ioreport, meter, rapl, reader
from collector.energy.ioreport import IOReport
from collector.energy.meter import Meter
from collector.memory import engine
from collector.memory.engine import Engine
from collector.schema import Results
from collector.suite import Prompt, Suite
from site_src.warehouse import Warehouse
from tests.conftest import DONE, FakeClock, delta, usage
from tests.fake_ioreport import FakeIOReport
from tests.loopback import Loopback, NoMeter, NoSampler
from tests.rows import one

SUITE = Suite("tiny", "Tiny", (Prompt("long", "test", "Say it.", 200),))
PROMPT_TOKENS, TOKENS, TOKEN_MS, PREFILL_MS = 1000, 101, 20, 2000
Watts = dict[str, float]
DIES = ("DIE_0_CPU Energy", "DIE_1_CPU Energy")
AT_REST: Watts = {
    "GPU Energy": 0.4,
    DIES[0]: 3,
    DIES[1]: 2,
    "CPU Energy": 5,
    "DRAM0_0": 0.8,
    "DRAM0_1": 0.7,
    "GPU SRAM0": 0.1,
}
PREFILL: Watts = {
    "GPU Energy": 160,
    DIES[0]: 8,
    DIES[1]: 4,
    "CPU Energy": 12,
    "DRAM0_0": 9,
    "DRAM0_1": 9,
    "GPU SRAM0": 7,
}
DECODE: Watts = {
    "GPU Energy": 85,
    DIES[0]: 6,
    DIES[1]: 3,
    "CPU Energy": 9,
    "DRAM0_0": 14,
    "DRAM0_1": 13,
    "GPU SRAM0": 5,
}
COUNTED = ("GPU Energy", *DIES, "DRAM0_0", "DRAM0_1")


class Machine(FakeClock):
    """A clock, and what flows while it goes on."""

    def __init__(self, moving: tuple[str, ...]) -> None:
        self.now = measure.clock()
        self.report, self.watts, self.moving = FakeIOReport(), AT_REST, moving

    def pass_ms(self, ms: float) -> None:
        super().pass_ms(ms)
        for name in self.moving:
            self.report.joules[name] = self.report.joules.get(name, 0) + self.watts.get(name, 0) * ms / 1000
        state = 0 if self.watts is AT_REST else 1
        self.report.ticks[state] += round(24_000 * ms)


class Answer(httpx.SyncByteStream):
    """A stream whose first text comes after PREFILL_MS, and each further token TOKEN_MS later."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def __iter__(self) -> Iterator[bytes]:
        for place in range(TOKENS):
            self.machine.watts = DECODE if place else PREFILL
            self.machine.pass_ms(TOKEN_MS if place else PREFILL_MS)
            yield delta(content="word ")
        self.machine.watts = AT_REST
        yield delta("stop")
        yield usage(PROMPT_TOKENS, TOKENS)
        yield DONE


class InProcess(Meter):
    """Readings on the planned clock, by the code that the process runs."""

    def __init__(self) -> None:
        self.source = IOReport()
        self._facts, self._readings = reader.header(self.source), []

    def nudge(self) -> None:
        if told := reader.reading(self.source):
            self._readings.append(told)

    read_now = nudge

    def take(self) -> list[dict[str, int]]:
        found, self._readings = self._readings, []
        return found

    def close(self) -> None: ...


def measured(results: Results, monkeypatch: pytest.MonkeyPatch, moving: tuple[str, ...]) -> Warehouse:
    """The views over one run on such a machine."""
    machine = Machine(moving)

    def answered(request: httpx.Request) -> httpx.Response:
        machine.pass_ms(1)
        if request.url.path == "/v1/chat/completions":
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Answer(machine))
        return httpx.Response(
            200 if request.url.path == "/v1/models" else 404, json={"data": [{"id": "qwen3-4b-Q4_K_M"}]}
        )

    monkeypatch.setattr(ioreport, "_opened", machine.report.opened)
    monkeypatch.setattr(measure, "clock", machine)
    monkeypatch.setattr(reader, "clock", machine)
    monkeypatch.setattr(meter, "sleep", lambda seconds: machine.pass_ms(seconds * 1000))
    monkeypatch.setattr(runs, "UNWIND_S", 0)
    for timed in ("exchange", "timed"):
        monkeypatch.setattr(measure, timed, partial(getattr(measure, timed), clock=machine))
    # What comes before and after a request takes time, in which nothing may be counted to it.
    monkeypatch.setattr(OpenAIChat, "instances", lambda self: machine.pass_ms(400))
    monkeypatch.setattr(NoSampler, "sample_now", lambda self: machine.pass_ms(300))
    monkeypatch.setattr(runs, "Sampler", NoSampler)
    monkeypatch.setattr(runs, "Meter", InProcess)
    monkeypatch.setattr(OpenAIChat, "engine_pid", lambda self: None)
    with measure.connect("http://127.0.0.1:1", transport=httpx.MockTransport(answered)) as client:
        outcome = runs.run(client, OpenAIChat(client, None), runs.Job(SUITE, 2, results))
    assert (outcome.request_count, outcome.failed_count) == (2, 0)
    return Warehouse(results)


def beyond_rest(watts: Watts, moving: tuple[str, ...]) -> float:
    return sum(watts[name] - AT_REST[name] for name in moving if name in COUNTED)


@pytest.mark.parametrize(
    ("moving", "kind", "reason"),
    [
        (tuple(AT_REST), "GPU + CPU + ANE + DRAM", None),  # macOS 15 and 26
        (
            ("GPU Energy", "GPU SRAM0"),
            "GPU only",
            "GPU only: counters that stand still on this system: CPU, ANE, DRAM",
        ),  # 27
    ],
    ids=["all rails", "GPU alone"],
)
def test_joules_a_token_are_those_planted(
    moving: tuple[str, ...], kind: str, reason: str | None, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = measured(results, monkeypatch, moving)
    row: dict[str, Any] = one(warehouse, "run_summary")
    assert row["decode_j_per_token"] == pytest.approx(beyond_rest(DECODE, moving) * TOKEN_MS / 1000, rel=0.005)
    assert row["prefill_j_per_token"] == pytest.approx(
        beyond_rest(PREFILL, moving) * PREFILL_MS / 1000 / PROMPT_TOKENS, rel=0.005
    )
    assert row["decode_watts"] == pytest.approx(sum(DECODE[name] for name in moving if name in COUNTED), rel=0.005)
    assert (row["energy_kind"], row["energy_reason"]) == (kind, reason)
    behind = one(warehouse, "configuration_energy")
    assert behind["rest_watts"] == pytest.approx(sum(AT_REST[name] for name in moving if name in COUNTED), rel=0.005)
    assert behind["gpu_busy_share"] == pytest.approx(1, rel=0.005)
    ops = [
        op
        for (op,) in map(
            dict.values, warehouse.rows("select op from raw_facts where op in ('rest', 'request') order by op_index")
        )
    ]
    assert ops == ["rest", "request", "request", "rest"]
    [stored] = warehouse.rows("select energy_source, energy_channels from stg_runs")
    assert stored["energy_source"] == "IOReport Energy Model"
    assert [channel["name"] for channel in stored["energy_channels"] if channel["rail"] == "cpu_uj"] == list(DIES)


def test_a_run_has_its_counters_read_by_the_process(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Around each request, at its first text and at rest."""
    files = {"name": "package-0", "max_energy_range_uj": "1000000", "energy_uj": "5"}
    (tmp_path / "powercap/intel-rapl:0").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / "powercap/intel-rapl:0" / name).write_text(text)
    seen = f"from pathlib import Path; rapl.POWERCAP = Path({str(tmp_path / 'powercap')!r})"
    code = f"from collector.energy import rapl, reader; {seen}; reader.main()"
    monkeypatch.setattr(rapl, "POWERCAP", tmp_path / "powercap")
    monkeypatch.setattr(meter, "COMMAND", [sys.executable, "-c", code])
    monkeypatch.setattr(meter, "REST_STEP_S", 0)
    monkeypatch.setattr(runs, "UNWIND_S", 0)
    monkeypatch.setattr(energy, "IS_MACOS", False)
    monkeypatch.setattr(runs, "Sampler", NoSampler)
    monkeypatch.setattr(OpenAIChat, "engine_pid", lambda self: os.getpid())
    monkeypatch.setattr(engine, "find", lambda *_: Engine(frozenset({os.getpid()}), "command line", None))
    with Loopback() as server, measure.connect(server.url) as client:
        outcome = runs.run(client, OpenAIChat(client, None), runs.Job(SUITE, 1, results))
    assert outcome.path is not None
    rows = pq.read_table(outcome.path).to_pylist()
    assert {row["energy_source"] for row in rows} == {"RAPL"}
    rests = [row["energy"] for row in rows if row["op"] == "rest"]
    assert [len(readings) > meter.REST_STEPS for readings in rests] == [True, True]
    [asked] = [row for row in rows if row["op"] == "request"]
    times = [reading["at_ns"] for row in rows for reading in row["energy"] or []]
    assert times == sorted(times)
    assert asked["energy"][0]["at_ns"] <= asked["started_ns"]
    assert any(at_ns >= asked["started_ns"] + asked["last_text_ns"] for at_ns in times)
    assert {reading["cpu_uj"] for reading in asked["energy"]} == {0}
    assert {reading["gpu_uj"] for reading in asked["energy"]} == {None}
    assert asked["engine_read_bytes"] is not None


def test_a_server_elsewhere_is_no_reason_to_wait(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's counters say nothing of it."""
    monkeypatch.setattr(runs, "Sampler", NoSampler)
    monkeypatch.setattr(runs, "Meter", NoMeter)
    monkeypatch.setattr(openai_chat, "place", lambda url: "lan")
    monkeypatch.setattr(OpenAIChat, "engine_pid", lambda self: None)
    with Loopback() as server, measure.connect(server.url) as client:
        outcome = runs.run(client, OpenAIChat(client, None), runs.Job(SUITE, 1, results))
    rows = pq.read_table(outcome.path).to_pylist()
    assert {row["energy_reason"] for row in rows} == {energy.ELSEWHERE}
    assert "rest" not in {row["op"] for row in rows}
