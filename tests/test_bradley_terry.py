"""Bradley–Terry strengths: against a fit by SciPy, planted strengths, and what votes of few people and prompts are."""

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

from site_src import bradley_terry
from site_src.bradley_terry import Strength, Vote, strengths

FEW = 100  # resamples where their number decides nothing


def votes_of(
    a: str, b: str, won: int, of: int, prompts: Iterable[str] = ("p",), voters: Iterable[str] = ("v",)
) -> list[Vote]:
    """So many votes on two builds, of which a won some; of every prompt and voter in turn."""
    groups = [(prompt, voter) for prompt in prompts for voter in voters]
    return [Vote(a, b, float(number < won), *groups[number % len(groups)]) for number in range(of)]


def drawn(truth: dict[str, float], prompts: int, voters: int, seed: int = 0, ties: float = 0.0) -> list[Vote]:
    """A vote of each voter on each pair and prompt, by the model itself."""
    chance, builds = random.Random(seed), sorted(truth)
    return [
        Vote(a, b, 0.5 if chance.random() < ties else float(chance.random() < share), f"p{prompt}", f"v{voter}")
        for number, a in enumerate(builds)
        for b in builds[number + 1 :]
        for share in [1 / (1 + math.exp(truth[b] - truth[a]))]
        for prompt in range(prompts)
        for voter in range(voters)
    ]


def by_build(votes: list[Vote], resamples: int = FEW) -> dict[str, Strength]:
    return {one.build: one for one in strengths(votes, resamples)}


def width(strength: Strength) -> float:
    assert strength.low is not None
    assert strength.high is not None
    return strength.high - strength.low


def by_scipy(votes: list[Vote]) -> dict[str, float]:
    """The same likelihood with the same virtual ties, by another hand; centered."""
    builds = sorted({build for vote in votes for build in (vote.a, vote.b)})
    place = {build: number for number, build in enumerate(builds)}

    def loss(theta: np.ndarray) -> float:
        total = sum(0.5 * (np.logaddexp(0, -value) + np.logaddexp(0, value)) for value in theta)
        for vote in votes:
            lead = theta[place[vote.a]] - theta[place[vote.b]]
            total += vote.a_score * np.logaddexp(0, -lead) + (1 - vote.a_score) * np.logaddexp(0, lead)
        return float(total)

    found = optimize.minimize(loss, np.zeros(len(builds)), method="BFGS", options={"gtol": 1e-9, "maxiter": 1000})
    return {build: float(found.x[place[build]] - found.x.mean()) for build in builds}


@pytest.mark.parametrize(
    "votes",
    [
        drawn({"a": 1.0, "b": 0.0, "c": -0.5, "d": -2.0}, 4, 2, ties=0.2),
        votes_of("a", "b", 10, 10),
        votes_of("a", "b", 3, 10) + votes_of("b", "c", 9, 9) + votes_of("c", "a", 1, 2),
        [Vote("a", "b", 0.5, "p", "v")],
    ],
    ids=["drawn", "all won", "a circle", "a tie"],
)
def test_the_fit_is_scipys(votes: list[Vote]) -> None:
    expected = by_scipy(votes)
    found = by_build(votes)
    assert found.keys() == expected.keys()
    assert {build: found[build].strength for build in found} == pytest.approx(expected, abs=1e-6)


def test_two_builds_have_the_log_odds_of_their_wins_and_one_virtual_tie_each() -> None:
    """By hand: θa = -θb = x; 7 - 10 σ(2x) + ½ - σ(x) = 0."""
    x = by_build(votes_of("a", "b", 7, 10))["a"].strength
    assert 7 - 10 / (1 + math.exp(-2 * x)) + 0.5 - 1 / (1 + math.exp(-x)) == pytest.approx(0, abs=1e-12)


def test_planted_strengths_are_found_again() -> None:
    truth = {"a": 1.4, "b": 0.6, "c": 0.0, "d": -0.7, "e": -1.3}
    found = by_build(drawn(truth, prompts=10, voters=6), 300)
    for build, value in truth.items():
        assert found[build].strength == pytest.approx(value, abs=0.35)
    assert all(0.2 < width(one) < 1.2 for one in found.values())


@pytest.mark.parametrize("seed", range(3))
def test_intervals_cover_about_as_often_as_they_say(seed: int) -> None:
    """Forty drawings of four builds."""
    truth = {"a": 0.8, "b": 0.2, "c": -0.2, "d": -0.8}
    covering = [
        one.low <= truth[one.build] <= one.high
        for number in range(40)
        for one in strengths(drawn(truth, prompts=7, voters=2, seed=1000 * seed + number), FEW)
        if one.low is not None and one.high is not None
    ]
    assert len(covering) == 160
    assert sum(covering) >= 0.88 * 160


# ---------------------------------------------------------------- the same votes give the same digits


def shuffled(votes: list[Vote], seed: int) -> list[Vote]:
    return random.Random(seed).sample(votes, len(votes))


def with_sides_turned(votes: list[Vote], seed: int) -> list[Vote]:
    chance = random.Random(seed)
    return [
        Vote(vote.b, vote.a, 1 - vote.a_score, vote.prompt, vote.voter) if chance.random() < 0.5 else vote
        for vote in votes
    ]


@pytest.mark.parametrize("change", [shuffled, with_sides_turned])
def test_order_and_sides_change_no_digit(change: Callable[[list[Vote], int], list[Vote]]) -> None:
    votes = drawn({"a": 1.0, "b": 0.3, "c": -0.2, "d": -2.0}, 4, 2, ties=0.3)
    expected = strengths(votes, FEW)
    assert all(strengths(change(votes, seed), FEW) == expected for seed in range(3))


def test_votes_elsewhere_change_no_digit() -> None:
    votes, elsewhere = votes_of("c", "d", 6, 10, "12345"), votes_of("a", "b", 9, 10, "12345")
    assert strengths(elsewhere + votes, FEW)[2:] == strengths(votes, FEW)


def test_whoever_wins_what_the_other_lost_stands_where_the_other_stood() -> None:
    votes = drawn({"a": 1.0, "b": 0.3, "c": -1.0}, 6, 2)
    turned = by_build([replace(vote, a_score=1 - vote.a_score) for vote in votes])
    for build, one in by_build(votes).items():
        other = turned[build]
        assert one.low is not None and one.high is not None and other.low is not None and other.high is not None
        assert (one.strength, one.low, one.high) == pytest.approx((-other.strength, -other.high, -other.low))


def test_a_tie_is_half_a_win_for_each() -> None:
    ties = [Vote("a", "b", 0.5, f"p{number}", "v") for number in range(8)]
    halves = votes_of("a", "b", 4, 8, [f"p{number}" for number in range(8)])
    assert by_build(ties)["a"].strength == pytest.approx(0, abs=1e-12)
    assert by_build(ties)["a"].strength == pytest.approx(by_build(halves)["a"].strength)


# ---------------------------------------------------------------- few votes, and votes that hang together


def test_one_prompt_voted_on_often_says_less_than_many_prompts() -> None:
    """The same share of 50 votes: by five people who each say one thing, or of as many on each of ten prompts."""
    one = votes_of("a", "b", 0, 0)
    for voter, likes in zip("vwxyz", (1, 1, 1, 0, 0), strict=True):
        one += votes_of("a", "b", 10 * likes, 10, ["p"], [voter])
    ten = [vote for prompt in range(10) for vote in votes_of("a", "b", 3, 5, [f"p{prompt}"])]
    few, many = by_build(one)["a"], by_build(ten)["a"]
    assert few.strength == pytest.approx(many.strength)
    assert width(few) > 1.5 * width(many)
    assert (few.group_count, many.group_count) == (5, 10)


def test_one_person_on_one_prompt_gives_no_interval_however_often() -> None:
    found = by_build(votes_of("a", "b", 30, 50))["a"]
    assert (found.low, found.high, found.group_count) == (None, None, 1)
    assert found.strength > 0


def test_five_groups_of_a_build_give_an_interval_and_four_do_not() -> None:
    votes = votes_of("a", "b", 3, 5, "12345") + votes_of("b", "c", 3, 4, "1234")
    found = by_build(votes)
    assert [found[build].low is not None for build in "abc"] == [True, True, False]
    assert [found[build].group_count for build in "abc"] == [5, 5, 4]


def test_who_won_every_vote_stays_finite_and_unsure() -> None:
    found = by_build(votes_of("a", "b", 10, 10, "1234567"))
    assert 0 < found["a"].strength < 5
    assert width(found["a"]) > 1  # all resamples are alike, which does not make ten votes certain
    more = by_build(votes_of("a", "b", 1000, 1000, "1234567"))
    assert found["a"].strength < more["a"].strength < 10


def test_a_chain_of_votes_connects_and_nothing_else_does() -> None:
    chain = votes_of("a", "b", 3, 4) + votes_of("c", "b", 1, 4)
    apart = votes_of("y", "x", 4, 4)
    found = by_build(chain + apart)
    assert {build: one.component for build, one in found.items()} == {**dict.fromkeys("abc", "a"), "x": "x", "y": "x"}
    for component in ("abc", "xy"):
        assert sum(found[build].strength for build in component) == pytest.approx(0, abs=1e-12)


def test_two_chains_that_meet_late_are_one() -> None:
    votes = [*votes_of("a", "b", 1, 1), *votes_of("c", "d", 1, 1), *votes_of("d", "a", 1, 1)]
    assert {one.component for one in strengths(votes, FEW)} == {"a"}


def test_no_votes_are_no_strengths_and_a_build_against_itself_is_no_vote() -> None:
    assert strengths([]) == []
    assert strengths([Vote("a", "a", 1.0, "p", "v")]) == []


def test_a_thousand_resamples_are_drawn_and_the_interval_is_their_middle() -> None:
    votes = drawn({"a": 2.0, "b": -2.0, "c": 0.0}, 8, 1, seed=5, ties=0.4)
    assert strengths(votes) == strengths(votes, 1000)
    assert bradley_terry.RESAMPLES == 1000


def test_resampled_votes_of_people_who_disagree_are_the_interval() -> None:
    """Groups of ten alike votes: the share of a varies as that of 7 groups does, much more than of 70 votes."""
    votes = [vote for number in range(7) for vote in votes_of("a", "b", 10 * (number < 4), 10, [f"p{number}"])]
    found = by_build(votes, 1000)["a"]
    chance, shares = np.random.default_rng(1), []
    for _ in range(4000):
        shares.append(np.mean(chance.choice([1, 1, 1, 1, 0, 0, 0], 7)))
    low, high = np.quantile(shares, (0.025, 0.975))  # of the share; the strength is half its log odds, drawn to 0
    assert found.low == pytest.approx(by_build(votes_of("a", "b", round(70 * low), 70))["a"].strength, abs=0.02)
    assert found.high == pytest.approx(by_build(votes_of("a", "b", round(70 * high), 70))["a"].strength, abs=0.02)
