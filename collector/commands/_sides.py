"""Two sets of runs beside each other: how the person names them, and how they are shown."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.errors import RunUnclear

if TYPE_CHECKING:
    from site_src.warehouse import Warehouse

SHOWN = 5  # sets named where another is meant
KNOWN = """
    select distinct
        set_id, concat_ws(', ', configurations.label, suite, configurations.machine) as name, run_sets.kind, file
    from run_sets
    inner join configurations using (configuration_id)
    left join (select run_id, file from runs) as files on files.run_id = set_id
    where run_sets.kind != 'version'
    order by run_sets.kind, name, set_id
"""


def find(warehouse: "Warehouse", wanted: str) -> str:
    """The id of the run or configuration that is meant: by id or its beginning, file, or words of a label.

    Raises RunUnclear.
    """
    known = warehouse.rows(KNOWN)
    text, words = wanted.strip().lower(), wanted.lower().split()
    by_id = [row for row in known if text and row["set_id"].startswith(text)]
    by_file = [row for row in known if row["file"] == Path(wanted).name]
    by_words = [
        row
        for row in known
        if row["kind"] == "configuration" and words and all(word in row["name"].lower() for word in words)
    ]
    found = by_id or by_file or by_words
    if len(found) == 1:
        return str(found[0]["set_id"])
    if found:
        raise RunUnclear(f"{wanted!r} may mean {_names(found)}.", "Give an id, or more words.")
    configurations = [row for row in known if row["kind"] == "configuration"]
    remedy = f"There are: {_names(configurations)}." if known else "Nothing is stored there yet; `collect` measures."
    if damaged := [row["file"] for row in warehouse.rows("select file from damaged_files")]:
        remedy += f" Files that cannot be trusted are left out: {', '.join(damaged[:SHOWN])}."
    raise RunUnclear(f"There is no run or configuration {wanted!r} in {warehouse.results.runs}.", remedy)


def _names(rows: list[dict[str, Any]]) -> str:
    from site_src.visible import visible

    names = "; ".join(f"{row['set_id']} ({visible(row['name'])})" for row in rows[:SHOWN])
    return names + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")


# label, column, ratio's column, verdict's column
FIGURES = (
    ("decode, tokens/s", "decode_tps", "decode_tps_ratio", "verdict"),
    ("TTFT, ms", "ttft_ms", "ttft_ms_ratio", "ttft_verdict"),
    ("prefill, tokens/s", "prefill_tps", None, None),
    ("peak memory, GB", "peak_memory_gb", "peak_memory_ratio", "memory_verdict"),
    ("load time, s", "load_s", "load_s_ratio", "load_verdict"),
)


def lines(row: dict[str, Any]) -> list[tuple[str, ...]]:
    """A row of the mart `comparison` as figure, a, b, ratio with interval, verdict."""
    from site_src import figures

    def ratio(column: str | None) -> str:
        if column is None or row[column] is None:
            return "–"
        low, high = row[f"{column}_low"], row[f"{column}_high"]
        bounds = "no interval" if low is None else f"{figures.number(low)} – {figures.number(high)}"
        if low is not None and figures.is_within(column, row):
            bounds += " within this run"
        return f"{figures.number(row[column])} ({bounds})"

    return [
        (
            label,
            figures.plain(name, row[f"a_{name}"]),
            figures.plain(name, row[f"b_{name}"]),
            ratio(ratio_column),
            row[verdict] if verdict else "–",
        )
        for label, name, ratio_column, verdict in FIGURES
    ]


def runs(row: dict[str, Any]) -> str:
    """How many runs a comparison of speed rests on, on the side with fewer."""
    from site_src import words

    return words.read(words.LANGUAGES[0]).runs("runs_a_side", row["runs_a_side"])


def reasons(row: dict[str, Any]) -> list[str]:
    """What is doubtful about a comparison; what forbids all of it is told once."""
    of_all = row["reason"] or ""
    apart = [(name, row[f"{name}_reason"]) for name in ("memory", "load")]
    told = [f"{name}: {reason}" for name, reason in apart if reason and not of_all.startswith(reason)]
    return [reason for reason in (of_all, *told) if reason]


def called(verdict: str, a: str, b: str) -> str:
    """A verdict with the sides' names, as the macro `sided` does it: 'a faster' becomes 'this one faster'."""
    names = {"a ": f"{a} ", "b ": f"{b} "}
    return names.get(verdict[:2], verdict[:2]) + verdict[2:]
