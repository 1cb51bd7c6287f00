"""Why a request failed, in one line for a person: the server's own words, made printable by whoever prints them."""

from collections import Counter
from collections.abc import Iterable

from collector.backends.words import words

MEANINGS = {
    "not_streamed": "the server does not stream; it sent",
    "http_status": "the server refused it with status {status}",
    "server_error": "the server said",
    "context_overflow": "too long for the server's context",
    "bad_event": "an event of the stream cannot be read",
    "transport": "no answer came",
    "timeout": "it took too long",
    "connect": "nothing listens there any more",
    "several_choices": "more than one answer came",
    "token_echoed": "the API token came back",
}


def why(kind: str, status: int | None, detail: str | None) -> str:
    """What the kind of a failure means, and what was said of it."""
    meaning = MEANINGS.get(kind, kind.replace("_", " ")).format(status=status)
    said = words(detail or "")
    return f"{meaning}: {said}" if said else meaning


def told(failures: Iterable[tuple[str, int | None, str | None]]) -> list[str]:
    """A line for each reason, the most frequent first, with how often it was the reason."""
    counts = Counter(why(*failure) for failure in failures)
    return [f"{count} × {reason}" for reason, count in counts.most_common()]
