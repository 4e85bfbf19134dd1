"""KITTI's official depth prediction split, as published: which frames belong to it follows from the folders.

``training`` and ``validation`` are the depth maps in ``train`` and ``val`` of ``data_depth_annotated.zip``,
with images of the raw recordings: see ``kitti_raw``. ``selection`` is ``data_depth_selection.zip``, 1000
frames cut to 352x1216, without a right view (depth devkit, readme.txt):

    depth_selection/val_selection_cropped/image/DRIVE_image_0000000005_image_02.png
    depth_selection/val_selection_cropped/groundtruth_depth/DRIVE_groundtruth_depth_0000000005_image_02.png
    depth_selection/val_selection_cropped/intrinsics/DRIVE_image_0000000005_image_02.txt      9 numbers of K
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.folders import chosen, first_folder
from adu_depth_core.datasets.kitti_raw import TRUTH, KittiRaw
from adu_depth_core.datasets.sample import Sample, check_same_size
from adu_depth_core.errors import UserError
from adu_depth_core.images import read_png16, read_rgb

PARTS = {"training": "train", "validation": "val"}
SELECTED = re.compile(r"(?P<drive>\w+_sync)_image_(?P<frame>\d{10})_(?P<camera>image_0[23])")


class KittiOfficial:
    """Frames of the official split.

    :param root: folder of the recordings and of the depth, see ``kitti_raw`` and above
    :param scenes: names such as ``2011_09_26_drive_0001_sync/0000000005``, in the selection
        ``2011_09_26_drive_0002_sync/0000000005_image_02``; None for all
    :param subset: ``training``, ``validation`` or ``selection``
    :raises UserError: if the folder does not have this layout or a scene is missing; and on access if a
        file of the frame cannot be read
    """

    def __init__(self, root: Path, scenes: Sequence[str] | None = None, subset: str = "training") -> None:
        self.raw = KittiRaw(root)
        self.selection = subset == "selection"
        root = self.raw.root
        if self.selection:
            self.folder = first_folder(
                (base / "val_selection_cropped" for base in (root / "depth_selection", root)),
                root,
                "KITTI's depth selection",
            )
            present = self._selected()
        else:
            part = PARTS[subset]
            self.folder = first_folder(
                (root / part, root / "depth" / part), root, f"KITTI's official depth split ({subset})"
            )
            present = [
                f"{path.parents[len(TRUTH.parts)].name}/{path.stem}"
                for path in sorted(self.folder.glob(f"*/{TRUTH.as_posix()}/*.png"))
            ]
            if not present:
                raise UserError(f"{self.folder} holds no depth map DRIVE/{TRUTH.as_posix()}/*.png")
        self.scenes = chosen(scenes, present, self.folder)

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Sample:
        scene = self.scenes[index]
        return self._read_selected(scene) if self.selection else self.raw.read(scene)

    def truth_path(self, scene: str) -> Path:
        """Path of a frame's depth."""
        if self.selection:
            return self._selected_path(scene, "groundtruth_depth", "groundtruth_depth", ".png")
        return self.raw.truth_path(scene)

    def _selected(self) -> list[str]:
        images = sorted((self.folder / "image").glob("*.png"))
        scenes = []
        for path in images:
            match = SELECTED.fullmatch(path.stem)
            if match is None:
                raise UserError(f"{path} is not named DRIVE_image_FRAME_image_02.png")
            scenes.append(f"{match['drive']}/{match['frame']}_{match['camera']}")
        if not scenes:
            raise UserError(f"{self.folder / 'image'} holds no image (*.png)")
        return scenes

    def _selected_path(self, scene: str, folder: str, kind: str, suffix: str) -> Path:
        drive, _, frame = scene.partition("/")
        return self.folder / folder / f"{drive}_{kind}_{frame}{suffix}"

    def _read_selected(self, scene: str) -> Sample:
        left = read_rgb(self._selected_path(scene, "image", "image", ".png"))
        height, width = left.shape[:2]
        path = self._selected_path(scene, "intrinsics", "image", ".txt")
        try:
            camera = Camera.from_matrix(np.loadtxt(path).reshape(3, 3), width, height)
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: expected the 9 numbers of a camera matrix ({error})") from error
        truth = self.truth_path(scene)
        depth = read_png16(truth) if truth.is_file() else None
        if depth is not None:
            check_same_size(truth, depth, left)
        return Sample(scene, left, None, depth, camera, None)
