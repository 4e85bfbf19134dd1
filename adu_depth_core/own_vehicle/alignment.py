"""Alignment of the ground truth with the image: a wrong extrinsic calibration shifts it.

A network is wrong about metres long before it is wrong about where things are. So the truth of a frame is
laid over the prediction at a grid of shifts: where it belongs, ``ln(prediction / truth)`` varies least. A
shift that all frames share may be the network's (a tilted camera is new to it) and is told; frames that want
different shifts cannot all have the right truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.own_vehicle.observation import FARTHEST, NEAREST

STEP, STEPS = 0.5, 6
"""Degrees between shifts, and how many of them in each direction."""

MOST_PIXELS = 2000

MOST_ERROR = 0.5
"""Errors in log depth count at most this: edges and moving things must not decide."""

APART, GAIN = 1.0, 0.05
"""A frame is at odds with the others if its own shift is at least this many degrees from theirs, and makes
its errors vary less by at least this share; or if the same holds for the shifts of the two groups of frames,
since the best shift over all lies between them and may suit both tolerably.
`benchmarks/own_vehicle.py --only wrong` tries it."""

MOST_AT_ODDS = 0.25
"""Share of frames at odds from which a drive's ground truth counts as inconsistent."""

FEWEST_FRAMES = 5
"""Fewer frames cannot be compared with each other."""


class Shift(NamedTuple):
    """Degrees by which the truth would fit better; below 0 down, or to the left."""

    up: float
    right: float

    def __str__(self) -> str:
        up, right = self
        parts = [f"{abs(up):g} degrees {'higher' if up > 0 else 'lower'}"] if up else []
        parts += [f"{abs(right):g} degrees to the {'right' if right > 0 else 'left'}"] if right else []
        return " and ".join(parts) or "where it is"


@dataclass(frozen=True)
class Alignment:
    """Alignment of a drive's ground truth with its images.

    :param usual: over all frames
    :param at_odds: share of frames that want another shift than all, or than the other group (the larger)
    :param groups: the two that frames fall into, by what they want: number of frames and median shift of each
    """

    usual: Shift
    at_odds: float
    groups: tuple[tuple[int, Shift], tuple[int, Shift]]

    @property
    def contradicts(self) -> bool:
        return self.at_odds > MOST_AT_ODDS

    def __str__(self) -> str:
        (many, one), (others, other) = self.groups
        return f"in {many} frames it fits best {one}, in the other {others} {other}"


def shift_errors(prediction: Prediction, truth: np.ndarray, seed: int) -> np.ndarray | None:
    """Spread of a frame's errors with its ground truth shifted, ``(2 * STEPS + 1,) * 2``: down, right.

    :param prediction: at the size of the truth
    :param truth: metres ``(H, W)``; 0, NaN or infinite where unknown
    :param seed: of the choice of pixels
    :return: None without truth
    """
    with np.errstate(invalid="ignore"):
        rows, columns = np.nonzero((truth > NEAREST) & (truth < FARTHEST))
    if not len(rows):
        return None
    chosen = np.random.default_rng(seed).choice(len(rows), min(len(rows), MOST_PIXELS), replace=False)
    rows, columns = rows[chosen], columns[chosen]
    height, width = truth.shape
    log_truth = np.log(truth[rows, columns])
    camera = prediction.camera
    down, right = (
        np.round(np.arange(-STEPS, STEPS + 1) * np.tan(np.radians(STEP)) * focal).astype(int)
        for focal in (camera.fy, camera.fx)
    )
    errors = np.empty((len(down), len(right)))
    for i, dy in enumerate(down):
        there = np.clip(rows + dy, 0, height - 1)
        for j, dx in enumerate(right):
            error = np.log(prediction.depth[there, np.clip(columns + dx, 0, width - 1)]) - log_truth
            errors[i, j] = np.mean(np.minimum(np.abs(error - np.median(error)), MOST_ERROR))
    return errors


def align(errors: list[np.ndarray]) -> Alignment | None:
    """The alignment of a drive by its frames' ``shift_errors``; None with fewer than ``FEWEST_FRAMES``."""
    if len(errors) < FEWEST_FRAMES:
        return None
    all_frames = np.array(errors)
    usual = _best(all_frames)
    flat = all_frames.reshape(len(errors), -1)
    own = np.stack(np.unravel_index(flat.argmin(axis=1), all_frames[0].shape), axis=1)
    wanted = STEP * (own - STEPS) * (-1, 1)  # up, right
    axis = int(np.argmax(wanted.std(axis=0)))
    low, high = np.quantile(wanted[:, axis], (0.1, 0.9))
    beyond = wanted[:, axis] > (low + high) / 2
    at_odds = _at_odds(all_frames, own, np.broadcast_to(usual, own.shape))
    if beyond.any():  # never all
        best = [_best(all_frames[group]) for group in (beyond, ~beyond)]
        ours, theirs = (np.where(beyond[:, None], *pair) for pair in (best, best[::-1]))
        at_odds = max(at_odds, _at_odds(all_frames, ours, theirs))
    groups = tuple((int(group.sum()), _median(wanted[group])) for group in (~beyond, beyond))
    down, right = STEP * (usual - STEPS)
    return Alignment(Shift(float(-down) + 0.0, float(right)), at_odds, groups)


def _best(errors: np.ndarray) -> np.ndarray:
    """Place in the grid where the frames' mean error is least: row, column."""
    mean = errors.mean(axis=0)
    return np.array(np.unravel_index(np.argmin(mean), mean.shape))


def _at_odds(errors: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> float:
    """Share of frames that one place in the grid suits better than another, by ``APART`` and ``GAIN``.

    :param ours: row and column for each frame, ``(N, 2)``; likewise ``theirs``
    """
    frames = np.arange(len(errors))
    here, there = (errors[frames, places[:, 0], places[:, 1]] for places in (ours, theirs))
    gain = 1 - here / np.maximum(there, 1e-9)
    apart = STEP * np.hypot(*(ours - theirs).T)
    return float(np.mean((apart >= APART) & (gain >= GAIN)))


def _median(shifts: np.ndarray) -> Shift:
    up, right = np.median(shifts, axis=0) + 0.0 if len(shifts) else (0.0, 0.0)
    return Shift(float(up), float(right))
