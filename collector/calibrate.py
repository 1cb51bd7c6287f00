"""Measures the client itself against a server of known times, and keeps the result for the runs that follow.

The server says when it really sent each chunk, by the same clock; what the client adds is the difference.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from collector import __version__, children, measure, record
from collector.backends import Facts, Request
from collector.backends.openai_chat import OpenAIChat
from collector.schema import Results

RATES = (50.0, 500.0, 2000.0)  # tokens/s
PER_CHUNK = (1, 4, 8)
SECONDS = 1.0  # a stream, about; at least TOKENS
TOKENS = 80


@dataclass(frozen=True)
class Cell:
    """One rate and bundling: error of decode speed, delay from sent to stamped, its spread, and the client's CPU."""

    rate: float
    per_chunk: int
    tokens: int
    bias_percent: float
    delay_us: float
    jitter_us: float
    cpu_us_per_token: float


def calibrate() -> list[Cell]:
    """Stream every rate at every number of tokens a chunk, once each."""
    cells = []
    with known_server() as url, measure.connect(url) as client:
        _stream(OpenAIChat(client, "known"), 500.0, 1, TOKENS)  # the first request pays for imports and connecting
        for rate in RATES:
            for per_chunk in PER_CHUNK:
                tokens = max(TOKENS, int(rate * SECONDS)) // 8 * 8
                cells.append(_stream(OpenAIChat(client, "known"), rate, per_chunk, tokens))
    return cells


def _stream(backend: OpenAIChat, rate: float, per_chunk: int, tokens: int) -> Cell:
    body = {"known": {"rate": rate, "per_chunk": per_chunk, "tokens": tokens}}
    seen = measure.exchange(backend.client, Request("/v1/chat/completions", body), backend.parse)
    sent = json.loads(str(seen.facts["system_fingerprint"]))
    stamped = [seen.sent_at + arrived for arrived, _, text in seen.arrivals if text]
    delays = [(at - left) / 1000 for at, left in zip(stamped, sent, strict=True)]
    # what the views make of the row: tokens after the first chunk by the time from first to last text
    row = record.of_exchange(seen)
    ours = (tokens - per_chunk) / (row["last_text_ns"] - row["first_text_ns"])
    true = (tokens - per_chunk) / (sent[-1] - sent[0])
    return Cell(
        rate,
        per_chunk,
        tokens,
        bias_percent=100 * (ours / true - 1),
        delay_us=statistics.median(delays),
        jitter_us=statistics.pstdev(delays),
        cpu_us_per_token=(seen.cpu_ns or 0) / 1000 / tokens,
    )


def keep(results: Results, cells: list[Cell]) -> Facts:
    """Store the medians for the runs that follow on this machine; returns them as run columns."""
    facts: Facts = {
        "client_calibrated_at": measure.utc_now().isoformat(timespec="seconds"),
        "client_bias_percent": statistics.median(cell.bias_percent for cell in cells),
        "client_jitter_us": statistics.median(cell.jitter_us for cell in cells),
        "client_event_delay_us": statistics.median(cell.delay_us for cell in cells),
        "client_cpu_us_per_token": statistics.median(cell.cpu_us_per_token for cell in cells),
    }
    results.calibration.parent.mkdir(parents=True, exist_ok=True)
    results.calibration.write_text(json.dumps({"collector_version": __version__, **facts}) + "\n", encoding="utf-8")
    return facts


def last(results: Results) -> Facts:
    """The run columns of the latest calibration; none of another version's, nor of a file that cannot be read."""
    try:
        kept = json.loads(results.calibration.read_text(encoding="utf-8"))
        if kept.pop("collector_version") != __version__:
            return {}
        kept["client_calibrated_at"] = datetime.fromisoformat(kept["client_calibrated_at"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {name: value for name, value in kept.items() if name.startswith("client_")}


@contextmanager
def known_server() -> Iterator[str]:
    """The server of known times in a process of its own; its address."""
    command = [sys.executable, "-m", "collector.known_server"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=children.environment()
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
