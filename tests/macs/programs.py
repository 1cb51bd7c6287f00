"""`sw_vers`, `sysctl`, `pmset`, `ioreg` and others as small shell scripts that say what they would on this Mac."""

import plistlib
import shlex
from pathlib import Path

from tests.macs import PAGE, Mac

CUT = "中".encode()[:2]  # a name of a process, cut within a character


def write(mac: Mac, folder: Path) -> None:
    """Put the programs into a folder, to stand first in PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    # with a Python built for an older system the version is as that one expects it, unless the variable says otherwise
    version = f'[ "$SYSTEM_VERSION_COMPAT" = 0 ] && echo {mac.version} || echo {mac.told_version}'
    _script(folder / "sw_vers", {"-productVersion": version, "-buildVersion": "echo 25B78"})
    kept = {
        "hw.model": "Mac15,14",
        "machdep.cpu.brand_string": "Apple M3 Ultra",
        "hw.perflevel0.physicalcpu": "24",
        "hw.perflevel1.physicalcpu": "8",
        "iogpu.wired_limit_mb": str(mac.wired_limit_mb),
        "hw.memsize": str(mac.memory),
        "hw.pagesize": str(PAGE),
    }
    sysctls = {f"-n {name}": f"echo {shlex.quote(value)}" for name, value in kept.items()}
    swap = f"total = 6.01M  used = {mac.swap / 2**20:.2f}M  free = 3.00M  (encrypted)"
    iogpu = f"echo iogpu.wired_limit_mb: {mac.wired_limit_mb}; echo iogpu.disable_wired_collector: 0"
    sysctls["-n kern.osproductversion"] = version
    _script(folder / "sysctl", {**sysctls, "-n vm.swapusage": f"echo '{swap}'", "iogpu": iogpu})
    pmset = {
        "-g batt": "echo \"Now drawing from 'AC Power'\"",
        "-g": "echo ' powermode            2'; echo ' sleep 1'",
        "-g therm": "echo 'Note: No thermal warning level has been recorded'",
    }
    _script(folder / "pmset", pmset)
    _ioreg(mac, folder)
    _script(folder / "vm_stat", {"": f"cat {shlex.quote(str(folder / 'vm_stat.txt'))}"})
    (folder / "vm_stat.txt").write_text(vm_stat(mac), encoding="utf-8")
    _script(folder / "caffeinate", {"*": f'echo "$*" >> {shlex.quote(str(folder / "caffeinate.said"))}; exec cat'})
    _script(folder / "ps", {"*": f"echo ' {mac.other_rss // 1024}'"})
    _script(folder / "scutil", {"--get ComputerName": "echo '王小明的 Mac Studio'"})


def vm_stat(mac: Mac) -> str:
    """What `vm_stat` prints on a Mac with no model loaded."""
    counts = {
        "Pages wired down": mac.wire,
        "Pages purgeable": mac.purgeable,
        "Anonymous pages": mac.internal,
        "Pages occupied by compressor": mac.compressor,
    }
    lines = [f"Mach Virtual Memory Statistics: (page size of {PAGE} bytes)"]
    return "\n".join([*lines, *(f"{name + ':':<40}{count:>12}." for name, count in counts.items())]) + "\n"


def ioreg(mac: Mac, depth_1: bool) -> bytes:
    """The graphics driver's entry; without `-d 1` also the programs that draw, whose names no decoder takes."""
    entry = {
        "IOClass": "AGXAcceleratorG15X",
        "gpu-core-count": 80,
        "PerformanceStatistics": {"Device Utilization %": mac.gpu_percent, "In use system memory": 4096},
    }
    clients = [{"IOUserClientCreator": "pid 77, NAME"}] if not depth_1 else []
    said = plistlib.dumps([{**entry, "IORegistryEntryChildren": clients}, "odd"])
    return said.replace(b"NAME", CUT) if not depth_1 else said.replace(b"G15X", b"G15X" + CUT)


def _ioreg(mac: Mac, folder: Path) -> None:
    asked = {"-r -c AGXAccelerator -d 1 -a": True, "-r -c AGXAccelerator -a": False}
    for depth_1 in asked.values():
        (folder / f"ioreg.{int(depth_1)}").write_bytes(ioreg(mac, depth_1))
    cats = {words: f"cat {shlex.quote(str(folder / f'ioreg.{int(one)}'))}" for words, one in asked.items()}
    _script(folder / "ioreg", cats)


def _script(path: Path, answers: dict[str, str]) -> None:
    """A program that answers these words, and fails for others; `*` is any."""
    cases = "\n".join(f"{words if words == '*' else shlex.quote(words)}) {then};;" for words, then in answers.items())
    path.write_text(f'#!/bin/sh\ncase "$*" in\n{cases}\n*) exit 64;;\nesac\n', encoding="utf-8")
    path.chmod(0o755)
