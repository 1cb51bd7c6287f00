"""What NSProcessInfo says of heat and power: `python -m collector.probe.foundation` prints it as JSON.

In a process of its own, as `collector.memory.metal` is: a framework that fails ends that and nothing else.
"""

import ctypes
import json
import sys

from collector.memory.metal import FRAMEWORKS, OBJC
from collector.output import output


def told() -> dict[str, int]:
    """`thermal_state` (0 nominal to 3 critical) and `low_power` (0 or 1); nothing where that cannot be asked."""
    try:
        said: dict[str, int] = json.loads(output(sys.executable, "-m", "collector.probe.foundation") or "{}")
    except ValueError:
        return {}
    return said


def ask() -> dict[str, int]:
    """The same, by the framework itself. Raises OSError, AttributeError."""
    ctypes.CDLL(FRAMEWORKS.format("Foundation"))
    objc = ctypes.CDLL(OBJC)
    for name in ("sel_registerName", "objc_getClass"):
        call = getattr(objc, name)
        call.restype, call.argtypes = ctypes.c_void_p, (ctypes.c_char_p,)
    objc.objc_msgSend.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    objc.objc_msgSend.restype = ctypes.c_void_p
    info = objc.objc_msgSend(objc.objc_getClass(b"NSProcessInfo"), objc.sel_registerName(b"processInfo"))
    objc.objc_msgSend.restype = ctypes.c_long  # NSInteger; a BOOL comes in its lowest byte
    state = objc.objc_msgSend(info, objc.sel_registerName(b"thermalState"))
    is_low = objc.objc_msgSend(info, objc.sel_registerName(b"isLowPowerModeEnabled")) & 0xFF
    return {"thermal_state": int(state), "low_power": int(is_low)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(ask()))
