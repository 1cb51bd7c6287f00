"""What the macOS kernel tells of memory and heat, by ctypes; None for whatever cannot be had.

Calls fill byte buffers, and pure functions decode them, so that the decoding is tested without a Mac. It has not run
on one yet: `collect check --probe` compares each reading with another source and saves the buffers.

Layouts: apple-oss-distributions/xnu @1031c584, `osfmk/mach/vm_statistics.h` (struct vm_statistics64),
`bsd/sys/resource.h` (struct rusage_info_v4), `bsd/sys/sysctl.h` (struct xsw_usage). Thermal levels:
`OSThermalNotification.h`.
"""

import ctypes
import functools
import struct
from dataclasses import dataclass

LIBRARY = "/usr/lib/libSystem.B.dylib"  # `find_library` does not find it where DYLD_FALLBACK_LIBRARY_PATH is set
HOST_VM_INFO64, VM_STATISTICS64_BYTES = 4, 152
VM_WORDS = VM_STATISTICS64_BYTES // 4  # asking for more has macOS 26 log an error for each call
VM_ROOM = 1024  # bytes, as much as host_info64_t can be
# MIG_ARRAY_TOO_LARGE: the kernel had more words than were asked for, and those asked for are in the buffer
# (bootstrap_cmds, migcom.tproj/user.c). macOS 27 answers so, with 104 words.
TOO_LARGE = -307
RUSAGE_INFO_V4, RUSAGE_INFO_V4_BYTES = 4, 296
SWAP, SWAP_BYTES = "vm.swapusage", 32
MEMORY = "hw.memsize"
PRESSURE = "kern.memorystatus_vm_pressure_level"  # 1 normal, 2 warn, 4 critical
TRANSLATED = "sysctl.proc_translated"  # 1 under Rosetta
THERMAL = b"com.apple.system.thermalpressurelevel"  # 0 nominal, 1 moderate, 2 heavy, 3 trapping, 4 sleeping
_CALLS = {
    "mach_host_self": (ctypes.c_uint32, ()),
    "host_statistics64": (ctypes.c_int, (ctypes.c_uint32, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)),
    "host_page_size": (ctypes.c_int, (ctypes.c_uint32, ctypes.c_void_p)),
    "proc_pid_rusage": (ctypes.c_int, (ctypes.c_int, ctypes.c_int, ctypes.c_void_p)),
    "sysctlbyname": (
        ctypes.c_int,
        (ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t),
    ),
    "notify_register_check": (ctypes.c_uint32, (ctypes.c_char_p, ctypes.c_void_p)),
    "notify_get_state": (ctypes.c_uint32, (ctypes.c_int, ctypes.c_void_p)),
}


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


@dataclass(frozen=True)
class VmAnswer:
    """What `host_statistics64` said, how many words it had, and the words."""

    code: int
    words: int
    buffer: bytes


def vm_statistics(buffer: bytes) -> VmStatistics:
    """Decode a `struct vm_statistics64`."""
    wire, purgeable, compressor, internal = (
        struct.unpack_from("<I", buffer, offset)[0] for offset in (12, 88, 128, 140)
    )
    return VmStatistics(wire, purgeable, compressor, internal)


def usage(buffer: bytes) -> Usage:
    """Decode a `struct rusage_info_v4`: resident size, physical footprint and its maximum over the process's life."""
    return Usage(*(struct.unpack_from("<Q", buffer, offset)[0] for offset in (64, 72, 240)))


def has_exited(buffer: bytes) -> bool:
    """Whether a `struct rusage_info_v4` is of a zombie, which keeps its last figures: `ri_proc_exit_abstime`."""
    return bool(struct.unpack_from("<Q", buffer, 88)[0])


def swap_used(buffer: bytes) -> int:
    """Decode a `struct xsw_usage`: bytes of swap in use."""
    used: int = struct.unpack_from("<Q", buffer, 16)[0]
    return used


def ask_vm_statistics() -> VmAnswer | None:
    """Call `host_statistics64`; None where it cannot be called.

    For programs that are not Apple's the kernel answers 2 to 10 such calls a second and then copies its last answer
    (xnu, osfmk/kern/host.c, `rate_limit_host_statistics`).
    """
    library = _library()
    if library is None:
        return None
    buffer, count = ctypes.create_string_buffer(VM_ROOM), ctypes.c_uint32(VM_WORDS)
    code = library.host_statistics64(_host(library), HOST_VM_INFO64, buffer, ctypes.byref(count))
    return VmAnswer(code, count.value, buffer.raw[:VM_STATISTICS64_BYTES])


def read_vm_statistics() -> bytes | None:
    """The kernel's `struct vm_statistics64`."""
    answer = ask_vm_statistics()
    if answer is None or answer.code not in (0, TOO_LARGE) or answer.words < VM_WORDS:
        return None
    return answer.buffer


def page_size() -> int | None:
    """Bytes of the pages that the kernel counts; what `sysconf` says is another size under Rosetta."""
    library, size = _library(), ctypes.c_size_t(0)
    if library is None or library.host_page_size(_host(library), ctypes.byref(size)):
        return None
    return size.value or None


def read_usage(pid: int) -> bytes | None:
    """A process's `struct rusage_info_v4`; None for one that has gone or is not ours."""
    library = _library()
    if library is None:
        return None
    buffer = ctypes.create_string_buffer(RUSAGE_INFO_V4_BYTES)
    if library.proc_pid_rusage(pid, RUSAGE_INFO_V4, buffer) or has_exited(buffer.raw):
        return None
    return buffer.raw


def read_sysctl(name: str, size: int) -> bytes | None:
    """What the kernel keeps under a name, up to `size` bytes; a shorter answer is followed by zeros."""
    library = _library()
    if library is None:
        return None
    buffer, length = ctypes.create_string_buffer(size), ctypes.c_size_t(size)
    failed = library.sysctlbyname(name.encode(), buffer, ctypes.byref(length), None, 0)
    return None if failed else buffer.raw


def sysctl(name: str) -> int | None:
    """An integer of the kernel's, of four bytes or eight."""
    said = read_sysctl(name, 8)
    return None if said is None else int.from_bytes(said, "little")


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
    try:
        library = ctypes.CDLL(LIBRARY)
        for name, (gives, takes) in _CALLS.items():
            call = getattr(library, name)
            call.restype, call.argtypes = gives, takes
    except (OSError, AttributeError):
        return None
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
