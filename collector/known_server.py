"""A server of known times, to measure the client with: `python -m collector.known_server`.

Each chat request asks by its `known` field for a rate and for tokens per chunk. The answer is streamed at exactly
those times, and the usage chunk at the end says when each chunk was really sent, by the clock that the client uses too.
Prints its port when it listens; ends when its standard input closes.
"""

import json
import socket
import sys
import threading
from typing import Any

from collector.measure import clock, sleep

PREFILL_S = 0.05
CLOSE_NS = 2_000_000  # before a deadline: from here on it looks at the clock instead of sleeping


def main() -> None:
    """Serve one connection after the other."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        threading.Thread(target=_serve, args=(listener,), daemon=True).start()
        sys.stdin.read()


def _serve(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as incoming:
            while (body := _request(incoming)) is not None:
                _answer(connection, json.loads(body)["known"])


def _request(incoming: Any) -> bytes | None:
    length, line = 0, incoming.readline()
    if not line:
        return None
    while line.strip():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        line = incoming.readline()
    body: bytes = incoming.read(length)
    return body


def _answer(connection: socket.socket, known: dict[str, Any]) -> None:
    """Chunk i is sent when its last token would be ready: the first after the prefill, the others at the rate."""
    tokens, per_chunk, rate = int(known["tokens"]), int(known["per_chunk"]), float(known["rate"])
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.sendall(head.encode())
    sent, began = [], clock() + int(PREFILL_S * 1e9)
    for last in range(per_chunk, tokens + 1, per_chunk):
        piece = _event({"choices": [{"index": 0, "delta": {"content": "word " * per_chunk}}]})
        wait_until(began + int((last - per_chunk) / rate * 1e9))
        sent.append(clock())
        connection.sendall(piece)
    usage = {"prompt_tokens": 8, "completion_tokens": tokens}
    connection.sendall(_event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
    connection.sendall(_event({"choices": [], "usage": usage, "system_fingerprint": json.dumps(sent)}))
    connection.sendall(_chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")


def _event(payload: dict[str, Any]) -> bytes:
    return _chunk(f"data: {json.dumps(payload)}\n\n".encode())


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def wait_until(moment: int) -> None:
    """Sleep most of the way, and watch the clock for the rest: sleeping alone is late by some 0.1 ms."""
    while (left := moment - clock()) > CLOSE_NS:
        sleep((left - CLOSE_NS) / 1e9)
    while clock() < moment:
        pass


if __name__ == "__main__":
    main()
