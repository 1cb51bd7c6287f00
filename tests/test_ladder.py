"""The arithmetic of a context ladder: rungs, bracket, tokens from characters, and how long a rung will take."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector import ladder

K = 1024
CONTEXTS = range(1024, 262_145, 509)


# --- rungs ---


@pytest.mark.parametrize(
    ("context", "rungs"),
    [
        (1024, [64, 192, 448, 640, 896]),
        (2048, [192, 448, 896, 1344, 1792]),
        (4096, [448, 896, 1792, 2688, 3584]),
        (8192, [896, 1792, 3584, 5376, 7168]),
        (16_384, [1792, 3584, 7168, 10_752, 14_336]),
        (32_768, [4 * K, 16 * K, 30 * K]),
        (65_536, [4 * K, 16 * K, 32 * K, 62 * K]),
        (131_072, [4 * K, 16 * K, 32 * K, 64 * K, 96 * K, 126 * K]),
        (163_840, [4 * K, 16 * K, 32 * K, 64 * K, 96 * K, 128 * K, 158 * K]),
        (196_608, [4 * K, 16 * K, 32 * K, 64 * K, 96 * K, 128 * K, 160 * K, 190 * K]),
        (262_144, [4 * K, 16 * K, 32 * K, 64 * K, 96 * K, 128 * K, 160 * K, 192 * K, 254 * K]),
    ],
)
def test_rungs_go_up_to_the_context_less_the_reserve_and_are_scaled_down_for_a_small_one(
    context: int, rungs: list[int]
) -> None:
    assert ladder.rungs(context) == rungs


def test_rungs_of_any_context_ascend_and_the_last_one_fills_it() -> None:
    for context in CONTEXTS:
        rungs = ladder.rungs(context)
        assert rungs[-1] == context - ladder.reserve(context)
        assert rungs[0] > 0
        assert all(below < above for below, above in pairwise(rungs)), context
        assert 2 <= len(rungs) <= 10


def test_no_rung_is_so_close_to_the_last_one_that_both_would_say_the_same() -> None:
    for context in CONTEXTS:
        *others, last = ladder.rungs(context)
        assert all(rung < 0.95 * last for rung in others), context


def test_the_reserve_is_an_eighth_of_the_context_and_2048_at_most() -> None:
    assert [ladder.reserve(context) for context in (1024, 8192, 16_384, 131_072, 262_144)] == [
        128,
        1024,
        2048,
        2048,
        2048,
    ]


@pytest.mark.parametrize(("context", "rung"), [(8192, 8704), (131_072, 139_264), (262_144, 278_528)])
def test_the_prompt_beyond_is_a_sixteenth_longer_than_the_context(context: int, rung: int) -> None:
    assert ladder.beyond(context) == rung


def test_no_context_holds_the_prompt_beyond() -> None:
    # characters only estimate tokens, to 2 %
    assert all(ladder.beyond(context) > 1.02 * context for context in CONTEXTS)


# --- the bracket ---


def test_a_bracket_is_halved() -> None:
    assert ladder.between(16_384, 32_768) == 24_576
    assert ladder.between(0, 4096) == 2048


@pytest.mark.parametrize(("passed", "failed"), [(0, 512), (1000, 1512), (122_880, 131_072), (131_071, 131_072)])
def test_a_narrow_bracket_is_left_as_it_is(passed: int, failed: int) -> None:
    assert ladder.between(passed, failed) is None


@pytest.mark.parametrize(("passed", "failed"), [(0, 513), (1000, 1513), (122_879, 131_072)])
def test_wider_than_512_tokens_and_a_sixteenth_is_no_narrow_one(passed: int, failed: int) -> None:
    assert ladder.between(passed, failed) == (passed + failed) // 2


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.integers(1, 262_144), st.integers(0, 262_144))
def test_halving_again_and_again_ends_around_the_limit(failed: int, limit: int) -> None:
    limit = min(limit, failed - 1)  # prompts of more tokens are refused
    passed, steps = 0, 0
    while middle := ladder.between(passed, failed):
        passed, failed = (middle, failed) if middle <= limit else (passed, middle)
        steps += 1
    assert passed <= limit < failed
    assert failed - passed <= max(512, failed // 16)
    assert steps <= 10


# --- tokens of a prompt ---


def scale(*seen: tuple[int, int]) -> ladder.Scale:
    """A scale that has seen prompts of so many characters and tokens."""
    made = ladder.Scale()
    for characters, tokens in seen:
        made.learn(characters, tokens)
    return made


def test_tokens_are_a_fixed_part_and_a_rate() -> None:
    made = scale((200, 170), (4000, 2830))  # 30 for the template, 0.7 a character
    assert [made.tokens(characters) for characters in (200, 1000, 4000, 100_000)] == [170, 730, 2830, 70_030]


def test_a_longer_prompt_weighs_more_than_a_short_one() -> None:
    made = scale((200, 170), (1200, 670), (100_200, 70_170))  # 0.5 at first, 0.7 over the whole length
    assert made.tokens(100_200) == pytest.approx(70_170, rel=0.003)


def test_the_order_in_which_prompts_were_seen_does_not_matter() -> None:
    seen = [(4000, 2830), (200, 170), (20_000, 14_100)]
    assert scale(*seen).tokens(9000) == scale(*seen[::-1]).tokens(9000)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.floats(0.2, 3), st.integers(0, 300), st.integers(400, 262_144))
def test_a_prompt_is_as_long_as_its_tokens_ask_for(rate: float, template: int, tokens: int) -> None:
    made = scale(*((characters, template + round(rate * characters)) for characters in (200, 4000)))
    characters = made.characters(tokens)
    assert made.tokens(characters) >= tokens
    assert characters == 1 or made.tokens(characters - 1) < tokens
    assert made.tokens(characters) - tokens <= rate + 1


# --- the forecast ---


def test_from_nothing_there_is_no_forecast() -> None:
    assert ladder.forecast([], 4096) is None


def test_from_one_or_two_depths_the_deepest_ones_rate_is_taken_with_a_margin() -> None:
    assert ladder.forecast([(4096, 10.0)], 16_384) == pytest.approx(1.3 * 40)
    assert ladder.forecast([(4096, 10.0), (4096, 20.0)], 4096) == pytest.approx(1.3 * 20)
    assert ladder.forecast([(4096, 10.0), (300, 9.0)], 16_384) == pytest.approx(1.3 * 40)


@pytest.mark.parametrize(
    ("fixed", "linear", "square"), [(0, 0.001, 0), (2, 0.001, 0), (2, 0.001, 4e-9), (0, 0, 1e-8), (5, 0, 0)]
)
def test_from_three_depths_on_a_cost_that_grows_with_the_square_is_foreseen(
    fixed: float, linear: float, square: float
) -> None:
    def cost(depth: int) -> float:
        return fixed + linear * depth + square * depth**2

    seen = [(depth, cost(depth)) for depth in (4096, 4100, 16_384, 32_768)]
    for depth in (65_536, 129_024, 260_096):
        assert ladder.forecast(seen, depth) == pytest.approx(cost(depth), rel=1e-3)


def test_a_measurement_that_was_too_slow_by_chance_does_not_bend_the_forecast_down() -> None:
    seen = [(4096, 9.0), (16_384, 17.0), (32_768, 30.0), (65_536, 50.0)]  # an exact curve would turn back soon
    known = [ladder.forecast(seen, depth) or 0 for depth in (65_536, 98_304, 129_024, 260_096)]
    assert all(below < above for below, above in pairwise(known))
    assert known[-1] == pytest.approx(50 * 260_096 / 65_536, rel=0.15)


def test_times_that_fall_with_depth_still_give_a_forecast() -> None:
    seen = [(4096, 30.0), (16_384, 20.0), (32_768, 10.0)]
    known = ladder.forecast(seen, 65_536)
    assert known is not None
    assert known > 0


measured = st.lists(st.tuples(st.integers(1, 300_000), st.floats(0, 10_000)), min_size=1, max_size=12)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(measured, st.integers(1, 300_000))
def test_a_forecast_is_never_negative(seen: list[tuple[int, float]], depth: int) -> None:
    known = ladder.forecast(seen, depth)
    assert known is not None
    assert math.isfinite(known)
    assert known >= 0


@settings(derandomize=True, deadline=None, max_examples=500)
@given(measured, st.integers(1, 150_000))
def test_a_deeper_rung_is_never_forecast_to_be_quicker(seen: list[tuple[int, float]], depth: int) -> None:
    shallow, deep = ladder.forecast(seen, depth), ladder.forecast(seen, 2 * depth)
    assert shallow is not None and deep is not None
    assert deep >= shallow
