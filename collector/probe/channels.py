"""Questions on IOReport: which channels move, and whether traffic of memory is counted.

`python -m collector.probe.channels` takes both down as JSON: in a process of its own, as `collector.memory.metal` is.
Groups and channels by name as macmon and exelban/stats know them: "AMC Stats" has one for each agent and direction, in
bytes, and those with DCS count the same once more.
"""

import json
import sys
from collections.abc import Callable

from collector.clock import clock, sleep
from collector.energy import Unreadable, ioreport
from collector.energy.ioreport import ENERGY, RAILS, Subscription
from collector.output import output
from collector.probe import Place, Question, Raw, Verdict

AMC = "AMC Stats"
GROUPS = (ENERGY, AMC, "PMP")
GPU = (ioreport.GPU, ioreport.GPU_STATES)
LOOK_S = 1.0
FLOWING = ("gpu_uj", "cpu_uj", "dram_uj")  # rails that take energy at rest, too
COPIED_BYTES, COPIES = 2**28, 8  # beyond any cache; a copy reads and writes so much
SHARE = 0.8  # of the traffic that we make, which the counters have to see at the least


def taken() -> dict[str, Raw]:
    """What both questions are about: channels by group while nothing is asked, and traffic while memory is copied."""
    groups = {group: _moved(group, _wait, *((GPU,) if group == ENERGY else ())) for group in GROUPS}
    began = clock()
    channels = _moved(AMC, _copy)
    seconds = (clock() - began) / 1e9
    return {"IOReport": {"groups": groups}, "memory bandwidth": {"channels": channels, "seconds": seconds}}


def _moved(group: str, meanwhile: Callable[[], object], *others: tuple[str, str]) -> list[Raw]:
    """Each channel of a group and by how much it moved; none where that cannot be read."""
    try:
        subscription = Subscription(group, *others)
        meanwhile()
        return [{"name": name, "unit": unit, "moved": moved} for name, unit, moved in subscription.moved()]
    except Unreadable:
        return []


def _wait() -> None:
    sleep(LOOK_S)


def _copy() -> None:
    block = b"\1" * COPIED_BYTES  # zeros would be one page, read again and again
    for _ in range(COPIES):
        bytearray(block)


def _judge_channels(raw: Raw) -> Verdict:
    groups = raw["groups"]
    if not any(groups.values()):
        return Verdict(None, "IOReport tells of no channels")
    said = [f"{name}: {sum(one['moved'] > 0 for one in ones)} of {len(ones)} moved" for name, ones in groups.items()]
    moved = [one["name"] for one in groups[ENERGY] if one["moved"] > 0]
    still = [rail.removesuffix("_uj") for rail in FLOWING if not any(map(RAILS[rail].fullmatch, moved))]
    return Verdict(not still, "; ".join([*said, f"rails at rest: {', '.join(still) or 'none'}"]))


def _judge_bandwidth(raw: Raw) -> Verdict:
    """The second source is our own copying: the counters see at least that."""
    if not raw["channels"]:
        return Verdict(None, f"IOReport has no {AMC}")
    named = [(set(one["name"].split()), one["moved"]) for one in raw["channels"]]
    counted = sum(moved for words, moved in named if words & {"RD", "WR"} and "DCS" not in words)
    ours = 2 * COPIES * COPIED_BYTES
    rates = [count / raw["seconds"] / 1e9 for count in (counted, ours)]
    return Verdict(counted >= SHARE * ours, f"{AMC} {rates[0]:.1f} GB/s while we moved {rates[1]:.1f} GB/s")


def _asked(name: str) -> Callable[[Place], Raw]:
    def ask(place: Place) -> Raw:
        said: dict[str, Raw] = json.loads(output(sys.executable, "-m", "collector.probe.channels") or "{}")
        return said.get(name, {"missing": "IOReport cannot be asked"})

    return ask


QUESTIONS = (
    Question("IOReport", _asked("IOReport"), _judge_channels),
    Question("memory bandwidth", _asked("memory bandwidth"), _judge_bandwidth),
)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(taken()))
