"""The least a client can do: a socket, a request, and the clock when the first text has arrived."""

import json
import re
import socket
import time
from typing import Any
from urllib.parse import urlparse

TEXT = re.compile(rb'"content":"[^"]')


def ttft_ms(url: str, body: dict[str, Any]) -> float:
    """Sent to first text, ms; the answer is read to its end."""
    place = urlparse(url)
    payload = json.dumps(body).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: bare\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    with socket.create_connection((str(place.hostname), place.port or 80)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began, first, seen = time.perf_counter(), None, b""
        connection.sendall(head.encode() + payload)
        while piece := connection.recv(65536):
            now = time.perf_counter()
            seen += piece
            if first is None and TEXT.search(seen):
                first = now
    if first is None:
        raise RuntimeError("no text came")
    return 1000 * (first - began)
