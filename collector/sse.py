r"""Server-sent events from bytes, as they arrive.

Lines end at `\n`, `\r\n` or `\r` only. `httpx.Response.iter_lines` also splits at U+2028, U+0085 and form feed, which
may stand inside a JSON string, so it would tear events apart; a bare `\r` may not.
"""

from collections.abc import Iterator

BOM = b"\xef\xbb\xbf"
LONGEST = 8_000_000  # bytes of one event: whole answers are below 1 MB
MOST = 200_000  # events of one stream: 131,072 tokens, one at a time, and half as much beside them
KEPT = 2000  # characters of what is no event


class EventTooLong(Exception):
    """An event, or a line of it, that does not end; or events without end."""


class Events:
    r"""Feed it bytes in pieces of any size; it yields `(event, data)` as soon as an event is complete.

    Comments (`: keepalive`) are dropped, several `data:` lines are joined by a newline. A line `error: …`, as some
    servers write, is an event `error`. `strange`: the beginning of what is none of the protocol's, such as a page or
    a JSON object in place of a stream. `is_cut`: the stream ended within the last event. Raises EventTooLong.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._returned = False  # the piece before ended with `\r`, so a `\n` that follows ends no line of its own
        self._begun = False
        self._event = ""
        self._data: list[str] = []
        self._size = 0  # of the data
        self._count = 0
        self.strange = ""
        self.is_cut = False

    def feed(self, piece: bytes) -> Iterator[tuple[str, str]]:
        """Yield the events that `piece` completes."""
        searched = len(self._buffer)  # what came before holds no newline
        self._buffer += self._newlines(piece)
        start = 0
        while (end := self._buffer.find(b"\n", max(start, searched))) >= 0:
            line = bytes(self._buffer[start:end])
            start = end + 1
            if line:
                self._field(line)
            elif self._data:
                yield self._complete()
            else:
                self._event = ""  # an event without data is none
        del self._buffer[:start]
        if len(self._buffer) + self._size > LONGEST:
            raise EventTooLong(f"the server sent an event of more than {LONGEST // 10**6} MB")

    def close(self) -> Iterator[tuple[str, str]]:
        """Yield the last event if the stream ended without its closing blank line."""
        if self._buffer:
            self._field(bytes(self._buffer))
            self._buffer.clear()
        if self._data:
            self.is_cut = True
            yield self._complete()

    def _newlines(self, piece: bytes) -> bytes:
        r"""The same with `\n` at every end of a line."""
        if not piece:
            return piece
        rest = piece.removeprefix(b"\n") if self._returned else piece
        self._returned = piece.endswith(b"\r")
        return rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in rest else rest

    def _field(self, line: bytes) -> None:
        if not self._begun:
            line, self._begun = line.removeprefix(BOM), True
        text = line.decode("utf-8", errors="replace")
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if name in ("data", "error"):
            self._data.append(value)
            self._size += len(line)
            self._event = "error" if name == "error" else self._event
        elif name == "event":
            self._event = value
        elif name not in ("", "id", "retry") and len(self.strange) < KEPT:
            self.strange = f"{self.strange}{text}\n"[:KEPT]

    def _complete(self) -> tuple[str, str]:
        self._count += 1
        if self._count > MOST:
            raise EventTooLong(f"the server sent more than {MOST:,} events")
        complete = self._event, "\n".join(self._data)
        self._event, self._data, self._size = "", [], 0
        return complete
