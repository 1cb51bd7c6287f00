"""The pages of one part of a Parquet file by their own headers, which stand in Thrift's compact protocol.

Only what decides how much memory a page takes is read. Whatever two readers could understand in two ways (a field
twice, or of another type) is refused.
"""

import struct
from typing import NamedTuple

import pyarrow as pa

DATA, INDEX, DICTIONARY, DATA_V2 = range(4)  # types of pages
I32, STRUCT = 5, 12  # types of fields
TYPE, SIZE, STORED, V1, OF_DICTIONARY, V2 = 1, 2, 3, 5, 7, 8  # fields of a header, by number
DEEPEST = 8
CODECS = {"ZSTD": "zstd", "SNAPPY": "snappy", "GZIP": "gzip", "BROTLI": "brotli", "LZ4_RAW": "lz4_raw"}


class Page(NamedTuple):
    """What a page says it unpacks to: `size` bytes, which hold so many values; and `stored`, how it stands there."""

    is_dictionary: bool
    value_count: int
    encoding: int
    size: int
    stored: memoryview

    def longest(self, codec: str) -> int:
        """Bytes of the longest text of a dictionary; at most what the page unpacks to. Raises ValueError."""
        if self.value_count * self.size < 1 << 16 or codec not in CODECS | {"UNCOMPRESSED": ""}:
            return self.size
        if codec == "UNCOMPRESSED":
            texts = bytes(self.stored)
        else:
            try:
                texts = pa.decompress(self.stored, self.size, CODECS[codec], asbytes=True)
            except (pa.ArrowException, OSError):
                raise ValueError("a dictionary of it cannot be unpacked") from None
        longest = at = 0
        for _ in range(self.value_count):
            if at + 4 > len(texts):
                raise ValueError("a dictionary of it ends too early")
            [length] = struct.unpack_from("<I", texts, at)
            longest, at = max(longest, length), at + 4 + length
        return min(longest, self.size)


def pages(data: bytes, begin: int, size: int) -> list[Page]:
    """The pages in these bytes of a file. Raises ValueError."""
    view, at, end, found = memoryview(data), begin, begin + size, []
    if begin < 0 or size < 0 or end > len(data):
        raise ValueError("a part of it lies outside of it")
    while at < end:
        try:
            header, at = _struct(data, at, end, 0)
        except (IndexError, struct.error):
            raise ValueError("a page of it has no whole header") from None
        kind, unpacked, stored = (_number(header, field) for field in (TYPE, SIZE, STORED))
        if stored > end - at:
            raise ValueError("a page of it ends outside of it")
        if kind != INDEX:
            found.append(_page(kind, header, unpacked, view[at : at + stored]))
        at += stored
    return found


def _page(kind: int, header: "Fields", unpacked: int, stored: memoryview) -> Page:
    fields = {DATA: (V1, 2), DICTIONARY: (OF_DICTIONARY, 2), DATA_V2: (V2, 4)}
    if kind not in fields:
        raise ValueError("a page of it is of an unknown kind")
    place, encoding = fields[kind]
    own = header.get(place, (0, 0))[1]
    if not isinstance(own, dict):
        raise ValueError("a page of it does not say what it holds")
    return Page(kind == DICTIONARY, _number(own, 1), _number(own, encoding), unpacked, stored)


Fields = dict[int, tuple[int, "int | Fields"]]  # number of a field: its type and value


def _number(fields: Fields, place: int) -> int:
    kind, value = fields.get(place, (0, -1))
    if kind != I32 or not isinstance(value, int) or not 0 <= value < 1 << 31:
        raise ValueError("a page of it does not say what it holds")
    return value


def _struct(data: bytes, at: int, end: int, depth: int) -> tuple[Fields, int]:
    """Fields of a struct up to its end, and where that is. Raises IndexError where it is outside."""
    fields: Fields = {}
    last = 0
    while at < end:
        byte = data[at]
        at += 1
        if byte == 0:
            return fields, at
        kind = byte & 15
        if byte >> 4:
            last += byte >> 4
        else:
            number, at = _varint(data, at, end)
            last = (number >> 1) ^ -(number & 1)
        if last in fields:
            raise ValueError("a page of it says a thing twice")
        if kind == I32 and at < end and data[at] < 128 and depth <= DEEPEST:  # nearly all are, and calls take longest
            value: int | Fields = (data[at] >> 1) ^ -(data[at] & 1)
            at += 1
        else:
            value, at = _value(data, at, end, kind, depth)
        fields[last] = kind, value
    raise IndexError


def _value(data: bytes, at: int, end: int, kind: int, depth: int) -> "tuple[int | Fields, int]":
    if depth > DEEPEST:
        raise ValueError("a page's header of it is too deep")
    if kind in (1, 2):  # a truth, told by its type
        return 2 - kind, at
    if kind == 3:  # a byte
        return data[at], at + 1
    if kind in (4, I32, 6):
        number, at = _varint(data, at, end)
        return (number >> 1) ^ -(number & 1), at
    if kind == 7:  # a double
        return 0, at + 8
    if kind == 8:  # bytes
        length, at = _varint(data, at, end)
        return 0, at + length
    if kind == STRUCT:
        return _struct(data, at, end, depth + 1)
    raise ValueError("a page's header of it holds what none does")


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    number = shift = 0
    while shift < 64 and at < end:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
    raise IndexError
