"""KITTI 2015 stereo benchmark, as published: ``training/{image_2,image_3,disp_noc_0,calib_cam_to_cam}``.

Calibration may also be ``calib/<scene>_10.txt`` in the layout of KITTI object.
Ground truth is disparity; depth is ``fx * B / disparity``. ``disp_noc_0`` holds the pixels that the
right camera sees too. Source of layout and disparity format: the benchmark's devkit, readme.txt.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adu_depth_core.datasets.folders import chosen, first_folder
from adu_depth_core.datasets.kitti_calibration import COLOUR_PAIR, read_stereo_calibration
from adu_depth_core.datasets.sample import Sample, check_same_size
from adu_depth_core.errors import UserError
from adu_depth_core.files import read_text
from adu_depth_core.images import read_png16, read_rgb
from adu_depth_core.stereo_pair import disparity_to_depth

MAPPING = Path("devkit", "mapping", "train_mapping.txt")


class Kitti2015:
    """The first frame (``_10``) of each scene, with right view and ground truth where the folder has them.

    :param root: folder that holds ``training/`` (and ``testing/``)
    :param scenes: scene numbers such as ``000004``; None for all that are there
    :param subset: ``training`` (with ground truth) or ``testing`` (without)
    :raises UserError: if the folder does not have this layout or a scene is missing; and on access if a
        file of the scene cannot be read or does not fit its image

    :ivar drives: the raw recording that a scene is from, of those that the devkit's ``mapping`` names; empty
        without it
    """

    title = "KITTI 2015"
    image_folders = (("image_2", "image_3"),)
    """Folders of the left and right images; the first that is there is read."""
    truth_folder = "disp_noc_0"
    cameras = COLOUR_PAIR

    def __init__(self, root: Path, scenes: Sequence[str] | None = None, subset: str = "training") -> None:
        self.folder = Path(root) / subset
        images = first_folder((self.folder / left for left, _ in self.image_folders), Path(root), self.title)
        self.sides = next(pair for pair in self.image_folders if pair[0] == images.name)
        present = sorted(path.name.removesuffix("_10.png") for path in images.glob("*_10.png"))
        if not present:
            raise UserError(f"{images} holds no image named *_10.png")
        self.scenes = chosen(scenes, present, images)
        mapping = read_mapping(Path(root) / MAPPING) if subset == "training" else {}
        self.drives = {scene: mapping[scene] for scene in self.scenes if scene in mapping}

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Sample:
        scene = self.scenes[index]
        left_path, right_path = (self.folder / side / f"{scene}_10.png" for side in self.sides)
        left = read_rgb(left_path)
        right = read_rgb(right_path) if right_path.is_file() else None
        height, width = left.shape[:2]
        camera, baseline = read_stereo_calibration(self._calibration_path(scene), width, height, self.cameras)
        truth_path, depth = self.truth_path(scene), None
        if truth_path.is_file():
            depth = disparity_to_depth(read_png16(truth_path), camera.fx * baseline)
            check_same_size(truth_path, depth, left)
        if right is not None:
            check_same_size(right_path, right, left)
        return Sample(scene, left, right, depth, camera, baseline)

    def truth_path(self, scene: str) -> Path:
        """Path of a scene's ground truth, if the folder has one."""
        return self.folder / self.truth_folder / f"{scene}_10.png"

    def _calibration_path(self, scene: str) -> Path:
        published = self.folder / "calib_cam_to_cam" / f"{scene}.txt"
        return published if published.is_file() else self.folder / "calib" / f"{scene}_10.txt"


def read_mapping(path: Path) -> dict[str, str]:
    """Drives of the raw recordings by scene, from the devkit's list; empty if it is not there.

    Its line n is of scene n: ``2011_09_26 2011_09_26_drive_0005_sync 0000000010``, or empty where the
    recording is not published. (As xingyul/meteornet, scene_flow_kitti/gen_kitti_flow.py, reads it.)

    :raises UserError: if it cannot be read or is not UTF-8
    """
    if not path.is_file():
        return {}
    lines = read_text(path).splitlines()
    return {f"{number:06d}": line.split()[1] for number, line in enumerate(lines) if len(line.split()) == 3}
