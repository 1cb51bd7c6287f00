"""How much people prefer each build: Bradley–Terry strengths from votes; the mart `preference_strength` shows them.

P(a is preferred to b) = 1 / (1 + e^(strength of b - strength of a)); a tie, or both bad, is half a win for each. Each
build also has one virtual tie with a build of strength 0, so that one that won every vote stays finite: a generalized
logistic prior of type III with η = ½ (Whelan 2017, "Prior Distributions for the Bradley-Terry Model of Paired
Comparisons", arXiv:1712.05311). Strengths of builds that no chain of votes connects are not compared: each connected
component is a fit of its own, with mean 0.

The votes of one person on one prompt are not independent. The interval is the 2.5 to 97.5 % of fits to resampled groups
of them (a bootstrap), but never narrower than what the curvature of the likelihood gives for independent votes, because
all resamples of an undivided vote are the same. Fewer than five groups give none.

Votes come in any order and with either side as a: the same votes give the same digits.
"""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

RESAMPLES, SEED = 1000, 512
FEWEST_GROUPS = 5
LOW, HIGH, Z = 0.025, 0.975, 1.959963984540054
VIRTUAL_TIES = 1
# A step no longer than this always leads uphill: along it the curvature cannot grow by more than e^(2 · ½).
LONGEST_STEP, TINY_STEP, MOST_STEPS = 0.5, 1e-9, 1000


@dataclass(frozen=True, order=True)
class Vote:
    """One choice of two builds' outputs. `a_score`: 1 for a, 0 for b, ½ for neither."""

    a: str
    b: str
    a_score: float
    prompt: str
    voter: str


@dataclass(frozen=True)
class Strength:
    """One build's. `component`: the first build by name of those that votes connect it with."""

    build: str
    component: str
    strength: float
    low: float | None
    high: float | None
    group_count: int


@dataclass
class Score:
    """Of one pair of builds, by their places: what the first of them got of how many votes. Halves: sums are exact."""

    first: int
    second: int
    won: float = 0.0
    votes: int = 0


Scores = dict[tuple[int, int], Score]
Matrix = list[list[float]]


def strengths(votes: Iterable[Vote], resamples: int | None = None) -> list[Strength]:
    """The strength of every build that has a vote, by component and name."""
    count = RESAMPLES if resamples is None else resamples
    cast = [vote if vote.a < vote.b else _turned(vote) for vote in votes if vote.a != vote.b]
    found = []
    for builds in _components(cast):
        among = set(builds)
        found += _of_component(builds, [vote for vote in cast if vote.a in among], count)
    return found


def _turned(vote: Vote) -> Vote:
    return Vote(vote.b, vote.a, 1 - vote.a_score, vote.prompt, vote.voter)


def _components(votes: Sequence[Vote]) -> list[list[str]]:
    """Builds that votes connect, sorted."""
    of: dict[str, set[str]] = {}
    for vote in votes:
        joined = of.get(vote.a, {vote.a}) | of.get(vote.b, {vote.b})
        of |= dict.fromkeys(joined, joined)
    return sorted({tuple(sorted(builds)): sorted(builds) for builds in of.values()}.values())


def _of_component(builds: list[str], votes: list[Vote], resamples: int) -> list[Strength]:
    place = {build: number for number, build in enumerate(builds)}
    groups: dict[tuple[str, str], Scores] = {}
    members: dict[str, set[tuple[str, str]]] = {build: set() for build in builds}
    for vote in votes:
        key = (vote.prompt, vote.voter)
        _add(groups.setdefault(key, {}), place[vote.a], place[vote.b], vote.a_score, 1)
        members[vote.a].add(key)
        members[vote.b].add(key)
    ordered = [groups[key] for key in sorted(groups)]
    size = len(builds)
    scores = _together(ordered, [1] * len(ordered)).values()
    best = fit(size, scores)
    center, margins = _centered(best), _margins(best, scores)
    fits = list(_bootstrap(size, ordered, best, resamples)) if len(ordered) >= FEWEST_GROUPS else []
    found = []
    for number, build in enumerate(builds):
        low = high = None
        if fits and len(members[build]) >= FEWEST_GROUPS:
            values = sorted(one[number] for one in fits)
            low = min(_quantile(values, LOW), center[number] - margins[number])
            high = max(_quantile(values, HIGH), center[number] + margins[number])
        found.append(Strength(build, builds[0], center[number], low, high, len(members[build])))
    return found


def _add(scores: Scores, first: int, second: int, won: float, votes: int) -> None:
    score = scores.setdefault((first, second), Score(first, second))
    score.won += won
    score.votes += votes


def _together(groups: Sequence[Scores], times: Sequence[int]) -> Scores:
    """All groups in one, each so many times."""
    scores: Scores = {}
    for group, often in zip(groups, times, strict=True):
        if often:
            for score in group.values():
                _add(scores, score.first, score.second, often * score.won, often * score.votes)
    return dict(sorted(scores.items()))


def _bootstrap(size: int, groups: Sequence[Scores], start: Sequence[float], resamples: int) -> Iterable[list[float]]:
    chance = random.Random(SEED)
    for _ in range(resamples):
        times = [0] * len(groups)
        for drawn in chance.choices(range(len(groups)), k=len(groups)):
            times[drawn] += 1
        yield _centered(fit(size, _together(groups, times).values(), start))


def fit(size: int, scores: Iterable[Score], start: Sequence[float] | None = None) -> list[float]:
    """Strengths that make these scores and the virtual ties most likely, by Newton's method; not yet centered."""
    known = list(scores)
    theta = list(start) if start else [0.0] * size
    for _ in range(MOST_STEPS):
        gradient, curvature = _slopes(theta, known)
        step = _solved(curvature, gradient)
        longest = max(map(abs, step))
        scale = min(1.0, LONGEST_STEP / longest) if longest else 1.0
        theta = [value + scale * change for value, change in zip(theta, step, strict=True)]
        if longest < TINY_STEP:
            break
    return theta


def _slopes(theta: Sequence[float], scores: Iterable[Score]) -> tuple[list[float], Matrix]:
    """First derivatives of the penalized log-likelihood, and the second ones with their sign turned."""
    size = len(theta)
    gradient, curvature = [0.0] * size, [[0.0] * size for _ in range(size)]
    for number, value in enumerate(theta):
        share = _logistic(value)
        gradient[number] = VIRTUAL_TIES * (0.5 - share)
        curvature[number][number] = VIRTUAL_TIES * share * (1 - share)
    for score in scores:
        first, second = score.first, score.second
        share = _logistic(theta[first] - theta[second])
        surplus, bend = score.won - score.votes * share, score.votes * share * (1 - share)
        gradient[first] += surplus
        gradient[second] -= surplus
        curvature[first][first] += bend
        curvature[second][second] += bend
        curvature[first][second] -= bend
        curvature[second][first] -= bend
    return gradient, curvature


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def _solved(matrix: Matrix, right: Sequence[float]) -> list[float]:
    """Solution of a system of equations; such a matrix is positive definite and needs no pivots."""
    size = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for column in range(size):
        pivot = rows[column]
        for row in rows[column + 1 :]:
            if row[column]:
                factor = row[column] / pivot[column]
                for place in range(column, size + 1):
                    row[place] -= factor * pivot[place]
    solution = [0.0] * size
    for number in reversed(range(size)):
        known = sum(rows[number][place] * solution[place] for place in range(number + 1, size))
        solution[number] = (rows[number][size] - known) / rows[number][number]
    return solution


def _margins(theta: Sequence[float], scores: Iterable[Score]) -> list[float]:
    """Half the 95 % interval of each centered strength, by the curvature, as if votes were independent."""
    size = len(theta)
    _, curvature = _slopes(theta, scores)
    inverse = [_solved(curvature, [float(row == column) for row in range(size)]) for column in range(size)]
    means = [sum(row) / size for row in inverse]
    overall = sum(means) / size
    variances = [inverse[number][number] - 2 * means[number] + overall for number in range(size)]
    return [Z * math.sqrt(max(0.0, variance)) for variance in variances]


def _centered(theta: Sequence[float]) -> list[float]:
    mean = sum(theta) / len(theta)
    return [value - mean for value in theta]


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Of sorted values, with a straight line between neighbors."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
