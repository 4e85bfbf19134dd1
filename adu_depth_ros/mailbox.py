"""One-item slots between threads: the newest item wins, and readers serve the slots in turn."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)
T = TypeVar("T")


class Mailbox(Generic[S, T]):
    """Hands items from threads to possibly slower ones, without a growing queue.

    Each source has its own slot. ``take`` returns the item of the least recently served source, so that
    under overload each gets the same share. A source whose item is in progress is not served again before
    ``done``: its items stay in order.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._items: dict[S, T] = {}
        self._in_work: set[S] = set()
        self._served: dict[S, int] = {}
        self._count = 0
        self._closed = False

    def put(self, source: S, item: T) -> bool:
        """Put an item into its slot.

        :return: True if an untaken item of this source was replaced
        """
        with self._condition:
            replaced = source in self._items
            self._items[source] = item
            self._condition.notify()
            return replaced

    def take(self) -> tuple[S, T] | None:
        """Wait for an item and take it, with its source; None once the mailbox is closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._waiting() or self._closed)
            if self._closed:
                return None
            source = min(self._waiting(), key=lambda waiting: self._served.get(waiting, 0))
            self._count += 1
            self._served[source] = self._count
            self._in_work.add(source)
            return source, self._items.pop(source)

    def done(self, source: S) -> None:
        """Mark the taken item of this source as finished."""
        with self._condition:
            self._in_work.discard(source)
            self._condition.notify()

    def close(self) -> None:
        """Let ``take`` return None, now and from now on."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def _waiting(self) -> set[S]:
        return self._items.keys() - self._in_work
