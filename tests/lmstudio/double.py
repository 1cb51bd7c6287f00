"""The double itself: a server on threads of this process."""

import os
import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.lmstudio.models import DoubleModel
from tests.lmstudio.server import Server
from tests.lmstudio.state import Instance, UnknownModel
from tests.lmstudio.switches import Switches
from tests.lmstudio.tokens import Scripted, Source
from tests.lmstudio.wire import Seen

LMS = Path(__file__).parent / "lms"


class Double(Switches):
    """LM Studio's server as a test double.

    `token`: asked of every request, when given. `jit` False: only what is loaded serves.
    """

    def __init__(
        self,
        models: Sequence[DoubleModel] = (),
        *,
        version: str = "0.4.16",
        tokens: Source | None = None,
        token: str | None = None,
        jit: bool = True,
        port: int = 0,
    ) -> None:
        super().__init__(list(models) or [DoubleModel("publisher/model")])
        self.version_text = version
        self.version = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
        self.tokens: Source = tokens or Scripted()
        self.token = token
        self.jit = jit
        self.port = port
        self.requests: list[Seen] = []
        self.lms_calls: list[tuple[str, Any]] = []
        self._answers = 0
        self._stopped = threading.Event()
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Listen; again after `vanish`, at the same port."""
        self._stopped.clear()
        self._server = Server(self)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def vanish(self) -> None:
        """No longer listen, and drop every connection; what is loaded stays."""
        self._stopped.set()
        if self._server is not None:
            server, self._server = self._server, None
            server.end()

    def stop(self) -> None:
        """Quit, unloading everything; again is harmless."""
        self.state.may_load.set()
        self.vanish()
        for instance in list(self.state.instances):
            with suppress(UnknownModel):  # a request may have unloaded it meanwhile
                self.state.unload(instance.id)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def load(self, key: str, by: str = "app", **asked: Any) -> Instance:
        """Load a model as the app's window would. `asked`: context_length, parallel, identifier, ttl_ms.

        Raises UnknownModel, LoadFailed.
        """
        if self.html_500_on_load:
            self.html_500_once = True
        return self.state.load(key, by, self.source(self.state.find(key)), **asked)

    def unload(self, identifier: str) -> None:
        """Unload one instance. Raises UnknownModel."""
        self.state.unload(identifier)

    def environment(self) -> dict[str, str]:
        """Variables under which `lms` is the stub and finds this double."""
        return {"LMS_DOUBLE_URL": self.url, "PATH": f"{LMS.parent}{os.pathsep}{os.environ['PATH']}"}

    def source(self, model: DoubleModel) -> Source:
        """Where this model's tokens come from."""
        return model.tokens or self.tokens

    def wait(self, ms: float) -> None:
        """Let time pass, unless the double is stopped."""
        if ms > 0:
            self._stopped.wait(ms / 1000)

    def next_number(self) -> int:
        """Counts the answers."""
        self._answers += 1
        return self._answers
