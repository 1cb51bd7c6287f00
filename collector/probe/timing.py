"""Questions on time: what a reading costs, how late a timer is, and whether the CPU's counts are copies."""

import itertools
import statistics
from typing import Any

import psutil

from collector import machine, measure
from collector.clock import clock
from collector.memory import macos, readings
from collector.probe import Place, Question, Raw, Verdict

WAITS, WAIT_S = 200, 0.25  # as the sampler waits; a minute is long enough for a hidden window to be put to rest
MOST_MS = 250.0  # a reading, at four samples a second
LATE_MS = 50.0  # at a quarter of a second between samples no more is of any matter
CPU_LOOKS, CPU_S = 12, 1.0


def _cost(place: Place) -> Raw:
    looks = {
        "page counts": macos.ask_vm_statistics,
        "swap": readings.swap_used,
        "thermal": macos.thermal_level,
        "ioreg": machine.gpu_entries,
    }
    return {"ms": {name: round(_took_ms(look), 3) for name, look in looks.items()}}


def _took_ms(look: Any) -> float:
    began = clock()
    look()
    return (clock() - began) / 1e6


def _judge_cost(raw: Raw) -> Verdict:
    most = max(raw["ms"].values())
    return Verdict(most < MOST_MS, ", ".join(f"{name} {took} ms" for name, took in raw["ms"].items()))


def _lateness(place: Place) -> Raw:
    late = []
    for _ in range(WAITS):
        began = clock()
        measure.sleep(WAIT_S)
        late.append(round((clock() - began) / 1e6 - WAIT_S * 1000, 2))
    return {"late_ms": sorted(late)}


def _judge_lateness(raw: Raw) -> Verdict:
    late = raw["late_ms"]
    said = f"{len(late)} waits: median {statistics.median(late):.2f} ms late, worst {late[-1]:.2f} ms"
    return Verdict(late[int(0.95 * len(late))] < LATE_MS, f"{said}; ask again with the window hidden")


def _cpu(place: Place) -> Raw:
    cores, sums = [], []
    for _ in range(CPU_LOOKS):
        cores.append([sum(core) for core in psutil.cpu_times(percpu=True)])
        sums.append(sum(psutil.cpu_times()))
        measure.sleep(CPU_S / CPU_LOOKS)
    return {"copies_of_cores": _same(cores), "copies_of_sum": _same(sums), "looks": CPU_LOOKS}


def _same(looks: list[Any]) -> int:
    return sum(one == before for before, one in itertools.pairwise(looks))


def _judge_cpu(raw: Raw) -> Verdict:
    said = (
        f"{raw['looks']} looks in a second: {raw['copies_of_cores']} copies by core, {raw['copies_of_sum']} of the sum"
    )
    return Verdict(raw["copies_of_cores"] == 0, said)


def _nap(place: Place) -> Raw:
    return {"missing": "compare `collect --quick` with LM Studio's window in front and hidden"}


QUESTIONS = (
    Question("CPU counts", _cpu, _judge_cpu, only=None),
    Question("cost", _cost, _judge_cost),
    Question("timer", _lateness, _judge_lateness, only=None),
    Question("LM Studio napping", _nap, lambda raw: Verdict(None, ""), only=None),
)
