"""A run counts once, whatever it is called, and not before it began; what is left out is named."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import clock, store
from collector.backends import Facts
from collector.commands import _checks, _faults
from collector.schema import Results
from site_src.run_file import read_run
from site_src.warehouse import Warehouse
from site_src.words import read
from tests.conftest import STARTED, request
from tests.test_review import stored
from tests.test_warehouse import over

# What every figure is made of; `run_summary` is asked in one test.
COUNTED = (
    "select run_id, file, configuration_id from stg_runs order by run_id",
    "select count(*) as n, sum(decode_tps) as sum from request_speed",
    "select count(*) as n from raw_operations",
)
SUMMARY = "select run_count, decode_count, decode_tps, decode_tps_low, decode_tps_high from run_summary"


def measured(results: Results, run_id: str = "c" * 12, tps: float = 50.0, **facts: Any) -> Path:
    """A run of six requests."""
    rows = [request("short", number, tps=tps + number / 10) for number in range(1, 7)]
    return stored(results, *rows, run_id=run_id, **facts)


def copied(path: Path, **other: Any) -> Path:
    """The run once more, with something else said of it in each row."""
    rows = [{**row, **other} for row in read_run(path).to_pylist()]
    return store.write(Results(path.parent.parent), rows[0], rows)


def figures(warehouse: Warehouse) -> list[list[Facts]]:
    return [warehouse.rows(query) for query in COUNTED]


def reasons(warehouse: Warehouse) -> dict[str, str]:
    return {row["file"]: row["reason"] for row in warehouse.rows("from damaged_files")}


def faults(warehouse: Warehouse) -> dict[str, list[str]]:
    """What `validate` and `review` say of each file."""
    said: dict[str, list[str]] = {}
    for file, fault in _checks.in_runs(warehouse):
        said.setdefault(file, []).append(fault.happened)
    return said


# ---------------------------------------------------------------- copies

COPIES: dict[str, dict[str, Any]] = {
    "another id": {"run_id": "d" * 12},
    "another machine": {"run_id": "d" * 12, "chip": "Apple M4 Max", "gpu_cores": 40},
    "a later beginning": {"run_id": "d" * 12, "run_started_at": STARTED + timedelta(days=3)},
    "another engine": {"run_id": "d" * 12, "runtime": "mlx", "model_format": "mlx", "quantization": "4bit"},
    "another model": {"run_id": "d" * 12, "model_key": "qwen3-coder-next"},
    "an id that comes first, and a later beginning": {"run_id": "0" * 12, "run_started_at": STARTED.replace(hour=13)},
    "a text that it did not write": {"run_id": "d" * 12, "output_text": "Fine."},
    "the same id and a later beginning": {"run_started_at": STARTED + timedelta(hours=1)},
}


@pytest.mark.parametrize("what", COPIES)
def test_a_copy_counts_for_nothing_and_is_named(what: str, results: Results) -> None:
    path = measured(results)
    before = figures(over(results))
    copy = copied(path, **COPIES[what])
    warehouse = over(results)
    assert figures(warehouse) == before
    assert list(reasons(warehouse)) == [copy.name]
    assert path.name in reasons(warehouse)[copy.name]
    assert all(is_said for _, is_said in read("zh").phrases.said(reasons(warehouse)[copy.name]))
    # Of the two neither may be added to the other.
    assert faults(warehouse).keys() == {path.name, copy.name}


def test_a_copy_under_another_name_counts_for_nothing(results: Results) -> None:
    path = measured(results)
    before = figures(over(results))
    copy = path.with_name(f"z-{path.name}")
    copy.write_bytes(path.read_bytes())
    warehouse = over(results)
    assert figures(warehouse) == before
    assert reasons(warehouse) == {copy.name: f"it holds the run that {path.name} holds already"}


def test_a_copy_makes_no_interval_narrower(results: Results) -> None:
    path = measured(results)
    before = over(results).rows(SUMMARY)
    assert before[0]["run_count"] == 1
    copied(path, run_id="d" * 12)
    assert over(results).rows(SUMMARY) == before


def test_of_three_alike_the_one_that_began_first_counts_whichever_came_first(results: Results) -> None:
    latest = measured(results, "a" * 12, run_started_at=STARTED + timedelta(hours=2))
    warehouse = Warehouse(results)
    assert reasons(warehouse) == {}
    middle = copied(latest, run_id="b" * 12, run_started_at=STARTED + timedelta(hours=1))
    warehouse.refresh()
    assert reasons(warehouse).keys() == {latest.name}
    first = copied(latest, run_id="c" * 12, run_started_at=STARTED)
    warehouse.refresh()
    for seen in (warehouse, Warehouse(results)):
        assert seen.rows("select run_id, file from stg_runs") == [{"run_id": "c" * 12, "file": first.name}]
        left_out = seen.rows("from run_copies")
        assert [(row["run_id"], row["copy_id"]) for row in left_out] == [("c" * 12, "a" * 12), ("c" * 12, "b" * 12)]
        assert reasons(seen).keys() == {latest.name, middle.name}
    # And when that one goes, the next is no longer a copy.
    first.unlink()
    warehouse.refresh()
    assert reasons(warehouse).keys() == {latest.name}
    assert figures(warehouse) == figures(Warehouse(results))


def test_runs_that_differ_in_one_time_are_two(results: Results) -> None:
    path = measured(results)
    rows = read_run(path).to_pylist()
    rows[-1]["elapsed_ns"] += 1
    store.write(results, {**rows[0], "run_id": "d" * 12}, rows)
    assert over(results).rows("select count(*) as n from request_speed") == [{"n": 12}]
    assert reasons(over(results)) == {}


def test_runs_without_a_time_are_no_copies(results: Results) -> None:
    for number in range(3):
        stored(results, {"op": "bench", "bench_tps": [30.0]}, run_id=f"{number:012}")
    assert reasons(over(results)) == {}
    assert over(results).rows("select count(*) as n from stg_runs") == [{"n": 3}]


def test_what_is_set_aside_is_not_looked_at_until_something_changes(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(measured(results), run_id="d" * 12)
    warehouse = Warehouse(results)
    warehouse.rows("from runs")
    made = set(warehouse._made)
    monkeypatch.setattr(warehouse, "_take_in", lambda *_: pytest.fail("it was read again"))
    warehouse.refresh()
    assert warehouse._made == made


# ---------------------------------------------------------------- from the future

NOW = datetime(2026, 11, 25, 9, 0)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets the clock."""

    def put(now: datetime) -> None:
        monkeypatch.setattr(clock, "utc_now", lambda: now)

    put(NOW)
    return put


@pytest.mark.parametrize(
    ("later", "is_read"),
    [
        (timedelta(0), True),
        (timedelta(hours=14), True),  # the time of where the sun rises first, taken for UTC
        (timedelta(days=1), True),
        (timedelta(days=1, seconds=1), True),  # a clock that is wrong; a new file like this is refused
        (timedelta(days=62), True),
        (timedelta(days=62, seconds=1), False),
        (timedelta(days=400), False),
        (timedelta(days=26_000), False),
    ],
)
def test_a_run_from_the_future_is_not_read_but_named(
    later: timedelta, is_read: bool, results: Results, at: Callable[[datetime], None]
) -> None:
    measured(results)
    before = figures(over(results))
    path = measured(results, "f" * 12, tps=60.0, run_started_at=NOW + later)
    warehouse = over(results)
    assert (figures(warehouse) == before) == (not is_read)
    assert list(reasons(warehouse)) == ([] if is_read else [path.name])
    for reason in reasons(warehouse).values():
        assert reason == f"it began at {NOW + later:%Y-%m-%d %H:%M}, which is still to come"
        assert all(is_said for _, is_said in read("zh").phrases.said(reason))
    future = "It began at a time that is still to come by this computer's clock:"
    assert faults(warehouse).get(path.name, []) == ([] if later <= timedelta(days=1) else [future])
    assert _faults.of_file(path, "runs").faults == []  # the file by itself is as any other


def test_a_copy_from_the_future_makes_no_run_a_copy(results: Results, at: Callable[[datetime], None]) -> None:
    path = measured(results)
    copy = copied(path, run_id="0" * 12, run_started_at=NOW + timedelta(days=63))
    assert reasons(over(results)).keys() == {copy.name}
    at(NOW + timedelta(days=62))
    assert path.name in reasons(over(results))[copy.name]


def test_a_run_whose_time_has_come_is_read_though_nothing_else_has_changed(
    results: Results, at: Callable[[datetime], None]
) -> None:
    """By who looked before, and by who has only what was kept of the file."""
    measured(results, run_started_at=NOW + timedelta(days=63))
    warehouse = Warehouse(results)
    assert warehouse.rows("select count(*) as n from runs") == [{"n": 0}]
    at(NOW + timedelta(days=1, hours=1))
    warehouse.refresh()
    for seen in (warehouse, Warehouse(results)):
        assert seen.rows("select count(*) as n from runs") == [{"n": 1}]
        assert reasons(seen) == {}
    at(NOW)
    assert over(results).rows("select count(*) as n from runs") == [{"n": 0}]
