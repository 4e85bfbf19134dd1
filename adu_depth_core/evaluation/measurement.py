"""Every metric of one image."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.evaluation.class_metrics import CLASS_NAMES, class_metrics
from adu_depth_core.evaluation.groups import Groups, group_metrics, pixels_by_cell
from adu_depth_core.evaluation.metrics import depth_means, depth_sums
from adu_depth_core.evaluation.pixels import Parts, Pixels
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.road_plane import Road
from adu_depth_core.evaluation.sparsification import aurg, ause, pixel_curves
from adu_depth_core.evaluation.surfaces import SURFACE_NAMES, Surfaces
from adu_depth_core.evaluation.uncertainty import pixel_coverage, uncertainty_means, uncertainty_sums

PART_NAMES = (*reversed(SURFACE_NAMES), *CLASS_NAMES)
"""Kinds of surfaces and classes of pixels."""

PART_METRICS = ("abs_rel", "coverage_1sigma")
"""Metrics of each of them; their names begin with it: ``obstacle_abs_rel``. A frame without such pixels, a
road or classes does not have them."""


@dataclass(frozen=True)
class FrameResult:
    """Metrics of one image.

    :param name: name of the frame
    :param pixels: number of pixels that counted
    :param metrics: by name; see ``docs/evaluation.md``
    :param road: the plane that obstacles and ground were told apart by; None if that was not asked for or
        there is none
    :param part_pixels: number of those that show each of ``PART_NAMES``, without those that none shows
    """

    name: str
    pixels: int
    metrics: dict[str, float]
    road: Road | None = None
    part_pixels: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """One image measured.

    :param frame: its metrics; without pixels there are none
    :param curves: as those of ``Summary``, of this image
    :param groups: metrics of its parts; None without pixels
    """

    frame: FrameResult
    curves: dict[str, np.ndarray] = field(default_factory=dict)
    groups: Groups | None = None


def measure(
    protocol: Protocol,
    name: str,
    truth: np.ndarray,
    depth: np.ndarray,
    sigma: np.ndarray | None,
    camera: Camera | None = None,
    classes: np.ndarray | None = None,
) -> Measurement:
    """Every metric of one frame; parameters as of ``Evaluator.add``. Keeps nothing: safe on any thread."""
    surfaces = None if camera is None else Surfaces.of(protocol, truth, camera)
    found = pixels_by_cell(protocol, truth, depth, sigma, surfaces)
    if found is None:
        return Measurement(FrameResult(name, 0, {}))
    return summed_up(name, *found, surfaces, classes)


def summed_up(
    name: str,
    pixels: Pixels,
    parts: Parts,
    surfaces: Surfaces | None = None,
    classes: np.ndarray | None = None,
) -> Measurement:
    """Every metric of the pixels of a frame and of its parts.

    :param name: name of the frame
    :param pixels: by ``groups.pixels_by_cell``
    :param parts: by ``groups.pixels_by_cell``
    :param surfaces: obstacles and ground of the frame, or None
    :param classes: ``PixelClass`` of every pixel of the image, uint8 ``(H, W)``, or None
    """
    p, s, g = pixels.prediction, pixels.sigma, pixels.truth
    # One pass over the pixels serves the whole image and all groups.
    depth, uncertainty = depth_sums(p, g, parts), None
    metrics, curves = depth_means(depth.sum(axis=1)), {}
    if s is not None:
        uncertainty = uncertainty_sums(p, s, g, parts)
        metrics |= uncertainty_means(uncertainty.sum(axis=1))
        curves["coverage"] = pixel_coverage(p, s, g)
        for metric, (by_sigma, by_oracle) in pixel_curves(p, s, g).items():
            metrics[f"ause_{metric}"] = ause(by_sigma, by_oracle)
            metrics[f"aurg_{metric}"] = aurg(by_sigma)
            curves |= {f"{metric}_by_sigma": by_sigma, f"{metric}_by_oracle": by_oracle}
    groups = group_metrics(depth, uncertainty)
    shown = groups.surfaces | ({} if classes is None else class_metrics(pixels, classes))
    for part, (_, known) in shown.items():
        metrics |= {f"{part}_{metric}": known[metric] for metric in PART_METRICS if metric in known}
    counts = {part: count for part, (count, _) in shown.items()}
    road = None if surfaces is None else surfaces.road
    return Measurement(FrameResult(name, g.size, metrics, road, counts), curves, groups)
