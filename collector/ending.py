"""Whether a stream that has ended was a whole answer.

Signs of an end are a finish reason, a token count and `[DONE]`. A finish reason that is known, and that no text
followed, is enough: a server gives it to the last piece of an answer alone. Any other sign may come of a server that
was cut off, so it takes two: gateways write `[DONE]` under whatever they were sent, and some servers put a finish
reason, or a running count, into every chunk.
"""

from dataclasses import dataclass

from collector.backends import Event

ENDS = (
    *("stop", "length", "tool_calls", "function_call", "content_filter"),  # OpenAI's
    *("eos", "eos_token", "stop_sequence", "end_turn", "max_tokens", "tool_use", "complete", "completed"),
)


@dataclass
class Ending:
    """What has been seen of the end, event by event."""

    reason: str | None = None
    is_done: bool = False
    is_counted: bool = False  # anywhere
    is_counted_last: bool = False  # with the last text, or after it
    is_counted_apart: bool = False  # after the last text
    was_premature: bool = False  # text came after a finish reason

    def see(self, event: Event) -> None:
        """Take the next event into account."""
        has_count = is_count(event.facts.get("completion_tokens"))
        if event.texts:
            self.was_premature = self.was_premature or self.reason is not None
            self.is_counted_last = self.is_counted_apart = False
        self.is_counted = self.is_counted or has_count
        self.is_counted_last = self.is_counted_last or has_count
        self.is_counted_apart = self.is_counted_apart or (has_count and not event.texts)
        self.reason = event.facts.get("finish_reason", self.reason)
        self.is_done = self.is_done or event.ends

    def is_whole(self) -> bool:
        """Whether the body's end, if it was one, ended a whole answer."""
        if self._is_sure() or (self.is_done and (self.is_counted or self.reason is not None)):
            return True
        return self.reason is not None and self.is_counted_apart

    def is_complete(self) -> bool:
        """Whether nothing is lacking, even where the connection was lost after it."""
        return self._is_sure() and self.is_counted_last

    def _is_sure(self) -> bool:
        return self.reason is not None and self.reason.lower() in ENDS and not self.was_premature


def is_count(told: object) -> bool:
    """Whether a server counted something."""
    return isinstance(told, int) and not isinstance(told, bool) and told > 0
