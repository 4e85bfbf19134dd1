"""A virtual camera with the same centre: zoom, off-centre window, aspect, rotation, with depth along its own
axis.

A pinhole image can be re-rendered for any camera with the same centre: pixel ``p`` moves to ``K' R K^-1 p``
(Hartley and Zisserman, Multiple View Geometry, 2004, section 8.4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.views import View
from adu_depth_core.images import downscale

DENSE = 0.5
"""Share of known pixels from which a depth map counts as dense. Sparse points are moved one by one: most
would be skipped by a look-up where the image shrinks."""

COVER = 0.55
"""Share of the new image's height and width that the old one covers at least, unless turned away."""


@dataclass(frozen=True)
class VirtualCameras:
    """Range of variation of the cameras in training.

    :param min_zoom: smallest factor on the focal that a camera's whole image has at inference
    :param max_zoom: largest
    :param zoom_probability: share of views that are zoomed
    :param rotation_probability: share of views that are rotated
    :param pitch: largest rotation about the x axis to either side, degrees
    :param yaw: about the y axis
    :param roll: about the optical axis
    :param stretch: largest relative difference of fy from fx
    """

    min_zoom: float = 0.6
    max_zoom: float = 2.0
    zoom_probability: float = 0.7
    rotation_probability: float = 0.5
    pitch: float = 7.0
    yaw: float = 10.0
    roll: float = 3.0
    stretch: float = 0.04

    def draw(
        self, camera: Camera, size: tuple[int, int], pixels: int, random: np.random.Generator
    ) -> tuple[Camera, np.ndarray]:
        """A random camera, and its rotation.

        :param camera: the one that took the image
        :param size: ``(height, width)`` of the new camera's image
        :param pixels: pixels of the network's input at inference, to which zoom 1 resizes the whole image
        :return: the camera, and the rotation from the old optical frame to the new one, ``(3, 3)``
        """
        height, width = size
        home = math.sqrt(pixels / (camera.width * camera.height))
        # With less, the network's input would be mostly border.
        least = max(width / camera.width, height / camera.height) * COVER / home
        zoom = max(1.0, least)
        if random.random() < self.zoom_probability:
            low = max(self.min_zoom, least)
            zoom = math.exp(random.uniform(math.log(low), math.log(max(self.max_zoom, low))))
        fx = camera.fx * home * zoom
        fy = camera.fy * home * zoom * math.exp(random.uniform(-self.stretch, self.stretch))
        rotation = np.eye(3)
        if random.random() < self.rotation_probability:
            rotation = rotation_matrix(
                *(random.uniform(-limit, limit) for limit in (self.pitch, self.yaw, self.roll))
            )
        # Where the image lies for a camera with its principal point at 0: the window is put inside it.
        homography = np.diag([fx, fy, 1.0]) @ rotation @ np.linalg.inv(camera.matrix)
        right, bottom = camera.width - 0.5, camera.height - 0.5
        corners = np.array([[-0.5, -0.5, 1], [right, -0.5, 1], [-0.5, bottom, 1], [right, bottom, 1]])
        seen = corners @ homography.T
        seen = seen[:, :2] / seen[:, 2:]
        left, top = (
            _window(low, high, extent, random)
            for low, high, extent in zip(seen.min(0), seen.max(0), (width, height), strict=True)
        )
        return Camera(fx, fy, -0.5 - left, -0.5 - top, width, height), rotation


def rotation_matrix(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """Rotation from the old optical frame to the new one, ``(3, 3)``.

    :param pitch: degrees by which the new camera looks farther up
    :param yaw: degrees by which it looks farther to the right
    :param roll: degrees by which it is turned clockwise about its axis
    """
    pitch, yaw, roll = np.radians([pitch, yaw, roll])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    about_z = np.array([[np.cos(roll), np.sin(roll), 0], [-np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def seen_by(view: View, camera: Camera, rotation: np.ndarray) -> View:
    """The view as another camera at the same place sees it.

    The image repeats its outermost pixels where the camera looks beyond it, as at inference; depth is unknown
    there. Depth is along the new optical axis.

    :param view: without the other camera's image, which this would not fit
    :param camera: the new camera
    :param rotation: from the old optical frame to the new one, ``(3, 3)``
    """
    image, source = view.image, view.camera
    # Bilinear interpolation skips pixels below half the size: halve first for larger reductions.
    shrink = max(camera.fx / source.fx, camera.fy / source.fy)
    while shrink < 0.5:
        source = source.resize((source.width + 1) // 2, (source.height + 1) // 2)
        image = downscale(image, source.width, source.height)
        shrink *= 2.0
    size = (camera.width, camera.height)
    homography = camera.matrix @ rotation @ np.linalg.inv(source.matrix)
    image = cv2.warpPerspective(
        image, homography, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    taught = None
    if view.taught is not None:
        depth, log_b = view.taught.astype(np.float32)
        depth = _moved_grid(depth, view.camera, camera, rotation)
        homography = camera.matrix @ rotation @ np.linalg.inv(view.camera.matrix)
        taught = np.stack([depth, cv2.warpPerspective(log_b, homography, size, flags=cv2.INTER_NEAREST)])
    moved = _moved_grid if np.count_nonzero(view.depth > 0) > DENSE * view.depth.size else _moved_points
    return View(image, moved(view.depth, view.camera, camera, rotation), camera, taught=taught)


def _window(low: float, high: float, extent: int, random: np.random.Generator) -> float:
    """Start of a window of ``extent`` pixels inside ``low`` to ``high``, or around them if they are fewer."""
    slack = high - low - extent
    # Biased towards the middle, where inference places it.
    return low + (random.uniform(0.0, slack) if slack > 0 else slack * random.uniform(0.3, 0.7))


def _moved_grid(depth: np.ndarray, source: Camera, target: Camera, rotation: np.ndarray) -> np.ndarray:
    """Dense depth, float32 ``(H, W)`` metres, 0 unknown, +inf sky, looked up pixel by pixel."""
    homography = target.matrix @ rotation @ np.linalg.inv(source.matrix)
    looked_up = cv2.warpPerspective(
        depth,
        homography,
        (target.width, target.height),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
    )
    # A point at z' along the new ray r is at z' * (R^T r)_z along the old axis.
    along_old_axis = target.rays() @ rotation[:, 2].astype(np.float32)
    return np.where(along_old_axis > 0, looked_up / np.maximum(along_old_axis, 1e-6), 0.0).astype(np.float32)


def _moved_points(depth: np.ndarray, source: Camera, target: Camera, rotation: np.ndarray) -> np.ndarray:
    """Sparse depth, moved point by point; where several meet, the nearest stays."""
    # Of a flat bool array: eight times as fast as the two-dimensional search among floats.
    known = np.flatnonzero(depth.ravel() > 0)
    rows, columns = np.divmod(known, source.width)
    z = depth.ravel()[known]
    rays = np.stack(
        [(columns - source.cx) / source.fx, (rows - source.cy) / source.fy, np.ones(len(z))], axis=1
    )
    turned = rays @ rotation.T
    moved = np.zeros(target.size, np.float32)
    in_front = turned[:, 2] > 1e-3
    turned, z = turned[in_front], z[in_front]
    u = np.round(turned[:, 0] / turned[:, 2] * target.fx + target.cx).astype(int)
    v = np.round(turned[:, 1] / turned[:, 2] * target.fy + target.cy).astype(int)
    inside = (u >= 0) & (u < target.width) & (v >= 0) & (v < target.height)
    u, v, z = u[inside], v[inside], (z * turned[:, 2])[inside]
    order = np.argsort(-z)
    moved[v[order], u[order]] = z[order]
    return moved
