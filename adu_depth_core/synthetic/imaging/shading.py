"""The light that comes back along rays: texture, sun, shadow, sky, mirrored surroundings, haze."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adu_depth_core.synthetic.geometry.mesh import Mesh
from adu_depth_core.synthetic.geometry.raycast import Hits, RayCaster
from adu_depth_core.synthetic.geometry.vectors import dots, lengths
from adu_depth_core.synthetic.imaging.light import Light
from adu_depth_core.synthetic.surfaces.materials import INDEX, property_table, shared_atlas
from adu_depth_core.synthetic.surfaces.textures import SIZE

_MOTTLE_SCALE = np.float32(0.113)


@dataclass(frozen=True)
class Sight:
    """Shading result of a bundle of rays.

    :param radiance: linear RGB float32 ``(N, 3)`` for each ray
    :param hits: the rays that meet a surface; the others see the sky
    :param lit: bool ``(N,)``: the ray ends on a sunlit surface
    """

    radiance: np.ndarray
    hits: Hits
    lit: np.ndarray


@dataclass(frozen=True)
class _Surface:
    """The visible side of surfaces at the points hit; all float32 with one row for each hit.

    :param unit: direction of the ray, of length 1
    :param normals: unit shading normals, towards the viewer
    :param cosine: of the angle between ray and normal, > 0
    :param distance: from the viewer, metres
    """

    material: np.ndarray
    unit: np.ndarray
    normals: np.ndarray
    cosine: np.ndarray
    distance: np.ndarray

    def __getitem__(self, chosen: np.ndarray) -> _Surface:
        return _Surface(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


class Shader:
    """Sees a mesh under a light."""

    def __init__(self, mesh: Mesh, light: Light) -> None:
        self.mesh, self.light = mesh, light
        self.caster = RayCaster(mesh)
        self._atlas = shared_atlas()
        self._wrap = property_table("wrap")
        self._reflectance = property_table("reflectance")
        self._glossy = property_table("glossy")

    def look(self, origin: np.ndarray, directions: np.ndarray, pixel: float) -> Sight:
        """Shade rays from one point.

        :param origin: float32 ``(3,)``
        :param directions: float32 ``(N, 3)``, of any length
        :param pixel: angle between neighbouring rays in radians, to choose the textures' level of detail
        """
        hits = self.caster.cast(origin, directions)
        length = lengths(directions)
        unit = directions / length
        radiance = np.empty((len(directions), 3), np.float32)
        lit, sky = np.zeros(len(directions), bool), np.ones(len(directions), bool)
        sky[hits.ray] = False
        radiance[sky] = self.light.sky(unit[sky])
        surface = self._surface(hits, np.take(unit, hits.ray, axis=0), hits.t * length[hits.ray, 0])
        points = origin + np.take(directions, hits.ray, axis=0) * hits.t[:, None]
        radiance[hits.ray], lit[hits.ray] = self._shade(surface, hits, points, np.float32(pixel))
        return Sight(radiance, hits, lit)

    def albedo(self, hits: Hits, level: np.ndarray) -> np.ndarray:
        """Linear colour and gloss ``(N, 4)`` of the surface at hits, at a texture level ``(N,)``."""
        uv = _interpolate(self.mesh.uv, hits)
        found = self._atlas.sample(self.mesh.material[hits.face], uv, level)
        broad_level = level + np.log2(_MOTTLE_SCALE)
        broad = self._atlas.sample(INDEX["mottled"], uv * _MOTTLE_SCALE, broad_level, blend=False)
        # Textures hold display values; squaring is close to undoing the display's gamma.
        found[:, :3] *= (
            found[:, :3] * np.take(self.mesh.tint, hits.face, axis=0) * (0.72 + 0.56 * broad[:, :1])
        )
        return found

    def _surface(self, hits: Hits, unit: np.ndarray, distance: np.ndarray) -> _Surface:
        material = self.mesh.material[hits.face]
        normals = _interpolate(self.mesh.normals, hits)
        normals /= np.maximum(lengths(normals), 1e-6)
        facing = dots(normals, unit)
        # Leaves carry their crown's normals and pass light from behind; other faces are seen from outside.
        normals[(facing > 0) & (self._wrap[material] == 0)] *= -1
        return _Surface(material, unit, normals, np.maximum(np.abs(facing), 0.02), distance)

    def _shade(
        self, surface: _Surface, hits: Hits, points: np.ndarray, pixel: np.float32
    ) -> tuple[np.ndarray, np.ndarray]:
        """Radiance ``(N, 3)`` towards the viewer, and which points the sun reaches ``(N,)``."""
        # On a slanted surface a pixel is long and narrow: the mean of its sides trades blur for shimmer.
        footprint = surface.distance * pixel / np.sqrt(surface.cosine)
        level = np.log2(np.maximum(footprint * self.mesh.density[hits.face] * SIZE, 1e-3))
        albedo = self.albedo(hits, level)
        sunshine = self._sunshine(surface, points)
        irradiance = self.light.ambient(surface.normals) + sunshine[:, None] * self.light.sun.astype(
            np.float32
        )
        radiance = albedo[:, :3] * irradiance
        mirror = self._reflectance[surface.material] * np.maximum(
            self._glossy[surface.material], albedo[:, 3]
        )
        shiny = np.flatnonzero(mirror > 0)
        if len(shiny):
            share, mirrored = self._mirror(surface[shiny], mirror[shiny], sunshine[shiny] > 0)
            radiance[shiny] += share * (mirrored - radiance[shiny])
        return self.light.through_air(radiance, surface.distance), sunshine > 0

    def _sunshine(self, surface: _Surface, points: np.ndarray) -> np.ndarray:
        """Share of the sun's light that each point receives ``(N,)``: less when slanted, none in shadow."""
        if not self.light.sun.any():
            return np.zeros(len(points), np.float32)
        to_sun = self.light.to_sun.astype(np.float32)
        wrap = self._wrap[surface.material]
        received = np.clip((dots(surface.normals, to_sun) + wrap) / (1 + wrap), 0.0, None)
        towards = np.flatnonzero(received > 0)
        # Start a little towards the viewer and the sun, clear of the surface that was hit.
        start = points[towards] + to_sun * np.float32(0.02) - surface.unit[towards] * np.float32(0.01)
        received[towards[self.caster.blocked(start, np.broadcast_to(to_sun, start.shape))]] = 0.0
        return received

    def _mirror(
        self, surface: _Surface, mirror: np.ndarray, lit: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Share of mirrored light ``(N, 1)`` (Schlick's Fresnel term), and that light ``(N, 3)``.

        What is mirrored is a sketch: sky above, a dark street below, the sun's highlight.
        """
        light, unit, normals = self.light, surface.unit, surface.normals
        reflected = unit - 2 * dots(unit, normals)[:, None] * normals
        street = 0.10 * (light.horizon + light.sun * max(light.to_sun[2], 0.1))
        above = np.clip((reflected[:, 2:] - 0.05) * 4.0, 0.0, 1.0)
        seen = street + (light.sky(reflected) - street) * above
        seen += (np.clip(dots(reflected, light.to_sun), 0.0, 1.0) ** 400 * lit)[:, None] * light.sun * 25.0
        grazing = (1 - mirror) * (1 - surface.cosine) ** 5 * np.minimum(mirror * 8, 1.0)
        return (mirror + grazing)[:, None], seen


def _interpolate(corner_values: np.ndarray, hits: Hits) -> np.ndarray:
    """Values given at the corners of each triangle, ``(M, 3, k)``, at the points hit: ``(N, k)``."""
    return np.einsum("nc,nck->nk", hits.weights, np.take(corner_values, hits.face, axis=0))
