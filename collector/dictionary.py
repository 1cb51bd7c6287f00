"""The data dictionary `results/README.md`, from the schema."""

from collector.judgments import GRADE, VOTE
from collector.schema import OPERATION, RUN, SCHEMA_VERSION, Column

_HEAD = """# Results

Data only. `runs/` holds one Parquet file per run, written by `collect` and never changed. What was thought of the
outputs in them lies beside them: `grades/` holds what graders found, `votes/` one file for each vote of `collect vote`.
`models.csv` says which model a name means, and its shape; `plan.csv` is the matrix to be measured, `machines.csv` the
memory bandwidth of chips; `archive.csv` holds figures from before this project. `keys.toml` lists the keys whose files
are this repository's, `unsigned.sha256` the files that are so without a signature; all others are contributed.
`.journal/` (git-ignored) holds runs in progress, and random digits that stand for whoever votes here.

To add a result, commit the file that `collect` printed: `git add "$(collect)"`. To withdraw one, delete its file.
Any tool reads them: `duckdb -c "select model_key, op, count(*) from 'results/runs/*.parquet' group by all"`.

What has finished is safe when a process dies: each operation is written to the journal before the next one begins,
and the next `collect` saves what a killed one left behind; `scripts/bench kills --full` kills 300 of them. A disk that
is full, or a folder that goes away, ends no run: it goes on in memory and is written where there is room. *Power loss
was not tried*: `fsync`, on a Mac `F_FULLFSYNC`, is called for the journal and for every file; the drive does the rest.

The files of suite `reference` are real runs of two small models on a 2-core Linux machine, so that every page of a
fresh clone shows something; `scripts/benches/reference.py` made them. Both runtimes are measured through their own
servers there, so they are compared with nothing, and all variants were made from 4-bit originals, so differences in
what they write mean nothing. No verdict of the plan uses them. The first run through LM Studio makes that machine
the one shown first; `scripts/sql "select file from runs where suite = 'reference'"` names the files to be deleted then.

This page is made from `collector/schema.py` and `collector/judgments.py` by `scripts/dictionary`.

## A run file, schema version {version}

One row per operation. Unknown is NULL, never 0. Times are from a monotonic clock.
"""

_GRADES = """## A file of grades

One row per check of an output, or per comparison of two. A grade counts only while its run holds the very text.
"""

_VOTES = """## A file of a vote

One row: which of two outputs of the same request somebody preferred, without knowing which model, quantization and
engine wrote them. It counts only while the runs hold the very texts, and of each voter once for two texts. A voter is
random digits, no name.
"""


def text() -> str:
    """The whole page as Markdown."""
    parts = [
        _HEAD.format(version=SCHEMA_VERSION),
        _section("Columns about the run, the same on each of its rows", RUN),
        _section("Columns about the operation", OPERATION),
        _GRADES,
        _section("Columns of a grade", GRADE),
        _VOTES,
        _section("Columns of a vote", VOTE),
    ]
    return "\n".join(parts)


def _section(title: str, columns: tuple[Column, ...]) -> str:
    rows = [f"| `{c.name}` | {_cell(c.type)} | {c.unit} | {_cell(c.meaning)} |" for c in columns]
    return "\n".join([f"### {title}", "", "| column | type | unit | meaning |", "|---|---|---|---|", *rows, ""])


def _cell(words: str) -> str:
    return words.replace("|", "\\|")
