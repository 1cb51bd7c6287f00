"""Honest programs pass in whatever style, cheats never; all of them: `scripts/bench graders --full`."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from collector import graders, sandbox
from collector.graders import Grade, Output, python_project
from collector.graders._asked import Compared, Numbers
from collector.graders._pivots import why_none
from collector.sandbox import HostTrouble, Ran, stated
from tests import styled, styled_projects
from tests.reduced import REDUCED
from tests.styled import Styled
from tests.texts import RIGHT

SEED = 19


@pytest.fixture(scope="module")
def said() -> dict[Styled, Grade]:
    with sandbox.Sandbox() as one, ThreadPoolExecutor(2) as pool:
        some = styled.drawn(REDUCED["styles and cheats graded"][0], SEED, one.execute)
        return dict(zip(some, pool.map(lambda style: style.grade(one.execute), some), strict=True))


def test_honest_styles_pass_and_cheats_fail(said: dict[Styled, Grade]) -> None:
    wrong = {
        f"{one.task}: {one.name}": grade
        for one, grade in said.items()
        if grade.outcome != ("pass" if one.is_honest else "fail")
    }
    assert wrong == {}
    assert {(one.task, one.is_honest) for one in said} == {
        (task, is_it) for task in styled.TASKS for is_it in (True, False)
    }


@pytest.mark.parametrize("task", styled.TASKS)
def test_there_are_enough_of_each(task: str) -> None:
    for is_honest in (True, False):
        texts = {one.text for one in styled.all_of(task, is_honest, lambda *_: Ran(0, None, "", ""))}
        assert len(texts) >= styled.LEAST


# ---------------------------------------------------------------- what a quicksort compares


class Seen:
    """A number that notes with what it is compared; on trusted sorts, so that no sandbox is needed."""

    log: list[Compared]

    def __init__(self, value: int, by_library: bool = False) -> None:
        self.value, self.by_library = value, by_library

    def __lt__(self, other: "Seen") -> bool:
        Seen.log.append(Compared(self.value, other.value, self.by_library))
        return self.value < other.value


def seen(sort: Callable[[list[Seen]], Any], length: int = 150, by_library: bool = False) -> str | None:
    numbers = random.Random(length).sample(range(10**6), length)
    Seen.log = []
    sort([Seen(number, by_library) for number in numbers])
    return why_none(numbers, Seen.log)


def quick(xs: list[Seen], small: int = 1) -> list[Seen]:
    if len(xs) <= small:
        return xs if small == 1 else sorted(xs)
    p, *rest = xs
    left, right = [x for x in rest if x < p], [x for x in rest if not x < p]
    return [*quick(left, small), p, *quick(right, small)]


def tree(xs: list[Seen]) -> None:
    root: list[Any] = []
    for x in xs:
        node = root
        while node:
            node = node[1] if x < node[0] else node[2]
        node += [x, [], []]


def insertion(xs: list[Seen]) -> None:
    out: list[Seen] = []
    for x in xs:
        place = len(out)
        while place and x < out[place - 1]:
            place -= 1
        out.insert(place, x)


def selection(xs: list[Seen]) -> None:
    left = list(xs)
    while left:
        least = min(left)
        left.remove(least)


@pytest.mark.parametrize("length", [61, 150])
def test_a_quicksorts_comparisons_are_one(length: int) -> None:
    assert seen(quick, length) is None
    assert seen(lambda xs: quick(xs, 20), length) is None


@pytest.mark.parametrize("sort", [sorted, tree, insertion, selection], ids=lambda sort: sort.__name__)
@pytest.mark.parametrize("length", [61, 150])
def test_another_sorts_comparisons_are_none(sort: Callable[[list[Seen]], Any], length: int) -> None:
    assert seen(sort, length) is not None


def test_small_parts_that_a_library_sorts_are_told_from_its_own() -> None:
    assert "not its own" in str(seen(lambda xs: quick(xs, 20), by_library=True))
    assert seen(quick, by_library=True) is None  # each comparison with the pivot, by whatever function


# ---------------------------------------------------------------- numbers that must be asked for


def test_an_answer_is_about_numbers_that_only_the_host_has() -> None:
    numbers = Numbers((3,), "w")
    [names] = numbers.named()
    values = numbers.lists[0].numbers
    assert numbers.reply("w begin") == ""
    assert numbers.reply(f"w P lt n{names[0]} n{names[1]}") == ("1" if values[0] < values[1] else "0")
    difference = numbers.reply(f"w P sub n{names[0]} n{names[2]}")
    numbers.reply(f"w P lt n{difference} i0")
    assert numbers.lists[0].compared[1:] == [Compared(values[0], values[2], False)]
    numbers.reply(f"w sorted {sorted(names)}")
    numbers.reply("w end {}")
    assert numbers.lists[0].is_right == (sorted(names, key=dict(zip(names, values, strict=True)).get) == sorted(names))  # type: ignore[arg-type]
    assert not {str(value) for value in values} & {str(name) for name in names}


@pytest.mark.parametrize(
    "line", ["", "x begin", "w", "w P lt n1 n2", "w P lt i1", "w P pow i2 i3", "w sorted []", "w P mul i9 i" + "9" * 99,
             "w end [", "w P floordiv i1 i0", "w P lt i1 i" + "9" * 200],
)  # fmt: skip
def test_what_is_no_question_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        Numbers((2,), "w").reply(line)


# ---------------------------------------------------------------- projects


def test_what_a_test_expects_is_not_told_and_its_numbers_change() -> None:
    source = "def test_x():\n    assert f(12, encoding='utf-8') == 34\n    assert 5 < g('7:30')\n"
    as_it_stands = stated.stated(source)
    assert "34" not in as_it_stands
    assert "f(12, encoding='utf-8')" in as_it_stands
    assert "bool(5 < g('7:30'))" in as_it_stands
    others = {stated.stated(source, random.Random(seed)) for seed in range(9)}
    assert len(others) > 3
    assert all(
        "utf-8" in other and f"{stated.STATE}(1, " in other and f"{stated.STATE}(2, " in other for other in others
    )


# ---------------------------------------------------------------- trouble of the machine


def refuse(*_: object) -> Ran:
    raise HostTrouble("no room")


@pytest.mark.parametrize("task", styled.TASKS)
def test_what_this_machine_could_not_run_is_not_the_models_fault(task: str) -> None:
    if task == "sort":
        grade = graders.read("python_sort").grade(Output(RIGHT["medium"]), {}, refuse)
    else:
        text = next(iter(styled.all_of(task, True, sandbox.execute))).text
        grade = python_project.grade(Output(text), styled_projects.check(task).declared, refuse)
    assert grade == Grade("not run", f"{graders.TROUBLE} no room")
