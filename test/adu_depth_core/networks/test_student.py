"""Student network: shapes, pyramid levels and weights."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from adu_depth_core.model_card import ModelCard  # noqa: E402
from adu_depth_core.networks.attention import PooledSelfAttention  # noqa: E402
from adu_depth_core.networks.decoder import SMALLEST_LOG_B, FullResolutionHead, bounded_log_b  # noqa: E402
from adu_depth_core.networks.fingerprint import FAULT_DIRECTIONS  # noqa: E402
from adu_depth_core.networks.student import Student, load_student  # noqa: E402

CAMERA = torch.tensor([[100.0, 100.0, 47.5, 31.5]])


def card(encoder: str = "tf_efficientnet_lite0") -> ModelCard:
    return ModelCard(
        "s", "student", encoder, 64, 96, f_ref=100.0, depth_min=1.0, depth_max=80.0, sigma_scale=1.0
    )


@pytest.mark.parametrize(("height", "width"), [(64, 96), (96, 64)])
def test_outputs_have_the_size_of_the_input(height, width):
    mu, log_b, fingerprint = Student().eval()(torch.zeros(2, 3, height, width), CAMERA.repeat(2, 1))
    assert mu.shape == log_b.shape == (2, 1, height, width)
    assert fingerprint.shape == (2, 1 + FAULT_DIRECTIONS)


def test_an_untrained_student_predicts_the_initial_depth():
    mu, log_b, _ = Student().eval()(torch.zeros(1, 3, 64, 96), CAMERA)
    assert mu.exp().median().item() == pytest.approx(15.0, rel=0.05)
    assert log_b.exp().median().item() == pytest.approx(0.1, rel=0.05)


def test_decoder_levels_have_the_encoder_levels_sizes():
    student = Student().eval()
    image = torch.zeros(1, 3, 64, 96)
    features, maps = student.encoder(image), student.features(image, CAMERA)
    assert [m.shape[1] for m in maps] == list(student.decoder.channels)
    assert [m.shape[2:] for m in maps] == [f.shape[2:] for f in features]
    assert [64 // f.shape[2] for f in features] == list(student.encoder.strides)


def test_an_untrained_head_gives_all_pixels_of_a_block_the_same():
    mu, log_b = FullResolutionHead(8, stride=2)(torch.randn(1, 8, 5, 7))
    for maps in (mu, log_b):
        blocks = torch.nn.functional.pixel_unshuffle(maps, 2)
        assert torch.allclose(blocks, blocks[:, :1].expand_as(blocks))


def test_the_scale_is_bounded_smoothly_in_the_network():
    raw = torch.tensor([-9.0, -5.0, -3.0, 0.0], requires_grad=True)
    bounded = bounded_log_b(raw)
    bounded.sum().backward()
    assert bounded.min() > SMALLEST_LOG_B - 1e-6
    assert torch.allclose(bounded[2:], raw[2:], atol=1e-3)
    assert (raw.grad > 0).all()


def test_outputs_are_full_precision_under_autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mu, log_b, _ = Student().eval()(torch.randn(1, 3, 64, 96), CAMERA)
    assert mu.dtype == log_b.dtype == torch.float32


def test_another_timm_encoder_fits_by_name():
    mu, _, _ = Student("resnet18").eval()(torch.zeros(1, 3, 64, 96), CAMERA)
    assert mu.shape == (1, 1, 64, 96)


def test_untrained_attention_changes_nothing():
    feature = torch.randn(1, 8, 6, 10)
    assert torch.equal(PooledSelfAttention(8, heads=2, pool=2)(feature), feature)


def test_saved_weights_come_back_rounded_to_half_precision(tmp_path):
    pytest.importorskip("onnx")
    from adu_depth_core.deploy.onnx_export import save_weights

    student = Student()
    save_weights(student, tmp_path / "s.safetensors")
    loaded = load_student(tmp_path / "s.safetensors", card())
    for name, tensor in student.state_dict().items():
        expected = tensor.half().float() if tensor.is_floating_point() else tensor
        assert torch.equal(loaded.state_dict()[name], expected), name


def test_weights_of_another_encoder_are_refused_with_the_file_name(tmp_path):
    pytest.importorskip("onnx")
    from adu_depth_core.deploy.onnx_export import save_weights

    save_weights(Student("resnet18"), tmp_path / "other.safetensors")
    with pytest.raises(
        ValueError,
        match=r"other\.safetensors does not hold the weights.*: \d+ tensors are missing",
    ):
        load_student(tmp_path / "other.safetensors", card())


def test_damaged_weights_are_refused_with_the_file_name(tmp_path):
    (tmp_path / "broken.safetensors").write_bytes(b"not a safetensors file")
    with pytest.raises(ValueError, match=r"broken\.safetensors"):
        load_student(tmp_path / "broken.safetensors", card())
