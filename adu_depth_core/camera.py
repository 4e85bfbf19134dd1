"""Pinhole camera: intrinsics under cropping, resizing and padding.

Convention: pixel ``(u, v)`` is the *centre* of column ``u``, row ``v``; the image covers
``[-0.5, width - 0.5] x [-0.5, height - 0.5]``. This is the convention of OpenCV, of ROS
``sensor_msgs/CameraInfo`` and of ``cv2.resize``. Camera axes are those of REP 103 optical
frames: x right, y down, z forward; depth is z in metres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Camera:
    """Intrinsics of a rectified pinhole camera.

    :param fx: horizontal focal length in pixels, > 0
    :param fy: vertical focal length in pixels, > 0
    :param cx: column of the principal point in pixels
    :param cy: row of the principal point in pixels
    :param width: image width in pixels, > 0
    :param height: image height in pixels, > 0
    :raises ValueError: if a focal length is zero, negative or not finite (an uncalibrated
        camera), or the image is empty
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int

    def __post_init__(self) -> None:
        for name in ("fx", "fy"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(
                    f"camera {name} is {value}: the camera is not calibrated. Metric depth needs the "
                    "focal length in pixels; calibrate the camera and fill in its K matrix"
                )
        for name in ("cx", "cy"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"camera {name} is {getattr(self, name)}: must be finite")
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"camera image size is {self.height}x{self.width}: must be at least 1x1")

    def __str__(self) -> str:
        intrinsics = ", ".join(f"{name} {getattr(self, name):g}" for name in ("fx", "fy", "cx", "cy"))
        return f"{intrinsics} and {self.height}x{self.width} pixels"

    @classmethod
    def from_matrix(cls, matrix: np.ndarray, width: int, height: int) -> Camera:
        """Camera from a ``(3, 3)`` or ``(3, 4)`` intrinsic matrix, row-major."""
        return cls(
            fx=float(matrix[0][0]),
            fy=float(matrix[1][1]),
            cx=float(matrix[0][2]),
            cy=float(matrix[1][2]),
            width=int(width),
            height=int(height),
        )

    @property
    def matrix(self) -> np.ndarray:
        """Intrinsic matrix K, ``(3, 3)`` float64."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    @property
    def size(self) -> tuple[int, int]:
        """``(height, width)`` in pixels."""
        return self.height, self.width

    @property
    def horizontal_fov(self) -> float:
        """Angle between the image's left and right edge, degrees."""
        left, right = -0.5 - self.cx, self.width - 0.5 - self.cx
        return math.degrees(math.atan(right / self.fx) - math.atan(left / self.fx))

    def resize(self, width: int, height: int) -> Camera:
        """Camera after ``cv2.resize`` of the image to ``width x height``."""
        sx, sy = width / self.width, height / self.height
        return Camera(
            fx=self.fx * sx,
            fy=self.fy * sy,
            cx=(self.cx + 0.5) * sx - 0.5,
            cy=(self.cy + 0.5) * sy - 0.5,
            width=width,
            height=height,
        )

    def crop(self, left: int, top: int, width: int, height: int) -> Camera:
        """Camera of the window ``[top:top + height, left:left + width]`` of the image.

        :raises ValueError: if the window is not inside the image
        """
        if left < 0 or top < 0 or left + width > self.width or top + height > self.height:
            raise ValueError(
                f"crop {height}x{width} at column {left}, row {top} is outside the "
                f"{self.height}x{self.width} image"
            )
        return replace(self, cx=self.cx - left, cy=self.cy - top, width=width, height=height)

    def pad(self, left: int, top: int, right: int, bottom: int) -> Camera:
        """Camera after adding border pixels on each side.

        :raises ValueError: if a border is negative
        """
        if min(left, top, right, bottom) < 0:
            raise ValueError(f"padding ({left}, {top}, {right}, {bottom}) must not be negative")
        return replace(
            self,
            cx=self.cx + left,
            cy=self.cy + top,
            width=self.width + left + right,
            height=self.height + top + bottom,
        )

    def flip_horizontal(self) -> Camera:
        """Camera of the mirrored image ``image[:, ::-1]``."""
        return replace(self, cx=self.width - 1 - self.cx)

    def disagreement(self, other: Camera) -> tuple[float, float]:
        """Greatest distance, in columns and in rows, of the pixels where the two cameras see one ray.

        Both have the same centre and axes; the rays are those of this one's image.
        """
        apart = []
        for f, c, size, of, oc in (
            (self.fx, self.cx, self.width, other.fx, other.cx),
            (self.fy, self.cy, self.height, other.fy, other.cy),
        ):
            ends = np.array([-0.5, size - 0.5])  # between them the distance changes evenly
            apart.append(float(np.abs((ends - c) / f * of + oc - ends).max()))
        return apart[0], apart[1]

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project points of the optical frame.

        :param points: ``(N, 3)`` metres
        :return: pixel coordinates ``(N, 2)`` as (u, v) and depth z ``(N,)`` in metres; points
            with ``z <= 0`` are behind the camera and get NaN coordinates
        """
        points = np.asarray(points)
        z = points[:, 2]
        in_front = z > 0
        safe = np.where(in_front, z, 1.0)
        u = np.where(in_front, points[:, 0] / safe * self.fx + self.cx, np.nan)
        v = np.where(in_front, points[:, 1] / safe * self.fy + self.cy, np.nan)
        return np.stack([u, v], axis=1), z

    def rays(self) -> np.ndarray:
        """Viewing ray of each pixel with z = 1, ``(H, W, 3)`` float32; times depth gives the point."""
        u = (np.arange(self.width, dtype=np.float32) - np.float32(self.cx)) / np.float32(self.fx)
        v = (np.arange(self.height, dtype=np.float32) - np.float32(self.cy)) / np.float32(self.fy)
        rays = np.empty((self.height, self.width, 3), np.float32)
        rays[..., 0] = u
        rays[..., 1] = v[:, None]
        rays[..., 2] = 1.0
        return rays

    def unproject(self, depth: np.ndarray) -> np.ndarray:
        """Points of the optical frame, ``(H, W, 3)`` float32 metres, from depth ``(H, W)`` metres.

        :raises ValueError: if the depth is of another size than the camera
        """
        if depth.shape != self.size:
            raise ValueError(f"depth is {depth.shape}, the camera is {self.size} (height, width)")
        return self.rays() * depth[..., None].astype(np.float32, copy=False)


FIELD_OF_VIEW = (5.0, 170.0)
"""Degrees that a camera's image covers; a pinhole camera that sees more or less is wrongly calibrated."""


def check_field_of_view(camera: Camera) -> None:
    """Refuse intrinsics that cannot be those of a real image, for which depth would be absurd silently.

    For both axes the angle is taken that the image's longer side covers there, so that a narrow strip of an
    image is none the worse for it.

    :raises ValueError: if that angle is not within ``FIELD_OF_VIEW``
    """
    low, high = FIELD_OF_VIEW
    half = max(camera.width, camera.height) / 2
    axes = (
        ("horizontal", camera.fx, camera.cx, camera.width),
        ("vertical", camera.fy, camera.cy, camera.height),
    )
    for name, focal, principal, length in axes:
        middle = (length - 1) / 2 - principal
        angle = math.degrees(math.atan((middle + half) / focal) - math.atan((middle - half) / focal))
        if not low <= angle <= high:
            raise ValueError(
                f"the calibration (fx {camera.fx:g}, fy {camera.fy:g}, cx {camera.cx:g}, cy {camera.cy:g}, "
                f"{camera.height}x{camera.width} pixels) implies a {name} field of view of {angle:.3g} "
                f"degrees, outside {low:g} to {high:g}: the focal length must be in pixels of this image size"
            )


def metric_scale(f_net: float, f_ref: float) -> float:
    """Factor from canonical to metric depth: ``depth = canonical_depth * f_net / f_ref``.

    A network trained for the reference focal ``f_ref`` interprets an object of a given size in pixels as
    nearer or farther depending on the camera that took the image; ``f_net`` is that camera's
    horizontal focal length in pixels at the network's input. (Idea: Metric3D's canonical camera space,
    Yin et al. 2023.)

    :raises ValueError: if either focal is not positive
    """
    if not (f_net > 0 and f_ref > 0):
        raise ValueError(f"focal lengths must be positive, got f_net={f_net}, f_ref={f_ref}")
    return f_net / f_ref
