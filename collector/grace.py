"""How long a connection is kept for what may follow a finished answer: a token count, `[DONE]`, the end of the body.

Reading waits within the operating system, so it is another thread that shuts the socket when time is over.
"""

import socket
import threading
from contextlib import suppress

import httpx

COUNT_S = 5.0  # after a finish reason: the count and `[DONE]` may follow
END_S = 1.0  # after `[DONE]`: only the end of the body, so that the connection can be used again


class Grace:
    """Shuts a response's connection once its grace is over; until then it may be called off."""

    def __init__(self, response: httpx.Response) -> None:
        stream = response.extensions.get("network_stream")
        self._socket: socket.socket | None = stream.get_extra_info("socket") if stream else None
        self._timer: threading.Timer | None = None
        self.is_over = False

    def begin(self, is_done: bool = False) -> None:
        """From now on `COUNT_S`, or `END_S` where the stream `is_done`, whatever was given before."""
        self.call_off()
        self._timer = threading.Timer(END_S if is_done else COUNT_S, self._shut)
        self._timer.daemon = True
        self._timer.start()

    def call_off(self) -> None:
        """More of the answer has come, or all of it; again is harmless."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    @property
    def is_running(self) -> bool:
        """Whether the end is near."""
        return self._timer is not None

    def _shut(self) -> None:
        self.is_over = True
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # of TLS too, without a farewell
