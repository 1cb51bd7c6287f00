"""Finished blocks by key in a SQLite file, for this build and the next ones.

It holds nothing that cannot be made again, and may be deleted at any time. What is damaged, or cannot be opened or
written, is as if it were not there.
"""

import hashlib
import sqlite3
import zlib
from contextlib import suppress
from pathlib import Path

from collector import clock
from collector.schema import CLONE

CACHE = CLONE / ".cache" / "blocks.sqlite"
MOST_BYTES = 200_000_000  # of blocks, compressed; what was not used for longest goes first
MUCH = 20_000_000  # bytes that wait to be written
PATIENCE_S = 2  # where another build writes
TABLE = "create table if not exists blocks (key blob primary key, used integer, size integer, value blob)"
KEPT = "select key, size from blocks order by used desc, rowid desc"
DIGEST = 16  # bytes before each value, by which a damaged one is known


class Store:
    """Values by key. Nothing is written before `commit`, and then all of it or nothing."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or CACHE
        self._new: dict[bytes, bytes] = {}
        self._waiting = 0  # bytes
        self._used: set[bytes] = set()
        self._today = clock.utc_now().toordinal()
        self._con = self._opened()

    def get(self, key: bytes) -> bytes | None:
        """What was put under this key, if it is still there, whole."""
        if key in self._new:
            return self._new[key]
        found = self._asked("select value, used from blocks where key = ?", key)
        if not found:
            return None
        [(value, used)] = found
        if used != self._today:
            self._used.add(key)
        with suppress(zlib.error, TypeError):
            if value[:DIGEST] == _digest(key, value[DIGEST:]):
                return zlib.decompress(value[DIGEST:])
        return None

    def put(self, key: bytes, value: bytes) -> None:
        """Keep this value."""
        self._new[key] = value
        self._waiting += len(value)

    def commit_much(self) -> None:
        """Commit where much is waiting for it, which takes memory."""
        if self._waiting > MUCH:
            self.commit()

    def commit(self) -> None:
        """Write what is new, so that later builds have it; drop what was not used for longest."""
        if not self._con or not (self._new or self._used):
            return
        packed = [(key, zlib.compress(value, 1)) for key, value in self._new.items()]
        rows = [(key, self._today, len(value), _digest(key, value) + value) for key, value in packed]
        try:
            self._con.execute("begin immediate")
            self._con.executemany("insert or replace into blocks values (?, ?, ?, ?)", rows)
            self._con.executemany(
                "update blocks set used = ? where key = ?", [(self._today, key) for key in self._used]
            )
            self._con.executemany("delete from blocks where key = ?", [(key,) for key in self._too_many()])
            self._con.execute("commit")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._con.execute("rollback")
            self._heed(error)
        self._new.clear()
        self._used.clear()
        self._waiting = 0

    def close(self) -> None:
        """Leave the file to others."""
        if self._con:
            self._con.close()
            self._con = None

    def _too_many(self) -> list[bytes]:
        assert self._con
        left, gone = MOST_BYTES, []
        for key, size in self._con.execute(KEPT):
            left -= size
            if left < 0:
                gone.append(key)
        return gone

    def _opened(self) -> sqlite3.Connection | None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            return None
        for _ in range(2):
            try:
                return self._connected(str(self._file), TABLE)
            except sqlite3.OperationalError:  # a disk that is full or may only be read, or a build that writes
                with suppress(sqlite3.Error):
                    return self._connected(f"{self._file.as_uri()}?mode=ro", "select 1 from blocks limit 1")
                return None
            except sqlite3.Error:
                self._forget()
        return None

    def _connected(self, uri: str, first: str) -> sqlite3.Connection:
        """A connection on which this statement went well."""
        con = sqlite3.connect(
            uri, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False, uri=uri.startswith("file:")
        )
        try:
            con.execute(first)
        except sqlite3.Error:
            con.close()
            raise
        return con

    def _asked(self, query: str, key: bytes) -> list[tuple[bytes, int]]:
        if not self._con:
            return []
        try:
            return self._con.execute(query, (key,)).fetchall()
        except sqlite3.Error as error:
            self._heed(error)
            return []

    def _heed(self, error: sqlite3.Error) -> None:
        """A file that is damaged goes; one that cannot be read or written just now stays."""
        if isinstance(error, sqlite3.OperationalError):
            return
        self.close()
        self._forget()

    def _forget(self) -> None:
        for path in (self._file, self._file.with_name(f"{self._file.name}-journal")):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _digest(key: bytes, packed: bytes) -> bytes:
    """Of key and value both, so that a value never stands for another."""
    return hashlib.blake2b(key + packed, digest_size=DIGEST).digest()
