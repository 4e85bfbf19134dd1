"""Frames of KITTI's raw recordings with the improved depth maps of the depth prediction benchmark.

Raw recordings, as their archives unpack (raw data devkit, readme.txt):

    DATE/calib_cam_to_cam.txt                       P_rect_02 and P_rect_03 of the rectified colour cameras
    DATE/DRIVE/image_02/data/0000000000.png         left colour images; .jpg is read too
    DATE/DRIVE/image_03/data/0000000000.png         right ones

Depth of ``data_depth_annotated.zip`` (depth devkit, readme.txt), uint16 / 256 metres, 0 unknown:

    train|val/DRIVE/proj_depth/groundtruth/image_02/0000000005.png

The archives have no common folder, so both may lie in ``root`` itself, or the recordings in ``root/raw`` and
the depth in ``root/depth``. ``train`` and ``val`` may have been merged, as BTS has them (cleinc/bts, README),
or lie in ``DATE`` as monodepth2 reads them (nianticlabs/monodepth2, datasets/kitti_dataset.py).

A frame's name, in every data set that is taken from these recordings: ``DRIVE/0000000005``, with
DRIVE such as ``2011_09_26_drive_0001_sync``.
"""

from __future__ import annotations

from pathlib import Path

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.folders import contents
from adu_depth_core.datasets.kitti_calibration import read_stereo_calibration
from adu_depth_core.datasets.sample import Sample, check_same_size
from adu_depth_core.errors import UserError
from adu_depth_core.images import read_png16, read_rgb

TRUTH = Path("proj_depth", "groundtruth", "image_02")
IMAGE_SUFFIXES = (".png", ".jpg")


def drive_of(scene: str) -> str:
    """The drive of a frame, from the frame's name."""
    return scene.partition("/")[0]


class KittiRaw:
    """Colour stereo pairs of the raw recordings and their depth, by the frame's name.

    :param root: folder of the recordings and of the depth, see above
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._drive_folders: dict[str, Path] = {}
        self._truth_folders: dict[str, Path] = {}

    def read(self, scene: str) -> Sample:
        """The stereo pair of a frame, and its depth where there is any.

        :raises UserError: if a file is missing, damaged or of another size than the left image
        """
        drive, _, frame = scene.partition("/")
        folder = self.drive_folder(drive)
        left = read_rgb(_image(folder / "image_02" / "data", frame))
        right_path = _image(folder / "image_03" / "data", frame)
        right = read_rgb(right_path)
        check_same_size(right_path, right, left)
        camera, baseline = self.calibration(drive, *left.shape[:2])
        depth, path = None, self.truth_path(scene)
        if path.is_file():
            depth = read_png16(path)
            check_same_size(path, depth, left)
        return Sample(scene, left, right, depth, camera, baseline)

    def calibration(self, drive: str, height: int, width: int) -> tuple[Camera, float]:
        """Left colour camera and baseline of a drive, for images of ``height x width``."""
        return read_stereo_calibration(
            self.drive_folder(drive).parent / "calib_cam_to_cam.txt", width, height
        )

    def drive_folder(self, drive: str) -> Path:
        """Folder of a drive's recording, ``DATE/DRIVE``.

        :raises UserError: if it is not there, or without its right images
        """
        if drive not in self._drive_folders:
            self._drive_folders[drive] = self._find_drive(drive)
        return self._drive_folders[drive]

    def truth_path(self, scene: str) -> Path:
        """Path of a frame's depth, if the folder has one."""
        drive, _, frame = scene.partition("/")
        return self.truth_folder(drive) / f"{frame}.png"

    def truth_folder(self, drive: str) -> Path:
        """Folder of a drive's depth maps; one that does not exist where there are none."""
        if drive not in self._truth_folders:
            self._truth_folders[drive] = self._find_truth(drive)
        return self._truth_folders[drive]

    def _find_drive(self, drive: str) -> Path:
        date = drive[:10]
        candidates = [base / date / drive for base in (self.root, self.root / "raw")]
        for folder in candidates:
            if (folder / "image_02" / "data").is_dir():
                if not (folder / "image_03" / "data").is_dir():
                    raise UserError(
                        f"{folder} {contents(folder)}: the right images image_03/data are missing; unpack "
                        f"{drive}.zip completely"
                    )
                return folder
        raise UserError(
            f"KITTI raw recordings expect the folder {candidates[0]}/image_02/data (or below raw/); "
            f"{self.root} {contents(self.root)}"
        )

    def _find_truth(self, drive: str) -> Path:
        candidates = [
            base / part / drive / TRUTH
            for base in (self.root, self.root / "depth")
            for part in ("train", "val", "", drive[:10])
        ]
        return next((folder for folder in candidates if folder.is_dir()), candidates[0])


def _image(folder: Path, frame: str) -> Path:
    paths = [folder / f"{frame}{suffix}" for suffix in IMAGE_SUFFIXES]
    return next((path for path in paths if path.is_file()), paths[0])
