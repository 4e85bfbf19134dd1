"""Folders in KITTI's object and odometry layouts: ``image_2``, optionally ``image_3`` and ``gt_depth``.

Calibration is ``calib/<frame>.txt`` for each frame (object, stereo) or one ``calib.txt`` (odometry).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adu_depth_core.datasets.folders import chosen, first_folder
from adu_depth_core.datasets.kitti_calibration import read_camera, read_stereo_calibration
from adu_depth_core.datasets.sample import Sample, check_same_size
from adu_depth_core.errors import UserError
from adu_depth_core.images import read_png16, read_rgb

IMAGE_SUFFIXES = (".png", ".jpg")


class KittiFolder:
    """Frames of a folder in KITTI's layout, in name order.

    :param root: folder that holds ``image_2``
    :param scenes: names of frames; None for all that are there
    :raises UserError: if there is no ``image_2``, it holds no image or lacks a scene; and on access if a
        file of the frame cannot be read or does not fit its image
    """

    def __init__(self, root: Path, scenes: Sequence[str] | None = None) -> None:
        self.root = Path(root)
        images = first_folder([self.root / "image_2"], self.root, "KITTI object or odometry layout")
        self._images = {path.stem: path for path in images.iterdir() if path.suffix in IMAGE_SUFFIXES}
        if not self._images:
            raise UserError(f"{images} holds no image (looked for {', '.join(IMAGE_SUFFIXES)})")
        self.scenes = chosen(scenes, sorted(self._images), images)

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Sample:
        path = self._images[self.scenes[index]]
        left = read_rgb(path)
        height, width = left.shape[:2]
        calibration = self.root / "calib" / f"{path.stem}.txt"
        if not calibration.is_file():
            calibration = self.root / "calib.txt"
        right_path, depth_path = self.root / "image_3" / path.name, self.truth_path(path.stem)
        right, baseline, depth = None, None, None
        if right_path.is_file():
            right = read_rgb(right_path)
            check_same_size(right_path, right, left)
            camera, baseline = read_stereo_calibration(calibration, width, height)
        else:
            camera = read_camera(calibration, width, height)
        if depth_path.is_file():
            depth = read_png16(depth_path)
            check_same_size(depth_path, depth, left)
        return Sample(path.stem, left, right, depth, camera, baseline)

    def truth_path(self, scene: str) -> Path:
        """Path of a frame's depth, if the folder has one."""
        return self.root / "gt_depth" / f"{scene}.png"
