"""The model that answered is the model that was measured: the same under other names, and another one under any."""

from typing import Any

import pytest

from tests import rows
from tests.conftest import request
from tests.rows import Given

OTHER, GONE = "another model answered", "the model was not loaded any more"


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return rows.sharing(given, monkeypatch)


def exclusions(given: Given, key: str, *requests: dict[str, Any]) -> list[str | None]:
    """What excludes requests of a run that measures the model of that key."""
    told = [request(repeat=number, **one) for number, one in enumerate(requests)]
    found = given([{"model_key": key}, *told]).rows("from request_flags order by op_index")
    return [row["exclusion"] for row in found]


@pytest.mark.parametrize(
    ("key", "answered"),
    [
        ("qwen/qwen3-8b", "qwen/qwen3-8b:2"),  # a second instance of it
        ("qwen3:8b", "qwen3:8b"),
        ("qwen3", "qwen3:latest"),
        ("Qwen3-8B-Q4_K_M.gguf", "/models/qwen/Qwen3-8B-Q4_K_M.gguf"),
        ("Qwen3-8B-Q4_K_M", "qwen3-8b-q4_k_m.gguf"),
        ("MiniMax-M2.1-UD-Q4_K_XL", "MiniMax-M2.1-UD-Q4_K_XL-00001-of-00003.gguf"),
        ("unsloth/minimax-m2.1@q4_k_m", "minimax-m2.1"),
        ("我的 模型/Qwen3.5 27B", "qwen3.5 27b"),
        ("qwen3-8b", None),
    ],
)
def test_the_same_model_has_many_names(given: Given, key: str, answered: str | None) -> None:
    first = {"answered_model": key}
    assert exclusions(given, key, first, {"answered_model": answered}) == [None, None]


@pytest.mark.parametrize("answered", ["qwen3-0.6b", "qwen3-8b-instruct", "other/qwen3-80b", "gpt-4o", "qwen3:0.6b"])
def test_another_model_is_left_out_by_name(given: Given, answered: str) -> None:
    told = [{"answered_model": one} for one in ("qwen/qwen3-8b", answered, "qwen/qwen3-8b")]
    assert exclusions(given, "qwen/qwen3-8b", *told) == [None, OTHER, None]


def test_a_server_may_answer_under_a_name_of_its_own(given: Given) -> None:
    """What the first answer was called is right, until it changes."""
    told = [{"answered_model": one} for one in ("default", "default", "small")]
    assert exclusions(given, "qwen/qwen3-8b", *told) == [None, None, OTHER]


@pytest.mark.parametrize(
    ("loaded", "exclusion"),
    [
        (["qwen/qwen3-8b"], None),
        (["qwen/qwen3-8b:2"], None),
        (["qwen/qwen3-0.6b", "qwen/qwen3-8b"], None),
        (None, None),  # not told
        (["qwen/qwen3-0.6b"], GONE),
        ([], GONE),
    ],
)
def test_a_model_that_was_not_loaded_just_before_is_loaded_within(
    given: Given, loaded: list[str] | None, exclusion: str | None
) -> None:
    """Its name in the answer is right, and its first token waits for the load."""
    told = {"answered_model": "qwen/qwen3-8b", "loaded_instances": loaded}
    assert exclusions(given, "qwen/qwen3-8b", told) == [exclusion]


def test_the_name_of_the_warmup_counts_as_the_first(given: Given) -> None:
    """The model was swapped between warm-up and first request."""
    key, name = "qwen/qwen3-8b", "answered_model"
    warmup = request("warmup", op="warmup", **{name: "a-name"})
    found = given([{"model_key": key}, warmup, request(**{name: "b-name"})]).rows("from request_flags")
    assert [row["exclusion"] for row in found] == [OTHER]
