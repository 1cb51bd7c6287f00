"""libIOReport and as much of CoreFoundation as is asked of it, called through ctypes.

Handles are of 64 bits, every function is one of C that knows nothing of its signature until it is told, and what is
used after its release, or released twice, is an error: a wrong call goes wrong here as it would on a Mac. Energies are
whole numbers of each channel's unit, as the driver counts them.
"""
# ruff: noqa: N802  # names are Apple's

import ctypes
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from collector.energy import ioreport

FIRST = 0x1_0000_0000  # the first handle: one that was cut to 32 bits is none
PER_JOULE = {"mJ": 10**3, "uJ": 10**6, "nJ": 10**9}
STATES = ("OFF", "P1", "P2")

# An M3 Ultra's, as macmon and Stats know them: units differ, and some end in blanks.
ULTRA = {
    "GPU Energy": "nJ",
    "DIE_0_CPU Energy": "mJ  ",
    "DIE_1_CPU Energy": "mJ",
    "CPU Energy": "mJ",  # the dies' sum once more
    "ANE0_0": "mJ",
    "ANE0_1": "mJ",
    "DRAM0_0": "uJ ",
    "DRAM0_1": "uJ",
    "DIE_0_PCPU1_CPU0": "mJ",  # a core, which is in its die's
    "GPU SRAM0": "mJ",
}


class Foreign(ctypes._CFuncPtr):  # type: ignore[misc]
    """A function as `CDLL` gives it: whatever is passed, an int comes back."""

    _flags_ = 1  # FUNCFLAG_CDECL
    _restype_ = ctypes.c_int


@dataclass
class FakeIOReport:
    """The libraries. `joules` of each channel, and `ticks` of the GPU in each state, since the machine was started."""

    units: dict[str, str] = field(default_factory=lambda: dict(ULTRA))
    joules: dict[str, float] = field(default_factory=dict)
    ticks: list[int] = field(default_factory=lambda: [0] * len(STATES))
    traffic: dict[str, int] = field(default_factory=dict)  # bytes of memory, by agent and direction
    before_sample: Callable[[], None] = lambda: None
    failing: int = 0  # so many samples from now on cannot be made

    def __post_init__(self) -> None:
        self.held: dict[int, Any] = {}  # what the caller must release
        self._lent: dict[int, tuple[int, Any]] = {}  # what lives as long as another: whose, and what
        self._numbers = itertools.count(FIRST, 16)
        self._callbacks: list[Any] = []

    def opened(self, path: str) -> SimpleNamespace:
        """The library of that path."""
        signatures = ioreport.FOUNDATION if path == ioreport.CORE_FOUNDATION else ioreport.REPORT
        return SimpleNamespace(**{name: self._foreign(name, *signature) for name, signature in signatures.items()})

    def _foreign(self, name: str, returns: Any, takes: tuple[Any, ...]) -> Foreign:
        def as_seen(kind: Any) -> Any:  # a pointer to whatever is a number to a callback
            return ctypes.c_void_p if kind is ctypes.c_char_p or hasattr(kind, "contents") else kind

        callback = ctypes.CFUNCTYPE(returns, *map(as_seen, takes))(getattr(self, name))
        self._callbacks.append(callback)
        return Foreign(ctypes.cast(callback, ctypes.c_void_p).value)

    def _new(self, value: Any) -> int:
        number = next(self._numbers)
        self.held[number] = value
        return number

    def _lend(self, whose: int, value: Any) -> int:
        number = next(self._numbers)
        self._lent[number] = (self._lent[whose][0] if whose in self._lent else whose, value)
        return number

    def _of(self, number: int) -> Any:
        if number in self._lent:
            whose, value = self._lent[number]
            assert whose in self.held, "used after its owner's release"
            return value
        return self.held[number]

    def _channels(self) -> list[dict[str, Any]]:
        counted = [
            {"group": "Energy Model", "name": name, "unit": unit, "value": self._count(name, unit)}
            for name, unit in self.units.items()
        ]
        gpu = {"group": "GPU Stats", "name": "GPUPH", "unit": None, "value": 0, "states": list(self.ticks)}
        traffic = [
            {"group": "AMC Stats", "name": name, "unit": "B ", "value": count} for name, count in self.traffic.items()
        ]
        return [*counted, gpu, *traffic]

    def _count(self, name: str, unit: str) -> int:
        return int(self.joules.get(name, 0) * PER_JOULE.get(unit.strip(), 1))

    # --- CoreFoundation ---

    def CFStringCreateWithCString(self, _: None, text: int, encoding: int) -> int:
        assert encoding == 0x08000100
        return self._new(ctypes.string_at(text).decode())

    def CFStringGetCString(self, string: int, buffer: int, size: int, encoding: int) -> int:
        text = self._of(string).encode() + b"\0"
        ctypes.memmove(buffer, text, min(len(text), size))
        return len(text) <= size

    def CFDictionaryGetValue(self, dictionary: int, key: int) -> int | None:
        value = self._of(dictionary).get(self._of(key))
        return None if value is None else self._lend(dictionary, value)

    def CFDictionaryGetCount(self, dictionary: int) -> int:
        return len(self._of(dictionary))

    def CFDictionaryCreateMutableCopy(self, _: None, capacity: int, dictionary: int) -> int:
        assert capacity >= len(self._of(dictionary))
        return self._new(dict(self._of(dictionary)))

    def CFArrayGetCount(self, array: int) -> int:
        return len(self._of(array))

    def CFArrayGetValueAtIndex(self, array: int, place: int) -> int:
        return self._lend(array, self._of(array)[place])

    def CFRelease(self, number: int) -> None:
        del self.held[number]

    # --- libIOReport ---

    def IOReportCopyChannelsInGroup(self, group: int, subgroup: int | None, *_: int) -> int | None:
        within = self._of(subgroup) if subgroup else None
        assert within == ("GPU Performance States" if self._of(group) == "GPU Stats" else None)
        found = [channel for channel in self._channels() if channel["group"] == self._of(group)]
        return self._new({"IOReportChannels": found}) if found else None

    def IOReportMergeChannels(self, into: int, other: int, _: None) -> None:
        self._of(into)["IOReportChannels"] += self._of(other)["IOReportChannels"]

    def IOReportCreateSubscription(self, _: None, channels: int, told: int, *__: Any) -> int:
        assert told
        return self._new(("subscription", len(self._of(channels)["IOReportChannels"])))

    def IOReportCreateSamples(self, subscription: int, channels: int, _: None) -> int | None:
        assert self._of(subscription)[0] == "subscription"
        self.before_sample()
        if self.failing:
            self.failing -= 1
            return None
        wanted = {channel["name"] for channel in self._of(channels)["IOReportChannels"]}
        return self._new({"IOReportChannels": [one for one in self._channels() if one["name"] in wanted]})

    def IOReportCreateSamplesDelta(self, before: int, after: int, _: None) -> int:
        def less(late: dict[str, Any], early: dict[str, Any]) -> dict[str, Any]:
            spent = [b - a for a, b in zip(early.get("states", []), late.get("states", []), strict=True)]
            return {**late, "value": late["value"] - early["value"], "states": spent}

        pairs = zip(*(self._of(one)["IOReportChannels"] for one in (after, before)), strict=True)
        return self._new({"IOReportChannels": [less(late, early) for late, early in pairs]})

    def IOReportChannelGetGroup(self, item: int) -> int:
        return self._lend(item, self._of(item)["group"])

    def IOReportChannelGetChannelName(self, item: int) -> int:
        return self._lend(item, self._of(item)["name"])

    def IOReportChannelGetUnitLabel(self, item: int) -> int | None:
        unit = self._of(item)["unit"]
        return None if unit is None else self._lend(item, unit)

    def IOReportSimpleGetIntegerValue(self, item: int, _: int) -> int:
        return int(self._of(item)["value"])

    def IOReportStateGetCount(self, item: int) -> int:
        return len(self._of(item).get("states", ()))

    def IOReportStateGetNameForIndex(self, item: int, state: int) -> int:
        return self._lend(item, STATES[state])

    def IOReportStateGetResidency(self, item: int, state: int) -> int:
        return int(self._of(item)["states"][state])
