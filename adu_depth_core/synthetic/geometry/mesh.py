"""Triangle meshes that carry what shading needs, and the few shapes streets are built of.

World and object frames are x forward, y left, z up (REP 103), in metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import trimesh

from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.synthetic.geometry.vectors import cross, dots, turned


@dataclass(frozen=True)
class Mesh:
    """Triangles with their surface.

    :param corners: float32 ``(M, 3, 3)`` corner positions, metres
    :param normals: float32 ``(M, 3, 3)`` unit shading normals at the corners
    :param uv: float32 ``(M, 3, 2)`` texture coordinates at the corners, in tiles (1 = one repetition)
    :param density: float32 ``(M,)`` texture tiles per metre, to choose the level of detail
    :param material: uint8 ``(M,)`` index into ``materials.MATERIALS``
    :param tint: float32 ``(M, 3)`` linear RGB factor of the material's colour
    :param label: uint8 ``(M,)`` ``PixelClass``; ``OTHER`` by default
    """

    corners: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    density: np.ndarray
    material: np.ndarray
    tint: np.ndarray
    label: np.ndarray

    def __len__(self) -> int:
        return len(self.corners)

    def placed(self, position: Sequence[float], yaw: float = 0.0, scale: float = 1.0) -> Mesh:
        """The mesh scaled, turned about z by ``yaw`` radians, then moved to ``position``."""
        c, s = np.cos(yaw), np.sin(yaw)
        turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        corners = turned(self.corners.reshape(-1, 3), turn * scale) + np.asarray(position, np.float32)
        normals = turned(self.normals.reshape(-1, 3), turn)
        return replace(
            self,
            corners=corners.reshape(-1, 3, 3),
            normals=normals.reshape(-1, 3, 3),
            density=self.density / np.float32(scale),
        )

    def tinted(self, material: int, tint: Sequence[float]) -> Mesh:
        """The mesh with every face of ``material`` multiplied by ``tint`` (linear RGB)."""
        chosen = (self.material == material)[:, None]
        return replace(self, tint=np.where(chosen, self.tint * np.asarray(tint, np.float32), self.tint))

    def labelled(self, label: PixelClass) -> Mesh:
        """The mesh with ``label`` on every face that has none yet."""
        untold = self.label == PixelClass.OTHER
        return replace(self, label=np.where(untold, np.uint8(label), self.label))


def merge(meshes: Sequence[Mesh]) -> Mesh:
    """All triangles of ``meshes`` (at least one) as one mesh."""
    if len(meshes) == 1:
        return meshes[0]
    return Mesh(*(np.concatenate([getattr(m, name) for m in meshes]) for name in Mesh.__dataclass_fields__))


def surface(
    vertices: np.ndarray,
    faces: np.ndarray,
    material: int,
    tint: Sequence[float] | np.ndarray = (1.0, 1.0, 1.0),
    tile: float = 1.0,
    uv: np.ndarray | None = None,
    smooth: bool = False,
    normals: np.ndarray | None = None,
) -> Mesh:
    """Mesh from vertices ``(n, 3)`` and faces ``(m, 3)``.

    :param tint: linear RGB ``(3,)``, or ``(m, 3)`` for each face its own
    :param tile: metres that one repetition of the texture covers, when ``uv`` is not given; the texture
        is then projected along the axis that each face looks to most
    :param uv: texture coordinates of the vertices ``(n, 2)`` or of the face corners ``(m, 3, 2)``, in tiles
    :param smooth: interpolate normals over shared vertices instead of flat faces
    :param normals: unit vertex normals ``(n, 3)`` that replace the computed ones
    """
    faces = np.asarray(faces)
    corners = np.asarray(vertices, np.float64)[faces]
    upright = cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.sqrt(dots(upright, upright))
    flat = upright / np.maximum(area, 1e-12)[:, None]
    if normals is None and smooth:
        normals = np.zeros((len(vertices), 3))
        for k in range(3):
            np.add.at(normals, faces[:, k], upright)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    corner_normals = np.repeat(flat[:, None], 3, axis=1) if normals is None else np.asarray(normals)[faces]
    if uv is None:
        axis = np.abs(flat).argmax(axis=1)
        columns = np.array([[1, 2], [0, 2], [0, 1]])[axis]
        corner_uv = np.take_along_axis(corners, columns[:, None, :].repeat(3, axis=1), axis=2) / tile
    else:
        corner_uv = np.asarray(uv) if np.ndim(uv) == 3 else np.asarray(uv)[faces]
    edge_u, edge_v = corner_uv[:, 1] - corner_uv[:, 0], corner_uv[:, 2] - corner_uv[:, 0]
    uv_area = np.abs(edge_u[:, 0] * edge_v[:, 1] - edge_u[:, 1] * edge_v[:, 0])
    return Mesh(
        corners=corners.astype(np.float32),
        normals=corner_normals.astype(np.float32),
        uv=corner_uv.astype(np.float32),
        density=np.sqrt(uv_area / np.maximum(area, 1e-12)).astype(np.float32),
        material=np.full(len(faces), material, np.uint8),
        tint=np.broadcast_to(np.asarray(tint, np.float32), (len(faces), 3)).copy(),
        label=np.full(len(faces), PixelClass.OTHER, np.uint8),
    )


def quads(
    origin: np.ndarray,
    edge_u: np.ndarray,
    edge_v: np.ndarray,
    material: int,
    tint: Sequence[float] | np.ndarray = (1.0, 1.0, 1.0),
    tile: float | None = 1.0,
) -> Mesh:
    """Parallelograms ``origin + a * edge_u + b * edge_v``; each argument ``(n, 3)`` or ``(3,)``.

    They face along ``cross(edge_u, edge_v)``.

    :param tint: linear RGB ``(3,)``, or ``(n, 3)`` for each quad its own
    :param tile: metres for one repetition of the texture; None stretches one repetition over each quad,
        with the texture's top row at the ``edge_v`` end
    """
    p, u, v = np.broadcast_arrays(
        *(np.atleast_2d(np.asarray(a, np.float64)) for a in (origin, edge_u, edge_v))
    )
    n = len(p)
    vertices = np.stack([p, p + u, p + u + v, p + v], axis=1).reshape(-1, 3)
    faces = (np.arange(n)[:, None, None] * 4 + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3)
    if tile is None:
        uv = np.tile(np.array([[0, 1], [1, 1], [1, 0], [0, 0]], float), (n, 1))
    else:
        length_u = np.linalg.norm(u, axis=1) / tile
        length_v = np.linalg.norm(v, axis=1) / tile
        zero = np.zeros(n)
        # A start that depends on the position keeps neighbours from looking alike.
        start = (p[:, [0, 1]] + p[:, [2, 2]]) / tile
        uv = np.stack(
            [
                np.stack(c, axis=1)
                for c in ((zero, zero), (length_u, zero), (length_u, length_v), (zero, length_v))
            ],
            axis=1,
        )
        uv = (uv + start[:, None]).reshape(-1, 2)
    tint = np.asarray(tint, np.float32)
    return surface(vertices, faces, material, np.repeat(tint, 2, axis=0) if tint.ndim == 2 else tint, uv=uv)


def boxes(
    centre: np.ndarray,
    size: np.ndarray,
    material: int,
    tint: Sequence[float] | np.ndarray = (1.0, 1.0, 1.0),
    tile: float = 1.0,
) -> Mesh:
    """Axis-aligned boxes; ``centre`` and ``size`` are ``(n, 3)`` or ``(3,)`` metres."""
    centre, size = np.broadcast_arrays(
        np.atleast_2d(np.asarray(centre, float)), np.atleast_2d(np.asarray(size, float))
    )
    low = centre - size / 2
    x, y, z = (size * axis for axis in np.eye(3))
    faces = [
        (low, z, y), (low + x, y, z),
        (low, x, z), (low + y, z, x),
        (low, y, x), (low + z, x, y),
    ]  # fmt: skip
    p, u, v = (np.concatenate(values) for values in zip(*faces, strict=True))
    tint = np.asarray(tint)
    return quads(p, u, v, material, np.tile(tint, (6, 1)) if tint.ndim == 2 else tint, tile)


def cylinder(
    bottom: Sequence[float],
    top: Sequence[float],
    radius: float,
    material: int,
    tint: Sequence[float] = (1.0, 1.0, 1.0),
    tile: float = 1.0,
    top_radius: float | None = None,
    sections: int = 10,
) -> Mesh:
    """Round bar from ``bottom`` to ``top`` (points in metres), with both ends closed."""
    unit, faces = _unit_cylinder(sections)
    axis = np.subtract(top, bottom).astype(float)
    upper = unit[:, 2:] > 0
    widths = np.where(upper, radius if top_radius is None else top_radius, radius)
    vertices = np.asarray(bottom) + upper * axis + unit[:, :2] * widths @ _at_right_angles(axis)
    return surface(vertices, faces, material, tint, tile)


@cache
def _unit_cylinder(sections: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and faces of a bar along z of radius 1."""
    bar = trimesh.creation.cylinder(radius=1.0, height=1.0, sections=sections)
    return np.asarray(bar.vertices), np.asarray(bar.faces)


def _at_right_angles(axis: np.ndarray) -> np.ndarray:
    """Two unit vectors that make a right-handed frame with ``axis``, ``(2, 3)``."""
    first = cross(np.eye(3)[np.abs(axis).argmin()], axis)
    second = cross(axis, first)
    return np.stack([first / np.linalg.norm(first), second / np.linalg.norm(second)])


def ellipsoid(
    centre: Sequence[float],
    radii: Sequence[float],
    material: int,
    tint: Sequence[float] = (1.0, 1.0, 1.0),
    tile: float = 1.0,
    subdivisions: int = 2,
) -> Mesh:
    """Smooth ellipsoid with semi-axes ``radii`` metres."""
    vertices, faces = unit_ball(subdivisions)
    return surface(vertices * radii + centre, faces, material, tint, tile, smooth=True)


@cache
def unit_ball(subdivisions: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and faces of a ball of radius 1 made of triangles."""
    ball = trimesh.creation.icosphere(subdivisions=subdivisions, radius=1.0)
    return np.asarray(ball.vertices), np.asarray(ball.faces)


def loft(
    sections: np.ndarray,
    material: int,
    tint: Sequence[float] = (1.0, 1.0, 1.0),
    tile: float = 1.0,
    smooth: bool = True,
    closed: bool = False,
    uv: np.ndarray | None = None,
) -> Mesh:
    """Skin over a row of cross-sections.

    :param sections: ``(n, k, 3)``: n sections of k points each
    :param closed: join the last point of each section to its first, and close both ends by fans
    :param uv: texture coordinates ``(n, k, 2)`` in tiles
    """
    n, k, _ = sections.shape
    index = np.arange(n * k).reshape(n, k)
    across = np.concatenate([index, index[:, :1]], axis=1) if closed else index
    a, b, c, d = across[:-1, :-1], across[:-1, 1:], across[1:, 1:], across[1:, :-1]
    faces = np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))])
    if closed:
        fan = np.stack([np.zeros(k - 2, int), np.arange(1, k - 1), np.arange(2, k)], axis=1)
        faces = np.concatenate([faces, fan[:, ::-1], fan + (n - 1) * k])
    coordinates = None if uv is None else uv.reshape(-1, 2)
    return surface(sections.reshape(-1, 3), faces, material, tint, tile, coordinates, smooth)
