import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from adu_depth_core.model_card import read_card  # noqa: E402
from adu_depth_core.networks.folding import fold_batch_norms  # noqa: E402
from adu_depth_core.networks.student import load_student  # noqa: E402


def norms(network) -> int:
    return sum(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())


def test_a_folded_student_answers_as_before(shipped_model):
    weights = shipped_model.with_suffix(".safetensors")
    student = load_student(weights, read_card(weights))
    inputs = torch.randn(1, 3, 64, 96), torch.tensor([[55.0, 55.0, 48.0, 32.0]])
    folded = fold_batch_norms(student, *inputs)
    assert norms(student) > 40
    assert norms(folded) == 0
    with torch.inference_mode():
        for ours, before in zip(folded(*inputs), student(*inputs), strict=True):
            torch.testing.assert_close(ours, before, rtol=1e-3, atol=1e-3)


class NormFirst(torch.nn.Module):
    """Runs its submodules in a different order than it registers them."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 3, 1)
        self.norm = torch.nn.BatchNorm2d(3)

    def forward(self, image):
        return (self.convolution(self.norm(image)),)


def test_a_network_that_would_answer_otherwise_stays_as_it_is():
    network = NormFirst().eval()
    network.norm.running_mean.fill_(2.0)
    assert fold_batch_norms(network, torch.randn(1, 3, 8, 8)) is network
