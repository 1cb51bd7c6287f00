"""The small real model with most of its layers left out: the same engine, tokenizer and template, a tenth of the work.

What it writes makes no sense. It is for tests whose subject is the engine, its context, or how a run ends.
"""

import struct
from pathlib import Path
from subprocess import CompletedProcess
from typing import BinaryIO

import pytest

from tests.programs import once, small_model

NAME = "short.gguf"
LAYERS = 2  # of 30
ALIGNMENT = 32
COUNT = b"llama.block_count"
FIXED = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # bytes of a GGUF value by its type
STRING, ARRAY = 8, 9


def short_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shortened model's path; one process of a test run writes it for all."""

    def make(folder: Path) -> "CompletedProcess[str]":
        _shorten(folder / NAME)
        return CompletedProcess([], 0)

    return once("short model", tmp_path_factory, make)[0] / NAME


def _shorten(path: Path) -> None:
    """Write the first layers, and what is of no layer."""
    with small_model().open("rb") as whole:
        magic, version, tensors, values = struct.unpack("<4sIQQ", whole.read(24))
        assert (magic, version) == (b"GGUF", 3)
        facts = b"".join(_value(whole) for _ in range(values))
        infos = [_tensor(whole) for _ in range(tensors)]
        data = _aligned(whole.tell())
        ends = sorted(offset for *_, offset in infos)
        ends.append(small_model().stat().st_size - data)
        kept = [info for info in infos if _layer(info[0]) < LAYERS]
        pieces, told, at = [], b"", 0
        for name, shape, offset in kept:
            whole.seek(data + offset)
            pieces.append(whole.read(ends[ends.index(offset) + 1] - offset))
            told += struct.pack("<Q", len(name)) + name + shape + struct.pack("<Q", at)
            at += len(pieces[-1])
    head = struct.pack("<4sIQQ", magic, version, len(kept), values) + facts + told
    path.write_bytes(head.ljust(_aligned(len(head)), b"\0") + b"".join(pieces))


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _layer(name: bytes) -> int:
    """Which layer a tensor is of; those outside of all layers count as of the first."""
    return int(name.split(b".")[1]) if name.startswith(b"blk.") else 0


def _value(file: BinaryIO) -> bytes:
    """One key and its value, as it stands there, but for the number of layers."""
    begin = file.tell()
    name = _string(file)
    _skip(file, _number(file, "<I"))
    end = file.tell()
    file.seek(begin)
    read = file.read(end - begin)
    return read[:-4] + struct.pack("<I", LAYERS) if name == COUNT else read


def _skip(file: BinaryIO, kind: int) -> None:
    if kind == STRING:
        _string(file)
    elif kind == ARRAY:
        inner, count = _number(file, "<I"), _number(file, "<Q")
        for _ in range(count):
            _skip(file, inner)
    else:
        file.seek(FIXED[kind], 1)


def _tensor(file: BinaryIO) -> tuple[bytes, bytes, int]:
    """Name, shape and type as they stand there, offset in the data."""
    name, dimensions = _string(file), _number(file, "<I")
    shape = struct.pack("<I", dimensions) + file.read(8 * dimensions + 4)
    return name, shape, _number(file, "<Q")


def _string(file: BinaryIO) -> bytes:
    return file.read(_number(file, "<Q"))


def _number(file: BinaryIO, layout: str) -> int:
    [number] = struct.unpack(layout, file.read(struct.calcsize(layout)))
    return int(number)
