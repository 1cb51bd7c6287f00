"""Who this computer is, by allow-list."""

import getpass
import plistlib
import socket
import uuid
from pathlib import Path

import psutil
import pytest

from collector import machine
from collector.schema import RUN

# All that may be published of a computer; a new fact has to be thought about, then added here.
ALLOWED = {
    "machine_model",
    "chip",
    "cpu_cores",
    "cpu_performance_cores",
    "cpu_efficiency_cores",
    "gpu_cores",
    "memory_bytes",
    "os_name",
    "os_version",
    "os_build",
    "wired_limit_mb",
}
MAC = {
    ("sw_vers", "-productVersion"): "26.1",
    ("sw_vers", "-buildVersion"): "25B78",
    ("sysctl", "-n", "hw.model"): "Mac15,14",
    ("sysctl", "-n", "machdep.cpu.brand_string"): "Apple M3 Ultra",
    ("sysctl", "-n", "hw.perflevel0.physicalcpu"): "24",
    ("sysctl", "-n", "hw.perflevel1.physicalcpu"): "8",
    ("sysctl", "-n", "iogpu.wired_limit_mb"): "0",
    ("ioreg", "-r", "-c", "AGXAccelerator", "-d", "1", "-a"): plistlib.dumps(
        [{"IOClass": "AGXAcceleratorG15X", "gpu-core-count": 80, "IOPlatformSerialNumber": "C02ABCDEFGHI"}]
    ).decode(),
}


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, ...], str]:
    """A Mac, made of what its commands print; change it to change them."""
    told = dict(MAC)
    monkeypatch.setattr(machine, "output", lambda *command, **variables: told.get(command))
    monkeypatch.setattr(machine.platform, "mac_ver", lambda: ("16.1", ("", "", ""), "arm64"))
    monkeypatch.setattr(machine.sys, "platform", "darwin")
    return told


def test_this_machine_is_described_by_allowed_facts_only() -> None:
    facts = machine.describe()
    assert facts.keys() <= ALLOWED <= {column.name for column in RUN}
    assert facts["memory_bytes"] == psutil.virtual_memory().total
    assert facts["os_name"]
    assert None not in facts.values()


def test_nothing_told_of_this_machine_names_a_person_a_host_or_an_address() -> None:
    names = {getpass.getuser(), socket.gethostname(), str(Path.home()), f"{uuid.getnode():012x}"} - {
        "root",
        "/root",
        "",
    }
    said = " ".join(str(value) for value in machine.describe().values())
    assert not [name for name in names if name in said]


def test_a_mac_is_described_by_its_commands(mac: dict[tuple[str, ...], str]) -> None:
    facts = machine.describe()
    assert {name: value for name, value in facts.items() if name not in ("cpu_cores", "memory_bytes")} == {
        "os_name": "macOS",
        "os_version": "26.1",
        "os_build": "25B78",
        "machine_model": "Mac15,14",
        "chip": "Apple M3 Ultra",
        "cpu_performance_cores": 24,
        "cpu_efficiency_cores": 8,
        "gpu_cores": 80,
        "wired_limit_mb": 0,
    }
    assert facts.keys() <= ALLOWED


def test_what_a_mac_does_not_tell_is_missing(mac: dict[tuple[str, ...], str]) -> None:
    mac.clear()
    assert machine.describe().keys() == {"os_name", "cpu_cores", "memory_bytes"}


@pytest.mark.parametrize(
    "told", ["", "no plist", "<?xml version='1.0'?><plist><array><dict>", plistlib.dumps([]).decode()]
)
def test_a_graphics_driver_that_tells_no_cores_is_no_trouble(mac: dict[tuple[str, ...], str], told: str) -> None:
    mac["ioreg", "-r", "-c", "AGXAccelerator", "-d", "1", "-a"] = told
    assert "gpu_cores" not in machine.describe()


def test_a_number_that_is_none_is_missing(mac: dict[tuple[str, ...], str]) -> None:
    mac["sysctl", "-n", "hw.perflevel1.physicalcpu"] = "unknown oid"
    assert "cpu_efficiency_cores" not in machine.describe()


@pytest.mark.parametrize(
    ("cpuinfo", "chip"),
    [
        ("processor\t: 0\nmodel name\t: AMD EPYC 9B14\nstepping\t: 1\n", "AMD EPYC 9B14"),
        ("model name\t: First\nmodel name\t: Second\n", "First"),
        (
            "processor\t: 0\nRevision\t: d04170\nSerial\t\t: 10000000abcdef01\nModel\t\t: Raspberry Pi 5\n",
            "Raspberry Pi 5",
        ),
    ],
)
def test_a_linux_chip_is_named_by_the_kernel(cpuinfo: str, chip: str) -> None:
    assert machine.linux_chip(cpuinfo) == chip


def test_a_linux_chip_the_kernel_does_not_name_is_its_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.platform, "machine", lambda: "aarch64")
    assert machine.linux_chip("processor\t: 0\nBogoMIPS\t: 50.00\nmodel\t\t: 17\n") == "aarch64"
