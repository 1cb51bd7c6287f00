"""Which processes hold the model.

LM Studio's tree also holds its window, helpers and connectors. The model is in a `llama-server` child (GGUF) or in a
`node` worker (MLX, and older GGUF engines), so the name alone does not tell: what grew while loading does.
"""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from collector import processes
from collector.memory import readings
from collector.processes import looked_into

GROWN_SHARE = 0.05  # of the weights' size: what gained or holds more is where the model went
WORKER = re.compile(r"llmworker\.js|/llama-server\b|mlx_engine|extensions/backends/")
LMSTUDIO = re.compile(r"/LM Studio\.app/|/Bionic\.app/|\bllmster\b|/\.lmstudio/|/lm-studio/")
STARTED_S = 1.0  # start times are known to about this

Sizes = Mapping[int, int]


@dataclass(frozen=True)
class Engine:
    """The processes of the model, how they were told from others, and whether this load started each of them."""

    pids: frozenset[int]
    found_by: str
    is_new: bool | None


def listening_pid(port: int) -> int | None:
    """The process of ours that listens on `port`; None when there is none we may look into."""
    for process in processes.every():
        sockets = looked_into(lambda of=process: of.net_connections(kind="tcp")) or []  # type: ignore[misc]
        if any(s.status == psutil.CONN_LISTEN and s.laddr.port == port for s in sockets):
            return _top(int(process.pid))
    return None


def _top(pid: int) -> int:
    """The topmost of LM Studio's processes above this one: a helper may listen whose siblings hold the model."""
    parents = looked_into(lambda: [int(parent.pid) for parent in psutil.Process(pid).parents()]) or []
    own = itertools.takewhile(lambda parent: LMSTUDIO.search(processes.command(parent)), parents)
    return [pid, *own][-1]


def tree(pid: int) -> list[int]:
    """The process and all its descendants that still live; nothing where that cannot be seen."""
    root = looked_into(lambda: psutil.Process(pid))
    below = looked_into(lambda: root.children(recursive=True)) if root else None
    return [] if root is None or below is None else [root.pid, *(child.pid for child in below)]


def sizes(pid: int) -> dict[int, int]:
    """Bytes held by each process of a tree: the larger of what the system calls resident and footprint."""
    read = {member: readings.of_process(member) for member in tree(pid)}
    return {
        member: max((size for name, size in part.items() if name != "footprint_max_bytes"), default=0)
        for member, part in read.items()
        if part
    }


def find(root: int, before: Sizes | None, file_bytes: int | None, load_began: float | None) -> Engine | None:
    """The engine in the tree of `root`, once the model is loaded; None if nothing tells it from the others there.

    `before`: the same tree's sizes before the load, and `load_began` in Unix seconds; None where it was loaded before.
    """
    now = sizes(root)
    if not now:
        return None
    chosen, found_by = _choose(now, before, file_bytes)
    if not chosen:
        return None
    return Engine(frozenset(chosen), found_by, None if load_began is None else _started_after(chosen, load_began))


def _choose(now: Sizes, before: Sizes | None, file_bytes: int | None) -> tuple[list[int], str]:
    enough = GROWN_SHARE * file_bytes if file_bytes else None
    if before is not None and enough is not None:
        grown = [pid for pid, size in now.items() if size - before.get(pid, 0) > enough]
        if grown:
            return grown, "grown while loading"
    workers = [pid for pid in now if WORKER.search(processes.command(pid))]
    if workers:
        return workers, "command line"
    large = [pid for pid, size in now.items() if enough is not None and size > enough]
    if large:
        return large, "size"
    return (list(now) if len(now) == 1 else []), "whole tree"


def _started_after(pids: list[int], moment: float) -> bool | None:
    return looked_into(lambda: all(psutil.Process(pid).create_time() >= moment - STARTED_S for pid in pids))
