"""Which formula finds the true rate? A server of known times, tokens in chunks, and the formulas in use elsewhere.

Ours is the view `request_speed` over a stored run. With real Chinese token lengths, where a chunk's characters only
estimate its tokens, the error of that estimate stands beside it.
"""

import argparse
import json
import random
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx

from collector import calibrate, measure, record, store
from collector.backends import Facts, Request
from collector.backends.openai_chat import OpenAIChat
from collector.haystack import passages
from collector.schema import Results
from scripts.benches._engine import engine
from site_src.warehouse import Warehouse

RATE = 50.0
ROWS = ((100, 1), (500, 1), (100, 4), (100, 8), (20, 4), (8, 4))
LENGTHS = (64, 256)  # tokens of an answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="every rate of the calibration too, and more answers")
    full = parser.parse_args().full
    rates = (RATE, *(calibrate.RATES[1:] if full else ()))
    rows = [streamed(rate, tokens, per_chunk) for rate in rates for tokens, per_chunk in ROWS]
    ours = by_views(rows)
    print("timing: true rate and what each formula finds, in tokens/s\n")
    print("  rate     n   k   (n-1)/d  n/(end-first)  n/(end-t0)  chunks-1      ours")
    for row, (tps, reason) in zip(rows, ours, strict=True):
        print(line(row) + (f" {tps:9.2f}  {100 * (tps / row['true'] - 1):+.3f} %" if tps else f"      NULL  {reason}"))
    print(
        "\nerror of ours with real Chinese token lengths, %: tokens a chunk, tokens an answer, median |error|, largest"
    )
    for per_chunk, length, errors in chinese(400 if full else 100):
        sizes = [abs(error) for error in errors]
        print(f"{per_chunk:>4} {length:>6} {statistics.median(sizes):9.3f} {max(sizes):9.3f}   n = {len(errors)}")


def streamed(rate: float, tokens: int, per_chunk: int) -> Facts:
    """One stream: its operation row, with the true rate and what made it."""
    whole = tokens // per_chunk * per_chunk
    with calibrate.known_server() as url, measure.connect(url) as client:
        body = {"known": {"rate": rate, "per_chunk": per_chunk, "tokens": whole}}
        backend = OpenAIChat(client, "known")
        seen = measure.exchange(client, Request("/v1/chat/completions", body), backend.parse)
    sent = json.loads(str(seen.facts.pop("system_fingerprint")))
    true = (whole - per_chunk) * 1e9 / (sent[-1] - sent[0]) if len(sent) > 1 else rate
    return {**record.of_exchange(seen), "n": whole, "k": per_chunk, "rate": rate, "true": true}


def by_views(rows: list[Facts]) -> list[tuple[float | None, str | None]]:
    """What the site would say of these streams."""
    kept = [
        {**{name: value for name, value in row.items() if name not in ("n", "k", "rate", "true")}, "op": "request"}
        | {"op_index": number, "prompt_id": f"p{number}", "prompt_sha256": f"p{number}", "repeat": 1}
        for number, row in enumerate(rows)
    ]
    with tempfile.TemporaryDirectory() as folder:
        results = Results(Path(folder))
        store.write(results, {"run_id": "0" * 12, "run_started_at": measure.utc_now(), "run_state": "complete"}, kept)
        told = Warehouse(results).rows("select decode_tps, decode_reason from request_speed order by op_index")
    return [(row["decode_tps"], row["decode_reason"]) for row in told]


def line(row: Facts) -> str:
    """The other formulas."""
    n, k, first, last, done = row["n"], row["k"], row["first_text_ns"], row["last_text_ns"], row["done_ns"]
    chunks = len([chunk for chunk in row["chunks"] if chunk["chars"]])
    found = ((n - 1) / (last - first), n / (done - first), n / done, (chunks - 1) / (last - first))
    a, b, c, d = (1e9 * value for value in found)
    return f"{row['rate']:>6.0f} {n:>5} {k:>3} {a:>9.2f} {b:>14.2f} {c:>11.2f} {d:>9.2f}"


def chinese(count: int) -> Iterator[tuple[int, int, list[float]]]:
    """Errors of the rate in percent: tokens of the first chunk are estimated by its share of characters."""
    chance = random.Random(4)
    with engine(2048) as served:
        texts = chance.sample(passages(), 60)
        pieces = [piece for text in texts for piece in tokens_of(served.url, text)]
    for per_chunk in calibrate.PER_CHUNK:
        for length in LENGTHS:
            errors = []
            for _ in range(count):
                start = chance.randrange(len(pieces) - length)
                errors.append(error_of(pieces[start : start + length], per_chunk))
            yield per_chunk, length, errors


def tokens_of(url: str, text: str) -> list[bytes]:
    """The bytes of each token, by the engine's own tokenizer; a character may take several."""
    told = httpx.post(f"{url}/tokenize", json={"content": text, "with_pieces": True}, trust_env=False).json()["tokens"]
    return [token["piece"].encode() if isinstance(token["piece"], str) else bytes(token["piece"]) for token in told]


def error_of(pieces: list[bytes], per_chunk: int) -> float:
    """As the view does it: whole characters flush, the first chunk's tokens are n · chars(first) / chars(all)."""
    chunks, held, tokens = [], b"", 0
    for number, piece in enumerate(pieces, 1):
        held, tokens = held + piece, tokens + 1
        if number % per_chunk and number < len(pieces):
            continue
        try:
            text = held.decode()
        except UnicodeDecodeError:  # a character is not whole yet; what stays cut at the start is shown as one mark
            if number < len(pieces) and len(held) < 4 * per_chunk + 4:
                continue
            text = held.decode(errors="replace")
        chunks.append((len(text), tokens))
        held, tokens = b"", 0
    n = len(pieces)
    estimated = 1 if len(chunks) >= 0.9 * n else n * chunks[0][0] / sum(chars for chars, _ in chunks)
    return 100 * ((n - estimated) / (n - chunks[0][1]) - 1)


if __name__ == "__main__":
    main()
