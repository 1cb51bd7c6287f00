"""Streams changed on their way keep every figure or say that they were cut; those of a broken server break no rule."""

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector import measure, record
from collector.schema import OUTPUT_FLAWS
from tests import framing, garbling
from tests.read_streams import OWN, READER, any_stream, recorded, written
from tests.reduced import REDUCED

numbers = st.integers(0, 10**12)


def many(what: str) -> settings:
    """As often as the tests can afford, always the same."""
    return settings(derandomize=True, deadline=None, database=None, max_examples=REDUCED[what][0])


@pytest.mark.parametrize("number", range(OWN))
def test_a_stream_of_our_own_says_what_was_put_into_it(number: int) -> None:
    chunks = [json.loads(data) for data in written(number) if data != "[DONE]"]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    row = record.of_exchange(framing.as_sent(written(number)))
    assert row["output_text"] == ("".join(delta.get("content") or "" for delta in deltas) or None)
    assert row["completion_tokens"] == chunks[-1]["usage"]["completion_tokens"]
    assert row["error_kind"] in (None, *OUTPUT_FLAWS)


@many("streams framed anew")
@given(numbers)
def test_other_framing_changes_no_figure(number: int) -> None:
    draw = Random(number)
    stream = any_stream(draw)
    assert framing.wrong_when_framed(stream, framing.framed(stream, draw)) is None


@many("streams cut off")
@given(numbers)
def test_a_cut_stream_is_an_error_or_lacks_what_it_lacks(number: int) -> None:
    draw = Random(number)
    stream = any_stream(draw)
    assert framing.wrong_when_cut(stream, framing.cut(framing.framed(stream, draw), draw)) is None


@many("streams garbled")
@given(numbers)
def test_a_broken_servers_stream_breaks_no_rule_of_a_row(number: int) -> None:
    draw = Random(number)
    assert garbling.broken_rules(record.of_exchange(READER.read(*garbling.garbled(any_stream(draw), draw)))) == []


# --- what these tests would see ---


def test_a_lost_event_is_seen() -> None:
    stream = recorded()["lmstudio-plain"]
    whole = framing.framed(stream, Random(1))
    assert framing.wrong_when_framed(stream, whole) is None
    fewer = framing.Framed([(1, f"data: {data}\n\n".encode()) for data in stream[1:]], [0] * len(stream))
    assert framing.wrong_when_framed(stream, fewer) is not None


def test_a_cut_without_a_word_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = recorded()["lmstudio-plain"]
    steps: list[tuple[int, bytes | Exception]] = [(1, f"data: {data}\n\n".encode()) for data in stream[:1]]
    assert framing.wrong_when_cut(stream, framing.Framed(steps, [])) is None
    monkeypatch.setattr(measure.Exchange, "fail", lambda *_: None)
    assert "no error" in (framing.wrong_when_cut(stream, framing.Framed(steps, [])) or "")


@pytest.mark.parametrize(
    "change",
    [
        {"completion_tokens": -1},
        {"completion_tokens": True},
        {"reported_decode_tps": float("nan")},
        {"done_ns": 1},
        {"chunks": []},
        {"first_text_ns": None},
        {"error_kind": "no such kind"},
        {"error_detail": "x" * 10_000},
    ],
)
def test_a_broken_rule_is_seen(change: dict[str, object]) -> None:
    row = record.of_exchange(framing.as_sent(written(0)))
    assert garbling.broken_rules(row) == []
    assert len(garbling.broken_rules({**row, **change})) >= 1


# --- found by fuzzing ---


def test_tags_of_reasoning_with_nothing_in_them_are_no_text() -> None:
    chunk = {"choices": [{"delta": {"content": "<think></think>"}, "finish_reason": "stop"}]}
    row = record.of_exchange(READER.read([(1, f"data: {json.dumps(chunk)}\n\n".encode())]))
    assert (row["error_kind"], row["first_text_ns"], row["output_text"]) == ("empty", None, None)
