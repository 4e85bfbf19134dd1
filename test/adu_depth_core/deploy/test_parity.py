import dataclasses

import numpy as np
import pytest

from adu_depth_core.deploy.input_frames import network_inputs, synthetic_frames
from adu_depth_core.deploy.parity import LIMITS, compare
from adu_depth_core.inference.backends.base import NetworkInput, NetworkOutput, blank_input
from adu_depth_core.model_card import read_card


def answers(mu: float, log_b: float, fingerprint: float = 1.0):
    """A network's ``run``."""

    def run(image, camera):
        batch, _, height, width = image.shape
        maps = (np.full((batch, height, width), value, np.float32) for value in (mu, log_b))
        return NetworkOutput(*maps, np.tile(np.array([fingerprint, 0.0], np.float32), (batch, 1)))

    return run


def one(run):
    """Its ``infer``."""
    return lambda image, camera: NetworkOutput(*(values[0] for values in run(image, camera)))


INPUTS = [blank_input(1, (32, 64))] * 3


def test_the_same_answers_pass_every_gate():
    parity = compare(answers(2.0, -1.0), one(answers(2.0, -1.0)), "itself", INPUTS)
    assert parity.frames == 3
    assert (parity.depth_p99, parity.sigma_p99, parity.novelty) == (0, 0, 0)
    assert all(parity.excess(limits) == [] for limits in LIMITS.values())


def test_differences_are_relative_to_the_reference():
    parity = compare(
        answers(np.log(11.0), np.log(0.2)), one(answers(np.log(10.0), np.log(0.25))), "it", INPUTS
    )
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
        (0.25, 0.0, 0.25),  # not fitted, so 0: nothing to normalise by
        (0.5, 0.1, 0.4),  # both are familiar
    ],
)
def test_novelty_differs_relatively_where_it_is_large(ours, reference, difference):
    parity = compare(answers(2.0, -1.0, ours), one(answers(2.0, -1.0, reference)), "it", INPUTS)
    assert parity.novelty == pytest.approx(difference, rel=1e-5)
    assert [reason.split(" is over")[0] for reason in parity.excess(LIMITS["fp16"])] == [
        f"novelty {difference:.4%}"
    ]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("output", range(3))
def test_numbers_that_are_not_finite_never_pass(bad, output):
    values = [2.0, -1.0, 1.0]
    values[output] = bad
    parity = compare(answers(*values), one(answers(2.0, -1.0)), "it", INPUTS)
    assert parity.excess(LIMITS["int8"]) == ["the outputs contain NaN or infinity"]


def test_limits_grow_with_what_the_precision_costs():
    fp32, fp16, int8 = (dataclasses.astuple(LIMITS[name]) for name in ("fp32", "fp16", "int8"))
    assert all(a < b < c for a, b, c in zip(fp32, fp16, int8, strict=True))


def test_a_comparison_needs_frames():
    with pytest.raises(ValueError, match="no frame"):
        compare(answers(0, 0), one(answers(0, 0)), "it", [])


def brightness(image, camera):
    """A network that outputs the mean of each image."""
    mu = np.broadcast_to(image.mean((1, 2, 3))[:, None, None], (len(image), *image.shape[2:]))
    return NetworkOutput(mu, -mu, np.stack([camera[:, 0], camera[:, 1]], axis=1))


def last_place_wrong(image, camera):
    output = brightness(image, camera)
    return output._replace(mu=np.concatenate([output.mu[:-1], output.mu[-1:] + 1]))


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_every_place_of_a_batch_is_compared_with_another_image(frames):
    inputs = [
        NetworkInput(np.full((1, 3, 8, 8), i, np.float32), np.full((1, 4), i, np.float32))
        for i in range(frames)
    ]
    whole = compare(brightness, one(brightness), "it", inputs, batch=3)
    assert (whole.frames, whole.depth_p99, whole.novelty) == (frames, 0, 0)
    assert compare(last_place_wrong, one(brightness), "it", inputs, batch=3).depth_p99 > 1
    if frames > 1:  # outputs in the wrong places, as from a batch read with a wrong stride
        mixed = compare(
            lambda image, camera: brightness(np.roll(image, 1, axis=0), camera),
            one(brightness),
            "it",
            inputs,
            batch=3,
        )
        assert mixed.depth_p99 > 1


def test_tf32_convolutions_are_within_the_limits_of_fp32(shipped_model):
    """By default GPUs compute FP32 convolutions with 10-bit mantissas (TF32); this emulates it."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("timm")
    from adu_depth_core.networks.student import load_student

    def tf32(values):
        """Rounds to nearest, ties to even."""
        bits = values.contiguous().view(torch.int32)
        return ((bits + 0x0FFF + ((bits >> 13) & 1)) & ~0x1FFF).view(torch.float32)

    def run_of(student):
        def run(image, camera):
            with torch.inference_mode():
                mu, log_b, fingerprint = student(torch.from_numpy(image), torch.from_numpy(camera))
            return NetworkOutput(mu[:, 0].numpy(), log_b[:, 0].numpy(), fingerprint.numpy())

        return run

    weights = shipped_model.with_suffix(".safetensors")
    card = read_card(weights)
    exact, rounded = load_student(weights, card), load_student(weights, card)
    for module in rounded.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.weight.data = tf32(module.weight.data)
            module.register_forward_pre_hook(lambda module, inputs: (tf32(inputs[0]),))
    inputs = network_inputs(synthetic_frames((192, 640)), card, (192, 640))
    parity = compare(run_of(rounded), one(run_of(exact)), "it", inputs)
    assert parity.depth_p99 > 1e-4  # it was rounded
    for name, limit in dataclasses.asdict(LIMITS["fp32"]).items():
        assert getattr(parity, name) < limit, name
