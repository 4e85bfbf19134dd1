"""Sun, sky, clouds and haze of a drive.

Radiance is linear RGB; 1 is what a white, fully lit surface sends out before exposure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adu_depth_core.synthetic.geometry.vectors import dots
from adu_depth_core.synthetic.surfaces.sampling import bilinear
from adu_depth_core.synthetic.surfaces.textures import noise

_WEATHER = ("clear", "fair", "cloudy", "overcast", "low_sun")
_CLOUD_SIZE = 512


@dataclass(frozen=True)
class Light:
    """Illumination of one drive.

    :param to_sun: unit vector to the sun, ``(3,)``
    :param sun: irradiance of a surface that faces the sun, linear RGB; 0 when overcast
    :param zenith: radiance of the sky overhead
    :param horizon: radiance of the sky at the horizon, also the colour of haze
    :param cover: share of the sky under clouds, 0..1
    :param clouds: tileable cloud density ``(S, S)`` float32
    :param haze: extinction in 1/m
    """

    to_sun: np.ndarray
    sun: np.ndarray
    zenith: np.ndarray
    horizon: np.ndarray
    cover: float
    clouds: np.ndarray
    haze: float

    def sky(self, directions: np.ndarray) -> np.ndarray:
        """Radiance ``(N, 3)`` float32 of the sky in unit directions ``(N, 3)``."""
        up = np.maximum(directions[:, 2], 0.0)
        blue = np.exp(-5.0 * up)[:, None]
        colour = self.zenith + (self.horizon - self.zenith) * blue
        towards = dots(directions, self.to_sun)
        if self.sun.any():
            glow = np.exp((towards - 1.0) * 9.0) * 0.5 + np.exp((towards - 1.0) * 200.0) * 3.0
            colour = colour + glow[:, None] * self.sun * 0.35
        if self.cover > 0:
            reach = 0.35 / (up + 0.09)
            x = (directions[:, 0] * reach * 0.35) % 1.0 * _CLOUD_SIZE
            y = (directions[:, 1] * reach * 0.35) % 1.0 * _CLOUD_SIZE
            density = bilinear(self.clouds, x, y)
            threshold = 1.2 - 2.4 * self.cover
            amount = np.clip((density - threshold) * 0.9, 0.0, 1.0) * np.clip(up * 12.0, 0.0, 1.0)
            bright = self.horizon * (1.05 - 0.25 * amount[:, None]) + 0.12 * self.sun * (1 + towards[:, None])
            colour = colour + (bright - colour) * amount[:, None]
        return colour.astype(np.float32)

    def ambient(self, normals: np.ndarray) -> np.ndarray:
        """Irradiance ``(N, 3)`` / pi from sky and ground on surfaces with unit normals ``(N, 3)``."""
        up = (0.5 + 0.5 * normals[:, 2:]).astype(np.float32)
        above = self._skylight
        below = 0.14 * (self.sun * max(self.to_sun[2], 0.0) + above)
        return up * above.astype(np.float32) + (1 - up) * below.astype(np.float32)

    def through_air(self, radiance: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """Radiance ``(N, 3)`` after ``distance`` ``(N,)`` metres of haze."""
        seen = np.exp(-self.haze * distance)[:, None]
        return self.horizon.astype(np.float32) * (1 - seen) + radiance * seen

    @property
    def _skylight(self) -> np.ndarray:
        """Mean radiance of the sky; the band near the horizon is small, and partly hidden in streets."""
        return 0.7 * self.zenith + 0.2 * self.horizon

    @property
    def ground_level(self) -> float:
        """Mean irradiance of a horizontal surface in the sun, for exposure."""
        return float(np.mean(self.sun * max(self.to_sun[2], 0.0) + self._skylight))


def random_light(rng: np.random.Generator) -> Light:
    """Weather and time of day, drawn at random."""
    weather = rng.choice(_WEATHER, p=[0.34, 0.28, 0.12, 0.14, 0.12])
    elevation = np.radians(rng.uniform(9, 20) if weather == "low_sun" else rng.uniform(22, 62))
    azimuth = rng.uniform(0, 2 * np.pi)
    to_sun = np.array(
        [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)]
    )
    warmth = np.clip(1.3 - elevation, 0.0, 1.0)
    sun = np.array([1.0, 1.0 - 0.18 * warmth, 1.0 - 0.42 * warmth]) * rng.uniform(0.85, 1.1)
    zenith = np.array([0.13, 0.23, 0.42]) * rng.uniform(0.6, 1.3)
    horizon = np.array([0.72, 0.84, 0.95]) * rng.uniform(0.65, 1.3)
    cover = {
        "clear": rng.choice([0.0, 0.25]),
        "fair": rng.uniform(0.3, 0.5),
        "low_sun": rng.uniform(0, 0.4),
    }.get(weather, 1.0)
    if weather == "cloudy":
        sun = sun * rng.uniform(0.15, 0.4)
    if weather in ("cloudy", "overcast"):
        grey = np.array([0.62, 0.65, 0.7]) * rng.uniform(0.8, 1.1)
        zenith, horizon = grey * 0.75, grey
    if weather == "overcast":
        sun = np.zeros(3)
    haze = float(np.exp(rng.uniform(np.log(1e-4), np.log(2.5e-3))))
    clouds = noise(rng, 1.7, _CLOUD_SIZE).astype(np.float32)
    return Light(to_sun, sun, zenith, horizon, float(cover), clouds, haze)
