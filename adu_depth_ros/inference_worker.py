"""The thread that predicts."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.inference.predictor import Predictor
from adu_depth_ros.camera_stream import CameraStream, ReceivedFrame
from adu_depth_ros.mailbox import Mailbox

STOP_S = 5.0
"""How long ``stop`` waits for the frame in work."""


class InferenceWorker:
    """Predicts the frames of all cameras from construction to ``stop``.

    :param mailbox: where the cameras leave their frames
    :param streams: the cameras, to be told of a failure that concerns them all

    :ivar predictor: what predicts the next frame; may be replaced at any time
    """

    def __init__(
        self,
        mailbox: Mailbox[CameraStream, ReceivedFrame],
        predictor: Predictor,
        streams: Sequence[CameraStream],
    ) -> None:
        self.predictor = predictor
        self._mailbox = mailbox
        self._streams = streams
        self._thread = threading.Thread(target=self._work, name="inference", daemon=True)
        self._thread.start()

    def stop(self) -> bool:
        """Let the frame in work end, and forget the others.

        :return: False if the thread went on for ``STOP_S``, and is left behind
        """
        self._mailbox.close()
        self._thread.join(STOP_S)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            warm_up(self.predictor)
        except Exception as error:  # the frames will tell whether it was for good
            for stream in self._streams:
                stream.statistics.fault(stream.log_fault(error))
        while (taken := self._mailbox.take()) is not None:
            stream, frame = taken
            stream.process(frame, self.predictor)
            self._mailbox.done(stream)


def warm_up(predictor: Predictor, camera: Camera | None = None) -> None:
    """Predict once: the first time is slow enough to lose a frame of a 10 Hz camera.

    :param camera: whose images are to come; None for one of the network's own size
    """
    if camera is None:
        height, width = predictor.network_size
        camera = Camera(width, width, 0.0, 0.0, width, height)
    predictor.predict(np.zeros((*camera.size, 3), np.uint8), camera)
