"""An OpenAI-compatible server on a free port of this machine; what it answers is scripted."""

import itertools
import json
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from collector.energy.meter import Meter
from collector.run import WARMUP
from tests.conftest import DONE, delta, usage
from tests.programs import PATIENCE_S

Answer = Callable[["Handler"], None]


def stream(*events: bytes, first_s: float = 0, gap_s: float = 0) -> Answer:
    """A whole stream, each event in a piece of its own, the first after so long, each further one so long after it."""

    def answer(handler: "Handler") -> None:
        handler.begin_stream()
        for wait_s, event in zip(itertools.chain([first_s], itertools.repeat(gap_s)), events, strict=False):
            time.sleep(wait_s)
            handler.piece(event)
        handler.wfile.write(b"0\r\n\r\n")

    return answer


def cut(*events: bytes) -> Answer:
    """A stream that breaks off after these events."""

    def answer(handler: "Handler") -> None:
        handler.begin_stream()
        for event in events:
            handler.piece(event)
        handler.hang_up()

    return answer


def whole(status: int, body: Any) -> Answer:
    """A JSON body at once."""
    return lambda handler: handler.whole(status, body)


def hang_up(handler: "Handler") -> None:
    """No answer at all, nor to the same request when it is sent again."""
    handler.loopback.hung_up = not handler.loopback.hung_up
    handler.hang_up()


ONE_TWO = stream(
    delta(role="assistant"), delta(content="one"), delta(content=" two"), delta("stop"), usage(30, 2), DONE
)


class Loopback:
    """The server while it runs. `asked` are the bodies of chat requests, in order; use it as a context manager.

    `script` says how measured requests are answered, counted from 1 (warm-ups are not counted); `otherwise` answers
    all others, `warmup` the warm-ups.
    """

    def __init__(self, base: str = "") -> None:
        self.base = base  # the path below which it answers, and nowhere else
        self.models = ["qwen3-4b-Q4_K_M"]
        self.script: dict[int, Answer] = {}
        self.otherwise: Answer = ONE_TWO
        self.warmup: Answer = ONE_TWO
        self.routes: dict[str, Answer] = {}
        self.asked: list[dict[str, Any]] = []
        self.tokens: set[str | None] = set()  # what was sent as authorization
        self.connections = 0
        self.hung_up = False  # on the request before
        self.surprises: list[str] = []  # exceptions of the server itself
        owner = self

        class Bound(Handler):
            loopback = owner

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                from sys import exc_info

                if not isinstance(exc_info()[1], ConnectionError):  # the client may go whenever it likes
                    owner.surprises.append(repr(exc_info()[1]))

        self._server = Server(("127.0.0.1", 0), Bound)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Loopback":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(timeout=PATIENCE_S)
        self._server.server_close()
        assert self.surprises == []

    @property
    def measured(self) -> list[dict[str, Any]]:
        """The chat requests that are neither a warm-up nor a warm resend."""
        return [body for number, body in enumerate(self.asked) if not self._is_aside(number)]

    @property
    def warm(self) -> list[dict[str, Any]]:
        """The warm resends: the messages of the request before, word for word."""
        return [body for number, body in enumerate(self.asked) if self._is_resend(number)]

    def _is_aside(self, number: int) -> bool:
        return self.asked[number]["messages"][-1]["content"] == WARMUP.text or self._is_resend(number)

    def _is_resend(self, number: int) -> bool:
        before, body = self.asked[number - 1], self.asked[number]
        is_warmup = body["messages"][-1]["content"] == WARMUP.text
        return number > 0 and not is_warmup and before["messages"] == body["messages"]

    def answer_to(self, body: dict[str, Any]) -> Answer:
        """How the chat request that just came is answered."""
        if body["messages"][-1]["content"] == WARMUP.text:
            return self.warmup
        if self._is_resend(len(self.asked) - 1):
            return hang_up if self.hung_up else self.otherwise
        return self.script.get(len(self.measured), self.otherwise)


class NoSampler:
    """Instead of the memory sampler, whose process takes longer to start than these runs take."""

    def watch_tree(self, pid: int) -> None: ...

    def watch_only(self, pids: object) -> None: ...

    def nudge(self) -> None: ...

    def sample_now(self) -> None: ...

    def take(self) -> list[dict[str, Any]]:
        return []

    def close(self) -> None: ...


class NoMeter(Meter):
    """Instead of the energy meter, whatever system this is."""

    def __init__(self) -> None:
        self._process, self._facts = None, {"energy_reason": "not read here"}

    def take(self) -> list[dict[str, int]]:
        return []

    def close(self) -> None: ...


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60  # s, of each wait for the client; only a hung one takes that long
    loopback: Loopback

    def parse_request(self) -> bool:
        is_good = super().parse_request()
        if is_good and self.loopback.base:
            self.path = self.path.removeprefix(self.loopback.base) if self._is_below() else "/elsewhere"
        return is_good

    def _is_below(self) -> bool:
        return self.path.startswith(f"{self.loopback.base}/")

    def setup(self) -> None:
        super().setup()
        self.loopback.connections += 1

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        if self.path in self.loopback.routes:
            self.loopback.routes[self.path](self)
        elif self.path == "/v1/models":
            self.whole(200, {"object": "list", "data": [{"id": name} for name in self.loopback.models]})
        else:
            self.whole(404, {"detail": "Not Found"})

    def do_HEAD(self) -> None:
        if self.path in self.loopback.routes:
            self.loopback.routes[self.path](self)
            return
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v1/chat/completions":
            self.loopback.asked.append(body)
            self.loopback.tokens.add(self.headers["Authorization"])
            self.loopback.answer_to(body)(self)
        else:
            self.whole(404, {"detail": "Not Found"})

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def piece(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def whole(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
