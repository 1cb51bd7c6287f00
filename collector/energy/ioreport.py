"""macOS: IOReport's groups "Energy Model" and "GPU Stats", by ctypes; no root is needed.

libIOReport has no public header. Signatures are as macmon (`src_lib/sources.rs` @6919d77) and exelban/stats call them;
channels by name as there: "GPU Energy", "CPU Energy" or "DIE_n_CPU Energy" (an Ultra has two dies), "ANE…", "DRAM…".
Units are mJ, uJ or nJ, differ from channel to channel and may end in blanks. It has not run on a Mac yet: on macOS 27
the counters of the power manager (CPU, ANE, DRAM) are said to stand still (macmon #76, exelban/stats #3608).
"""

import ctypes
import re
from collections.abc import Iterator, Mapping
from typing import Any

from collector.energy import Channel, Counters, Unreadable

IOREPORT = "/usr/lib/libIOReport.dylib"
CORE_FOUNDATION = "/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation"
UTF8 = 0x08000100  # kCFStringEncodingUTF8
NO_LIBRARY = "libIOReport cannot be used"
NO_CHANNELS = "IOReport tells of no energy"

ENERGY, GPU, GPU_STATES = "Energy Model", "GPU Stats", "GPU Performance States"
NANOJOULES = {"mJ": 1_000_000, "uJ": 1_000, "nJ": 1}
RAILS = {
    "gpu_uj": re.compile(r"(DIE_\d+_)?GPU Energy"),
    "cpu_uj": re.compile(r"(DIE_\d+_)?CPU Energy"),
    "ane_uj": re.compile(r"(DIE_\d+_)?ANE.*"),
    "dram_uj": re.compile(r"(DIE_\d+_)?DRAM.*"),
}
AT_REST = ("OFF", "IDLE", "DOWN")  # states of the channel GPUPH in which the GPU does nothing

REF, U64, I64, I32, TEXT = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int64, ctypes.c_int32, ctypes.c_char_p
FOUNDATION = {  # name: what it returns, what it takes
    "CFStringCreateWithCString": (REF, (REF, TEXT, ctypes.c_uint32)),
    "CFStringGetCString": (ctypes.c_ubyte, (REF, TEXT, ctypes.c_long, ctypes.c_uint32)),
    "CFDictionaryGetValue": (REF, (REF, REF)),
    "CFDictionaryGetCount": (ctypes.c_long, (REF,)),
    "CFDictionaryCreateMutableCopy": (REF, (REF, ctypes.c_long, REF)),
    "CFArrayGetCount": (ctypes.c_long, (REF,)),
    "CFArrayGetValueAtIndex": (REF, (REF, ctypes.c_long)),
    "CFRelease": (None, (REF,)),
}
REPORT = {
    "IOReportCopyChannelsInGroup": (REF, (REF, REF, U64, U64, U64)),
    "IOReportMergeChannels": (None, (REF, REF, REF)),
    "IOReportCreateSubscription": (REF, (REF, REF, ctypes.POINTER(REF), U64, REF)),
    "IOReportCreateSamples": (REF, (REF, REF, REF)),
    "IOReportCreateSamplesDelta": (REF, (REF, REF, REF)),
    "IOReportChannelGetGroup": (REF, (REF,)),
    "IOReportChannelGetChannelName": (REF, (REF,)),
    "IOReportChannelGetUnitLabel": (REF, (REF,)),
    "IOReportSimpleGetIntegerValue": (I64, (REF, I32)),
    "IOReportStateGetCount": (I32, (REF,)),
    "IOReportStateGetNameForIndex": (REF, (REF, I32)),
    "IOReportStateGetResidency": (I64, (REF, I32)),
}


class Subscription:
    """To the channels of some groups of IOReport's, and samples of them."""

    def __init__(self, first: str, *others: tuple[str, str]) -> None:
        """`others`: groups with a subgroup, which need not be there. Raises Unreadable."""
        try:
            self._cf, self._io = _declared(CORE_FOUNDATION, FOUNDATION), _declared(IOREPORT, REPORT)
        except (OSError, AttributeError):
            raise Unreadable(NO_LIBRARY) from None
        self._key = self._string("IOReportChannels")
        self._subscribe(first, others)
        self._last = self._samples()

    def moved(self) -> list[tuple[str, str, int]]:
        """Name and unit of each channel, and how much it moved since the last sample: of one with states, ticks in all.

        Raises Unreadable.
        """
        delta = self._delta()
        if not delta:
            raise Unreadable(NO_CHANNELS)
        found = []
        for _, name, item in self._items(delta):
            states = range(self._io.IOReportStateGetCount(item))
            spent = [self._io.IOReportStateGetResidency(item, state) for state in states]
            amount = sum(spent) if spent else self._io.IOReportSimpleGetIntegerValue(item, 0)
            found.append((name, self._unit(item), max(amount, 0)))
        self._cf.CFRelease(delta)
        return found

    def _delta(self) -> int | None:
        """What moved since the last sample, to be released; None where no sample could be taken."""
        now = self._io.IOReportCreateSamples(self._subscription, self._channels, None)
        if not now:
            return None
        delta: int | None = self._io.IOReportCreateSamplesDelta(self._last, now, None)
        self._cf.CFRelease(self._last)
        self._last = now
        return delta

    def _subscribe(self, first: str, others: tuple[tuple[str, str], ...]) -> None:
        wanted = self._copied(first)
        if not wanted:
            raise Unreadable(NO_CHANNELS)
        for group, subgroup in others:
            if more := self._copied(group, subgroup):
                self._io.IOReportMergeChannels(wanted, more, None)
                self._cf.CFRelease(more)
        self._channels = self._cf.CFDictionaryCreateMutableCopy(None, self._cf.CFDictionaryGetCount(wanted), wanted)
        self._cf.CFRelease(wanted)
        subscribed = REF()
        self._subscription = self._io.IOReportCreateSubscription(
            None, self._channels, ctypes.byref(subscribed), 0, None
        )
        if not self._subscription:
            raise Unreadable(NO_CHANNELS)

    def _samples(self) -> int:
        first: int | None = self._io.IOReportCreateSamples(self._subscription, self._channels, None)
        if not first:
            raise Unreadable(NO_CHANNELS)
        return first

    def _items(self, samples: int) -> Iterator[tuple[str | None, str, int]]:
        """Group, name and handle of each channel; these live as long as the samples."""
        entries = self._cf.CFDictionaryGetValue(samples, self._key)
        for place in range(self._cf.CFArrayGetCount(entries) if entries else 0):
            item = self._cf.CFArrayGetValueAtIndex(entries, place)
            name = self._text(self._io.IOReportChannelGetChannelName(item)) or ""
            yield self._text(self._io.IOReportChannelGetGroup(item)), name, item

    def _copied(self, group: str, subgroup: str | None = None) -> int | None:
        wanted = [self._string(name) if name else None for name in (group, subgroup)]
        found: int | None = self._io.IOReportCopyChannelsInGroup(*wanted, 0, 0, 0)
        for name in filter(None, wanted):
            self._cf.CFRelease(name)
        return found

    def _string(self, text: str) -> int:
        made: int = self._cf.CFStringCreateWithCString(None, text.encode(), UTF8)
        return made

    def _text(self, string: int | None) -> str | None:
        if not string:
            return None
        buffer = ctypes.create_string_buffer(256)
        is_told = self._cf.CFStringGetCString(string, buffer, len(buffer), UTF8)
        return buffer.value.decode() if is_told else None

    def _unit(self, item: int) -> str:
        return (self._text(self._io.IOReportChannelGetUnitLabel(item)) or "").strip()


class IOReport(Subscription):
    """The energy of GPU, CPU, neural engine and memory, and what the GPU's time is spent in."""

    name = "IOReport Energy Model"

    def __init__(self) -> None:
        """Raises Unreadable."""
        super().__init__(ENERGY, (GPU, GPU_STATES))
        self.channels = self._told()
        if not any(channel.rail in RAILS for channel in self.channels):
            raise Unreadable(NO_CHANNELS)
        self._nanojoules = dict.fromkeys((channel.rail for channel in self.channels if channel.rail in RAILS), 0)
        self._ticks: Counters = {}

    def read(self) -> Counters | None:
        """What has flowed since the subscription, in µJ, and ticks of the GPU; busy is whatever is not AT_REST."""
        delta = self._delta()
        if not delta:
            return None
        units = {(channel.rail, channel.name): NANOJOULES[channel.unit] for channel in self.channels if channel.unit}
        for group, name, item in self._items(delta):
            if group == GPU and name == "GPUPH":
                self._add_ticks(item)
            for rail in RAILS if group == ENERGY else ():
                if (rail, name) in units:
                    moved = max(self._io.IOReportSimpleGetIntegerValue(item, 0), 0)  # below 0: it began anew
                    self._nanojoules[rail] += moved * units[rail, name]
        self._cf.CFRelease(delta)
        return {**{rail: round(value / 1000) for rail, value in self._nanojoules.items()}, **self._ticks}

    def _told(self) -> list[Channel]:
        """The channels that count. Where a chip tells each die's energy, a sum of the dies beside it counts no more."""
        found = []
        for group, name, item in self._items(self._last):
            if group == GPU and name == "GPUPH":
                found.append(Channel("gpu_ticks", name, ""))
            if group == ENERGY:
                unit = self._unit(item)
                rail = next((rail for rail, wanted in RAILS.items() if wanted.fullmatch(name)), None)
                found += [Channel(rail, name, unit)] if rail and unit in NANOJOULES else []
        in_dies = {channel.rail for channel in found if channel.name.startswith("DIE_")}
        return [channel for channel in found if channel.rail not in in_dies or channel.name.startswith("DIE_")]

    def _add_ticks(self, item: int) -> None:
        for state in range(self._io.IOReportStateGetCount(item)):
            name = self._text(self._io.IOReportStateGetNameForIndex(item, state))
            spent = max(self._io.IOReportStateGetResidency(item, state), 0)
            for counter in ("gpu_ticks",) if name in AT_REST else ("gpu_ticks", "gpu_busy_ticks"):
                self._ticks[counter] = self._ticks.get(counter, 0) + spent


def _declared(path: str, signatures: Mapping[str, tuple[Any, tuple[Any, ...]]]) -> ctypes.CDLL:
    """A library whose functions are told what they take: a handle has 64 bits. Raises OSError, AttributeError."""
    library = _opened(path)
    for name, (returns, takes) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = returns, takes
    return library


def _opened(path: str) -> ctypes.CDLL:
    return ctypes.CDLL(path)
