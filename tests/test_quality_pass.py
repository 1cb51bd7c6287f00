"""The passes whose texts are judged: after everything timed, with a raised limit, the same request for everybody."""

import json
from collections.abc import Callable, Iterator

import pyarrow.parquet as pq
import pytest

from collector import measure
from collector import run as runs
from collector.backends import Facts
from collector.backends.openai_chat import OpenAIChat
from collector.commands import _passes
from collector.nonce import shared
from collector.quality import Passes
from collector.schema import Results
from collector.suite import Prompt, Suite
from site_src.warehouse import Warehouse
from tests.lmstudio import Double, DoubleModel, Scripted, Step
from tests.lmstudio.tokens import Job
from tests.loopback import Loopback, NoSampler
from tests.programs import finish, operations, program
from tests.texts import RIGHT, answers

SUITE = Suite("tiny", "Tiny", tuple(Prompt(id, "test", f"Say {id}.", 10 + place) for place, id in enumerate("abc")))
Measured = Callable[..., list[Facts]]


@pytest.fixture
def measured(results: Results, monkeypatch: pytest.MonkeyPatch) -> Iterator[Measured]:
    """`measured(passes)`: the stored rows of a run with these passes; what was asked is in `measured.asked`."""
    monkeypatch.setattr(runs, "Sampler", NoSampler)
    monkeypatch.setattr(OpenAIChat, "engine_pid", lambda self: None)
    with Loopback() as server:

        def run(passes: Passes) -> list[Facts]:
            with measure.connect(server.url) as client:
                outcome = runs.run(client, OpenAIChat(client), runs.Job(SUITE, 1, results, passes=passes))
            assert outcome.path
            return [*pq.read_table(outcome.path).to_pylist()]

        run.server = server  # type: ignore[attr-defined]
        yield run


def of(rows: list[Facts], *ops: str) -> list[Facts]:
    return [row for row in rows if row["op"] in ops]


def test_they_come_after_all_that_is_timed(measured: Measured) -> None:
    ops = [row["op"] for row in measured(Passes(quality=True, fidelity=True)) if row["op"] not in ("idle", "probe")]
    assert ops[-9:] == ["quality"] * 3 + ["fidelity"] * 6
    assert set(ops[:-9]) == {"warmup", "request", "warm"}


def test_without_being_asked_for_there_are_none(measured: Measured) -> None:
    rows = measured(Passes())
    assert of(rows, "quality", "fidelity") == []
    assert {row["quality_allowance"] for row in rows} == {None}


def test_the_limit_is_raised_by_the_allowance_and_the_prompt_stays_the_same(measured: Measured) -> None:
    rows = measured(Passes(quality=True, allowance=500))
    timed, judged = of(rows, "request"), of(rows, "quality")
    assert [row["max_tokens"] for row in judged] == [510, 511, 512]
    assert [row["prompt_sha256"] for row in judged] == [row["prompt_sha256"] for row in timed]
    assert {row["quality_allowance"] for row in rows} == {500}
    asked = [body["max_tokens"] for body in measured.server.asked][-3:]  # type: ignore[attr-defined]
    assert asked == [510, 511, 512]


def test_two_configurations_answer_the_same_request_word_for_word(measured: Measured) -> None:
    first, second = (measured(Passes(quality=True, fidelity=True)) for _ in range(2))
    for op in ("quality", "fidelity"):
        assert [row["nonce"] for row in of(first, op)] == [row["nonce"] for row in of(second, op)]
    assert not {row["nonce"] for row in of(first, "request")} & {row["nonce"] for row in of(second, "request")}


def test_a_later_pass_asks_the_next_repeat(measured: Measured) -> None:
    rows = of(measured(Passes(quality=True, earlier=lambda facts: 2)), "quality")
    assert {row["repeat"] for row in rows} == {3}
    assert [row["nonce"] for row in rows] == [shared(prompt.sha256, 3) for prompt in SUITE.prompts]


def test_which_repeat_comes_next_is_told_by_what_is_stored(given: Callable[..., Warehouse], results: Results) -> None:
    given(answers(), answers(repeat=2), [{"quantization": "Q8_0"}, *answers()], [])
    facts = {"chip": "Apple M3 Ultra", "memory_bytes": 512 * 2**30, "server": "lmstudio", "runtime": "llama.cpp"}
    facts |= {"model_key": "unsloth/minimax-m2.1@q4_k_m"}
    passes = _passes.wanted(results, quality=True, fidelity=False)
    found = [passes.earlier(facts | {"quantization": name}) for name in ("Q4_K_M", "Q8_0", "Q6_K")]
    assert found == [2, 1, 0]


def test_fidelity_is_asked_at_temperature_0_twice_the_same(measured: Measured) -> None:
    rows = of(measured(Passes(fidelity=True)), "fidelity")
    bodies = measured.server.asked[-6:]  # type: ignore[attr-defined]
    assert {body["temperature"] for body in bodies} == {0}
    assert bodies[:3] == bodies[3:]
    assert [(row["prompt_id"], row["repeat"]) for row in rows] == [(id, n) for n in (1, 2) for id in "abc"]
    assert [row["max_tokens"] for row in rows] == [10, 11, 12] * 2


def test_its_requests_feed_no_speed(given: Callable[..., Warehouse]) -> None:
    from tests.conftest import request

    slow = {**request("short", tps=1.0), "op": "quality"}
    with_pass, without = given([request("short", tps=50.0), slow], [request("short", tps=50.0)]).rows(
        "select decode_tps, request_count, ttft_ms from runs order by run_id"
    )
    assert with_pass == without


def test_its_memory_is_no_peak(given: Callable[..., Warehouse]) -> None:
    """Longer texts need more cache: a run without such a pass would look smaller than it is."""
    from tests.rows import idle, load, sample, unload

    rows = [
        idle(sample(1, system=20)),
        load(10, 2),
        {"op": "request", "started_ns": 13 * 10**9, "memory": [sample(14, system=150)]},
        {"op": "quality", "started_ns": 20 * 10**9, "elapsed_ns": 10**9, "memory": [sample(20.5, system=190)]},
        {"op": "idle", "started_ns": 22 * 10**9, "memory": [sample(22, system=195)]},
        unload(1, 30),
        idle(sample(32, system=20)),
    ]
    (row,) = given(rows).rows("select peak_memory_gb, peak_memory_reason from run_memory")
    assert (row["peak_memory_gb"], row["peak_memory_reason"]) == (pytest.approx(130), None)


# ---------------------------------------------------------------- a model that thinks

THOUGHTS = [f"想到 {n * n % 97} 与 {n * 31 % 89}，再看第 {n} 种情形。" for n in range(30)]


def thinking(job: Job) -> list[Step]:
    """600 tokens of reasoning, then the right answer to whichever prompt was asked."""
    from tests.texts import PROMPTS

    asked = json.dumps(job.prompt, ensure_ascii=False)
    text = next((RIGHT[id] for id in RIGHT if json.dumps(PROMPTS[id].text, ensure_ascii=False)[1:-1] in asked), "one")
    return [*(Step(0.1, "reasoning", thought, 20) for thought in THOUGHTS), Step(0.1, "answer", text, 40)]


def test_a_model_that_thinks_for_600_tokens_gets_to_answers_that_are_checked(results: Results) -> None:
    model = DoubleModel("unsloth/minimax-m2.1")
    with Double((model,), tokens=Scripted(thinking)) as double:
        double.load(model.key, context_length=131_072)
        options = ("--url", double.url, "--suite", "standard", "--repeats", "1", "--quality", "--force")
        done = finish(program("collect", *options, "--results", str(results.root)))
    assert done.returncode == 0, done.stderr
    timed = [
        row for row in operations(next(results.runs.iterdir())) if row["op"] == "request" and row["max_tokens"] < 600
    ]
    assert {row["error_kind"] for row in timed} == {"truncated_in_reasoning"}
    warehouse = Warehouse(results)
    asked = "select prompt_id, outcome from stg_grades where tier = 'Q1' order by prompt_id"
    outcomes = {row["prompt_id"]: row["outcome"] for row in warehouse.rows(asked)}
    passed = dict.fromkeys(("short", "medium", "long", "instruction"), "pass")
    assert outcomes == {**passed, "reasoning": "agrees"}
    (row,) = warehouse.rows("select gate, passed_count, prompt_count, broken_count, reason from quality")
    assert (row["gate"], row["passed_count"], row["prompt_count"], row["broken_count"]) == ("unproven", 4, 4, 0)
    assert "4 prompts are too few to prove 70 %" in row["reason"]
    assert "Checks: 1 agrees, 4 pass." in done.stderr
