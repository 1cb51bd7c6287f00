"""What servers tell of themselves may be anything: a backend makes columns of it, or refuses in words."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector import haystack
from tests import server_answers
from tests.reduced import REDUCED
from tests.server_answers import GEMMA, SERVERS, Answers, asked, broken_rules

DEEP = "[" * 100_000


def said(answers: Answers) -> dict[str, tuple[int, str]]:
    return {path: (200, json.dumps(answer)) for path, answer in answers.items()}


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_as_it_should_be_is_described(server: str) -> None:
    found = asked(server, said(SERVERS[server]))
    assert len(found) == (4 if server.startswith("lmstudio") else 2)
    assert found[0]["server"] == server.partition(" ")[0]
    assert broken_rules(found) == []


@settings(derandomize=True, deadline=None, database=None, max_examples=REDUCED["answers garbled"][0])
@given(st.integers(0, 10**12), st.sampled_from(sorted(SERVERS)))
def test_answers_of_a_broken_server_are_columns_or_refused_in_words(number: int, server: str) -> None:
    assert broken_rules(asked(server, server_answers.garbled(server, Random(number)))) == []


# --- found by fuzzing ---


@pytest.mark.parametrize(
    ("server", "path", "answer"),
    [
        ("ollama", "/api/show", {"details": "gguf"}),
        ("ollama", "/api/ps", {"models": ["qwen3:4b"]}),
        ("ollama", "/api/ps", {"models": 7}),
        ("llama-server", "/props", {"build_info": "b1", "model_path": 5}),
        ("llama-server", "/props", {"build_info": "b1", "model_path": "/" + "x" * 9000}),
        ("llama-server", "/props", {"build_info": "b1", "default_generation_settings": [1]}),
        ("llama-server", "/v1/models", {"data": [{"id": "m", "meta": "none"}]}),
        ("lmstudio 0.4", "/api/v0/chat/completions", {"model_info": "4bit", "runtime": 7}),
        ("lmstudio 0.3", "/api/v0/models", {"data": [{"id": GEMMA, "type": "llm", "compatibility_type": ["mlx"]}]}),
    ],
)
def test_a_part_of_another_type_is_none(server: str, path: str, answer: Any) -> None:
    assert broken_rules(asked(server, said({**SERVERS[server], path: answer}))) == []


@pytest.mark.parametrize(
    "change",
    [
        {"quantization": "4bit"},
        {"variants": 7},
        {"selected_variant": 7},
        {"loaded_instances": [7]},
        {"loaded_instances": [{"id": GEMMA, "config": "none"}]},
        {"loaded_instances": [{"id": GEMMA, "config": {"context_length": "4096"}}]},
        {"format": ["mlx"]},
        {"publisher": {}},
    ],
)
def test_a_listed_model_may_have_parts_of_another_type(change: dict[str, Any]) -> None:
    [gemma, _] = SERVERS["lmstudio 0.4"]["/api/v1/models"]["models"]
    answers = said({**SERVERS["lmstudio 0.4"], "/api/v1/models": {"models": [{**gemma, **change}]}})
    assert broken_rules(asked("lmstudio 0.4", answers)) == []


@pytest.mark.parametrize(("server", "path"), [(server, path) for server in SERVERS for path in SERVERS[server]])
def test_lists_within_lists_without_end_are_no_answer(server: str, path: str) -> None:
    assert broken_rules(asked(server, {**said(SERVERS[server]), path: (200, DEEP)})) == []


def test_an_answer_of_lists_within_lists_names_no_needle() -> None:
    needle = haystack.Needle(0.5, "青松仓库", "1234567")
    assert haystack.found('{"青松仓库": ' + DEEP + "]" * 100_000 + "}", (needle,)) == [False]
