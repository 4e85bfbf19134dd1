"""DrivingStereo, as published (drivingstereo-dataset.github.io, index.md), half or full size.

The archives unpack without a common folder. Expected, as OpenStereo (data/DrivingStereo/README.md) has them:

    train-left-image/SEQUENCE/NAME.jpg               and -right-image, -disparity-map, -depth-map (.png)
    test-left-image/left-image-half-size/NAME.jpg    and the others; or left-image-full-size
    sunny/left-image-half-size/NAME.jpg              and cloudy, foggy, rainy; or left-image-full-size
    ANY/half-image-calib/SEQUENCE.txt                and full-image-calib, in up to two folders of any name

NAME is ``SEQUENCE_TIME``, such as ``2018-07-11-14-48-52_2018-07-11-14-50-08-769``. Between the folders above
and the files there may be further ones, as some archives bring them. The depth map is read where there is
one, else the disparity map. Both are uint16 PNG, 0 unknown: depth / 256 metres, half-size disparity / 256
pixels, but full-size disparity / 128 (so index.md).

Calibration is like KITTI raw's, camera 101 left and 103 right. The baseline is the distance of the cameras'
centres (``R_101``, ``T_101``, ``R_103``, ``T_103``): users report that in the half-size files the fourth
column of ``P_rect_103`` is not ``-fx * baseline`` but about twice as much.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.folders import chosen, contents
from adu_depth_core.datasets.kitti_calibration import camera_of_pair, read_projections
from adu_depth_core.datasets.sample import Sample, check_same_size
from adu_depth_core.errors import UserError
from adu_depth_core.images import read_png16, read_rgb
from adu_depth_core.stereo_pair import disparity_to_depth

PARTS = {"training": "train", "test": "test"}
SIZES = ("half", "full")
SUFFIXES = (".jpg", ".png")
FULL_SIZE_DISPARITY_SCALE = 2.0
"""``read_png16`` divides by 256; full-size disparity is stored / 128."""


def drive_of(scene: str) -> str:
    """The sequence of a frame, from the frame's name."""
    return scene.partition("_")[0]


class DrivingStereo:
    """Stereo pairs of a subset, with depth where the folder has depth or disparity.

    :param root: folder of the unpacked archives, see above
    :param scenes: names of frames; None for all
    :param subset: ``training``, ``test``, ``sunny``, ``cloudy``, ``foggy`` or ``rainy``
    :param size: ``half`` or ``full``; the training set is published in half size only
    :raises UserError: if the folder does not have this layout or a scene is missing; and on access if a
        file of the frame cannot be read or does not fit its image
    """

    def __init__(
        self, root: Path, scenes: Sequence[str] | None = None, subset: str = "training", size: str = "half"
    ) -> None:
        self.root, self.subset, self.size = Path(root), subset, size
        self._files = {
            kind: self._index(kind) for kind in ("left-image", "right-image", "depth-map", "disparity-map")
        }
        left = self._folder("left-image")
        if not self._files["left-image"]:
            found = contents(left if left.is_dir() else self.root)
            raise UserError(
                f"DrivingStereo ({subset}, {size} size) expects left images in {left}; "
                f"{left if left.is_dir() else self.root} {found}"
            )
        self._calibrations: dict[tuple[str, int, int], tuple[Camera, float]] = {}
        self.scenes = chosen(scenes, sorted(self._files["left-image"]), left)

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Sample:
        scene = self.scenes[index]
        left = read_rgb(self._files["left-image"][scene])
        right_path = self._files["right-image"].get(scene, self._folder("right-image") / f"{scene}.jpg")
        right = read_rgb(right_path)
        check_same_size(right_path, right, left)
        camera, baseline = self._calibration(drive_of(scene), *left.shape[:2])
        depth, path = None, self.truth_path(scene)
        if path.is_file():
            depth = read_png16(path)
            check_same_size(path, depth, left)
            if scene not in self._files["depth-map"]:
                scale = FULL_SIZE_DISPARITY_SCALE if self.size == "full" else 1.0
                depth = disparity_to_depth(depth, camera.fx * baseline / scale)
        return Sample(scene, left, right, depth, camera, baseline)

    def truth_path(self, scene: str) -> Path:
        """Path of a frame's depth map, or else its disparity map, if the folder has one."""
        for kind in ("depth-map", "disparity-map"):
            if scene in self._files[kind]:
                return self._files[kind][scene]
        return self._folder("depth-map") / f"{scene}.png"

    def _folder(self, kind: str) -> Path:
        """Expected folder of a kind of file, such as ``left-image`` or ``depth-map``."""
        if self.subset in PARTS:
            return self.root / f"{PARTS[self.subset]}-{kind}"
        return self.root / self.subset

    def _index(self, kind: str) -> dict[str, Path]:
        """Files of a kind by the frame's name.

        The image size is given by a parent folder such as ``left-image-half-size``; the training set, which
        exists in half size only, has none.
        """
        files: dict[str, Path] = {}
        for folder, _, names in os.walk(self._folder(kind)):  # 700,000 files: names, not paths
            above = Path(folder).relative_to(self.root).parts
            if not any(part.endswith(kind) or part.startswith(f"{kind}-") for part in above):
                continue
            if self.size != ("full" if any("full-size" in part for part in above) else "half"):
                continue
            for name in names:
                stem, suffix = os.path.splitext(name)
                if suffix in SUFFIXES:
                    files[stem] = Path(folder, name)
        return files

    def _calibration(self, sequence: str, height: int, width: int) -> tuple[Camera, float]:
        key = sequence, height, width
        if key not in self._calibrations:
            self._calibrations[key] = self._read_calibration(*key)
        return self._calibrations[key]

    def _read_calibration(self, sequence: str, height: int, width: int) -> tuple[Camera, float]:
        folder = f"{self.size}-image-calib"
        candidates = [
            path
            for pattern in (folder, f"*/{folder}", f"*/*/{folder}")
            for base in sorted(self.root.glob(pattern))
            if (path := base / f"{sequence}.txt").is_file()
        ]
        if not candidates:
            raise UserError(
                f"DrivingStereo expects the calibration {folder}/{sequence}.txt in {self.root} or in a "
                f"folder of it, such as calib/; {self.root} {contents(self.root)}"
            )
        path = candidates[0]
        entries = read_projections(path)
        try:
            centres = [-entries[f"R_{c}"].T @ entries[f"T_{c}"] for c in (101, 103)]
            left, right = entries["P_rect_101"], entries["P_rect_103"]
            if left.shape != (3, 4) or right.shape != (3, 4):
                raise ValueError(
                    f"P_rect_101 and P_rect_103 have {left.size} and {right.size} numbers, not 12"
                )
            baseline = float(np.linalg.norm(centres[1] - centres[0]))
        except (KeyError, ValueError) as error:
            raise UserError(
                f"{path}: expected P_rect_101, P_rect_103, R_101, T_101, R_103 and T_103 ({error})"
            ) from error
        if not baseline > 0:
            raise UserError(f"{path}: the baseline is {baseline:g} m: it must be above 0")
        return camera_of_pair(path, left, right, width, height), baseline
