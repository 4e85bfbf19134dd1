"""Gaps of a disparity map filled as KITTI's stereo devkit does it before it evaluates one."""

from __future__ import annotations

import numpy as np


def fill_background(disparity: np.ndarray) -> np.ndarray:
    """A dense map: each gap in a row takes the smaller, farther one of its two ends.

    A gap that touches the image's border takes its one end; a row without any value that of the nearest
    row above or else below. (KITTI stereo devkit, ``io_disp.h``: ``interpolateBackground``.) Gaps are mostly
    what the other camera does not see, which is background.

    :param disparity: float32 ``(H, W)`` pixels, 0 unknown
    :return: float32 ``(H, W)`` pixels; 0 everywhere if nothing is known
    """
    known = disparity > 0
    width = disparity.shape[1]
    columns = np.broadcast_to(np.arange(width), disparity.shape)
    before = np.maximum.accumulate(np.where(known, columns, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, columns, width)[:, ::-1], axis=1)[:, ::-1]
    ends = [
        np.where(
            (end >= 0) & (end < width),
            np.take_along_axis(disparity, np.clip(end, 0, width - 1), axis=1),
            np.inf,
        )
        for end in (before, after)
    ]
    filled = np.minimum(*ends)
    rows = np.isfinite(filled[:, 0])  # a row is filled completely or not at all
    if not rows.any():
        return np.zeros_like(disparity)
    above = np.maximum.accumulate(np.where(rows, np.arange(len(rows)), -1))
    nearest = np.where(above >= 0, above, np.argmax(rows))
    return filled[nearest].astype(np.float32)
