"""What a server is asked and what its answers mean. A backend never reads the clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Facts = dict[str, Any]  # schema column → value


@dataclass(frozen=True)
class Request:
    """One HTTP request, ready to be sent and timed."""

    path: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Event:
    """What one streamed event says.

    `texts` holds `(kind, text)`: reasoning, answer, or other for text that is neither, such as a tool call. `choice`
    tells which of several answers they are of, `beside` holds the texts of the others with their number. `idle`: a
    sign of life and nothing else.
    """

    texts: tuple[tuple[str, str], ...] = ()
    facts: Facts = field(default_factory=dict)  # operation columns: token counts, finish reason, reported figures
    error: str | None = None
    ends: bool = False
    idle: bool = False
    choice: int = 0
    beside: tuple[tuple[int, str], ...] = ()


class Backend(Protocol):
    """What `run.py` needs of a server.

    `loads`: whether it loads the model itself, or finds it loaded; `was_loaded`: whether the model that it loads was
    loaded just before; `may_reload`: whether it could load it again; `left_out`: optional keys of a request that the
    server refuses, so that `chat` leaves them out.
    """

    loads: bool
    was_loaded: bool
    may_reload: bool
    left_out: set[str]

    def others(self) -> list[str]:
        """Models that stay loaded beside the one to measure, and take its memory."""

    def planned(self) -> Facts:
        """Run columns that are known before the model is loaded, so that a model that does not load has a name."""

    def describe(self) -> Facts:
        """Run columns that the server tells of itself and of the model. Raises ServerNotFound, ModelUnclear."""

    def trivial_requests(self) -> tuple[tuple[str, str], ...]:
        """Method and path of questions that may cost the server next to nothing, to time the way there and back."""

    def instances(self) -> list[str] | None:
        """What the server lists as loaded just now; None where it does not tell."""

    def chat(self, messages: list[dict[str, str]], max_tokens: int, sampling: Mapping[str, Any]) -> Request:
        """The streamed request for these messages."""

    def parse(self, event: str, data: str) -> Event:
        """What one event of that request's stream says."""

    def prepare(self) -> None:
        """Bring the server to rest before `load`: nothing else loaded. Raises ModelUnclear."""

    def load(self) -> Facts:
        """Load the model. Returns operation facts of it, `error_kind` among them if it did not load."""

    def unload(self) -> Facts:
        """Unload what `load` loaded, if anything; again is harmless. Returns operation facts of it."""

    def engine_pid(self) -> int | None:
        """Root of the process tree that holds the model, where it runs on this machine."""
