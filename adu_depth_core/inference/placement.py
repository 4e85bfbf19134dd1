"""Position of an image on the network's input, and the resulting camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adu_depth_core.camera import Camera


@dataclass(frozen=True)
class Placement:
    """The whole image, resized with its aspect ratio preserved, centred on the network's input.

    The border that is left over (above and below, or left and right) replicates the image's edge.
    The image is not cropped, so every pixel gets a depth.

    :param camera: intrinsics of the image
    :param network_size: ``(height, width)`` of the network's input
    :param left: first column of the image on the network's input
    :param top: first row of the image on the network's input
    :param width: columns of the resized image
    :param height: rows of the resized image
    """

    camera: Camera
    network_size: tuple[int, int]
    left: int
    top: int
    width: int
    height: int

    @classmethod
    def fit(cls, camera: Camera, network_size: tuple[int, int]) -> Placement:
        """Largest placement of a camera's image on an input of ``(height, width)``."""
        rows, columns = network_size
        scale = min(rows / camera.height, columns / camera.width)
        height = min(rows, max(1, round(camera.height * scale)))
        width = min(columns, max(1, round(camera.width * scale)))
        return cls(camera, network_size, (columns - width) // 2, (rows - height) // 2, width, height)

    @property
    def resized_camera(self) -> Camera:
        """Intrinsics of the resized image, without the border; its ``fx`` is the focal ``f_net``."""
        return self.camera.resize(self.width, self.height)

    @property
    def network_camera(self) -> Camera:
        """Intrinsics of the network's whole input, with the border."""
        rows, columns = self.network_size
        right, bottom = columns - self.left - self.width, rows - self.top - self.height
        return self.resized_camera.pad(self.left, self.top, right, bottom)

    @property
    def camera_input(self) -> np.ndarray:
        """``network_camera`` as an input of the network: fx, fy, cx, cy, float32 ``(1, 4)``."""
        camera = self.network_camera
        return np.array([[camera.fx, camera.fy, camera.cx, camera.cy]], np.float32)

    @property
    def border_share(self) -> float:
        """Share of the network's input that is border, 0 to 1."""
        rows, columns = self.network_size
        return 1.0 - self.width * self.height / (rows * columns)

    def cut(self, network_map: np.ndarray) -> np.ndarray:
        """The image's part of a map ``(..., rows, columns)`` at network size, as a view."""
        return network_map[..., self.top : self.top + self.height, self.left : self.left + self.width]
