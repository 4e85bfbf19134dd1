"""Network input size that matches a camera, and the batch that a model takes."""

from __future__ import annotations

import math

from adu_depth_core.camera import Camera
from adu_depth_core.model_card import ModelCard


def fit_network_size(camera: Camera, card: ModelCard) -> tuple[int, int]:
    """Input size with the camera's aspect and about as many pixels as the model was trained for.

    About the same number of pixels keeps the time per frame; the camera's aspect leaves little border
    and counts twice.

    :return: ``(height, width)``, multiples of ``card.size_multiple``
    """
    pixels, multiple = card.input_height * card.input_width, card.size_multiple
    aspect = camera.width / camera.height

    def misfit(size: tuple[int, int]) -> float:
        height, width = size
        return abs(math.log(height * width / pixels)) + 2 * abs(math.log(width / height / aspect))

    heights = range(multiple, max(multiple, math.ceil(2 * math.sqrt(pixels / aspect))) + multiple, multiple)
    candidates = [(h, max(1, round(h * aspect / multiple)) * multiple) for h in heights]
    return min(candidates, key=misfit)


def fixed_network_size(card: ModelCard) -> tuple[int, int] | None:
    """``(height, width)`` of a file made for one input size, an export or engine; None if it takes any."""
    shape = card.extra.get("input_shape", ())
    if "engine" in card.extra or any(isinstance(side, int) for side in shape[2:]):
        return card.input_height, card.input_width
    return None


def largest_batch(card: ModelCard) -> int | None:
    """Largest number of images that the file takes at once together with single ones; None if any."""
    if "engine" in card.extra:
        profiles = card.extra["engine"]["profiles"]
        return max(high[0] for _, _, high in profiles) if any(low[0] == 1 for low, _, _ in profiles) else 1
    shape = card.extra.get("input_shape", ())
    return 1 if shape and isinstance(shape[0], int) else None


def check_network_size(size: tuple[int, int], card: ModelCard) -> None:
    """:raises ValueError: if ``(height, width)`` is not a size that the model's network accepts"""
    multiple = card.size_multiple
    height, width = size
    if height <= 0 or width <= 0 or height % multiple or width % multiple:
        nearest = tuple(max(1, round(side / multiple)) * multiple for side in size)
        raise ValueError(
            f"network size {height}x{width} (height x width) does not fit this model: both must be positive "
            f"multiples of {multiple}; the nearest is {nearest[0]}x{nearest[1]}"
        )
