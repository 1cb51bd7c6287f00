"""Columns that hold one of a few words hold one of those."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from collector.commands._checks import File, Found
from collector.energy import COUNTERS, ELSEWHERE, ioreport, meter, rapl
from collector.schema import OPERATIONS
from site_src.leaves import leaves

HAPPENED = "It holds a word that the collector never writes there:"
REMEDY = "Update this clone if a newer collector wrote it; otherwise take the file again from where it was made."
KNOWN: dict[str, tuple[str, ...]] = {
    "op": OPERATIONS,
    "run_state": ("complete", "interrupted"),
    "server_place": ("local", "lan", "remote"),
    "preflight.verdict": ("pass", "warn", "fail", "unknown"),
    "chunks.kind": ("reasoning", "answer", "other"),
    "energy_source": (ioreport.IOReport.name, rapl.Rapl.name),
    "energy_reason": (rapl.NONE, rapl.ROOT_ONLY, ioreport.NO_LIBRARY, ioreport.NO_CHANNELS, meter.SILENT, ELSEWHERE),
    "energy_channels.rail": COUNTERS,
    "tier": ("Q0", "Q1", "Q2"),
    "shown_first": ("a", "b"),
    "choice": ("a", "b", "tie", "both bad"),
}
REQUIRED = ("op", "run_state")


def find(file: File) -> Iterator[Found]:
    """Other words than those, each once, and rows without one where there must be one."""
    for leaf in leaves(file.table):
        if leaf.name in KNOWN:
            name, values = leaf.name, leaf.values
            known = pa.array([*KNOWN[name], *([] if name in REQUIRED else [None])], pa.string())
            wrong = pc.invert(pc.is_in(values, value_set=known))
            found = zip(values.filter(wrong).to_pylist(), leaf.rows.filter(wrong).to_pylist(), strict=True)
            yield from (Found(name, "none" if value is None else value, row) for value, row in found)
