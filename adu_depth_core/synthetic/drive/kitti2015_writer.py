"""Synthetic drives as a folder in KITTI 2015 layout, which the KITTI 2015 reader reads unchanged."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from adu_depth_core.errors import UserError
from adu_depth_core.files import write_atomically
from adu_depth_core.images import write_png16
from adu_depth_core.stereo_pair import disparity_from_depth
from adu_depth_core.synthetic.frame import DriveFrame, Rig


def write_kitti2015(root: Path, scene: int, rig: Rig, frame: DriveFrame) -> None:
    """Write one frame to ``root/training`` as ``{scene:06d}_10``.

    ``disp_occ_0`` holds the exact disparity of every pixel that is not sky, ``disp_noc_0`` of those that
    the right camera sees too; ``class`` the ``PixelClass`` of every pixel. Of a frame without a right view
    neither ``image_3`` nor ``disp_noc_0`` is written: its disparity is that to where a right camera would be.
    The left image is written last: a frame that has one is complete.

    :param scene: number of the frame within the folder
    :raises UserError: if a file cannot be written
    """
    folder, name = Path(root) / "training", f"{scene:06d}_10"
    disparity = disparity_from_depth(frame.depth, rig.camera.fx * rig.baseline)
    with write_atomically(folder / "calib" / f"{name}.txt") as temporary:
        temporary.write_text(_calibration(rig), encoding="utf-8")
    write_png16(folder / "disp_occ_0" / f"{name}.png", disparity)
    if frame.classes is not None:
        _write_image(folder / "class" / f"{name}.png", frame.classes)
    if frame.right is not None:
        seen = np.where(seen_by_right(disparity), disparity, 0.0)
        write_png16(folder / "disp_noc_0" / f"{name}.png", seen)
        _write_image(folder / "image_3" / f"{name}.png", frame.right[..., ::-1])
    _write_image(folder / "image_2" / f"{name}.png", frame.left[..., ::-1])


def seen_by_right(disparity: np.ndarray) -> np.ndarray:
    """Pixels of the left view that the right camera sees too, bool ``(H, W)``.

    A pixel at column u appears in the right view at ``u - disparity``. It is hidden where that lies outside
    the picture, or where another pixel of the row lands on the same place with a larger disparity.
    """
    height, width = disparity.shape
    landing = np.arange(width, dtype=np.float32) - disparity
    row = np.broadcast_to(np.arange(height)[:, None], disparity.shape)
    nearest = np.zeros((height, width + 1), np.float32)
    for column in (np.floor(landing), np.ceil(landing)):
        column = column.astype(np.int64)
        inside = column >= 0
        np.maximum.at(nearest, (row[inside], column[inside]), disparity[inside])
    column = np.round(landing).astype(np.int64)
    # A slanted surface's own neighbours differ by up to a pixel of disparity.
    in_front = nearest[row, np.maximum(column, 0)] > disparity * 1.02 + 1.0
    return (disparity > 0) & (landing >= 0) & ~in_front


def _calibration(rig: Rig) -> str:
    """KITTI object layout: P0 and P2 are the left camera, P1 and P3 the right one, rectified already."""
    left = np.hstack([rig.camera.matrix, np.zeros((3, 1))])
    right = left.copy()
    right[0, 3] = -rig.camera.fx * rig.baseline
    left_from_lidar = np.linalg.inv(rig.base_from_left) @ rig.base_from_lidar
    matrices = {
        "P0": left,
        "P1": right,
        "P2": left,
        "P3": right,
        "R0_rect": np.eye(3),
        "Tr_velo_to_cam": left_from_lidar[:3],
        "Tr_imu_to_velo": np.eye(4)[:3],
    }
    return "".join(f"{name}: {' '.join(f'{v:.12e}' for v in m.ravel())}\n" for name, m in matrices.items())


def _write_image(path: Path, image: np.ndarray) -> None:
    """Write one channel, or BGR."""
    with write_atomically(path) as temporary:
        if not cv2.imwrite(str(temporary), image):
            raise UserError(f"{path}: could not be written")
