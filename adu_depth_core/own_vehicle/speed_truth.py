"""Ground truth from the vehicle's motion: points tracked between two images, and the metres between them."""

from __future__ import annotations

import cv2
import numpy as np

from adu_depth_core.bags.frames import BagFrame
from adu_depth_core.bags.travel import Travel
from adu_depth_core.own_vehicle.tracked_points import tracked_depth

LEAST_METRES = 1.0
"""Between the two images: less gives too little parallax."""

LONGEST_NS = 1_000_000_000
"""Between them; a vehicle that is slower than a metre in that time stands or parks."""


class SpeedTruth:
    """Pairs the frames of a bag, each with the first that is far enough on.

    :param travel: of the vehicle, where the frames have no poses; None without
    :param by_poses: whether the poses of the frames count
    """

    def __init__(self, travel: Travel | None, by_poses: bool = True) -> None:
        self._travel = travel
        self._by_poses = by_poses
        self._first: BagFrame | None = None

    def add(self, frame: BagFrame, may_begin: bool) -> tuple[BagFrame, np.ndarray | None] | None:
        """Take the next frame.

        :param may_begin: whether the frame is one of those to observe
        :return: an earlier frame and its depth as ``tracked_depth`` has it, where this one completes a pair
        """
        first, found = self._first, None
        if first is not None:
            metres = self._metres(first, frame)
            if metres is not None and metres >= LEAST_METRES:
                images = (cv2.cvtColor(f.image, cv2.COLOR_RGB2GRAY) for f in (first, frame))
                found = first, tracked_depth(*images, first.camera, metres)
            if found is not None or metres is None or frame.stamp_ns - first.stamp_ns > LONGEST_NS:
                first = None
        self._first = frame if first is None and may_begin else first
        return found

    def _metres(self, first: BagFrame, second: BagFrame) -> float | None:
        if second.stamp_ns - first.stamp_ns > LONGEST_NS:
            return None
        here, there = first.world_from_camera, second.world_from_camera
        if self._by_poses and here is not None and there is not None:
            return float(np.linalg.norm(there[:3, 3] - here[:3, 3]))
        return None if self._travel is None else self._travel.between(first.stamp_ns, second.stamp_ns)
