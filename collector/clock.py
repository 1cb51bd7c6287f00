"""The clock. Nothing else in the project reads it.

Times are `perf_counter_ns`: monotonic, whatever is done to the wall clock, and on Linux and macOS the same for all
processes, so that samples taken by another process line up with requests. It stands still while the machine sleeps;
what another clock counts meanwhile shows that it slept.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
clock: Clock = time.perf_counter_ns
busy: Clock = time.process_time_ns  # what the processor has worked for this process

# The clock that counts on while the machine sleeps; macOS's of this name does, Linux's does not.
SLEEPLESS = time.CLOCK_MONOTONIC_RAW if sys.platform == "darwin" else time.CLOCK_BOOTTIME


def asleep() -> int:
    """Ns that the machine has slept, up to a constant: the difference of two is what it slept in between."""
    # a pause between the two readings only makes the difference smaller
    return max(time.clock_gettime_ns(SLEEPLESS) - time.perf_counter_ns() for _ in range(3))


def utc_now() -> datetime:
    """The present in UTC, naive as the run file stores it."""
    return datetime.now(UTC).replace(tzinfo=None)


def sleep(seconds: float) -> None:
    """Let time pass between operations."""
    time.sleep(seconds)
