"""Image, depth and sigma side by side: a video, a GIF for web pages, and one frame as a PNG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from adu_depth_core.errors import require
from adu_depth_core.media import write_video
from adu_depth_core.visualization import prediction_figure
from adu_depth_ros.demo.results import Result

GIF_WIDTH = 640
GIF_EVERY = 2
"""Frames of the video for one of the GIF."""

GIF_FRAMES = 50
"""A GIF of more is too large for a web page."""


def write_pictures(results: Iterable[Result], rate: float, folder: Path) -> None:
    """Write ``demo.mp4``, ``demo.gif`` of its beginning, and ``frame.png`` from the middle of the GIF.

    :param results: the frames, at least one
    :param rate: frames per second
    :param folder: where to
    :raises UserError: if the video cannot be written
    """
    image_module = require("PIL.Image", "demo", "to write a GIF")
    kept: list[np.ndarray] = []
    write_video(folder / "demo.mp4", _figures(results, kept), rate)
    images = [image_module.fromarray(_shrink(figure)) for figure in kept]
    duration_ms = round(1000 * GIF_EVERY / rate)
    images[0].save(folder / "demo.gif", save_all=True, append_images=images[1:], duration=duration_ms, loop=0)
    image_module.fromarray(kept[len(kept) // 2]).save(folder / "frame.png")


def _figures(results: Iterable[Result], kept: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Figure of each result; those for the GIF are kept."""
    for index, result in enumerate(results):
        figure = prediction_figure(result.image, result.depth, result.sigma)
        if index % GIF_EVERY == 0 and len(kept) < GIF_FRAMES:
            kept.append(figure)
        yield figure


def _shrink(figure: np.ndarray) -> np.ndarray:
    height = round(figure.shape[0] * GIF_WIDTH / figure.shape[1])
    return cv2.resize(figure, (GIF_WIDTH, height), interpolation=cv2.INTER_AREA)
