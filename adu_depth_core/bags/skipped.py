"""Unusable frames of bags, with the reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Skipped:
    """Frames that were not evaluated, by reason.

    :param reason: one clear sentence
    :param frames: number of frames
    :param first_index: number of the first such frame in the bags
    """

    reason: str
    frames: int
    first_index: int


class SkippedFrames:
    """Counts frames that could not be used, by kind of reason, keeping the first of each in words."""

    def __init__(self) -> None:
        self._by_kind: dict[str, list] = {}

    def add(self, kind: str, reason: str, index: int) -> None:
        self._by_kind.setdefault(kind, [reason, 0, index])[1] += 1

    def summary(self) -> tuple[Skipped, ...]:
        return tuple(Skipped(*entry) for entry in self._by_kind.values())


class Unusable(Exception):
    """A frame that is skipped: kind and reason."""
