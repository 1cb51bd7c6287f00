"""What a reader can take away: every mart as CSV and Parquet, all run files as one table, a report of each run."""

import io
import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from collector.schema import RUN
from site_src import report
from site_src.warehouse import VIEWS, Warehouse

FACTS = [column.name for column in RUN if not column.type.endswith("[]")]
RUN_FACTS = f"""
select file, {", ".join(FACTS)}
from raw_operations
qualify row_number() over (partition by run_id order by op_index) = 1
order by run_started_at, run_id
"""  # noqa: S608  # columns of our own schema
# What makes a cell a formula in a spreadsheet, wide forms included; and the sign that says it is none.
FORMULA = "^(['=+\\-@\t\r\n＝＋－＠])"


def marts() -> list[str]:
    """The views that pages show."""
    return sorted(path.stem for path in (VIEWS / "3_marts").glob("*.sql"))


def report_of(run_id: str) -> str | None:
    """Where the reports of a run lie, less `.md` or `.json`; an id that is no file's name has none."""
    return f"data/reports/{run_id}" if re.fullmatch(r"[a-z0-9][a-z0-9._-]*", run_id) else None


def files(warehouse: Warehouse, used: set[str]) -> Iterator[tuple[str, bytes | str]]:
    """Each file below `data/` with what stands in it; `used` are views that pages show, marts or not."""
    for view in sorted({*marts(), *used}):
        table = warehouse.table(f"from {view}")  # named by our own files and pages
        yield f"data/{view}.csv", csv(table)
        yield f"data/{view}.parquet", _parquet(table)
    yield "data/operations.parquet", _parquet(warehouse.table("from raw_operations"))
    yield "data/run_facts.csv", csv(warehouse.table(RUN_FACTS))
    yield from reports(warehouse)


def reports(warehouse: Warehouse) -> Iterator[tuple[str, str]]:
    """The report of each run, in Markdown and in JSON."""
    for facts in report.each(warehouse):
        if name := report_of(facts["run"]["run_id"]):
            yield f"{name}.md", report.markdown(facts)
            yield f"{name}.json", report.json_of(facts) + "\n"


def csv(table: pa.Table) -> bytes:
    """Texts that a spreadsheet would compute, and those that begin with `'`, have a `'` before them; numbers do not.

    Arrow writes no nested values as CSV, so these become text.
    """
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
