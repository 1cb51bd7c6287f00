"""How many bytes Metal lets the GPU hold at once: `python -m collector.memory.metal` prints them, or nothing.

The figure follows iogpu.wired_limit_mb where that is set, and is the system's default where it is 0. Frameworks are
asked in a process of their own: what goes wrong in one ends that process, and not a measurement.
"""

import ctypes
import sys

from collector.output import output

FRAMEWORKS = "/System/Library/Frameworks/{0}.framework/{0}"
OBJC = "/usr/lib/libobjc.A.dylib"


def working_set() -> int | None:
    """`recommendedMaxWorkingSetSize` of this machine's GPU, in bytes; None where there is none, or not on macOS."""
    if sys.platform != "darwin":
        return None
    said = output(sys.executable, "-m", "collector.memory.metal")
    return int(said) or None if said and said.isdigit() else None


def ask() -> int | None:
    """The same, by Metal itself; None where it tells of no GPU. Raises OSError, AttributeError where it is missing."""
    ctypes.CDLL(FRAMEWORKS.format("CoreGraphics"))  # without it there is no default device
    metal, objc = ctypes.CDLL(FRAMEWORKS.format("Metal")), ctypes.CDLL(OBJC)
    metal.MTLCreateSystemDefaultDevice.restype = ctypes.c_void_p
    objc.sel_registerName.restype, objc.sel_registerName.argtypes = ctypes.c_void_p, (ctypes.c_char_p,)
    device = metal.MTLCreateSystemDefaultDevice()
    if not device:
        return None
    # typed for this message: on arm64 a call without a prototype passes its arguments elsewhere
    objc.objc_msgSend.restype, objc.objc_msgSend.argtypes = ctypes.c_uint64, (ctypes.c_void_p, ctypes.c_void_p)
    return int(objc.objc_msgSend(device, objc.sel_registerName(b"recommendedMaxWorkingSetSize"))) or None


if __name__ == "__main__":
    sys.stdout.write(str(ask() or ""))
