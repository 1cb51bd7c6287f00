"""What the views have to say of rows of `tests.synthetic`, by NumPy and SciPy and from the definitions in words.

Nothing here reads the SQL: a run's headline, the complete table of runs and prompts that stands for a set, the variance
from run to run of a machine, an interval, a ratio, a verdict.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby, pairwise
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from scipy import optimize, stats

from tests.synthetic import Row

EXACT = 1e-9
LAST_DF = 120  # degrees of freedom from which on the table of chi-squared ends
MARGIN = math.log(1.03)
FIGURES = {"decode": "decode_tps", "ttft": "ttft_ms"}

Number = float | None
Cell = dict[int, float]  # a value a repeat
Table = dict[int, dict[str, Cell]]  # by run and prompt


class Spread(NamedTuple):
    """How far runs of a machine are apart: variance, the part of it that repeats explain, degrees of freedom."""

    variance: float
    noise: float
    degrees: int


class Speed(NamedTuple):
    """A set's speed on the logarithm, with half an interval."""

    center: float
    margin: Number
    within: Number
    kind: str | None
    runs: int
    prompts: int
    requests: int


class Ratio(NamedTuple):
    """One set over another on the logarithm."""

    center: Number
    margin: Number
    detectable: Number
    a_runs: int
    b_runs: int
    prompts: int
    requests: int
    is_pooled: bool


def by(rows: Iterable[Row], *columns: str) -> dict[tuple[Any, ...], list[Row]]:
    """Rows that agree in some columns."""

    def key(row: Row) -> tuple[Any, ...]:
        return tuple(str(getattr(row, column)) if column in TEXTS else getattr(row, column) for column in columns)

    return {values: list(same) for values, same in groupby(sorted(rows, key=key), key)}


LEGENDRE = np.polynomial.legendre.leggauss(600)
TEXTS = ("version", "system")  # may be None, which does not sort


@cache
def t_of(degrees: float, comparisons: int = 1) -> float:
    """For 95 %, two-sided, of the largest of so many comparisons, rounded up to a power of 2, that share a variance.

    The studentized maximum modulus: P(max |Z| / s <= t) = 95 %, where s^2 is a chi-squared over its degrees of freedom.
    """
    count = 2 ** math.ceil(math.log2(comparisons))
    if count == 1:
        return float(stats.t.isf(0.025, degrees))
    nodes, weights = LEGENDRE
    ends = [max(-45.0, math.log(stats.chi2.ppf(p, degrees) / degrees) / 2) for p in (1e-17, 1e-5)]
    ends.append(math.log(stats.chi2.isf(1e-17, degrees) / degrees) / 2)
    log_s = np.concatenate([(high - low) / 2 * nodes + (high + low) / 2 for low, high in pairwise(ends)])
    widths = np.concatenate([(high - low) * weights for low, high in pairwise(ends)])
    density = widths * np.exp(stats.chi2.logpdf(degrees * np.exp(2 * log_s), degrees) + 2 * log_s)
    density /= density.sum()

    def short(log_t: float) -> float:
        within = 1 - 2 * stats.norm.sf(np.exp(log_t + log_s))
        return float(np.sum(density * within**count)) - 0.95

    most = stats.t.isf(0.025 / count, degrees)  # Bonferroni's
    return math.exp(optimize.brentq(short, math.log(stats.t.isf(0.025, degrees)), math.log(most) + 1e-6, xtol=1e-14))


def price(count: int) -> float:
    """What a median's standard error is at most over a mean's."""
    return math.sqrt(math.pi / 2) if count > 2 else 1.0


# ---------------------------------------------------------------- sets of runs


def today(rows: Sequence[Row]) -> list[Row]:
    """The runs of a configuration under the engine of its newest run with a speed."""
    with_speed = {row.run for row in rows if row.decode_tps is not None}
    newest = max(rows, key=lambda row: (row.run in with_speed, row.run))
    return [row for row in rows if row.version == newest.version]


def versions(rows: Sequence[Row]) -> list[list[Row]]:
    """A configuration's runs under each set of versions, by time."""
    return sorted(by(rows, "version", "system").values(), key=lambda same: min(row.run for row in same))


def counted(rows: Sequence[Row], figure: str) -> Table:
    """Values that nothing speaks against."""
    table: Table = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        value = getattr(row, FIGURES[figure])
        if row.exclusion is None and value is not None:
            table[row.run][row.prompt][row.repeat] = value
    return table


def complete(rows: Sequence[Row], figure: str) -> Table:
    """The largest table of runs and prompts without a gap, prompts that most runs have first.

    What an interrupted run lacks decides nothing, unless all are.
    """
    table = counted(rows, figure)
    interrupted = {row.run for row in rows if row.is_interrupted}
    voting = [run for run in table if run not in interrupted] or list(table)
    votes = Counter({prompt: 0 for prompts in table.values() for prompt in prompts})
    votes.update(prompt for run in voting for prompt in table[run])
    order = sorted(votes, key=lambda prompt: (-votes[prompt], prompt))

    def having(runs: Iterable[int], count: int) -> list[int]:
        return [run for run in runs if all(prompt in table[run] for prompt in order[:count])]

    sizes = [
        (count * len(runs), len(runs), count) for count in range(1, len(order) + 1) if (runs := having(voting, count))
    ]
    count = max(sizes)[2] if sizes else 0
    return {run: {prompt: table[run][prompt] for prompt in order[:count]} for run in having(table, count) if count}


def headline(prompts: dict[str, Cell]) -> tuple[float, Number, int]:
    """Of a run: mean over prompts of ln(median over repeats), its squared error by the repeats, degrees of freedom."""
    cells = [np.array(list(cell.values())) for cell in prompts.values()]
    errors = [np.var(np.log(cell), ddof=1) / len(cell) * price(len(cell)) ** 2 for cell in cells if len(cell) > 1]
    center = float(np.mean(np.log([median(cell) for cell in cells])))
    return center, (float(sum(errors)) / len(errors) ** 2 if errors else None), sum(len(cell) - 1 for cell in cells)


def spread(rows: Sequence[Row], figure: str) -> Spread | None:
    """Of a machine: one variance over all its configurations, of runs under the same versions."""
    squares = noise = 0.0
    degrees = noisy = 0
    for same in by(rows, "runtime", "model").values():
        for group in versions(same):
            runs = [headline(prompts) for prompts in complete(group, figure).values()]
            if len(runs) < 2:
                continue
            squares += float(np.sum((np.array([run[0] for run in runs]) - np.mean([run[0] for run in runs])) ** 2))
            degrees += len(runs) - 1
            known = [run[1] for run in runs if run[1] is not None]
            if known:
                noise += float(np.mean(known)) * (len(runs) - 1)
                noisy += len(runs) - 1
    return Spread(squares / degrees, noise / noisy if noisy else 0.0, degrees) if degrees else None


def speed(rows: Sequence[Row], figure: str, pooled: Spread | None) -> Speed | None:
    """Of a set of runs: t s / sqrt(n), and at least what repeats say."""
    table = complete(rows, figure)
    if not table:
        return None
    runs = [headline(prompts) for prompts in table.values()]
    known = [run[1] for run in runs if run[1] is not None]
    within = between = None
    if known:
        within = math.sqrt(sum(known)) / len(known) * t_of(sum(run[2] for run in runs))
    if pooled:
        between = t_of(pooled.degrees) * math.sqrt(pooled.variance / len(runs))
    requests = sum(len(cell) for prompts in table.values() for cell in prompts.values())
    return Speed(
        center=float(np.mean([run[0] for run in runs])),
        margin=within if between is None else max(between, within or 0.0),
        within=within,
        kind="between runs" if pooled else "within this run" if known else None,
        runs=len(runs),
        prompts=len(next(iter(table.values()))),
        requests=requests,
    )


# ---------------------------------------------------------------- ratios


class Side(NamedTuple):
    """A prompt of a set: logarithms a repeat, of whole answers and of their first 256 tokens, and how long they are."""

    whole: dict[int, list[float]]
    early: dict[int, list[float]]
    tokens: float


def sides(rows: Sequence[Row], figure: str) -> tuple[int, dict[str, Side]]:
    """How many runs stand for a set, and its prompts."""
    table = complete(rows, figure)
    found = {}
    for (prompt,), same in by([row for row in rows if row.exclusion is None], "prompt").items():
        mine = [row for row in same if prompt in table.get(row.run, {})]
        if not mine:
            continue
        whole, early, lengths = defaultdict(list), defaultdict(list), defaultdict(list)
        for row in mine:
            lengths[row.repeat].append(row.tokens)
            if (value := getattr(row, FIGURES[figure])) is not None:
                whole[row.repeat].append(math.log(value))
            if row.early_tps is not None:
                early[row.repeat].append(math.log(row.early_tps))
        found[prompt] = Side(whole, early, float(median([median(some) for some in lengths.values()])))
    return len(table), found


def ratio(
    a: Sequence[Row],
    b: Sequence[Row],
    figure: str,
    pooled: Spread | None,
    *,
    is_apart: bool = True,
    comparisons: int = 1,
) -> Ratio | None:
    """One set over another: paired by prompt and repeat, with what prompts and what runs may put it off by."""
    (a_runs, ours), (b_runs, theirs) = sides(a, figure), sides(b, figure)
    if not ours.keys() & theirs.keys():
        return None
    ratios, requests = [], 0
    for prompt in ours.keys() & theirs.keys():
        x, y = ours[prompt], theirs[prompt]
        is_early = figure == "decode" and max(x.tokens / y.tokens, y.tokens / x.tokens) > 1.2
        left, right = (x.early, y.early) if is_early else (x.whole, y.whole)
        both = left.keys() & right.keys()
        if both:
            ratios.append(float(np.mean([np.mean(left[repeat]) - np.mean(right[repeat]) for repeat in both])))
            requests += sum(len(left[repeat]) + len(right[repeat]) for repeat in both)
    if not ratios:
        return Ratio(None, None, None, a_runs, b_runs, 0, 0, pooled is not None)
    share = 1 / a_runs + 1 / b_runs
    part = float(np.var(ratios, ddof=1)) / len(ratios) if len(ratios) > 1 else None
    variance, degrees = part, float(len(ratios) - 1)
    if pooled and not is_apart:
        variance, degrees = max(pooled.variance, pooled.noise) * share, float(pooled.degrees)
        if part is not None and part > variance:
            variance, degrees = part, float(len(ratios) - 1)
    elif pooled and part is not None:
        variance = part + max(pooled.variance - pooled.noise, 0) * share
        parts = part**2 / (len(ratios) - 1) + (pooled.variance * share) ** 2 / pooled.degrees
        degrees = max(variance**2 / parts, 1) if parts else 1
    margin = detectable = None
    if variance is not None:
        margin = math.sqrt(variance) * t_of(degrees, comparisons)
        detectable = math.exp(math.sqrt(variance) * (t_of(degrees) + stats.t.ppf(0.8, degrees))) - 1
    return Ratio(float(np.mean(ratios)), margin, detectable, a_runs, b_runs, len(ratios), requests, pooled is not None)


def drift(rows: Sequence[Row]) -> float:
    """Mean over prompts of ln(last run / first run), 0 where there is none."""
    table = counted(rows, "decode")
    first, last = table[min(table)] if table else {}, table[max(table)] if table else {}
    both = first.keys() & last.keys()
    logs = [float(np.mean(np.log(list(last[p].values()))) - np.mean(np.log(list(first[p].values())))) for p in both]
    return float(np.mean(logs)) if len(table) > 1 and logs else 0.0


def verdict(found: Ratio | None, above: str, below: str, drifts: Sequence[float] = ()) -> str:
    """In words. None by one run a side, by repeats alone, or of no more than what a side changed by itself."""
    if found is None or found.center is None:
        return "not comparable"
    largest = max(map(abs, drifts), default=0.0)
    if largest > MARGIN and abs(found.center) <= largest:
        return "inconclusive"
    if max(found.a_runs, found.b_runs) < 2:
        return "one run a side"
    return by_interval(found.center, found.margin if found.is_pooled else None, above, below)


def wait_verdict(found: Ratio | None, above: str, below: str) -> str:
    """The same of a TTFT: half as long again by the whole interval is told of one run a side too."""
    if found is None or found.center is None:
        return "not comparable"
    is_long = abs(found.center) - (math.inf if found.margin is None else found.margin) > math.log(1.5)
    if is_long and max(found.a_runs, found.b_runs) < 2:
        return above if found.center > 0 else below
    return verdict(found, above, below)


def by_interval(center: float, margin: Number, above: str, below: str) -> str:
    if margin is None:
        return "inconclusive"
    low, high = center - margin, center + margin
    if low > MARGIN:
        return above
    if high < -MARGIN:
        return below
    if low > -MARGIN and high < MARGIN:
        return "equivalent"
    return "small difference" if low > 0 or high < 0 else "inconclusive"


def change(found: Ratio | None) -> str:
    """Of two versions of one configuration: any change that the interval tells from none."""
    if found is None or found.center is None:
        return "not comparable"
    if max(found.a_runs, found.b_runs) < 2:
        return "one run a side"
    if not found.is_pooled or found.margin is None:
        return "inconclusive"
    if found.center - found.margin > 0:
        return "faster"
    if found.center + found.margin < 0:
        return "regression"
    return "equivalent" if by_interval(found.center, found.margin, "", "") == "equivalent" else "inconclusive"


# ---------------------------------------------------------------- comparing


def ends(center: Number, margin: Number) -> list[Number]:
    """A figure with both ends of its interval."""
    if center is None:
        return [None, None, None]
    return [
        math.exp(center),
        *([None, None] if margin is None else [math.exp(center - margin), math.exp(center + margin)]),
    ]


def same(found: Sequence[Number], expected: Sequence[Number]) -> bool:
    """Equal to 1e-9, and NULL where there is none."""
    return all(
        known is value
        or (known is not None and value is not None and math.isclose(known, value, rel_tol=EXACT, abs_tol=1e-12))
        for known, value in zip(found, expected, strict=True)
    )
