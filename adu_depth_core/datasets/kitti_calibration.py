"""Calibration files of KITTI's benchmarks and raw recordings: ``P0:`` .. ``P3:`` or ``P_rect_0N:`` lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.stereo_pair import check_pair

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


def read_camera(path: Path, width: int, height: int) -> Camera:
    """Camera of the left colour view.

    :raises UserError: if the file cannot be read or has no such matrix, or that of no camera
    """
    return _camera(path, _projection(path, COLOUR_PAIR[0]), width, height)


def read_cameras(
    path: Path, width: int, height: int, pair: CameraPair = COLOUR_PAIR
) -> tuple[Camera, float | None]:
    """Camera of the left view, and the baseline in metres to the right one if that is calibrated.

    All projections are relative to camera 0, so the baseline is ``(P2[0,3] - P3[0,3]) / fx``.

    :raises UserError: as ``read_camera``, and if the views of the pair do not have one camera
    """
    left = _projection(path, pair[0])
    right = _find(read_projections(path), pair[1])
    if right is None:
        return _camera(path, left, width, height), None
    camera = camera_of_pair(path, left, right, width, height)
    return camera, float((left[0, 3] - right[0, 3]) / left[0, 0])


def read_stereo_calibration(
    path: Path, width: int, height: int, pair: CameraPair = COLOUR_PAIR
) -> tuple[Camera, float]:
    """Camera of both views and the baseline in metres; see ``read_cameras``.

    :raises UserError: as ``read_cameras``, and if the right camera is not calibrated or not to the right
    """
    camera, baseline = read_cameras(path, width, height, pair)
    if baseline is None:
        raise UserError(f"{path}: no {' or '.join(pair[1])} line with 12 numbers")
    if not baseline > 0:
        raise UserError(f"{path}: the baseline to the right camera is {baseline:g} m: it must be above 0")
    return camera, baseline


def camera_of_pair(path: Path, left: np.ndarray, right: np.ndarray, width: int, height: int) -> Camera:
    """The camera that both views of a rectified pair have.

    :param path: file of the two projection matrices, for errors
    :raises UserError: if they are of different cameras, or of none
    """
    camera, other = (_camera(path, matrix, width, height) for matrix in (left, right))
    try:
        check_pair(camera, other)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
    return camera


def _projection(path: Path, names: tuple[str, ...]) -> np.ndarray:
    matrices = read_projections(path)
    matrix = _find(matrices, names)
    if matrix is None:
        found = ", ".join(matrices) or "nothing"
        raise UserError(f"{path}: no {' or '.join(names)} line with 12 numbers (found: {found})")
    return matrix


def _find(matrices: dict[str, np.ndarray], names: tuple[str, ...]) -> np.ndarray | None:
    return next(
        (matrices[name] for name in names if getattr(matrices.get(name), "shape", ()) == (3, 4)), None
    )


def _camera(path: Path, matrix: np.ndarray, width: int, height: int) -> Camera:
    try:
        return Camera.from_matrix(matrix, width, height)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
