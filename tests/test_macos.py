"""The macOS layer without a Mac: byte buffers built from the XNU definitions, field by field, and saved probes."""

import json
import struct
from pathlib import Path

import pytest

from collector import probe
from collector.memory import macos, readings

PROBES = sorted((Path(__file__).parent / "probes").glob("*.json"))

# struct vm_statistics64, osfmk/mach/vm_statistics.h: natural_t is 32 bits, the struct is aligned to 8
VM_STATISTICS64 = [
    *[(name, "I") for name in ("free", "active", "inactive", "wire")],
    *[
        (name, "Q")
        for name in (
            *("zero_fill", "reactivations", "pageins", "pageouts"),
            *("faults", "cow_faults", "lookups", "hits", "purges"),
        )
    ],
    *[(name, "I") for name in ("purgeable", "speculative")],
    *[(name, "Q") for name in ("decompressions", "compressions", "swapins", "swapouts")],
    *[(name, "I") for name in ("compressor_page", "throttled", "external_page", "internal_page")],
    ("total_uncompressed_pages_in_compressor", "Q"),
]
# struct rusage_info_v4, bsd/sys/resource.h
RUSAGE_V4 = [
    ("uuid", "16s"),
    *[
        (name, "Q")
        for name in (
            *("user_time", "system_time", "pkg_idle_wkups", "interrupt_wkups", "pageins", "wired_size"),
            *("resident_size", "phys_footprint", "proc_start_abstime", "proc_exit_abstime", "child_user_time"),
            *("child_system_time", "child_pkg_idle_wkups", "child_interrupt_wkups", "child_pageins"),
            *("child_elapsed_abstime", "diskio_bytesread", "diskio_byteswritten", "cpu_time_qos_default"),
            *("cpu_time_qos_maintenance", "cpu_time_qos_background", "cpu_time_qos_utility", "cpu_time_qos_legacy"),
            *("cpu_time_qos_user_initiated", "cpu_time_qos_user_interactive", "billed_system_time"),
            *("serviced_system_time", "logical_writes", "lifetime_max_phys_footprint", "instructions", "cycles"),
            *("billed_energy", "serviced_energy", "interval_max_phys_footprint", "runnable_time"),
        )
    ],
]


def buffer(layout: list[tuple[str, str]], **values: int) -> bytes:
    """The struct with these values; every other field holds a number of its own, so that a wrong offset shows."""
    fields = [
        b"\xee" * 16 if kind == "16s" else values.get(name, 1_000_000 + place)
        for place, (name, kind) in enumerate(layout)
    ]
    return struct.pack("<" + "".join(kind for _, kind in layout), *fields)


def test_the_structs_have_the_sizes_that_are_asked_for() -> None:
    assert len(buffer(VM_STATISTICS64)) == macos.VM_STATISTICS64_BYTES
    assert len(buffer(RUSAGE_V4)) == macos.RUSAGE_INFO_V4_BYTES


def test_page_counts_are_read_from_their_fields() -> None:
    raw = buffer(VM_STATISTICS64, wire=11, purgeable=22, compressor_page=33, internal_page=44)
    assert macos.vm_statistics(raw) == macos.VmStatistics(wire=11, purgeable=22, compressor=33, internal=44)


def test_memory_used_is_anonymous_less_purgeable_plus_wired_plus_compressor() -> None:
    assert macos.VmStatistics(wire=11, purgeable=22, compressor=33, internal=44).used() == 44 - 22 + 11 + 33


def test_sizes_of_a_process_are_read_from_their_fields() -> None:
    large = 300 * 2**30
    raw = buffer(RUSAGE_V4, resident_size=5, phys_footprint=large, lifetime_max_phys_footprint=large + 7)
    assert macos.usage(raw) == macos.Usage(resident=5, footprint=large, footprint_max=large + 7)


def test_without_the_library_every_reading_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(macos, "_library", lambda: None)
    monkeypatch.setattr(macos, "_thermal_token", lambda: None)
    assert macos.read_vm_statistics() is None
    assert macos.read_usage(1) is None
    assert macos.sysctl(macos.PRESSURE) is None
    assert macos.thermal_level() is None


class Kernel:
    """libSystem, answering with given buffers."""

    def __init__(self, vm: bytes, usage: bytes, fails: int = 0) -> None:
        self.vm, self.usage, self.fails = vm, usage, fails

    def mach_host_self(self) -> int:
        return 1

    def host_statistics64(self, host: int, flavor: int, out: object, count: object) -> int:
        assert flavor == 4
        out.raw = self.vm  # type: ignore[attr-defined]
        return self.fails

    def proc_pid_rusage(self, pid: int, flavor: int, out: object) -> int:
        assert flavor == 4
        out.raw = self.usage  # type: ignore[attr-defined]
        return self.fails

    def sysctlbyname(self, name: bytes, value: object, *_: object) -> int:
        value._obj.value = 2  # type: ignore[attr-defined]
        return self.fails

    def notify_get_state(self, token: int, state: object) -> int:
        state._obj.value = 1  # type: ignore[attr-defined]
        return self.fails


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    vm = buffer(VM_STATISTICS64, wire=100, purgeable=10, compressor_page=20, internal_page=300)
    usage = buffer(RUSAGE_V4, resident_size=5_000, phys_footprint=7_000, lifetime_max_phys_footprint=9_000)
    kernel = Kernel(vm, usage)
    monkeypatch.setattr(macos, "_library", lambda: kernel)
    monkeypatch.setattr(macos, "_thermal_token", lambda: 3)
    monkeypatch.setattr(readings, "IS_MACOS", True)
    return kernel


@pytest.mark.usefixtures("kernel")
def test_a_sample_of_a_mac_holds_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", lambda name: 16384)
    read = readings.system()
    assert read.pop("swap_used_bytes") is not None
    assert read == {
        "system_used_bytes": (300 - 10 + 100 + 20) * 16384,
        "wired_bytes": 100 * 16384,
        "compressor_bytes": 20 * 16384,
        "pressure_level": 2,
        "thermal_level": 1,
    }
    assert readings.of_process(7) == {"rss_bytes": 5_000, "footprint_bytes": 7_000, "footprint_max_bytes": 9_000}


def test_a_call_that_fails_is_no_reading(kernel: Kernel) -> None:
    kernel.fails = 5
    read = readings.system()
    assert read["system_used_bytes"] is not None  # by total - available
    assert {read[name] for name in ("wired_bytes", "compressor_bytes", "pressure_level", "thermal_level")} == {None}
    assert readings.of_process(7) is None


def test_the_method_says_which_formula_was_used(kernel: Kernel) -> None:
    readings.method.cache_clear()
    assert readings.method().endswith("internal - purgeable + wired + compressor")
    kernel.fails = 1
    readings.method.cache_clear()
    assert readings.method().endswith("total - available")
    readings.method.cache_clear()


def test_there_is_a_saved_probe() -> None:
    assert PROBES


@pytest.mark.parametrize("path", PROBES, ids=lambda path: path.stem)
def test_saved_buffers_decode_to_what_agreed_on_their_machine(path: Path) -> None:
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert saved
    for one in saved:
        assert one["agrees"] is True, f"{one['name']}: {one['said']}"
        decoded = probe.decode(one["name"], one["buffer"])
        assert decoded == one["decoded"]


def test_a_saved_probe_names_no_process_and_no_time(kernel: Kernel, tmp_path: Path) -> None:
    path = probe.save(probe.probe(), tmp_path)
    [usage] = [one for one in json.loads(path.read_text()) if one["name"] == "rusage_info_v4"]
    raw = bytes.fromhex(usage["buffer"])
    assert raw[:16] == bytes(16)
    assert raw[80:96] == bytes(16)
    assert macos.usage(raw) == macos.usage(kernel.usage)
