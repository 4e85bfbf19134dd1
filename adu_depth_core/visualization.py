"""Pictures of depth and uncertainty, with legends, drawn by OpenCV alone.

Depth is shown on a logarithmic scale, so that a centimetre near the bumper and a metre far away get
the same attention; uncertainty as its share of the depth. Pictures are RGB uint8 ``(H, W, 3)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

UNKNOWN_COLOR = (64, 64, 64)
"""Colour of pixels without a value (NaN, zero or negative)."""

BACKGROUND = (24, 26, 30)
INK = (235, 235, 235)
FAINT_INK = (160, 165, 172)

PANEL_WIDTHS = (480, 1280)
"""Narrowest and widest panel of a figure; other images are resized."""

WIDE_ASPECT = 2.0
"""Panels at least this wide for their height are stacked, others stand side by side."""


@dataclass(frozen=True)
class ColorScale:
    """Logarithmic colour scale from ``low`` to ``high``; values beyond get the colours of the ends.

    :param low: value of the first colour, > 0
    :param high: value of the last colour, > low
    :param ticks: values that the legend names
    :param colormap: OpenCV's number of the colour map
    :param reverse: begin with the colour map's last colour
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    colormap: int
    reverse: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high:
            raise ValueError(f"color scale needs 0 < low < high, got {self.low} and {self.high}")

    def position(self, values: np.ndarray) -> np.ndarray:
        """Place on the scale, 0 (low) to 1 (high), of values > 0."""
        return np.clip(np.log(np.asarray(values) / self.low) / np.log(self.high / self.low), 0.0, 1.0)

    def colors(self, values: np.ndarray) -> np.ndarray:
        """Colour of each value ``(H, W)``; NaN, zero and negative values get ``UNKNOWN_COLOR``."""
        values = np.asarray(values, np.float32)
        known = values > 0  # false for NaN
        position = self.position(np.where(known, values, np.float32(self.low)))
        index = np.round(255 * (1 - position if self.reverse else position)).astype(np.uint8)
        picture = cv2.cvtColor(cv2.applyColorMap(index, self.colormap), cv2.COLOR_BGR2RGB)
        picture[~known] = UNKNOWN_COLOR
        return picture


def depth_scale(near: float = 2.0, far: float = 80.0) -> ColorScale:
    """Near is red, far is blue: the TURBO map, metres."""
    ticks = tuple(t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 40, 80, 160) if near <= t <= far)
    return ColorScale(near, far, ticks, cv2.COLORMAP_TURBO, reverse=True)


SIGMA_SCALE = ColorScale(2.0, 50.0, (2, 5, 10, 20, 50), cv2.COLORMAP_INFERNO)
"""Sigma in per cent of depth: dark is certain, bright is uncertain."""


def colorize_depth(depth: np.ndarray, near: float = 2.0, far: float = 80.0) -> np.ndarray:
    """Picture of depth ``(H, W)`` in metres; +inf gets the colour of ``far``."""
    return depth_scale(near, far).colors(depth)


def colorize_sigma(sigma: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Picture of sigma ``(H, W)`` relative to depth ``(H, W)``, both in metres."""
    depth = np.asarray(depth, np.float32)
    known = (depth > 0) & np.isfinite(depth)
    return SIGMA_SCALE.colors(
        100 * np.asarray(sigma, np.float32) / np.where(known, depth, np.float32(np.nan))
    )


def labelled_panel(
    picture: np.ndarray, title: str, scale: ColorScale | None = None, unknown: str = ""
) -> np.ndarray:
    """The picture under a strip with its title and, if given, the legend of its colours.

    :param unknown: meaning of pixels of ``UNKNOWN_COLOR``; empty if there are none
    :return: RGB uint8, as wide as the picture and the strip's height taller
    """
    width = picture.shape[1]
    height = int(np.clip(width // 24, 28, 52))
    strip = np.full((height, width, 3), BACKGROUND, np.uint8)
    margin = height // 3
    end = _write(strip, title, 0.32 * height, INK, left=margin, middle=height // 2)
    if unknown:
        side = height // 3
        top, left = (height - side) // 2, end + margin
        strip[top : top + side, left : left + side] = UNKNOWN_COLOR
        _write(strip, unknown, 0.26 * height, FAINT_INK, left + side + margin // 2, height // 2)
    if scale is not None:
        _draw_legend(strip, scale, left=width // 2, right=width - 2 * margin)
    return np.vstack([strip, picture])


def prediction_figure(
    image: np.ndarray, depth: np.ndarray, sigma: np.ndarray, near: float = 2.0, far: float = 80.0
) -> np.ndarray:
    """Image, depth and sigma as labelled panels, stacked if they are wide, else side by side.

    :param image: RGB uint8 ``(H, W, 3)``
    :param depth: metres ``(H, W)``; NaN where it is withheld because sigma is too large
    :param sigma: metres ``(H, W)``
    :return: RGB uint8 with an even number of rows and columns, as video encoders want it
    """
    height, width = image.shape[:2]
    panel_width = int(np.clip(width, *PANEL_WIDTHS)) // 2 * 2
    size = (panel_width, round(height * panel_width / width))
    interpolation = cv2.INTER_AREA if panel_width < width else cv2.INTER_LINEAR
    withheld = "too uncertain" if np.isnan(depth).any() else ""
    contents = [
        (image, "image", None, ""),
        (colorize_depth(depth, near, far), "depth, metres", depth_scale(near, far), withheld),
        (colorize_sigma(sigma, depth), "one sigma, % of depth", SIGMA_SCALE, ""),
    ]
    panels = [
        labelled_panel(cv2.resize(picture, size, interpolation=interpolation), *labels)
        for picture, *labels in contents
    ]
    figure = np.vstack(panels) if width / height >= WIDE_ASPECT else np.hstack(panels)
    return figure[: figure.shape[0] // 2 * 2]


def _draw_legend(strip: np.ndarray, scale: ColorScale, left: int, right: int) -> None:
    """Draw the colour bar with its ticks into columns ``[left, right)`` of a strip."""
    height = strip.shape[0]
    top, bottom, label_middle = (round(share * height) for share in (0.22, 0.46, 0.74))
    bar = np.geomspace(scale.low, scale.high, right - left, dtype=np.float32)
    strip[top:bottom, left:right] = scale.colors(bar[None])
    for tick in scale.ticks:
        column = left + round(float(scale.position(tick)) * (right - left - 1))
        strip[bottom : bottom + max(2, height // 16), column] = FAINT_INK
        _write(strip, f"{tick:g}", 0.24 * height, FAINT_INK, column, label_middle, centred=True)


def _write(
    picture: np.ndarray,
    text: str,
    text_height: float,
    color: tuple[int, int, int],
    left: int,
    middle: int,
    centred: bool = False,
) -> int:
    """Write text with digits ``text_height`` pixels tall from (or centred on) column ``left``.

    :return: the column after it
    """
    font = cv2.FONT_HERSHEY_SIMPLEX
    scale = text_height / cv2.getTextSize("0", font, 1.0, 1)[0][1]
    width = cv2.getTextSize(text, font, scale, 1)[0][0]
    if centred:
        left -= width // 2
    cv2.putText(picture, text, (left, middle + round(text_height / 2)), font, scale, color, 1, cv2.LINE_AA)
    return left + width
