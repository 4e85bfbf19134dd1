"""Ray casting against a mesh with Embree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adu_depth_core.errors import require
from adu_depth_core.synthetic.geometry.mesh import Mesh


@dataclass(frozen=True)
class Hits:
    """Intersections of rays with the mesh; one entry for each ray that hit.

    :param ray: int ``(N,)`` index of the ray
    :param face: int ``(N,)`` index of the triangle
    :param t: float32 ``(N,)`` distance in multiples of the ray's direction
    :param weights: float32 ``(N, 3)`` barycentric weights of the triangle's corners
    """

    ray: np.ndarray
    face: np.ndarray
    t: np.ndarray
    weights: np.ndarray

    def __getitem__(self, chosen: np.ndarray) -> Hits:
        return Hits(self.ray[chosen], self.face[chosen], self.t[chosen], self.weights[chosen])


class RayCaster:
    """Index of a mesh for ray casting. Building it takes about 0.1 s for 300 000 triangles.

    :raises UserError: if ``embreex`` is not installed
    """

    def __init__(self, mesh: Mesh) -> None:
        scene = require("embreex.rtcore_scene", "synthetic", "to render synthetic drives")
        construction = require("embreex.mesh_construction", "synthetic", "to render synthetic drives")
        self._scene = scene.EmbreeScene()
        # The scene does not keep its geometry alive.
        self._geometry = construction.TriangleMesh(
            self._scene, np.ascontiguousarray(mesh.corners, np.float32)
        )

    def cast(self, origins: np.ndarray, directions: np.ndarray) -> Hits:
        """First hit along each ray.

        :param origins: float32 ``(3,)`` or ``(N, 3)``
        :param directions: float32 ``(N, 3)``, of any length: ``Hits.t`` counts in it
        """
        found = self._scene.run(
            self._rows(origins, directions), np.ascontiguousarray(directions), output=True
        )
        ray = np.flatnonzero(found["primID"] >= 0)
        u, v = found["u"][ray], found["v"][ray]
        weights = np.stack([1 - u - v, u, v], axis=1)
        return Hits(ray, found["primID"][ray], found["tfar"][ray], weights)

    def blocked(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Occlusion test for each ray, bool ``(N,)``: true if it hits anything."""
        rows = self._rows(origins, directions)
        return self._scene.run(rows, np.ascontiguousarray(directions), query="OCCLUDED") >= 0

    @staticmethod
    def _rows(origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.broadcast_to(np.asarray(origins, np.float32), directions.shape))
