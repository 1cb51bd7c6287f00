"""The characters of a request's chunks are those of its text."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from collector.commands._checks import File, Found

HAPPENED = "The characters of its chunks are not those of its text:"
REMEDY = "Take the file again from where it was made; none is ever edited."
TEXTS = {"answer": "output_text", "reasoning": "reasoning_text"}


def find(file: File) -> Iterator[Found]:
    """Texts, by row, of another length than their chunks have together."""
    if file.kind != "runs" or not {"chunks", *TEXTS.values()} <= set(file.table.column_names):
        return
    lists = file.table["chunks"].combine_chunks()
    chunks = pc.list_flatten(lists)
    told = pa.table(
        {"row": pc.list_parent_indices(lists), "kind": chunks.field("kind"), "chars": chunks.field("chars")}
    )
    summed = told.group_by(["row", "kind"]).aggregate([("chars", "sum")]).to_pylist()
    counts = {(one["row"], one["kind"]): one["chars_sum"] or 0 for one in summed}
    for kind, name in TEXTS.items():
        lengths = pc.fill_null(pc.utf8_length(file.table[name]), 0).to_pylist()
        for row, length in enumerate(lengths):
            count = counts.get((row, kind), 0)
            # a character beyond the first 65,536 may have come in two halves
            if count != length and not (length < count <= _halves(file, name, row)):
                yield Found(name, f"{length:,} characters, by its chunks {count:,}", row)


def _halves(file: File, name: str, row: int) -> int:
    return len((file.table[name][row].as_py() or "").encode("utf-16-le")) // 2
