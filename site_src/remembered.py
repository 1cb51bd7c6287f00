"""What was made of a file lately, by the hash of its bytes: the same folder is read several times in one process."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")
LARGE = 8  # a value that takes more than this part of the room is not kept


class Remembered(Generic[T]):
    """Values by key; those asked for longest ago go when all together take more than `most` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        """None where it is not known, or no longer."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: T, size: int) -> None:
        """Remember a value of so many bytes, unless that is too much."""
        if size > self._most // LARGE:
            return
        with self._lock:
            self._size += size - self._values.pop(key, (None, 0))[1]
            self._values[key] = value, size
            while self._size > self._most:
                self._size -= self._values.popitem(last=False)[1][1]
