"""LiDAR of KITTI's recordings: scans and the scanner's pose."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adu_depth_core.datasets.kitti_calibration import read_projections
from adu_depth_core.errors import UserError

FIELDS = ("x", "y", "z", "intensity")


def read_scan(path: Path) -> np.ndarray:
    """Points of a ``.bin`` file, float32 ``(N, 4)``: x, y, z metres in the scanner's frame, reflectance.

    :raises UserError: if the file does not hold rows of four numbers
    """
    values = np.fromfile(path, "<f4")
    if values.size % 4 or path.stat().st_size % 16:
        raise UserError(
            f"{path} is not a KITTI scan: its {path.stat().st_size} bytes are not rows of 4 float32"
        )
    return values.reshape(-1, 4)


def left_from_lidar(calibration: Path) -> np.ndarray:
    """Pose of the scanner in the left colour camera's optical frame, 4x4.

    With ``P2 = K [I | t]`` a point x of the scanner is at ``R0_rect * Tr_velo_to_cam * x + t`` there; the
    odometry layout has ``Tr`` for the product.

    :raises UserError: if the calibration lacks ``P2``, or what places the scanner
    """
    lines = read_projections(calibration)
    names = ("P2", "Tr") if "Tr" in lines else ("P2", "Tr_velo_to_cam", "R0_rect")
    for name in names:
        if lines.get(name, np.empty(0)).shape != ((3, 3) if name == "R0_rect" else (3, 4)):
            raise UserError(
                f"{calibration}: no {name} line that places the LiDAR (Tr_velo_to_cam with R0_rect, or Tr); "
                "add it, or remove the scans to make a bag without them"
            )
    matrix = np.eye(4)
    matrix[:3] = lines.get("R0_rect", np.eye(3)) @ lines[names[1]]
    matrix[:3, 3] += np.linalg.solve(lines["P2"][:, :3], lines["P2"][:, 3])
    return matrix
