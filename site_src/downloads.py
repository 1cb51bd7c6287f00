"""What a reader can take away: every mart as CSV and Parquet, the newest runs as one table and as reports."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from collector import litter
from collector.schema import RUN, arrow_schema
from site_src import intake, report
from site_src.reuse.maker import Maker
from site_src.visible import json_of
from site_src.warehouse import VIEWS, Warehouse

FACTS = [column.name for column in RUN if not column.type.endswith("[]")]
RUN_FACTS = f"""
select file, {", ".join(FACTS)}
from raw_facts
qualify row_number() over (partition by run_id order by op_index) = 1
order by run_started_at, run_id
"""  # noqa: S608  # columns of our own schema
# What makes a cell a formula in a spreadsheet, wide forms included; and the sign that says it is none.
FORMULA = "^(['=+\\-@\t\r\n＝＋－＠])"


MOST_LINES = 100_000  # of a CSV; the Parquet file has all rows
AT_ONCE = 50  # run files whose every column is held


def marts() -> list[str]:
    """The views that pages show."""
    return [path.stem for path in litter.without((VIEWS / "3_marts").glob("*.sql"))]


def report_of(run_id: str) -> str | None:
    """Where the reports of a run lie, less `.md` or `.json`; an id that is no file's name has none."""
    return f"data/reports/{run_id}" if re.fullmatch(r"[a-z0-9][a-z0-9._-]*", run_id) else None


def files(maker: Maker, used: set[str]) -> Iterator[tuple[str, bytes | str]]:
    """Each file below `data/` with what stands in it; `used` are views that pages show, marts or not."""
    for view in sorted({*marts(), *used}):
        table = maker.answers.all_of(view)  # named by our own files and pages
        yield f"data/{view}.csv", csv(table)
        yield f"data/{view}.parquet", _parquet(table)
    warehouse = maker.answers.warehouse
    yield "data/operations.parquet", _operations(warehouse)
    yield "data/run_facts.csv", csv(warehouse.table(RUN_FACTS))
    yield from reports(warehouse)


def reports(warehouse: Warehouse) -> Iterator[tuple[str, str]]:
    """The report of each of the newest runs, in Markdown and in JSON."""
    for facts in report.each(warehouse):
        if name := report_of(facts["run"]["run_id"]):
            yield f"{name}.md", report.markdown(facts)
            yield f"{name}.json", json_of(facts) + "\n"


def _operations(warehouse: Warehouse) -> bytes:
    """The rows of the newest three run files of each configuration as one table."""
    schema = pa.schema([("file", pa.string()), *arrow_schema()])
    runs = warehouse.rows("select file from newest_runs where place <= 3 order by run_started_at, run_id")
    out = io.BytesIO()
    with pq.ParquetWriter(out, schema, compression="zstd", write_page_checksum=True) as writer:
        for start in range(0, len(runs), AT_ONCE):
            files = [run["file"] for run in runs[start : start + AT_ONCE]]
            tables = [intake.named(warehouse.stored(file).sort_by("op_index"), Path(file)) for file in files]
            rows = pa.concat_tables([schema.empty_table(), *tables], promote_options="permissive")
            writer.write_table(rows.select(schema.names).cast(schema))
    return out.getvalue()


def csv(table: pa.Table) -> bytes:
    """Its first rows. What a spreadsheet would compute, and text beginning with `'`, gets a `'` before it.

    Arrow writes no nested values as CSV, so these become text.
    """
    table = table.slice(0, MOST_LINES)
    for index, field in enumerate(table.schema):
        texts = table[index]
        if pa.types.is_nested(field.type):
            texts = pa.array([None if value is None else str(value) for value in texts.to_pylist()], pa.string())
        if pa.types.is_string(texts.type):
            table = table.set_column(index, field.name, pc.replace_substring_regex(texts, FORMULA, r"'\1"))
    out = io.BytesIO()
    pyarrow.csv.write_csv(table, out)
    return out.getvalue()


def _parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", write_page_checksum=True)
    return out.getvalue()
