"""How `collect` is stopped: Ctrl-C, SIGTERM (`kill`, a shutdown) and SIGHUP (a closed terminal) are one thing.

The first of them raises Stopped wherever the program is. Every later one, and one that comes while `hold` holds, is
only counted: what is being stored or unloaded is finished first, and whoever goes on afterwards looks at `asked`.
"""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """The person or the system wants the program to end; its text names the signal."""


class _Asked:
    """What has come since `watching` began."""

    def __init__(self) -> None:
        self.first: int | None = None
        self.count = 0
        self.is_held = False

    def take(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.first is None:
            self.first = number
            if not self.is_held:
                raise Stopped(signal.Signals(number).name)


_asked = _Asked()


@contextlib.contextmanager
def watching() -> Iterator[None]:
    """Take the signals meanwhile. One that is ignored stays so, as `nohup` wants it."""
    global _asked
    _asked = _Asked()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    watched = [number for number in SIGNALS if before[number] is not signal.SIG_IGN]
    for number in watched:
        signal.signal(number, _asked.take)
    try:
        yield
    finally:
        _asked = _Asked()
        for number in watched:
            # Python's own handler would end a program that is as good as over in a traceback
            signal.signal(number, signal.SIG_DFL if number == signal.SIGINT else before[number])


def hold() -> None:
    """From now on a stop interrupts nothing."""
    _asked.is_held = True


def release() -> None:
    """A first stop raises Stopped again; one that came meanwhile does not."""
    _asked.is_held = False


def asked() -> bool:
    """Whether the program shall end."""
    return _asked.first is not None


def count() -> int:
    """How many stops have come: who waits sees by it that the person has lost patience."""
    return _asked.count


def exit_code(otherwise: int) -> int:
    """What a shell expects of a program that was stopped by a signal: 128 and its number."""
    return otherwise if _asked.first is None else 128 + _asked.first
