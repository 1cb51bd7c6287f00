"""The pictures of charts, drawn beside the making of pages where there is a process for it.

A page that is made before its pictures are has marks in their places. Nobody outside can write such a mark.
"""

import functools
import re
import secrets
from concurrent.futures import BrokenExecutor, Executor, Future
from importlib import metadata

from site_src import progress
from site_src.reuse.identity import digest
from site_src.reuse.store import Store


class Drawings:
    """Draws each specification once. `is_late`: none before `begin`, for pages that are shown without them at first."""

    def __init__(self, store: Store | None = None, process: Executor | None = None, is_late: bool = False) -> None:
        self._store, self._process, self.is_late = store, process, is_late and process is not None
        self._drawn: dict[bytes, str] = {}
        self._wanted: dict[str, tuple[bytes, str]] = {}
        self._at_work: dict[str, Future[str]] = {}
        self._places: dict[bytes, str] = {}
        self._secret = secrets.token_hex(16)
        self._version = metadata.version("vl-convert-python")
        self._mark = re.compile(f"\0{self._secret} ([0-9a-f]+)\0|<!--{self._secret} ([0-9a-f]+)-->")
        self.made = self.reused = 0

    def place(self, specification: str) -> str:
        """The picture as SVG on one line, or a mark for `filled`."""
        key = digest("picture", self._version, specification)
        if key in self._drawn:
            return self._drawn[key]
        if key in self._places:
            return self._places[key]
        if self._store and (found := self._store.get(key)):
            self.reused += 1
            return found.decode()
        self.made += 1
        if not self._process:
            return self._keep(key, draw(specification))
        mark = f"\0{self._secret} {key.hex()}\0"
        self._wanted[key.hex()] = key, specification
        self._places[key] = mark
        if not self.is_late:
            self._at_work[key.hex()] = self._process.submit(draw, specification)
        return mark

    def begin(self) -> None:
        """Have drawn whatever is wanted and is not being drawn."""
        assert self._process
        for name, (_, specification) in self._wanted.items():
            if name not in self._at_work:
                self._at_work[name] = self._process.submit(draw, specification)

    def later(self, text: str) -> str:
        """The text with comments of HTML in the places of pictures, which are no marks to others, but to `filled`."""
        return self._mark.sub(lambda found: f"<!--{self._secret} {found[1]}-->", text)

    def is_whole(self, text: str) -> bool:
        """Whether no picture is missing in it."""
        return self._secret not in text

    def filled(self, text: str) -> str:
        """The text with its pictures; waits for those that are not there yet."""
        return self._mark.sub(lambda found: self._finished(found[1] or found[2]), text)

    def _finished(self, name: str) -> str:
        key, specification = self._wanted[name]
        if key in self._drawn:
            return self._drawn[key]
        try:
            picture = self._at_work[name].result()
        except BrokenExecutor:  # somebody ended that process
            picture = draw(specification)
        progress.step("Pictures drawn:", len(self._drawn) + 1, len(self._at_work))
        return self._keep(key, picture)

    def _keep(self, key: bytes, picture: str) -> str:
        self._drawn[key] = picture
        if self._store:
            self._store.put(key, picture.encode())
        return picture


@functools.lru_cache(maxsize=1000)  # of a process that makes one page after the other, as tests do
def draw(specification: str) -> str:
    """The drawing of a Vega-Lite specification in JSON, on one line."""
    import vl_convert

    made: str = vl_convert.vegalite_to_svg(specification)
    return made.replace("\n", " ")
