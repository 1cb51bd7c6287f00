"""Which processes hold the model.

LM Studio's tree also holds its window, helpers and connectors. The model is in a `llama-server` child (GGUF) or in a
`node` worker (MLX, and older GGUF engines), so the name alone does not tell: what grew while loading does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from collector.memory import readings

GROWN_SHARE = 0.05  # of the weights' size: what gained or holds more is where the model went
WORKER = re.compile(r"llmworker\.js|/llama-server\b|mlx_engine|extensions/backends/")
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
    for process in psutil.process_iter():
        try:
            sockets = process.net_connections(kind="tcp")
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        if any(s.status == psutil.CONN_LISTEN and s.laddr.port == port for s in sockets):
            return int(process.pid)
    return None


def tree(pid: int) -> list[int]:
    """The process and all its descendants that still live."""
    try:
        root = psutil.Process(pid)
        return [root.pid, *(child.pid for child in root.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def sizes(pid: int) -> dict[int, int]:
    """Bytes held by each process of a tree: the larger of what the system calls resident and footprint."""
    read = {member: readings.of_process(member) for member in tree(pid)}
    return {
        member: max((size for name, size in part.items() if name != "footprint_max_bytes"), default=0)
        for member, part in read.items()
        if part
    }


def find(root: int, before: Sizes | None, file_bytes: int | None, load_began: float | None) -> Engine | None:
    """The engine in the tree of `root`, once the model is loaded; None if there is nothing to see.

    `before`: the same tree's sizes before the load, and `load_began` in Unix seconds; None where it was loaded before.
    """
    now = sizes(root)
    if not now:
        return None
    chosen, found_by = _choose(now, before, file_bytes)
    return Engine(frozenset(chosen), found_by, None if load_began is None else _started_after(chosen, load_began))


def _choose(now: Sizes, before: Sizes | None, file_bytes: int | None) -> tuple[list[int], str]:
    enough = GROWN_SHARE * file_bytes if file_bytes else None
    if before is not None and enough is not None:
        grown = [pid for pid, size in now.items() if size - before.get(pid, 0) > enough]
        if grown:
            return grown, "grown while loading"
    workers = [pid for pid in now if WORKER.search(_command(pid))]
    if workers:
        return workers, "command line"
    large = [pid for pid, size in now.items() if enough is not None and size > enough]
    return (large, "size") if large else (list(now), "whole tree")


def _command(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def _started_after(pids: list[int], moment: float) -> bool | None:
    try:
        return all(psutil.Process(pid).create_time() >= moment - STARTED_S for pid in pids)
    except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
        return None
