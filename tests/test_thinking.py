"""Reasoning told from answer where a server sends both in one field."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.measure import Arrival
from collector.thinking import CLOSE, OPEN, split


def arriving(*texts: str, kind: str = "answer") -> list[Arrival]:
    """One arrival each ms; an empty text is an event without any."""
    return [(at, kind if text else "other", text) for at, text in enumerate(texts, start=1)]


def texts(arrivals: list[Arrival]) -> tuple[str, str]:
    """Reasoning and answer, each as a whole."""
    return (
        "".join(text for _, kind, text in arrivals if kind == "reasoning"),
        "".join(text for _, kind, text in arrivals if kind == "answer"),
    )


@pytest.mark.parametrize(
    ("whole", "reasoning", "answer"),
    [
        ("<think>why</think>so", "why", "so"),
        ("\n <think>why</think>\n\nso", "\n why", "\n\nso"),
        ("<think>\n\n</think>\n\nso", "\n\n", "\n\nso"),
        ("<think></think>so", "", "so"),
        ("why</think>so", "why", "so"),  # the prompt template had opened the tag
        ("</think>so", "", "so"),
        ("<think>why, and still", "why, and still", ""),  # the token limit fell into the reasoning
        ("<think>why</think>", "why", ""),
        ("<think>a</think>b</think>c", "a", "b</think>c"),
        ("<think>a<think>b</think>c", "a<think>b", "c"),
        ("so it is", "", "so it is"),
        ("the tag <think>x</think> means", "", "the tag <think>x</think> means"),  # an answer about the tags
        ("the tag <think> is", "", "the tag <think> is"),
        ("<thin", "", "<thin"),
        ("", "", ""),
    ],
)
def test_tags_part_reasoning_from_answer(whole: str, reasoning: str, answer: str) -> None:
    assert texts(split(arriving(whole))) == (reasoning, answer)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        *(("[THINK]", "[/THINK]"), ("<mm:think>", "</mm:think>"), ("<seed:think>", "</seed:think>")),
        *(("<thinking>", "</thinking>"), ("<thought>", "</thought>"), ("<THINK>", "</THINK>")),
        *(("◁think▷", "◁/think▷"), ("<|START_THINKING|>", "<|END_THINKING|>")),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 200])
def test_every_model_has_tags_of_its_own(opening: str, closing: str, size: int) -> None:
    def cut(whole: str) -> list[Arrival]:
        return arriving(*(whole[at : at + size] for at in range(0, len(whole), size)))

    assert texts(split(cut(f" {opening}why{closing}so"))) == (" why", "so")
    assert texts(split(cut(f"{opening}why, and still"))) == ("why, and still", "")
    assert texts(split(cut(f"so: {opening}x{closing}"))) == ("", f"so: {opening}x{closing}")
    assert texts(split(cut(f"why{closing}so"))) == ("why", "so")


def test_a_tag_is_closed_by_its_own() -> None:
    assert texts(split(arriving("[THINK]a</think>b[/THINK]c"))) == ("a</think>b", "c")


@pytest.mark.parametrize(
    "whole", ["<b>bold</b>", "[x] done", "<answer>so</answer>", "<thinker>a</thinker>", "a </b> c"]
)
def test_other_tags_are_of_the_answer(whole: str) -> None:
    assert texts(split(arriving(whole))) == ("", whole)


def test_a_chunk_with_the_closing_tag_inside_becomes_two_at_the_same_time() -> None:
    given = arriving("<think>a", "b</think>c", "d")
    assert split(given) == [(1, "reasoning", "a"), (2, "reasoning", "b"), (2, "answer", "c"), (3, "answer", "d")]


def test_a_chunk_that_is_only_tag_keeps_its_time_and_holds_no_text() -> None:
    given = arriving("<think>", "a", "</thi", "nk>", "b")
    assert split(given) == [
        (1, "other", ""),
        (2, "reasoning", "a"),
        (3, "other", ""),
        (4, "other", ""),
        (5, "answer", "b"),
    ]


def test_events_without_text_stay_where_they_were() -> None:
    given = arriving("", "<think>a", "", "</think>b", "")
    assert [(at, kind) for at, kind, _ in split(given)] == [
        (1, "other"),
        (2, "reasoning"),
        (3, "other"),
        (4, "answer"),
        (5, "other"),
    ]


def test_a_server_that_told_reasoning_apart_is_believed() -> None:
    given = [(1, "reasoning", "why"), (2, "answer", "the tag </think> closes")]
    assert split(given) == given


def test_a_stream_without_tags_is_unchanged() -> None:
    given = arriving("so ", "it", "", " is")
    assert split(given) == given


pieces = st.lists(st.sampled_from([OPEN, CLOSE, "<think", "</think", ">", " ", "\n", "a", "量", "<"]), max_size=12)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(pieces, st.lists(st.integers(0, 60), max_size=10))
def test_where_the_chunks_are_cut_does_not_matter(parts: list[str], places: list[int]) -> None:
    whole = "".join(parts)
    edges = sorted({0, len(whole), *(place % (len(whole) + 1) for place in places)})
    chunks = [whole[start:stop] for start, stop in pairwise(edges)]
    given_arrivals, result = arriving(*chunks), split(arriving(*chunks))
    assert texts(result) == texts(split(arriving(whole)))
    assert [at for at, _, _ in result] == sorted(at for at, _, _ in result)
    assert {at for at, _, _ in result} == {at for at, _, _ in given_arrivals}
    reasoning, answer = texts(result)
    if (reasoning, answer) != ("", whole):
        assert len(whole) - len(reasoning + answer) in (len(OPEN), len(CLOSE), len(OPEN + CLOSE))
