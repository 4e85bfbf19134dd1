"""Random photometric effects of cameras, weather and compression on an image."""

from __future__ import annotations

import math

import cv2
import numpy as np


def vary(
    image: np.ndarray, random: np.random.Generator, strength: float = 1.0, depth: np.ndarray | None = None
) -> np.ndarray:
    """Exposure, white balance, contrast, saturation, gamma, haze, blur, noise and JPEG.

    :param image: RGB uint8 ``(H, W, 3)``
    :param strength: 0 changes nothing; 1 is the range of road cameras
    :param depth: dense depth ``(H, W)`` metres, 0 or +inf where unknown, for haze that grows with distance;
        None leaves haze out
    :return: RGB uint8 ``(H, W, 3)``
    """
    pixels = _coloured(image, random, strength)
    gamma = strength * random.uniform(-0.35, 0.35)
    if random.random() < 0.08 * strength:  # dusk and night
        gamma = strength * random.uniform(0.4, 1.0)
        pixels *= np.float32(random.uniform(0.4, 0.9))
    pixels = cv2.pow(np.clip(pixels, 0.0, 1.0, out=pixels), math.exp(gamma))
    if depth is not None and random.random() < 0.1 * strength:
        pixels = _hazy(pixels, depth, random)
    if random.random() < 0.25 * strength:
        pixels = cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.3, 1.5))
    if random.random() < 0.35 * strength:
        deviation = np.float32(random.uniform(0.0, 0.04))
        pixels += deviation * random.standard_normal(pixels.shape, np.float32)
    stored = cv2.multiply(pixels, (255.0,) * 4, dtype=cv2.CV_8U)  # rounds and saturates
    if random.random() < 0.25 * strength:
        quality = int(random.integers(25, 90))
        _, encoded = cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, quality])
        stored = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return stored


def _coloured(image: np.ndarray, random: np.random.Generator, strength: float) -> np.ndarray:
    """Exposure, white balance, contrast and saturation, float32 from 0 to 1 and beyond.

    All four are affine in the colour, so one matrix does them in one pass over the image.
    """
    gain = 1.0 + strength * random.uniform(-0.25, 0.25)
    gain = gain * (1.0 + strength * random.uniform(-0.1, 0.1, size=3))
    mean = float(np.mean(gain * cv2.mean(image)[:3])) / 255.0
    contrast = 1.0 + strength * random.uniform(-0.25, 0.25)
    saturation = 0.0 if random.random() < 0.06 * strength else 1.0 + strength * random.uniform(-0.5, 0.4)
    mixture = saturation * np.eye(3) + (1.0 - saturation) / 3.0
    matrix = np.empty((3, 4))
    matrix[:, :3] = contrast * mixture * gain / 255.0
    matrix[:, 3] = mean * (1.0 - contrast)
    return cv2.transform(image.astype(np.float32), matrix.astype(np.float32))


def _hazy(pixels: np.ndarray, depth: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Light scattered into each ray: ``J * t + A * (1 - t)``, ``t = exp(-z / z0)`` (Koschmieder)."""
    visibility = np.exp(random.uniform(np.log(25.0), np.log(200.0)))
    distance = np.where((depth > 0) & np.isfinite(depth), depth, 300.0)
    clear = np.exp(-distance / visibility).astype(np.float32)[..., None]
    return pixels * clear + random.uniform(0.6, 0.9) * (1.0 - clear)
