"""Reads the energy counters whenever it is told to: `python -m collector.energy.reader`.

Its first line on standard output says where readings come from, or why there are none; each further line is one
reading as JSON. It reads at each line on standard input, and every PERIOD_S, so that no counter goes around unseen: at
300 W the shortest lasts some 200 s.
"""

import contextlib
import json
import os
import select
import sys

from collector import energy
from collector.clock import clock

PERIOD_S = 5.0


def reading(source: energy.Source) -> dict[str, int] | None:
    """The counters, with the middle of the time that reading them took."""
    before = clock()
    counters = source.read()
    return None if counters is None else {"at_ns": (before + clock()) // 2, **counters}


def header(source: energy.Source | None, reason: str | None = None) -> dict[str, object]:
    """What the first line says, as columns of the run file."""
    channels = [channel._asdict() for channel in source.channels] if source else None
    return {"energy_source": source.name if source else None, "energy_channels": channels, "energy_reason": reason}


def main() -> None:
    """Read until standard input closes."""
    try:
        source = energy.find()
    except energy.Unreadable as reason:
        _say(header(None, str(reason)))
        return
    _say(header(source))
    while True:
        if told := reading(source):
            _say(told)
        if select.select([0], [], [], PERIOD_S)[0] and not os.read(0, 4096):
            return


def _say(line: dict[str, object] | dict[str, int]) -> None:
    with contextlib.suppress(OSError):  # a full disk costs readings, and the next may find room
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
