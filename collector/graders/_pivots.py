"""Is what was compared a quicksort's? Each part of the list has a pivot, with which all of it is compared first.

Whatever the scheme of partition, a quicksort compares all numbers of a part with one (or, with two pivots, each with
one or both as its side demands), and then never again a number of one side with one of another. Sorts by merging,
inserting, exchanging, selecting, by heaps, trees or digits do not, on lists in random order.
"""

import math
from collections.abc import Iterable
from itertools import combinations, pairwise

from collector.graders._asked import Compared

LEAF = 32  # parts that a quicksort may leave to another sort of its own
SAMPLE = 5  # numbers that it may have sorted for it, to choose a pivot
BEFORE = 2.0  # comparisons for each number of a part, before it is split: a sample, a look whether it is sorted already
AFTER = 0.1  # and across its sides afterwards
MOST_COST = 2.5  # times the comparisons that are expected, so that extremes are not its usual pivots
LIKELY = 0.3  # of a part, which at least one of two pivots meets

Pair = tuple[float, float]
Times = dict[float, dict[float, int]]  # of each number, with which it was compared, and when first


def why_none(numbers: Iterable[int], compared: list[Compared]) -> str | None:
    """Why these comparisons are not a quicksort's, in words; None: they are."""
    part: list[float] = sorted(numbers)
    times: Times = {}
    for number, (first, second, _) in enumerate(compared):
        if first != second:
            times.setdefault(first, {}).setdefault(second, number)
            times.setdefault(second, {}).setdefault(first, number)
    most = MOST_COST * (2 * (len(part) + 1) * sum(1 / n for n in range(1, len(part) + 1)) - 4 * len(part))
    todo, cost, explained = [part], 0, set[Pair]()
    while todo:
        part = todo.pop()
        pivots = _pivots(part, times)
        is_split = pivots is not None and not _strays_too_much(part, pivots, times)
        if pivots is None or not is_split:
            if len(part) <= LEAF:
                continue
            if pivots is None:
                return "it compares no number with all others, as a pivot is"
            return "it goes on comparing numbers from both sides of what could be a pivot"
        explained |= {_pair(pivot, one) for pivot in pivots for one in part}
        todo += [side for side in _sides(part, pivots) if len(side) > 1]
        cost += len(part)
        if cost > most:
            return "it takes the least or the largest for its pivot, as a sort by selection does"
    count = _by_library([one for one in compared if _pair(one.first, one.second) not in explained])
    return f"it has {count} numbers sorted by a sort that is not its own" if count else None


def _strays_too_much(part: list[float], pivots: tuple[float, ...], times: Times) -> bool:
    done = max(times[pivot].get(one, 0) for pivot in pivots for one in part if one != pivot)
    before, after = _strays(part, pivots, times, done)
    return before > BEFORE * len(part) + 12 or after > AFTER * len(part) + 3


def _pivots(part: list[float], times: Times) -> tuple[float, ...] | None:
    """One number, in the part or between, that all of it was compared with, and first; else two that share the work."""
    inside = set(part)
    met = {one: inside.intersection(times[one]) for one in times if part[0] <= one <= part[-1]}
    full = [one for one in met if len(met[one]) == len(inside) - (one in inside)]
    if full:
        return (min(full, key=lambda one: max(times[one][other] for other in met[one])),)
    likely = sorted(one for one in met if len(met[one]) >= LIKELY * len(part))
    for low, high in combinations(likely, 2):
        if all(
            one in (low, high)
            or (one in met[low] if one < low else one in met[high] if one > high else one in met[low] & met[high])
            for one in part
        ):
            return low, high
    return None


def _strays(part: list[float], pivots: tuple[float, ...], times: Times, done: int) -> tuple[int, int]:
    """Pairs without a pivot, compared before the part was split; and afterwards, across its sides.

    A second number that meets all others is a second pivot, of a partition in several passes.
    """
    before = after = 0
    side = {one: sum(one > pivot for pivot in pivots) for one in part if one not in pivots}
    if second := next((one for one in side if len(side.keys() - times.get(one, {}).keys()) == 1), None):
        del side[second]
    for one, own in side.items():
        for other, when in times.get(one, {}).items():
            if one < other and other in side:
                before += when < done
                after += when >= done and side[other] != own
    return before, after


def _sides(part: list[float], pivots: tuple[float, ...]) -> list[list[float]]:
    edges = (-math.inf, *sorted(pivots), math.inf)
    return [[one for one in part if low < one < high] for low, high in pairwise(edges)]


def _by_library(compared: list[Compared]) -> int:
    """Numbers in the largest group that was sorted for it: what hangs together within one stretch of comparisons."""
    largest, stretch = 0, list[Compared]()
    for one in (*compared, None):
        if one and one.by_library:
            stretch.append(one)
        elif stretch:
            largest = max(largest, *map(_sorted_count, _groups(stretch)))
            stretch = []
    return largest


def _groups(stretch: list[Compared]) -> list[set[Pair]]:
    """The pairs of a stretch, by what hangs together."""
    group_of: dict[float, set[Pair]] = {}
    for first, second, _ in stretch:
        one, other = group_of.get(first, set()), group_of.get(second, set())
        both = one | other | {_pair(first, second)}
        for pair in both:
            group_of |= dict.fromkeys(pair, both)
    return list({id(group): group for group in group_of.values()}.values())


def _pair(one: float, other: float) -> Pair:
    return (one, other) if one < other else (other, one)


def _sorted_count(pairs: set[Pair]) -> int:
    """How many numbers these comparisons put in order; 0: so few, or all with one of them, or as the least is found."""
    numbers = sorted({number for pair in pairs for number in pair})
    if len(numbers) <= SAMPLE or any(all(one in pair for pair in pairs) for one in numbers):
        return 0
    neighbours = all(pair in pairs for pair in pairwise(numbers))  # known only when all is sorted
    return len(numbers) if neighbours else 0
