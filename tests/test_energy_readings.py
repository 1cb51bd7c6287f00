"""Energy counters: what IOReport and RAPL are asked, and how the collector has them read."""

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector import energy, teller
from collector.energy import Unreadable, disk, ioreport, meter, rapl
from collector.energy.ioreport import IOReport
from collector.energy.meter import Meter
from collector.energy.rapl import Rapl
from collector.memory import macos
from tests.fake_ioreport import FakeIOReport
from tests.programs import PATIENCE_S, until


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakeIOReport:
    fake = FakeIOReport()
    monkeypatch.setattr(ioreport, "_opened", fake.opened)
    return fake


# --- IOReport ---


def test_each_rail_is_the_sum_of_its_channels_in_their_own_units(library: FakeIOReport) -> None:
    """Since the subscription: what had flowed before is nobody's."""
    library.joules = dict.fromkeys(library.units, 1000.0)
    source = IOReport()
    flowed = {"GPU Energy": 2.5, "DIE_0_CPU Energy": 0.25, "DIE_1_CPU Energy": 0.5, "ANE0_1": 0.125, "DRAM0_0": 0.01}
    for name, joules in flowed.items():
        library.joules[name] += joules
    library.joules["CPU Energy"] += 0.75  # the sum of both dies, which is in them
    library.joules["DIE_0_PCPU1_CPU0"] += 0.2
    library.joules["GPU SRAM0"] += 9
    library.ticks = [30, 60, 10]
    expected = {"gpu_uj": 2_500_000, "cpu_uj": 750_000, "ane_uj": 125_000, "dram_uj": 10_000}
    assert source.read() == {**expected, "gpu_ticks": 100, "gpu_busy_ticks": 70}
    library.joules["GPU Energy"] += 1
    again = source.read()
    assert again is not None
    assert again["gpu_uj"] == 3_500_000


def test_the_channels_are_told_with_their_units(library: FakeIOReport) -> None:
    told = {(channel.rail, channel.name, channel.unit) for channel in IOReport().channels}
    assert told == {
        ("gpu_uj", "GPU Energy", "nJ"),
        ("cpu_uj", "DIE_0_CPU Energy", "mJ"),
        ("cpu_uj", "DIE_1_CPU Energy", "mJ"),
        ("ane_uj", "ANE0_0", "mJ"),
        ("ane_uj", "ANE0_1", "mJ"),
        ("dram_uj", "DRAM0_0", "uJ"),
        ("dram_uj", "DRAM0_1", "uJ"),
        ("gpu_ticks", "GPUPH", ""),
    }


def test_a_chip_of_one_die_has_one_sum(library: FakeIOReport) -> None:
    library.units = {"GPU Energy": "nJ", "CPU Energy": "mJ", "ANE": "mJ", "DRAM": "mJ"}
    source = IOReport()
    library.joules["CPU Energy"] = 4
    assert (source.read() or {})["cpu_uj"] == 4_000_000


def test_a_unit_nobody_knows_counts_nothing(library: FakeIOReport) -> None:
    library.units = {"GPU Energy": "nJ", "CPU Energy": "kWh"}
    assert {channel.rail for channel in IOReport().channels} == {"gpu_uj", "gpu_ticks"}


def test_samples_are_released(library: FakeIOReport) -> None:
    source = IOReport()
    held = len(library.held)
    for _ in range(5):
        source.read()
    assert len(library.held) == held


def test_a_counter_that_begins_anew_takes_nothing_back(library: FakeIOReport) -> None:
    """A file with a number below 0 is read by nobody."""
    library.joules, library.ticks = {"GPU Energy": 5}, [10, 10, 10]
    source = IOReport()
    library.joules, library.ticks = {"GPU Energy": 1}, [0, 20, 10]
    assert source.read() == {"gpu_uj": 0, "cpu_uj": 0, "ane_uj": 0, "dram_uj": 0, "gpu_ticks": 10, "gpu_busy_ticks": 10}
    library.joules["GPU Energy"] = 3
    assert (source.read() or {})["gpu_uj"] == 2_000_000


def test_a_sample_that_fails_is_no_reading_and_loses_nothing(library: FakeIOReport) -> None:
    source = IOReport()
    library.joules["GPU Energy"], library.failing = 1, 1
    assert source.read() is None
    assert (source.read() or {})["gpu_uj"] == 1_000_000


@pytest.mark.parametrize("missing", ["library", "function", "channels"])
def test_what_cannot_be_had_is_a_reason(missing: str, library: FakeIOReport, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(path: str) -> Any:
        if missing == "library":
            raise OSError(path)
        opened = library.opened(path)
        if missing == "function" and path == ioreport.IOREPORT:
            del opened.IOReportCreateSamples
        return opened

    library.units = {} if missing == "channels" else library.units
    monkeypatch.setattr(ioreport, "_opened", without)
    with pytest.raises(Unreadable, match="no energy" if missing == "channels" else "libIOReport"):
        IOReport()


# --- RAPL ---


@pytest.fixture
def powercap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(rapl, "POWERCAP", tmp_path / "powercap")
    return tmp_path / "powercap"


def zone(powercap: Path, folder: str, name: str, count: int, highest: int = 262_143_328_850) -> Path:
    made = powercap / folder
    made.mkdir(parents=True, exist_ok=True)
    (made / "name").write_text(f"{name}\n")
    (made / "max_energy_range_uj").write_text(f"{highest}\n")
    (made / "energy_uj").write_text(f"{count}\n")
    return made / "energy_uj"


def test_packages_and_memory_are_summed_and_nothing_twice(powercap: Path) -> None:
    packages = [zone(powercap, f"intel-rapl:{number}", f"package-{number}", 100) for number in (0, 1)]
    others = {
        "intel-rapl:0:0": "core",
        "intel-rapl:0:1": "uncore",
        "intel-rapl:2": "psys",
        "intel-rapl-mmio:0": "package-0",
    }
    memory = zone(powercap, "intel-rapl:0:2", "dram", 7)
    counters = [zone(powercap, folder, name, 5) for folder, name in others.items()]
    source = Rapl()
    for counter in (*packages, memory, *counters):
        counter.write_text("1100\n")
    assert source.read() == {"cpu_uj": 2000, "dram_uj": 1093}
    assert [channel.name for channel in source.channels if channel.rail == "cpu_uj"] == [
        "intel-rapl:0 package-0",
        "intel-rapl:1 package-1",
    ]


def test_a_counter_that_began_anew_is_read_on(powercap: Path) -> None:
    counter = zone(powercap, "intel-rapl:0", "package-0", 900, highest=1000)
    source = Rapl()
    counter.write_text("50")
    assert source.read() == {"cpu_uj": 150}
    counter.write_text("40")
    assert source.read() == {"cpu_uj": 1140}


def test_a_counter_that_cannot_be_read_for_once_is_no_reading(powercap: Path) -> None:
    counter = zone(powercap, "intel-rapl:0", "package-0", 0)
    source = Rapl()
    counter.write_text("")
    assert source.read() is None
    counter.write_text("30")
    assert source.read() == {"cpu_uj": 30}


def test_a_system_without_counters_says_so(powercap: Path) -> None:
    with pytest.raises(Unreadable, match="no energy counters"):
        Rapl()
    zone(powercap, "intel-rapl:0", "psys", 1)
    with pytest.raises(Unreadable, match="no energy counters"):
        Rapl()


def test_counters_for_root_alone_say_so(powercap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone(powercap, "intel-rapl:0", "package-0", 1)

    def refuse(counter: Path) -> int:
        raise PermissionError(counter)

    monkeypatch.setattr(rapl, "_count", refuse)  # root may read whatever its mode is
    with pytest.raises(Unreadable, match="only root"):
        Rapl()


# --- the process ---


@pytest.fixture
def reading(powercap: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Meter]:
    """A meter whose process reads files of ours."""
    zone(powercap, "intel-rapl:0", "package-0", 1000)
    monkeypatch.setattr(energy, "IS_MACOS", False)
    seen = f"from pathlib import Path; rapl.POWERCAP = Path({str(powercap)!r})"
    code = f"from collector.energy import rapl, reader; {seen}; reader.main()"
    monkeypatch.setattr(meter, "COMMAND", [sys.executable, "-c", code])
    monkeypatch.setattr(meter, "REST_STEP_S", 0)
    started = Meter()
    yield started
    started.close()


def test_a_process_reads_when_it_is_told_to(reading: Meter, powercap: Path) -> None:
    assert reading.is_on
    assert reading.facts()["energy_source"] == "RAPL"
    assert reading.facts()["energy_channels"] == [{"rail": "cpu_uj", "name": "intel-rapl:0 package-0", "unit": "uJ"}]
    until(reading.take, "the first reading")
    zone(powercap, "intel-rapl:0", "package-0", 5000)
    reading.read_now()
    assert reading.take()[-1]["cpu_uj"] == 4000
    assert reading.take() == []


def test_rest_is_read_at_even_steps(reading: Meter) -> None:
    reading.rest()
    times = [told["at_ns"] for told in reading.take()]
    assert len(times) >= meter.REST_STEPS
    assert times == sorted(times)


def test_a_process_that_cannot_be_started_costs_figures_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(energy, "IS_MACOS", True)
    monkeypatch.setattr(teller.subprocess, "Popen", refuse)
    silent = Meter()
    silent.nudge()
    silent.read_now()
    assert (silent.facts(), silent.is_on, silent.take()) == ({"energy_reason": meter.SILENT}, False, [])
    silent.close()


def test_a_process_that_died_costs_figures_and_nothing_else(reading: Meter) -> None:
    assert reading.is_on
    assert reading._process is not None
    reading._process.kill()
    reading._process.wait(timeout=PATIENCE_S)
    reading.nudge()
    reading.read_now()
    reading.take()
    reading.close()


def test_why_nothing_is_read_comes_from_the_process(
    powercap: Path, reading: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone(powercap, "intel-rapl:0", "psys", 1)
    other = Meter()
    assert not other.is_on
    assert other.facts()["energy_reason"] == rapl.NONE
    other.read_now()
    assert other.take() == []
    other.close()
    monkeypatch.setattr(meter, "COMMAND", [sys.executable, "-c", ""])
    silent = Meter()
    assert silent.facts() == {"energy_reason": meter.SILENT}
    silent.close()


def test_a_system_without_counters_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rapl, "POWERCAP", tmp_path / "none")
    monkeypatch.setattr(energy, "IS_MACOS", False)
    off = Meter()
    assert off._process is None
    assert off.facts() == {"energy_reason": rapl.NONE}
    off.nudge()
    off.read_now()
    assert off.take() == []
    off.close()


# --- the disk ---


def test_bytes_read_are_summed_over_the_engines_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "IS_MACOS", True)
    usages = {pid: bytes(144) + (10 * pid).to_bytes(8, "little") + b"\xff" * 144 for pid in (1, 2)}
    monkeypatch.setattr(macos, "read_usage", usages.get)
    assert disk.bytes_read([1, 2]) == 30
    assert disk.bytes_read([1, 3]) is None  # a sum of the others only
    assert disk.bytes_read([]) is None


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_linux_tells_of_our_own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "IS_MACOS", False)
    assert disk.bytes_read([os.getpid()]) is not None
    assert disk.bytes_read([2**22 + 1]) is None
