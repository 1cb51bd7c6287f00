"""What is read of a server at most, and for how long. It may be anybody's, and send anything.

A redirect is never followed and nothing is ever decompressed, so that a token stays with the address it is for, and a
small answer stays small.
"""

import ssl
from collections.abc import Iterator

import httpx

from collector.deadline import Clock, Deadline, transport

SILENCE_S = 1800  # normal: a prompt of 100,000 tokens is read for minutes before the first event
ANSWER_S = 6 * 3600  # 10,000 tokens at half a token per second
STREAM_BYTES = 256_000_000  # 131,072 tokens at 2 kB an event
BODY_BYTES = 16_000_000  # anything else: lists of models, errors
STALE_S = 1.0  # a connection that was closed while it lay idle is found so within the way there and back
WITHIN = "within_s"  # in a request's extensions: how long its answer may take, all told; else as long as one silence
AGAIN = "sent_again_at"  # in a request's extensions: when it was sent for the second time, by the transport's clock


class Limited(httpx.BaseTransport):
    """HTTP, or `inner` in its place, whose answers end at these limits. Raises httpx.ReadError, httpx.ReadTimeout."""

    def __init__(self, clock: Clock, verify: ssl.SSLContext | bool = True, inner: httpx.BaseTransport | None = None):
        self._clock, self._deadline = clock, Deadline(clock)
        self._keeps_open = inner is None
        self._inner = inner or transport(self._deadline, verify)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """As the other transport; the answer must be uncompressed, as was asked for."""
        began = self._clock()
        silence_s = request.extensions.get("timeout", {}).get("read") or ANSWER_S
        self._deadline.begin(min(ANSWER_S, request.extensions.get(WITHIN, silence_s)), STREAM_BYTES + BODY_BYTES)
        response = self._sent(request, began)
        if response.headers.get("content-encoding", "identity") != "identity":
            response.close()
            raise httpx.ReadError("the server compressed its answer, though asked not to")
        is_stream = response.headers.get("content-type", "").startswith("text/event-stream")
        assert isinstance(response.stream, httpx.SyncByteStream)
        most = STREAM_BYTES if is_stream else BODY_BYTES
        response.stream = _Capped(response.stream, most)
        return response

    def _sent(self, request: httpx.Request, began: int) -> httpx.Response:
        """The answer; asked for once more where the connection had been kept open, and was closed meanwhile.

        Then no byte of an answer has come, and nobody has read the request (RFC 9112, section 9.3.1).
        """
        is_new = False

        def trace(event: str, _: object) -> None:
            nonlocal is_new
            is_new = is_new or event.startswith("connection.connect")

        request.extensions["trace"] = trace
        try:
            return self._inner.handle_request(request)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            now = self._clock()
            if is_new or now - began > STALE_S * 10**9 or not self._keeps_open:
                raise
            request.extensions[AGAIN] = now
            return self._inner.handle_request(request)

    def close(self) -> None:
        """Close the other transport."""
        self._inner.close()


class _Capped(httpx.SyncByteStream):
    def __init__(self, inner: httpx.SyncByteStream, most: int) -> None:
        self._inner, self._most = inner, most

    def __iter__(self) -> Iterator[bytes]:
        left = self._most
        for piece in self._inner:
            left -= len(piece)
            if left < 0:
                raise httpx.ReadError(f"the server sent more than {self._most // 10**6} MB")
            yield piece

    def close(self) -> None:
        self._inner.close()
