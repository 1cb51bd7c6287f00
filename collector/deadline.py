"""One deadline, and one bound of bytes, for a whole exchange: from connecting to the last trailer.

The timeouts of an HTTP client are for one read. A server that sends a byte of a header, of a chunk's extension or of a
trailer now and then, or interim answers without end, is never silent and never done; none of that reaches whoever reads
the answer's body. So the network itself is watched, below HTTP.
"""

import functools
import ssl
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
import httpx

Clock = Callable[[], int]


class Deadline:
    """When the exchange in progress must be over, and how much may still come of it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until_ns = 0
        self._seconds = 0.0
        self._left = self._most = 0

    def begin(self, seconds: float, most_bytes: int) -> None:
        """A new exchange."""
        self._seconds, self._until_ns = seconds, self._clock() + int(seconds * 1e9)
        self._left = self._most = most_bytes

    def wait_s(self, asked: float | None) -> float:
        """How long a single wait may last, of which so much was asked. Raises httpcore.ReadTimeout."""
        left = (self._until_ns - self._clock()) / 1e9
        if left <= 0:
            raise httpcore.ReadTimeout(f"the answer took longer than {self._seconds:.0f} s")
        return left if asked is None else min(left, asked)

    def take(self, count: int) -> None:
        """So many bytes have come. Raises httpcore.ReadError."""
        self._left -= count
        if self._left < 0:
            raise httpcore.ReadError(f"the server sent more than {self._most // 10**6} MB")


def transport(deadline: Deadline, verify: ssl.SSLContext | bool) -> httpx.HTTPTransport:
    """HTTP over a network that keeps this deadline."""
    made = httpx.HTTPTransport(verify=_usual() if verify is True else verify, trust_env=False)
    # httpx takes no backend of its own accord; httpcore's pool does
    made._pool._network_backend = _Network(made._pool._network_backend, deadline)
    return made


@functools.cache
def _usual() -> ssl.SSLContext:
    """Trust in the usual certificates, read once: a client for each would read their 300 kB for 20 ms each time."""
    return httpx.create_ssl_context(trust_env=False)


class _Network(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        wait = self._deadline.wait_s(timeout)
        return _Stream(self._inner.connect_tcp(host, port, wait, local_address, socket_options), self._deadline)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            data = self._inner.read(max_bytes, self._deadline.wait_s(timeout))
        except httpcore.ReadTimeout:
            self._deadline.wait_s(timeout)  # says so where the deadline was the nearer of the two
            raise
        self._deadline.take(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.wait_s(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        wait = self._deadline.wait_s(timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, wait), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
