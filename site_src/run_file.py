"""Reading one run file, or one of grades or votes, or saying why it cannot be trusted."""

import os
import stat
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from collector import capacity, signing
from collector.schema import COLUMNS, FORMAT, LARGEST, SCHEMA_VERSION, Column, arrow_schema
from site_src import bounds
from site_src.form import OF_RUNS, OF_SIZE, refusal
from site_src.leaves import Leaf, leaves, same_leaves
from site_src.parquet_parts import parts
from site_src.remembered import Remembered

LIMITS: dict[pa.DataType, tuple[float, float]] = {
    pa.int32(): (-LARGEST["INTEGER"], LARGEST["INTEGER"]),
    pa.int64(): (-LARGEST["BIGINT"], LARGEST["BIGINT"]),
    pa.float64(): (-LARGEST["DOUBLE"], LARGEST["DOUBLE"]),
    pa.timestamp("us"): (0, 230 * 366 * 86_400e6),  # from 1970 to 2200, since a clock may be wrong
}
REMEMBERED_BYTES = 48_000_000  # of tables; a run of 35 requests with 500 chunks each takes 0.6 MB
_tables: Remembered[pa.Table] = Remembered(REMEMBERED_BYTES)
_broken: Remembered[tuple[str, str]] = Remembered(REMEMBERED_BYTES // 100)
SIGNED_BY, SHA256 = "signed_by", "sha256"


class Untrusted(Exception):
    """A run file that must not be read, and why; `origin`, where that could still be told."""

    def __init__(self, reason: str, origin: tuple[str | None, str] | None = None) -> None:
        super().__init__(reason)
        self.origin = origin


class TooMuch(Untrusted):
    """One that would cost more than any run does."""


def read_run(path: Path, columns: tuple[str, ...] = ()) -> pa.Table:
    """A run file's rows in the columns of the schema, or in these of them. Raises Untrusted, with the reason.

    Who asks for some columns only has read all of them before: by these alone its form cannot be told.
    """
    table = read_rows(path, columns)
    if columns:
        return table
    told = origin(table)
    broken = _broken.get(told)
    if broken is None:
        broken = _broken_rule(table)
        _broken.put(told, broken, len(str(broken)))
    name, reason = broken
    if reason:
        raise (TooMuch if name in OF_SIZE else Untrusted)(reason, told)
    return table


def read_again(path: Path, digest: str, columns: tuple[str, ...] = ()) -> pa.Table:
    """The same of a file that was read and found good when its bytes' SHA-256 was this. Raises Untrusted."""
    try:
        data = _bytes(path)
        if sha256(data).hexdigest() == digest:
            file = pq.ParquetFile(pa.BufferReader(data))
            names = [name for name in columns if name in file.schema_arrow.names]
            return file.read(names or None).replace_schema_metadata()
    except (pa.ArrowException, OSError):  # which only a disk can bring about
        pass
    return read_run(path, columns)


def _broken_rule(table: pa.Table) -> tuple[str, str]:
    """The first rule that a table breaks and why it is not read; both empty where it keeps to all."""
    for name, rule in OF_RUNS.items():
        if reason := refusal(table, {name: rule}):
            return name, reason
    return "", ""


def read_rows(path: Path, columns: tuple[str, ...] = ()) -> pa.Table:
    """The same, whatever form they have: for who says what is wrong with it. Raises Untrusted."""
    table = read(path, COLUMNS, FORMAT, "a run file", columns)
    if len(table) == 0:
        raise Untrusted("it has no rows")
    return table


def read(path: Path, columns: tuple[Column, ...], form: str, kind: str, only: tuple[str, ...] = ()) -> pa.Table:
    """A file's rows in these columns, or `only` some of them. Raises Untrusted, where `kind` says what it should be."""
    wanted = arrow_schema(columns)
    try:
        data = _bytes(path)
        hashed = sha256(data).hexdigest()
        if (known := _known(hashed, form, only)) is not None:
            return known
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        metadata = file.schema_arrow.metadata or {}
        if metadata.get(b"format", b"").decode() != form:
            raise Untrusted(f"it is not {kind} of this project")
        version = int(metadata.get(b"schema_version", b"0"))
        if version > SCHEMA_VERSION:
            raise Untrusted(f"it was written by a newer version (schema {version}); update this clone")
        _fit(file.schema_arrow, wanted)
        if reason := bounds.beyond_when_unpacked(file.metadata.num_rows, parts(path, data)):
            raise TooMuch(reason)
        there = set(file.schema_arrow.names)
        table = file.read([name for name in only if name in there] or None)
        table.validate(full=True)  # whether texts are UTF-8
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        said = str(error).partition("\n")[0].rstrip(".").replace(f"{path.parent}/", "")  # reasons are published
        raise Untrusted(f"it is damaged: {said}") from None
    for leaf in leaves(table):
        if (found := _beyond(leaf)) is not None:
            raise Untrusted(f"its column {leaf.name} holds {found}, which nothing measures")
    try:
        signed_by = signing.signer(data, file.metadata.metadata or {})
    except signing.Broken as reason:
        raise Untrusted(str(reason)) from None
    read = set(table.column_names)
    told = table.select([name for name in wanted.names if name in read])
    told = told.replace_schema_metadata({SIGNED_BY: signed_by or "", SHA256: hashed})
    same_leaves(told, table)
    _tables.put((hashed, form, only), told, told.nbytes)
    return told


def _known(hashed: str, form: str, only: tuple[str, ...]) -> pa.Table | None:
    """What was read of a file of these very bytes before, if it is remembered."""
    if (known := _tables.get((hashed, form, only))) is not None or not only:
        return known
    if (whole := _tables.get((hashed, form, ()))) is None:
        return None
    return whole.select([name for name in whole.column_names if name in only] or whole.column_names)


def origin(table: pa.Table) -> tuple[str | None, str]:
    """Of a file that was read: the public key that signed it, if any, and its bytes' SHA-256."""
    said = {name.decode(): value.decode() for name, value in table.schema.metadata.items()}
    return said[SIGNED_BY] or None, said[SHA256]


def _bytes(path: Path) -> bytes:
    """All of a file. Nothing else is opened: a pipe would be waited for without end. Raises OSError, Untrusted."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Untrusted("nothing can be read by its name: it is a link to nowhere, or the name is no UTF-8") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise Untrusted("it is no regular file")
    with os.fdopen(descriptor, "rb") as file:
        if status.st_size > capacity.FILE_BYTES:
            raise TooMuch(f"it is {status.st_size / 1e6:,.1f} MB, more than {capacity.FILE_BYTES / 1e6:,.0f} MB")
        return file.read(capacity.FILE_BYTES)


def _fit(given: pa.Schema, wanted: pa.Schema) -> None:
    names = set(wanted.names)
    for field in given:
        if field.name not in names:  # page checksums do not cover names, and a newer version was refused before
            shown = field.name[: capacity.NAME]
            raise Untrusted(f"it is damaged, or written by a newer clone: the schema has no column {shown!r}")
        known = wanted.field(field.name)
        if not _fits(field.type, known.type):
            raise Untrusted(f"its column {field.name} is {str(field.type)[: capacity.NAME]}, not {known.type}")
    if len(set(given.names)) < len(given.names):
        raise Untrusted("it has two columns of one name")


def _beyond(leaf: Leaf) -> object:
    """A value that no view could reckon with; None where there is none."""
    limits = LIMITS.get(leaf.type)
    if limits is None or leaf.is_void:
        return None
    if pa.types.is_floating(leaf.type) and not pc.all(pc.is_finite(leaf.values)).as_py():
        return "what is no number"
    return next((value for value in leaf.extent if not limits[0] <= value <= limits[1]), None)


def _fits(given: pa.DataType, known: pa.DataType) -> bool:
    """Whether values of one type are values of the other; an older struct may lack fields."""
    if pa.types.is_list(given) and pa.types.is_list(known):
        return _fits(given.value_type, known.value_type)
    if pa.types.is_struct(given) and pa.types.is_struct(known):
        names = {field.name: field.type for field in known}
        told = [field.name for field in given]
        known_ones = all(field.name in names and _fits(field.type, names[field.name]) for field in given)
        return known_ones and 0 < len(told) == len(set(told))
    return bool(given == known)
