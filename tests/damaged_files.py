"""Run files, and files of grades and votes, as accidents and strangers leave them, and what must come of each.

A file damaged byte by byte is refused with a reason, or reads as the whole one does. One that was written anew in
another way is refused, or reads as what was written; columns that it lacks are unknown.
"""

import functools
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from collector import record, store
from collector.judgments import GRADE, GRADES_FORMAT, VOTE, VOTES_FORMAT
from collector.schema import COLUMNS, FORMAT, SCHEMA_VERSION, Column, Results
from site_src import intake
from site_src.run_file import Untrusted, read, read_run
from tests.conftest import MS, RUN, STARTED
from tests.read_streams import READER, written

OLD = Path(__file__).parent / "old_runs" / "schema-1.parquet"
FOOTER = 8  # bytes at the end: the length of what is before them, and the magic


@dataclass(frozen=True)
class Kind:
    """A kind of file: its columns, its format, and one of them, whole."""

    name: str
    columns: tuple[Column, ...]
    form: str
    raw: bytes

    def read(self, path: Path) -> pa.Table:
        """As the site reads it. Raises Untrusted."""
        return read_run(path) if self.form == FORMAT else read(path, self.columns, self.form, "such a file")


@functools.cache
def kinds() -> tuple[Kind, ...]:
    """A run of this version, one of the first, grades and votes."""
    with tempfile.TemporaryDirectory() as name:
        results = Results(Path(name))
        rows = [_request(number) for number in range(6)] + [_probe()]
        run = store.write(results, {**RUN, "run_id": "a" * 12, "run_started_at": STARTED}, rows)
        made = [Kind("run", COLUMNS, FORMAT, run.read_bytes()), Kind("old run", COLUMNS, FORMAT, OLD.read_bytes())]
        for kind, columns, form in (("grades", GRADE, GRADES_FORMAT), ("votes", VOTE, VOTES_FORMAT)):
            table = store.rows_as_table([_judgment(columns, number) for number in range(12)], columns, form)
            path = results.root / f"{kind}.parquet"
            store.keep(results, table, path, "x", kind, "")
            made.append(Kind(kind, columns, form, path.read_bytes()))
    return tuple(made)


def _request(number: int) -> dict[str, Any]:
    seen = READER.read([(7, f"data: {data}\n\n".encode()) for data in written(number)])
    memory = [{"at_ns": number * MS + at, "system_used_bytes": 10**10 + 977 * at} for at in range(20)]
    about = {"op": "request", "op_index": number, "started_ns": number * MS, "prompt_id": f"p{number}", "repeat": 1}
    return {**about, "prompt_sha256": "5" * 64, **record.of_exchange(seen), "memory": memory}


def _probe() -> dict[str, Any]:
    readings = [{"name": "load", "number": 0.5, "text": None, "reason": None}]
    needles = [{"depth": 0.5, "name": "青松仓库", "number": "1234567", "found": True}]
    more = {"environment": readings, "needles": needles, "roundtrip_us": [100, 120], "bench_tps": [50.5, 51.0]}
    return {"op": "probe", "op_index": 6, "started_ns": 0, **more}


def _judgment(columns: tuple[Column, ...], number: int) -> dict[str, Any]:
    values = {"INTEGER": number, "DOUBLE": number / 12, "TIMESTAMP": STARTED + timedelta(seconds=number)}
    return {column.name: values.get(column.type, f"{column.name} {number}") for column in columns}


# --- damaged byte by byte ---


def damaged(raw: bytes, other: bytes, draw: Random) -> bytes:
    """The file after an accident; `other` is a file that got mixed up with it."""
    changed = bytearray(raw)
    draw.choice(DAMAGES)(changed, other, draw)
    return bytes(changed)


def _flip(raw: bytearray, other: bytes, draw: Random) -> None:
    for _ in range(draw.choice((1, 1, 1, 2, 8, 64))):
        raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)


def _flip_footer(raw: bytearray, other: bytes, draw: Random) -> None:
    size = FOOTER + struct.unpack("<I", raw[-8:-4])[0]
    for _ in range(draw.choice((1, 1, 2, 4))):
        at = len(raw) - draw.randrange(1, size + 1)
        raw[at] = draw.choice((raw[at] ^ (1 << draw.randrange(8)), 0, 255, 127, 128, draw.randrange(256)))


def _truncate(raw: bytearray, other: bytes, draw: Random) -> None:
    del raw[draw.randrange(len(raw)) :]


def _behead(raw: bytearray, other: bytes, draw: Random) -> None:
    del raw[: draw.randrange(1, len(raw))]


def _overwrite(raw: bytearray, other: bytes, draw: Random) -> None:
    """Part of it is another file's, or zeros, or of another place."""
    at, size = draw.randrange(len(raw)), draw.choice((1, 8, 64, 512, 4096))
    source = draw.choice((other, bytes(len(raw)), b"\xff" * len(raw), bytes(raw)))
    begin = draw.choice((at, draw.randrange(len(source))))
    raw[at : at + size] = source[begin : begin + size]


def _insert(raw: bytearray, other: bytes, draw: Random) -> None:
    at = draw.randrange(len(raw) + 1)
    raw[at:at] = draw.choice((b"\n", b"\x00" * 16, bytes(raw[:64]), other[:64], draw.randbytes(8), b"PAR1"))


def _delete(raw: bytearray, other: bytes, draw: Random) -> None:
    at = draw.randrange(len(raw))
    del raw[at : at + draw.choice((1, 2, 16, 512))]


def _swap_footer(raw: bytearray, other: bytes, draw: Random) -> None:
    """The end of another file, from wherever its footer begins."""
    own, its = (FOOTER + struct.unpack("<I", one[-8:-4])[0] for one in (raw, other))
    raw[-own:] = other[-its:]


def _length(raw: bytearray, other: bytes, draw: Random) -> None:
    size = struct.unpack("<I", raw[-8:-4])[0]
    raw[-8:-4] = struct.pack("<I", draw.choice((0, 1, size - 1, size + 1, 2**31, 2**32 - 1, draw.randrange(len(raw)))))


DAMAGES: tuple[Callable[[bytearray, bytes, Random], None], ...] = (
    *(_flip, _flip, _flip, _flip, _flip_footer, _flip_footer, _flip_footer, _flip_footer),
    *(_truncate, _behead, _overwrite, _overwrite, _insert, _delete, _swap_footer, _length),
)


# --- written anew ---


def rewritten(kind: Kind, draw: Random, path: Path) -> pa.Table:
    """Write the file's table with something about it changed; the table as it was written."""
    table = pq.ParquetFile(pa.BufferReader(kind.raw)).read()
    metadata: dict[Any, Any] = dict(table.schema.metadata or {})
    if (at := table.schema.get_field_index("run_id")) >= 0:  # or it would be taken for a copy
        table = table.set_column(at, "run_id", pa.array([draw.randbytes(6).hex()] * len(table)))
    change = draw.choice(CHANGES)
    table = _metadata(table, metadata, draw) if change is _metadata else change(table, metadata, draw)
    codec = draw.choice(("zstd", "zstd", "none", "snappy", "gzip", "lz4", "brotli"))
    how = {"data_page_version": draw.choice(("1.0", "2.0")), "use_dictionary": draw.choice((True, False))}
    size = draw.choice((None, None, 1, 3)) if len(table) < 100 else None
    # the schema as Arrow has it, which a reader believes, is left out at times
    pq.write_table(table, path, compression=codec, row_group_size=size, store_schema=draw.random() < 0.8, **how)
    return table


def _metadata(table: pa.Table, metadata: dict[Any, Any], draw: Random) -> pa.Table:
    said = (
        b"",
        b"-1",
        b"0",
        b"x",
        b"9" * 5000,
        b"\xff\xfe",
        b"3.0",
        b" 1 ",
        str(SCHEMA_VERSION + 1).encode(),
        b"x" * 70_000,
    )
    key = draw.choice((b"format", b"schema_version", b"pandas", b"ARROW:schema", b"\xff"))
    metadata[key] = draw.choice(said)
    return table.replace_schema_metadata(metadata if draw.random() < 0.9 else None)


def _rename(table: pa.Table, metadata: dict[Any, Any], draw: Random) -> pa.Table:
    names = list(table.column_names)
    new = draw.choice(
        (draw.choice(names), "", "file", "a" * 9000, 'x"; drop table raw_operations; --', "ünï", names[0].upper())
    )
    names[draw.randrange(len(names))] = new
    return table.rename_columns(names)


def _columns(table: pa.Table, metadata: dict[Any, Any], draw: Random) -> pa.Table:
    """Others, fewer, in another order, or one that nobody knows."""
    names = list(table.column_names)
    draw.shuffle(names)
    if draw.random() < 0.3:
        return table.append_column(draw.choice(("more", "file", "file_row_number")), pa.nulls(len(table), pa.int32()))
    return table.select(names[: draw.choice((0, 1, len(names) // 2, len(names)))])


def _rows(table: pa.Table, metadata: dict[Any, Any], draw: Random) -> pa.Table:
    """None, many, or more than any run can have."""
    count = draw.choice((0, 1, 40_000, 3_000_000, 20_000_000))
    if count < 2:
        return table.slice(0, count)
    few = table.select(["op_index" if "op_index" in table.column_names else table.column_names[0]])
    name, kind = few.column_names[0], few.schema.types[0]
    return pa.table({name: pa.repeat(pa.scalar(1, pa.int32()).cast(kind), count)}).replace_schema_metadata(metadata)


TYPES: tuple[Any, ...] = (
    *(pa.string(), pa.large_string(), pa.binary(), pa.int8(), pa.int32(), pa.int64(), pa.uint64(), pa.float32()),
    *(pa.float64(), pa.bool_(), pa.null(), pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.date32()),
    *(pa.list_(pa.int64()), pa.list_(pa.list_(pa.list_(pa.int64()))), pa.list_(pa.string(), 2)),
    *(pa.large_list(pa.int64()), pa.struct([("a", pa.int64())]), pa.map_(pa.string(), pa.int64())),
    *(pa.dictionary(pa.int32(), pa.string()), pa.decimal128(38, 9)),
)


def _retype(table: pa.Table, metadata: dict[Any, Any], draw: Random) -> pa.Table:
    at, kind = draw.randrange(table.num_columns), draw.choice(TYPES)
    column = table.column(at)
    if draw.random() < 0.5:
        try:
            return table.set_column(at, table.column_names[at], column.cast(kind))
        except (pa.ArrowException, ValueError):
            pass
    return table.set_column(at, table.column_names[at], pa.nulls(len(table), kind))


def _nested(table: pa.Table, metadata: dict[Any, Any], draw: Random) -> pa.Table:
    """Fields of a nested column: others, fewer, more, in another order, twice, of another type; or one list more."""
    places = [at for at, kind in enumerate(table.schema.types) if pa.types.is_nested(kind)]
    if not places:
        return _retype(table, metadata, draw)
    at = draw.choice(places)
    kind = table.schema.types[at]
    inner = kind.value_type
    fields = [(field.name, field.type) for field in inner] if pa.types.is_struct(inner) else [("x", inner)]
    place = draw.randrange(len(fields))
    change = draw.randrange(7)
    if change == 0:
        draw.shuffle(fields)
    elif change == 1:
        fields.pop(place)
    elif change == 2:
        fields.append(("more", pa.int64()))
    elif change == 3:
        fields[place] = fields[place][0], draw.choice(TYPES)
    elif change == 4:
        fields.append(fields[place])
    elif change == 5:
        fields[place] = fields[place][0] + "s", fields[place][1]
    made = pa.struct(fields) if pa.types.is_struct(inner) and change < 6 else pa.list_(inner)
    if pa.types.is_list(made):
        values: list[Any] = [draw.choice((None, [[]], [None])) for _ in range(len(table))]
    elif not fields or len({name for name, _ in fields}) < len(fields):
        values = [None] * len(table)
    else:
        values = [[{name: _some(one, draw) for name, one in fields}] for _ in range(len(table))]
    return table.set_column(at, table.column_names[at], pa.array(values, pa.list_(made)))


def _some(kind: pa.DataType, draw: Random) -> Any:
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return draw.choice((0, 1, 7, None))
    return "x" if pa.types.is_string(kind) else None


BAD_TEXT = pa.py_buffer(b"\xff\xfe\x80\xc3(abc")
EXTREMES: dict[str, tuple[Any, ...]] = {
    "int32": (-(2**31), 2**31 - 1, -1, 0),
    "int64": (-(2**63), 2**63 - 1, -1, 0, 2**53 + 1),
    "double": (float("nan"), float("inf"), float("-inf"), -1.0, 5e-324, 1.7e308),
    "string": ("", "\x00", "x" * 3_000_000, "\u202e", "'; drop table raw_operations; --", "<script>alert(1)</script>"),
    "bool": (True, False),
}
TIMES = (-(2**63) + 1, 2**63 - 1, 2**63 - 2, 0, -62135596800000000 - 1, 253402300800000000)  # before 1, after 9999


def _values(table: pa.Table, metadata: dict[Any, Any], draw: Random) -> pa.Table:
    """Values of the right type that nothing measured."""
    at = draw.randrange(table.num_columns)
    kind, count = table.schema.types[at], len(table)
    if kind == pa.timestamp("us"):
        values = pa.array([draw.choice(TIMES) for _ in range(count)], pa.int64()).cast(kind)
    elif kind == pa.string() and draw.random() < 0.4:
        offsets = pa.array([0] + [8] * count, pa.int32()).buffers()[1]
        values = pa.StringArray.from_buffers(count, offsets, BAD_TEXT)
    elif pa.types.is_list(kind):
        values = _lists(kind, count, draw)
    else:
        values = pa.array([draw.choice((None, *EXTREMES[str(kind)])) for _ in range(count)], kind)
    return table.set_column(at, table.column_names[at], values)


def _lists(kind: pa.DataType, count: int, draw: Random) -> pa.Array:
    """Lists that are empty, full of nothing, or longer than any run's."""
    long = draw.choice((10, 100_000, 12_000_000))
    inner = pa.nulls(long, kind.value_type)
    offsets = pa.array([0] * count + [long], pa.int32())
    return pa.ListArray.from_arrays(offsets, inner, type=kind)


CHANGES = (_metadata, _rename, _columns, _rows, _retype, _retype, _nested, _nested, _nested, _values, _values, _values)


# --- what comes of them ---


class Taker:
    """Takes files in as the site does, beside one that is whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._con = intake.connect()
        intake.make_tables(self._con)
        self._whole = folder / "whole.parquet"
        self._whole.write_bytes(kinds()[0].raw)
        intake.take_in(self._con, [self._whole])

    def outcome(self, kind: Kind, path: Path, right: pa.Table | None) -> str:
        """`refused`, `identical`, or how it is wrong. `right` is what the file holds."""
        try:
            table, reason = kind.read(path), None
        except Untrusted as error:
            table, reason = None, str(error)
        if kind.form == FORMAT:
            intake.take_in(self._con, [path])
            said = self._con.sql("select reason from raw_damaged where file = $file", params={"file": path.name})
            if said.fetchall() != ([(reason,)] if reason else []):
                return "wrong: the table of damaged files says something else"
            if problem := self._beside(path, table):
                return problem
            intake.forget(self._con, [path.name])
        if reason is not None:
            is_told = reason.strip() and str(self._folder) not in reason
            return "refused" if is_told else f"wrong: the reason is {reason!r}"
        assert right is not None, "a damaged file has no rows to be right"
        return "identical" if _same(table, right) else "wrong: other values"

    def _beside(self, path: Path, table: pa.Table | None) -> str | None:
        """What is wrong with the tables of the database now."""
        counts = dict(self._con.sql("select file, count(*) from raw_facts group by file").fetchall())
        here = {self._whole.name: 7} | ({path.name: len(table)} if table is not None else {})
        return None if counts == here else f"wrong: rows of files {counts}"


def _same(table: pa.Table, right: pa.Table) -> bool:
    known = [name for name in table.column_names if name in right.column_names]
    if known != table.column_names:
        return False
    if not known:
        return len(table) == 0
    # the second where NaN, which differs from itself, is among the values
    return table.equals(right.select(known)) or repr(table.to_pylist()) == repr(right.select(known).to_pylist())


def accident(number: int, taker: Taker, folder: Path) -> str:
    """What comes of a file damaged byte by byte."""
    draw = Random(f"accident {number}")
    kind, other = draw.choice(kinds()), draw.choice(kinds())
    path = folder / f"accident {number}.parquet"
    path.write_bytes(damaged(kind.raw, other.raw, draw))
    its = next((one for one in kinds() if one.raw == path.read_bytes()), kind)
    try:
        return taker.outcome(its, path, whole(its.name))
    finally:
        path.unlink()


def stranger(number: int, taker: Taker, folder: Path, kept: Results | None = None) -> str:
    """What comes of a file that was written in another way; one that is taken is left in the results `kept`."""
    draw = Random(f"stranger {number}")
    kind = draw.choice(kinds())
    path = folder / f"stranger {number}.parquet"
    right = rewritten(kind, draw, path)
    try:
        outcome = taker.outcome(kind, path, right)
        if kept and outcome == "identical":
            path.replace({"grades": kept.grades, "votes": kept.votes}.get(kind.name, kept.runs) / path.name)
        return outcome
    finally:
        path.unlink(missing_ok=True)


@functools.cache
def whole(name: str) -> pa.Table:
    """The table of a kind's file, undamaged; without its signature, which is that file's."""
    kind = next(kind for kind in kinds() if kind.name == name)
    table = pq.ParquetFile(pa.BufferReader(kind.raw)).read()
    told = table.schema.metadata
    return table.replace_schema_metadata({key: told[key] for key in (b"format", b"schema_version")})
