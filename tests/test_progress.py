"""What a build says of itself: on a terminal, and not where nobody looks."""

import io
import sys

import pytest

from collector import clock
from site_src import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(progress, "clock", lambda: round(now[0] * 1e9))
    progress._began.clear()
    return now


def test_a_build_of_a_second_says_what_it_does(monkeypatch: pytest.MonkeyPatch, seconds: list[float]) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    for done in range(1, 51):
        progress.step("Pages made:", done, 50)
        seconds[0] += 0.05
    progress.ended("Made 3 blocks.")
    said = sys.stderr.getvalue()  # type: ignore[attr-defined]
    lines = said.split("\r\x1b[K")
    assert lines[0] == ""
    assert lines[1].startswith("Pages made: 2") and lines[1].endswith(" of 50")
    assert lines[-2:] == ["Pages made: 50 of 50", "Made 3 blocks.\n"]
    assert len(lines) < 25  # ten a second at most


def test_a_quick_one_says_what_it_came_to(monkeypatch: pytest.MonkeyPatch, seconds: list[float]) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    for done in range(1, 11):
        progress.step("Pages made:", done, 10)
        seconds[0] += 0.05
    progress.ended("Made 3 blocks.")
    assert sys.stderr.getvalue() == "\r\x1b[KMade 3 blocks.\n"  # type: ignore[attr-defined]


def test_where_there_is_no_terminal_nothing_is_said(monkeypatch: pytest.MonkeyPatch, seconds: list[float]) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    for done in range(1, 51):
        progress.step("Pages made:", done, 50)
        seconds[0] += 1
    progress.ended("Made 3 blocks.")
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]


def test_the_next_build_begins_anew(monkeypatch: pytest.MonkeyPatch, seconds: list[float]) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress.step("Pages made:", 1, 10)
    seconds[0] += 5
    progress.ended("Made 3 blocks.")
    progress.step("Pages made:", 1, 10)
    assert sys.stderr.getvalue() == "\r\x1b[KMade 3 blocks.\n"  # type: ignore[attr-defined]
    assert clock.clock() > 0
