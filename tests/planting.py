"""Results of strangers: run files, grades, votes and hand-kept tables in which every text may be any text.

Which columns hold text is read from the schemas, so a new one is planted without a word here. Some decide whether a row
is shown at all (`DECIDING`); these have their own values in some rows, for what stands beside them to be shown, and
strange ones in others.
"""

import csv
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import cycle
from typing import Any

from collector import capacity, store
from collector.backends import Facts
from collector.graders import Output
from collector.judgments import GRADE, GRADES_FORMAT, VOTE, VOTES_FORMAT, gradable
from collector.schema import CLONE, OPERATION, RUN, Column, Results
from site_src import tables
from site_src.tables import TABLES
from tests.conftest import STARTED, of_its_own
from tests.worlds import QWEN, World, plan

FIELD = re.compile(r"(\w+) VARCHAR\b")
DECIDING = {"run_id", "op", "error_kind", "runtime", "server", "os_name", "memory_method", "engine_found_by"}
DECIDING |= {"loaded_instances"}  # without the model among them a request counts nowhere
DECIDING_PARTS = {"kind", "name"}  # of a chunk, of a reading
JUDGING = {"run_id", "prompt_sha256", "text_sha256", "tier", "outcome", "other_run_id", "other_sha256"}
CHOOSING = {"a_run_id", "b_run_id", "a_sha256", "b_sha256", "prompt_sha256", "nonce", "choice", "shown_first"}


def texts_of(columns: Sequence[Column]) -> dict[str, list[str]]:
    """Columns that hold text, each with the parts of it that do; none where it is text itself."""
    return {
        column.name: FIELD.findall(column.type) if column.type.startswith("STRUCT") else []
        for column in columns
        if "VARCHAR" in column.type
    }


def texts_of_table(name: str) -> list[str]:
    """Columns of a hand-kept table in which any text may stand."""
    shape = TABLES[name]
    return [column for column in shape.columns if column not in {*shape.numbers.split(), *shape.one_of}]


# What is tried is what pages make of a text, not whether it may be there at all: names are as long as all payloads.
LIFTED = ((capacity, "NAME", 30_000), (capacity, "WORDS", 30_000), (tables, "LEAST_NAMED", 0))


def lift(set_to: Callable[[Any, str, Any], object] = setattr) -> None:
    """Lift the limits that no payload would pass."""
    for module, name, value in LIFTED:
        set_to(module, name, value)


def plant(results: Results, texts: Mapping[str, str]) -> None:
    """Fill a results folder with what strangers might send: of each text four runs and what was thought of them.

    The runs: one with MLX and one with llama.cpp, with the text in all that decides nothing; one of failures, with the
    text also in what does; and one that is called by it.
    """
    _tables(results, texts)
    for number, text in enumerate(texts.values()):
        _plant(results, text, number)


def _plant(results: Results, text: str, number: int) -> None:
    told = _told(results, number)
    ids = []
    for place, (facts, rows) in enumerate(told):
        run = {**facts, **_of(RUN, facts, text, DECIDING)}
        run["quantization"] = f"{facts['quantization']} {text}"  # which tells the bits, so that the two are compared
        ids.append(_write(results, run, [_row(row, text) for row in rows], number, place))
    _failures(results, *told[0], text, number)
    _judge(results, told, ids, text, number)


def _told(results: Results, number: int) -> list[tuple[Facts, list[Facts]]]:
    """Two runs as the tests' worlds have them, one of each runtime."""
    kept: list[tuple[Facts, list[Facts]]] = []

    class Kept(World):
        def write(self, facts: Facts, rows: list[Facts]) -> str:
            told = [row for row in rows if row.get("prompt_id") in (None, "short", "reasoning")]
            kept.append((facts, [{"nonce": f"{place:06d}", **row} for place, row in enumerate(told)]))
            return ""

    world = Kept(results, began=STARTED - timedelta(days=number))
    for cell in ("4bit", "Q4_K_M"):
        world.measure(plan()[QWEN, cell], repeats=3, quality={"short": "x", "reasoning": "y"})
    return kept


def _of(columns: Sequence[Column], known: Facts, text: str, deciding: set[str]) -> Facts:
    """The text in every column of these that holds any and decides nothing."""
    lists = {column.name for column in columns if column.type == "VARCHAR[]"}
    return {
        name: _parts(known.get(name), parts, text) if parts else [text] if name in lists else text
        for name, parts in texts_of(columns).items()
        if name not in deciding
    }


def _parts(known: list[Facts] | None, parts: list[str], text: str) -> list[Facts]:
    """As many as there were, with their deciding parts, and one that is strange altogether."""
    strange = dict.fromkeys(parts, text)
    kept = [
        {**one, **{name: text for name in parts if name not in DECIDING_PARTS}}
        for one in known or []
        if one is not None
    ]
    return [*kept, {**(kept[0] if kept else {}), **strange}]


def _row(row: Facts, text: str) -> Facts:
    if row["op"] in ("idle", "load", "unload", "probe"):
        return {**row, **_of(OPERATION, row, text, {*DECIDING, "chunks", "needles"})}
    planted = {**row, **_of(OPERATION, row, text, {*DECIDING, "prompt_id", "prompt_sha256", "nonce"})}
    if row.get("chunks") and row.get("completion_tokens"):
        planted["completion_tokens"] = row["completion_tokens"] + 1  # the strange chunk was counted as well
    # Prompts are told apart, by their beginning: what a text begins with is tried where there is one of it.
    return planted | {name: f"{text} {row[name]}" for name in ("prompt_id", "prompt_sha256", "nonce") if row.get(name)}


def _failures(results: Results, facts: Facts, rows: list[Facts], text: str, number: int) -> None:
    request = next(row for row in rows if row["op"] == "request")
    run = {**facts, **_of(RUN, facts, text, {"run_id"})}
    strange = {**request, **_of(OPERATION, request, text, {"op"})}
    failed = [{**strange, "op": op} for op in ("load", "request", "quality", "context", "bench", text)]
    flawed = {**strange, "error_kind": "template_leak", "repeat": 9}  # the same request is asked once
    _write(results, run, [*failed, flawed], number, 2)
    _write(results, {**run, "run_id": text}, [{**request, **_of(OPERATION, request, text, DECIDING)}], number, 3)
    _write(results, {**run, "server": "llama-bench"}, [{**strange, "op": "bench", "bench_tps": [1.0, 2.0]}], number, 4)


def _write(results: Results, run: Facts, rows: list[Facts], number: int, place: int) -> str:
    run_id = hashlib.sha256(f"{number} {place}".encode()).hexdigest()[:12]
    began = STARTED - timedelta(days=number, hours=place)  # runs of the future do not count
    run = {**run, "run_started_at": began, "run_id": run.get("run_id") or run_id}
    numbered = of_its_own([{**row, "op_index": index} for index, row in enumerate(rows)], 10 * number + place)
    target = results.runs / f"{run_id}.parquet"
    store.keep(results, store._table(run, numbered), target, "run", "The run", "")
    return run["run_id"]


def _judge(results: Results, told: list[tuple[Facts, list[Facts]]], ids: list[str], text: str, number: int) -> None:
    """Grades of outputs, a similarity of the two runs' outputs, votes between them; and of each one all strange."""
    answers = [
        (run_id, index, row)
        for run_id, (_, rows) in zip(ids, told, strict=True)
        for index, row in enumerate(rows)
        if row["op"] in ("quality", "request")
    ]
    sides = [
        {"run_id": run_id, "op_index": index, "sha256": Output(text, text).sha256, **_names(row, text)}
        for run_id, index, row in answers
    ]
    grades, votes = [], []
    for place, (side, outcome) in enumerate(zip(sides, cycle(OUTCOMES), strict=False)):
        own = {"run_id": side["run_id"], "op_index": side["op_index"], "text_sha256": side["sha256"], "share": 0.5}
        own |= {"prompt_sha256": side["prompt_sha256"], "outcome": outcome, **(VALIDITY, ASKED)[place % 2]}
        grades.append({**_of(GRADE, own, text, JUDGING), **own})
    half = len(sides) // 2
    for one, other in zip(sides[:half], sides[half:], strict=True):
        own = {"run_id": one["run_id"], "op_index": one["op_index"], "text_sha256": one["sha256"], "share": 0.9}
        own |= {"other_run_id": other["run_id"], "other_op_index": other["op_index"], "other_sha256": other["sha256"]}
        own |= {"prompt_sha256": one["prompt_sha256"], "tier": "Q2", "outcome": "measured"}
        grades.append({**_of(GRADE, own, text, JUDGING), **own})
        vote = {f"{name}_{key}": side[key] for name, side in (("a", one), ("b", other)) for key in SIDE}
        vote |= {"prompt_sha256": one["prompt_sha256"], "nonce": one["nonce"], "choice": "a", "shown_first": "b"}
        votes.append({**_of(VOTE, vote, text, CHOOSING), **vote})
    when = {"graded_at": STARTED, "voted_at": STARTED, "grader_version": 1}
    grades.append({**_of(GRADE, {}, text, set()), "op_index": 0})
    votes.append({**_of(VOTE, {}, text, set()), "a_op_index": 0, "b_op_index": 0})
    for rows, columns, form, folder in (
        (grades, GRADE, GRADES_FORMAT, results.grades),
        (votes, VOTE, VOTES_FORMAT, results.votes),
    ):
        table = store.rows_as_table([{**row, **when} for row in rows], columns, form)
        store.keep(results, table, folder / f"{number}.parquet", "judged", "They", "")


# What a grade must name to count at all.
VALIDITY = {"tier": "Q0", "grader": "degenerate", "check_id": "degenerate", "check_sha256": None}
ASKED = {"tier": "Q1", **dict(zip(("grader", "check_id", "check_sha256"), gradable()[1][0], strict=True))}
OUTCOMES = ("pass", "fail", "partial", "unparsed")
SIDE = ("run_id", "op_index", "sha256")


def _names(row: Facts, text: str) -> Facts:
    return {"prompt_sha256": f"{text} {row['prompt_sha256']}", "nonce": f"{text} {row['nonce']}"}


def _tables(results: Results, texts: Mapping[str, str]) -> None:
    """The hand-kept tables of the clone, with a row of each text, and the choices that a column leaves."""
    results.root.mkdir(parents=True, exist_ok=True)
    for name, shape in TABLES.items():
        with (CLONE / "results" / name).open(encoding="utf-8", newline="") as file:
            known = list(csv.DictReader(file))
        free = texts_of_table(name)
        planted = []
        alike = {text.strip().lower(): text for text in texts.values()}  # two rows of one name are refused
        for number, text in enumerate(alike.values()):
            choices = {column: next(filter(None, some)) for column, some in shape.one_of.items()}
            numbers = dict.fromkeys(shape.numbers.split(), str(number + 1))
            planted.append({**numbers, **choices, **dict.fromkeys(free, text)})
        with (results.root / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys([*known[0], *shape.columns])), quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows([*known, *planted])
