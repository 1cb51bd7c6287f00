"""What a stream says is generated: every text with its time, one answer of several, and counts that can be."""

import re
from typing import Any

import pytest

from collector import record, suite
from collector.asking import characters
from collector.backends import Facts
from collector.nonce import messages
from collector.run import WARMUP
from collector.schema import Results
from collector.suite import Prompt
from tests.conftest import DONE, MS, ScriptedServer, delta, sse, usage
from tests.loopback import Loopback
from tests.test_run import SUITE, rows, run
from tests.test_run import loopback as loopback
from tests.test_run import quick as quick

COUNTS = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")


def row(server: ScriptedServer, *steps: Any, **response: Any) -> Facts:
    """The stored columns of a request that is answered by these steps."""
    return record.of_exchange(server.answer(*steps, **response))


def counted(*told: dict[str, Any], texts: int = 2) -> dict[str, Any]:
    """The counts stored of an answer in so many chunks, after which usage is told so often."""
    chunks = [(5, delta(content="x")) for _ in range(texts)]
    seen = row(ScriptedServer(), *chunks, *((1, sse({"choices": [], **one})) for one in told), (1, delta("stop")))
    return {name: seen[name] for name in COUNTS if seen.get(name) is not None}


def said(prompt: Any = 7, completion: Any = 2, **more: Any) -> dict[str, Any]:
    """A chunk's usage."""
    return {"usage": {"prompt_tokens": prompt, "completion_tokens": completion, **more}}


# --- counts that the stream contradicts ---


def test_zeros_beside_text_are_no_count() -> None:
    assert counted(said(0, 0, total_tokens=0)) == {}


def test_a_prompt_that_was_counted_beside_an_answer_that_was_not_is_kept() -> None:
    assert counted(said(30, 0)) == {"prompt_tokens": 30}


def test_an_answer_that_was_counted_beside_a_prompt_that_was_not_is_kept() -> None:
    assert counted(said(0, 2)) == {"completion_tokens": 2}


def test_no_tokens_where_nothing_was_written_is_a_count(server: ScriptedServer) -> None:
    seen = row(server, (9, delta("stop")), (1, usage(9000, 0)), (1, DONE))
    assert (seen["error_kind"], seen["prompt_tokens"], seen["completion_tokens"]) == ("empty", 9000, 0)


@pytest.mark.parametrize("later", [said(0, 0), said(0, 0, total_tokens=0), said(0, None), said(7, 0)])
def test_later_zeros_do_not_replace_a_count(later: dict[str, Any]) -> None:
    assert counted(said(7, 2), later) == {"prompt_tokens": 7, "completion_tokens": 2}


def test_a_true_zero_among_counts_stays() -> None:
    more = {"prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}}
    assert counted(said(7, 2, **more)) == {
        "prompt_tokens": 7,
        "completion_tokens": 2,
        "cached_tokens": 0,
        "reasoning_tokens": 0,
    }


def test_later_zeros_do_not_replace_details_either() -> None:
    more = {"prompt_tokens_details": {"cached_tokens": 5}, "completion_tokens_details": {"reasoning_tokens": 1}}
    none = {"prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}}
    assert counted(said(7, 2, **more), said(0, 0, **none)) == {
        "prompt_tokens": 7,
        "completion_tokens": 2,
        "cached_tokens": 5,
        "reasoning_tokens": 1,
    }


@pytest.mark.parametrize("each", [[1, 1], [1, 2]], ids=["the tokens of the chunk only", "all tokens so far"])
def test_usage_in_every_chunk_ends_with_the_whole_count(server: ScriptedServer, each: list[int]) -> None:
    chunks = [
        sse({"choices": [{"index": 0, "delta": {"content": "x"}}], **said(7, count), "object": "chat.completion.chunk"})
        for count in each
    ]
    seen = row(server, *((5, chunk) for chunk in chunks), (1, delta("stop")), (1, usage(7, 2)), (1, DONE))
    assert (seen["prompt_tokens"], seen["completion_tokens"], seen["error_kind"]) == (7, 2, None)


@pytest.mark.parametrize("odd", ["n/a", [], 5, True, {"prompt_tokens_details": "none", "completion_tokens_details": 3}])
def test_an_odd_usage_costs_itself_and_not_the_text_beside_it(server: ScriptedServer, odd: Any) -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": "Hi"}}], "usage": odd, "timings": odd}
    seen = row(server, (5, sse(chunk)), (5, delta("stop")), (1, usage(7, 1)), (1, DONE))
    assert (seen["output_text"], seen["completion_tokens"], seen["error_kind"]) == ("Hi", 1, None)


def test_timings_that_do_not_tell_of_the_cache_take_nothing_from_usage(server: ScriptedServer) -> None:
    told = {**said(7, 2, prompt_tokens_details={"cached_tokens": 5}), "timings": {"predicted_ms": 1.5}}
    seen = row(server, (5, delta(content="Hi")), (5, delta("stop")), (1, sse({"choices": [], **told})), (1, DONE))
    assert (seen["cached_tokens"], seen["reported_decode_ms"]) == (5, 1.5)


# --- several choices ---


def choices(*texts: str | None, finish: str | None = None, **first: Any) -> bytes:
    """A chunk with a choice for each text, by index; None leaves the choice out."""
    entries = [
        {"index": index, "delta": {"content": text} if text else {}, "finish_reason": finish}
        for index, text in enumerate(texts)
        if text is not None
    ]
    return sse({"choices": entries, **first})


@pytest.mark.parametrize(
    "chunks",
    [
        [choices("a", "b"), choices("a", "b")],  # in one chunk
        [choices("a"), choices(None, "b"), choices("a"), choices(None, "b")],  # in turn
        [choices("a"), choices("a"), choices(None, "b"), choices(None, "b")],  # one after the other
    ],
)
def test_of_several_answers_one_is_taken_and_the_request_failed(server: ScriptedServer, chunks: list[bytes]) -> None:
    seen = row(server, *((5, chunk) for chunk in chunks), (1, choices("", "", finish="stop")), (1, usage(7, 4)))
    assert (seen["error_kind"], seen["output_text"]) == ("several_choices", "aa")
    assert "choices 0 and 1" in seen["error_detail"]


def test_an_answer_may_have_any_index(server: ScriptedServer) -> None:
    seen = row(server, (5, choices("", "a")), (5, choices("", "b")), (5, choices(None, "", finish="stop")))
    assert (seen["output_text"], seen["error_kind"], seen["finish_reason"]) == ("ab", None, "stop")


def test_choices_without_text_beside_the_answer_are_nothing(server: ScriptedServer) -> None:
    seen = row(server, (5, choices("a", "")), (5, choices("b", "", "")), (5, choices("", "", "", finish="stop")))
    assert (seen["output_text"], seen["error_kind"]) == ("ab", None)


@pytest.mark.parametrize("index", [None, "0", 0.0, True])
def test_a_choice_without_a_proper_index_is_the_first(server: ScriptedServer, index: Any) -> None:
    chunk = sse({"choices": [{"index": index, "delta": {"content": "a"}}]})
    seen = row(server, (5, chunk), (5, delta(content="b")), (5, delta("stop")))
    assert (seen["output_text"], seen["error_kind"]) == ("ab", None)


def test_pieces_of_one_answer_may_share_a_chunk(server: ScriptedServer) -> None:
    both = {"choices": [{"index": 0, "delta": {"content": text}} for text in "ab"]}
    seen = row(server, (5, sse(both)), (5, delta("stop")))
    assert (seen["output_text"], seen["error_kind"]) == ("ab", None)


# --- text, wherever it stands ---


def kinds(row: Facts) -> list[tuple[str, int]]:
    """Kind and characters of each event with text."""
    return [(chunk["kind"], chunk["chars"]) for chunk in row["chunks"] if chunk["chars"]]


CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "run", "arguments": '{"a":'}}


@pytest.mark.parametrize(
    ("parts", "chars"),
    [
        ({"tool_calls": [CALL]}, 5),
        ({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}, 2),
        ({"tool_calls": [CALL, {"index": 1, "function": {"arguments": "xy"}}]}, 7),
        ({"function_call": {"name": "run", "arguments": "1}"}}, 2),
        ({"refusal": "No."}, 3),
        ({"audio": {"id": "a", "transcript": "Hey", "data": "UklGRg=="}}, 3),
        ({"commentary": "hm, so"}, 6),
        ({"文本": "量子"}, 2),
        ({"parts": [{"type": "text", "text": "abc"}]}, 3),
    ],
)
def test_text_under_any_key_is_kept_with_its_time(server: ScriptedServer, parts: dict[str, Any], chars: int) -> None:
    seen = row(
        server, (9, delta(content="Hi")), (50, delta(role="assistant", content=None, **parts)), (5, delta("stop"))
    )
    assert [(c["kind"], c["chars"], c["gap_us"]) for c in seen["chunks"]][:2] == [
        ("answer", 2, 10_000),
        ("other", chars, 50_000),
    ]
    assert (seen["output_text"], seen["last_text_ns"], seen["error_kind"]) == ("Hi", 10 * MS, None)


@pytest.mark.parametrize("key", ["thinking", "reasoning_text", "thought", "reasoning_details", "thinking_blocks"])
def test_reasoning_is_reasoning_under_any_name(server: ScriptedServer, key: str) -> None:
    def thought(text: str) -> Any:
        if key.endswith("s"):
            return [{"type": "reasoning.text", "text": text, "signature": "c2ln", "format": "unknown", "index": 0}]
        return text

    seen = row(server, (9, delta(**{key: thought("hm")})), (50, delta(content="So")), (5, delta("stop")))
    assert (seen["reasoning_text"], seen["output_text"]) == ("hm", "So")
    assert (seen["first_text_ns"], seen["first_answer_ns"]) == (10 * MS, 60 * MS)


@pytest.mark.parametrize(
    "twice",
    [
        {"reasoning_content": "hm", "reasoning": "hm"},
        {"reasoning_content": "hm", "reasoning": "hm", "thinking": " hm"},
        {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"content": "hm", "text": "hm"},
        {"content": "hm", "parts": [{"text": "hm"}], "delta_text": "hm"},
        {"commentary": "hm", "text": "hm"},
    ],
)
def test_a_text_under_several_names_counts_once(server: ScriptedServer, twice: dict[str, Any]) -> None:
    seen = row(server, (9, delta(**twice)), (5, delta("stop", content="!")))
    assert [chars for _, chars in kinds(seen)] == [2, 1]


def test_a_thought_and_an_answer_of_the_same_word_are_two(server: ScriptedServer) -> None:
    seen = row(server, (9, delta(reasoning_content="\n", content="\n")), (5, delta("stop", content="!")))
    assert (seen["reasoning_text"], seen["output_text"]) == ("\n", "\n!")


@pytest.mark.parametrize(
    "silent",
    [
        {"role": "assistant"},
        {"id": "msg_1", "type": "text", "name": "bot", "object": "delta", "status": "in_progress", "model": "m"},
        {"reasoning_opaque": "Zm9v", "signature": "Zm9v", "encrypted_content": "Zm9v", "thought_signature": "Zm9v"},
        {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "run"}}]},
        {"token_ids": [1, 2], "logprobs": {"content": [{"token": "x"}]}, "flag": True, "score": 0.5},
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "Zm9v", "id": "rs_1"}]},
    ],
)
def test_what_describes_a_chunk_is_no_text_of_it(server: ScriptedServer, silent: dict[str, Any]) -> None:
    seen = row(server, (5, delta(**silent)), (5, delta(content="Hi", **silent)), (5, delta("stop")))
    assert kinds(seen) == [("answer", 2)]
    assert seen["first_text_ns"] == 11 * MS


def test_a_call_without_an_answer_is_no_answer_and_said(server: ScriptedServer) -> None:
    calls = [delta(tool_calls=[{"index": 0, "function": {"arguments": "{}"}}]) for _ in range(3)]
    seen = row(server, *((5, call) for call in calls), (5, delta("tool_calls")), (1, usage(7, 0)), (1, DONE))
    assert (seen["error_kind"], seen["first_text_ns"], seen["finish_reason"]) == ("empty", None, "tool_calls")
    assert "neither answer nor reasoning" in seen["error_detail"]
    assert kinds(seen) == [("other", 2)] * 3
    assert "completion_tokens" not in seen


def test_text_nested_without_end_is_not_followed_for_ever(server: ScriptedServer) -> None:
    deep: Any = "x"
    for _ in range(300):
        deep = {"more": [deep]}
    seen = row(server, (5, delta(content="Hi", odd=deep)), (5, delta("stop")))
    assert (seen["output_text"], seen["error_kind"]) == ("Hi", None)


# --- the length of a prompt ---


@pytest.mark.parametrize(
    ("text", "chars"),
    [
        ("Describe how a ship is built.", 29),
        ("今天天气不错,我们去公园散步。", 14),  # one of the two 天 that stand together
        ("x" + " " * 5000 + "y", 3),
        ("if a:\n" + " " * 40 + "return b", len("if a: return b")),
        ("\n\t\r\n" * 900, 0),
        ("=" * 3000 + ">", 2),
        ("-+" * 900, 2),
        ("abcdefghijklmnopqrstuvwxyz" * 90, 26),
        ("👋" * 50, 1),
    ],
)
def test_the_characters_of_a_prompt_are_those_that_need_tokens(text: str, chars: int) -> None:
    assert characters([{"role": "system", "content": ""}, {"role": "user", "content": text}]) == chars


@pytest.mark.parametrize("prompt", suite.known().values(), ids=lambda prompt: prompt.id)
def test_no_prompt_of_a_suite_is_cut_by_the_densest_tokenizer(prompt: Prompt) -> None:
    """One that has a token for each word with the blank before it, any two Chinese characters, any row of signs."""
    chat = messages("123456", prompt.text)
    word = re.compile(r"[\u3400-\u9fff]{1,2}|[a-zA-Z]+|[^\sa-zA-Z\u3400-\u9fff]+")
    assert characters(chat) < 8 * sum(len(word.findall(message["content"])) for message in chat)


@pytest.mark.usefixtures("quick")
def test_a_request_is_stored_with_the_length_of_its_prompt(loopback: Loopback, results: Results) -> None:
    outcome = run(loopback, results)
    texts = {prompt.id: prompt.text for prompt in (*SUITE.prompts, WARMUP)}
    for stored in [row for op in ("warmup", "request", "warm") for row in rows(outcome, op)]:
        text = texts[stored["prompt_id"]]
        assert stored["prompt_chars"] == characters(messages(stored["nonce"], text)) > len(text)
