"""A spinning LiDAR."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adu_depth_core.synthetic.geometry.vectors import dots, lengths, turned
from adu_depth_core.synthetic.imaging.shading import Shader
from adu_depth_core.synthetic.surfaces.materials import property_table


@dataclass(frozen=True)
class Lidar:
    """Beams that a LiDAR sends out in one turn. Defaults follow the Velodyne HDL-64E of KITTI.

    :param beams: number of lasers, spread evenly over the vertical field of view
    :param azimuth_steps: directions in one turn
    :param top: elevation of the highest beam, degrees
    :param bottom: elevation of the lowest beam, degrees
    :param max_range: metres; farther surfaces send nothing back
    :param range_noise: standard deviation of the measured range in metres; 0 for exact points
    :raises ValueError: if a value is out of range; the text names it
    """

    beams: int = 64
    azimuth_steps: int = 1800
    top: float = 2.0
    bottom: float = -24.8
    max_range: float = 120.0
    range_noise: float = 0.0

    def __post_init__(self) -> None:
        for name in ("beams", "azimuth_steps", "max_range"):
            if getattr(self, name) <= 0:
                raise ValueError(f"LiDAR {name} is {getattr(self, name)}: must be positive")
        if self.range_noise < 0:
            raise ValueError(f"LiDAR range_noise is {self.range_noise}: must not be negative")
        if not self.bottom < self.top:
            raise ValueError(f"LiDAR field of view from {self.bottom} to {self.top} degrees is empty")

    def directions(self) -> np.ndarray:
        """Unit beam directions in the LiDAR's frame, float32 ``(beams * azimuth_steps, 3)``, beam by beam."""
        elevation = np.radians(np.linspace(self.top, self.bottom, self.beams))[:, None]
        azimuth = np.linspace(np.pi, -np.pi, self.azimuth_steps, endpoint=False)[None]
        flat, up = np.cos(elevation), np.sin(elevation)
        beams = np.stack(np.broadcast_arrays(flat * np.cos(azimuth), flat * np.sin(azimuth), up), axis=-1)
        return beams.reshape(-1, 3).astype(np.float32)

    def scan(self, shader: Shader, world_from_lidar: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One turn, taken at one instant.

        :param world_from_lidar: pose of the LiDAR, 4x4
        :return: float32 ``(N, 4)``: x, y, z metres in the LiDAR's frame, intensity 0..1
        """
        beams = self.directions()
        outward = turned(beams, world_from_lidar[:3, :3])
        hits = shader.caster.cast(world_from_lidar[:3, 3], outward)
        hits = hits[hits.t <= self.max_range]
        corners = shader.mesh.corners[hits.face]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals /= np.maximum(lengths(normals), 1e-12)
        cosine = np.abs(dots(normals, outward[hits.ray]))
        brightness = shader.albedo(hits, np.full(len(hits.ray), 2.0, np.float32))[:, :3].mean(axis=1)
        laser = property_table("laser")[shader.mesh.material[hits.face]]
        intensity = np.clip(laser * (0.3 + 0.7 * np.sqrt(brightness)) * (0.25 + 0.75 * cosine), 0.0, 1.0)
        distance = hits.t
        if self.range_noise:
            distance = distance + rng.normal(0.0, self.range_noise, len(distance)).astype(np.float32)
        return np.concatenate([beams[hits.ray] * distance[:, None], intensity[:, None]], axis=1).astype(
            np.float32
        )
