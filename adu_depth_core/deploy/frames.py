"""Real frames for calibration and comparison, from images, videos or a bag, as network inputs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.depth_png import read_rgb
from adu_depth_core.errors import UserError, require
from adu_depth_core.image_decoding import decode_compressed
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.preprocess import Preprocessor
from adu_depth_core.media import Video, find_media, is_video
from adu_depth_core.model_card import ModelCard


def read_frames(source: Path, limit: int) -> list[np.ndarray]:
    """Up to ``limit`` images, spread evenly over the source.

    :param source: image, video, folder of them, or rosbag2 folder (its first image topic by name)
    :return: RGB uint8 ``(H, W, 3)`` each
    :raises UserError: if the source does not exist or holds no image
    """
    if _is_bag(source):
        return list(_bag_images(source, limit))
    files = find_media(source)
    images = [file for file in files if not is_video(file)]
    frames = [read_rgb(file) for file in _spread(images, limit)]
    for video in (file for file in files if is_video(file)):
        if len(frames) < limit:
            frames += islice(Video(video), limit - len(frames))
    return frames


def network_inputs(images: list[np.ndarray], card: ModelCard, size: tuple[int, int]) -> list[np.ndarray]:
    """The images as the network gets them: float32 ``(1, 3, height, width)`` each."""
    preprocess = Preprocessor(card, size)
    tensors = []
    for image in images:
        rows, columns = image.shape[:2]
        # Only the image's size matters here: how it is placed does not depend on the focal length.
        camera = Camera(card.f_ref, card.f_ref, columns / 2, rows / 2, columns, rows)
        tensors.append(preprocess(image, Placement.fit(camera, size)).copy())
    return tensors


def synthetic_images(size: tuple[int, int], count: int = 4) -> list[np.ndarray]:
    """Random smooth pictures, RGB uint8: good enough to compare two runtimes, not to calibrate."""
    rng = np.random.default_rng(0)
    images = []
    for _ in range(count):
        coarse = rng.uniform(0, 255, (6, 20, 3)).astype(np.float32)
        image = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC) + rng.normal(0, 4, (*size, 3))
        images.append(np.clip(image, 0, 255).astype(np.uint8))
    return images


def _is_bag(path: Path) -> bool:
    return path.suffix in (".mcap", ".db3", ".bag") or (path / "metadata.yaml").is_file()


def _bag_images(path: Path, limit: int) -> Iterator[np.ndarray]:
    require("rosbags", "bags", "to read frames from a bag")
    from adu_depth_core.bags.messages import COMPRESSED_IMAGE, IMAGE
    from adu_depth_core.bags.reader import BagReader

    with BagReader(path) as bag:
        topics = [t for t, kind in sorted(bag.topics.items()) if kind in (IMAGE, COMPRESSED_IMAGE)]
        topics = [t for t in topics if "depth" not in t and bag.message_counts[t]]
        if not topics:
            raise UserError(
                f"bag {path} has no camera images; its topics: {', '.join(sorted(bag.topics)) or 'none'}"
            )
        chosen = set(_spread(list(range(bag.message_counts[topics[0]])), limit))
        for number, message in enumerate(bag.messages(topics[:1])):
            if number in chosen:
                yield _rgb(message.content, f"{topics[0]} of {path}")


def _rgb(message: Any, origin: str) -> np.ndarray:
    """A ROS image message as RGB."""
    from adu_depth_core.bags.messages import image_array

    try:
        if not hasattr(message, "encoding"):
            return cv2.cvtColor(decode_compressed(message)[0], cv2.COLOR_BGR2RGB)
        pixels = image_array(message)
    except ValueError as error:
        raise UserError(f"{origin}: {error}") from error
    if pixels.dtype != np.uint8:
        raise UserError(f"{origin} is {message.encoding}: a camera image (rgb8, bgr8, mono8) is needed")
    if pixels.ndim == 2:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    return pixels[..., ::-1].copy() if message.encoding == "bgr8" else pixels


def _spread(items: list, limit: int) -> list:
    if len(items) <= limit:
        return items
    return [items[int(i)] for i in np.linspace(0, len(items) - 1, limit).round()]
