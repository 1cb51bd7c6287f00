"""HTTP itself: one call, its answer as JSON or as a stream, and the shapes of errors."""

import json
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.lmstudio.models import Json

if TYPE_CHECKING:
    from tests.lmstudio.double import Double


def compact(body: Any) -> str:
    """JSON as JavaScript writes it."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


class Seen(NamedTuple):
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    json: Any


class Refused(Exception):
    """Answer with this status and body."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(str(body))
        self.status, self.body = status, body


def openai_error(message: str, param: str | None = None, kind: str = "invalid_request_error") -> Json:
    """The error object of /v1 and /api/v0 (§3.8)."""
    return {"error": {"message": message, "type": kind, "param": param, "code": None}}


def v1_error(kind: str, message: str, code: str | None = None, param: str | None = None) -> Json:
    """The error object of /api/v1 (§2.8); `code` and `param` are optional there."""
    more = {name: value for name, value in (("code", code), ("param", param)) if value is not None}
    return {"error": {"type": kind, "message": message, **more}}


class Call:
    """One request being answered."""

    def __init__(self, handler: BaseHTTPRequestHandler, double: "Double") -> None:
        self.handler, self.double = handler, double
        self.method = handler.command
        self.path = handler.path.partition("?")[0]
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        raw = handler.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            self.body = json.loads(raw) if raw else {}
        except ValueError:
            self.body = None  # answered with 400 by whoever needs a body

    def object(self) -> Json:
        """The body, which must be a JSON object."""
        if not isinstance(self.body, dict):
            raise Refused(400, {"error": "Unexpected token in JSON"})
        return self.body

    def json(self, body: Json | list[Any], status: int = 200) -> None:
        """Answer with JSON, as Express does."""
        self._whole(status, "application/json; charset=utf-8", compact(body).encode())

    def html(self, status: int, text: str) -> None:
        """Answer with a page, as Express does when a handler throws."""
        self._whole(status, "text/html; charset=utf-8", text.encode())

    def _whole(self, status: int, kind: str, data: bytes) -> None:
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", kind)
        self.handler.send_header("Content-Length", str(len(data)))
        self.handler.end_headers()
        if self.method != "HEAD":
            self.handler.wfile.write(data)

    def stream(self) -> "Stream":
        """Begin an event stream. Headers go out before the prompt is read [inferred: the notes do not say]."""
        self.handler.send_response(200)
        self.handler.send_header("Content-Type", "text/event-stream")
        self.handler.send_header("Cache-Control", "no-cache")
        self.handler.send_header("Transfer-Encoding", "chunked")
        self.handler.end_headers()
        return Stream(self)


class StreamCut(Exception):
    """The connection is to be dropped, as a test asked."""

    def __init__(self, and_vanish: bool) -> None:
        super().__init__()
        self.and_vanish = and_vanish


class Stream:
    """Events going out, one write each; some of the double's switches act here."""

    def __init__(self, call: Call) -> None:
        self.handler, self.double = call.handler, call.double
        self.cut = self.double.take_cut()
        self.sent = 0

    def send(self, payload: Json, event: str | None = None) -> None:
        """One event. Raises StreamCut."""
        if self.cut and self.sent >= self.cut[0]:
            raise StreamCut(self.cut[1])
        if self.sent == self.double.stall_after:
            self.double.wait(self.double.stall_ms)
        name = f"event: {event}\n" if event else ""
        self._write(f"{name}data: {compact(payload)}\n\n".encode())
        self.sent += 1

    def end(self, done: bool = True) -> None:
        """The `[DONE]` that /v1 has and /api/v1 has not, and the end of the body. Raises StreamCut."""
        if self.cut:
            raise StreamCut(self.cut[1])
        if done:
            self._write(b"data: [DONE]\n\n")
        if self.double.hangs_after_done:
            with suppress(OSError):
                self.handler.rfile.read(1)
            self.handler.close_connection = True
            return
        self.handler.wfile.write(b"0\r\n\r\n")

    def _write(self, data: bytes) -> None:
        pieces = [data]
        if self.double.split_bytes:  # inside the first character of several bytes
            middle = next((place + 1 for place, byte in enumerate(data) if byte > 0x7F), len(data) // 2)
            pieces = [data[:middle], data[middle:]]
        for piece in pieces:
            self.handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.handler.wfile.flush()
