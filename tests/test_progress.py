"""What a build says of itself: on a terminal, and not where nobody looks."""

import io
import sys

import pytest

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


@pytest.mark.parametrize(
    ("stream", "seconds_a_step", "said"),
    [(Terminal, 0.05, "\r\x1b[KMade 3 blocks.\n"), (io.StringIO, 1.0, "")],
    ids=["a quick one says what it came to", "where there is no terminal nothing is said"],
)
def test_of_itself_it_says_no_more_than_is_worth_it(
    stream: type[io.StringIO], seconds_a_step: float, said: str, monkeypatch: pytest.MonkeyPatch, seconds: list[float]
) -> None:
    monkeypatch.setattr(sys, "stderr", stream())
    for done in range(1, 11):
        progress.step("Pages made:", done, 10)
        seconds[0] += seconds_a_step
    progress.ended("Made 3 blocks.")
    assert sys.stderr.getvalue() == said  # type: ignore[attr-defined]


def test_a_build_that_fails_leaves_the_line_to_its_error(monkeypatch: pytest.MonkeyPatch, seconds: list[float]) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress.step("Pages made:", 1, 10)
    seconds[0] += 5
    progress.step("Pages made:", 2, 10)
    progress.ended()
    assert sys.stderr.getvalue().endswith("Pages made: 2 of 10\r\x1b[K")  # type: ignore[attr-defined]


def test_the_next_build_begins_anew(monkeypatch: pytest.MonkeyPatch, seconds: list[float]) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress.step("Pages made:", 1, 10)
    seconds[0] += 5
    progress.ended("Made 3 blocks.")
    progress.step("Pages made:", 1, 10)
    assert sys.stderr.getvalue() == "\r\x1b[KMade 3 blocks.\n"  # type: ignore[attr-defined]
