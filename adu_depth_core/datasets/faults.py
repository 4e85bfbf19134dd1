"""Images corrupted as by a faulty driver or camera: they train the uncertainty, not the depth."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

Fault = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def swapped_channels(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """BGR announced as RGB."""
    return np.ascontiguousarray(image[..., ::-1])


def upside_down(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    return np.ascontiguousarray(image[::-1])


def mosaic(image: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """An RGGB Bayer mosaic read as a grey image."""
    raw = image[..., 1].copy()
    raw[::2, ::2] = image[::2, ::2, 0]
    raw[1::2, 1::2] = image[1::2, 1::2, 2]
    return np.repeat(raw[..., None], 3, axis=2)


def noise(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Pure noise: independent pixels."""
    return random.integers(0, 256, image.shape, dtype=np.uint8)


def chequerboard(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A calibration target that fills the view."""
    square = int(random.integers(8, 64))
    rows, columns = (np.arange(count) // square for count in image.shape[:2])
    board = ((rows[:, None] + columns) % 2 * 255).astype(np.uint8)
    return np.repeat(board[..., None], 3, axis=2)


def constant(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A covered or dazzled lens."""
    return np.full_like(image, random.integers(0, 256))


def torn(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Rows read with a wrong step: every row is shifted against the one before."""
    step = int(random.integers(1, 32))
    return np.stack([np.roll(row, step * index, axis=0) for index, row in enumerate(image)])


def out_of_focus(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), random.uniform(6.0, 12.0))


FAULTS: tuple[Fault, ...] = (
    swapped_channels, upside_down, mosaic, noise, chequerboard, constant, torn, out_of_focus,
)  # fmt: skip


def faulty(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The image with one of ``FAULTS`` at random; RGB uint8 ``(H, W, 3)``."""
    return FAULTS[int(random.integers(len(FAULTS)))](image, random)
