"""Which model answered, and what was loaded before each request: facts of a run in which somebody else is at work."""

from collections.abc import Callable
from typing import Any

import pytest

from collector import grace
from collector.backends import Facts
from collector.schema import Results
from tests.conftest import DONE, ScriptedServer, delta, sse
from tests.lmstudio import DoubleModel, Scripted, steady
from tests.loopback import Loopback, stream
from tests.test_lmstudio import GGUF, MLX, Given
from tests.test_lmstudio import alone as alone
from tests.test_lmstudio import given as given
from tests.test_run import loopback as loopback
from tests.test_run import quick as quick
from tests.test_run import rows, run
from tests.test_wire_counts import row


def at(prompt: str, act: Callable[[], object]) -> Callable[[str, Facts], None]:
    """A watcher that does this before the request of that prompt is thought of, after the one before it ended."""
    left = [act]

    def watch(stage: str, told: Facts) -> None:
        if (stage, told["op"], told.get("prompt_id")) == ("end", "request", prompt) and left:
            left.pop()()

    return watch


# --- the model that a stream says it is of ---


@pytest.mark.parametrize(
    "name", ["qwen/qwen3-big", "qwen3-big:2", "qwen3:latest", "Qwen3-8B-Q4_K_M.gguf", "我的 模型", "a" * 300]
)
def test_the_model_of_the_chunks_is_stored_as_it_is_written(server: ScriptedServer, name: str) -> None:
    chunks = [{"model": name, "choices": [{"index": 0, "delta": {"content": "x"}}]} for _ in range(2)]
    seen = row(server, *((5, sse(chunk)) for chunk in chunks), (5, delta("stop")), (1, DONE))
    assert seen["answered_model"] == name


@pytest.mark.parametrize("name", [None, "", 7, ["m"], {"id": "m"}])
def test_a_model_without_a_name_is_unknown(server: ScriptedServer, name: Any) -> None:
    chunk = {"model": name, "choices": [{"index": 0, "delta": {"content": "x"}}]}
    seen = row(server, (5, sse(chunk)), (5, delta("stop")), (1, DONE))
    assert (seen.get("answered_model"), seen["error_kind"]) == (None, None)


@pytest.mark.usefixtures("quick")
def test_of_a_path_the_last_part_is_stored(loopback: Loopback, results: Results) -> None:
    named = {"model": "/Users/anna/models/x.gguf", "choices": [{"index": 0, "delta": {"content": "x"}}]}
    loopback.otherwise = stream(sse(named), delta("stop"), DONE)
    assert {one["answered_model"] for one in rows(run(loopback, results, repeats=1), "request")} == {"x.gguf"}


def test_another_model_that_answers_is_seen(given: Given) -> None:
    lab = given(DoubleModel(GGUF), DoubleModel(MLX, format="mlx"), loaded=GGUF)
    lab.double.takes_what_is_loaded = True
    done = lab.collect(watch=at("a", lambda: lab.double.somebody_asks_for(MLX)))
    assert [(one["answered_model"], one["loaded_instances"]) for one in done.requests] == [
        (GGUF, [GGUF]),
        (MLX, [MLX]),
    ]


# --- what was loaded before a request ---


@pytest.mark.parametrize("version", ["0.4.16", "0.3.10"])
def test_what_is_loaded_is_asked_before_each_prompt(given: Given, version: str) -> None:
    lab = given(loaded=GGUF, version=version)
    done = lab.collect()
    assert [one["loaded_instances"] for one in [*done.of("warmup"), *done.requests]] == [[GGUF]] * 4


def test_a_reload_inside_a_request_shows(given: Given) -> None:
    """Somebody else evicts the model; ours loads it again, and in that request its own name answers."""
    lab = given(DoubleModel(GGUF), DoubleModel(MLX, format="mlx"), loaded=GGUF)
    done = lab.collect(watch=at("a", lambda: lab.double.somebody_asks_for(MLX)), repeats=2)
    assert [(one["answered_model"], one["loaded_instances"]) for one in done.requests] == [
        (GGUF, [GGUF]),
        (GGUF, [MLX]),
        (GGUF, [GGUF]),
        (GGUF, [GGUF]),
    ]


def test_a_model_whose_time_to_live_is_over_shows(given: Given) -> None:
    lab = given(DoubleModel(GGUF))
    lab.double.load(GGUF, by="jit", ttl_ms=1)
    done = lab.collect(watch=at("a", lab.double.expire_ttl), repeats=2)
    assert [one["loaded_instances"] for one in done.requests] == [[GGUF], [], [GGUF], [GGUF]]


def test_a_second_instance_shows(given: Given) -> None:
    lab = given(loaded=GGUF)
    done = lab.collect(model=GGUF, watch=at("a", lambda: lab.double.load(MLX)))
    assert [one["loaded_instances"] for one in done.requests] == [[GGUF], [GGUF, MLX]]


@pytest.mark.usefixtures("quick")
def test_a_router_tells_what_is_loaded_and_other_servers_do_not(loopback: Loopback, results: Results) -> None:
    assert {one["loaded_instances"] for one in map(hashable, rows(run(loopback, results), "request"))} == {None}
    entries = [{"id": name, "status": {"value": "loaded" if name == "a" else "unloaded"}} for name in "ab"]
    loopback.routes["/v1/models"] = lambda handler: handler.whole(200, {"data": entries})
    stored = rows(run(loopback, Results(results.root / "other")), "request")
    assert {one["loaded_instances"] for one in map(hashable, stored)} == {("a",)}


def hashable(stored: Facts) -> Facts:
    told = stored["loaded_instances"]
    return {**stored, "loaded_instances": None if told is None else tuple(told)}


def test_a_list_that_fails_is_unknown_and_costs_nothing(given: Given) -> None:
    lab = given(loaded=GGUF)
    real = lab.double.take_html_500

    def broken() -> bool:
        return bool(lab.heard and lab.measured()) or real()

    lab.double.take_html_500 = broken  # type: ignore[method-assign]
    done = lab.collect()
    assert [one["loaded_instances"] for one in done.requests] == [[GGUF], None]
    assert [one["error_kind"] for one in done.requests] == [None, None]


# --- what else its tracker reports ---


def test_usage_of_zeros_is_no_count(given: Given) -> None:
    lab = given(loaded=GGUF)
    lab.double.zero_usage = True
    assert {(one["prompt_tokens"], one["completion_tokens"]) for one in lab.collect().requests} == {(None, None)}


def test_one_token_less_at_the_limit_is_stored_as_it_is_told(given: Given) -> None:
    """The chunks are stored too, so that the count can be judged by them."""
    lab = given(loaded=GGUF, tokens=Scripted(steady(200, ms=0, first_ms=0), finish="length"))
    lab.double.one_less_at_limit = True
    for one in lab.collect().requests:
        assert (one["completion_tokens"], sum(chunk["chars"] > 0 for chunk in one["chunks"])) == (98, 99)


def test_a_prompt_that_was_cut_is_stored_with_the_length_it_had(given: Given) -> None:
    script = Scripted(steady(4, ms=0, first_ms=0), prompt_tokens=10**6)
    for one in given(DoubleModel(GGUF, cuts_prompts=True), loaded=GGUF, tokens=script).collect().requests:
        assert (one["prompt_tokens"], one["error_kind"]) == (one["context_effective"], None)
        assert one["prompt_chars"] > 50


def test_a_stream_that_hangs_after_done_ends(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grace, "END_S", 0.05)
    lab = given(loaded=GGUF)
    lab.double.hangs_after_done = True
    assert {(one["error_kind"], one["completion_tokens"]) for one in lab.collect().requests} == {(None, 4)}


@pytest.mark.parametrize("where", ["THINK", "mm:think", "think", "reasoning", "reasoning_content"])
def test_thinking_is_told_apart_wherever_it_stands(given: Given, where: str) -> None:
    script = Scripted(steady(6, ms=0, first_ms=0, reasoning=2))
    lab = given(DoubleModel(GGUF, reasoning_in=where), loaded=GGUF, tokens=script)
    assert {(one["reasoning_text"], one["output_text"]) for one in lab.collect().requests} == {
        ("word word ", "word word word word ")
    }
