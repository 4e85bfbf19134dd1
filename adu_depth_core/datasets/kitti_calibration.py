"""Calibration files of KITTI's benchmarks and raw recordings: ``P0:`` .. ``P3:`` or ``P_rect_0N:`` lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError

COLOUR_PAIR = (("P2", "P_rect_02"), ("P3", "P_rect_03"))
"""Names of the left and right colour camera's projection: in the benchmarks, in raw recordings."""

GREY_PAIR = (("P0", "P_rect_00"), ("P1", "P_rect_01"))
"""Those of the grey cameras."""

CameraPair = tuple[tuple[str, ...], tuple[str, ...]]


def read_projections(path: Path) -> dict[str, np.ndarray]:
    """Read the ``name: numbers`` lines of a KITTI calibration file.

    :return: each line's numbers, float64: ``(3, 4)`` for 12 numbers, ``(3, 3)`` for 9, else flat
    :raises UserError: if the file is missing or a line holds something that is not a number
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: calibration cannot be read ({error})") from error
    shapes = {12: (3, 4), 9: (3, 3)}
    matrices = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, colon, rest = line.partition(":")
        if not colon:
            continue
        try:
            values = np.array([float(word) for word in rest.split()])
        except ValueError as error:
            if name.startswith(("P", "R", "Tr")):
                raise UserError(f"{path}:{number}: {error}") from error
            continue
        matrices[name.strip()] = values.reshape(shapes.get(values.size, (values.size,)))
    return matrices


def read_cameras(
    path: Path, width: int, height: int, pair: CameraPair = COLOUR_PAIR
) -> tuple[Camera, float | None]:
    """Left camera, and the baseline in metres to the right camera of the pair if that is calibrated.

    All projections are relative to camera 0, so the baseline is ``(P2[0,3] - P3[0,3]) / fx``.

    :raises UserError: if the file cannot be read or has no projection matrix of the left camera
    """
    matrices = read_projections(path)
    left, right = (
        next((matrices[name] for name in names if getattr(matrices.get(name), "shape", ()) == (3, 4)), None)
        for names in pair
    )
    if left is None:
        found = ", ".join(matrices) or "nothing"
        raise UserError(f"{path}: no {' or '.join(pair[0])} line with 12 numbers (found: {found})")
    try:
        camera = Camera.from_matrix(left, width, height)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
    return camera, None if right is None else float((left[0, 3] - right[0, 3]) / left[0, 0])


def read_stereo_calibration(
    path: Path, width: int, height: int, pair: CameraPair = COLOUR_PAIR
) -> tuple[Camera, float]:
    """Left camera and the baseline in metres; see ``read_cameras``.

    :raises UserError: as ``read_cameras``, and if the right camera is not calibrated or not to the right
    """
    camera, baseline = read_cameras(path, width, height, pair)
    if baseline is None:
        raise UserError(f"{path}: no {' or '.join(pair[1])} line with 12 numbers")
    if not baseline > 0:
        raise UserError(f"{path}: the baseline to the right camera is {baseline:g} m: it must be above 0")
    return camera, baseline
