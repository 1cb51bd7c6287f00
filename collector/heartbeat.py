"""Whether this process stood still: stopped by Ctrl-Z or a debugger, or so starved that it read nothing.

Its clock goes on meanwhile, so what it times then is none of the server's doing. A thread looks at the clock ten times
a second. A look that comes late while the process has not worked is time in which it stood still; a long parse holds
Python's lock and makes a look late too, but it is work.
"""

import threading
from types import TracebackType

from collector.clock import Clock, busy, clock

PERIOD_S = 0.1
STILL_S = 0.4  # a look so late: on a busy machine one waits for some ms


class Heartbeat:
    """Beats while it is entered; `stood_ns` then says for how long the process stood still, all told."""

    def __init__(self, clock: Clock = clock, busy: Clock = busy) -> None:
        self.stood_ns = 0
        self._clock, self._busy = clock, busy
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._last = self._clock(), self._busy()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self.look()

    def look(self) -> None:
        """Take the time since the last look into account."""
        now = self._clock(), self._busy()
        passed, worked = (after - before for after, before in zip(now, self._last, strict=True))
        self._last = now
        late = passed - worked - int(PERIOD_S * 1e9)
        if late > STILL_S * 1e9:
            self.stood_ns += late

    def _beat(self) -> None:
        while not self._is_over.wait(PERIOD_S):
            self.look()
