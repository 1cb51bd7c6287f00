"""Makes the blocks of a build, or takes those that an earlier build made of the same things.

A block is known by its kind and by all that it is made of: what it was asked for, its code, words and versions, and
the answers to the questions that it asked. Whatever a block reads else must become part of one of these.
"""

import json
from collections.abc import Callable
from contextlib import suppress

import duckdb

from site_src.reuse import identity
from site_src.reuse.answers import Answers, Question
from site_src.reuse.drawings import Drawings
from site_src.reuse.store import Store
from site_src.warehouse import Warehouse

MOST_WAYS = 6  # in which one block's questions may differ, as they hang on answers


class Maker:
    """What the pages of one build have in common. Without a store every block is made."""

    def __init__(self, warehouse: Warehouse, store: Store | None = None, drawings: Drawings | None = None) -> None:
        self.answers = Answers(warehouse)
        self.drawings = drawings or Drawings(store)
        self._store = store
        self._unfinished: list[tuple[bytes, str]] = []  # whose pictures are still being drawn
        self.made = self.reused = 0

    def block(self, known_by: tuple[bytes | str, ...], make: Callable[[], str]) -> str:
        """What `make` returns, or returned in a build in which nothing that it was made of was different."""
        if not self._store:
            self.made += 1
            return make()
        static = identity.digest("block", *known_by)
        ways = self._ways(static)
        for questions in ways:
            key = self._key(static, questions)
            if key and (found := self._store.get(key)) is not None:
                self.answers.note(questions)
                self.reused += 1
                return found.decode("utf-8", "surrogatepass")
        with self.answers.noting() as noted:
            text = make()
        self.made += 1
        asked = list(noted)
        if asked not in ways:
            said = json.dumps([asked, *ways][:MOST_WAYS])
            self._store.put(static, said.encode())
        if key := self._key(static, asked):
            if self.drawings.is_whole(text):
                self._put(key, text)
            else:
                self._unfinished.append((key, text))
        return text

    def finish(self) -> None:
        """Keep what was made, its pictures in it."""
        for key, text in self._unfinished:
            self._put(key, self.drawings.filled(text))
        self._unfinished.clear()
        if self._store:
            self._store.commit()

    def close(self) -> None:
        """Keep what is whole, and leave the store to others."""
        if self._store:
            self._store.commit()
            self._store.close()

    def _put(self, key: bytes, text: str) -> None:
        assert self._store
        self._store.put(key, text.encode("utf-8", "surrogatepass"))
        self._store.commit_much()

    def _ways(self, static: bytes) -> list[list[Question]]:
        assert self._store
        found = self._store.get(static)
        ways: list[list[Question]] = json.loads(found) if found else []
        return ways

    def _key(self, static: bytes, questions: list[Question]) -> bytes | None:
        """None where a question has no answer any more, as of a view that has gone."""
        with suppress(duckdb.Error, KeyError):
            return identity.digest(static, *(self.answers.digest(question) for question in questions))
        return None
