"""A file's own metadata: what a tool wrote there may be about the machine that it ran on."""

from collections.abc import Iterator

import pyarrow.parquet as pq

from collector import signing
from collector.commands._checks import FETCH, File, Found

HAPPENED = "It carries metadata that the collector does not write:"
REMEDY = FETCH
KEYS = {b"format", b"schema_version", b"ARROW:schema", signing.SIGNED_BY.encode(), signing.SIGNATURE.encode()}


def find(file: File) -> Iterator[Found]:
    """Keys of the file's metadata that no collector writes."""
    for key in sorted(set(pq.ParquetFile(file.path).metadata.metadata or {}) - KEYS):
        yield Found(key.decode(errors="replace"))
