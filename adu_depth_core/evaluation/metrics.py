"""Depth metrics of one image. Formulas: docs/evaluation.md."""

from __future__ import annotations

import numpy as np

from adu_depth_core.evaluation.pixels import Parts, blocks, counted_pixels

_RATIOS = 1.25 ** np.arange(1, 4)
_TERMS = (
    "abs_rel",
    "sq_rel",
    "sqErrorRel",
    "squared",
    "log_squared",
    "log",
    "shift",
    "shift_squared",
    "inverse_squared",
)


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
    return depth_means(depth_sums(p, g)[:, 0])


def depth_sums(p: np.ndarray, g: np.ndarray, parts: Parts | None = None) -> np.ndarray:
    """Sums behind the means of all depth metrics, over the pixels of each cell.

    Columns add up: those of several cells are the sums of their union, which ``depth_means`` takes.

    :param p: predictions, float64 ``(N,)``, positive
    :param g: ground truth, float64 ``(N,)``, positive
    :param parts: the cells; None: all pixels are in one
    :return: float64 ``(rows, cells)``; the last row is the number of pixels
    """
    parts = parts or Parts.whole(p.size)
    sums = np.zeros((len(_TERMS) + len(_RATIOS) + 1, parts.cells))
    # The spread of e is computed around one of its values: around 0 it would be lost in rounding.
    pivot = np.log(p[0] / g[0]) if p.size else 0.0
    for block in blocks(p.size):
        p_, g_ = p[block], g[block]
        error, quotient = np.abs(g_ - p_), p_ / g_
        relative, squared, e = error / g_, error * error, np.log(quotient)
        shift, inverse = e - pivot, error / (g_ * p_)
        terms = [relative, squared / g_, relative * relative, squared, e * e, np.abs(e)]
        terms += [shift, shift * shift, inverse * inverse]
        ratio = np.maximum(quotient, g_ / p_)
        sums += parts.sums(block, terms, [ratio < limit for limit in _RATIOS])
    return sums


def depth_means(sums: np.ndarray) -> dict[str, float]:
    """The metrics of a column of ``depth_sums``; it must have pixels."""
    means = (sums[:-1] / sums[-1]).tolist()
    mean = dict(zip((*_TERMS, "d1", "d2", "d3"), means, strict=True))
    return {
        "abs_rel": mean["abs_rel"],
        "sq_rel": mean["sq_rel"],
        "sqErrorRel": 100 * mean["sqErrorRel"],
        "rmse": float(np.sqrt(mean["squared"])),
        "rmse_log": float(np.sqrt(mean["log_squared"])),
        "log10": mean["log"] / float(np.log(10)),
        "silog": 100 * float(np.sqrt(max(0.0, mean["shift_squared"] - mean["shift"] ** 2))),
        "irmse": 1000 * float(np.sqrt(mean["inverse_squared"])),
        **{name: mean[name] for name in ("d1", "d2", "d3")},
    }
