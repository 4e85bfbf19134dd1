"""Rendering of a scene: linear radiance, exact depth, classes."""

from __future__ import annotations

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.synthetic.geometry.vectors import turned
from adu_depth_core.synthetic.imaging.shading import Shader

# With the centre, three points that are spread over the pixel in both directions.
_SUBPIXEL = np.array([(-0.33, -0.2), (0.33, 0.2)], np.float32)


def render(
    shader: Shader, camera: Camera, world_from_camera: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Look at the scene.

    Depth and class are those at pixel centres, exactly. Colour is averaged over more rays wherever the pixel
    lies on an edge of a shape, a material or a shadow; elsewhere the textures are filtered.

    :param world_from_camera: pose of the optical frame, 4x4
    :return: radiance float32 ``(H, W, 3)``, linear RGB; depth float32 ``(H, W)`` metres, inf for sky;
        ``PixelClass`` uint8 ``(H, W)``
    """
    turn = world_from_camera[:3, :3]
    origin = world_from_camera[:3, 3].astype(np.float32)
    rays = camera.rays()  # z = 1, so that a ray's parameter is the depth
    sight = shader.look(origin, turned(rays.reshape(-1, 3), turn), 1.0 / camera.fx)
    hits, colour = sight.hits, sight.radiance.reshape(rays.shape)
    depth = np.full(camera.size, np.inf, np.float32)
    depth.ravel()[hits.ray] = hits.t
    material = np.full(camera.size, 255, np.uint8)
    material.ravel()[hits.ray] = shader.mesh.material[hits.face]

    classes = np.full(camera.size, PixelClass.SKY, np.uint8)
    classes.ravel()[hits.ray] = shader.mesh.label[hits.face]

    edges = _edges(depth, material, sight.lit.reshape(camera.size))
    if edges.any():
        offsets = np.zeros((len(_SUBPIXEL), 3), np.float32)
        offsets[:, :2] = _SUBPIXEL / (camera.fx, camera.fy)
        finer = (rays[edges][:, None] + offsets).reshape(-1, 3)
        samples = shader.look(origin, turned(finer, turn), 1.0 / camera.fx).radiance
        total = colour[edges] + sum(samples[k :: len(_SUBPIXEL)] for k in range(len(_SUBPIXEL)))
        colour[edges] = total / (1 + len(_SUBPIXEL))
    return colour, depth, classes


def _edges(depth: np.ndarray, material: np.ndarray, lit: np.ndarray) -> np.ndarray:
    """Pixels whose colour one ray through the centre cannot represent, bool ``(H, W)``.

    Inverse depth is linear over a plane, so its second difference is zero there however slanted it is.
    """
    inverse = 1.0 / depth
    bent = np.abs(cv2.Laplacian(inverse, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE))
    edges = bent > 0.02 * np.maximum(inverse, 0.01)
    for labels in (material, lit):
        across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
        edges[:, 1:] |= across
        edges[:, :-1] |= across
        edges[1:] |= down
        edges[:-1] |= down
    return edges
