"""Sockets and threads."""

import socket
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.lmstudio.private import PREFIX
from tests.lmstudio.routes import answer
from tests.lmstudio.wire import Call, Refused, Seen, StreamCut

if TYPE_CHECKING:
    from tests.lmstudio.double import Double


class Server(ThreadingHTTPServer):
    """One thread per connection; knows its connections, so that it can drop them."""

    daemon_threads = True

    def __init__(self, double: "Double") -> None:
        self.double = double
        self.connections: set[Any] = set()
        self.bugs: list[BaseException] = []
        super().__init__(("127.0.0.1", double.port), _Handler)

    def end(self) -> None:
        """No longer listen, and drop every connection. Raises what went wrong inside the double."""
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            drop(connection)
        if self.bugs:
            raise self.bugs[0]

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError):  # a client may hang up when it likes
            self.bugs.append(error)


def drop(connection: socket.socket) -> None:
    """End one connection, now."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def _serve(self) -> None:
        double = self.server.double
        call = Call(self, double)
        if not call.path.startswith(PREFIX):
            double.requests.append(Seen(call.method, self.path, call.headers, call.body))
        try:
            answer(call)
        except Refused as refused:
            call.json(refused.body, refused.status)
        except StreamCut as cut:
            self.close_connection = True
            drop(self.connection)
            if cut.and_vanish:
                # In a thread of its own: this one is among the connections that end.
                threading.Thread(target=double.vanish, daemon=True).start()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: `double.requests` has it."""
