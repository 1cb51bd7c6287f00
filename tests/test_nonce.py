"""The digits that keep prompt caches out."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.nonce import messages, nonce

run_ids = st.text("0123456789abcdef", min_size=12, max_size=12)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(run_ids, st.sampled_from(["warmup", "short", "long"]), st.integers(1, 100), st.integers(0, 1000))
def test_a_nonce_is_six_digits_and_the_same_for_the_same_request(
    run_id: str, prompt: str, repeat: int, place: int
) -> None:
    digits = nonce(run_id, prompt, repeat, place)
    assert len(digits) == 6
    assert digits.isascii()
    assert digits.isdigit()
    assert digits == nonce(run_id, prompt, repeat, place)


def test_a_nonce_is_the_same_in_every_process() -> None:
    # Written down, because Python's own `hash` would differ from process to process.
    assert [nonce("0123456789ab", "short", 1, place) for place in range(3)] == ["194932", "294932", "394932"]


@pytest.mark.parametrize("run_id", ["0123456789ab", "ffffffffffff", "000000000000"])
@pytest.mark.parametrize("start", [0, 1, 9, 25])
def test_the_first_digit_differs_among_any_ten_neighbors(run_id: str, start: int) -> None:
    # The prompt of each request is another; the first digit must not depend on it.
    first = {nonce(run_id, f"prompt {place}", place // 5, place)[0] for place in range(start, start + 10)}
    assert len(first) == 10


def test_the_other_digits_depend_on_run_prompt_and_repeat() -> None:
    rest = {
        nonce(run_id, prompt, repeat, 0)[1:]
        for run_id, prompt, repeat in itertools.product(("a" * 12, "b" * 12), ("short", "long"), (1, 2))
    }
    assert len(rest) == 8


def test_requests_of_a_run_differ() -> None:
    places = enumerate(itertools.product(range(1, 6), ("short", "medium", "long", "reasoning", "instruction")), 1)
    seen = [nonce("0123456789ab", prompt, repeat, place) for place, (repeat, prompt) in places]
    seen.append(nonce("0123456789ab", "warmup", 1, 0))
    assert len(set(seen)) == 26


def test_the_first_requests_of_two_runs_collide_no_more_often_than_by_chance() -> None:
    count = 2000
    seen = [nonce(f"{run * 0x9E3779B97F4A7 % 16**12:012x}", "warmup", 1, 0) for run in range(count)]
    by_chance = count * (count - 1) / 2 / 1_000_000  # 2 pairs
    assert sum(a == b for a, b in itertools.combinations(seen, 2)) <= 4 * by_chance
    assert {digits[0] for digits in seen} == set("0123456789")


def test_the_digits_are_the_very_first_characters_of_the_system_message() -> None:
    system, user = messages("012345", "Hi")
    assert system["role"] == "system"
    assert system["content"].startswith("012345 ")
    assert user == {"role": "user", "content": "Hi"}


def test_what_follows_the_digits_is_the_same_for_every_request() -> None:
    assert messages("012345", "a")[0]["content"][6:] == messages("987654", "b")[0]["content"][6:]
