"""Prefetching of items on another thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")

_END = object()


class Prefetch(Generic[Item]):
    """Context manager over an iterable whose items are made up to ``depth`` ahead, on a thread of its own.

    Leaving the ``with`` block ends the thread after the item it is making. What the iterable raises is
    raised where its next item would have come.
    """

    def __init__(self, items: Iterable[Item], depth: int = 3) -> None:
        self._items = items
        self._queue: queue.Queue = queue.Queue(maxsize=depth)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="reading", daemon=True)

    def __enter__(self) -> Prefetch[Item]:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._closed.set()
        while self._thread.is_alive():  # the thread may be waiting for space in the queue
            while not self._queue.empty():
                self._queue.get()
            self._thread.join(0.02)

    def __iter__(self) -> Iterator[Item]:
        while True:
            item, error = self._queue.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item

    def _fill(self) -> None:
        try:
            for item in self._items:
                if self._closed.is_set():
                    return
                self._queue.put((item, None))
            self._queue.put((_END, None))
        except BaseException as error:
            self._queue.put((None, error))
