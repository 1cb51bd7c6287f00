"""What the macOS kernel tells of memory and heat, by ctypes; None for whatever cannot be had.

Calls fill byte buffers, and pure functions decode them, so that the decoding is tested without a Mac. It has not run
on one yet: `collect check --probe` compares each reading with another source and saves the buffers.

Layouts: apple-oss-distributions/xnu @1031c584, `osfmk/mach/vm_statistics.h` (struct vm_statistics64) and
`bsd/sys/resource.h` (struct rusage_info_v4). Thermal levels: `OSThermalNotification.h`.
"""

import ctypes
import ctypes.util
import functools
import struct
from dataclasses import dataclass

HOST_VM_INFO64, VM_STATISTICS64_BYTES = 4, 152
RUSAGE_INFO_V4, RUSAGE_INFO_V4_BYTES = 4, 296
PRESSURE = "kern.memorystatus_vm_pressure_level"  # 1 normal, 2 warn, 4 critical
THERMAL = b"com.apple.system.thermalpressurelevel"  # 0 nominal, 1 moderate, 2 heavy, 3 trapping, 4 sleeping


@dataclass(frozen=True)
class VmStatistics:
    """Counts of pages, as `host_statistics64` gives them."""

    wire: int
    purgeable: int
    compressor: int
    internal: int

    def used(self) -> int:
        """Pages in use, as Activity Monitor's "Memory Used": anonymous less purgeable, wired, compressor's own."""
        return self.internal - self.purgeable + self.wire + self.compressor


@dataclass(frozen=True)
class Usage:
    """Bytes of one process, as `proc_pid_rusage` gives them."""

    resident: int
    footprint: int
    footprint_max: int


def vm_statistics(buffer: bytes) -> VmStatistics:
    """Decode a `struct vm_statistics64`."""
    wire, purgeable, compressor, internal = (
        struct.unpack_from("<I", buffer, offset)[0] for offset in (12, 88, 128, 140)
    )
    return VmStatistics(wire, purgeable, compressor, internal)


def usage(buffer: bytes) -> Usage:
    """Decode a `struct rusage_info_v4`: resident size, physical footprint and its maximum over the process's life."""
    return Usage(*(struct.unpack_from("<Q", buffer, offset)[0] for offset in (64, 72, 240)))


def read_vm_statistics() -> bytes | None:
    """The kernel's `struct vm_statistics64`."""
    library = _library()
    if library is None:
        return None
    buffer = ctypes.create_string_buffer(VM_STATISTICS64_BYTES)
    count = ctypes.c_uint32(VM_STATISTICS64_BYTES // 4)
    failed = library.host_statistics64(_host(library), HOST_VM_INFO64, buffer, ctypes.byref(count))
    return None if failed else buffer.raw


def read_usage(pid: int) -> bytes | None:
    """A process's `struct rusage_info_v4`; None for one that has gone or is not ours."""
    library = _library()
    if library is None:
        return None
    buffer = ctypes.create_string_buffer(RUSAGE_INFO_V4_BYTES)
    return None if library.proc_pid_rusage(pid, RUSAGE_INFO_V4, buffer) else buffer.raw


def sysctl(name: str) -> int | None:
    """An integer of the kernel's."""
    library = _library()
    if library is None:
        return None
    value, size = ctypes.c_uint64(0), ctypes.c_size_t(8)
    failed = library.sysctlbyname(name.encode(), ctypes.byref(value), ctypes.byref(size), None, ctypes.c_size_t(0))
    return None if failed else value.value  # a shorter integer fills the lower bytes


def thermal_level() -> int | None:
    """Thermal pressure, from the notification center."""
    library, token = _library(), _thermal_token()
    if library is None or token is None:
        return None
    state = ctypes.c_uint64(0)
    return None if library.notify_get_state(token, ctypes.byref(state)) else state.value


@functools.cache
def _library() -> ctypes.CDLL | None:
    """libSystem, where it has all that is asked of it."""
    path = ctypes.util.find_library("System")
    if path is None:
        return None
    try:
        library = ctypes.CDLL(path)
        for name in ("host_statistics64", "proc_pid_rusage", "sysctlbyname", "notify_get_state", "mach_host_self"):
            getattr(library, name)
    except (OSError, AttributeError):
        return None
    library.mach_host_self.restype = ctypes.c_uint32
    library.host_statistics64.argtypes = (ctypes.c_uint32, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    return library


@functools.cache
def _host(library: ctypes.CDLL) -> int:
    return int(library.mach_host_self())  # each call would take another reference to the port


@functools.cache
def _thermal_token() -> int | None:
    library = _library()
    if library is None:
        return None
    token = ctypes.c_int(0)
    return None if library.notify_register_check(THERMAL, ctypes.byref(token)) else token.value
