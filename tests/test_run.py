"""A whole run against a server on this machine: what is asked, in which order, and what is stored of it."""

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pyarrow.parquet as pq
import pytest

from collector import journal, measure, store
from collector import run as runs
from collector.backends import Event, Facts
from collector.backends.openai_chat import OpenAIChat
from collector.errors import ModelUnclear, ServerNotFound
from collector.schema import Results
from collector.suite import Prompt, Suite
from tests.conftest import DONE, delta, sse, usage
from tests.loopback import ONE_TWO, Answer, Handler, Loopback, NoSampler, cut, hang_up, stream, whole

SUITE = Suite("tiny", "Tiny", tuple(Prompt(id, "test", f"Say {id}.", 10 + place) for place, id in enumerate("abc")))
RUN_ID = "0123456789ab"


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A server to be measured. A proxy in the environment must not come in between."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Loopback() as server:
        yield server


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sampler, no search for the engine's process, and a run id that is always the same."""
    monkeypatch.setattr(runs, "Sampler", NoSampler)
    monkeypatch.setattr(OpenAIChat, "engine_pid", lambda self: None)
    monkeypatch.setattr(runs.secrets, "token_hex", lambda count: RUN_ID)


def run(
    server: Loopback,
    results: Results,
    repeats: int = 2,
    kind: type[OpenAIChat] = OpenAIChat,
    watch: runs.Watch = lambda stage, row: None,
    model: str | None = None,
    suite: Suite = SUITE,
) -> runs.Outcome:
    """Measure this server."""
    with measure.connect(server.url) as client:
        return runs.run(client, kind(client, model), runs.Job(suite, repeats, results), watch)


def rows(outcome: runs.Outcome, op: str | None = None) -> list[Facts]:
    """What is stored of a run, or of its operations of one kind."""
    assert outcome.path is not None
    return [row for row in pq.read_table(outcome.path).to_pylist() if op in (None, row["op"])]


def left_behind(results: Results) -> list[str]:
    """Files that lie in the results folder, whatever they are, but for the lock that runs and builds share."""
    found = sorted(str(path.relative_to(results.root)) for path in results.root.rglob("*") if path.is_file())
    return [name for name in found if name != ".journal/runs.lock"]


# --- order ---


@pytest.mark.usefixtures("quick")
def test_operations_stand_in_the_order_they_happened(loopback: Loopback, results: Results) -> None:
    stored = rows(run(loopback, results))
    ops = [row["op"] for row in stored if row["op"] != "idle"]
    first, last = ["request"] * 3, ["request", "warm"] * 3
    assert ops == ["probe", *["warmup"] * ops.count("warmup"), *first, "probe", *last, "probe"]
    assert "warmup" in ops
    assert [row["op_index"] for row in stored] == list(range(len(stored)))
    starts = [row["started_ns"] for row in stored]
    assert starts == sorted(starts)
    ends = [row["started_ns"] + (row["elapsed_ns"] or 0) for row in stored]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))


@pytest.mark.usefixtures("quick")
def test_prompts_go_there_and_back(loopback: Loopback, results: Results) -> None:
    stored = rows(run(loopback, results, repeats=3), "request")
    assert [row["prompt_id"] for row in stored] == list("abccbaabc")
    assert [row["repeat"] for row in stored] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert [row["position"] for row in stored] == list(range(1, 10))
    assert [body["messages"][-1]["content"] for body in loopback.measured] == [f"Say {id}." for id in "abccbaabc"]
    assert [body["max_tokens"] for body in loopback.measured] == [row["max_tokens"] for row in stored]


@pytest.mark.usefixtures("quick")
def test_a_warmup_is_stored_and_is_no_request(loopback: Loopback, results: Results) -> None:
    outcome = run(loopback, results, repeats=1)
    warmups = rows(outcome, "warmup")
    assert warmups
    assert loopback.asked[0]["messages"][-1]["content"] == runs.WARMUP.text
    assert {(row["max_tokens"], row["output_text"], row["position"]) for row in warmups} == {(32, "one two", None)}
    assert outcome.request_count == 3
    assert {row["prompt_id"] for row in rows(outcome, "request")} == {"a", "b", "c"}


@pytest.mark.usefixtures("quick")
def test_the_watcher_hears_of_each_operation_before_and_after(loopback: Loopback, results: Results) -> None:
    heard: list[tuple[str, str]] = []

    def watch(stage: str, row: Facts) -> None:
        if row["op"] == "request":
            heard.append((stage, row["prompt_id"]))

    run(loopback, results, repeats=1, watch=watch)
    assert heard == [(stage, id) for id in "abc" for stage in ("begin", "end")]


# --- what is asked, what is stored ---


@pytest.mark.usefixtures("quick")
def test_each_request_begins_with_digits_of_its_own(loopback: Loopback, results: Results) -> None:
    stored = rows(run(loopback, results, repeats=3), "request")
    nonces = [row["nonce"] for row in stored]
    assert [body["messages"][0]["content"][:6] for body in loopback.measured] == nonces
    assert [body["messages"][0]["role"] for body in loopback.measured] == ["system"] * 9
    assert len(set(nonces)) == 9
    warmed = {body["messages"][0]["content"][:6] for body in loopback.asked if body not in loopback.measured}
    assert warmed
    assert warmed.isdisjoint(nonces)
    assert all(a[0] != b[0] for a, b in pairwise(nonces))


def test_a_second_run_on_the_same_server_begins_its_requests_anew(
    loopback: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = iter(["0123456789ab", "ba9876543210"])
    monkeypatch.setattr(runs, "Sampler", NoSampler)
    monkeypatch.setattr(runs.secrets, "token_hex", lambda count: next(ids))
    first, second = (rows(run(loopback, results), "request") for _ in range(2))
    assert {row["nonce"] for row in first}.isdisjoint(row["nonce"] for row in second)
    assert len(list(results.runs.iterdir())) == 2


@pytest.mark.usefixtures("quick")
def test_what_is_stored_was_sent(loopback: Loopback, results: Results) -> None:
    stored = rows(run(loopback, results), "request")
    for row, body in zip(stored, loopback.measured, strict=True):
        assert {name: body[name] for name in runs.SAMPLING} == {name: row[name] for name in runs.SAMPLING}
        assert body["model"] == "qwen3-4b-Q4_K_M"
        assert body["stream_options"] == {"include_usage": True}
    assert runs.SAMPLING == {"temperature": 0.7, "top_p": 0.9, "top_k": 40, "repeat_penalty": 1.0, "seed": 42}


@pytest.mark.usefixtures("quick")
def test_a_request_is_stored_with_its_events(loopback: Loopback, results: Results) -> None:
    row = rows(run(loopback, results), "request")[0]
    assert (row["output_text"], row["finish_reason"], row["prompt_tokens"], row["completion_tokens"]) == (
        "one two",
        "stop",
        30,
        2,
    )
    assert [(chunk["kind"], chunk["chars"]) for chunk in row["chunks"]] == [
        ("other", 0),
        ("answer", 3),
        ("answer", 4),
        ("other", 0),
        ("other", 0),
        ("other", 0),
    ]
    assert 0 < row["headers_ns"] <= row["first_event_ns"] <= row["first_text_ns"] <= row["last_text_ns"]
    assert row["last_text_ns"] <= row["done_ns"]
    assert row["done_ns"] == row["elapsed_ns"]
    assert row["prompt_sha256"] == SUITE.prompts[0].sha256


@pytest.mark.usefixtures("quick")
def test_run_columns_stand_on_every_row(loopback: Loopback, results: Results) -> None:
    outcome = run(loopback, results)
    for row in rows(outcome):
        assert (row["run_id"], row["run_state"], row["suite"], row["suite_sha256"], row["repeats"]) == (
            RUN_ID,
            "complete",
            "tiny",
            SUITE.sha256,
            2,
        )
        assert (row["server"], row["server_place"], row["model_key"]) == ("unknown", "local", "qwen3-4b-Q4_K_M")
        assert row["run_seconds"] > 0
    assert outcome == runs.Outcome(outcome.path, RUN_ID, False, 6, 0, None)


@pytest.mark.usefixtures("quick")
def test_a_run_leaves_one_file(loopback: Loopback, results: Results) -> None:
    outcome = run(loopback, results)
    assert outcome.path is not None
    assert left_behind(results) == [f"runs/{outcome.path.name}"]


@pytest.mark.usefixtures("quick")
def test_all_requests_go_over_one_connection(loopback: Loopback, results: Results) -> None:
    run(loopback, results)
    assert loopback.connections == 1  # a new one for each request would count connecting as time to first token


def test_memory_is_sampled_beside_the_requests(loopback: Loopback, results: Results) -> None:
    stored = rows(run(loopback, results, repeats=3))
    sampled = [row for row in stored if row["memory"]]
    assert sampled
    for row in sampled:
        assert all(sample["system_used_bytes"] > 0 for sample in row["memory"])
        if row["op"] != "idle":
            assert all(sample["at_ns"] >= row["started_ns"] for sample in row["memory"])
    moments = [sample["at_ns"] for row in sampled for sample in row["memory"]]
    assert moments == sorted(moments)


# --- failures ---


@pytest.mark.usefixtures("quick")
def test_a_request_that_fails_is_a_row_and_the_run_goes_on(loopback: Loopback, results: Results) -> None:
    loopback.script = {
        2: whole(500, {"error": {"message": "something broke"}}),
        3: cut(delta(role="assistant"), delta(content="one")),
        5: stream(),
        6: hang_up,
        7: whole(200, {"error": "Unexpected endpoint or method. (POST /v1/chat/completions)"}),
        8: stream(delta(content="one"), sse({"error": "something broke"}), DONE),
    }
    outcome = run(loopback, results, repeats=3)
    stored = rows(outcome, "request")
    assert [row["error_kind"] for row in stored] == [
        None,
        "http_status",
        "stream_cut",
        None,
        "empty",
        "transport",
        "not_streamed",
        "server_error",
        None,
    ]
    assert [row["output_text"] for row in stored] == [
        "one two",
        None,
        "one",
        "one two",
        None,
        None,
        None,
        "one",
        "one two",
    ]
    assert [row["http_status"] for row in stored] == [200, 500, 200, 200, 200, None, 200, 200, 200]
    assert (outcome.request_count, outcome.failed_count, outcome.was_interrupted) == (9, 6, False)
    assert {row["run_state"] for row in stored} == {"complete"}
    # Only what met a connection without an answer was sent again: that may have been closed while it lay idle.
    assert [row["sent_again"] for row in stored] == [place == 5 for place in range(9)]
    assert len(loopback.measured) == 9


@pytest.mark.usefixtures("quick")
def test_a_warmup_that_fails_does_not_end_the_run(loopback: Loopback, results: Results) -> None:
    loopback.warmup = whole(500, {"error": "something broke"})
    outcome = run(loopback, results)
    assert {row["error_kind"] for row in rows(outcome, "warmup")} == {"http_status"}
    assert (outcome.request_count, outcome.failed_count) == (6, 0)


COUNT = (delta(content="one"), delta(content=" two"))
FAILURES = {
    "cut": cut(*COUNT),
    "an error after text": stream(*COUNT, sse({"error": "something broke"}), DONE),
    "given up": stream(*COUNT, delta("abort"), usage(30, 2), DONE),
    "no end": stream(*COUNT, DONE),
    "no text": stream(delta("stop"), DONE),
    "refused": whole(500, {"error": "something broke"}),
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("which", [(1,), (2,), (1, 2)], ids=["first", "second", "both"])
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_a_warmup_that_failed_decides_nothing_about_the_seed(
    loopback: Loopback, results: Results, which: tuple[int, ...], failure: Answer
) -> None:
    def warmup(handler: Handler) -> None:
        (failure if len(loopback.asked) in which else ONE_TWO)(handler)

    loopback.warmup = warmup
    stored = rows(run(loopback, results, repeats=1))
    assert {row["seed_honored"] for row in stored} == {None}
    [found] = [finding for finding in stored[0]["preflight"] if finding["name"] == "seed"]
    assert (found["verdict"], found["detail"]) == ("unknown", "the warm-up failed")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("again", [ONE_TWO, stream(delta("length", content="one three"), DONE)], ids=["same", "other"])
def test_two_whole_warmups_decide_about_the_seed(loopback: Loopback, results: Results, again: Answer) -> None:
    loopback.warmup = lambda handler: (again if len(loopback.asked) == 2 else ONE_TWO)(handler)
    assert {row["seed_honored"] for row in rows(run(loopback, results, repeats=1))} == {again is ONE_TWO}


@pytest.mark.usefixtures("quick")
def test_a_server_that_dies_fails_the_requests_that_are_left(loopback: Loopback, results: Results) -> None:
    def watch(stage: str, row: Facts) -> None:
        if stage == "begin" and row.get("prompt_id") == "c":
            loopback.otherwise = hang_up

    outcome = run(loopback, results, repeats=1, watch=watch)
    assert [row["error_kind"] for row in rows(outcome, "request")] == [None, None, "transport"]


WRONG: list[Any] = ["12", 12.5, 10**30, -(10**30), [5], {"count": 5}, True, float("nan"), float("inf"), "", "a" * 5000]


@pytest.mark.usefixtures("quick")
def test_numbers_of_a_wrong_type_do_not_cost_the_run(loopback: Loopback, results: Results) -> None:
    loopback.script = {
        place: stream(
            delta("stop", content="one"),
            sse(
                {
                    "choices": [],
                    "system_fingerprint": value if not isinstance(value, str) else 7,
                    "usage": {
                        "prompt_tokens": 30,
                        "completion_tokens": value,
                        "prompt_tokens_details": {"cached_tokens": value},
                    },
                    "timings": {"predicted_per_second": value, "prompt_ms": 1.5},
                }
            ),
            DONE,
        )
        for place, value in enumerate(WRONG, start=1)
    }
    outcome = run(loopback, results, repeats=4)
    stored = rows(outcome, "request")
    assert [row["error_kind"] for row in stored] == [None] * 12
    for row in stored[: len(WRONG)]:
        assert (row["prompt_tokens"], row["reported_prompt_ms"], row["output_text"]) == (30, 1.5, "one")
        assert row["cached_tokens"] is None
        assert row["completion_tokens"] is None
    assert stored[-1]["completion_tokens"] == 2
    assert left_behind(results) == [f"runs/{outcome.path.name if outcome.path else ''}"]


@pytest.mark.usefixtures("quick")
def test_a_finish_reason_of_a_wrong_type_does_not_cost_the_run(loopback: Loopback, results: Results) -> None:
    odd = [["stop"], {"why": "stop"}, 7, True]
    loopback.script = {
        place: stream(sse({"choices": [{"delta": {"content": "one"}, "finish_reason": reason}]}), DONE)
        for place, reason in enumerate(odd, start=1)
    }
    outcome = run(loopback, results)
    assert [row["output_text"] for row in rows(outcome, "request")] == ["one"] * 4 + ["one two"] * 2


@pytest.mark.usefixtures("quick")
def test_a_character_sent_in_two_halves_is_stored_whole(loopback: Loopback, results: Results) -> None:
    # LM Studio is JavaScript, where a text may be cut between the two halves that make one character there.
    def half(code: str, finish: str | None = None) -> bytes:
        chunk = {"choices": [{"delta": {"content": chr(int(code, 16))}, "finish_reason": finish}]}
        return f"data: {json.dumps(chunk)}\n\n".encode()

    loopback.script = {
        1: stream(delta(content="Hi "), half("d83d"), half("dc4b", "stop"), DONE),
        2: stream(delta(content="Hi "), half("d83d", "length"), DONE),
        3: whole(500, {"error": "\ud83d broke"}),
    }
    stored = rows(run(loopback, results), "request")
    assert [row["output_text"] for row in stored[:2]] == ["Hi 👋", "Hi \ufffd"]
    assert stored[2]["error_kind"] == "http_status"
    assert len(stored) == 6


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("text", ["\u2028", "\x85", "\f", "\x00", "量子👋", "\n\r\n"])
def test_any_text_is_stored_as_it_came(loopback: Loopback, results: Results, text: str) -> None:
    loopback.otherwise = stream(delta("stop", content=f"a{text}b"), DONE)
    suite = Suite("one", "One", SUITE.prompts[:1])
    assert rows(run(loopback, results, repeats=1, suite=suite), "request")[0]["output_text"] == f"a{text}b"


# --- interruption ---


class Interrupted(OpenAIChat):
    """A person who presses Ctrl-C when the text ` two` of the third measured request arrives."""

    began = 0

    def chat(self, messages: list[dict[str, str]], *rest: Any) -> Any:
        self.began += messages[-1]["content"] != runs.WARMUP.text
        return super().chat(messages, *rest)

    def parse(self, event: str, data: str) -> Event:
        found = super().parse(event, data)
        if self.began == 3 and found.texts == (("answer", " two"),):
            raise KeyboardInterrupt
        return found


@pytest.mark.usefixtures("quick")
def test_an_interruption_in_a_request_keeps_what_had_come(loopback: Loopback, results: Results) -> None:
    outcome = run(loopback, results, kind=Interrupted)
    stored = rows(outcome, "request")
    assert [row["error_kind"] for row in stored] == [None, None, "interrupted"]
    assert (stored[2]["output_text"], [chunk["kind"] for chunk in stored[2]["chunks"]]) == ("one", ["other", "answer"])
    assert stored[2]["done_ns"] >= stored[2]["last_text_ns"] > 0
    assert {row["run_state"] for row in rows(outcome)} == {"interrupted"}
    assert (outcome.was_interrupted, outcome.request_count) == (True, 3)
    assert left_behind(results) == [f"runs/{outcome.path.name if outcome.path else ''}"]
    assert store.recover(results) == []


@pytest.mark.usefixtures("quick")
def test_an_interruption_between_requests_keeps_the_finished_ones(loopback: Loopback, results: Results) -> None:
    def watch(stage: str, row: Facts) -> None:
        if (stage, row["op"], row.get("prompt_id")) == ("begin", "request", "c"):
            raise KeyboardInterrupt

    outcome = run(loopback, results, watch=watch)
    assert [(row["prompt_id"], row["error_kind"]) for row in rows(outcome, "request")] == [("a", None), ("b", None)]
    assert {row["run_state"] for row in rows(outcome)} == {"interrupted"}


@pytest.mark.usefixtures("quick")
def test_an_interruption_before_anything_was_measured_leaves_nothing(loopback: Loopback, results: Results) -> None:
    class AtOnce(OpenAIChat):
        def describe(self) -> Facts:
            raise KeyboardInterrupt

    outcome = run(loopback, results, kind=AtOnce)
    assert (outcome.path, outcome.was_interrupted) == (None, True)
    assert left_behind(results) == []


@pytest.mark.usefixtures("quick")
def test_each_finished_operation_is_in_the_journal_at_once(loopback: Loopback, results: Results) -> None:
    # What is in the journal survives a killed process; test_store kills one.
    counts: list[tuple[int, int]] = []

    def watch(stage: str, row: Facts) -> None:
        if stage == "end":
            said = journal.read(results.journals / f"{RUN_ID}.jsonl")
            assert said.facts["run_state"] == "interrupted"
            assert said.operations[-1] == json.loads(json.dumps(row))
            counts.append((len(said.operations), row["op_index"] + 1))

    run(loopback, results, repeats=1, watch=watch)
    assert len(counts) >= 5
    assert all(written == finished for written, finished in counts)


@pytest.mark.usefixtures("quick")
def test_a_mistake_in_the_middle_keeps_the_journal(loopback: Loopback, results: Results) -> None:
    def watch(stage: str, row: Facts) -> None:
        if (stage, row.get("prompt_id")) == ("begin", "b"):
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        run(loopback, results, watch=watch)
    (saved,) = store.recover(results)
    assert [row["prompt_id"] for row in pq.read_table(saved).to_pylist() if row["op"] == "request"] == ["a"]


# --- mistakes found before measuring leave nothing behind ---


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("models", "said"), [([], "no model loaded"), (["a", "b"], "2 models: a, b")])
def test_a_model_that_is_not_clear_leaves_nothing(
    loopback: Loopback, results: Results, models: list[str], said: str
) -> None:
    loopback.models = models
    with pytest.raises(ModelUnclear, match=said):
        run(loopback, results)
    assert (left_behind(results), loopback.asked) == ([], [])


@pytest.mark.usefixtures("quick")
def test_of_two_models_the_named_one_is_measured(loopback: Loopback, results: Results) -> None:
    loopback.models = ["a", "b"]
    outcome = run(loopback, results, repeats=1, model="b")
    assert {body["model"] for body in loopback.asked} == {"b"}
    assert {row["model_key"] for row in rows(outcome)} == {"b"}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("answer", [hang_up, whole(200, {"error": "Unexpected endpoint"}), whole(500, {})])
def test_a_server_without_a_model_list_leaves_nothing(
    loopback: Loopback, results: Results, answer: Callable[[Any], None]
) -> None:
    loopback.routes["/v1/models"] = answer
    with pytest.raises(ServerNotFound):
        run(loopback, results)
    assert left_behind(results) == []


@pytest.mark.usefixtures("quick")
def test_a_server_that_goes_away_before_measuring_leaves_nothing(loopback: Loopback, results: Results) -> None:
    class GoesAway(OpenAIChat):
        def trivial_requests(self) -> tuple[tuple[str, str], ...]:
            found = super().trivial_requests()
            loopback.routes = dict.fromkeys((path for _, path in found), hang_up)
            return found

    with pytest.raises(ServerNotFound, match="stopped answering"):
        run(loopback, results, kind=GoesAway)
    assert left_behind(results) == []
