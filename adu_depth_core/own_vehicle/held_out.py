"""Cross-validation over parts of a drive: corrections fitted on the rest are evaluated on them.

A drive is cut into ``BLOCKS`` of equal time. What is fitted for a block sees none of its frames and none
within a gap around it, because neighbouring frames show the same. A few pictures are cut into strips from
left to right instead: that tells whether a correction holds across the picture, not whether it holds at
other times.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.confidence import SHORTEST, mean_intervals
from adu_depth_core.own_vehicle.observation import FEWEST_PIXELS, Observation

BLOCKS, FEWEST_BLOCKS = 10, 5
FEWEST_FRAMES_OF_TIME = 2 * FEWEST_BLOCKS
STRIPS = 6

LONGEST_GAP = 2.0
"""Seconds around a block; half a block where that is less."""

_T = {3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
"""97.5 % quantile of Student's t by degrees of freedom. With more the last serves, on the safe side."""

Fit = TypeVar("Fit")


class Interval(NamedTuple):
    """A mean and its 95 % interval.

    :param decided: whether enough was driven to say that of the drive as a whole (``evaluation.confidence``)
    """

    mean: float
    low: float
    high: float
    decided: bool


@dataclass(frozen=True)
class HeldOut:
    """Observations with the block that each is in.

    :param observations: frames in order of time, or strips of pictures
    :param block: number of the block of each, ``(frames,)``
    :param gap: seconds around a block that its fit does not see
    :param description: what was held out, in words
    :param in_time: False where the blocks are strips of pictures
    """

    observations: Sequence[Observation]
    block: np.ndarray
    gap: float
    description: str
    in_time: bool

    @property
    def seconds(self) -> np.ndarray:
        return np.array([o.seconds for o in self.observations])

    @property
    def drives(self) -> np.ndarray:
        return np.array([o.drive for o in self.observations])

    @property
    def short(self) -> bool:
        """True if less than ``evaluation.confidence.SHORTEST`` was driven.

        The interval of the mean would be too narrow: nothing tells the drive's few scenes from all others.
        """
        lengths = [np.ptp(self.seconds[self.drives == drive]) for drive in np.unique(self.drives)]
        return self.in_time and float(sum(lengths)) < SHORTEST

    @property
    def in_doubt(self) -> bool:
        """True if the ground truth of some frames may have an error that all share: no frames held out show
        it."""
        return any(o.doubt > 0 for o in self.observations)

    def interval(self, values: np.ndarray) -> Interval:
        """Mean of a value of each observation, with its 95 % interval.

        Over time it is that of ``evaluation.confidence``. Blocks of a short drive, strips and distances are
        taken for independent, Student's t over their means: that says whether a value is above zero in all of
        what was seen, and nothing of what was not.
        """
        if self.in_time and not self.short:
            found = mean_intervals(values[:, None], self.seconds, self.drives)
            return Interval(*(float(entry[0]) for entry in found[:3]), bool(found.decided[0]))
        means = np.array([values[self.block == number].mean() for number in np.unique(self.block)])
        quantile = _T[min(len(means) - 1, max(_T))]
        half = quantile * means.std(ddof=1) / np.sqrt(len(means))
        return Interval(float(means.mean()), float(means.mean() - half), float(means.mean() + half), False)

    def fits(self, fit: Callable[[Sequence[Observation]], Fit]) -> list[Fit]:
        """For each observation, what was fitted without its block."""
        seconds, drives = self.seconds, self.drives
        found: dict[int, Fit] = {}
        for number in np.unique(self.block):
            inside = self.block == number
            near = inside.copy()
            for drive in np.unique(drives[inside]):
                times = seconds[inside & (drives == drive)]
                near |= (
                    (drives == drive)
                    & (seconds >= times.min() - self.gap)
                    & (seconds <= times.max() + self.gap)
                )
            found[int(number)] = fit([o for o, n in zip(self.observations, near, strict=True) if not n])
        return [found[int(number)] for number in self.block]


def hold_out(observations: Sequence[Observation]) -> HeldOut:
    """Blocks of time, or strips where there are too few frames for ``FEWEST_BLOCKS`` of two each.

    :raises UserError: if there are too few frames for the one, and too few pixels for the other
    """
    count = min(BLOCKS, len(observations) // 2)
    if count >= FEWEST_BLOCKS:
        return _blocks_of_time(observations, count)
    strips = [strip for number, o in enumerate(observations) for strip in _strips(o, number)]
    block = np.array([int(o.seconds) for o in strips])
    if len(np.unique(block)) < FEWEST_BLOCKS:
        raise UserError(
            f"{len(observations)} frames cannot be held out against each other, and have truth in too few "
            f"parts of the picture: record {FEWEST_FRAMES_OF_TIME} frames or more, better a minute of driving"
        )
    pictures = "1 picture" if len(observations) == 1 else f"each of {len(observations)} pictures"
    return HeldOut(strips, block, 0.0, f"{STRIPS} strips of {pictures}", False)


def _blocks_of_time(observations: Sequence[Observation], count: int) -> HeldOut:
    seconds, drives = (np.array([getattr(o, name) for o in observations]) for name in ("seconds", "drive"))
    driven = np.zeros(len(seconds))  # excluding the time between drives
    before = 0.0
    for drive in np.unique(drives):
        own = drives == drive
        since = seconds[own] - seconds[own].min()
        driven[own] = before + since
        before += since.max() + (since.max() / max(1, own.sum() - 1) or 1.0)
    length = before / count
    block = np.minimum((driven / length + 1e-9).astype(int), count - 1)
    text = f"{len(np.unique(block))} blocks of {length:.2g} s"
    return HeldOut(observations, block, min(length / 2, LONGEST_GAP), text, True)


def _strips(observation: Observation, number: int) -> list[Observation]:
    """Parts of a picture from left to right, as frames of a drive of its own, a second apart."""
    place = np.minimum((observation.across * STRIPS).astype(int), STRIPS - 1)
    return [
        dataclasses.replace(observation.part(place == strip, float(strip)), drive=number)
        for strip in range(STRIPS)
        if np.count_nonzero(place == strip) >= FEWEST_PIXELS
    ]
