"""Requests, timed from sending on by the one clock (`collector/clock.py`)."""

import ssl
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field

import httpx

from collector import limits
from collector.backends import Event, Facts, Request
from collector.clock import Clock as Clock
from collector.clock import asleep as asleep
from collector.clock import busy
from collector.clock import clock as clock
from collector.clock import sleep as sleep
from collector.clock import utc_now as utc_now
from collector.ending import Ending, is_count
from collector.errors import ServerNotFound
from collector.grace import Grace
from collector.heartbeat import Heartbeat
from collector.limits import AGAIN, SILENCE_S, WITHIN, Limited
from collector.privacy.words import SHOWN as SHOWN
from collector.sse import Events, EventTooLong

Arrival = tuple[int, str, str]  # ns since sending, kind, text

COUNTS = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")  # that a later zero cannot undo


def patient(seconds: float) -> httpx.Timeout:
    """Timeouts that bear a silence of so many seconds."""
    return httpx.Timeout(connect=10, read=seconds, write=60, pool=10)


TIMEOUT = patient(SILENCE_S)
TRIVIAL_S = 5  # for what should take a millisecond


def connect(
    url: str, token: str | None = None, transport: httpx.BaseTransport | None = None, trusted: str | None = None
) -> httpx.Client:
    """A client for timed requests: one connection kept open, no proxy, no compression, no redirects, within limits.

    `trusted`: a PEM file of certificates to trust beside the usual ones. Raises ServerNotFound where it is none.
    """
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    verify = _trust(trusted if url.startswith("https:") else None)
    return httpx.Client(
        base_url=url,
        timeout=TIMEOUT,
        trust_env=False,
        follow_redirects=False,
        headers={"Accept-Encoding": "identity", **bearer},
        transport=Limited(clock, verify, transport),
    )


def _trust(file: str | None) -> ssl.SSLContext | bool:
    if file is None:
        return True
    context = httpx.create_ssl_context(trust_env=False)
    try:
        context.load_verify_locations(file)
    except (OSError, ssl.SSLError) as error:
        raise ServerNotFound(
            f"{file} holds no certificate to trust ({error}).", "Name a PEM file, as `openssl x509` writes it."
        ) from None
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # what is named is trusted, whoever issued it
    return context


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
    stood_ms: int | None = None  # how long this process stood still meanwhile
    choice: int | None = None  # which of the answers is taken
    sent_again: bool = False  # the connection had been closed while it lay idle; times count from the second sending

    def take(self, arrived: int, event: Event) -> None:
        """Keep what an event says: the text of one answer, of further ones that there was text."""
        if self.first_event_ns is None:
            self.first_event_ns = arrived
        texts = list(event.texts)
        if texts and self.choice is None:
            self.choice = event.choice
        others = list(event.beside)
        if texts and event.choice != self.choice:
            others += [(event.choice, text) for _, text in texts]
            texts = []
        if others:
            self.fail(
                "several_choices", f"the server streamed several answers: choices {self.choice} and {others[0][0]}"
            )
        texts += [("other", text) for _, text in others]
        self.arrivals += [(arrived, kind, text) for kind, text in texts] or [(arrived, "other", "")]
        for name, value in event.facts.items():
            if name not in COUNTS or name not in self.facts or is_count(value):
                self.facts[name] = value

    def fail(self, kind: str, detail: object) -> None:
        """Keep the first failure, with all that was said of it; later ones follow from it."""
        if self.error_kind is None:
            self.error_kind, self.error_detail = kind, str(detail) or None


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
    may_take = {WITHIN: limits.ANSWER_S if within_s is None else within_s}
    prepared = client.build_request("POST", request.path, json=request.body, extensions=may_take)
    with Heartbeat() as heart:
        cpu, slept = busy(), asleep()
        seen = Exchange(sent_at=clock())
        _send(
            client, prepared, seen, lambda response: _read(response, seen, parse, clock, at_first_text, within_s), clock
        )
        if seen.done_ns is None:
            seen.done_ns = clock() - seen.sent_at
        seen.cpu_ns = busy() - cpu
        seen.slept_ms = round((asleep() - slept) / 1e6)
    seen.stood_ms = heart.stood_ns // 10**6
    return seen


def _send(
    client: httpx.Client,
    prepared: httpx.Request,
    seen: Exchange,
    read: Callable[[httpx.Response], None],
    clock: Clock,
) -> None:
    """Send it and `read` what is streamed; whatever fails is kept in `seen`."""
    try:
        try:
            response = client.send(prepared, stream=True)
        finally:
            seen.sent_again = AGAIN in prepared.extensions
            seen.sent_at = prepared.extensions.get(AGAIN, seen.sent_at)
        seen.headers_ns = clock() - seen.sent_at
        with closing(response):
            seen.facts["http_status"] = response.status_code
            if response.status_code == 200:
                read(response)
            else:
                seen.fail("http_status", response.read().decode("utf-8", errors="replace"))
    except KeyboardInterrupt as stop:
        seen.was_interrupted = True
        seen.fail("interrupted", f"stopped by {stop}" if str(stop) not in ("", "SIGINT") else "stopped by the person")
    except httpx.ConnectError as error:
        seen.fail("connect", error)
    except httpx.TimeoutException as error:
        seen.fail("timeout", f"{type(error).__name__} {error}".strip())
    except (httpx.HTTPError, EventTooLong) as error:
        seen.fail("stream_cut" if seen.headers_ns is not None else "transport", error)


def _read(
    response: httpx.Response,
    seen: Exchange,
    parse: Callable[[str, str], Event],
    clock: Clock,
    at_first_text: Callable[[], None],
    within_s: float | None,
) -> None:
    has_text = False
    events, ending, grace = Events(), Ending(), Grace(response)
    arriving = _arriving(response, events, seen.sent_at, clock, within_s)
    try:
        for arrived, (name, data) in arriving:
            try:
                event = parse(name, data)
            except ValueError as error:  # a server that sends no JSON, or was cut in the middle of it
                seen.take(arrived, Event())
                cut = "the stream ended within an event: " if events.is_cut else ""
                seen.fail("stream_cut" if cut else "bad_event", f"{cut}{error}: {data}")
                continue
            if event.idle:
                continue
            seen.take(arrived, event)
            if event.texts and not has_text:
                has_text = True
                at_first_text()
            ending.see(event)
            if event.error is not None:
                seen.fail("server_error", event.error)
            if event.texts:
                grace.call_off()  # whatever reason to finish was given before
            if event.ends:
                seen.done_ns = arrived
                grace.begin(is_done=True)
                # to the end of the body, or the next request would connect anew
                with suppress(httpx.HTTPError, EventTooLong):
                    deque(arriving, maxlen=0)
                break
            if ending.reason is not None and not grace.is_running:
                grace.begin()
    except httpx.HTTPError:
        if not (ending.is_complete() or grace.is_over):
            raise
        seen.done_ns = seen.arrivals[-1][0]
    finally:
        grace.call_off()
    if grace.is_over and seen.done_ns is None:  # a body without a length ends like any other
        seen.done_ns = seen.arrivals[-1][0]
    has_text = any(text for _, _, text in seen.arrivals)
    if not has_text and (strange := events.strange.strip()):
        # LM Studio answers so, with an error and status 200, to what it does not know
        seen.fail("not_streamed", strange)
    with suppress(ValueError):
        if (bare := parse("", events.strange)).error is not None:
            seen.fail("server_error", bare.error)
    if not has_text:
        seen.fail("empty", "the stream ended without any text")
    elif not ending.is_whole():
        words = f": {strange}" if (strange := events.strange.strip()) else ""
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
    """What `action` returned and how long machine or process stood still meanwhile; when it began, and took, in ns."""
    with Heartbeat() as heart:
        slept, began = asleep(), clock()
        result = action()
        elapsed = clock() - began
        slept_ms = round((asleep() - slept) / 1e6)
    return {**result, "slept_ms": slept_ms, "stood_ms": heart.stood_ns // 10**6}, began, elapsed


def roundtrips(
    client: httpx.Client, requests: tuple[tuple[str, str], ...], count: int = 5, clock: Clock = clock
) -> list[int]:
    """Times in µs of the trivial request that is answered soonest, there and back; `requests`: method and path.

    What is trivial differs from server to server: one walks its disk for a list of models, and on one the two writes of
    an answer wait for each other. What is asked, and whether it is found, does not matter. Raises httpx.HTTPError where
    none is answered.
    """

    def time_of(method: str, path: str) -> int:
        began = clock()
        client.request(method, path, timeout=TRIVIAL_S)
        return (clock() - began) // 1000

    best: tuple[int, str, str] | None = None
    failure: httpx.HTTPError | None = None
    for method, path in requests:
        try:
            # The first may be slower than the others, or faster: a look-up that is remembered, a new connection.
            taken = sorted(time_of(method, path) for _ in range(3))[1]
        except httpx.HTTPError as error:
            failure = error
        else:
            best = min(best or (taken, method, path), (taken, method, path))
    if best is None:
        raise failure or httpx.ConnectError("nothing to ask for")
    return [time_of(*best[1:]) for _ in range(count)]
