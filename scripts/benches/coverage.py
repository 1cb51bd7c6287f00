"""How often an interval holds the truth and a verdict errs, where runs of one thing differ and machines drift.

Machines of fourteen configurations (scripts/benches/_drawn.py) go through the site's own views; only which sets of runs
are compared is given, of all that a machine has. Each bound is printed with what was found; exit 1 if one does not
hold. A ratio's truth is that for prompts like these, a speed's that of its prompts.
"""

import argparse
import math
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from collector.schema import Results
from scripts.benches import _drawn
from scripts.benches._drawn import SPREADS, Pair, Spread, batches
from site_src.warehouse import Warehouse

SEED = 20261130
RATIOS = (1.00, 1.02, 1.03, 1.05, 1.10)
MIXED = [(ratio, *[1.03] * 6) for ratio in RATIOS if ratio != 1.03]  # most at the margin, where the bound is tight
ORDERS = {"A B": "AB", "A B B A": "ABBA", "twice": "ABBAABBA"}
SPEEDS = """
select set_id, center, margin
from set_speed
where figure = 'decode' and set_id in (select set_id from run_sets where kind = 'configuration')
"""
HEADLINES = """
select decode_tps as at, decode_tps_low as low, decode_tps_high as high,
    decode_tps_within_low as near, decode_tps_within_high as far
from {}
"""
DRIFT = 0.05
LEEWAY = 4.0  # of so few, and of pairs that share a machine's variance


class Counts(NamedTuple):
    """Machines of each kind."""

    speeds: int
    ratios: int
    twice: int
    drifting: int
    histories: int
    headlines: int


FULL = Counts(speeds=200, ratios=700, twice=500, drifting=150, histories=2500, headlines=10_000)
REDUCED = Counts(speeds=12, ratios=24, twice=12, drifting=8, histories=300, headlines=1000)


class Found(NamedTuple):
    """One set or pair: how far the estimate is from the truth, half its interval, its verdict."""

    off: float
    margin: float
    verdict: str
    ratio: float


class Bounds:
    """What has to hold, said as it is found. `leeway`: by how many standard errors of a share it may seem not to."""

    def __init__(self, leeway: float) -> None:
        self.leeway = leeway
        self.failed: list[str] = []
        self.held_count = 0

    def check(self, what: str, value: float, sign: str, bound: float, count: int) -> str:
        if math.isnan(value):
            return "-  "
        room = self.leeway * math.sqrt(bound * (1 - bound) / count)
        holds = value >= bound - room if sign == ">=" else value <= bound + room
        self.held_count += holds
        if not holds:
            self.failed.append(f"{what}: {100 * value:.2f} %, not {sign} {100 * bound:.0f} %")
        return f"{100 * value:6.2f}{' ' if holds else '!'}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="enough that 3 % is told from 2.5 %")
    is_full = parser.parse_args().full
    counts, bounds = FULL if is_full else REDUCED, Bounds(0 if is_full else LEEWAY)
    print(f"coverage: {_drawn.PROMPTS} prompts, {_drawn.REPEATS} repeats, seed {SEED}; {counts}")
    print("spread: from run to run / of requests within a run; ! marks what does not hold", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(Results(Path(folder) / "results"))
        speeds(warehouse, counts, bounds)
        ratios(warehouse, counts, bounds)
        histories(warehouse, counts, bounds)
        headlines(warehouse, counts, bounds)
    print(
        f"\n{bounds.held_count} bounds hold, {len(bounds.failed)} do not"
        + "".join(f"\n  {one}" for one in bounds.failed)
    )
    return int(bool(bounds.failed))


# ---------------------------------------------------------------- speeds of configurations


def speeds(warehouse: Warehouse, counts: Counts, bounds: Bounds) -> None:
    print("\nlong-run speed of a configuration: 95 % intervals that hold it (2 and 4 runs >= 93 %, 1 run >= 92 %)")
    print(f"  {'spread':14}" + "".join(f"{title:>24}" for title in ("1 run, others 2", "2 runs", "4 runs")))
    for spread in SPREADS:
        told = []
        for runs, bound in ((1, 0.92), (2, 0.93), (4, 0.93)):
            found = list(of_configurations(warehouse, counts.speeds, spread, runs))
            share = bounds.check(f"speed, {spread}, {runs} runs", covering(found), ">=", bound, len(found))
            told.append(f"{share} ± {100 * math.expm1(np.median([one.margin for one in found])):.1f} % n={len(found)}")
        print(f"  {spread!s:14}" + "".join(f"{one:>24}" for one in told), flush=True)


def of_configurations(warehouse: Warehouse, count: int, spread: Spread, runs: int) -> Iterator[Found]:
    """Of one run: two models have one, the five others two."""
    kinds = [Pair("AB"), Pair("AB"), *[Pair("ABBA")] * 5] if runs == 1 else [Pair("AB" * runs)] * 7
    for number, size in enumerate(batches(count)):
        drawn = _drawn.draw(warehouse, chance(f"speeds {spread} {runs} {number}"), size, kinds, spread)
        known = {row["set_id"]: row for row in warehouse.rows(SPEEDS)}
        for ids, truth in ((drawn.a_ids, drawn.a_truth), (drawn.b_ids, drawn.b_truth)):
            for of_machine, true in zip(ids, truth, strict=True):
                for set_id, center in list(zip(of_machine, true, strict=True))[: 2 if runs == 1 else None]:
                    row = known[set_id]
                    yield Found(row["center"] - center, row["margin"], "", 1.0)


# ---------------------------------------------------------------- ratios


def ratios(warehouse: Warehouse, counts: Counts, bounds: Bounds) -> None:
    for drift in (0.0, DRIFT):
        told = f"{100 * drift:.0f} % linear drift" if drift else "no drift"
        print(f"\nratios, {told}: intervals that hold it (>= 93 %), faster at 1.03 (<= 3 %), other verdicts, in %")
        faster = "".join(f"{f'faster {ratio:.2f}':>13}" for ratio in RATIOS)
        others = f"{'1.00 equivalent':>17}{'slower 1.00':>13}"
        print(f"  {'order':8} {'spread':14}{'pairs':>7}{'held':>8}{'±':>7}{faster}{others}")
        over: dict[tuple[str, float], list[Found]] = defaultdict(list)
        for title, order in ORDERS.items():
            count = counts.drifting if drift else counts.twice if title == "twice" else counts.ratios
            for spread in SPREADS:
                found = list(of_pairs(warehouse, count, order, spread, drift))
                for one in found:
                    over[title, one.ratio].append(one)
                print(f"  {title:8} {spread!s:14}" + of_cell(found, f"{title}, {spread}, {told}", bounds), flush=True)
        print("  held by order and ratio, over all spreads:")
        for title in ORDERS:
            cells = [held(over[title, ratio], f"{title}, {ratio:.2f}, {told}", bounds) for ratio in RATIOS]
            print(f"  {title:8} {'':36}" + "".join(f"{cell:>13}" for cell in cells))


def of_cell(found: list[Found], what: str, bounds: Bounds) -> str:
    """One line: of an order and spreads."""
    if what.startswith("A B,"):
        decided = sum(one.verdict != "one run a side" for one in found) / len(found)
        bounds.check(f"{what}: a verdict of one run a side", decided, "<=", 0, len(found))
    faster = [f"{100 * said(found, ratio, 'a faster'):.2f} " if many(found, ratio) else "-  " for ratio in RATIOS]
    at_margin = said(found, 1.03, "a faster")
    faster[2] = bounds.check(f"{what}: faster at 1.03", at_margin, "<=", 0.03, many(found, 1.03))
    width = 100 * math.expm1(float(np.median([one.margin for one in found])))
    level, slower = (100 * said(found, 1.0, verdict) for verdict in ("equivalent", "b faster"))
    told = f"{len(found):7}{held(found, what, bounds):>8}{width:6.1f} "
    return told + "".join(f"{one:>13}" for one in faster) + f"{level:17.2f}{slower:13.2f}"


def held(found: list[Found], what: str, bounds: Bounds) -> str:
    """A B cannot know what a drift did to it: that is printed only."""
    if not found:
        return "-  "
    if what.startswith("A B,") and not what.endswith("no drift"):
        return f"{100 * covering(found):.2f} "
    return bounds.check(f"{what}: held", covering(found), ">=", 0.93, len(found))


def of_pairs(warehouse: Warehouse, count: int, order: str, spread: Spread, drift: float) -> Iterator[Found]:
    """Of A B: two models' runs go so, those of the five others there and back."""
    kinds = [tuple(pair) for pair in pairwise([*RATIOS, RATIOS[0]])] if order == "AB" else MIXED
    for number, size in enumerate(batches(count, len(kinds))):
        mixed = kinds[number % len(kinds)]
        pairs = [*(Pair(order, ratio) for ratio in mixed), *[Pair("ABBA")] * (7 - len(mixed))]
        luck = chance(f"ratios {order} {number} {spread} {drift}")
        drawn = _drawn.draw(warehouse, luck, size, pairs, spread, drift=drift)
        asked = [
            (a, b, ratio)
            for ours, theirs in zip(drawn.a_ids, drawn.b_ids, strict=True)
            for a, b, ratio in zip(ours, theirs, mixed, strict=False)  # the others are not asked for
        ]
        _drawn.compare(warehouse, [(a, b) for a, b, _ in asked])
        rows = warehouse.rows("select a_id, b_id, decode, decode_margin, verdict from pair_speed")
        known = {(row["a_id"], row["b_id"]): row for row in rows}
        for a, b, ratio in asked:
            row = known[a, b]
            yield Found(row["decode"] - math.log(ratio), row["decode_margin"], row["verdict"], ratio)


def many(found: Iterable[Found], ratio: float) -> int:
    return sum(one.ratio == ratio for one in found)


def said(found: Sequence[Found], ratio: float, verdict: str) -> float:
    """The share of a true ratio of which this is said."""
    count = many(found, ratio)
    return sum(one.verdict == verdict for one in found if one.ratio == ratio) / count if count else math.nan


# ---------------------------------------------------------------- histories


def histories(warehouse: Warehouse, counts: Counts, bounds: Bounds) -> None:
    print("\nhistories of five versions, two runs each, in %: a change where none is (<= 8), 5 % slower found (>= 80)")
    for models, title in ((1, "a machine's only configuration"), (14, "one of fourteen")):
        nothing = of_histories(warehouse, counts.histories, models, [1.0] * 5, 0.02)
        wrong = sum(bool({"faster", "regression"} & set(verdicts)) for verdicts in nothing) / len(nothing)
        slower = of_histories(warehouse, counts.histories, models, [1.0, 1.0, 1.0, 1.0, 0.95], 0.01)
        right = sum(verdicts[-1] == "regression" for verdicts in slower) / len(slower)
        false = bounds.check(f"history, {title}: a change", wrong, "<=", 0.08, len(nothing))
        found = bounds.check(f"history, {title}: found", right, ">=", 0.8, len(slower))
        print(f"  {title:32}{len(nothing):6} each: runs 2 % apart: false {false}; 1 % apart: found {found}", flush=True)


def of_histories(
    warehouse: Warehouse, count: int, models: int, versions: Sequence[float], between: float
) -> list[list[str]]:
    """What is said of each step of each history."""
    found: list[list[str]] = []
    pairs = [Pair("AA", 1.0, tuple(versions))] * models
    for number, size in enumerate(batches(-(-count // models))):
        luck = chance(f"histories {number} {models} {versions}")
        drawn = _drawn.draw(warehouse, luck, size, pairs, Spread(between, 0.01))
        _drawn.compare(
            warehouse,
            [
                (f"{own} v{place}", f"{own} v{place - 1}")
                for of_machine in drawn.a_ids
                for own in of_machine
                for place in range(2, len(versions) + 1)
            ],
            is_apart=False,
        )
        asked = "select list(verdict order by first_run_at) as said from runtime_history group by configuration_id"
        found += [row["said"][1:] for row in warehouse.rows(asked)]
    return found


# ---------------------------------------------------------------- headlines


def headlines(warehouse: Warehouse, counts: Counts, bounds: Bounds) -> None:
    print("\nheadlines in their own intervals: of outliers, cold first repeats, drift and few repeats")
    seen: Counter[str] = Counter()
    while seen["configurations"] < counts.headlines:
        number = seen["machines"]
        luck = chance(f"headlines {number}")
        kinds = [Pair(order) for order in luck.choice(["AB", "ABBA", "ABAB", "ABBAABBA"], 7)]
        size = 20
        _drawn.draw(
            warehouse,
            luck,
            size,
            kinds,
            Spread(*luck.choice([0.0, 0.003, 0.03], 2)),
            drift=luck.choice([0.0, 0.05, 0.2]),
            outlying=luck.choice([0.0, 0.1, 0.5]),
            cold=luck.choice([0.0, 0.05, 0.5]),
            prompts=int(luck.choice([1, 2, 5])),
            repeats=int(luck.choice([1, 2, 3, 5])),
        )
        seen["machines"] += size
        for kind, view in (("configurations", "run_summary"), ("runs", "runs")):
            for row in warehouse.rows(HEADLINES.format(view)):
                seen[kind] += 1
                seen["without interval"] += row["low"] is None
                seen["outside"] += row["low"] is not None and not row["low"] <= row["at"] <= row["high"]
                seen["outside"] += row["near"] is not None and not row["near"] <= row["at"] <= row["far"]
    outside = bounds.check("headlines outside", seen["outside"], "<=", 0, seen["configurations"])
    told = f"{seen['configurations']} configurations, {seen['runs']} runs, {seen['without interval']} without interval"
    print(f"  {told}: outside {outside}")


def covering(found: Sequence[Found]) -> float:
    """The share of intervals that hold the truth."""
    return float(np.mean([abs(one.off) <= one.margin for one in found])) if found else math.nan


def chance(name: str) -> np.random.Generator:
    """The same numbers for the same cell, whatever was drawn before it."""
    return np.random.default_rng([SEED, *name.encode()])


if __name__ == "__main__":
    sys.exit(main())
