"""Rows of run files for the tests of views, and the one warehouse they share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from collector import signing, store
from collector.backends import Facts
from collector.schema import SCHEMA_VERSION, Results
from site_src import intake, run_file, warehouse
from site_src.warehouse import Warehouse
from tests.conftest import request

Given = Callable[..., Warehouse]
Row = dict[str, Any]

GB = 10**9
LINUX: Facts = {"os_name": "Ubuntu", "os_version": "24.04"}


@cache
def shared() -> Warehouse:
    """The one that `sharing` fills."""
    return Warehouse(Results(Path(__file__) / "no results"))


def sharing(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    """The fixture `given` of conftest.py: what it makes is one warehouse for all tests, over each test's own results.

    Opening one takes longer than filling it. And of a run only the rows are kept (`InMemory`): to write a file, to sign
    it and to check each of its bytes takes longer than its figures do, and is the subject of other tests.
    """
    runs = InMemory()

    def refill(results: Results) -> Warehouse:
        filled = shared()
        filled.results = results
        filled._con.execute("truncate raw_asked")
        filled._unmake()  # a test may have put rows in the place of a view's own
        filled.refresh()
        return filled

    monkeypatch.setitem(given.__globals__, "Warehouse", refill)
    monkeypatch.setitem(given.__globals__, "store", SimpleNamespace(write=runs.write))
    monkeypatch.setattr(intake, "read_run", runs.read)
    monkeypatch.setattr(warehouse, "read_again", lambda path, digest, columns=(): runs.read(path, columns))
    return given


@contextmanager
def mutated(warehouse: Warehouse, view: str, words: str, instead: str) -> Iterator[None]:
    """A warehouse with other words in one of its views: that one is computed anew, with those that read it."""
    views = warehouse._views
    assert words in views[view].sql, f"{words} stands elsewhere now than in {view}"
    warehouse._views = views | {view: replace(views[view], sql=views[view].sql.replace(words, instead))}
    warehouse._outdate({view})
    try:
        yield
    finally:
        warehouse._views = views
        warehouse._outdate({view})


class InMemory:
    """Runs whose file is empty and whose rows are here, for who reads it in this process."""

    def __init__(self) -> None:
        self._tables: dict[Path, pa.Table] = {}

    def write(self, results: Results, facts: Facts, operations: list[Facts]) -> Path:
        """What `store.write` does."""
        path = results.runs / store.file_name(facts)
        table = store._table({**facts, "schema_version": SCHEMA_VERSION}, operations)
        origin = {run_file.SIGNED_BY: signing.own_name(), run_file.SHA256: sha256(bytes(path)).hexdigest()}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(exist_ok=False)
        self._tables[path] = table.replace_schema_metadata(origin)
        return path

    def read(self, path: Path, columns: tuple[str, ...] = ()) -> pa.Table:
        """What `read_run` does. Raises Untrusted."""
        if path not in self._tables:
            return run_file.read_run(path, columns)
        return self._tables[path].select([*columns] or self._tables[path].column_names)


def one(warehouse: Warehouse, view: str, where: str = "true") -> Row:
    """The only row of a view."""
    [row] = warehouse.rows(f"select * from {view} where {where}")  # noqa: S608
    return row


def each(given: Given, view: str, *runs: list[Facts], **facts: Any) -> list[Row]:
    """The rows of a view that has one row a run here, in the order of the runs given; one warehouse for all."""
    rows: list[Row] = given(*runs, **facts).rows(f"select * from {view} order by run_id")  # noqa: S608
    assert len(rows) == len(runs)
    return rows


def table(results: Results, name: str, *lines: str) -> None:
    """A hand-kept CSV of the test's own, header first."""
    results.root.mkdir(exist_ok=True)
    (results.root / name).write_text("\n".join([*lines, ""]), encoding="utf-8")


def speeds(prompt: str, *values: float, **more: Any) -> list[Facts]:
    """Requests of one prompt at these speeds."""
    return [request(prompt, repeat, tps=tps, **more) for repeat, tps in enumerate(values, start=1)]


def probe(*roundtrips_us: int, **readings: Any) -> Facts:
    """Round trips, and a survey of the machine: `name=value`, or `name=(None, reason)`."""
    told = {name: value if isinstance(value, tuple) else (value, None) for name, value in readings.items()}
    survey = [
        {
            "name": name,
            "number": None if isinstance(value, str) else value,
            "text": value if isinstance(value, str) else None,
            "reason": reason,
        }
        for name, (value, reason) in told.items()
    ]
    return {"op": "probe", "started_ns": 0, "roundtrip_us": list(roundtrips_us), "environment": survey or None}


def load(elapsed_s: float = 10.0, started_s: float = 2.0, **more: Any) -> Facts:
    return {"op": "load", "started_ns": round(started_s * 1e9), "elapsed_ns": round(elapsed_s * 1e9), **more}


def unload(elapsed_s: float = 1.0, started_s: float = 100.0, **more: Any) -> Facts:
    return {"op": "unload", "started_ns": round(started_s * 1e9), "elapsed_ns": round(elapsed_s * 1e9), **more}


def sample(at_s: float, system: float | None = None, **more: Any) -> Row:
    """One memory sample. Figures are in GB: `system`, `pss`, `rss`, `footprint`, `footprint_max`, `swap`, `compressor`.

    Any other name is a column of the schema.
    """
    names = {"swap": "swap_used_bytes", "compressor": "compressor_bytes"}
    names |= {name: f"engine_{name}_bytes" for name in ("pss", "rss", "footprint", "footprint_max")}
    figures = {names[name]: round(value * GB) for name, value in more.items() if name in names}
    others = {name: value for name, value in more.items() if name not in names}
    used = None if system is None else round(system * GB)
    return {"at_ns": round(at_s * 1e9), "system_used_bytes": used, **figures, **others}


def idle(*samples: Row) -> Facts:
    return {"op": "idle", "started_ns": 0, "memory": list(samples)}
