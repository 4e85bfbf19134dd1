"""The camera's electronics: exposure, white balance, tone curve, blur, vignetting and noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Sensor:
    """Conversion of radiance to 8-bit values; the same for both cameras of a rig.

    :param gain: exposure factor for each colour channel, ``(3,)``
    :param gamma: display exponent; larger lifts the shadows
    :param blur: standard deviation of the lens blur in pixels
    :param read_noise: noise in the dark, 8-bit steps
    :param shot_noise: noise of bright pixels, 8-bit steps
    :param vignetting: light lost in the corners, share
    """

    gain: np.ndarray
    gamma: float
    blur: float
    read_noise: float
    shot_noise: float
    vignetting: float

    def develop(self, radiance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """8-bit RGB ``(H, W, 3)`` of linear radiance ``(H, W, 3)``.

        :param rng: draws this picture's noise
        """
        height, width = radiance.shape[:2]
        x = np.linspace(-1, 1, width, dtype=np.float32)
        y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        fall_off = 1 - np.float32(self.vignetting) * (x * x + y * y) / 2
        light = radiance * (self.gain.astype(np.float32) * fall_off[..., None])
        light = np.minimum(light, 4.0)
        if self.blur > 0:
            light = cv2.GaussianBlur(light, (0, 0), self.blur)
        values = np.clip(light, 0.0, 1.0) ** np.float32(1 / self.gamma)
        values = values * 255
        spread = self.read_noise + self.shot_noise * np.sqrt(values / 255)
        values += spread * rng.standard_normal(values.shape, dtype=np.float32)
        return np.clip(np.round(values), 0, 255).astype(np.uint8)


def random_sensor(rng: np.random.Generator, light_level: float) -> Sensor:
    """A camera set for a scene of the given brightness, never quite perfectly.

    :param light_level: irradiance of the ground, see ``Light.ground_level``
    """
    exposure = 1.75 / light_level * np.exp(rng.normal(-0.1, 0.28))
    balance = np.exp(rng.normal(0.0, 0.05, 3))
    return Sensor(
        gain=exposure * balance,
        gamma=rng.uniform(1.5, 2.1),
        blur=rng.uniform(0.25, 0.55),
        read_noise=rng.uniform(0.4, 1.8),
        shot_noise=rng.uniform(0.4, 2.2),
        vignetting=rng.uniform(0.0, 0.2),
    )
