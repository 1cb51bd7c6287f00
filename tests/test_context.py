"""A ladder climbed against a server that counts, refuses, cuts, falls silent or is slow: what is stored, and where it
ends. Time is a fake clock's."""

import functools
import itertools
import json
import re
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import httpx
import psutil
import pyarrow.parquet as pq
import pytest

from collector import cli, cooldown, environment, ladder, measure, preflight
from collector import context as contexts
from collector import run as runs
from collector.backends import Facts, lms, lmstudio
from collector.backends.openai_chat import OpenAIChat
from collector.commands.context import climb
from collector.context import is_accepted
from collector.machine import describe
from collector.schema import Results
from site_src.warehouse import Warehouse
from tests.conftest import DONE, FakeClock, Script, delta, sse, usage
from tests.lmstudio import Double, DoubleModel, Scripted
from tests.loopback import Handler, Loopback, NoSampler, stream, whole

CONTEXT = 8192
RUNGS = [896, 1792, 3584, 5376, 7168]
BEYOND = 8704
NOTE = re.compile(r"【备忘】(\w+?)的编号是(\d{7})")
Answer = Callable[["Reader", str, int], httpx.Response]


def answer(reader: "Reader", text: str, tokens: int, seen: str | None = None) -> httpx.Response:
    """All notes that stand in the text, or in the part of it that was seen, as JSON."""
    notes = json.dumps(dict(NOTE.findall(text if seen is None else seen)), ensure_ascii=False)
    thought = [(0, delta(reasoning_content="Hm. "))] if reader.thinks else []
    pieces = [(reader.piece_ms, delta(content=piece)) for piece in (notes[:9], notes[9:]) if piece]
    counted = [(0, usage(tokens, 40))] if reader.counts else []
    return reader.streamed(*thought, *pieces, (0, delta("stop")), *counted, (0, DONE))


def refuse(reader: "Reader", text: str, tokens: int) -> httpx.Response:
    """As llama-server does."""
    said = f"the request exceeds the available context size ({reader.limit} tokens), try increasing it"
    return httpx.Response(400, json={"error": {"code": 400, "message": said, "n_prompt_tokens": tokens}})


def truncate(reader: "Reader", text: str, tokens: int) -> httpx.Response:
    """As Ollama does: the end of the prompt is kept, nobody is told, and the answer is invented."""
    return answer(reader, text, reader.limit, seen=text[-round(len(text) * reader.limit / tokens) :])


def fall_empty(reader: "Reader", text: str, tokens: int) -> httpx.Response:
    """As LM Studio's GGUF engine does."""
    return reader.streamed((0, DONE))


def fail_in_stream(reader: "Reader", text: str, tokens: int) -> httpx.Response:
    """As LM Studio's MLX engine does."""
    said = f"Trying to keep the first {tokens} tokens when context the overflows; context length of {reader.limit}."
    return reader.streamed((0, sse({"error": {"message": said}})))


def hang_up(reader: "Reader", text: str, tokens: int) -> httpx.Response:
    raise httpx.RemoteProtocolError("Server disconnected without sending a response.")


class Reader(httpx.BaseTransport):
    """A model server on a fake clock. It reads prompts at a pace and finds every note in them.

    `told`: the context it says it has; `limit`: the one it has; `over`: what it does with a longer prompt.
    """

    def __init__(
        self,
        clock: FakeClock,
        told: int | None = CONTEXT,
        limit: int | None = None,
        over: Answer = refuse,
        otherwise: Answer = answer,
        ms_per_token: float = 0.1,
        rate: float = 0.7,  # tokens for a character
    ) -> None:
        self.clock, self.told, self.limit = clock, told, limit or told or 10**9
        self.over, self.otherwise = over, otherwise
        self.ms_per_token, self.rate = ms_per_token, rate
        self.piece_ms = 5.0
        self.thinks, self.counts = False, True
        self.asked: list[Facts] = []
        self.when: dict[int, BaseException] = {}  # raised instead of an answer to request number …
        self.patience: list[float] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "POST":
            entry = {"id": "tiny-Q4_K_M"} | ({"max_model_len": self.told} if self.told else {})
            found = request.url.path == "/v1/models"
            return httpx.Response(200, json={"data": [entry]}) if found else httpx.Response(404)
        body = json.loads(request.read())
        self.asked.append(body)
        self.patience.append(request.extensions["timeout"]["read"])
        if error := self.when.get(len(self.asked)):
            raise error
        text = body["messages"][-1]["content"]
        tokens = self.tokens(body)
        over = tokens > self.limit
        silence = 0 if over and self.over is not truncate else min(tokens, self.limit) * self.ms_per_token
        self._wait(silence)
        return (self.over if over else self.otherwise)(self, text, tokens)

    def tokens(self, body: Facts) -> int:
        return 30 + round(self.rate * len(body["messages"][-1]["content"]))

    def streamed(self, *steps: Any) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Script(self.clock, steps))

    def _wait(self, ms: float) -> None:
        if ms > 1000 * self.patience[-1]:
            self.clock.pass_ms(1000 * self.patience[-1])
            raise httpx.ReadTimeout("timed out")
        self.clock.pass_ms(ms)

    @property
    def climbed(self) -> list[int]:
        """Tokens of each prompt, calibration left out."""
        return [self.tokens(body) for body in self.asked[2:]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The clock of requests and of the budget."""
    clock = FakeClock()
    monkeypatch.setattr(measure, "clock", clock)
    monkeypatch.setattr(measure, "exchange", functools.partial(measure.exchange, clock=clock))
    return clock


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine counts, and nobody waits."""
    monkeypatch.delenv("LM_API_TOKEN", raising=False)
    ids = itertools.count(1)  # whatever hangs on a run's id is the same each time
    monkeypatch.setattr(runs.secrets, "token_hex", lambda count: f"{next(ids):012x}")
    monkeypatch.setattr(runs, "Sampler", NoSampler)
    monkeypatch.setattr(runs, "BASELINE_S", 0)
    monkeypatch.setattr(runs.awake, "command", lambda: ["no-such-program"])
    monkeypatch.setattr(OpenAIChat, "engine_pid", lambda self: None)
    monkeypatch.setattr(environment, "cpu_busy_percent", lambda seconds=0.5: environment.Reading(1.0))
    monkeypatch.setattr(environment, "swap_used_bytes", lambda: environment.Reading(0))
    plenty = SimpleNamespace(total=512 * 2**30, available=400 * 10**9)
    monkeypatch.setattr(preflight.psutil, "virtual_memory", lambda: plenty)


def climbed(reader: Reader, results: Results, budget: float = 600, fresh: bool = True) -> runs.Outcome:
    """One ladder, as `collect context` climbs it."""
    with measure.connect("http://127.0.0.1:1", transport=reader) as client:
        return climb(client, OpenAIChat(client), results, budget, None, [], False, {}, fresh)


def rows(outcome: runs.Outcome, op: str = "context") -> list[Facts]:
    assert outcome.path is not None
    return [row for row in pq.read_table(outcome.path).to_pylist() if op in (row["op"], "*")]


def verdicts(results: Results) -> dict[int, str]:
    return {row["rung"]: row["verdict"] for row in Warehouse(results).rows("from context_ladder order by rung")}


def utilization(results: Results) -> Facts:
    [row] = Warehouse(results).rows("from context_utilization")
    return row


# --- a whole ladder ---


def test_each_rung_is_two_prompts_of_three_needles_and_the_last_one_proves_the_limit(
    clock: FakeClock, results: Results
) -> None:
    outcome = climbed(Reader(clock), results)
    stored = rows(outcome)
    sent = [(row["context_rung"], row["repeat"]) for row in stored]
    assert sent == [(rung, number) for rung in RUNGS for number in (1, 2)] + [(BEYOND, 1)]
    for row in stored[:-1]:
        assert (row["error_kind"], row["http_status"], row["prompt_category"]) == (None, 200, "context")
        assert row["prompt_tokens"] == pytest.approx(row["context_rung"], abs=2)
        assert row["context_expected_tokens"] == pytest.approx(row["prompt_tokens"], abs=2)
        assert [needle["depth"] for needle in row["needles"]] == [0.1, 0.5, 0.9]
        assert [needle["found"] for needle in row["needles"]] == [True] * 3
        assert all(needle["number"] in row["output_text"] for needle in row["needles"])
    assert stored[-1]["error_kind"] == "context_overflow"
    assert [needle["found"] for needle in stored[-1]["needles"]] == [False] * 3
    assert (outcome.was_interrupted, outcome.stopped_by, outcome.request_count) == (False, None, 0)
    assert {row["suite"] for row in stored} == {"context"}
    assert verdicts(results) == {**dict.fromkeys(RUNGS, "pass"), BEYOND: "limit"}
    told = utilization(results)
    assert (told["context_usable"], told["context_usable_below"], told["is_limit_seen"]) == (7168, BEYOND, True)
    assert told["context_accepted"] == pytest.approx(7168, abs=2)


def test_no_prompt_shares_a_beginning_with_another_and_each_is_sent_at_temperature_0(
    clock: FakeClock, results: Results
) -> None:
    reader = Reader(clock)
    stored = [*rows(outcome := climbed(reader, results), "warmup"), *rows(outcome)]
    assert len(stored) == len(reader.asked) == 13
    assert len({body["messages"][-1]["content"] for body in reader.asked}) == 13
    assert len({row["nonce"] for row in stored}) == 13  # stands before everything else
    for row, body in zip(stored, reader.asked, strict=True):
        assert body["messages"][0]["content"].startswith(row["nonce"])
        assert body["max_tokens"] == row["max_tokens"] == contexts.ANSWER_TOKENS
        assert {name: body[name] for name in contexts.SAMPLING} == {name: row[name] for name in contexts.SAMPLING}
        assert (row["temperature"], body["stream"]) == (0.0, True)
    firsts = [row["nonce"][0] for row in stored]
    assert all(one != other for one, other in pairwise(firsts))


def test_calibration_is_two_small_prompts_and_no_rung(clock: FakeClock, results: Results) -> None:
    reader = Reader(clock, told=2048)
    calibration = rows(climbed(reader, results), "warmup")
    assert [row["prompt_id"] for row in calibration] == ["calibration-1", "calibration-2"]
    assert {(row["context_rung"], row["needles"]) for row in calibration} == {(None, None)}
    small, large = (row["prompt_tokens"] for row in calibration)
    assert small < large <= 2048 / 4 + 30  # of a small context no more than a quarter


def test_a_ladder_counts_in_no_figure_of_speed(clock: FakeClock, results: Results) -> None:
    climbed(Reader(clock, told=2048), results)
    [run] = Warehouse(results).rows("select request_count, failed_count, decode_tps from runs")
    assert (run["request_count"], run["failed_count"], run["decode_tps"]) == (0, 0, None)


def test_a_model_that_thinks_is_given_room_for_it(clock: FakeClock, results: Results) -> None:
    reader = Reader(clock, told=2048)
    reader.thinks = True
    climbed(reader, results)
    room = contexts.ANSWER_TOKENS + contexts.REASONING_TOKENS
    assert [body["max_tokens"] for body in reader.asked[:2]] in ([200, 200], [200, room])
    assert {body["max_tokens"] for body in reader.asked[2:]} == {room}


def test_the_forecast_and_the_budget_are_told_before_the_climb(
    clock: FakeClock, results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    climbed(Reader(clock), results, budget=300)
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith("rungs: 896, 1,792, 3,584, 5,376, 7,168 tokens; all of them would take about ")
    assert first.endswith(" s, the budget is 300 s")


def test_a_context_that_nobody_tells_is_climbed_until_it_refuses(clock: FakeClock, results: Results) -> None:
    outcome = climbed(Reader(clock, told=None, limit=40_000, ms_per_token=0.01), results)
    tried = [row["context_rung"] for row in rows(outcome)]
    assert tried[:8] == [4096, 4096, 16_384, 16_384, 32_768, 32_768, 65_536, 49_152]
    assert max(tried) == 65_536  # nothing is longer than what was refused


def test_a_model_that_forgets_the_middle_fails_the_rung_and_the_climb_goes_on(
    clock: FakeClock, results: Results
) -> None:
    def forget(reader: Reader, text: str, tokens: int) -> httpx.Response:
        return answer(reader, text, tokens, seen=text if tokens < 4000 else text[: len(text) // 5] + text[-2000:])

    outcome = climbed(Reader(clock, otherwise=forget), results)
    assert len(rows(outcome)) == 11
    assert verdicts(results) == dict(zip([*RUNGS, BEYOND], ["pass"] * 3 + ["fail"] * 2 + ["limit"], strict=True))
    told = utilization(results)
    assert (told["context_usable"], told["context_usable_below"]) == (3584, 5376)
    assert told["context_accepted"] == pytest.approx(7168, abs=2)


# --- the real limit ---


@pytest.mark.parametrize(
    ("over", "kind"),
    [(refuse, "context_overflow"), (fail_in_stream, "context_overflow"), (fall_empty, "empty"), (truncate, None)],
)
def test_a_limit_below_what_was_told_is_found_and_its_bracket_narrowed(
    clock: FakeClock, results: Results, over: Answer, kind: str | None
) -> None:
    limit = 20_000
    outcome = climbed(Reader(clock, told=32_768, limit=limit, over=over, ms_per_token=0.01), results)
    stored = rows(outcome)
    tried = [row["context_rung"] for row in stored]
    assert tried[:5] == [4096, 4096, 16_384, 16_384, 30_720]
    assert tried[5:] == [23_552, 19_968, 19_968, 21_760, 20_864]  # each halves what is left
    refused = [row for row in stored if row["context_rung"] > limit]
    assert {row["error_kind"] for row in refused} == {kind}
    assert not any(map(is_accepted, refused))
    assert all(is_accepted(row) for row in stored if row["context_rung"] <= limit)
    told = utilization(results)
    assert (told["context_usable"], told["context_usable_below"]) == (19_968, 20_864)
    assert {verdict for rung, verdict in verdicts(results).items() if rung > limit} == {"refused"}


def test_a_prompt_that_was_cut_silently_is_refused_with_both_counts(clock: FakeClock, results: Results) -> None:
    climbed(Reader(clock, told=32_768, limit=20_000, over=truncate, ms_per_token=0.01), results)
    [row] = Warehouse(results).rows("from context_ladder where rung = 30720")
    assert (row["verdict"], row["accepted_count"], row["found_count"]) == ("refused", 0, 0)
    assert row["reason"] == "20000 tokens counted, 30720 sent"


def test_a_context_that_is_longer_than_was_told_is_said(
    clock: FakeClock, results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    climbed(Reader(clock, limit=10**6), results)
    assert re.search(r"a prompt of 8,70\d tokens was taken, more than the context should hold", capsys.readouterr().err)
    assert utilization(results)["is_limit_seen"] is False


def test_a_server_that_dies_ends_the_climb(clock: FakeClock, results: Results) -> None:
    reader = Reader(clock)
    reader.when = dict.fromkeys(range(5, 100), httpx.ConnectError("[Errno 111] Connection refused"))
    outcome = climbed(reader, results)
    assert {row["error_kind"] for row in rows(outcome)[2:]} == {"connect"}
    assert len(rows(outcome)) < 8
    assert {row["run_state"] for row in rows(outcome)} == {"complete"}


@pytest.mark.parametrize("told", [None, CONTEXT])
def test_a_server_that_counts_no_tokens_has_no_ladder_and_that_is_said(
    clock: FakeClock, results: Results, capsys: pytest.CaptureFixture[str], told: int | None
) -> None:
    reader = Reader(clock, told=told)
    reader.counts = False
    outcome = climbed(reader, results)
    assert "the server counts no tokens, so no ladder can be climbed" in capsys.readouterr().err
    assert (rows(outcome), len(rows(outcome, "warmup"))) == ([], 2)


class Bounded(ladder.Scale):
    """A scale that is asked a thousand times at most, where it would be asked for ever."""

    asked = 0

    def tokens(self, characters: int) -> int:
        self.asked += 1
        assert self.asked < 1000
        return super().tokens(characters)


def test_a_server_that_counts_the_same_for_every_prompt_has_no_ladder_either(
    clock: FakeClock, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "Scale", Bounded)
    monkeypatch.setattr(contexts.Climb, "__init__", functools.partialmethod(contexts.Climb.__init__, scale=Bounded()))
    outcome = climbed(Reader(clock, rate=0), results)
    assert rows(outcome) == []


@pytest.mark.parametrize("number", [1, 2])
def test_a_calibration_that_fails_is_no_crash(clock: FakeClock, results: Results, number: int) -> None:
    reader = Reader(clock)
    reader.when = {number: httpx.ReadError("reset by peer")}
    outcome = climbed(reader, results)
    assert [row["error_kind"] for row in rows(outcome, "warmup")].count(None) == 1


@pytest.mark.parametrize("counted", ["1000", [5]])
def test_a_count_of_a_wrong_type_is_no_crash(clock: FakeClock, results: Results, counted: Any) -> None:
    def odd(reader: Reader, text: str, tokens: int) -> httpx.Response:
        return answer(reader, text, counted)

    climbed(Reader(clock, otherwise=odd), results)


# --- which prompts were taken ---


@pytest.mark.parametrize(
    ("sent", "counted", "kind", "taken"),
    [
        (30_000, 30_000, None, True),
        (30_000, 29_480, None, True),
        (30_000, 30_520, None, True),
        (30_000, 29_390, None, False),
        (30_000, 30_610, None, False),
        (30_000, 16_387, None, False),
        (400, 345, None, True),  # a short prompt's tokens are estimated less surely
        (400, 330, None, False),
        (30_000, 30_000, "truncated_in_reasoning", True),  # flaws of the text, not of the prompt
        (30_000, 30_000, "template_leak", True),
        (30_000, 30_000, "empty", False),
        (30_000, 30_000, "stream_cut", False),
        (30_000, None, "http_status", False),
        (30_000, None, None, False),
        (30_000, 0, None, False),
    ],
)
def test_a_prompt_was_taken_if_it_was_answered_and_all_its_tokens_counted(
    sent: int, counted: int | None, kind: str | None, taken: bool
) -> None:
    row = {"context_expected_tokens": sent, "prompt_tokens": counted, "error_kind": kind}
    assert is_accepted(row) is taken


def test_without_a_count_nothing_was_taken() -> None:
    assert not is_accepted({"context_expected_tokens": 30_000, "error_kind": None})


@pytest.mark.parametrize(
    "context",
    [1024, 2048, 4096, 8192, 131_072, 262_144],
)
def test_a_prompt_beyond_that_was_cut_to_the_context_is_not_taken_for_a_whole_one(context: int) -> None:
    row = {"context_expected_tokens": ladder.beyond(context), "prompt_tokens": context, "error_kind": None}
    assert not is_accepted(row)


@pytest.mark.parametrize("told", [8192, 1_048_576])
def test_a_rung_is_as_long_as_it_says(clock: FakeClock, results: Results, told: int) -> None:
    """More than the haystack holds cannot be sent; a rung of that name would say too much."""
    outcome = climbed(Reader(clock, told=told, ms_per_token=0.001), results, budget=10**6)
    taken = [row for row in rows(outcome) if is_accepted(row)]
    assert taken
    for row in taken:
        assert row["prompt_tokens"] == pytest.approx(row["context_rung"], rel=0.02)


# --- the budget ---


def test_a_rung_that_would_exceed_the_budget_is_not_sent_and_says_what_it_would_take(
    clock: FakeClock, results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = Reader(clock, ms_per_token=10)  # 9 s for the first rung's prompt, 72 s for the last one's
    outcome = climbed(reader, results, budget=200)
    *_, last, cut, beyond = rows(outcome)
    assert (last["context_rung"], last["repeat"], last["error_kind"]) == (3584, 2, None)
    assert (cut["context_rung"], cut["repeat"], cut["error_kind"], cut["prompt_tokens"]) == (5376, 1, "budget", None)
    needed, left = map(int, re.findall(r"(\d+) s (?:needed|left of the budget)", cut["error_detail"]))
    assert needed > left
    assert f"stopped before 5,376 tokens: {cut['error_detail']}" in capsys.readouterr().err
    assert not [tokens for tokens in reader.climbed if 4000 < tokens < 8000]
    assert beyond["error_kind"] == "context_overflow"  # refused at once, in the time kept for it
    assert verdicts(results) == {896: "pass", 1792: "pass", 3584: "pass", 5376: "cut", BEYOND: "limit"}
    told = utilization(results)
    assert (told["context_usable"], told["is_limit_seen"]) == (3584, True)
    assert "the budget ended before the ladder did" in told["reason"]


def test_a_ladder_ends_within_its_budget_whatever_the_server_does(clock: FakeClock, results: Results) -> None:
    for ms_per_token in (1, 10, 100):
        for over in (refuse, truncate):
            began = clock.now
            climbed(Reader(clock, ms_per_token=ms_per_token, over=over), results, budget=60)
            assert (clock.now - began) / 1e9 <= 60 + contexts.GRACE_S, (ms_per_token, over)


def test_a_request_that_takes_longer_than_was_forecast_is_cut_when_the_budget_ends(
    clock: FakeClock, results: Results
) -> None:
    def slow(reader: Reader, text: str, tokens: int) -> httpx.Response:
        if tokens > 3000:
            reader._wait(10**6)
        return answer(reader, text, tokens)

    began = clock.now
    outcome = climbed(Reader(clock, otherwise=slow), results, budget=100)
    last = rows(outcome)[4]
    assert (last["context_rung"], last["error_kind"]) == (3584, "budget")
    assert last["error_detail"] == "cut: the time budget ended"
    assert verdicts(results)[3584] == "cut"
    assert (clock.now - began) / 1e9 <= 100 + 2 * contexts.GRACE_S


def test_an_answer_that_trickles_is_cut_when_the_budget_ends(clock: FakeClock, results: Results) -> None:
    def trickle(reader: Reader, text: str, tokens: int) -> httpx.Response:
        pieces = [(2000, delta(content="x"))] * (200 if tokens > 3000 else 1)
        return reader.streamed(*pieces, (0, delta("stop")), (0, usage(tokens, 40)), (0, DONE))

    began = clock.now
    climbed(Reader(clock, otherwise=trickle), results, budget=100)
    assert (clock.now - began) / 1e9 <= 100 + 2 * contexts.GRACE_S + 2


def test_a_budget_that_ends_in_the_calibration_is_not_blamed_on_the_server(
    clock: FakeClock, results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    climbed(Reader(clock, ms_per_token=100), results, budget=20)
    said = capsys.readouterr().err
    assert "counts no tokens" not in said
    assert "budget" in said


def test_a_timeout_before_the_budget_ends_is_the_servers(clock: FakeClock, results: Results) -> None:
    reader = Reader(clock)
    reader.when = {4: httpx.ReadTimeout("timed out")}
    assert rows(climbed(reader, results))[1]["error_kind"] == "timeout"


def test_the_budget_is_stored_with_the_run(clock: FakeClock, results: Results) -> None:
    with measure.connect("http://127.0.0.1:1", transport=Reader(clock, told=2048)) as client:
        outcome = climb(client, OpenAIChat(client), results, 77.0, None, [], True, {"context_budget_s": 77.0}, True)
    assert {(row["context_budget_s"], row["forced"]) for row in rows(outcome, "*")} == {(77.0, True)}


# --- going on ---


def test_a_later_ladder_goes_on_where_an_earlier_one_ran_out_of_time(
    clock: FakeClock, results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    # a context that nobody tells, so that no prompt beyond it is sent
    slow = functools.partial(Reader, clock, told=None, limit=10**6, ms_per_token=1)
    first = climbed(slow(), results, budget=100, fresh=False)
    tried = [(row["context_rung"], row["error_kind"]) for row in rows(first)]
    assert tried == [*[(rung, None) for rung in (4096, 4096, 16_384, 16_384, 32_768)], (32_768, "budget")]
    capsys.readouterr()
    second = climbed(slow(), results, budget=10**5, fresh=False)
    said = capsys.readouterr().err
    assert "measured before, not again: 4,096, 16,384 tokens" in said
    assert "rungs: 32,768, 65,536, 98,304, 131,072, 163,840, 196,608, 262,144 tokens" in said
    assert [row["context_rung"] for row in rows(second)][:4] == [32_768, 32_768, 65_536, 65_536]


def test_a_ladder_that_ended_at_a_limit_can_be_gone_on_with(clock: FakeClock, results: Results) -> None:
    climbed(Reader(clock, ms_per_token=10), results, budget=200, fresh=False)
    second = climbed(Reader(clock, ms_per_token=10), results, budget=2000, fresh=False)
    assert [row["context_rung"] for row in rows(second)] == [5376, 5376, 7168, 7168, BEYOND]


def test_a_rung_that_was_cut_and_measured_later_passes(clock: FakeClock, results: Results) -> None:
    slow = functools.partial(Reader, clock, told=None, limit=10**6, ms_per_token=1)
    climbed(slow(), results, budget=100, fresh=False)
    assert verdicts(results)[32_768] == "cut"
    climbed(slow(), results, budget=10**5, fresh=False)
    assert set(verdicts(results).values()) == {"pass"}
    assert "budget" not in (utilization(results)["reason"] or "")


def test_a_rung_in_which_the_person_pressed_ctrl_c_and_that_was_measured_later_passes(
    clock: FakeClock, results: Results
) -> None:
    reader = Reader(clock)
    reader.when = {4: KeyboardInterrupt()}  # the second prompt of the first rung
    climbed(reader, results)
    climbed(Reader(clock), results)
    assert verdicts(results) == {**dict.fromkeys(RUNGS, "pass"), BEYOND: "limit"}


def test_a_finished_ladder_only_proves_its_limit_again(clock: FakeClock, results: Results) -> None:
    climbed(Reader(clock), results, fresh=False)
    second = climbed(Reader(clock), results, fresh=False)
    assert [row["context_rung"] for row in rows(second)] == [BEYOND]


def test_fresh_measures_everything_again(clock: FakeClock, results: Results) -> None:
    climbed(Reader(clock, told=2048), results)
    second = climbed(Reader(clock, told=2048), results, fresh=True)
    assert len(rows(second)) == 11


def test_another_context_is_another_ladder(clock: FakeClock, results: Results) -> None:
    climbed(Reader(clock, told=2048), results, fresh=False)
    second = climbed(Reader(clock, told=4096), results, fresh=False)
    assert [row["context_rung"] for row in rows(second)][:2] == [448, 448]
    assert len(rows(second)) == 11


def test_a_rung_of_which_one_prompt_was_refused_is_tried_again(clock: FakeClock, results: Results) -> None:
    reader = Reader(clock, told=None, limit=10**6)
    reader.when = {6: httpx.ReadError("reset by peer")}  # the second prompt of the second rung
    first = climbed(reader, results, budget=60, fresh=False)
    assert [row["error_kind"] for row in rows(first)][:4] == [None, None, None, "transport"]
    second = climbed(Reader(clock, told=None, limit=10**6), results, budget=60, fresh=False)
    assert [row["context_rung"] for row in rows(second)][:2] == [16_384, 16_384]


def test_a_rung_in_which_the_person_pressed_ctrl_c_is_tried_again(clock: FakeClock, results: Results) -> None:
    reader = Reader(clock, told=None, limit=10**6)
    reader.when = {6: KeyboardInterrupt()}
    climbed(reader, results, budget=60, fresh=False)
    second = climbed(Reader(clock, told=None, limit=10**6), results, budget=60, fresh=False)
    assert [row["context_rung"] for row in rows(second)][:2] == [16_384, 16_384]


def test_a_bracket_that_was_narrowed_is_not_narrowed_from_the_start_again(clock: FakeClock, results: Results) -> None:
    reader = functools.partial(Reader, clock, told=32_768, limit=20_000, over=truncate, ms_per_token=0.01)
    climbed(reader(), results, fresh=False)
    second = climbed(reader(), results, fresh=False)
    assert 19_968 not in [row["context_rung"] for row in rows(second)]


# --- Ctrl-C ---


def test_ctrl_c_in_a_request_keeps_what_was_measured(clock: FakeClock, results: Results) -> None:
    reader = Reader(clock)
    reader.when = {6: KeyboardInterrupt()}
    outcome = climbed(reader, results)
    assert outcome.was_interrupted
    stored = rows(outcome)
    assert [row["error_kind"] for row in stored] == [None, None, None, "interrupted"]
    assert {row["run_state"] for row in stored} == {"interrupted"}
    assert verdicts(results)[896] == "pass"
    assert list(results.journals.glob("*.jsonl")) == []


def test_ctrl_c_between_requests_keeps_what_was_measured(
    clock: FakeClock, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    build, built = contexts.haystack.build, []

    def interrupted(seed: str, characters: int) -> Any:
        built.append(seed)
        if len(built) == 5:
            raise KeyboardInterrupt
        return build(seed, characters)

    monkeypatch.setattr(contexts.haystack, "build", interrupted)
    outcome = climbed(Reader(clock), results)
    assert (outcome.was_interrupted, [row["error_kind"] for row in rows(outcome)]) == (True, [None, None])


def test_a_ladder_is_surveyed_at_its_start_and_at_its_end(clock: FakeClock, results: Results) -> None:
    surveyed = [row["op_index"] for row in rows(climbed(Reader(clock, told=2048), results), "*") if row["environment"]]
    assert len(surveyed) >= 2
    assert surveyed[-1] > 11


# --- as typed ---


class Said(NamedTuple):
    """What a command printed, and how it ended."""

    code: object
    out: str
    err: str


Collect = Callable[..., Said]


@pytest.fixture
def collect(results: Results, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Collect:
    """`collect("context", …)` as typed in a terminal that is none."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(lms, "find", lambda: None)
    monkeypatch.setattr(lmstudio, "SETTLE_S", 0)
    monkeypatch.setattr(lmstudio, "STATUS_PORTS", ())
    monkeypatch.setattr(cooldown, "cool_down", lambda: 7.0)

    def call(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["collect", *arguments])
        code: object = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
        return Said(code, *capsys.readouterr())

    return call


def reading(context: int, said: str = "the request exceeds the available context size") -> Callable[[Handler], None]:
    """A server on a real port that counts tokens and finds every note; what it says of too many."""

    def reply(handler: Handler) -> None:
        text = handler.loopback.asked[-1]["messages"][-1]["content"]
        tokens = 30 + round(0.7 * len(text))
        if tokens > context:
            return whole(400, {"error": said})(handler)
        notes = json.dumps(dict(NOTE.findall(text)), ensure_ascii=False)
        return stream(delta(content=notes), delta("stop"), usage(tokens, 40), DONE)(handler)

    return reply


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        running.otherwise = reading(2048)
        running.routes["/v1/models"] = whole(200, {"data": [{"id": "tiny-Q4_K_M", "max_model_len": 2048}]})
        yield running


def test_a_ladder_prints_its_path_to_stdout_and_its_rungs_to_stderr(
    collect: Collect, server: Loopback, results: Results
) -> None:
    said = collect("context", "--url", server.url)
    [path] = results.runs.iterdir()
    assert (said.code, said.out) == (0, f"{path}\n"), said.err
    assert "1,792 tokens #2" not in said.err.partition("TTFT")[0]
    assert re.search(r"1,79\d tokens #2: 3 of 3 needles, TTFT 0\.\d s", said.err)
    assert f"{ladder.beyond(2048):,} tokens #1: too long for the server's context: " in said.err
    assert re.search(r"context in tokens: advertised unknown, effective 2048, accepted 179\d, usable 1792", said.err)


def test_json_is_the_ladder_on_stdout(collect: Collect, server: Loopback) -> None:
    said = collect("context", "--url", server.url, "--json")
    told = json.loads(said.out)
    assert (said.code, told["context_usable"], told["is_limit_seen"]) == (0, 1792, True)
    assert [(row["rung"], row["verdict"]) for row in told["rungs"]] == [
        *((rung, "pass") for rung in (192, 448, 896, 1344, 1792)),
        (ladder.beyond(2048), "limit"),
    ]
    assert Path(told["path"]).exists()


def test_a_second_call_goes_on_and_a_fresh_one_does_not(collect: Collect, server: Loopback) -> None:
    collect("context", "--url", server.url)
    again = collect("context", "--url", server.url)
    assert "measured before, not again: 192, 448, 896, 1,344, 1,792 tokens" in again.err
    assert len(server.asked) == 13 + 3
    fresh = collect("context", "--url", server.url, "--fresh")
    assert "measured before" not in fresh.err
    assert len(server.asked) == 13 + 3 + 13


def test_ctrl_c_is_exit_code_130_and_a_file(
    collect: Collect, server: Loopback, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = OpenAIChat.parse

    def interrupted(self: OpenAIChat, event: str, data: str) -> Any:
        if len(server.asked) == 6:
            raise KeyboardInterrupt
        return parse(self, event, data)

    monkeypatch.setattr(OpenAIChat, "parse", interrupted)
    said = collect("context", "--url", server.url)
    [path] = results.runs.iterdir()
    assert (said.code, said.out) == (130, f"{path}\n")
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--embedded", "--load", "x"), "--embedded and --load both say what to load"),
        (("--context-length", "8192"), "--context-length goes with --load or --embedded"),
        (("--budget", "0"), "--budget"),
        (("--context-length", "512", "--embedded"), "--context-length"),
    ],
)
def test_options_that_contradict_each_other_are_a_mistake(
    collect: Collect, results: Results, options: tuple[str, ...], told: str
) -> None:
    said = collect("context", *options)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert not results.root.exists()


def test_a_model_that_does_not_load_is_exit_code_3_and_a_file(collect: Collect, results: Results) -> None:
    with Double([DoubleModel("unsloth/tiny@q4_k_m", load_error="out of memory")]) as double:
        said = collect("context", "--url", double.url, "--load", "unsloth/tiny@q4_k_m", "--yes")
    [path] = results.runs.iterdir()
    assert (said.code, said.out) == (3, f"{path}\n")
    assert "Nothing could be measured" in said.err


# --- from the plan ---

HEAD = "model,variant,runtime,format,quantization,bits,size_gb,memory_gb,priority,status,compare_to,source,note,kind"
ROW = "SmolLM2-135M-Instruct,Q4_K_M context,llama.cpp,gguf,Q4_K_M,4,0.1,0.4,1,pending,,x/smol,,context"
SMOL = "unsloth/smollm2-135m-instruct@q4_k_m"


def noted(job: Any) -> list[tuple[Any, ...]]:
    notes = json.dumps(dict(NOTE.findall(job.prompt["messages"][-1]["content"])), ensure_ascii=False)
    return [(0, "answer", notes, 40)]


@pytest.fixture
def studio() -> Iterator[Double]:
    """LM Studio with one model; four characters are a token."""
    models = [DoubleModel(SMOL, max_context_length=131_072)]
    with Double(models, tokens=Scripted(noted, prompt_tokens=None)) as double:
        yield double


def planned(results: Results, cell: str) -> None:
    results.root.mkdir()
    (results.root / "plan.csv").write_text(f"{HEAD},context_length,budget_s\n{ROW},{cell}\n")


def test_a_context_row_of_the_plan_is_climbed_with_its_own_length_and_budget(
    collect: Collect, results: Results, studio: Double
) -> None:
    planned(results, "4096,77")
    said = collect("plan", "--run", "--url", studio.url)
    assert said.code == 0, said.err
    [path] = results.runs.iterdir()
    assert said.out == f"{path}\n"
    [load] = [seen.json for seen in studio.requests if seen.path == "/api/v1/models/load"]
    assert (load["model"], load["context_length"]) == (SMOL, 4096)
    stored = pq.read_table(path).to_pylist()
    assert {(row["context_budget_s"], row["context_requested"], row["suite"], row["cooldown_s"]) for row in stored} == {
        (77.0, 4096, "context", 7.0)
    }
    climbed = [row["context_rung"] for row in stored if row["op"] == "context"]
    assert climbed == [rung for rung in (448, 896, 1792, 2688, 3584) for _ in range(2)] + [ladder.beyond(4096)]
    [cell] = Warehouse(results, describe()).rows("from plan_coverage")
    assert (cell["state"], cell["run_count"], cell["next_rank"]) == ("measured", 1, None)
    assert studio.state.instances == []
    again = collect("plan", "--run", "--url", studio.url)
    assert (again.code, again.out) == (0, "")


@pytest.mark.parametrize(
    ("cell", "context", "budget"),
    [("4096,", 4096, 3600.0), (",77", 131_072, 77.0)],
)
def test_a_context_row_without_a_length_or_a_budget_is_measured_with_the_plans(
    collect: Collect, results: Results, studio: Double, cell: str, context: int, budget: float
) -> None:
    planned(results, cell)
    collect("plan", "--run", "--url", studio.url)
    [path] = results.runs.iterdir()
    [row, *_] = pq.read_table(path).to_pylist()
    assert (row["context_requested"], row["context_budget_s"]) == (context, budget)
    [found] = Warehouse(results, describe()).rows("from plan_coverage")
    assert (found["state"], found["next_rank"]) == ("measured", None)


def test_the_machine_is_kept_awake_while_the_plan_waits_for_it_to_cool_down(
    collect: Collect, results: Results, studio: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine whose idle timer has run out goes to sleep as soon as nothing holds it, and the night is lost."""
    kept: list[list[str]] = []

    def cool_down() -> float:
        kept.append([process.name() for process in psutil.Process().children()])
        return 7.0

    monkeypatch.setattr(runs.awake, "command", lambda: ["cat"])
    monkeypatch.setattr(cooldown, "cool_down", cool_down)
    planned(results, "1024,77")
    collect("plan", "--run", "--url", studio.url)
    assert [[name for name in names if name == "cat"] for names in kept] == [["cat"]]  # a browser may run beside it
