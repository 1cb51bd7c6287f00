"""libSystem, Metal and the Objective-C runtime as C functions, so that ctypes passes to them what it would on a Mac."""

import ctypes
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.macs import PAGE, Mac
from tests.macs.structs import RUSAGE_V4, VM_STATISTICS64, XSW_USAGE, packed

LIBSYSTEM = "/usr/lib/libSystem.B.dylib"
FRAMEWORKS = "/System/Library/Frameworks/"
HOST, TOKEN, DEVICE, CLASS, INFO = 515, 3, 0x7F00_1234_5670, 0x7F00_0000_0010, 0x7F00_0000_0020
SELECTORS = (b"recommendedMaxWorkingSetSize", b"processInfo", b"thermalState", b"isLowPowerModeEnabled")
TOO_LARGE, SMALLER_THAN_ASKED = -307, 5
Void, Word = ctypes.c_void_p, ctypes.c_uint32


class Library:
    """Functions by name."""

    def __init__(self, **functions: Any) -> None:
        vars(self).update(functions)


class Kernel:
    """One Mac's kernel. `engine` says which process holds the model; every third answer on pages is a copy."""

    def __init__(self, mac: Mac, engine: Callable[[], int | None] = lambda: None, copies: bool = True) -> None:
        self.mac, self.engine, self.copies = mac, engine, copies
        self.zombies: set[int] = set()
        self.fails: set[str] = set()  # calls that give an error
        self.words_asked: list[int] = []
        self.fresh = 0  # answers on pages that were no copy
        self._last = b""
        self.sysctls: dict[str, bytes] = {
            "hw.memsize": mac.memory.to_bytes(8, "little"),
            "hw.pagesize": PAGE.to_bytes(8, "little"),
            "vm.pagesize": PAGE.to_bytes(4, "little"),
            "vm.swapusage": packed(XSW_USAGE, total=2 * mac.swap, avail=mac.swap, used=mac.swap, pagesize=PAGE),
            "kern.memorystatus_vm_pressure_level": mac.pressure.to_bytes(4, "little"),
            "kern.memorystatus_level": (80).to_bytes(4, "little"),
            "vm.page_free_count": (9_000).to_bytes(4, "little"),
            "vm.page_pageable_external_count": mac.external.to_bytes(4, "little"),
            "vm.page_pageable_internal_count": mac.internal.to_bytes(4, "little"),
            "vm.page_purgeable_count": mac.purgeable.to_bytes(4, "little"),
            "sysctl.proc_translated": int(mac.is_translated).to_bytes(4, "little"),
        }

    def library(self, path: str) -> Any:
        """The functions of one of the Mac's libraries; None for any other path."""
        if path == LIBSYSTEM:
            return Library(
                mach_host_self=ctypes.CFUNCTYPE(Word)(lambda: HOST),
                host_statistics64=ctypes.CFUNCTYPE(ctypes.c_int, Word, ctypes.c_int, Void, Void)(self._statistics),
                host_page_size=ctypes.CFUNCTYPE(ctypes.c_int, Word, Void)(self._page_size),
                proc_pid_rusage=ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int, Void)(self._rusage),
                sysctlbyname=ctypes.CFUNCTYPE(
                    ctypes.c_int, ctypes.c_char_p, Void, Void, Void, ctypes.c_size_t
                )(self._sysctl),
                notify_register_check=ctypes.CFUNCTYPE(Word, ctypes.c_char_p, Void)(self._register),
                notify_get_state=ctypes.CFUNCTYPE(Word, ctypes.c_int, Void)(self._state),
            )  # fmt: skip
        if path.startswith(FRAMEWORKS):
            return Library(MTLCreateSystemDefaultDevice=ctypes.CFUNCTYPE(Void)(lambda: DEVICE))
        if path == "/usr/lib/libobjc.A.dylib":
            return Library(
                objc_getClass=ctypes.CFUNCTYPE(Void, ctypes.c_char_p)(lambda name: CLASS * (name == b"NSProcessInfo")),
                sel_registerName=ctypes.CFUNCTYPE(Void, ctypes.c_char_p)(self._selector),
                objc_msgSend=ctypes.CFUNCTYPE(ctypes.c_uint64, Void, Void)(self._message),
            )
        return None

    def pages(self) -> dict[str, int]:
        """The counts as they are now."""
        mac = self.mac
        loaded = mac.weights if self.engine() else 0
        return {
            "internal_page": mac.internal + self.fresh,
            "purgeable": mac.purgeable,
            "external_page": mac.external,
            "wire": mac.wire + loaded,
            "compressor_page": mac.compressor,
            "faults": 5_000_000_000 + self.fresh,
        }

    def _statistics(self, host: int, flavor: int, out: int, count: int) -> int:
        asked = ctypes.cast(count, ctypes.POINTER(Word))
        self.words_asked.append(asked[0])
        if (host, flavor) != (HOST, 4) or asked[0] < 38 or "host_statistics64" in self.fails:
            return SMALLER_THAN_ASKED
        if not self.copies or len(self.words_asked) % 3 or not self._last:
            self.fresh += 1
            self._last = packed(VM_STATISTICS64, **self.pages())
        known = self._last + bytes(4 * max(self.mac.vm_words - 38, 0))
        filled = 4 * min(asked[0], self.mac.vm_words)
        ctypes.memmove(out, known[:filled], filled)
        # up to macOS 26 it says how many words it filled; 27 how many it has, which the MIG stub takes for too many
        asked[0] = self.mac.vm_words if self.mac.psutil_raises else min(asked[0], self.mac.vm_words)
        return TOO_LARGE if self.mac.psutil_raises else 0

    def _page_size(self, host: int, out: int) -> int:
        if host != HOST or "host_page_size" in self.fails:
            return SMALLER_THAN_ASKED
        ctypes.cast(out, ctypes.POINTER(ctypes.c_size_t))[0] = PAGE
        return 0

    def _rusage(self, pid: int, flavor: int, out: int) -> int:
        mac, is_zombie = self.mac, pid in self.zombies or _is_zombie(pid)
        if flavor != 4 or "proc_pid_rusage" in self.fails or not (is_zombie or _lives(pid)):
            return -1
        rss, footprint, most = mac.other_rss, mac.other_rss, mac.other_rss
        if is_zombie:
            rss = footprint = most = mac.zombie_rss
        elif pid == self.engine():
            rss, footprint, most = mac.engine_rss, mac.engine_footprint, mac.engine_footprint_max
        sizes = {"resident_size": rss, "phys_footprint": footprint, "lifetime_max_phys_footprint": most}
        raw = packed(RUSAGE_V4, **sizes, proc_exit_abstime=77 if is_zombie else 0)
        ctypes.memmove(out, raw, len(raw))
        return 0

    def _sysctl(self, name: bytes, out: int, size: int, new: int | None, new_size: int) -> int:
        value, room = self.sysctls.get(name.decode()), ctypes.cast(size, ctypes.POINTER(ctypes.c_size_t))
        if value is None or name.decode() in self.fails or new or room[0] < len(value):
            return -1
        ctypes.memmove(out, value, len(value))
        room[0] = len(value)
        return 0

    def _register(self, name: bytes, token: int) -> int:
        if name != b"com.apple.system.thermalpressurelevel" or "notify_register_check" in self.fails:
            return errno.EINVAL
        ctypes.cast(token, ctypes.POINTER(ctypes.c_int))[0] = TOKEN
        return 0

    def _state(self, token: int, out: int) -> int:
        if token != TOKEN:
            return errno.EINVAL
        ctypes.cast(out, ctypes.POINTER(ctypes.c_uint64))[0] = self.mac.thermal
        return 0

    def _selector(self, name: bytes) -> int:
        return 0x1001 + SELECTORS.index(name)

    def _message(self, to: int, selector: int) -> int:
        answers = {
            (DEVICE, SELECTORS[0]): self.mac.working_set,
            (CLASS, SELECTORS[1]): INFO,
            (INFO, SELECTORS[2]): self.mac.thermal,
            (INFO, SELECTORS[3]): 0,
        }
        return answers[to, SELECTORS[selector - 0x1001]]


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def _lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
