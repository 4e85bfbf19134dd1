"""Temporal stabilisation of one camera's frames."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np

from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.temporal.stabiliser import MOTION, TemporalFusion
from adu_depth_core.memory import keep_freed_memory
from adu_depth_ros.image_reader import SeenImage
from adu_depth_ros.vehicle_motion import VehicleMotion


class StabilisedFrame(NamedTuple):
    """:param unfused: reason why the prediction is that of the frame alone; empty if it is fused"""

    prediction: Prediction
    unfused: str


class CameraStabiliser:
    """Fuses a camera's predictions over time. A worker that hung may still be in ``update`` when its
    successor calls it: one frame at a time.

    :param motion: of the vehicle
    """

    def __init__(self, motion: VehicleMotion) -> None:
        self._motion = motion
        self._lock = threading.Lock()
        self._fusion: TemporalFusion | None = None
        self._predictor: Predictor | None = None

    def update(
        self, prediction: Prediction, seen: SeenImage, frame_id: str, predictor: Predictor
    ) -> StabilisedFrame:
        """The frame's prediction, fused with the frames before.

        Looks up the motion after the inference, because transforms arrive later than images.

        :param prediction: at the network's size
        """
        problem = ""

        def motion(before_ns: int, now_ns: int) -> np.ndarray | None:
            nonlocal problem
            try:
                moved = self._motion.between(frame_id, before_ns, now_ns)
            except LookupError as error:
                problem = str(error)
                return None
            if seen.rotation is None:
                return moved
            turn = np.eye(4)
            turn[:3, :3] = seen.rotation
            turned: np.ndarray = turn @ moved @ turn.T
            return turned

        with self._lock:
            if self._fusion is None or predictor is not self._predictor:  # another model has other errors
                # Its two dozen arrays of half a megabyte would each be fetched from the system and returned.
                keep_freed_memory()
                self._fusion, self._predictor = TemporalFusion(predictor.card.depth_max), predictor
            stabilised = self._fusion.update(prediction, seen.image, seen.stamp.nanoseconds, motion)
        unfused = f"{MOTION}: {problem}" if stabilised.unfused == MOTION else stabilised.unfused
        return StabilisedFrame(stabilised.prediction, unfused)

    def reset(self) -> None:
        """Forget the frames before."""
        with self._lock:
            self._fusion = self._predictor = None
