"""Sites over nothing, the archive, one run, one machine, two, the whole plan: what they say is true of each."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests import worlds
from tests.built_worlds import BuiltWorld, built
from tests.shown import read, squeezed

GOLDEN = tomllib.loads((Path(__file__).parent / "golden" / "answers.toml").read_text(encoding="utf-8"))
# What a missing value looks like when nobody thought of it.
UNKNOWN = re.compile(r"\b(?:None(?! of)|nan|NaN|undefined|NaT|Infinity|inf|Undefined)\b|\{\{|\{%")
NUMBER = re.compile(r"\d[\d,.]*\d|\d")


@pytest.fixture(scope="module", params=worlds.NAMES)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BuiltWorld:
    """Built strictly, with no warning: `built` fails otherwise."""
    return built(request.param, tmp_path_factory)


def test_both_languages_have_the_same_pages(world: BuiltWorld) -> None:
    english = {page.relative_to(world.site) for page in world.pages if "zh" not in page.parts}
    chinese = {page.relative_to(world.site / "zh") for page in world.pages if "zh" in page.parts}
    assert english == chinese
    assert len(english) >= 16


def test_no_chart_is_empty_and_each_is_described(world: BuiltWorld) -> None:
    figures = [(page, figure) for page in world.pages for figure in read(page).figures]
    assert [f"{page.parent.name} {figure.name}" for page, figure in figures if not figure.mark_count] == []
    assert [f"{page.parent.name} {figure.name}" for page, figure in figures if len(figure.described) < 15] == []
    has_runs = world.results.runs.exists()
    assert (len(figures) >= 2 * 5) == has_runs


def test_no_page_shows_what_a_program_says_for_unknown(world: BuiltWorld) -> None:
    found = {
        page.relative_to(world.site).as_posix(): match[0]
        for page in world.pages
        if (match := UNKNOWN.search(" ".join(read(page).text)))
    }
    assert found == {}


def test_the_nine_answers_are_those_that_the_runs_give(world: BuiltWorld) -> None:
    """The golden sentences were worked out from the speeds, memory and grades in tests/worlds.py: see the file."""
    rows = {
        (row.machine, row.cells[0]): squeezed(row.text)
        for row in read(world.site / "answers" / "index.html").tables[0]
        if row.cells[0].isdigit()
    }
    golden = {
        (machine, question): parts
        for machine, questions in GOLDEN[world.name]["answers"].items()
        for question, parts in questions.items()
    }
    assert rows.keys() == golden.keys()
    for place, parts in golden.items():
        said = rows[place]
        for part in parts:
            assert part in said, f"{place}: {said}"
            said = said.partition(part)[2]


def test_the_first_sentences_are_true(world: BuiltWorld) -> None:
    for page, of in GOLDEN[world.name]["pages"].items():
        answers = read(world.site / page / "index.html").answers
        assert answers.keys() == of.keys(), page
        for machine, parts in of.items():
            for part in parts:
                assert part in squeezed(answers[machine]), f"{page} {machine}: {squeezed(answers[machine])}"


def test_chinese_answers_have_the_numbers_of_the_english_ones(world: BuiltWorld) -> None:
    for page in world.pages:
        if "zh" in page.parts:
            continue
        chinese = read(world.site / "zh" / page.relative_to(world.site)).answers
        for machine, text in read(page).answers.items():
            assert Counter(NUMBER.findall(chinese[machine])) == Counter(NUMBER.findall(text)), f"{page} {machine}"
