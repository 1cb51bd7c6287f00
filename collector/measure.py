"""The clock. Nothing else in the project reads it.

Times are `perf_counter_ns`: monotonic, whatever is done to the wall clock, and on Linux and macOS the same for all
processes, so that samples taken by another process line up with requests. It stands still while the machine sleeps;
what another clock counts meanwhile shows that it slept.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from collector.backends import Event, Facts, Request
from collector.ending import Ending
from collector.limits import SILENCE_S, Limited
from collector.sse import Events, EventTooLong

Clock = Callable[[], int]
clock: Clock = time.perf_counter_ns
Arrival = tuple[int, str, str]  # ns since sending, kind, text

SHOWN = 2000  # characters that are kept of what was said of a failure


def patient(seconds: float) -> httpx.Timeout:
    """Timeouts that bear a silence of so many seconds."""
    return httpx.Timeout(connect=10, read=seconds, write=60, pool=10)


TIMEOUT = patient(SILENCE_S)


# The clock that counts on while the machine sleeps; macOS's of this name does, Linux's does not.
SLEEPLESS = time.CLOCK_MONOTONIC_RAW if sys.platform == "darwin" else time.CLOCK_BOOTTIME


def asleep() -> int:
    """Ns that the machine has slept, up to a constant: the difference of two is what it slept in between."""
    # a pause between the two readings only makes the difference smaller
    return max(time.clock_gettime_ns(SLEEPLESS) - time.perf_counter_ns() for _ in range(3))


def utc_now() -> datetime:
    """The present in UTC, naive as the run file stores it."""
    return datetime.now(UTC).replace(tzinfo=None)


def sleep(seconds: float) -> None:
    """Let time pass between operations."""
    time.sleep(seconds)


def connect(url: str, token: str | None = None, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """A client for timed requests: one connection kept open, no proxy, no compression, no redirects, within limits."""
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(
        base_url=url,
        timeout=TIMEOUT,
        trust_env=False,
        follow_redirects=False,
        headers={"Accept-Encoding": "identity", **bearer},
        transport=Limited(transport or httpx.HTTPTransport(trust_env=False), clock),
    )


@dataclass
class Exchange:
    """One streamed request as the client saw it. Offsets are ns since sending; NULL where it never came."""

    sent_at: int
    headers_ns: int | None = None
    first_event_ns: int | None = None
    done_ns: int | None = None
    arrivals: list[Arrival] = field(default_factory=list)
    facts: Facts = field(default_factory=dict)
    error_kind: str | None = None
    error_detail: str | None = None
    was_interrupted: bool = False
    cpu_ns: int | None = None  # CPU time of this process from sending to the end
    slept_ms: int | None = None  # how long the machine slept meanwhile

    def fail(self, kind: str, detail: object) -> None:
        """Keep the first failure; later ones follow from it."""
        if self.error_kind is None:
            self.error_kind, self.error_detail = kind, str(detail)[:SHOWN] or None


def exchange(
    client: httpx.Client,
    request: Request,
    parse: Callable[[str, str], Event],
    clock: Clock = clock,
    at_first_text: Callable[[], None] = lambda: None,
    within_s: float | None = None,
    asleep: Clock = asleep,
) -> Exchange:
    """Send one request and time every event of its stream. Failures of the server are in the result, not raised.

    `at_first_text` is called once its time is taken; it must return at once. `within_s`: an answer that takes longer is
    cut, as a timeout.
    """
    cpu = time.process_time_ns()
    prepared = client.build_request("POST", request.path, json=request.body)
    slept = asleep()
    seen = Exchange(sent_at=clock())
    try:
        response = client.send(prepared, stream=True)
        seen.headers_ns = clock() - seen.sent_at
        with closing(response):
            seen.facts["http_status"] = response.status_code
            if response.status_code == 200 and "json" not in response.headers.get("content-type", ""):
                _read(response, seen, parse, clock, at_first_text, within_s)
            else:  # LM Studio answers 200 with a JSON error to what it does not know
                kind = "not_streamed" if response.status_code == 200 else "http_status"
                seen.fail(kind, response.read().decode("utf-8", errors="replace"))
    except KeyboardInterrupt:
        seen.was_interrupted = True
        seen.fail("interrupted", "stopped by the person")
    except httpx.ConnectError as error:
        seen.fail("connect", error)
    except httpx.TimeoutException as error:
        seen.fail("timeout", f"{type(error).__name__} {error}".strip())
    except (httpx.HTTPError, EventTooLong) as error:
        seen.fail("stream_cut" if seen.headers_ns is not None else "transport", error)
    if seen.done_ns is None:
        seen.done_ns = clock() - seen.sent_at
    seen.cpu_ns = time.process_time_ns() - cpu
    seen.slept_ms = round((asleep() - slept) / 1e6)
    return seen


def _read(
    response: httpx.Response,
    seen: Exchange,
    parse: Callable[[str, str], Event],
    clock: Clock,
    at_first_text: Callable[[], None],
    within_s: float | None,
) -> None:
    has_text = False
    events, ending = Events(), Ending()
    arriving = _arriving(response, events, seen.sent_at, clock, within_s)
    try:
        for arrived, (name, data) in arriving:
            if seen.first_event_ns is None:
                seen.first_event_ns = arrived
            try:
                event = parse(name, data)
            except ValueError as error:  # a server that sends no JSON, or was cut in the middle of it
                seen.arrivals.append((arrived, "other", ""))
                seen.fail("bad_event", f"{error}: {data[:200]}")
                continue
            seen.arrivals += [(arrived, kind, text) for kind, text in event.texts] or [(arrived, "other", "")]
            if event.texts and not has_text:
                has_text = True
                at_first_text()
            seen.facts.update(event.facts)
            ending.see(event)
            if event.error is not None:
                seen.fail("server_error", event.error)
            if event.ends:
                seen.done_ns = arrived
                # to the end of the body, or the next request would connect anew
                with suppress(httpx.HTTPError, EventTooLong):
                    list(arriving)
                break
    except httpx.HTTPError:
        if not ending.is_complete():
            raise
        seen.done_ns = seen.arrivals[-1][0]
    with suppress(ValueError):
        if (bare := parse("", events.strange)).error is not None:
            seen.fail("server_error", bare.error)
    _judge(seen, ending, events.strange)


def _judge(seen: Exchange, ending: Ending, strange: str) -> None:
    """Fail what has ended, but not well, with what the server said."""
    if not any(text for _, _, text in seen.arrivals):
        seen.fail("empty", "the stream ended without any text")
    elif not ending.is_whole():
        words = f": {strange.strip()}" if strange.strip() else ""
        seen.fail("stream_cut", f"the stream ended without a finish reason or a token count{words}")


def _arriving(
    response: httpx.Response, events: Events, sent_at: int, clock: Clock, within_s: float | None
) -> Iterator[tuple[int, tuple[str, str]]]:
    arrived = 0
    for piece in response.iter_raw():
        arrived = clock() - sent_at  # stamped before parsing, so that parsing is not counted as latency
        if within_s is not None and arrived > within_s * 1e9:
            raise httpx.ReadTimeout(f"the answer took longer than {within_s:.0f} s")
        for event in events.feed(piece):
            yield arrived, event
    for event in events.close():
        yield arrived, event


def timed(action: Callable[[], Facts], clock: Clock = clock, asleep: Clock = asleep) -> tuple[Facts, int, int]:
    """What `action` returned and how long the machine slept meanwhile; when it began and how long it took, in ns."""
    slept, began = asleep(), clock()
    result = action()
    elapsed = clock() - began
    return {**result, "slept_ms": round((asleep() - slept) / 1e6)}, began, elapsed


def roundtrips(client: httpx.Client, path: str, count: int = 5, clock: Clock = clock) -> list[int]:
    """Times in µs of a trivial GET, there and back. Raises httpx.HTTPError."""
    times = []
    for _ in range(count):
        began = clock()
        client.get(path)
        times.append((clock() - began) // 1000)
    return times
