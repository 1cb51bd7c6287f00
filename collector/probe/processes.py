"""Questions on processes: our own beside `ps`, and which of a server's holds the model."""

import os
import struct

import psutil

from collector.memory import engine, macos
from collector.output import output
from collector.probe import Place, Question, Raw, Verdict, compared, lines
from collector.processes import command, looked_into

NAMELESS = (slice(0, 16), slice(80, 96))  # of struct rusage_info_v4: uuid, start and exit
WIRED_SIZE = 56
LAUNCHD = 1
MODEL_BYTES = 4_000_000_000  # what holds more holds a model


def _usage(place: Place) -> Raw:
    buffer = macos.read_usage(os.getpid())
    return {
        "buffer": _without_identity(buffer).hex() if buffer else None,
        "ps_kib": lines(r"\d+", output("ps", "-o", "rss=", "-p", str(os.getpid()))),
    }


def _without_identity(buffer: bytes) -> bytes:
    nameless = bytearray(buffer)
    for span in NAMELESS:
        nameless[span] = bytes(span.stop - span.start)
    return bytes(nameless)


def _judge_usage(raw: Raw) -> Verdict:
    if raw["buffer"] is None:
        return Verdict(None, "proc_pid_rusage cannot be called")
    used = macos.usage(bytes.fromhex(raw["buffer"]))
    resident = int(raw["ps_kib"]) * 1024 if raw["ps_kib"] else None
    agrees, said = compared({"resident": (used.resident, resident)}, 1e6, "MB")
    said = f"{said} (ps); footprint {used.footprint / 1e6:.1f} MB, at most {used.footprint_max / 1e6:.1f} MB"
    return Verdict(agrees and 0 < used.footprint <= used.footprint_max, said)


def _engine(place: Place) -> Raw:
    root = engine.listening_pid(place.port)
    if root is None:
        return {"missing": f"no process of ours listens on port {place.port}"}
    return {"processes": [_seen(pid, root) for pid in engine.tree(root)]}


def _seen(pid: int, root: int) -> Raw:
    buffer = macos.read_usage(pid)
    used = macos.usage(buffer) if buffer else None
    return {
        "is_root": pid == root,
        "parent_is_launchd": looked_into(lambda: psutil.Process(pid).ppid() == LAUNCHD),
        "is_worker": bool(engine.WORKER.search(command(pid))),
        "rss": used.resident if used else None,
        "footprint": used.footprint if used else None,
        "footprint_max": used.footprint_max if used else None,
        "wired": struct.unpack_from("<Q", buffer, WIRED_SIZE)[0] if buffer else None,
    }


def _judge_engine(raw: Raw) -> Verdict:
    """Which process holds a model: seen by a look before a load and one after it, for GGUF and for MLX."""
    found = raw["processes"]
    workers = [one for one in found if one["is_worker"]]
    said = f"{len(found)} processes, {len(workers)} by their command line workers"
    for kind, ones in (("workers", workers), ("all", found)):
        held = {name: sum(one[name] or 0 for one in ones) / 1e9 for name in ("rss", "footprint", "wired")}
        said += f"; {kind}: {', '.join(f'{name} {size:.2f} GB' for name, size in held.items())}"
    root = [one["parent_is_launchd"] for one in found if one["is_root"]]
    said += f"; the root's parent is {'launchd' if root == [True] else 'another process'}; ask again with a model"
    sizes = [one[name] or 0 for one in found for name in ("rss", "footprint", "wired")]
    is_told = bool(workers) or len(found) == 1
    return Verdict(is_told if is_told or max(sizes, default=0) > MODEL_BYTES else None, said)


QUESTIONS = (
    Question("our own memory", _usage, _judge_usage),
    Question("engine's processes", _engine, _judge_engine),
)
