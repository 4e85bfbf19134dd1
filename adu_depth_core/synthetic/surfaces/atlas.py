"""All textures in one picture with their reduced versions (mip-maps), and filtered look-up in it."""

from __future__ import annotations

import cv2
import numpy as np

from adu_depth_core.synthetic.surfaces.sampling import bilinear
from adu_depth_core.synthetic.surfaces.textures import SIZE

LEVELS = int(np.log2(SIZE)) - 1
_BORDER = 2


class Atlas:
    """Texture look-up at any scale, for millions of points at once.

    Texture k's level l lies in a cell of column k and row l, with a border that wraps around.

    :param pictures: RGBA float 0..1, each ``(SIZE, SIZE, 4)``, tileable
    """

    def __init__(self, pictures: list[np.ndarray]) -> None:
        self._pitch = SIZE + 2 * _BORDER
        sizes = [SIZE >> level for level in range(LEVELS)]
        tops = np.cumsum([0] + [size + 2 * _BORDER for size in sizes])
        self._sizes = np.array(sizes, np.float32)
        self._tops = tops[:-1].astype(np.float32) + _BORDER
        self._image = np.zeros((tops[-1], self._pitch * len(pictures), 4), np.uint8)
        for column, picture in enumerate(pictures):
            level = np.clip(picture, 0.0, 1.0).astype(np.float32)
            for top, size in zip(tops, sizes, strict=False):
                padded = np.pad(level, ((_BORDER, _BORDER), (_BORDER, _BORDER), (0, 0)), mode="wrap")
                cell = self._image[top : top + size + 2 * _BORDER, column * self._pitch :]
                cell[:, : size + 2 * _BORDER] = np.round(padded * 255)
                level = level.reshape(size // 2, 2, size // 2, 2, 4).mean(axis=(1, 3))

    def sample(
        self, texture: np.ndarray | int, uv: np.ndarray, level: np.ndarray, blend: bool = True
    ) -> np.ndarray:
        """Colour at texture coordinates.

        :param texture: texture indices, int ``(N,)`` or one for all
        :param uv: float32 ``(N, 2)`` in tiles, any range
        :param level: float32 ``(N,)``: 0 is the full picture, each level halves it; clipped to what exists
        :param blend: mix the two levels around ``level``; otherwise take the finer one, in half the time
        :return: float32 ``(N, 4)`` in 0..1
        """
        level = np.clip(level, 0.0, LEVELS - 1)
        lower = level.astype(np.int32)
        upper = np.minimum(lower + 1, LEVELS - 1)
        wrapped = uv - np.floor(uv)
        left = np.asarray(texture, np.float32) * self._pitch + _BORDER
        fine = self._look_up(left, wrapped, lower)
        if not blend:
            return fine / np.float32(255.0)
        coarse = self._look_up(left, wrapped, upper)
        share = (level - lower)[:, None]
        return (fine + (coarse - fine) * share) / np.float32(255.0)

    def _look_up(self, left: np.ndarray, wrapped: np.ndarray, level: np.ndarray) -> np.ndarray:
        size = self._sizes[level]
        x = left + wrapped[:, 0] * size - np.float32(0.5)
        y = self._tops[level] + wrapped[:, 1] * size - np.float32(0.5)
        return bilinear(self._image, x, y, cv2.BORDER_REPLICATE).astype(np.float32)
