"""One process of `fuzz`: tries mutants by number, and prints what came of them as it goes.

A line of JSON after each step: up to which number, how many had which outcome, the most CPU time of one, what was
found. Whoever reads the lines knows at which number the process died.
"""

import json
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

from collector import record, store
from collector.backends import Facts
from collector.schema import Results
from site_src.warehouse import Warehouse
from tests import damaged_files, framing, garbling, hostile_texts, server_answers
from tests.conftest import RUN, STARTED
from tests.read_streams import READER, any_stream

KEPT = 20  # of the rows of garbled streams one in so many is stored and read by the views
ROWS = 500  # of those in one file: what unpacks to more than a run can hold is refused
MEMORY = 8 << 30
SLOW_S = 1.0  # CPU time of one mutant that is too slow
HUNG_S = 60.0  # and after which the process is ended
SPEED_RULES = """
    select 'decode' as rule from request_speed where (decode_tps is null) = (decode_reason is null)
        or not isfinite(decode_tps) or decode_tps <= 0 or (decode_tps is not null and completion_tokens < 32)
    union all select 'prefill' from request_speed where (prefill_tps is null) = (prefill_reason is null)
        or not isfinite(prefill_tps) or prefill_tps <= 0
    union all select 'first text' from request_speed join stg_requests using (run_id, op_index)
        where ttft_ms < 0 or ttft_ms > done_ns / 1e6 or ttfa_ms < ttft_ms or ttfr_ms > ttft_ms
    union all select 'rates' from request_speed
        where not isfinite(e2e_tps) or e2e_tps < 0 or not isfinite(chars_per_s) or chars_per_s < 0
    union all select 'failed' from request_speed
        where is_failed and coalesce(ttft_ms, decode_tps, prefill_tps, e2e_tps) is not null
"""
Try = Callable[[int], str]  # the outcome; one that begins with "wrong" is a defect


def framed(number: int) -> str:
    draw = Random(f"framed {number}")
    stream = any_stream(draw)
    problem = framing.wrong_when_framed(stream, framing.framed(stream, draw))
    return f"wrong: {problem}" if problem else "every figure kept"


def cut(number: int) -> str:
    draw = Random(f"cut {number}")
    stream = any_stream(draw)
    problem = framing.wrong_when_cut(stream, framing.cut(framing.framed(stream, draw), draw))
    return f"wrong: {problem}" if problem else "an error, or every figure kept or NULL"


class Garbled:
    """Remembers some rows, for the views to read at the end."""

    def __init__(self, folder: Path) -> None:
        self._results = Results(folder / "results")
        self._rows: list[Facts] = []

    def __call__(self, number: int) -> str:
        draw = Random(f"garbled {number}")
        row = record.of_exchange(READER.read(*garbling.garbled(any_stream(draw), draw)))
        if number % KEPT == 0:
            self._rows.append({"op": "request", "op_index": len(self._rows), "prompt_id": "p", "repeat": 1, **row})
        broken = garbling.broken_rules(row)
        return f"wrong: {'; '.join(broken)}" if broken else "a row with an error" if row["error_kind"] else "a row"

    def close(self) -> str | None:
        """What the views make of them: a rule that does not hold."""
        probe = {"op": "probe", "op_index": len(self._rows), "started_ns": 0, "roundtrip_us": [300] * 5}
        for first in range(0, len(self._rows), ROWS):
            facts = {**RUN, "run_id": f"{first:012x}", "run_started_at": STARTED}
            store.write(self._results, facts, [*self._rows[first : first + ROWS], probe])
        warehouse = Warehouse(self._results)
        told = [row["rule"] for row in warehouse.rows(SPEED_RULES)] + warehouse.rows("from damaged_files")
        return f"wrong: views of {len(self._rows)} rows: {Counter(map(str, told))}" if told else None


def answers(number: int) -> str:
    draw = Random(f"answers {number}")
    server = draw.choice(list(server_answers.SERVERS))
    found = server_answers.asked(server, server_answers.garbled(server, draw))
    broken = server_answers.broken_rules(found)
    return f"wrong: {', '.join(broken)}" if broken else "described" if found else "refused in words"


class Strangers:
    """Keeps what the site took in, for the views to read at the end beside a run that is whole."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._results = folder, Results(folder / "results")
        self._taker = damaged_files.Taker(folder)
        for place in (self._results.runs, self._results.grades, self._results.votes):
            place.mkdir(parents=True)
        (self._results.runs / "whole.parquet").write_bytes(damaged_files.kinds()[0].raw)
        self._before = self._whole()

    def __call__(self, number: int) -> str:
        return damaged_files.stranger(number, self._taker, self._folder, self._results)

    def close(self) -> str | None:
        """Whether every view can be read, and says of the whole run what it said before."""
        warehouse = Warehouse(self._results)
        for view in warehouse.views:
            try:
                warehouse.rows(f"from {view}")
            except Exception as error:  # whatever it is
                return f"wrong: view {view}: {error}"
        return None if self._whole() == self._before else "wrong: other figures of the run that is whole"

    def _whole(self) -> str:
        return str(Warehouse(self._results).rows("from request_speed where run_id = 'aaaaaaaaaaaa' order by op_index"))


class Accidents:
    def __init__(self, folder: Path) -> None:
        self._folder, self._taker = folder, damaged_files.Taker(folder)

    def __call__(self, number: int) -> str:
        return damaged_files.accident(number, self._taker, self._folder)


def texts(number: int) -> str:
    problem = hostile_texts.wrong(Random(f"text {number}"))
    return f"wrong: {problem}" if problem else "graded"


TRIES: dict[str, Callable[[Path], Try]] = {
    "streams framed anew": lambda folder: framed,
    "streams cut off": lambda folder: cut,
    "streams garbled": Garbled,
    "answers garbled": lambda folder: answers,
    "files after an accident": Accidents,
    "files of strangers": Strangers,
    "texts graded": lambda folder: texts,
}


def main() -> None:
    what, first, last, step = sys.argv[1], *map(int, sys.argv[2:5])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        attempt = TRIES[what](Path(name))
        for begin in range(first, last, step):
            tell(attempt, begin, min(begin + step, last))
        close = getattr(attempt, "close", None)
        if close and (problem := close()):
            print(json.dumps({"upto": last, "counts": {problem: 1}, "slowest_s": 0, "found": [[last - 1, problem]]}))


def tell(attempt: Try, begin: int, end: int) -> None:
    counts, found, slowest = Counter[str](), [], 0.0
    for number in range(begin, end):
        outcome, took = timed(attempt, number)
        if took > SLOW_S:  # or the machine was busy with something else: what is slow is so again
            outcome, took = timed(attempt, number)
        slowest = max(slowest, took)
        if took > SLOW_S:
            outcome = f"wrong: over {SLOW_S:.0f} s of CPU"
        counts[outcome] += 1
        if outcome.startswith("wrong"):
            found.append([number, f"{outcome} [{took:.2f} s]"])
    signal.setitimer(signal.ITIMER_PROF, 0)
    print(json.dumps({"upto": end, "counts": counts, "slowest_s": slowest, "found": found}), flush=True)


def timed(attempt: Try, number: int) -> tuple[str, float]:
    """What came of it, and its seconds of CPU."""
    signal.setitimer(signal.ITIMER_PROF, HUNG_S)  # ends the process, wherever it is
    started = time.process_time()
    try:
        outcome = attempt(number)
    except Exception as error:  # a defect of what is tried, to be told with its number
        where = traceback.extract_tb(error.__traceback__)[-1]
        outcome = f"wrong: {type(error).__name__}: {str(error)[:100]} ({Path(where.filename).name}:{where.lineno})"
    return outcome, time.process_time() - started


if __name__ == "__main__":
    main()
