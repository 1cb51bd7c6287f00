"""Makes a process take the machine for one of the Macs: what Python, ctypes and psutil say of it."""

import ctypes
import errno
import itertools
import os
import sys
import sysconfig
import urllib.request  # noqa: F401  # so does it: on a Mac it needs a module that Linux has not
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil

from tests.macs import MACS, Mac
from tests.macs.kernel import Kernel

MAC, STATE = "FAKE_MAC", "FAKE_MAC_STATE"  # environment variables: which one, and the folder with what lies around it
Patch = Callable[[Any, str, Any], None]


def everywhere(patch: Patch, kernel: Kernel) -> None:
    """What any program meets, whatever it imports later."""
    patch(sys, "platform", "darwin")
    patch(ctypes, "CDLL", _loader(kernel))
    if kernel.mac.psutil_raises:
        patch(psutil, "virtual_memory", _too_large)
        patch(psutil, "swap_memory", _too_large)
    else:
        patch(psutil, "virtual_memory", lambda: SimpleNamespace(total=1, available=2, used=3, wired=4))
        patch(psutil, "swap_memory", lambda: SimpleNamespace(total=5, used=6, free=7))
    patch(psutil, "cpu_times", _cpu_times(kernel.mac))
    patch(psutil, "cpu_percent", lambda interval=None, percpu=False: 0.0)  # of two copies
    patch(psutil.Process, "cmdline", _raising(psutil.Process.cmdline, SystemError("returned NULL without an error")))
    patch(psutil.Process, "name", _raising(psutil.Process.name, SystemError("returned a result with an error set")))
    stolen = OSError(errno.ENOTSOCK, "Socket operation on non-socket")
    patch(psutil.Process, "net_connections", _raising(psutil.Process.net_connections, stolen))


def from_environment() -> None:
    """In a program that `environment` started."""
    sysconfig.get_config_vars()  # on a Mac it reads a file that Linux has not, so it is read before the change
    state = Path(os.environ[STATE])
    everywhere(setattr, Kernel(MACS[os.environ[MAC]], lambda: engine_in(state)))


def environment(name: str, state: Path) -> dict[str, str]:
    """Variables of a program that is to take this machine for that Mac; `state` is a folder of its own."""
    from tests.macs import FOLDER, programs

    programs.write(MACS[name], state / "bin")
    path = f"{state / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {"PYTHONPATH": str(FOLDER / "first"), MAC: name, STATE: str(state), "PATH": path}


def engine_in(state: Path) -> int | None:
    """The process that said it holds the model, while it lives."""
    try:
        pid = int((state / "engine").read_text())
        return None if Path(f"/proc/{pid}/statm").read_text().startswith("0 ") else pid
    except (OSError, ValueError):
        return None


def _loader(kernel: Kernel) -> type:
    real = ctypes.CDLL

    class Loader(real):  # type: ignore[misc, valid-type]  # a class, as what it stands for: it is named in annotations
        """`ctypes.CDLL` with this Mac's libraries beside those that are here."""

        def __new__(cls, name: str | None, *options: Any, **more: Any) -> Any:
            return kernel.library(str(name)) or real(name, *options, **more)

    return Loader


def _too_large(*_: Any) -> Any:
    raise RuntimeError("host_statistics64(HOST_VM_INFO64) syscall failed: (ipc/mig) array not large enough")


def _cpu_times(mac: Mac) -> Callable[..., Any]:
    """Each core's seconds go on from call to call; their sum is a copy of the first answer."""
    calls = itertools.count(1)

    def told(percpu: bool = False) -> Any:
        seconds = float(next(calls)) if percpu else 1.0
        busy = seconds * mac.cpu_percent / 100
        core = _Times(busy, 0.0, 0.0, seconds - busy)
        return [core] * 32 if percpu else core

    return told


class _Times(tuple[float, ...]):
    """psutil's `scputimes` of macOS: user, nice, system, idle."""

    def __new__(cls, *seconds: float) -> "_Times":
        return super().__new__(cls, seconds)

    @property
    def idle(self) -> float:
        return self[3]


def _raising(real: Callable[..., Any], error: Exception) -> Callable[..., Any]:
    """The same, but for the first process of the machine, which is never the one that is looked for."""

    def asked(self: psutil.Process, *args: Any, **options: Any) -> Any:
        if self.pid == 1:
            raise error
        return real(self, *args, **options)

    return asked
