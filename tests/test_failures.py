"""What a server says when it fails → the stable name under which that is stored."""

import pytest

from collector.backends import failures
from collector.schema import OUTPUT_FLAWS
from tests.lmstudio import CRASHED, GUARD_RAILS, OUT_OF_MEMORY, STARTUP_ABORTED
from tests.lmstudio.chat import NONE_LOADED
from tests.lmstudio.state import CANCELED

TOO_LONG = (
    "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length "
    "of only 4096 tokens, which is not enough."
)
EXITED = "Engine protocol runtime llama-server for abc exited before becoming healthy"


def refused(reason: str, model: str = "publisher/model") -> str:
    return f'Failed to load model "{model}". Error: {reason}'


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (refused(OUT_OF_MEMORY), "load_out_of_memory"),
        (OUT_OF_MEMORY, "load_out_of_memory"),
        ("(kIOGPUCommandBufferCallbackErrorOutOfMemory)", "load_out_of_memory"),
        ("unable to allocate backend buffer", "load_out_of_memory"),
        ("[metal::malloc] Attempting to allocate 9 bytes which is greater than the maximum allowed buffer size of 8",
         "load_out_of_memory"),
        ("killed: OOM", "load_out_of_memory"),
        (refused(GUARD_RAILS), "load_refused"),
        ("This model may not be loaded based on your guard rail settings.", "load_refused"),
        (refused(STARTUP_ABORTED), "load_failed"),
        (refused(CANCELED), "load_failed"),
        (refused(EXITED), "load_failed"),
        (refused(CRASHED), "load_failed"),
        ("Command '['lms', 'load']' timed out after 3600 seconds", "load_timeout"),
        ("", "load_failed"),
        # What a model is called is no reason.
        (refused(STARTUP_ABORTED, "bigscience/bloom-7b"), "load_failed"),
        (refused(STARTUP_ABORTED, "nvidia/guardrails-8b"), "load_failed"),
        ("cannot read bloom-7b.gguf", "load_failed"),
    ],
)  # fmt: skip
def test_a_load_fails_for_a_named_reason(said: str, kind: str) -> None:
    assert failures.of_load(said) == kind


@pytest.mark.parametrize("kind", ["http_status", "not_streamed", "server_error"])
@pytest.mark.parametrize(
    ("said", "name"),
    [
        (refused(STARTUP_ABORTED), "worker_gone"),
        (refused(CANCELED), "worker_gone"),
        (CRASHED, "worker_gone"),
        (EXITED, "worker_gone"),
        ("Model unloaded.", "worker_gone"),
        (f'{{"error":{{"message":"{CRASHED}"}}}}', "worker_gone"),
        (NONE_LOADED, "not_loaded"),
        (TOO_LONG, "context_overflow"),
        ("request (5000 tokens) exceeds the available context size (4096 tokens)", "context_overflow"),
        ("'response_format.type' must be 'json_schema' or 'text'", None),
        ("Field with key llm.prediction.seed does not satisfy the schema: expected number", None),
        ("Unexpected endpoint or method. (POST /v1/chat/completions)", None),
        ("Unrecognized key(s) in object: 'seed'", None),
        ("", None),
        (None, None),
    ],
)
def test_an_error_answer_has_the_name_that_its_words_give(kind: str, said: str | None, name: str | None) -> None:
    assert failures.of_request(kind, said) == (name or kind)


@pytest.mark.parametrize("kind", ["connect", "timeout", "stream_cut", "empty", "transport", "interrupted", "bad_event"])
def test_a_failure_of_the_transport_keeps_its_name(kind: str) -> None:
    assert failures.of_request(kind, refused(CRASHED)) == kind


@pytest.mark.parametrize(
    ("answer", "reasoning", "finish", "flaw"),
    [
        ("Four.", None, "stop", None),
        ("Four.", "Hm.", "length", None),
        (None, "Hm.", "length", "truncated_in_reasoning"),
        (" \n", "Hm.", "length", "truncated_in_reasoning"),
        (None, "Hm.", "stop", None),  # it ended by itself
        (None, None, "length", None),
        ("Four.<|im_end|>", None, "stop", "template_leak"),
        ("<|im_start|>assistant\nFour.", None, "stop", "template_leak"),
        ("Four.<|eot_id|>", None, "stop", "template_leak"),
        ("[INST] What is two and two? [/INST]", None, "stop", "template_leak"),
        ("Four.</think>", "Hm.", "stop", "template_leak"),
        ("]~b]ai", None, "stop", "template_leak"),
        ("a < b and b > c, or <b>bold</b>, or [inst]", None, "stop", None),
        ("x[0] |= 1  # <| is F#'s", None, "stop", None),
    ],
)
def test_a_flaw_of_the_text_has_a_name(
    answer: str | None, reasoning: str | None, finish: str | None, flaw: str | None
) -> None:
    assert failures.of_output(answer, reasoning, finish) == flaw
    assert flaw is None or flaw in OUTPUT_FLAWS
