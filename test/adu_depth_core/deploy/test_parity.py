import dataclasses

import numpy as np
import pytest

from adu_depth_core.deploy.parity import LIMITS, compare
from adu_depth_core.inference.backends.base import NetworkOutput, blank_input


def answers(mu: float, log_b: float, fingerprint: float = 1.0):
    return lambda image, camera: NetworkOutput(
        np.full(image.shape[2:], mu, np.float32),
        np.full(image.shape[2:], log_b, np.float32),
        np.array([fingerprint, 0.0], np.float32),
    )


INPUTS = [blank_input(1, (32, 64))] * 3


def test_the_same_answers_pass_every_gate():
    parity = compare(answers(2.0, -1.0), answers(2.0, -1.0), "itself", INPUTS)
    assert parity.frames == 3
    assert (parity.depth_p99, parity.sigma_p99, parity.novelty) == (0, 0, 0)
    assert all(parity.excess(limits) == [] for limits in LIMITS.values())


def test_differences_are_relative_to_the_reference():
    parity = compare(answers(np.log(11.0), np.log(0.2)), answers(np.log(10.0), np.log(0.25)), "it", INPUTS)
    assert parity.depth_median == pytest.approx(0.1, rel=1e-5)
    assert parity.sigma_p99 == pytest.approx(0.2, rel=1e-5)
    assert [reason.split(" is over")[0] for reason in parity.excess(LIMITS["int8"])] == [
        "depth median 10.0000%",
        "sigma median 20.0000%",
    ]


@pytest.mark.parametrize(
    ("ours", "reference", "difference"),
    [
        (6.0, 4.0, 0.5),
        (0.25, 0.0, 0.25),  # not fitted, so 0: nothing to divide by
        (0.5, 0.1, 0.4),  # both are familiar
    ],
)
def test_novelty_differs_relatively_where_it_is_large(ours, reference, difference):
    parity = compare(answers(2.0, -1.0, ours), answers(2.0, -1.0, reference), "it", INPUTS)
    assert parity.novelty == pytest.approx(difference, rel=1e-5)
    assert [reason.split(" is over")[0] for reason in parity.excess(LIMITS["fp16"])] == [
        f"novelty {difference:.4%}"
    ]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("output", range(3))
def test_numbers_that_are_not_finite_never_pass(bad, output):
    values = [2.0, -1.0, 1.0]
    values[output] = bad
    parity = compare(answers(*values), answers(2.0, -1.0), "it", INPUTS)
    assert parity.excess(LIMITS["int8"]) == ["the outputs contain NaN or infinity"]


def test_limits_grow_with_what_the_precision_costs():
    fp32, fp16, int8 = (dataclasses.astuple(LIMITS[name]) for name in ("fp32", "fp16", "int8"))
    assert all(a < b < c for a, b, c in zip(fp32, fp16, int8, strict=True))


def test_a_comparison_needs_frames():
    with pytest.raises(ValueError, match="no frame"):
        compare(answers(0, 0), answers(0, 0), "it", [])
