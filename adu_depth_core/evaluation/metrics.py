"""Depth metrics of one image. Formulas: docs/evaluation.md."""

from __future__ import annotations

import numpy as np


def depth_metrics(prediction: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """Every depth metric over the pixels of ``mask``, in float64.

    With g the truth, p the prediction and e = ln p - ln g:

    ============  =====================================  ==========
    abs_rel       mean(|g - p| / g)                      1
    sq_rel        mean((g - p)^2 / g)                    m
    sqErrorRel    100 * mean((g - p)^2 / g^2)            %
    rmse          sqrt(mean((g - p)^2))                  m
    rmse_log      sqrt(mean(e^2))                        1
    log10         mean(|e|) / ln 10                      1
    silog         100 * sqrt(mean(e^2) - mean(e)^2)      1
    irmse         sqrt(mean((1000/g - 1000/p)^2))        1/km
    d1, d2, d3    share with max(g/p, p/g) < 1.25^k      0 to 1
    ============  =====================================  ==========

    ``sqErrorRel`` is the metric of KITTI's online benchmark, under its name there and in percent as
    there. Papers mostly report ``sq_rel`` (Eigen 2014), which divides by g once.

    :param prediction: depth ``(H, W)`` metres, already limited to the protocol's range
    :param truth: depth ``(H, W)`` metres
    :param mask: bool ``(H, W)``, pixels that count
    :raises ValueError: if the shapes differ, no pixel counts, or a depth that counts is not a positive number
    """
    p, g = counted_pixels(mask, prediction=prediction, truth=truth)
    squared = (g - p) ** 2
    e = np.log(p / g)
    ratio = np.maximum(g / p, p / g)
    return {
        "abs_rel": float(np.mean(np.abs(g - p) / g)),
        "sq_rel": float(np.mean(squared / g)),
        "sqErrorRel": float(100 * np.mean(squared / g**2)),
        "rmse": float(np.sqrt(np.mean(squared))),
        "rmse_log": float(np.sqrt(np.mean(e**2))),
        "log10": float(np.mean(np.abs(e)) / np.log(10)),
        "silog": float(100 * np.std(e)),
        "irmse": float(np.sqrt(np.mean((1000 / g - 1000 / p) ** 2))),
        **{f"d{k}": float(np.mean(ratio < 1.25**k)) for k in (1, 2, 3)},
    }


def counted_pixels(mask: np.ndarray, **maps: np.ndarray) -> tuple[np.ndarray, ...]:
    """The pixels of ``mask`` from each map ``(H, W)``, as float64 ``(N,)``; all must be positive numbers.

    :raises ValueError: if shapes differ, no pixel counts, or a value that counts is not a positive number
    """
    pixels = []
    for name, values in maps.items():
        if values.shape != mask.shape:
            raise ValueError(f"{name} is {values.shape}, the mask is {mask.shape} (height, width)")
        pixels.append(values[mask].astype(np.float64))
        bad = np.count_nonzero(~(np.isfinite(pixels[-1]) & (pixels[-1] > 0)))
        if bad:
            raise ValueError(
                f"{name} is not a positive number at {bad} of {pixels[-1].size} pixels that count"
            )
    if not mask.any():
        raise ValueError("no pixel has ground truth that counts")
    return tuple(pixels)
