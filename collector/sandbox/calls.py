"""System calls of the guest that are answered here: a program that ran once runs the same again, on any machine.

Waiting is counted instead of waited for, so that a program that waits for ever is told from a machine that stood still;
random bytes are the same each time, and every program begins on one day. Each call is paid for with fuel, as the
guest's own work is.
"""

import random
import struct

import wasmtime

from collector.clock import clock

WAIT_S = 8.0  # that a program may ask to wait for, all together
FUEL_PER_CALL, FUEL_PER_BYTE = 250_000, 10  # about what they take of the host's time
SUBSCRIPTION, EVENT = 48, 32  # bytes, as WASI lays them out
OF_CLOCK, IS_ABSOLUTE, REAL_TIME = 0, 1, 0
BEGINNING_NS = 1_767_225_600 * 10**9  # 2026-01-01, in UTC
MODULE, SUCCESS = "wasi_snapshot_preview1", 0


class WaitedTooLong(Exception):
    """The guest asked to wait for longer than it may."""


class Calls:
    """The calls of one guest, and how long it has asked to wait so far."""

    def __init__(self, store: wasmtime.Store) -> None:
        self.store = store
        self.random = random.Random(42)
        self.waited_ns = 0
        self.began = clock()

    def define(self, linker: wasmtime.Linker) -> None:
        """Put these calls in the place of the system's own."""
        small, large = wasmtime.ValType.i32(), wasmtime.ValType.i64()
        linker.allow_shadowing = True
        for name, call, takes in (
            ("random_get", self.random_get, [small, small]),
            ("clock_time_get", self.clock_time_get, [small, large, small]),
            ("poll_oneoff", self.poll_oneoff, [small] * 4),
        ):
            linker.define_func(MODULE, name, wasmtime.FuncType(takes, [small]), call, access_caller=True)

    def random_get(self, caller: wasmtime.Caller, start: int, length: int) -> int:
        """The next bytes of a fixed sequence."""
        length &= 0xFFFF_FFFF
        if self._pay(FUEL_PER_CALL + FUEL_PER_BYTE * length):
            _write(caller, start, self.random.randbytes(length))
        return SUCCESS

    def clock_time_get(self, caller: wasmtime.Caller, which: int, _precision: int, start: int) -> int:
        """The time since it began, and with it what it believes to have waited."""
        if self._pay(FUEL_PER_CALL):
            _write(caller, start, struct.pack("<Q", self._now(which)))
        return SUCCESS

    def poll_oneoff(self, caller: wasmtime.Caller, asked: int, told: int, count: int, told_count: int) -> int:
        """All that was waited for has happened at once. Raises WaitedTooLong."""
        if not self._pay(FUEL_PER_CALL * max(1, count)):
            return SUCCESS
        for number in range(count):
            begins = asked + number * SUBSCRIPTION
            given = bytes(_memory(caller).read(caller, begins, begins + SUBSCRIPTION))
            known, kind, which, limit, flags = struct.unpack("<QB7xI4xQ8xH6x", given)
            if kind == OF_CLOCK:
                self.waited_ns += max(0, limit - (self._now(which) if flags & IS_ABSOLUTE else 0))
            _write(caller, told + number * EVENT, struct.pack("<QHB21x", known, SUCCESS, kind))
        if self.waited_ns > WAIT_S * 10**9:
            raise WaitedTooLong
        _write(caller, told_count, struct.pack("<I", count))
        return SUCCESS

    def _now(self, which: int) -> int:
        return (BEGINNING_NS if which == REAL_TIME else 0) + clock() - self.began + self.waited_ns

    def _pay(self, fuel: int) -> bool:
        """Whether there was enough; the guest ends at its next step if not."""
        left = self.store.get_fuel()
        self.store.set_fuel(max(0, left - fuel))
        return left > fuel


def _memory(caller: wasmtime.Caller) -> wasmtime.Memory:
    memory = caller["memory"]
    assert isinstance(memory, wasmtime.Memory)
    return memory


def _write(caller: wasmtime.Caller, start: int, data: bytes) -> None:
    _memory(caller).write(caller, data, start & 0xFFFF_FFFF)
