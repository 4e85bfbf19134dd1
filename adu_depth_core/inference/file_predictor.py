"""Predictions for image and video files, written as pictures and 16-bit maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.files import write_atomically
from adu_depth_core.images import read_rgb, write_png16
from adu_depth_core.inference.depth_output import MAX_RELATIVE_SIGMA, mark_depth
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.interrupts import stop_on_interrupt
from adu_depth_core.live_video import LiveVideo
from adu_depth_core.media import Video, is_video, write_video
from adu_depth_core.visualization import prediction_figure


class FilePredictor:
    """Writes ``color/``, ``depth/`` and ``sigma/`` of image and video files below one folder.

    :param out: folder of the results
    :param predictor: predicts the images
    :param camera_for: the camera of a file's image of ``(width, height)``
    :param on_frame: called after each frame
    :param video_maps: also write ``depth/NAME/000000.png`` ... and ``sigma/NAME/`` of videos
    :param max_relative_sigma: pixels with a larger sigma / depth are grey in the pictures; maps are complete
    """

    def __init__(
        self,
        out: Path,
        predictor: Predictor,
        camera_for: Callable[[Path | LiveVideo, int, int], Camera],
        on_frame: Callable[[], None],
        video_maps: bool = False,
        max_relative_sigma: float = MAX_RELATIVE_SIGMA,
    ) -> None:
        self._out = out
        self._predictor = predictor
        self._camera_for = camera_for
        self._on_frame = on_frame
        self._video_maps = video_maps
        self._max_relative_sigma = max_relative_sigma

    def predict(self, path: Path | LiveVideo) -> None:
        """Predict a file and write ``color/NAME``, ``depth/NAME`` and ``sigma/NAME``.

        :param path: image or video file, or a live source, read until it ends or Ctrl-C is pressed
        :raises UserError: if the file cannot be read or a result cannot be written
        """
        if isinstance(path, LiveVideo) or is_video(path):
            video = Video(path)
            target = self._out / "color" / f"{path.stem}.mp4"
            if not isinstance(path, LiveVideo):
                write_video(target, self._video_figures(video), video.rate)
                return
            with stop_on_interrupt() as stop:
                write_video(target, _until(stop, self._video_figures(video)), video.rate)
            return
        prediction, figure = self._predict(path, read_rgb(path))
        self._write_maps(prediction, path.stem)
        target = self._out / "color" / f"{path.stem}.png"
        with write_atomically(target) as temporary:
            if not cv2.imwrite(str(temporary), cv2.cvtColor(figure, cv2.COLOR_RGB2BGR)):
                raise UserError(f"{target} could not be written")
        self._on_frame()

    def _video_figures(self, video: Video) -> Iterator[np.ndarray]:
        for number, image in enumerate(video):
            prediction, figure = self._predict(video.path, image)
            if self._video_maps:
                self._write_maps(prediction, f"{video.path.stem}/{number:06d}")
            self._on_frame()  # before the yield: the consumer may stop iterating here
            yield figure

    def _predict(self, path: Path | LiveVideo, image: np.ndarray) -> tuple[Prediction, np.ndarray]:
        camera = self._camera_for(path, image.shape[1], image.shape[0])
        prediction = self._predictor.predict(image, camera)
        card = self._predictor.card
        far, near = card.depth_max, max(card.depth_min, card.depth_max / 40)
        shown = mark_depth(prediction.depth, prediction.sigma, np.inf, self._max_relative_sigma)
        return prediction, prediction_figure(image, shown, prediction.sigma, near, far)

    def _write_maps(self, prediction: Prediction, name: str) -> None:
        write_png16(self._out / "depth" / f"{name}.png", prediction.depth)
        write_png16(self._out / "sigma" / f"{name}.png", prediction.sigma)


def _until(stop: Callable[[], bool], frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    for frame in frames:
        yield frame
        if stop():
            return
