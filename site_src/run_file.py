"""Reading one run file, or one of grades or votes, or saying why it cannot be trusted."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from collector.schema import COLUMNS, FORMAT, SCHEMA_VERSION, Column, arrow_schema


class Untrusted(Exception):
    """A run file that must not be read, and why."""


def read_run(path: Path, columns: tuple[str, ...] = ()) -> pa.Table:
    """A run file's rows in the columns of the schema, or in these of them. Raises Untrusted, with the reason."""
    table = read(path, COLUMNS, FORMAT, "a run file", columns)
    if len(table) == 0:
        raise Untrusted("it has no rows")
    return table


def read(path: Path, columns: tuple[Column, ...], form: str, kind: str, only: tuple[str, ...] = ()) -> pa.Table:
    """A file's rows in these columns, or `only` some of them. Raises Untrusted, where `kind` says what it should be."""
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
        metadata = file.schema_arrow.metadata or {}
        if metadata.get(b"format", b"").decode() != form:
            raise Untrusted(f"it is not {kind} of this project")
        version = int(metadata.get(b"schema_version", b"0"))
        if version > SCHEMA_VERSION:
            raise Untrusted(f"it was written by a newer version (schema {version}); update this clone")
        table = file.read([name for name in only if name in file.schema_arrow.names] or None)
    except (pa.ArrowException, OSError, ValueError) as error:
        said = str(error).partition("\n")[0].replace(f"{path.parent}/", "")  # reasons are published
        raise Untrusted(f"it is damaged: {said}") from None
    return _typed(table, arrow_schema(columns))


def _typed(table: pa.Table, wanted: pa.Schema) -> pa.Table:
    for field in table.schema:
        if field.name not in wanted.names:  # page checksums do not cover names, and a newer version was refused before
            raise Untrusted(f"it is damaged, or written by a newer clone: the schema has no column {field.name!r}")
        known = wanted.field(field.name)
        if not _fits(field.type, known.type):
            raise Untrusted(f"its column {field.name} is {field.type}, not {known.type}")
    return table.select([name for name in wanted.names if name in table.schema.names])


def _fits(given: pa.DataType, known: pa.DataType) -> bool:
    """Whether values of one type are values of the other; an older struct may lack fields."""
    if pa.types.is_list(given) and pa.types.is_list(known):
        return _fits(given.value_type, known.value_type)
    if pa.types.is_struct(given) and pa.types.is_struct(known):
        names = {field.name: field.type for field in known}
        return all(field.name in names and _fits(field.type, names[field.name]) for field in given)
    return bool(given == known)
