"""Evaluation protocol: the valid pixels and their limits. Numbers are comparable only under one protocol."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adu_depth_core.errors import UserError

MIN_DEPTH = 1e-3
"""Metres; nearer ground truth is ignored, nearer predictions are clipped to it."""

KITTI_CROP = (352, 1216)
"""Rows and columns of the KITTI benchmark crop: bottom rows, centred columns."""

CROP_FRACTIONS = {
    "none": (0.0, 1.0, 0.0, 1.0),
    "garg": (0.40810811, 0.99189189, 0.03594771, 0.96405229),
    "eigen": (0.3324324, 0.91351351, 0.0359477, 0.96405229),
}
"""Top, bottom, left and right as shares of the image's height and width (Garg 2016; Eigen 2014 as
reproduced by Godard 2017)."""

CROPS = {
    "none": "the whole image",
    "garg": "Garg crop of the whole image, as BTS",
    "garg-kitti": "Garg crop of the 352x1216 KITTI crop, as AdaBins and NeWCRFs",
    "eigen": "Eigen crop of the whole image",
}
"""Crops by name, with a description."""


@dataclass(frozen=True)
class Protocol:
    """Depth cap, crop and camera height of an evaluation.

    :param cap: metres; farther ground truth is ignored, farther predictions are clipped to it
    :param crop: key of ``CROPS``
    :param camera_height: metres of a level camera above a flat road; None to fit the road to the ground truth
        of each frame (``surfaces``)
    :raises UserError: if the cap is not above ``MIN_DEPTH``, the crop is unknown or the height not positive
    """

    cap: float = 80.0
    crop: str = "none"
    camera_height: float | None = None

    def __post_init__(self) -> None:
        if not MIN_DEPTH < self.cap < float("inf"):
            raise UserError(f"the depth cap is {self.cap} m: it must be more than {MIN_DEPTH} m, and finite")
        if self.crop not in CROPS:
            raise UserError(f"there is no crop {self.crop!r}: choose {', '.join(CROPS)}")
        if self.camera_height is not None and not 0 < self.camera_height < float("inf"):
            raise UserError(
                f"the camera height is {self.camera_height} m: it must be more than 0, and finite"
            )

    def mask(self, truth: np.ndarray) -> np.ndarray:
        """Pixels that count, bool ``(H, W)``: ``MIN_DEPTH < truth < cap`` inside the crop.

        :param truth: depth ``(H, W)`` in metres; 0, NaN or infinite where unknown
        :raises UserError: if the image is smaller than the crop
        """
        window = crop_window(self.crop, *truth.shape)
        mask = np.zeros(truth.shape, bool)
        mask[window] = (truth[window] > MIN_DEPTH) & (truth[window] < self.cap)
        return mask

    def inside(self, truth: np.ndarray) -> np.ndarray:
        """Pixels with ground truth inside the crop however far, bool ``(H, W)``; for metrics without a cap.

        :param truth: as in ``mask``
        :raises UserError: if the image is smaller than the crop
        """
        window = crop_window(self.crop, *truth.shape)
        inside = np.zeros(truth.shape, bool)
        inside[window] = (truth[window] > MIN_DEPTH) & np.isfinite(truth[window])
        return inside

    def clamp(self, prediction: np.ndarray) -> np.ndarray:
        """Predicted depth limited to ``[MIN_DEPTH, cap]``."""
        clamped: np.ndarray = np.clip(prediction, MIN_DEPTH, self.cap)
        return clamped

    def describe(self) -> str:
        """The protocol in words, as printed with every result."""
        return (
            f"{CROPS[self.crop]}; ground truth between {MIN_DEPTH:g} and {self.cap:g} m; "
            f"predictions clamped to that range; no median scaling; metrics per image, then averaged"
        )


def crop_window(crop: str, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of a crop of an image of ``height x width``; edges are rounded towards 0.

    :raises UserError: if ``garg-kitti`` is asked for an image smaller than the KITTI crop
    """
    if crop == "garg-kitti":
        rows, columns = KITTI_CROP
        if height < rows or width < columns:
            raise UserError(
                f"crop garg-kitti needs images of at least {rows}x{columns} (height x width), "
                f"this one is {height}x{width}: choose --crop garg or none"
            )
        inner_rows, inner_columns = crop_window("garg", rows, columns)
        return _shift(inner_rows, height - rows), _shift(inner_columns, (width - columns) // 2)
    top, bottom, left, right = CROP_FRACTIONS[crop]
    return slice(int(top * height), int(bottom * height)), slice(int(left * width), int(right * width))


def _shift(window: slice, offset: int) -> slice:
    return slice(window.start + offset, window.stop + offset)
