"""Parity gate: deviation of a network's outputs from the reference, on the same frames."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from adu_depth_core.inference.backends.base import NetworkInput, NetworkOutput
from adu_depth_core.inference.novelty import novelty

Run = Callable[[np.ndarray, np.ndarray], NetworkOutput]
"""``Backend.run`` or ``Backend.infer``: maps images and their cameras to the outputs."""


@dataclass(frozen=True)
class Limits:
    """Largest relative differences that pass.

    :param depth_median: median of ``|depth / reference - 1|``
    :param depth_p99: its 99th percentile
    :param sigma_median: median of ``|s / s_reference - 1|`` of the relative uncertainty ``s = sigma / depth``
    :param sigma_p99: its 99th percentile
    :param novelty: largest ``|n - n_reference| / max(n_reference, 1)`` of the novelty ``n`` of a frame:
        relative where it is large; below 1, which is familiar, it need not be exact
    """

    depth_median: float
    depth_p99: float
    sigma_median: float
    sigma_p99: float
    novelty: float


LIMITS = {
    "fp32": Limits(0.001, 0.01, 0.002, 0.02, 0.01),
    "fp16": Limits(0.005, 0.03, 0.01, 0.06, 0.05),
    "int8": Limits(0.04, 0.20, 0.08, 0.40, 0.20),
}
"""By precision. FP32 allows for a different order of summation and for TF32, in which GPUs compute FP32
convolutions: with the shipped student it moves depth by 0.3 % at the 99th percentile (``test_parity.py``). A
miscompiled engine is far off."""


@dataclass(frozen=True)
class Parity:
    """Result of a comparison; the fields of ``Limits``, measured.

    :param frames: number of frames compared
    :param reference: name of the reference
    :param finite: whether every output was a finite number
    """

    frames: int
    reference: str
    finite: bool
    depth_median: float
    depth_p99: float
    sigma_median: float
    sigma_p99: float
    novelty: float

    def excess(self, limits: Limits) -> list[str]:
        """Violated limits, in words; empty if the gate is passed."""
        if not self.finite:
            return ["the outputs contain NaN or infinity"]
        return [
            f"{name.replace('_', ' ')} {getattr(self, name):.4%} is over {limit:.2%}"
            for name, limit in asdict(limits).items()
            if not getattr(self, name) <= limit
        ]

    def describe(self) -> str:
        return (
            f"against {self.reference} on {self.frames} frames: depth median {self.depth_median:.4%}, "
            f"p99 {self.depth_p99:.4%}; sigma median {self.sigma_median:.4%}, p99 {self.sigma_p99:.4%}; "
            f"novelty {self.novelty:.4%}"
        )


def compare(run: Run, reference: Run, name: str, inputs: Sequence[NetworkInput], batch: int = 1) -> Parity:
    """Run both on every input: each position of a batch gets a different image, and every output is compared.

    Depth is ``exp(mu)`` times the same scale in both, so its ratio is ``exp(mu - mu_reference)``.

    :param run: ``Backend.run`` of ``batch`` images
    :param reference: ``Backend.infer`` of one image
    :param name: name of the reference
    :param inputs: of one image each; with fewer than ``batch``, some come in several places
    :param batch: images at once
    """
    if not inputs:
        raise ValueError("no frame to compare on")
    # Outputs are valid only until the next call.
    expected = [[np.array(values) for values in reference(*seen)] for seen in inputs]
    places = batch * math.ceil(len(inputs) / batch)
    depth, sigma, strangeness = [], [], []
    for start in range(0, places, batch):
        chosen = [place % len(inputs) for place in range(start, start + batch)]
        together = (np.concatenate(values) for values in zip(*(inputs[i] for i in chosen), strict=True))
        for index, *maps, fingerprint in zip(chosen, *run(*together), strict=True):
            for errors, values, truth in zip((depth, sigma), maps, expected[index][:2], strict=True):
                errors.append(np.abs(np.expm1(values.astype(np.float64) - truth)).ravel())
            truth = novelty(expected[index][2])
            strangeness.append(abs(novelty(fingerprint) - truth) / max(truth, 1.0))
    depth, sigma = np.concatenate(depth), np.concatenate(sigma)
    with np.errstate(invalid="ignore"):  # reported by `finite`
        quantiles = [float(np.quantile(errors, q)) for errors in (depth, sigma) for q in (0.5, 0.99)]
    return Parity(
        frames=len(inputs),
        reference=name,
        finite=all(bool(np.isfinite(errors).all()) for errors in (depth, sigma, strangeness)),
        depth_median=quantiles[0],
        depth_p99=quantiles[1],
        sigma_median=quantiles[2],
        sigma_p99=quantiles[3],
        novelty=float(np.max(strangeness)),
    )
