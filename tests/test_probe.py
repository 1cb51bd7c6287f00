"""`collect check --probe`: a line a question, and what was taken down is judged the same for ever."""

import errno
import fcntl
import getpass
import json
import os
import socket
import stat
import struct
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collector import cli, probe
from collector.energy import ioreport
from collector.probe import Answer, Place, channels, macho, memory, system, timing
from collector.schema import Results
from tests.fake_ioreport import FakeIOReport
from tests.macs import MACS, install
from tests.macs.here import a_mac
from tests.macs.kernel import Kernel
from tests.programs import free_port

GB = 10**9
FIXTURES = sorted((Path(__file__).parent / "probes").glob("*.json"))
ON_A_MAC = {
    *("page counts", "total and swap", "page size", "pages of files", "GPU limit", "our own memory"),
    *("version", "GPU entry", "thermal pressure", "power mode", "locks", "hidden .pth", "quarantine"),
    *("CPU counts", "cost", "timer"),
}


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute of waiting is for real machines."""
    monkeypatch.setattr(timing, "WAITS", 3)
    monkeypatch.setattr(timing, "WAIT_S", 0.001)
    monkeypatch.setattr(timing, "CPU_S", 0.36)  # three ticks of the kernel's between two looks
    monkeypatch.setattr(memory, "CALLS_S", 0)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(Results(tmp_path / "results"), free_port())


@pytest.fixture(params=MACS)
def mac(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Kernel]:
    """Each of the Macs, its own programs and those it starts included."""
    for name, value in install.environment(request.param, tmp_path).items():
        monkeypatch.setenv(name, value)
    yield from a_mac(monkeypatch, MACS[request.param])


def answers(place: Place) -> dict[str, Answer]:
    return {one.name: one for one in probe.probe(place)}


# --- on a Mac ---


def test_each_question_has_a_line_and_what_two_sources_say_alike_is_decided(mac: Kernel, place: Place) -> None:
    mac.copies = True
    found = answers(place)
    assert list(found) == list(probe.questions())
    assert {name for name, one in found.items() if one.agrees} == ON_A_MAC, {n: one.said for n, one in found.items()}
    assert not [one for one in found.values() if one.agrees is False]
    code, words = (-307, 104) if mac.mac.version == "27.0" else (0, 38)
    assert found["page counts"].said.startswith(f"12 calls answer {code} with {words} words, 4 of them copies; ")
    assert f"sw_vers {mac.mac.version}, sw_vers_to_python {mac.mac.told_version}" in found["version"].said


@pytest.mark.parametrize("mac", ["27"], indirect=True)
def test_what_was_taken_down_is_judged_the_same_and_names_nobody(mac: Kernel, place: Place, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", place.port)):
        path = probe.save(probe.probe(place), tmp_path)
    text = path.read_text(encoding="utf-8")
    kept = json.loads(text)
    assert [one["name"] for one in kept] == list(probe.questions())
    for one in kept:
        verdict = probe.judge(one["name"], one["raw"])
        assert (verdict.agrees, verdict.said) == (one["agrees"], one["said"])
    own = {socket.gethostname(), str(tmp_path), str(Path.home()), getpass.getuser()} - {"root", "/root"}
    assert not [name for name in own if len(name) > 4 and name in text]
    [usage] = [one["raw"]["buffer"] for one in kept if one["name"] == "our own memory"]
    raw = bytes.fromhex(usage)
    assert raw[:16] == raw[80:96] == bytes(16)


@pytest.mark.parametrize(
    ("processes", "agrees"),
    [
        ([{"is_worker": True, "footprint": 5 * GB}, {"footprint": GB}], True),
        ([{"footprint": 5 * GB}], True),
        ([{"footprint": GB}, {"footprint": GB}], None),  # no model is loaded
        ([{"footprint": 5 * GB}, {"footprint": GB}], False),  # one is, and by no name that is known
    ],
)
def test_who_holds_a_model_is_decided_by_name_or_by_being_alone(processes: list[Any], agrees: bool | None) -> None:
    nothing = dict.fromkeys(("rss", "footprint", "footprint_max", "wired"), 0)
    told = {"is_root": True, "parent_is_launchd": True, "is_worker": False, **nothing}
    verdict = probe.judge("engine's processes", {"processes": [{**told, **one} for one in processes]})
    assert (verdict.agrees, "parent is launchd" in verdict.said) == (agrees, len(processes) == 1)


def test_a_second_look_stands_beside_the_first(place: Place, tmp_path: Path) -> None:
    first, second = (probe.save([Answer("locks", {}, True, "")], tmp_path) for _ in range(2))
    assert (first.stem + "-2", first.parent) == (second.stem, second.parent)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("page counts", {"vm_stat": "Pages wired down: 1.\nAnonymous pages: 2.\n"}),
        ("total and swap", {"sysctl_memsize": "1"}),
        ("page size", {"vm_stat": 4096}),
        ("pages of files", {"vm.page_pageable_external_count": 5}),
        ("GPU limit", {"working_set": 10**9}),
        ("GPU limit", {"iogpu": "iogpu.wired_limit_mb: 100000"}),
        ("our own memory", {"ps_kib": "7"}),
        ("version", {"kernel": "16.1"}),
        ("GPU entry", {"entries": [{"class": "AGX", "cores": 80, "statistics": {}}]}),
        ("thermal pressure", {"state": 2}),
        ("power mode", {"low_power": 1}),
        ("locks", {"lock_file": "ENOTSUP"}),
        ("hidden .pth", {"flags": [0, system.UF_HIDDEN]}),
        ("quarantine", {"is_marked": True}),
        ("CPU counts", {"copies_of_cores": 1}),
        ("cost", {"ms": {"ioreg": 900.0}}),
        ("timer", {"late_ms": [0.1, 300.0]}),
    ],
)
def test_a_source_that_says_otherwise_differs(
    monkeypatch: pytest.MonkeyPatch, place: Place, tmp_path: Path, name: str, raw: dict[str, Any]
) -> None:
    for variable, value in install.environment("27", tmp_path).items():
        monkeypatch.setenv(variable, value)
    for _ in a_mac(monkeypatch, MACS["27"]):
        taken = probe.questions()[name].ask(place)
        assert probe.judge(name, taken).agrees
        assert probe.judge(name, {**taken, **raw}).agrees is False


@pytest.mark.parametrize("mac", ["27"], indirect=True)
def test_what_cannot_be_asked_is_not_readable_and_hides_no_other(
    mac: Kernel, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(place: Place) -> probe.Raw:
        raise SystemError("returned a result with an exception set")

    asked = probe.questions() | {"version": replace(probe.questions()["version"], ask=broken)}
    monkeypatch.setattr(probe, "questions", lambda: asked)
    mac.fails = {"host_statistics64", "notify_register_check", "proc_pid_rusage"}
    monkeypatch.setenv("PATH", "/nonexistent")
    found = answers(place)
    assert found["version"].said == "could not be asked: SystemError"
    left = {"hidden .pth", "quarantine", "locks", "CPU counts", "cost", "timer", "GPU limit"}
    assert {name for name, one in found.items() if one.agrees} == left
    assert not [one for one in found.values() if one.agrees is False]


# --- IOReport ---

QUIET = {"GPU Energy": 0.1, "DIE_0_CPU Energy": 0.2, "DRAM0_0": 0.01}  # joules in a second at rest


@pytest.fixture
def counters(monkeypatch: pytest.MonkeyPatch) -> FakeIOReport:
    """A second passes with what flows at rest, and copying makes the traffic that it makes."""
    fake = FakeIOReport(
        joules=dict.fromkeys(QUIET, 5.0), traffic=dict.fromkeys(("CPU0 RD", "CPU0 WR", "CPU0 DCS RD"), 7)
    )

    def second() -> None:
        for name, joules in QUIET.items():
            fake.joules[name] += joules

    def copied() -> None:
        for name in fake.traffic:
            fake.traffic[name] += channels.COPIES * channels.COPIED_BYTES

    monkeypatch.setattr(ioreport, "_opened", fake.opened)
    monkeypatch.setattr(channels, "_wait", second)
    monkeypatch.setattr(channels, "_copy", copied)
    return fake


def test_channels_that_move_are_told_by_group(counters: FakeIOReport) -> None:
    taken = channels.taken()
    found = {name: probe.judge(name, raw) for name, raw in taken.items()}
    assert found["IOReport"].agrees
    assert "Energy Model: 3 of 11 moved; AMC Stats: 0 of 3 moved; PMP: 0 of 0 moved" in found["IOReport"].said
    assert found["memory bandwidth"].agrees
    assert json.loads(json.dumps(taken)) == taken


def test_rails_that_stand_still_as_on_macos_27_are_named(
    counters: FakeIOReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DIE_0_CPU Energy", "DRAM0_0"):
        monkeypatch.delitem(QUIET, name)
    verdict = probe.judge("IOReport", channels.taken()["IOReport"])
    assert (verdict.agrees, verdict.said.rpartition("; ")[2]) == (False, "rails at rest: cpu, dram")


def test_traffic_that_the_counters_do_not_see_differs_and_no_counters_are_not_readable(counters: FakeIOReport) -> None:
    raw = channels.taken()["memory bandwidth"]
    only_dcs = [one for one in raw["channels"] if "DCS" in one["name"]]
    assert probe.judge("memory bandwidth", {**raw, "channels": only_dcs}).agrees is False
    counters.traffic, counters.units = {}, {}
    taken = channels.taken()
    assert [probe.judge(name, raw).agrees for name, raw in taken.items()] == [None, None]


# --- anywhere ---


def test_there_is_a_fixture() -> None:
    assert FIXTURES


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_fixture_is_judged_as_it_was_on_its_machine(path: Path) -> None:
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert {one["name"] for one in kept} <= probe.questions().keys()
    for one in kept:
        verdict = probe.judge(one["name"], one["raw"])
        assert (verdict.agrees, verdict.said) == (one["agrees"], one["said"]), one["name"]


def test_a_folder_that_takes_no_locks_is_told_beside_a_file_that_does(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a network drive's folder."""

    def refuse(descriptor: int, how: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EISDIR, "Is a directory")

    monkeypatch.setattr(fcntl, "flock", refuse)
    [question] = [one for one in system.QUESTIONS if one.name == "locks"]
    raw = question.ask(place)
    assert (raw["lock_file"], raw["lock_folder"], raw["link"]) == ("ok", "EISDIR", "ok")
    assert not list(place.results.root.parent.glob(".probe-*"))


def build_version(sdk: int) -> bytes:
    """A Mach-O file of 64 bits with two load commands, the second LC_BUILD_VERSION."""
    commands = struct.pack("<4I", 0x19, 16, 0, 0) + struct.pack("<6I", 0x32, 24, 1, 13 << 16, sdk, 0)
    return struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 2, 2, len(commands), 0, 0) + commands


def test_the_sdk_of_a_python_is_read_from_its_own_file() -> None:
    thin = build_version(15 << 16 | 5 << 8)
    assert macho.decode(thin) == "15.5"
    parts = [(0x01000007, 3, 4096, 0, 12), (0x0100000C, 0, 8192, 0, 14)]
    fat = struct.pack(">2I", 0xCAFEBABE, 2) + b"".join(struct.pack(">5I", *part) for part in parts)
    assert macho.decode(fat.ljust(8192, b"\0") + build_version(26 << 16)) == "26.0"
    for other in (b"", b"\x7fELF", thin[:40], build_version(0)[:33]):
        assert macho.decode(other) is None


def test_the_command_prints_a_line_for_each_question_and_where_the_fixture_is(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["collect", "check", "--probe", "--url", f"http://127.0.0.1:{free_port()}"])
    save = probe.save
    monkeypatch.setattr(probe, "save", lambda found: save(found, tmp_path))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert ended.value.code == 0, said.err
    assert Path(said.out.strip()).parent == tmp_path
    lines = [line for line in said.err.splitlines() if line[:20].strip() in probe.questions()]
    assert [line[:20].strip() for line in lines] == list(probe.questions())
    assert {line[20:34].strip() for line in lines} == {"decided", "not readable"}
