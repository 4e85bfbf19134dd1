import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from adu_depth_core.deploy.input_frames import network_inputs, synthetic_frames  # noqa: E402
from adu_depth_core.deploy.parity import LIMITS, compare  # noqa: E402
from adu_depth_core.inference.backends.base import NetworkOutput  # noqa: E402
from adu_depth_core.model_card import read_card  # noqa: E402
from adu_depth_core.networks.reduced_precision import TYPES, ReducedPrecisionStudent  # noqa: E402
from adu_depth_core.networks.student import load_student  # noqa: E402

SIZE = (192, 320)


def run_of(network):
    def run(image, camera):
        with torch.inference_mode():
            mu, log_b, fingerprint = network(torch.from_numpy(image), torch.from_numpy(camera))
        return NetworkOutput(mu[:, 0].numpy(), log_b[:, 0].numpy(), fingerprint.numpy())

    return run


@pytest.fixture(scope="module")
def weights(shipped_model):
    return shipped_model.with_suffix(".safetensors")


@pytest.mark.parametrize("precision", TYPES)
def test_the_answers_are_those_of_fp32(weights, precision):
    card = read_card(weights)
    narrow = ReducedPrecisionStudent(load_student(weights, card), precision)
    exact = run_of(load_student(weights, card))
    inputs = network_inputs(synthetic_frames(SIZE), card, SIZE)
    parity = compare(
        run_of(narrow), lambda *seen: NetworkOutput(*(v[0] for v in exact(*seen))), "FP32", inputs, batch=2
    )
    # bfloat16 has 8 significant bits, FP16 11: it gets the tolerance of INT8.
    assert parity.excess(LIMITS["fp16" if precision == "fp16" else "int8"]) == []
    assert parity.depth_median > 1e-5  # it was rounded


def test_only_encoder_and_decoder_are_narrow(weights):
    narrow = ReducedPrecisionStudent(load_student(weights, read_card(weights)), "fp16")
    kinds = {name.split(".")[1]: tensor.dtype for name, tensor in narrow.named_parameters()}
    assert kinds == {
        "encoder": torch.float16,
        "decoder": torch.float16,
        "rays": torch.float32,
        "head": torch.float32,
    }
    outputs = narrow(torch.zeros(1, 3, *SIZE), torch.tensor([[185.0, 185.0, 160.0, 96.0]]))
    assert {output.dtype for output in outputs} == {torch.float32}
