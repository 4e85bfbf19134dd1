"""Real frames as network inputs for calibration and comparison, from images, videos or a bag."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.camera_info import camera_from_info
from adu_depth_core.errors import UserError, require
from adu_depth_core.image_decoding import decode_compressed
from adu_depth_core.images import read_rgb
from adu_depth_core.inference.backends.base import NetworkInput
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.preprocess import Preprocessor
from adu_depth_core.media import Video, find_media, is_video
from adu_depth_core.model_card import ModelCard

logger = logging.getLogger(__name__)

FIELD_OF_VIEW = 82.0
"""Assumed horizontal field of view in degrees of a camera with unknown intrinsics: KITTI's."""


class Frame(NamedTuple):
    """An image to calibrate or compare on.

    :param image: RGB uint8 ``(H, W, 3)``
    :param camera: its intrinsics; None if unknown, see ``typical_camera``
    """

    image: np.ndarray
    camera: Camera | None = None


def read_frames(
    source: Path, limit: int, camera_for: Callable[[int, int], Camera] | None = None
) -> list[Frame]:
    """Up to ``limit`` images, spread evenly over the source.

    :param source: image, video, folder of them, or bag (its left rectified image, with its camera_info)
    :param camera_for: the camera of an image of ``(width, height)``; None for a bag's camera_info
    :raises UserError: if the source does not exist or holds no image
    """
    frames = list(_bag_frames(source, limit)) if _is_bag(source) else _file_frames(source, limit)
    if camera_for is not None:
        frames = [Frame(image, camera_for(image.shape[1], image.shape[0])) for image, _ in frames]
    return frames


def _file_frames(source: Path, limit: int) -> list[Frame]:
    files = find_media(source)
    images = [file for file in files if not is_video(file)]
    frames = [Frame(read_rgb(file)) for file in _spread(images, limit)]
    for video in (file for file in files if is_video(file)):
        if len(frames) < limit:
            frames += map(Frame, islice(Video(video), limit - len(frames)))
    return frames


def typical_camera(width: int, height: int) -> Camera:
    """The camera assumed for an image with unknown intrinsics."""
    focal = width / 2 / math.tan(math.radians(FIELD_OF_VIEW / 2))
    return Camera(focal, focal, (width - 1) / 2, (height - 1) / 2, width, height)


def describe_cameras(frames: Iterable[Frame]) -> str:
    """Description of the frames' cameras, for a card."""
    if all(frame.camera is not None for frame in frames):
        return "as calibrated"
    return f"assumed, {FIELD_OF_VIEW:.0f} degrees across"


def network_inputs(frames: Iterable[Frame], card: ModelCard, size: tuple[int, int]) -> list[NetworkInput]:
    """The frames as network inputs, one image each."""
    preprocess = Preprocessor(card, size)
    inputs = []
    for image, known in frames:
        rows, columns = image.shape[:2]
        camera = known or typical_camera(columns, rows)
        seen = preprocess(image, Placement.fit(camera, size))
        inputs.append(NetworkInput(*(values.copy() for values in seen)))
    return inputs


def synthetic_frames(size: tuple[int, int], count: int = 4) -> list[Frame]:
    """Random smooth images: sufficient to compare two runtimes, not to calibrate."""
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(count):
        coarse = rng.uniform(0, 255, (6, 20, 3)).astype(np.float32)
        image = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC) + rng.normal(0, 4, (*size, 3))
        frames.append(Frame(np.clip(image, 0, 255).astype(np.uint8)))
    return frames


def _is_bag(path: Path) -> bool:
    return path.suffix in (".mcap", ".db3", ".bag") or (path / "metadata.yaml").is_file()


def _bag_frames(path: Path, limit: int) -> Iterator[Frame]:
    require("rosbags", "bags", "to read frames from a bag")
    from adu_depth_core.bags.reader import BagReader
    from adu_depth_core.bags.topic_choice import TopicOptions, choose_topics

    with BagReader(path) as bag:
        filled = {topic: kind for topic, kind in bag.topics.items() if bag.message_counts[topic]}
        topics = choose_topics(filled, str(path), TopicOptions(truth="none"))
        infos = bag.messages([topics.camera_info]) if topics.camera_info else iter(())
        info = next((message.content for message in infos), None)
        chosen = set(_spread(list(range(bag.message_counts[topics.image])), limit))
        for number, message in enumerate(bag.messages([topics.image])):
            if number in chosen:
                origin = f"{topics.image} of {path}"
                image = _rgb(message.content, origin)
                yield Frame(image, _camera(info, image, origin))


def _camera(info: Any, image: np.ndarray, origin: str) -> Camera | None:
    """The camera of a bag's image, if known."""
    if info is None:
        return None
    try:
        return camera_from_info(info, image.shape[1], image.shape[0])
    except ValueError as error:
        logger.warning("%s: a camera is assumed, as its %s", origin, error)
        return None


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
