"""Bytes → events, however the network cuts the bytes."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.sse import Events

SAME = settings(derandomize=True, deadline=None, max_examples=150)
# Characters at which `str.splitlines`, and with it `httpx.Response.iter_lines`, would tear a line apart.
TEARING = "\u2028\u2029\x85\f\v\x1c\x1d\x1e"


def read(*pieces: bytes) -> list[tuple[str, str]]:
    """The events of a stream that arrives in these pieces and then ends."""
    events = Events()
    return [event for piece in pieces for event in events.feed(piece)] + list(events.close())


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: a\n\n", [("", "a")]),
        (b"data: a\n\ndata: b\n\n", [("", "a"), ("", "b")]),
        (b"data:a\n\n", [("", "a")]),
        (b"data:  a\n\n", [("", " a")]),  # only one space belongs to the framing
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [("", "a"), ("", "b")]),
        (b"data: one\ndata: two\n\n", [("", "one\ntwo")]),
        (b"data:\n\n", [("", "")]),
        (b"event: chat.start\ndata: {}\n\n", [("chat.start", "{}")]),
        (b"event: a\ndata: 1\n\ndata: 2\n\n", [("a", "1"), ("", "2")]),
        (b"event: ping\n\ndata: 1\n\n", [("", "1")]),  # an event without data is none, and leaves no name behind
        (b": keepalive 128/512\n\ndata: a\n\n", [("", "a")]),
        (b"data: a\n: in between\ndata: b\n\n", [("", "a\nb")]),
        (b"id: 7\nretry: 10\ndata: a\n\n", [("", "a")]),
        (b"\n\n\ndata: a\n\n\n\n", [("", "a")]),
        (b"data: a\n", [("", "a")]),
        (b"data: a", [("", "a")]),
        (b"data: a\r", [("", "a")]),
        (b"data: a\r\rdata: b\r\r", [("", "a"), ("", "b")]),
        (b"data: a\n\rdata: b\n\r", [("", "a"), ("", "b")]),  # ends of lines may be of several kinds
        (b"data: a\r\ndata: b\r\r\n", [("", "a\nb")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", "a")]),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [("", "a")]),  # a mark that does not begin the stream is none
        (b"", []),
        (b": only comments\n\n", []),
    ],
)
def test_events_of_a_stream(stream: bytes, expected: list[tuple[str, str]]) -> None:
    assert read(stream) == expected


@pytest.mark.parametrize("character", TEARING)
def test_lines_end_nowhere_else(character: str) -> None:
    text = f'{{"content":"a{character}b"}}'
    assert read(f"data: {text}\n\n".encode()) == [("", text)]


def test_a_character_split_over_pieces_stays_whole() -> None:
    stream = "data: 量子👋\n\n".encode()
    assert read(*(bytes([byte]) for byte in stream)) == [("", "量子👋")]


def test_bytes_that_are_no_utf8_become_the_replacement_character() -> None:
    assert read(b"data: a\xffb\n\n") == [("", "a\ufffdb")]


def test_an_event_comes_with_the_piece_that_completes_it() -> None:
    events = Events()
    assert list(events.feed(b"data: a\n")) == []
    assert list(events.feed(b"\ndata: b\n\nda")) == [("", "a"), ("", "b")]
    assert list(events.feed(b"ta: c\n\n")) == [("", "c")]
    assert list(events.close()) == []


def test_a_line_that_ends_with_a_piece_is_not_waited_for() -> None:
    events = Events()
    assert list(events.feed(b"data: a\r\n\r")) == [("", "a")]
    assert list(events.feed(b"")) == []
    assert list(events.feed(b"\ndata: b\n\n")) == [("", "b")]  # the newline ends no line of its own
    assert list(events.feed(b"\r")) == list(events.feed(b"\n")) == []


def test_close_yields_an_unfinished_event_once() -> None:
    events = Events()
    assert list(events.feed(b"data: cut o")) == []
    assert list(events.close()) == [("", "cut o")]
    assert list(events.close()) == []


line = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]) | st.sampled_from(TEARING))
named_events = st.lists(st.tuples(st.sampled_from(["", "chat.end", "error"]), st.lists(line, min_size=1, max_size=3)))
between = st.sampled_from(["", "\n", ": ping\n", ": ping\n\n", "id: 3\n"])


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[tuple[str, str]]]:
    """A stream, and the events that were put into it."""
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    expected, text = [], ""
    for name, lines in draw(named_events):
        expected.append((name, "\n".join(lines)))
        text += draw(between) + (f"event: {name}\n" if name else "")
        text += "".join(f"data: {one}\n" for one in lines) + "\n"
    return text.replace("\n", end).encode(), expected


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """The stream in pieces, cut at these places."""
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:stop] for start, stop in pairwise(edges)]


@SAME
@given(streams(), st.lists(st.integers(0, 10_000), max_size=12))
def test_cutting_the_bytes_anywhere_yields_the_same_events(
    made: tuple[bytes, list[tuple[str, str]]], places: list[int]
) -> None:
    stream, expected = made
    assert read(stream) == expected
    assert read(*cut(stream, places)) == expected


@SAME
@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=8))
def test_no_bytes_are_too_strange(stream: bytes, places: list[int]) -> None:
    assert read(*cut(stream, places)) == read(stream)
