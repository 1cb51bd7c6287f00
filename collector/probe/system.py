"""Questions on the system: its version, the graphics driver, heat, power, locks, and what was installed how."""

import errno
import fcntl
import os
import platform
import re
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil

from collector import environment, litter, machine
from collector.clock import clock
from collector.memory import macos
from collector.output import entries, output
from collector.probe import Place, Question, Raw, Verdict, foundation, lines, macho
from collector.schema import CLONE

UF_HIDDEN = 0x8000  # sys/stat.h
F_FULLFSYNC = 51  # sys/fcntl.h
VERSION = r"[\d.]+"
THERMAL = r"(?:Note: )?No thermal warning level has been recorded|CPU_\w+\s*=\s*\d+"
POWER_SOURCE = re.compile(r"'(AC|Battery|UPS) Power'")
APPLES = re.compile(r"AGX\w{1,40}")
FAIR = {"nominal": 0, "moderate": 1, "heavy": 2, "trapping": 3, "sleeping": 3}  # as NSProcessInfo counts


def _version(place: Place) -> Raw:
    return {
        "sw_vers": lines(VERSION, machine.macos_version()),
        "sw_vers_to_python": lines(VERSION, output("sw_vers", "-productVersion")),
        "mac_ver": platform.mac_ver()[0],
        "kernel": lines(VERSION, output("sysctl", "-n", "kern.osproductversion", SYSTEM_VERSION_COMPAT="0")),
        "python_sdk": macho.sdk(),
    }


def _judge_version(raw: Raw) -> Verdict:
    said = ", ".join(f"{name} {value}" for name, value in raw.items())
    whole = raw["sw_vers"] and raw["kernel"]
    return Verdict(raw["sw_vers"] == raw["kernel"] if whole else None, said)


def _gpu(place: Place) -> Raw:
    began = clock()
    said = machine.gpu_entries() or ""
    took_ms = (clock() - began) / 1e6
    kept = [
        {
            "class": next(iter(APPLES.findall(str(entry.get("IOClass")))), None),
            "cores": entry.get("gpu-core-count"),
            "statistics": {
                name: value
                for name, value in (entry.get("PerformanceStatistics") or {}).items()
                if isinstance(value, int | float)
            },
        }
        for entry in entries(said)
    ]
    return {"entries": kept, "bytes": len(said), "ms": round(took_ms, 1)}


def _judge_gpu(raw: Raw) -> Verdict:
    if not raw["entries"]:
        return Verdict(None, "the driver does not tell")
    shares = [one["statistics"].get("Device Utilization %") for one in raw["entries"]]
    cores = [one["cores"] for one in raw["entries"]]
    said = f"{len(cores)} entries of {raw['entries'][0]['class']}: {cores} cores, {shares} % busy"
    whole = any(isinstance(share, int | float) and 0 <= share <= 100 for share in shares)
    return Verdict(whole and any(isinstance(count, int) for count in cores), f"{said}; {raw['bytes']} bytes")


def _thermal(place: Place) -> Raw:
    return {
        "level": macos.thermal_level(),
        "state": foundation.told().get("thermal_state"),
        "pmset": lines(THERMAL, output("pmset", "-g", "therm")),
    }


def _judge_thermal(raw: Raw) -> Verdict:
    level, by_pmset = raw["level"], environment.thermal_of(raw["pmset"]).value
    word = environment.THERMAL[level] if level is not None and level < len(environment.THERMAL) else None
    said = f"notification {word}, NSProcessInfo {raw['state']}, pmset {by_pmset}"
    if word is None or (raw["state"] is None and by_pmset is None):
        return Verdict(None, said)
    return Verdict(FAIR[word] == raw["state"] if raw["state"] is not None else word == by_pmset, said)


def _power(place: Place) -> Raw:
    source = POWER_SOURCE.search(output("pmset", "-g", "batt") or "")
    return {
        "lines": lines(r"\w*powermode\s+\d+", output("pmset", "-g")).splitlines(),
        "source": source[1] if source else None,
        "low_power": foundation.told().get("low_power"),
    }


def _judge_power(raw: Raw) -> Verdict:
    is_low = any(re.fullmatch(r"(?:low)?powermode\s+1", line) for line in raw["lines"])
    said = f"{', '.join(raw['lines']) or 'pmset names no mode'}; NSProcessInfo low {raw['low_power']}; {raw['source']}"
    whole = raw["lines"] and raw["low_power"] is not None
    return Verdict(is_low == bool(raw["low_power"]) if whole else None, said)


def _locks(place: Place) -> Raw:
    root = place.results.root
    existing = next(folder for folder in (root, *root.parents) if folder.exists())
    with tempfile.TemporaryDirectory(dir=existing, prefix=".probe-") as made:
        folder = Path(made)
        file = folder / "file"
        file.write_text("x")
        return {
            "system": _file_system(existing),
            "lock_file": _tried(lambda: _locked(file, os.O_RDWR)),
            "lock_folder": _tried(lambda: _locked(folder, os.O_RDONLY)),
            "link": _tried(lambda: os.link(file, folder / "link")),
            "full_sync": _tried(lambda: _synced(file)),
        }


def _file_system(folder: Path) -> str | None:
    around = [part for part in psutil.disk_partitions(all=True) if folder.is_relative_to(part.mountpoint)]
    return max(around, key=lambda part: len(part.mountpoint)).fstype if around else None


def _locked(path: Path, flags: int) -> None:
    held = os.open(path, flags)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(held)


def _synced(path: Path) -> None:
    with path.open("rb") as file:
        fcntl.fcntl(file, getattr(fcntl, "F_FULLFSYNC", F_FULLFSYNC))


def _tried(act: Callable[[], None]) -> str:
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "unknown")
    return "ok"


def _judge_locks(raw: Raw) -> Verdict:
    return Verdict(raw["lock_file"] == "ok", ", ".join(f"{name} {said}" for name, said in raw.items()))


def _hidden(place: Place) -> Raw:
    packages = Path(sysconfig.get_paths()["purelib"])
    return {"flags": [getattr(path.stat(), "st_flags", None) for path in litter.without(packages.glob("*.pth"))]}


def _judge_hidden(raw: Raw) -> Verdict:
    hidden = [flags for flags in raw["flags"] if flags is not None and flags & UF_HIDDEN]
    return Verdict(not hidden, f"{len(hidden)} of {len(raw['flags'])} .pth files are hidden")


def _quarantine(place: Place) -> Raw:
    return {"is_marked": output("xattr", "-p", "com.apple.quarantine", str(CLONE / "scripts" / "demo")) is not None}


def _judge_quarantine(raw: Raw) -> Verdict:
    is_marked = raw["is_marked"]
    return Verdict(not is_marked, "scripts/demo came by a browser" if is_marked else "scripts/demo is not quarantined")


QUESTIONS = (
    Question("version", _version, _judge_version),
    Question("GPU entry", _gpu, _judge_gpu),
    Question("thermal pressure", _thermal, _judge_thermal),
    Question("power mode", _power, _judge_power),
    Question("locks", _locks, _judge_locks, only=None),
    Question("hidden .pth", _hidden, _judge_hidden),
    Question("quarantine", _quarantine, _judge_quarantine),
)
