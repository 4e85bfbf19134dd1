"""Fusion of carried and new depth by inverse variance in log depth, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from adu_depth_core.images import downscale
from adu_depth_core.inference.temporal.warp import Warp

NEAREST = 0.1
"""Metres; carried depth nearer than this is already behind or at the camera."""

BOX = (5, 5)
"""Pixels over which differences between images are averaged."""


@dataclass(frozen=True)
class FusionOptions:
    """Constants of the fusion, chosen on synthetic drives 9000 to 9003 and KITTI odometry 02.

    Errors of successive frames of one network are strongly correlated. The error is therefore modelled as a
    part common to all frames, of variance ``correlation * sigma^2``, and an independent part with the rest.
    Only the latter is averaged, as in a Schmidt-Kalman filter whose common part is considered but not
    estimated, so that sigma never falls below ``sqrt(correlation)`` times that of a single frame.

    On those drives the correlation of errors of neighbouring frames is 0.82 to 0.93. The rest is itself
    correlated over several frames, so averaging it lowers the error by 2 %: 0.95 lowers sigma as much.

    :param correlation: share of the error's variance that is common to all frames, 0 to 1
    :param noise_per_metre: growth of the carried variance per metre of camera motion, in ``sigma^2``
    :param noise_per_second: growth of the carried variance per second, in ``sigma^2``
    :param gate: innovation from which carried depth is rejected, in standard deviations of its part that is
        not common to all frames (``gate * sqrt(2 * (1 - correlation))`` is 3.5 sigma at first); Tukey's
        biweight lowers its weight on the way there
    :param drift_gate: the same limit for the moving average of a pixel's signed innovation: white on static
        surfaces, biased on moving objects (a test of innovation whiteness)
    :param drift_memory: share of that average that is kept from frame to frame
    :param image_gate: grey levels; where the carried image differs by more on average, its weight falls, to
        0 at twice that
    :param stationary_margin: grey levels; a pixel whose surroundings match the image before better without
        motion, by more than this, shows an object that moves with the camera (auto-masking, Godard et al.
        2019)
    """

    correlation: float = 0.95
    noise_per_metre: float = 0.0025
    noise_per_second: float = 0.025
    gate: float = 11.0
    drift_gate: float = 3.5
    drift_memory: float = 0.7
    image_gate: float = 8.0
    stationary_margin: float = 0.5


class FusedState(NamedTuple):
    """Carried from frame to frame.

    :param maps: float32 ``(H, W, 3)``: depth in metres; variance of the independent part of its log; moving
        average of the normalised innovation
    :param grey: image, float32 ``(H, W)`` of 0 to 255, slightly blurred
    """

    maps: np.ndarray
    grey: np.ndarray


class Fused(NamedTuple):
    """Result of a fusion.

    :param depth: float32 ``(H, W)`` metres
    :param sigma: float32 ``(H, W)`` metres; sigma / depth is at most that of the new prediction
    :param weight: float32 ``(H, W)``: share of carried depth in the result, 0 where it was rejected
    :param state: for the next frame
    """

    depth: np.ndarray
    sigma: np.ndarray
    weight: np.ndarray
    state: FusedState


def first_state(depth: np.ndarray, sigma: np.ndarray, grey: np.ndarray, options: FusionOptions) -> FusedState:
    """State after a frame that was not fused; arrays as in ``fuse``."""
    fresh = (1 - options.correlation) * np.square(sigma / depth)
    return FusedState(cv2.merge([depth, fresh, np.zeros_like(depth)]), grey)


def fuse(
    state: FusedState,
    depth: np.ndarray,
    sigma: np.ndarray,
    grey: np.ndarray,
    warp: Warp,
    noise: float,
    far: float,
    options: FusionOptions,
) -> Fused:
    """Fuse a prediction with what the frames before say.

    :param state: after the frame before
    :param depth: predicted, float32 ``(H, W)`` metres
    :param sigma: predicted, float32 ``(H, W)`` metres, one sigma
    :param grey: image of this frame, as in ``FusedState``
    :param warp: of ``depth``, to the frame before
    :param noise: process noise since the frame before, in ``sigma^2``
    :param far: metres; depth from here on means that far or farther and is not fused
    """
    total = np.square(sigma / depth)
    fresh = np.float32(1 - options.correlation) * total
    before, variance, drift = cv2.split(warp.fetch(state.maps))
    expected = before + warp.advance
    valid = warp.seen & (expected > NEAREST) & (depth < far) & (before < np.float32(0.999 * far))
    expected = np.where(valid, expected, depth)
    innovation = np.log(expected / depth)
    # A point's error in metres stays the same while its depth changes.
    variance = variance * np.square(before / expected) + np.float32(noise) * total
    both = variance + fresh
    normalised = innovation / np.sqrt(both)
    gate = np.float32(options.gate)
    drift = np.where(
        valid,
        options.drift_memory * drift
        + np.float32(1 - options.drift_memory) * np.clip(normalised, -gate, gate),
        np.float32(0),
    )
    weight = np.square(np.maximum(1 - np.square(normalised / gate), 0))  # Tukey's biweight
    weight *= np.maximum(1 - np.square(drift / np.float32(options.drift_gate)), 0)
    weight *= _image_weight(state.grey, grey, warp, options)
    weight *= valid
    weight *= fresh / both
    fused = np.minimum(depth * np.exp(weight * innovation), np.where(valid, np.float32(far), depth))
    rest = np.minimum(np.square(weight) * variance + np.square(1 - weight) * fresh, fresh)
    spread = fused * np.sqrt(np.float32(options.correlation) * total + rest)
    return Fused(fused, spread, weight, FusedState(cv2.merge([fused, rest, drift]), grey))


def _image_weight(before: np.ndarray, now: np.ndarray, warp: Warp, options: FusionOptions) -> np.ndarray:
    """Weight of carried depth by the images' agreement, 0 to 1, float32 ``(H, W)``."""
    moved = _difference(warp.fetch(before), now)
    weight = np.clip(2 - moved / np.float32(options.image_gate), 0, 1)
    stationary = _difference(before, now)
    weight *= moved < stationary + np.float32(options.stationary_margin)
    return weight.astype(np.float32, copy=False)


def _difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Mean absolute difference around each pixel, without that of the exposure."""
    difference = one - other
    difference -= np.median(difference[::4, ::4])
    averaged: np.ndarray = cv2.blur(np.abs(difference), BOX)
    return averaged


def grey_image(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Image for ``fuse``.

    :param image: uint8 ``(H, W)`` or ``(H, W, C)`` of 1, 3 or 4 channels in any order of colours
    :return: brightness, float32 ``(height, width)`` of 0 to 255
    """
    small = downscale(image, width, height).reshape(height, width, -1)
    # Red and blue may be swapped: the same in all frames.
    channels = small.shape[2]
    if channels > 1:
        code = cv2.COLOR_RGB2GRAY if channels == 3 else cv2.COLOR_RGBA2GRAY
        small = cv2.cvtColor(small, code)
    grey: np.ndarray = small.reshape(height, width).astype(np.float32)
    return cv2.GaussianBlur(grey, (3, 3), 0, dst=grey)
