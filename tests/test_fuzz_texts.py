"""No text that a model writes, and nothing its program prints, stops the graders or gets an outcome there is not."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile_texts import checks, words, wrong
from tests.reduced import REDUCED


@settings(derandomize=True, deadline=None, database=None, max_examples=REDUCED["texts graded"][0])
@given(st.integers(0, 10**12))
def test_a_hostile_text_gets_one_of_the_outcomes(number: int) -> None:
    assert wrong(Random(number)) is None


def test_the_texts_hold_what_the_graders_look_for() -> None:
    assert len(checks()) > 5
    assert {"quick_sort", "expected"} & set(words()) or len(words()) > 100
