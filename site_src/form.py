"""What a file of results must be before anything in it counts, told by the file alone.

Reading refuses a file that breaks one of these rules, and `collect validate` says where it does: a file of which rows
count twice, or whose times run backwards, gives figures that nobody measured. Rules of which a person should judge,
such as a speed beyond what a memory delivers, stand in `collector/commands/_checks`.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from collector.schema import RUN
from site_src import bounds
from site_src.leaves import leaves

AGAIN = "Take the file again from where it was made; none is ever edited."
LEAVE = "Leave it out: no run needs as much."
SHOWN = 100  # characters of a value
MOST = 5  # things found that are named
ANY = ("seed", "client_bias_percent", "client_event_delay_us", "environment.number")  # below 0, too
SHARES = ("top_p", "needles.depth", "share")
BEGINNING, END = datetime(2020, 1, 1), datetime(2100, 1, 1)
SEVERAL = ("warm", "request", "fidelity")  # operations that ask a prompt as often as there are repeats
ONCE = (*SEVERAL, "quality")
ASKED = ("op", "nonce", "repeat", "prompt_id", "prompt_sha256")
ORDER = (  # of times within an operation: none lies before one that stands before it
    ("headers_ns", "first_event_ns"),
    ("headers_ns", "first_text_ns"),
    ("first_event_ns", "first_text_ns"),
    ("first_text_ns", "first_answer_ns"),
    ("first_text_ns", "last_text_ns"),
    ("first_answer_ns", "last_text_ns"),
    ("last_text_ns", "done_ns"),
    ("done_ns", "elapsed_ns"),
)


class Found(NamedTuple):
    """One thing that breaks a rule; `row` counts from 0, as op_index does."""

    name: str
    value: object = None
    row: int | None = None


class Rule(NamedTuple):
    """What has happened where it is broken, what to do, and the search for it."""

    happened: str
    remedy: str
    find: Callable[[pa.Table], Iterator[Found]]


def shown(found: Found) -> str:
    """What was found, in words of bounded length."""
    value = "" if found.value is None else f": {str(found.value)[:SHOWN]}"
    return f"{found.name[:SHOWN]}{value}" + ("" if found.row is None else f" (row {found.row})")


def all_shown(found: Iterable[Found]) -> str:
    """The first of them, and how many more there are; nothing where there is none."""
    told = list(dict.fromkeys(map(shown, found)))
    return "; ".join(told[:MOST] + ([f"and {len(told) - MOST} more"] if len(told) > MOST else []))


def refusal(table: pa.Table, rules: dict[str, Rule]) -> str | None:
    """Why a table is not read: the first of these rules that it breaks, and the first thing that does so."""
    for rule in rules.values():
        for found in rule.find(table):
            return f"{rule.happened[0].lower()}{rule.happened[1:]} {shown(found)}"
    return None


def _values_that_cannot_be(table: pa.Table) -> Iterator[Found]:
    """Numbers below 0, shares above 1, and times of another age."""
    for leaf in leaves(table):
        if leaf.is_void or not leaf.is_number or leaf.name in ANY:
            continue
        early, late = 0, 1 if leaf.name in SHARES else None
        if leaf.is_time:
            early, late = (pa.scalar(moment, leaf.type).value for moment in (BEGINNING, END))
        lowest, highest = leaf.extent
        if (lowest is not None and lowest < early) or (late is not None and highest is not None and highest > late):
            values = leaf.values.cast(pa.int64()) if leaf.is_time else leaf.values  # far away there are no dates
            wrong = pc.less(values, early)
            if late is not None:
                wrong = pc.or_(wrong, pc.greater(values, late))
            found = zip(values.filter(wrong).to_pylist(), leaf.rows.filter(wrong).to_pylist(), strict=True)
            yield from (Found(leaf.name, value, row) for value, row in found)


def _nameless(table: pa.Table) -> Iterator[Found]:
    """Which run it is, and when it began: by these it is told from others and takes its place among them."""
    for name in ("run_id", "run_started_at"):
        values = table[name].slice(0, 1).to_pylist() if name in table.column_names else [None]
        if values in ([None], [""]):
            yield Found(name, "none")


def _numbers_twice(table: pa.Table) -> Iterator[Found]:
    """Rows without a number, or with another row's: joined by it they would count several times."""
    numbers = table["op_index"].to_pylist() if "op_index" in table.column_names else [None] * len(table)
    seen = set()
    for row, number in enumerate(numbers):
        if number is None or number in seen:
            yield Found("op_index", "none" if number is None else number, row)
        seen.add(number)


def _disagreeing(table: pa.Table) -> Iterator[Found]:
    """Columns about the run that do not say the same in each row; the first row of each that says something else."""
    there = set(table.column_names)
    about = table.select([column.name for column in RUN if column.name in there])
    if about.slice(1).equals(about.slice(0, len(about) - 1)):  # each row is like the one before
        return
    for name in about.column_names:
        values = about[name].combine_chunks()
        first = values.slice(0, 1)
        for row in range(1, len(values)):
            if not values.slice(row, 1).equals(first):
                yield Found(name, values[row].as_py(), row)
                break


def _backwards(table: pa.Table) -> Iterator[Found]:
    """Times of an operation that lie before another that comes first."""
    there = set(table.column_names)
    for first, name in ORDER:
        if not {first, name} <= there or not pc.any(pc.less(table[name], table[first])).as_py():
            continue
        times = zip(table[first].to_pylist(), table[name].to_pylist(), strict=True)
        for row, (early, late) in enumerate(times):
            if early is not None and late is not None and late < early:
                yield Found(name, f"{late}, before {first} {early}", row)


def _too_long(table: pa.Table) -> Iterator[Found]:
    return itertools.starmap(Found, bounds.too_long(table))


def _too_many(table: pa.Table) -> Iterator[Found]:
    return itertools.starmap(Found, bounds.too_many(table))


def _asked_twice(table: pa.Table) -> Iterator[Found]:
    """Requests that are there once a run, and joined with those of another run by what they asked."""
    there = set(table.column_names)
    if not {"op", "nonce"} <= there:
        return
    asked = [table[name].to_pylist() if name in there else [None] * len(table) for name in ASKED]
    seen: set[tuple[object, ...]] = set()
    for row, (op, nonce, repeat, *prompts) in enumerate(zip(*asked, strict=True)):
        if op not in ONCE or nonce is None:
            continue
        for which, prompt in enumerate(prompts):
            key = (op, which, prompt, nonce, repeat if op in SEVERAL else None)
            if prompt is not None and key in seen:
                yield Found("nonce", nonce, row)
                break
            seen.add(key)


OF_ALL = {
    "range": Rule("It holds a number that cannot be:", AGAIN, _values_that_cannot_be),
    "too_long": Rule("A text of it is longer than any that is measured or names a thing:", LEAVE, _too_long),
    "too_many": Rule("It names more things than there are:", LEAVE, _too_many),
}
OF_SIZE = ("too_long", "too_many")  # what keeps to them is as well formed with less in it
OF_RUNS = {
    **OF_ALL,  # first: numbers beyond it can be neither turned into Python's nor added up
    "nameless": Rule(
        "It does not say which run it holds, or when that began:", "Measure again with the newest collector.", _nameless
    ),
    "numbering": Rule("Its rows are not numbered, each once, by op_index:", AGAIN, _numbers_twice),
    "asked_twice": Rule(
        "It holds the same request of the same pass several times:",
        "Take the file again from where it was made; a run asks each prompt once with the same digits.",
        _asked_twice,
    ),
    "disagreeing_rows": Rule("Its rows disagree about the run:", AGAIN, _disagreeing),
    "out_of_order": Rule(
        "One of its times lies before another that comes first, such as text before the answer began:",
        "Measure again with the newest collector; a clock that only goes forward cannot give this.",
        _backwards,
    ),
}
