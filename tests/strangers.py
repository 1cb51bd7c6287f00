"""What somebody else may add to an owner's results, and whether anything of the owner's moves by it.

Files are made up by chance from the owner's own: runs that claim the owner's machine, faster or slower, with extreme
values, with the owner's run ids, times or dates; grades and votes about the owner's outputs. `moved` names each view
that says something else of the owner, or takes a stranger's run for the owner's.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq

from collector import ownership, signing, store
from collector.backends import Facts
from collector.judgments import GRADE, GRADES_FORMAT, VOTE, VOTES_FORMAT
from collector.schema import RUN, Results
from site_src.warehouse import Warehouse
from tests import keys

OWNER, STRANGERS = "owner", ("ada", "bob")
IDENTITIES = ("run_id", "file", "configuration_id", "ladder_id", "build_id", "machine", "set_id")
# What decides: there nothing of a stranger's stands at all.
DECIDING = (
    *("plan_runs", "plan_results", "plan_coverage", "plan_matrix", "candidates", "choices", "recommendation"),
    *("answers", "next_runs", "common_budgets", "decision_leaves", "decision_steps", "feed"),
    *("counted_votes", "preference", "output_pairs", "vote_choices"),
)
COUNTED = {"data_overview": ("contributed_run_count", "contributor_count")}  # columns that speak of strangers
EXTREME: dict[str, tuple[Any, ...]] = {
    "prompt_tokens": (0, 1, 10**9),
    "completion_tokens": (0, 1, 10**9),
    "reported_decode_tps": (0.0, 1e9),
    "memory_bytes": (1, 10**16),
    "file_bytes": (1, 10**16),
    "context_effective": (1, 10**9),
    "model_parameters": (1, 10**16),
    "quantization": ("", "4bit", "Q4_K_M", "x" * 400),
    "model_key": ("", "*", "minimax-m2.1", "'; drop table runs; --", "甲" * 200),
    "chip": ("", "Apple M3 Ultra", "apple-m3-ultra-80gpu-512gb"),
    "server_version": ("99.9.9", "0.4.18"),
    "runtime_version": ("99.0", None),
    "block": (1, 2, 9),
    "order_code": ("ABBA", "AB"),
    "wired_limit_mb": (10**9,),
    "seed_honored": (True, False),
    "slept_ms": (0, 10**9),
    "error_kind": ("load_out_of_memory", "timeout", None),
    "temperature": (0.0, 5.0),
    "suite": ("standard", "smoke", "context", "x"),
}


@dataclass
class Stranger:
    """Makes contributed files, by chance, beside the results of an owner."""

    owner: Results
    chance: Random

    def __post_init__(self) -> None:
        self._runs = [pq.read_table(path).to_pylist() for path in sorted(self.owner.runs.glob("*.parquet"))]
        self._graded = [pq.read_table(path).to_pylist() for path in sorted(self.owner.grades.glob("*.parquet"))]
        self._voted = [pq.read_table(path).to_pylist() for path in sorted(self.owner.votes.glob("*.parquet"))]
        self._number = self.chance.randrange(10**6)

    def add(self, results: Results) -> Path:
        """One more file, signed by one of STRANGERS; its path."""
        make = self.chance.choices((self._run, self._grades, self._votes), (6, 2, 2))[0]
        with keys.signing_as(self.chance.choice(STRANGERS)):
            return make(results)

    def run(self, results: Results, by: str, source: int = 0, **facts: Any) -> Path:
        """A run like one of the owner's, with these facts."""
        with keys.signing_as(by):
            return self._store(results, self._runs[source % len(self._runs)], facts, 1.0, 1.0)

    def _run(self, results: Results) -> Path:
        chance = self.chance
        rows = chance.choice(self._runs)
        facts: Facts = {}
        if chance.random() < 0.2:
            facts["run_id"] = chance.choice(self._runs)[0]["run_id"]
        for name in chance.sample(list(EXTREME), chance.choice((0, 0, 1, 3))):
            facts[name] = chance.choice(EXTREME[name])
        is_copy = chance.random() < 0.1
        faster = 1.0 if is_copy else math.exp(chance.choice((0, 0.05, -1, 1, 2)))
        sooner = 1.0 if is_copy else math.exp(chance.choice((0, -1, 1, 3)))
        return self._store(results, rows, facts, faster, sooner, is_copy)

    def _store(
        self, results: Results, rows: list[Facts], facts: Facts, faster: float, sooner: float, is_copy: bool = False
    ) -> Path:
        self._number += 1
        started = rows[0]["run_started_at"] + timedelta(days=self.chance.choice((-30, -1, 1, 3)), seconds=self._number)
        known = {column.name: rows[0][column.name] for column in RUN}
        known |= {"run_id": f"beef{self._number:08x}", "run_started_at": started}
        known |= {name: value for name, value in facts.items() if name in known}
        of_operations = {name: value for name, value in facts.items() if name not in known}
        made = [_warped(row, 0 if is_copy else self._number, faster, sooner) for row in rows]
        return store.write(results, known, [row | of_operations for row in made])

    def _grades(self, results: Results) -> Path:
        chance = self.chance
        rows = [dict(row) for row in chance.choice(self._graded)]
        changed: Facts = {"outcome": chance.choice(("pass", "fail", "partial")), "share": chance.choice((0.0, 1.0))}
        if chance.random() < 0.3:
            changed |= {"grader": "no_such_grader", "check_id": "made-up"}
        if chance.random() < 0.3:
            changed["grader_version"] = chance.choice((0, 10**6))
        rows = [row | changed | {"graded_at": row["graded_at"] + timedelta(days=1)} for row in rows]
        return self._keep(results, "grades", rows)

    def _votes(self, results: Results) -> Path:
        chance = self.chance
        rows = [
            {
                **row,
                "vote_id": f"{chance.getrandbits(48):012x}",
                "choice": chance.choice("ab"),
                "voter": f"{chance.getrandbits(48):012x}" if chance.random() < 0.7 else row["voter"],
            }
            for row in chance.choice(self._voted) * chance.choice((1, 30))
        ]
        return self._keep(results, "votes", rows)

    def _keep(self, results: Results, kind: str, rows: list[Facts]) -> Path:
        self._number += 1
        columns, form = (GRADE, GRADES_FORMAT) if kind == "grades" else (VOTE, VOTES_FORMAT)
        target = results.root / kind / f"stranger-{self._number}.parquet"
        store.keep(results, store.rows_as_table(rows, columns, form), target, "stranger", "It", "")
        return target


def owned(results: Results) -> Results:
    """The same folder, the owner's by the key that signed its files."""
    ownership.claim(results, signing.public(keys.key(OWNER)))
    return results


def said(warehouse: Warehouse) -> dict[str, list[dict[str, Any]]]:
    """The rows of every view."""
    return {view: warehouse.rows(f"from {view}") for view in warehouse.views}


def moved(before: Mapping[str, list[dict[str, Any]]], warehouse: Warehouse, only: Iterable[str] = ()) -> dict[str, str]:
    """Each view, or of these, that says something else of the owner than before, in their order; and what."""
    theirs = {value for row in _of_strangers(warehouse) for value in row.values()}
    own_machines = {row["machine"] for row in before["stg_runs"]}
    found: dict[str, str] = {}
    for view in only or before:
        rows = before[view]
        left_out = COUNTED.get(view, ())
        now = [_plain(row, left_out) for row in warehouse.rows(f"from {view}")]
        then = Counter(_plain(row, left_out) for row in rows)
        if lost := then - Counter(now):
            found[view] = f"no longer says {next(iter(lost))}"
        for row in Counter(now) - then:
            if why := _taken_for_own(view, dict(row), theirs, own_machines):
                found.setdefault(view, f"{why}: {row}")
    return found


def _taken_for_own(view: str, row: Mapping[str, Any], theirs: set[Any], own_machines: set[str]) -> str | None:
    if view in DECIDING:
        return "decides by what a stranger brought"
    if row.get("is_plan"):
        return "takes a stranger's machine for one that answers the plan"
    if view == "practices" and row["verdict"] != "not measured":
        return "advises by what a stranger brought"
    named = {row[name] for name in IDENTITIES if row.get(name)} | {value for value in row.values() if value in theirs}
    if not named & theirs and any(name in row for name in IDENTITIES):
        return "has a row that is nobody's"
    return "counts it for the owner's machine" if row.get("machine") in own_machines else None


def _of_strangers(warehouse: Warehouse) -> Iterator[dict[str, Any]]:
    names = "run_id, file, configuration_id, ladder_id, machine"
    yield from warehouse.rows("from raw_contributors")
    yield from warehouse.rows(f"select {names} from stg_runs where contributor is not null")  # noqa: S608
    mine = "(select run_id from stg_runs where contributor is not null)"
    yield from warehouse.rows(f"select distinct build_id from stg_outputs where run_id in {mine}")  # noqa: S608
    yield from warehouse.rows(f"select distinct set_id from run_sets where run_id in {mine}")  # noqa: S608


def _plain(row: Mapping[str, Any], left_out: tuple[str, ...]) -> tuple[tuple[str, Any], ...]:
    """A row that can be counted. Sums of floats hang on the order of rows in their last digits, which no page shows."""
    return tuple((name, _rounded(value)) for name, value in row.items() if name not in left_out)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.11g}")
    if isinstance(value, list | dict):
        return repr(value)
    return value


def _warped(row: Facts, number: int, faster: float, sooner: float) -> Facts:
    """The same operation at another pace, its times in order; `number` makes its time its own."""
    row = dict(row)
    if not number:
        return row
    chunks = [dict(chunk) for chunk in row["chunks"] or []]
    for place, chunk in enumerate(chunks):
        chunk["gap_us"] = max(1, round(chunk["gap_us"] * (sooner if place == 0 else 1 / faster)))
    at = [1000 * sum(chunk["gap_us"] for chunk in chunks[: place + 1]) for place in range(len(chunks))]
    texts = [time for time, chunk in zip(at, chunks, strict=True) if chunk["chars"]]
    if texts:
        row |= {"chunks": chunks, "first_text_ns": texts[0], "last_text_ns": texts[-1], "done_ns": texts[-1] + 1000}
        row |= {name: min(row[name] or texts[0], texts[0]) for name in ("headers_ns", "first_event_ns")}
        row["first_answer_ns"] = texts[0] if row["first_answer_ns"] else None
        row["elapsed_ns"] = row["done_ns"] + number
    elif row["elapsed_ns"]:
        row["elapsed_ns"] += number
    return row
