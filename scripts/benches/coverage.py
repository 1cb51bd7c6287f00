"""How often a 95 % interval of MLX over llama.cpp holds the truth, and what is said where there is no difference.

Data sets of 7 prompts with 5 repeats each, normal on the logarithm, through the site's own views. CV is the spread of
requests, prompt spread that of the true ratio from prompt to prompt; the truth is the ratio for prompts like these.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from collector.schema import Results
from site_src.warehouse import Warehouse
from tests.synthetic import fill, two_sides

SEED = 20261122
RATIO = 1.25
VERDICTS = ("equivalent", "small difference", "inconclusive", "MLX faster", "llama.cpp faster")


class Spread(NamedTuple):
    """How far requests of one prompt are apart, and prompts' true ratios."""

    noise: float
    prompts: float

    def __str__(self) -> str:
        return f"CV {100 * self.noise:.0f} %, prompt spread {100 * self.prompts:.0f} %"


SPREADS = tuple(Spread(noise, prompts) for noise in (0.01, 0.03) for prompts in (0.0, 0.01, 0.03))
QUIET = tuple(spread for spread in SPREADS if max(spread) <= 0.01)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="5,000 data sets of each kind instead of 500")
    count = 5000 if parser.parse_args().full else 500
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(Results(Path(folder)))
        print(f"coverage: {count:,} data sets of each kind, 7 prompts, 5 repeats, seed {SEED}\n")
        print(f"true ratio {RATIO}: nominal 95 % intervals that hold it")
        for spread in SPREADS:  # one after the other: a kind is a third of a million requests
            [(_, rows)] = asked(warehouse, [spread], count, RATIO)
            held = holding(rows, RATIO)
            print(f"  {spread!s:28} {held:>5} of {len(rows)}   {100 * held / len(rows):5.1f} %", flush=True)
        print("\ntrue ratio 1: verdicts")
        print(" " * 30 + "".join(f"{verdict:>18}" for verdict in VERDICTS))
        for spread in QUIET:
            [(_, rows)] = asked(warehouse, [spread], count, 1.0)
            counts = Counter(row["verdict"] for row in rows)
            print(f"  {spread!s:28}" + "".join(f"{counts.pop(verdict, 0):>18}" for verdict in VERDICTS), *counts or "")


def asked(
    warehouse: Warehouse, spreads: Iterable[Spread], count: int, ratio: float
) -> Iterator[tuple[Spread, list[dict[str, Any]]]]:
    """What framework_delta says of so many data sets of each kind."""
    names = {str(number): spread for number, spread in enumerate(spreads)}
    fill(
        warehouse,
        (
            row
            for name, spread in names.items()
            for chance in [Random(f"{SEED} {spread}")]  # the same sets whichever kinds are asked for together
            for number in range(count)
            for row in two_sides(chance, f"{name}:{number}", ratio=ratio, noise=spread.noise, spread=spread.prompts)
        ),
    )
    rows = warehouse.rows("from framework_delta")
    for name, spread in names.items():
        yield spread, [row for row in rows if row["machine"].partition(":")[0] == name]


def holding(rows: list[dict[str, Any]], ratio: float) -> int:
    """How many intervals hold the truth."""
    return sum(row["decode_tps_ratio_low"] <= ratio <= row["decode_tps_ratio_high"] for row in rows)


if __name__ == "__main__":
    main()
