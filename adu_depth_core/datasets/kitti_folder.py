"""Folders in KITTI's object and odometry layouts: ``image_2``, optionally ``image_3`` and ``gt_depth``.

Calibration is ``calib/<frame>.txt`` for each frame (object, stereo) or one ``calib.txt`` (odometry).
"""

from __future__ import annotations

from pathlib import Path

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.depth_png import read_png16, read_rgb
from adu_depth_core.datasets.kitti_calibration import read_projections, read_stereo_calibration
from adu_depth_core.datasets.sample import Sample
from adu_depth_core.errors import UserError

IMAGE_SUFFIXES = (".png", ".jpg")


class KittiFolder:
    """Frames of such a folder in name order.

    :param root: folder that holds ``image_2``
    :raises UserError: if there is no ``image_2`` or it holds no image
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        images = self.root / "image_2"
        if not images.is_dir():
            found = sorted(p.name for p in self.root.iterdir()) if self.root.is_dir() else "nothing"
            raise UserError(
                f"expected the folder {images} (KITTI object or odometry layout); {self.root} holds {found}"
            )
        self.images = sorted(path for path in images.iterdir() if path.suffix in IMAGE_SUFFIXES)
        if not self.images:
            raise UserError(f"{images} holds no image (looked for {', '.join(IMAGE_SUFFIXES)})")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Sample:
        path = self.images[index]
        left = read_rgb(path)
        height, width = left.shape[:2]
        calibration = self.root / "calib" / f"{path.stem}.txt"
        if not calibration.is_file():
            calibration = self.root / "calib.txt"
        right_path = self.root / "image_3" / path.name
        depth_path = self.root / "gt_depth" / f"{path.stem}.png"
        right, baseline = None, None
        if right_path.is_file():
            right = read_rgb(right_path)
            camera, baseline = read_stereo_calibration(calibration, width, height)
        else:
            projections = read_projections(calibration)
            if "P2" not in projections:
                raise UserError(f"{calibration}: no P2 line (found: {', '.join(projections) or 'none'})")
            camera = Camera.from_matrix(projections["P2"], width, height)
        depth = read_png16(depth_path) if depth_path.is_file() else None
        return Sample(path.stem, left, right, depth, camera, baseline)
