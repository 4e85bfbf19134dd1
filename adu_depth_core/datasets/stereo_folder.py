"""Pairs or single images of a user's own rig, with optional depth, as written by ``adu_depth extract``.

calibration.json      fx, fy, cx, cy, width, height of the views, and baseline (metres; null: no pairs)
left/NAME.png         rectified left images
right/NAME.png        rectified right images, unless the baseline is null
depth/NAME.png        depth of the left view, uint16 / 256 metres, 0 unknown; may be missing
labels/NAME.png       the same by ``adu_depth make-labels``: replaces depth in training, but is not ground
truth
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.folders import chosen, contents
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.errors import UserError
from adu_depth_core.files import write_atomically
from adu_depth_core.images import read_png16, read_rgb, write_png16

CALIBRATION = "calibration.json"


class StereoFolder:
    """Frames of a stereo folder in name order.

    :param root: the folder
    :param scenes: names of frames; None for all
    :raises UserError: if the calibration or the images are missing or damaged; and on access if a file
        cannot be read or does not fit the calibration
    """

    def __init__(self, root: Path, scenes: Sequence[str] | None = None) -> None:
        self.root = Path(root)
        self.camera, self.baseline = read_calibration(self.root / CALIBRATION)
        present = sorted(path.stem for path in (self.root / "left").glob("*.png"))
        if not present:
            raise UserError(f"{self.root / 'left'} holds no image (*.png); {self.root} {contents(self.root)}")
        self.scenes = chosen(scenes, present, self.root / "left")

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Sample:
        name = self.scenes[index]
        left = self._view("left", name)
        right = None if self.baseline is None else self._view("right", name)
        depth = None
        for path in (self.truth_path(name), label_path(self.root, name)):
            if path.is_file():
                depth = read_png16(path)
                self._check_size(path, depth)
                break
        return Sample(name, left, right, depth, self.camera, self.baseline)

    def truth_path(self, scene: str) -> Path:
        """Path of a frame's measured depth, if the folder has one. Labels are not ground truth."""
        return self.root / "depth" / f"{scene}.png"

    def _view(self, side: str, name: str) -> np.ndarray:
        path = self.root / side / f"{name}.png"
        image = read_rgb(path)
        self._check_size(path, image)
        return image

    def _check_size(self, path: Path, values: np.ndarray) -> None:
        if values.shape[:2] != self.camera.size:
            raise UserError(
                f"{path} has {values.shape[:2]} (height, width), {CALIBRATION} says {self.camera.size}"
            )


def label_path(root: Path, scene: str) -> Path:
    """Path of a frame's label by stereo matching, if there is one."""
    return root / "labels" / f"{scene}.png"


def write_sample(root: Path, sample: Sample) -> None:
    """Write a frame to a stereo folder. The left image is written last, so a frame that has one is complete.

    :param sample: a stereo pair, or a single image; its depth may be None
    :raises UserError: if a file cannot be written
    """
    if sample.depth is not None:
        write_png16(root / "depth" / f"{sample.name}.png", sample.depth)
    for side, image in (("right", sample.right), ("left", sample.left)):
        if image is None:
            continue
        path = root / side / f"{sample.name}.png"
        with write_atomically(path) as temporary:
            if not cv2.imwrite(str(temporary), cv2.cvtColor(image, cv2.COLOR_RGB2BGR)):
                raise UserError(f"{path} could not be written")


def write_calibration(path: Path, camera: Camera, baseline: float | None) -> None:
    """Write the calibration of both rectified views; baseline in metres, None of single images."""
    content = {**dataclasses.asdict(camera), "baseline": baseline}
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_calibration(path: Path) -> tuple[Camera, float | None]:
    """Camera and baseline in metres; None of single images.

    :raises UserError: if the file is missing, not JSON, or an entry is missing or out of range
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        entries = {field.name: content[field.name] for field in dataclasses.fields(Camera)}
        camera, baseline = Camera(**entries), content["baseline"]
        baseline = None if baseline is None else float(baseline)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is not the calibration of a stereo folder ({error!r}); {path.parent} "
            f"{contents(path.parent)}; docs/training_data.md describes the layout"
        ) from error
    if baseline is not None and not baseline > 0:
        raise UserError(f"{path}: baseline is {baseline}, must be positive metres")
    return camera, baseline
