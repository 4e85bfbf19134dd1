"""The pixels of a frame that count, taken out of its maps once for all metrics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from adu_depth_core.evaluation.protocol import Protocol

BLOCK = 16_384
"""Pixels worked on at a time: intermediate results then stay in the processor's cache."""


@dataclass(frozen=True)
class Pixels:
    """Values of the pixels that count, float64 ``(N,)`` each, positive numbers.

    :param place: index of each in the flattened image
    :param prediction: depth in metres, limited to the protocol's range
    :param truth: depth in metres
    :param sigma: half width of the 68.3 % interval in metres, or None
    """

    place: np.ndarray
    prediction: np.ndarray
    truth: np.ndarray
    sigma: np.ndarray | None

    @classmethod
    def of(
        cls, protocol: Protocol, truth: np.ndarray, depth: np.ndarray, sigma: np.ndarray | None
    ) -> Pixels | None:
        """Those of maps ``(H, W)`` in metres, row by row; None if no pixel counts.

        :param truth: 0, NaN or infinite where unknown
        :param depth: predicted
        :param sigma: its uncertainty, or None
        :raises ValueError: if sizes differ, or a prediction that counts is not a positive number
        """
        place = np.flatnonzero(protocol.mask(truth))
        return cls.at(place, protocol, truth, depth, sigma) if place.size else None

    @classmethod
    def at(
        cls,
        place: np.ndarray,
        protocol: Protocol,
        truth: np.ndarray,
        depth: np.ndarray,
        sigma: np.ndarray | None,
    ) -> Pixels:
        """Those at some places, in their order; the other parameters and errors are those of ``of``."""
        maps = {"prediction": depth, "truth": truth} | ({} if sigma is None else {"sigma": sigma})
        check_sizes(truth, maps)
        values = {name: np.take(values, place).astype(np.float64) for name, values in maps.items()}
        values["prediction"] = protocol.clamp(values["prediction"])
        check_positive(values)
        return cls(place, values["prediction"], values["truth"], values.get("sigma"))


def counted_pixels(mask: np.ndarray, **maps: np.ndarray) -> tuple[np.ndarray, ...]:
    """The pixels of ``mask`` from each map ``(H, W)``, as float64 ``(N,)``; all must be positive numbers.

    :raises ValueError: if shapes differ, no pixel counts, or a value that counts is not a positive number
    """
    check_sizes(mask, maps)
    pixels = {name: values[mask].astype(np.float64) for name, values in maps.items()}
    check_positive(pixels)
    if not mask.any():
        raise ValueError("no pixel has ground truth that counts")
    return tuple(pixels.values())


def check_sizes(mask: np.ndarray, maps: dict[str, np.ndarray]) -> None:
    """:raises ValueError: unless all maps have the size of the mask (or of the map it was made from)"""
    for name, values in maps.items():
        if values.shape != mask.shape:
            raise ValueError(f"{name} is {values.shape}, the mask is {mask.shape} (height, width)")


def check_positive(pixels: dict[str, np.ndarray]) -> None:
    """:raises ValueError: unless all values are positive numbers"""
    for name, values in pixels.items():
        if not values.size or (values.min() > 0 and values.max() < np.inf):  # NaN is neither
            continue
        bad = np.count_nonzero(~(np.isfinite(values) & (values > 0)))
        raise ValueError(f"{name} is not a positive number at {bad} of {values.size} pixels that count")


def blocks(count: int) -> Iterator[slice]:
    """Slices of at most ``BLOCK`` that cover ``count`` pixels."""
    return (slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK))


@dataclass(frozen=True)
class Parts:
    """Pixels that lie one cell after the other, so that the sums of each cell are sums of neighbours.

    :param edges: start of each cell, and end of the last, ``(cells + 1,)``
    """

    edges: np.ndarray

    @classmethod
    def whole(cls, count: int) -> Parts:
        """One cell of all ``count`` pixels."""
        return cls(np.array([0, count]))

    @property
    def cells(self) -> int:
        """Number of cells, empty ones included."""
        return len(self.edges) - 1

    def sums(self, block: slice, terms: list[np.ndarray], flags: list[np.ndarray]) -> np.ndarray:
        """Sums over each cell of the pixels of a block, float64 ``(len(terms) + len(flags) + 1, cells)``.

        :param block: one of ``blocks``
        :param terms: float64 values of its pixels
        :param flags: bools of its pixels
        :return: sums of the terms, numbers of True, and in the last row the number of pixels
        """
        edges = np.clip(self.edges - block.start, 0, block.stop - block.start)
        sums = np.zeros((len(terms) + len(flags) + 1, self.cells))
        sums[-1] = np.diff(edges)
        some = np.flatnonzero(sums[-1])
        for row, term in enumerate(terms):
            sums[row, some] = np.add.reduceat(term, edges[some])
        for row, flag in enumerate(flags, len(terms)):
            sums[row, some] = np.add.reduceat(flag.view(np.uint8), edges[some], dtype=np.int64)
        return sums
