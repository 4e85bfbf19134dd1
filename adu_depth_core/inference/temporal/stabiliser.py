"""Temporal stabilisation of a camera's predictions: what is carried on, and when it is discarded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.temporal.fusion import (
    FusedState,
    FusionOptions,
    first_state,
    fuse,
    grey_image,
)
from adu_depth_core.inference.temporal.warp import backward_warp
from adu_depth_core.stillness import stands_still

LONGEST_GAP_NS = 500_000_000
"""Frames farther apart than this have too little in common."""

FASTEST = 100.0
"""Metres per second; a faster motion is a jump of the localisation."""

# Reasons for which a prediction passes unchanged.
FIRST = "first frame"
TIME = "time goes backwards"
GAP = "gap in the frames"
CAMERA = "camera or size changed"
MOTION = "motion unknown"
JUMP = "pose jumps"

Motion = Callable[[int, int], np.ndarray | None]
"""``before_from_now`` 4x4 of the camera's optical frame for two stamps in nanoseconds, before and now; None
where it is not known."""


def unknown_motion(before_ns: int, now_ns: int) -> np.ndarray | None:
    """No motion is ever known: only a static camera is stabilised."""
    return None


@dataclass(frozen=True)
class Stabilised:
    """A prediction after stabilisation.

    :param prediction: fused, or as it was
    :param unfused: empty, or the reason why the prediction is as it was: ``FIRST`` to ``JUMP``
    :param fused_share: share of the pixels to which carried depth contributed at least a tenth, 0 to 1
    """

    prediction: Prediction
    unfused: str = ""
    fused_share: float = 0.0


@dataclass(frozen=True)
class _Before:
    """The frame before."""

    stamp_ns: int
    camera: Camera
    image: np.ndarray
    state: FusedState


class TemporalFusion:
    """Stabilises the predictions of one camera and one model. Not for several threads at a time.

    :param far: metres; the model's greatest depth, which means that far or farther
    :param options: constants of the fusion
    """

    def __init__(self, far: float, options: FusionOptions | None = None) -> None:
        self._far = far
        self._options = options or FusionOptions()
        self._before: _Before | None = None

    def update(
        self, prediction: Prediction, image: np.ndarray, stamp_ns: int, motion: Motion = unknown_motion
    ) -> Stabilised:
        """Fuse the next frame.

        Where the motion is not known, the camera is static if the images are alike
        (``stillness.stands_still``).

        :param prediction: of this frame, at any size; the network's costs least
        :param image: uint8 ``(H, W)`` or ``(H, W, C)``, that the prediction was made from; kept
        :param stamp_ns: of the image, nanoseconds
        :param motion: asked once if there is a frame before
        """
        before, camera = self._before, prediction.camera
        grey = grey_image(image, camera.width, camera.height)
        unfused, moved = self._motion(image, camera, stamp_ns, motion)
        if before is None or moved is None:
            state = first_state(prediction.depth, prediction.sigma, grey, self._options)
            self._before = _Before(stamp_ns, camera, image, state)
            return Stabilised(prediction, unfused)
        noise = self._options.noise_per_metre * float(np.linalg.norm(moved[:3, 3]))
        noise += self._options.noise_per_second * (stamp_ns - before.stamp_ns) / 1e9
        warp = backward_warp(prediction.depth, camera, moved)
        depth, sigma, weight, state = fuse(
            before.state, prediction.depth, prediction.sigma, grey, warp, noise, self._far, self._options
        )
        self._before = _Before(stamp_ns, camera, image, state)
        fused = dataclasses.replace(prediction, depth=depth, sigma=sigma)
        return Stabilised(fused, "", float(np.mean(weight >= 0.1)))

    def _motion(
        self, image: np.ndarray, camera: Camera, stamp_ns: int, motion: Motion
    ) -> tuple[str, np.ndarray | None]:
        """Reason to start over and None, or an empty text and ``before_from_now``."""
        before = self._before
        if before is None:
            return FIRST, None
        elapsed = stamp_ns - before.stamp_ns
        if elapsed <= 0:
            return TIME, None
        if elapsed > LONGEST_GAP_NS:
            return GAP, None
        if before.camera != camera or before.image.shape != image.shape:
            return CAMERA, None
        moved = motion(before.stamp_ns, stamp_ns)
        if moved is None:
            return ("", np.eye(4)) if stands_still(before.image, image) else (MOTION, None)
        if not np.linalg.norm(moved[:3, 3]) <= FASTEST * elapsed / 1e9:  # also if it is NaN
            return JUMP, None
        return "", moved
