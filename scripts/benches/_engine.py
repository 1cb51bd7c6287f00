"""A real llama.cpp server on one thread, and what its log says of each request: the truth for clients."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from collector.embedded_model import small_model

PROMPT = re.compile(r"prompt eval time =\s*([\d.]+) ms /\s*(\d+) tokens")
DECODE = re.compile(
    r"\beval time =\s*([\d.]+) ms /\s*(\d+) tokens \(\s*[\d.]+ ms per token,\s*([\d.]+) tokens per second"
)


@dataclass(frozen=True)
class Truth:
    """One request, by the server: prompt tokens it computed (cached ones not), and its times."""

    prompt_ms: float
    prompt_tokens: int
    decode_tokens: int
    decode_tps: float


class Engine:
    """The running server."""

    def __init__(self, url: str, pid: int, log: Path) -> None:
        self.url, self.pid, self._log = url, pid, log
        self._read_to = 0

    def truths(self) -> list[Truth]:
        """Requests finished since the last call, oldest first."""
        text = self._log.read_text(encoding="utf-8", errors="replace")
        new, self._read_to = text[self._read_to :], len(text)
        prompts = [(float(ms), int(n)) for ms, n in PROMPT.findall(new)]
        decodes = [(int(n), float(tps)) for _, n, tps in DECODE.findall(re.sub(r"prompt eval time.*", "", new))]
        return [Truth(ms, n, m, tps) for (ms, n), (m, tps) in zip(prompts, decodes, strict=True)]


def separate(engine: int) -> None:
    """Put this process and its children on the last core and the engine on the others, where that can be."""
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        return
    allowed = os.sched_getaffinity(0)
    client = {max(allowed)}
    for thread in psutil.Process(engine).threads():
        os.sched_setaffinity(thread.id, allowed - client)
    os.sched_setaffinity(0, client)


@contextmanager
def engine(context: int = 8192) -> Iterator[Engine]:
    """The embedded engine, as `collect --embedded` starts it, with its log kept."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "collector.embedded_server", str(small_model()), str(context)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
            assert process.stdin is not None and process.stdout is not None
            try:
                url = process.stdout.readline().strip()
                separate(process.pid)
                yield Engine(url, process.pid, log)
            finally:
                process.stdin.close()
                process.wait()
                process.stdout.close()
