"""An evaluation as a bag: image, depth, uncertainty and error of every frame, for Foxglove and rviz2.

The layouts in ``config/`` (``foxglove_layout.json``, ``replay.rviz``) show these topics:

===========================  ======  =====================================================================
/camera/left/image_rect      rgb8    the image, with its calibration on ``/camera/left/camera_info``
/depth/image                 32FC1   predicted metres, with the same calibration on ``/depth/camera_info``
/uncertainty/image           32FC1   one sigma in metres
/error/image                 32FC1   prediction - truth in metres: negative is too near; NaN without truth
===========================  ======  =====================================================================

All have the stamp and the frame of the image. Depth is what the model says, without the node's marks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from adu_depth_core.bags import topics
from adu_depth_core.bags.messages import camera_info_message, image_message
from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.inference.prediction import Prediction


class EvaluationRecorder:
    """Context manager that writes a bag of an evaluation, renamed into place when it is complete.

    :param path: folder of the bag
    :raises UserError: see ``BagWriter``
    """

    def __init__(self, path: Path | str) -> None:
        self._bag = BagWriter(path)

    def __enter__(self) -> EvaluationRecorder:
        self._bag.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._bag.__exit__(*error)

    def write(
        self,
        stamp_ns: int,
        frame_id: str,
        image: np.ndarray,
        prediction: Prediction,
        truth: np.ndarray | None = None,
    ) -> None:
        """Append a frame; bag time is its stamp.

        :param stamp_ns: the image's stamp in nanoseconds
        :param frame_id: the camera's optical frame
        :param image: RGB uint8 ``(H, W, 3)``
        :param prediction: of the image, at its size
        :param truth: depth ``(H, W)`` metres; 0, NaN or infinite where unknown. None: no error is written
        """
        info = camera_info_message(prediction.camera, stamp_ns, frame_id)
        maps = {topics.DEPTH: prediction.depth, topics.SIGMA: prediction.sigma}
        if truth is not None:
            known = np.isfinite(truth) & (truth > 0)
            maps[topics.ERROR] = np.where(known, prediction.depth - truth, np.float32(np.nan))
        messages = {
            topics.LEFT_INFO: info,
            topics.LEFT_IMAGE: image_message(image, "rgb8", stamp_ns, frame_id),
            topics.DEPTH_INFO: info,
        }
        for topic, values in maps.items():
            messages[topic] = image_message(
                values.astype(np.float32, copy=False), "32FC1", stamp_ns, frame_id
            )
        for topic, message in messages.items():
            self._bag.write(topic, message, stamp_ns)
