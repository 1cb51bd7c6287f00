"""Similarity of texts: in characters, symmetric where it should be, and never above the text itself."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.similarity import MEASURES, chrf, edit_similarity, first_divergence

TEXTS = st.text(alphabet="量子计算是ab c。\n", max_size=60)
SOURCE = "反向传播算法用链式法则求损失函数对每个权重的偏导数，再从输出层开始把误差逐层向后传回，最后用学习率更新权重。"


def distance(a: str, b: str) -> int:
    """Levenshtein's, by the textbook."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        row, before = [i], row
        for j, right in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (left != right)))
    return row[-1]


@given(TEXTS, TEXTS)
def test_edit_similarity_is_the_textbooks(a: str, b: str) -> None:
    longest = max(len(a), len(b))
    wanted = 1 - distance(a, b) / longest if longest else 1.0
    assert edit_similarity(a, b) == pytest.approx(wanted)


@pytest.mark.parametrize("measure", list(MEASURES))
@given(a=TEXTS, b=TEXTS)
def test_every_measure_lies_between_nothing_and_the_text_itself(measure: str, a: str, b: str) -> None:
    alike = MEASURES[measure]
    assert 0 <= alike(a, b) <= 1 + 1e-12
    assert alike(a, a) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "reference", "share"),
    [("量子计算", "量子力学", 0.5), ("量子", "量子力学", 1.0), ("", "量子", 0.0), ("", "", 1.0), ("x", "量子", 0.0)],
)
def test_first_divergence_is_the_share_of_the_shorter_text_in_common(text: str, reference: str, share: float) -> None:
    assert first_divergence(text, reference) == share


def test_chrf_counts_recall_twice_and_leaves_blanks_out() -> None:
    assert chrf("量 子\n计算", "量子计算") == 1
    assert chrf("量子计算" * 2, "量子计算") > chrf("量子", "量子计算")
    # one character each: precision 1, recall 1/2 in order 1; order 2 exists on one side only and scores 0
    assert chrf("量", "量子") == pytest.approx((5 * 1 * 0.5 / (4 * 1 + 0.5) + 0) / 2)


@pytest.mark.parametrize("measure", list(MEASURES))
def test_a_shuffled_text_is_less_like_the_original_than_the_original(measure: str) -> None:
    shuffled = "".join(random.Random(1).sample(SOURCE, len(SOURCE)))
    assert MEASURES[measure](shuffled, SOURCE) < 0.5


def test_a_loop_is_less_similar_than_other_words_for_the_same() -> None:
    other = "反向传播利用链式法则，计算损失函数关于各权重的导数，误差从输出层逐层往回传，再按学习率更新权重。"
    assert chrf("误差" * 30, SOURCE) < chrf(other, SOURCE) < 0.6
