"""From meshes and light to what a camera would see: linear radiance and exact depth."""

from __future__ import annotations

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.synthetic.light import Light
from adu_depth_core.synthetic.materials import INDEX, property_table, shared_atlas
from adu_depth_core.synthetic.mesh import Mesh
from adu_depth_core.synthetic.raycast import Hits, RayCaster
from adu_depth_core.synthetic.textures import SIZE

_SUBPIXEL = np.array([(-0.375, -0.125), (0.125, -0.375), (0.375, 0.125), (-0.125, 0.375)], np.float32)
_MOTTLE_SCALE = np.float32(0.113)


class Scene:
    """A mesh under a light, ready to be looked at.

    :param mesh: everything that can be seen
    :param light: sun, sky and haze
    """

    def __init__(self, mesh: Mesh, light: Light) -> None:
        self.mesh, self.light = mesh, light
        self.caster = RayCaster(mesh)
        self._atlas = shared_atlas()
        self._wrap = property_table("wrap")
        self._reflectance = property_table("reflectance")
        self._glossy = property_table("glossy")

    def view(self, camera: Camera, world_from_camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Look at the scene.

        Depth is cast through pixel centres, exactly. Colour is averaged over four more rays wherever the
        pixel lies on an edge of a shape, a material or a shadow.

        :param world_from_camera: pose of the optical frame, 4x4
        :return: radiance float32 ``(H, W, 3)``, linear RGB; depth float32 ``(H, W)`` metres, inf for sky
        """
        turn = world_from_camera[:3, :3].astype(np.float32)
        origin = world_from_camera[:3, 3].astype(np.float32)
        pixel = 1.0 / camera.fx
        rays = camera.rays()
        colour, hits, lit = self._look(origin, rays.reshape(-1, 3) @ turn.T, pixel)
        depth = np.full(rays.shape[:2], np.inf, np.float32)
        depth.ravel()[hits.ray] = hits.t
        material = np.full(rays.shape[:2], 255, np.uint8)
        material.ravel()[hits.ray] = self.mesh.material[hits.face]

        rows, columns = np.nonzero(_edges(depth, material, lit.reshape(depth.shape)))
        if len(rows):
            offsets = np.concatenate([_SUBPIXEL / (camera.fx, camera.fy), np.zeros((4, 1))], axis=1).astype(
                np.float32
            )
            finer = (rays[rows, columns][:, None] + offsets).reshape(-1, 3) @ turn.T
            samples, _, _ = self._look(origin, finer, pixel / 2)
            colour.reshape(*depth.shape, 3)[rows, columns] = samples.reshape(-1, 4, 3).mean(axis=1)
        return colour.reshape(*depth.shape, 3), depth

    def albedo(self, hits: Hits, level: np.ndarray) -> np.ndarray:
        """Linear colour and gloss ``(N, 4)`` of the surface at hits, at a texture level ``(N,)``."""
        mesh, weights = self.mesh, hits.weights
        corner_uv = mesh.uv[hits.face]
        uv = sum(corner_uv[:, k] * weights[:, k : k + 1] for k in range(3))
        material = mesh.material[hits.face]
        found = self._atlas.sample(material, uv, level)
        broad = self._atlas.sample(
            np.full(len(uv), INDEX["mottled"]), uv * _MOTTLE_SCALE, level + np.log2(_MOTTLE_SCALE)
        )
        # Textures hold display values; squaring is close to undoing the display's gamma.
        found[:, :3] *= found[:, :3] * mesh.tint[hits.face] * (0.72 + 0.56 * broad[:, :1])
        return found

    def _look(
        self, origin: np.ndarray, directions: np.ndarray, pixel: float
    ) -> tuple[np.ndarray, Hits, np.ndarray]:
        """Radiance ``(N, 3)`` along rays, their hits, and which of them end in sunlight (N,)."""
        hits = self.caster.cast(origin, directions)
        length = np.linalg.norm(directions, axis=1, keepdims=True)
        unit = directions / length
        colour = np.empty((len(directions), 3), np.float32)
        sky = np.ones(len(directions), bool)
        sky[hits.ray] = False
        colour[sky] = self.light.sky(unit[sky])
        seen, lit = self._shade(
            origin, directions[hits.ray], unit[hits.ray], length[hits.ray, 0], hits, pixel
        )
        colour[hits.ray] = seen
        sunlit = np.zeros(len(directions), bool)
        sunlit[hits.ray] = lit
        return colour, hits, sunlit

    def _shade(
        self, origin: np.ndarray, directions: np.ndarray, unit: np.ndarray, length: np.ndarray, hits: Hits, pixel: float
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        mesh, light = self.mesh, self.light
        material = mesh.material[hits.face]
        corner_normals = mesh.normals[hits.face]
        normals = sum(corner_normals[:, k] * hits.weights[:, k : k + 1] for k in range(3))
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
        facing = np.einsum("ij,ij->i", normals, unit)
        wrap = self._wrap[material]
        # Leaves carry their crown's normals and pass light from behind; other faces are seen from outside.
        turned = (facing > 0) & (wrap == 0)
        normals[turned] *= -1
        cosine = np.maximum(np.abs(facing), 0.02)

        distance = hits.t * length
        # A slanted surface covers a long, narrow footprint: the geometric mean of its sides trades blur for shimmer.
        footprint = distance * np.float32(pixel) / np.sqrt(cosine)
        level = np.log2(np.maximum(footprint * mesh.density[hits.face] * SIZE, 1e-3))
        albedo = self.albedo(hits, level)

        irradiance = light.ambient(normals)
        lit = np.zeros(len(unit), bool)
        if light.sun.any():
            to_sun = light.to_sun.astype(np.float32)
            lambert = np.clip((normals @ to_sun + wrap) / (1 + wrap), 0.0, None)
            candidates = np.flatnonzero(lambert > 0)
            # Start a little towards the viewer and the sun, clear of the surface that was hit.
            start = origin + directions[candidates] * hits.t[candidates, None]
            start += to_sun * np.float32(0.02) - unit[candidates] * np.float32(0.01)
            free = ~self.caster.blocked(start, np.broadcast_to(to_sun, start.shape))
            lit[candidates[free]] = True
            irradiance += (lambert * lit)[:, None] * light.sun.astype(np.float32)
        colour = albedo[:, :3] * irradiance

        mirror = self._reflectance[material] * np.maximum(self._glossy[material], albedo[:, 3])
        shiny = np.flatnonzero(mirror > 0)
        if len(shiny):
            colour[shiny] = self._mirror(
                colour[shiny], unit[shiny], normals[shiny], cosine[shiny], mirror[shiny], lit[shiny]
            )
        return light.through_air(colour, distance), lit

    def _mirror(
        self, colour: np.ndarray, unit: np.ndarray, normals: np.ndarray, cosine: np.ndarray, mirror: np.ndarray, lit: np.ndarray
    ) -> np.ndarray:  # fmt: skip
        """Add the mirrored surroundings: sky above, a dark street below, the sun's highlight (Schlick's Fresnel)."""
        light = self.light
        reflected = unit - 2 * np.einsum("ij,ij->i", unit, normals)[:, None] * normals
        street = 0.10 * (light.horizon + light.sun * max(light.to_sun[2], 0.1))
        open_sky = np.clip((reflected[:, 2:] - 0.05) * 4.0, 0.0, 1.0)
        surroundings = street + (light.sky(reflected) - street) * open_sky
        highlight = np.clip(reflected @ light.to_sun, 0.0, 1.0) ** 400 * lit
        surroundings += highlight[:, None] * light.sun * 25.0
        share = (mirror + (1 - mirror) * (1 - cosine) ** 5 * np.minimum(mirror * 8, 1.0))[:, None]
        return colour * (1 - share) + surroundings * share


def _edges(depth: np.ndarray, material: np.ndarray, lit: np.ndarray) -> np.ndarray:
    """Pixels whose colour one ray through the centre cannot represent, bool ``(H, W)``.

    Inverse depth is linear over a plane, so its second difference is zero there however slanted it is.
    """
    inverse = 1.0 / depth
    bent = np.abs(cv2.Laplacian(inverse, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE))
    shape = bent > 0.02 * np.maximum(inverse, 0.01)
    changes = np.zeros(depth.shape, bool)
    for labels in (material, lit):
        across = labels[:, 1:] != labels[:, :-1]
        down = labels[1:] != labels[:-1]
        changes[:, 1:] |= across
        changes[:, :-1] |= across
        changes[1:] |= down
        changes[:-1] |= down
    return shape | changes
