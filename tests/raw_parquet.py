"""Parquet files byte by byte: one column of numbers in lists, whose pages and summary say what a test wants."""

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.schema import FORMAT

I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12  # types of Thrift's compact protocol
PLAIN, RLE, DELTA, DICTIONARY = 0, 3, 5, 8  # encodings
DATA, OF_DICTIONARY = 0, 2  # pages


def varint(number: int) -> bytes:
    made = b""
    while number > 127:
        made += bytes([number & 127 | 128])
        number >>= 7
    return made + bytes([number])


def zigzag(number: int) -> bytes:
    return varint((number << 1) ^ (number >> 63))


def text(content: bytes) -> bytes:
    return varint(len(content)) + content


def listed(kind: int, items: list[bytes]) -> bytes:
    return (
        bytes([len(items) << 4 | kind]) if len(items) < 15 else bytes([0xF0 | kind]) + varint(len(items))
    ) + b"".join(items)


def struct_of(*fields: tuple[int, int, bytes]) -> bytes:
    """Fields in order: number, type and value; one may stand there twice."""
    made, last = b"", 0
    for number, kind, value in fields:
        step = number - last
        made += (bytes([step << 4 | kind]) if 0 < step < 16 else bytes([kind]) + zigzag(number)) + value
        last = number
    return made + b"\0"


@dataclass
class Raw:
    """What is said of `values` numbers in one list of one row: all are the first of a dictionary of one number."""

    values: int
    told: int | None = None  # by the summary, of values
    encoding: int = DICTIONARY
    unpacked: int | None = None  # by the page's header, bytes
    entries: int = 1  # by the dictionary's header
    twice: bool = False  # the page says how many values it has twice, the truth second
    column: bytes = b"roundtrip_us"
    metadata: dict[bytes, bytes] = field(default_factory=lambda: {b"format": FORMAT.encode(), b"schema_version": b"5"})

    def write(self, path: Path) -> Path:
        dictionary = struct.pack("<q", 5)
        of_dictionary = self._page(OF_DICTIONARY, len(dictionary), 7, self.entries, PLAIN) + dictionary
        # levels in runs: the first value begins the list, each is there
        repeated = varint(1 << 1) + b"\0" + varint((self.values - 1) << 1) + b"\1"
        there = varint(self.values << 1) + b"\3"
        body = b"".join(struct.pack("<I", len(levels)) + levels for levels in (repeated, there))
        body += b"\1" + varint(self.values << 1) + b"\0"
        data = of_dictionary + self._page(DATA, len(body), 5, self.values, self.encoding) + body
        footer = self._summary(data, 4 + len(of_dictionary))
        path.write_bytes(b"PAR1" + data + footer + struct.pack("<I", len(footer)) + b"PAR1")
        return path

    def _page(self, kind: int, size: int, place: int, values: int, encoding: int) -> bytes:
        unpacked = size if self.unpacked is None or kind == OF_DICTIONARY else self.unpacked
        told: list[tuple[int, int, bytes]] = [(1, I32, zigzag(values)), (2, I32, zigzag(encoding))]
        if kind == DATA:
            told += [(3, I32, zigzag(RLE)), (4, I32, zigzag(RLE))]
            told = [(1, I32, zigzag(10)), *told] if self.twice else told
        sizes = [(1, I32, zigzag(kind)), (2, I32, zigzag(unpacked)), (3, I32, zigzag(size))]
        return struct_of(*sizes, (place, STRUCT, struct_of(*told)))

    def _summary(self, data: bytes, first: int) -> bytes:
        def element(name: bytes, **more: int) -> bytes:
            numbers = {"type": 1, "repetition": 3, "children": 5, "converted": 6}
            fields: list[tuple[int, int, bytes]] = [(4, BINARY, text(name))]
            fields += [(numbers[key], I32, zigzag(value)) for key, value in more.items()]
            return struct_of(*sorted(fields))

        told = self.values if self.told is None else self.told
        path = listed(BINARY, [text(self.column), text(b"list"), text(b"element")])
        size = zigzag(len(data))
        column = struct_of(
            (1, I32, zigzag(2)), (2, LIST, listed(I32, [zigzag(0), zigzag(3), zigzag(8)])), (3, LIST, path),
            (4, I32, zigzag(0)), (5, I64, zigzag(told)), (6, I64, size), (7, I64, size), (9, I64, zigzag(first)),
            (11, I64, zigzag(4)),
        )  # fmt: skip
        chunk = struct_of((2, I64, zigzag(4)), (3, STRUCT, column))
        group = struct_of((1, LIST, listed(STRUCT, [chunk])), (2, I64, size), (3, I64, zigzag(1)))
        tree = [
            element(b"schema", children=1), element(self.column, repetition=1, children=1, converted=3),
            element(b"list", repetition=2, children=1), element(b"element", type=2, repetition=1),
        ]  # fmt: skip
        pairs: list[Any] = [struct_of((1, BINARY, text(k)), (2, BINARY, text(v))) for k, v in self.metadata.items()]
        return struct_of(
            (1, I32, zigzag(2)), (2, LIST, listed(STRUCT, tree)), (3, I64, zigzag(1)),
            (4, LIST, listed(STRUCT, [group])), (5, LIST, listed(STRUCT, pairs)), (6, BINARY, text(b"x")),
        )  # fmt: skip
