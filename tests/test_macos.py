"""The macOS layer without a Mac: byte buffers built from the XNU definitions, field by field."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from collector.memory import macos, metal, readings
from tests.macs import MACS, PAGE
from tests.macs.here import a_mac
from tests.macs.kernel import Kernel
from tests.macs.structs import RUSAGE_V4, VM_STATISTICS64, XSW_USAGE, packed


def test_the_structs_have_the_sizes_that_are_asked_for() -> None:
    assert len(packed(VM_STATISTICS64)) == macos.VM_STATISTICS64_BYTES
    assert len(packed(RUSAGE_V4)) == macos.RUSAGE_INFO_V4_BYTES


def test_page_counts_are_read_from_their_fields() -> None:
    raw = packed(VM_STATISTICS64, wire=11, purgeable=22, compressor_page=33, internal_page=44)
    assert macos.vm_statistics(raw) == macos.VmStatistics(wire=11, purgeable=22, compressor=33, internal=44)


def test_memory_used_is_anonymous_less_purgeable_plus_wired_plus_compressor() -> None:
    assert macos.VmStatistics(wire=11, purgeable=22, compressor=33, internal=44).used() == 44 - 22 + 11 + 33


def test_sizes_of_a_process_are_read_from_their_fields() -> None:
    large = 300 * 2**30
    raw = packed(RUSAGE_V4, resident_size=5, phys_footprint=large, lifetime_max_phys_footprint=large + 7)
    assert macos.usage(raw) == macos.Usage(resident=5, footprint=large, footprint_max=large + 7)


def test_swap_in_use_is_read_from_its_field() -> None:
    assert macos.swap_used(packed(XSW_USAGE, used=300 * 2**30)) == 300 * 2**30
    assert len(packed(XSW_USAGE)) == macos.SWAP_BYTES


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    """That of macOS 27; none of its answers is a copy."""
    yield from a_mac(monkeypatch, MACS["27"])


@pytest.fixture(params=MACS)
def each(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    """That of every system."""
    yield from a_mac(monkeypatch, MACS[request.param])


def test_without_the_library_every_reading_is_none(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(macos, "LIBRARY", "/no/such/library")
    assert readings.System().read() == readings.NOTHING
    assert (readings.of_process(os.getpid()), readings.total(), readings.available()) == (None, None, None)


def test_libsystem_is_found_where_only_other_folders_are_searched(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they are with the variable that those who use MkDocs on a Mac are told to set."""
    monkeypatch.setenv("DYLD_FALLBACK_LIBRARY_PATH", "/opt/homebrew/lib")
    assert macos.read_vm_statistics()


def test_a_sample_holds_everything_on_every_system(each: Kernel) -> None:
    planted = each.mac
    pages = planted.internal + 1 - planted.purgeable + planted.wire + planted.compressor
    assert readings.System().read() == {
        "system_used_bytes": pages * PAGE,
        "wired_bytes": planted.wire * PAGE,
        "compressor_bytes": planted.compressor * PAGE,
        "swap_used_bytes": planted.swap,
        "pressure_level": planted.pressure,
        "thermal_level": planted.thermal,
    }
    assert readings.total() == planted.memory
    assert readings.available() == planted.memory - (pages + 1) * PAGE
    assert readings.swap_used() == planted.swap
    sizes = dict.fromkeys(("rss_bytes", "footprint_bytes", "footprint_max_bytes"), planted.other_rss)
    assert readings.of_process(os.getpid()) == sizes


def test_the_kernel_is_asked_for_no_more_words_than_its_first_revision_has(each: Kernel) -> None:
    """macOS 26 logs an error for each call that asks for more."""
    readings.System().read()
    assert set(each.words_asked) == {38}


def test_more_words_than_were_asked_for_are_no_failure_and_fewer_are(kernel: Kernel) -> None:
    answer = macos.ask_vm_statistics()
    assert answer and (answer.code, answer.words) == (-307, 104)
    assert macos.read_vm_statistics() is not None
    kernel.mac = replace(kernel.mac, vm_words=20)
    assert macos.read_vm_statistics() is None


@pytest.mark.parametrize("call", ["host_statistics64", "host_page_size"])
def test_a_sample_without_page_counts_has_no_other_formula_in_their_place(kernel: Kernel, call: str) -> None:
    system = readings.System()
    kernel.fails = {call}
    read = system.read()
    assert {read[name] for name in ("system_used_bytes", "wired_bytes", "compressor_bytes")} == {None}
    assert (read["swap_used_bytes"], readings.available()) == (kernel.mac.swap, None)
    kernel.fails = set()
    assert system.read()["wired_bytes"] == kernel.mac.wire * PAGE


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("vm.swapusage", "swap_used_bytes"),
        ("kern.memorystatus_vm_pressure_level", "pressure_level"),
        ("notify_register_check", "thermal_level"),
    ],
)
def test_what_cannot_be_read_is_none_and_nothing_else_is(kernel: Kernel, call: str, name: str) -> None:
    kernel.fails = {call}
    assert [field for field, value in readings.System().read().items() if value is None] == [name]


def test_a_copy_of_the_kernels_last_answer_is_no_sample(kernel: Kernel) -> None:
    kernel.copies, system = True, readings.System()
    read = [system.read()["system_used_bytes"] for _ in range(6)]
    assert [value is None for value in read] == [False, False, True, False, False, True]
    assert len({value for value in read if value is not None}) == 4


def test_page_counts_are_read_for_every_other_sample_and_whenever_one_is_asked_for(kernel: Kernel) -> None:
    system = readings.System()
    asked = [True, False, False, False, False, True, True, False, True]
    read = [system.read(is_asked)["wired_bytes"] is not None for is_asked in asked]
    assert read == [True, False, True, False, True, True, True, False, True]


def test_a_process_that_has_ended_and_is_not_collected_holds_nothing(kernel: Kernel) -> None:
    assert readings.of_process(os.getpid())
    kernel.zombies = {os.getpid()}
    assert readings.of_process(os.getpid()) is None


def test_a_process_that_is_not_there_holds_nothing(kernel: Kernel) -> None:
    assert readings.of_process(2**31 - 1) is None


def test_pages_are_as_large_as_the_kernels_whatever_python_takes_them_for(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under Rosetta they are four times as large."""
    monkeypatch.setattr("os.sysconf", lambda name: 4096)
    assert readings.System().read()["wired_bytes"] == kernel.mac.wire * PAGE


def test_the_method_of_samples_is_one(kernel: Kernel) -> None:
    said = readings.method()
    kernel.fails = {"host_statistics64"}
    assert said == readings.method()
    assert "internal - purgeable + wired + compressor; NULL: " in said  # the reason of what is missing


def test_metal_is_asked_by_its_own_functions(kernel: Kernel) -> None:
    assert metal.ask() == kernel.mac.working_set


def test_metal_is_asked_in_a_process_of_its_own(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    for said, told in (("460000000000", 460 * 10**9), ("0", None), (None, None), ("Traceback", None)):
        monkeypatch.setattr(metal, "output", lambda *command, said=said: said)
        assert metal.working_set() == told
