"""What tests flip while the double runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.lmstudio.downloads import Downloads
from tests.lmstudio.models import DoubleModel
from tests.lmstudio.state import CRASHED, JIT_TTL_MS, Instance, State, UnknownModel


class Switches:
    """Plain values may be set at any time; what is said to happen once happens to the next that fits."""

    def __init__(self, models: list[DoubleModel]) -> None:
        self.state = State(models)
        self.downloads = Downloads(models)
        self.prefill_ms: float = 0  # silence before the first chunk of every answer
        self.stall_ms: float = 0  # silence after `stall_after` events of every stream
        self.stall_after = 1
        self.split_bytes = False  # each event in two writes, inside a character of several bytes if there is one
        self.empty_answers = False  # 200 and no text
        self.html_500_once = False  # the next model list
        self.html_500_on_load = False  # the first model list after each load began
        self.progress_events = 2  # prompt_processing.progress in /api/v1/chat
        self.zero_usage = False  # bt#1602: usage of 0, 0 and 0 beside a long text
        self.one_less_at_limit = False  # bt#2335: the last token of an answer that the limit ends is not counted
        self.hangs_after_done = False  # bt#23: [DONE], and no end of the body until the client goes
        self.takes_what_is_loaded = False  # bt#671: a request for a model that is not loaded gets another one's answer
        self.lms_takes: str | None = None  # what `lms load` loads, whatever it is asked for
        self._cut: tuple[int, bool] | None = None
        self._stream_failure: tuple[int, str] | None = None

    def load(self, key: str, by: str = "app", **asked: Any) -> Instance:
        """Load a model; see `Double`."""
        raise NotImplementedError

    def kill_worker(self, name: str, refusals: int | None = None) -> None:
        """The process that holds the model dies; it still reads as loaded. Requests are refused until it is loaded
        again, or `refusals` times."""
        instance = self.state.serving(name)
        if instance is None:
            raise UnknownModel(name)
        instance.is_alive, instance.refusals_left = False, refusals
        if instance.worker is not None:
            instance.worker.kill()

    def fail_next_load(self, key: str, message: str) -> None:
        """The next load of this model fails for this reason, once."""
        self.state.find(key)
        self.state.fail_next[key] = message

    def fail_downloads(self, key: str) -> None:
        """Downloads of this model fail at the first look."""
        self.downloads.failing.add(key)

    def cut_stream_after(self, events: int, and_vanish: bool = False) -> None:
        """The next stream's connection drops after so many events; with `and_vanish` the server is gone too."""
        self._cut = (events, and_vanish)

    def fail_stream_after(self, chunks: int, message: str = CRASHED) -> None:
        """The next answer fails after so many chunks, in the protocol's own words."""
        self._stream_failure = (chunks, message)

    @contextmanager
    def held_load(self) -> Iterator[None]:
        """Within, loads begin and do not end: the time to look at `loading`."""
        self.state.may_load.clear()
        try:
            yield
        finally:
            self.state.may_load.set()

    def somebody_asks_for(self, key: str) -> None:
        """Another client's request loads this model, and evicts all that is loaded (bt#671, #1796, #619)."""
        for instance in list(self.state.instances):
            self.state.unload(instance.id)
        self.load(key, by="jit", ttl_ms=JIT_TTL_MS)

    def expire_ttl(self) -> None:
        """As if the time to live of everything that has one had passed."""
        for instance in [one for one in self.state.instances if one.ttl_ms is not None]:
            self.state.unload(instance.id)

    def take_cut(self) -> tuple[int, bool] | None:
        """For a stream that begins: after how many events it is cut, and whether the server goes with it."""
        cut, self._cut = self._cut, None
        return cut

    def take_stream_failure(self) -> tuple[int, str] | None:
        """For an answer that begins: after how many chunks it fails, and why."""
        failure, self._stream_failure = self._stream_failure, None
        return failure

    def take_html_500(self) -> bool:
        """Whether this model list is to be an HTML page."""
        due, self.html_500_once = self.html_500_once, False
        return due
