"""A textured corridor with exact depth, seen by a camera that drives through it; messages for its bags."""

import cv2
import numpy as np

from adu_depth_core.camera import Camera

CAMERA = Camera(300.0, 300.0, 192.0, 50.0, 384, 128)
HEIGHT, WIDTH, END = 1.6, 5.0, 70.0
"""Distances in metres: camera to road, camera to side walls, and length of the corridor."""


def depth_at(forward, sideways=0.0):
    """Depth ``(H, W)`` in metres for a camera ``forward`` and ``sideways`` (right) in the corridor."""
    x, y = _rays()
    with np.errstate(divide="ignore"):
        road = np.where(y > 0, HEIGHT / y, np.inf)
        walls = np.where(x > 0, (WIDTH - sideways) / x, np.where(x < 0, -(WIDTH + sideways) / x, np.inf))
    return np.minimum(np.minimum(road, walls), END - forward)


def texture_at(forward, sideways=0.0):
    """Grey uint8 ``(H, W)``; a point of the corridor has the same grey from every viewpoint."""
    x, y = _rays()
    z = depth_at(forward, sideways)
    across, down, along = x * z + sideways, y * z, z + forward
    walls, end = np.abs(np.abs(across) - WIDTH) < 1e-6, np.abs(along - END) < 1e-6
    u = np.where(walls, 0.7 * along, across)
    v = np.where(walls | end, down + 100, along)
    cells = np.random.default_rng(5).integers(0, 256, (256, 256)).astype(np.float32)
    cells = cv2.GaussianBlur(np.tile(cells, (2, 2)), (0, 0), 1.0)[:256, :256]
    cells = (cells - cells.mean()) / cells.std()
    u, v = ((3.0 * part % 256).astype(np.float32) for part in (u, v))
    seen = cv2.remap(cells, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.clip(128 + 50 * seen, 0, 255).astype(np.uint8)


def _rays():
    columns, rows = np.meshgrid(np.arange(CAMERA.width), np.arange(CAMERA.height))
    return (columns - CAMERA.cx) / CAMERA.fx, (rows - CAMERA.cy) / CAMERA.fy


def message(name, **fields):
    """A ROS message with its other fields 0 or empty."""
    from rosbags.interfaces import Nodetype

    from adu_depth_core.bags.messages import TYPES

    def empty(kind, detail):
        if kind == Nodetype.NAME:
            return message(detail)
        if kind == Nodetype.BASE:
            return "" if detail[0] == "string" else 0
        return np.zeros(detail[1])

    names = {field: empty(*kind) for field, kind in TYPES.fielddefs[name][1]}
    return TYPES.types[name](**{**names, **fields})
