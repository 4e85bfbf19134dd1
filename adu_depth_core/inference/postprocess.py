"""Conversion of the network's outputs to metric depth and its uncertainty."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from adu_depth_core.camera import Camera, metric_scale
from adu_depth_core.inference.backends.base import NetworkOutput
from adu_depth_core.inference.depth_correction import DepthCorrection
from adu_depth_core.inference.novelty import is_unfamiliar, novelty, sigma_growth
from adu_depth_core.inference.placement import Placement
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.trained_cameras import doubt
from adu_depth_core.model_card import ModelCard

OUTPUT_SIZES = ("image", "network")

EDGE = 1.06
"""Ratio of the farthest to the nearest depth among a pixel's neighbours from which it lies at an edge."""

NEIGHBOURS = np.ones((3, 3), np.uint8)


def postprocess(
    output: NetworkOutput,
    placement: Placement,
    card: ModelCard,
    output_size: str = "image",
    correction: DepthCorrection | None = None,
) -> Prediction:
    """``depth = exp(mu) * f_net / f_ref`` and ``sigma = sigma_scale * growth * exp(log_b) * depth``.

    Depth is limited to the card's range, so ``depth == card.depth_max`` means "that far or farther".

    ``growth`` is that of ``inference.novelty.sigma_growth`` if the card has novelty entries, else 1: for
    an image unlike the training data the network underestimates its error.

    :param output: of one image: ``mu`` and ``log_b`` float32 ``(height, width)`` at network size
    :param placement: position of the image on the network's input
    :param card: model card with ``f_ref``, depth range and ``sigma_scale``
    :param output_size: ``image``, or ``network`` for the network's resolution without the border
    :param correction: of this camera's depth, before it is limited; sigma grows with depth
    :return: maps of that size with their camera
    :raises ValueError: if ``output_size`` is neither
    """
    if output_size not in OUTPUT_SIZES:
        raise ValueError(f"output_size is {output_size!r}: must be one of {', '.join(OUTPUT_SIZES)}")
    camera = placement.resized_camera
    # Small maps first: exp, scale and limits cost a quarter there, and bilinear interpolation
    # between limited values stays within the limits.
    depth = np.exp(placement.cut(output.mu))
    depth *= np.float32(metric_scale(camera.fx, card.f_ref))
    if correction is not None:
        slope = (np.arange(camera.height, dtype=np.float32) - camera.cy) / camera.fy
        depth *= np.exp(correction.log_factor(depth, slope[:, None]))
    np.clip(depth, card.depth_min, card.depth_max, out=depth)
    sigma = np.exp(placement.cut(output.log_b))
    sigma *= depth
    scale, strangeness, unfamiliar = card.sigma_scale, None, False
    if card.novelty and output.fingerprint is not None:
        strangeness = novelty(output.fingerprint)
        scale *= sigma_growth(strangeness, card)
        unfamiliar = is_unfamiliar(output.fingerprint, card)
    sigma *= np.float32(scale)
    prediction = Prediction(depth, sigma, camera, strangeness, unfamiliar, doubt(placement, card))
    return enlarge(prediction, placement.camera) if output_size == "image" else prediction


def enlarge(prediction: Prediction, camera: Camera) -> Prediction:
    """Prediction at network size enlarged to the image's.

    :param camera: intrinsics of the image
    """
    # One allocation for both: the C library hands two large ones back to the system on every
    # frame, and fetching the pages again takes longer than the interpolation.
    maps = np.empty((2, camera.height, camera.width), np.float32)
    size = camera.width, camera.height
    for source, target in zip((prediction.depth, prediction.sigma), maps, strict=True):
        cv2.resize(source, size, dst=target, interpolation=cv2.INTER_LINEAR)
    _keep_edges(prediction.depth, maps[0])
    return dataclasses.replace(prediction, depth=maps[0], sigma=maps[1], camera=camera)


def _keep_edges(depth: np.ndarray, enlarged: np.ndarray) -> None:
    """Replace interpolated values that mix two surfaces by the nearest sample, in place.

    Such mixtures lie in mid-air between the surfaces, and widen every edge.

    :param depth: at network size
    :param enlarged: the same, interpolated linearly to the image's size
    """
    farthest, nearest = cv2.dilate(depth, NEIGHBOURS), cv2.erode(depth, NEIGHBOURS)
    edge = cv2.compare(farthest * np.float32(1.0 / EDGE), nearest, cv2.CMP_GT)
    size = enlarged.shape[::-1]
    single, edge = (cv2.resize(m, size, interpolation=cv2.INTER_NEAREST_EXACT) for m in (depth, edge))
    cv2.copyTo(single, edge, enlarged)
