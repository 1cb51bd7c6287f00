"""What the memory sampler costs, and whether it sees the peak: engine on one core, client and sampler on the other.

Decode speed with the sampler at work over decode speed with it stopped, second after second within one stream, since
speed drifts between streams; the highest PSS that the views report against an independent poller at 20 Hz.
"""

import argparse
import itertools
import math
import os
import signal
import statistics
import tempfile
import threading
from pathlib import Path

import psutil

from collector import measure, run
from collector.backends.openai_chat import OpenAIChat
from collector.memory import readings
from collector.memory.sampler import Sampler
from collector.nonce import messages, nonce
from collector.run import SAMPLING
from collector.schema import Results
from collector.suite import read
from scripts.benches._engine import Engine, engine

TOKENS, SPELL_S = 1000, 1.0
LONG = "Tell a very long story about a ship, a storm and a lighthouse keeper, with many characters."
T975 = {20: 2.093, 200: 1.972}  # Student-t, 19 and 199 degrees of freedom


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="200 pairs instead of 20")
    count = 200 if parser.parse_args().full else 20
    with engine() as served:
        ratios, share = on_and_off(served, count)
        ours, polled = peaks(served)
    center, spread = statistics.fmean(ratios), statistics.stdev(ratios) / math.sqrt(count) * T975[count]
    slower = [100 * (1 - math.exp(value)) for value in (center, center + spread, center - spread)]
    print(f"sampler: {count} pairs of {SPELL_S:.0f} s, load average {os.getloadavg()[0]:.1f}\n")
    print(f"share of a core                     {100 * share:.2f} %")
    print(f"decode slower with it by            {slower[0]:.2f} %, 95 % interval {slower[1]:.2f} to {slower[2]:.2f} %")
    print(f"peak PSS by the views               {ours / 1e6:.1f} MB")
    print(f"peak PSS by a poller at 20 Hz       {polled / 1e6:.1f} MB, difference {100 * (ours / polled - 1):.2f} %")


def on_and_off(served: Engine, count: int) -> tuple[list[float], float]:
    """ln(decode with / without) of each pair of neighboring spells; and the sampler's share of a core while at work."""
    ratios: list[float] = []
    used = elapsed = 0.0
    with measure.connect(served.url) as client:
        backend = OpenAIChat(client)
        backend.describe()
        sampler = Sampler()
        sampler.watch_only([served.pid])
        process = psutil.Process(sampler._process.pid)
        stream = 0
        while len(ratios) < count:
            switch = Switch(process)
            request = backend.chat(messages(nonce("pairs", "on", stream, stream), LONG), TOKENS, SAMPLING)
            seen = measure.exchange(client, request, backend.parse, at_first_text=switch.start)
            switch.stop()
            stamps = [seen.sent_at + at for at, _, text in seen.arrivals if text]
            speeds = [(is_on, rate(stamps, begin, end)) for is_on, begin, end in switch.spells]
            for number in range(0, len(speeds) - 1, 2):
                # off before on and on before off in turn, so that slowing down with depth cancels out
                pair = dict(speeds[number : number + 2])
                ratios.append(math.log(pair[True] / pair[False]))
            used, elapsed, stream = used + switch.used, elapsed + switch.elapsed, stream + 1
        sampler.close()
    return ratios[:count], used / elapsed


def rate(stamps: list[int], begin: int, end: int) -> float:
    """Tokens per second between the first and the last one that came in a spell."""
    within = [at for at in stamps if begin <= at <= end]
    return (len(within) - 1) * 1e9 / (within[-1] - within[0])


class Switch:
    """Stops the sampler and lets it go on, in spells: off on on off, and so on."""

    def __init__(self, process: psutil.Process) -> None:
        self.spells: list[tuple[bool, int, int]] = []
        self.used = self.elapsed = 0.0
        self._process, self._ended = process, threading.Event()
        self._thread = threading.Thread(target=self._work)

    def start(self) -> None:
        """From the first token on."""
        self._thread.start()

    def stop(self) -> None:
        """At the end of the stream; a spell that was cut does not count, nor does one without its partner."""
        self._ended.set()
        self._thread.join()
        self._process.send_signal(signal.SIGCONT)

    def _work(self) -> None:
        for is_on in itertools.cycle((False, True, True, False)):
            self._process.send_signal(signal.SIGCONT if is_on else signal.SIGSTOP)
            before, began = sum(self._process.cpu_times()[:2]), measure.clock()
            if self._ended.wait(SPELL_S):
                return
            if is_on:
                self.used += sum(self._process.cpu_times()[:2]) - before
                self.elapsed += (measure.clock() - began) / 1e9
            self.spells.append((is_on, began, measure.clock()))


def peaks(served: Engine) -> tuple[float, float]:
    """Peak PSS of one run by the views, and by a poller that knows nothing of the sampler; bytes."""
    highest, stop = [0], threading.Event()

    def poll() -> None:
        while not stop.wait(0.05):
            if part := readings.of_process(served.pid):
                highest.append(part["pss_bytes"])

    watcher = threading.Thread(target=poll)
    with tempfile.TemporaryDirectory() as folder, measure.connect(served.url) as client:
        results = Results(Path(folder))
        watcher.start()
        run.run(client, OpenAIChat(client), run.Job(read("smoke"), 3, results))
        stop.set()
        watcher.join()
        from site_src.warehouse import Warehouse

        [row] = Warehouse(results).rows("select peak_pss_gb from run_memory")
    return row["peak_pss_gb"] * 1e9, max(highest)


if __name__ == "__main__":
    main()
