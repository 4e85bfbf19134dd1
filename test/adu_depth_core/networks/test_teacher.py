"""Stereo teacher: shapes match the student's, any baseline and focal length, geometry has an effect."""

import dataclasses

import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")

import torch
from safetensors.torch import save_file

from adu_depth_core.inference.installed_models import default_model
from adu_depth_core.model_card import read_card
from adu_depth_core.networks.student import Student
from adu_depth_core.networks.teacher import Teacher, load_teacher
from adu_depth_core.networks.weights import load_matching, load_weights


@pytest.fixture(scope="module")
def teacher():
    torch.manual_seed(0)
    return Teacher(f_ref=185.0).eval()


def camera(view):
    """A camera whose values do not affect shapes."""
    return torch.tensor([[100.0, 100.0, 50.0, 30.0]]).repeat(len(view), 1)


def pair(batch=1, height=64, width=160, seed=0):
    return torch.randn(2, batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


def test_every_decoder_level_has_the_students_shape(teacher):
    left, right = pair(2)
    output = teacher(left, right, torch.full((2,), 0.54))
    student = Student().eval()
    assert [f.shape for f in output.features] == [f.shape for f in student.features(left, camera(left))]
    assert output.mu.shape == output.log_b.shape == (2, 1, 64, 160)
    assert output.disparity.shape == output.confidence.shape == (2, 1, 16, 40)
    assert output.scores.shape == (2, 8, 16, 40)


def test_twice_the_baseline_at_the_same_disparity_is_twice_the_geometric_depth(teacher):
    disparity = torch.full((2, 1, 4, 4), 10.0)
    log_depth = teacher._log_depth(disparity, torch.tensor([0.5, 1.0]))
    assert log_depth[0].exp().mean() == pytest.approx(185.0 * 0.5 / 10.0, rel=1e-5)
    assert (log_depth[1] - log_depth[0]).exp().mean() == pytest.approx(2.0, rel=1e-5)


def test_both_views_and_the_baseline_reach_the_depth(teacher):
    left, right = pair()
    reference = teacher(left, right, torch.tensor([0.5])).mu
    assert not torch.allclose(reference, teacher(left, pair(seed=1)[1], torch.tensor([0.5])).mu)
    assert not torch.allclose(reference, teacher(left, right, torch.tensor([1.0])).mu)


def test_a_crop_is_searched_for_the_disparities_of_the_whole_view(teacher):
    left, right = pair()
    crop = teacher(left[..., :96], right[..., :96], torch.tensor([0.54]), whole_width=160)
    assert crop.scores.shape == (1, 8, 16, 24)
    assert teacher(left[..., :96], right[..., :96], torch.tensor([0.54])).scores.shape[1] == 4


def test_what_the_teacher_saw_can_be_mirrored_view_by_view(teacher):
    output = teacher(*pair(2), torch.full((2,), 0.54))
    turned = output.mirrored(torch.tensor([True, False]))
    for before, after in zip([output.mu, *output.features], [turned.mu, *turned.features], strict=True):
        assert torch.equal(after[0], before[0].flip(-1))
        assert torch.equal(after[1], before[1])


def test_every_parameter_learns():
    teacher = Teacher(f_ref=185.0)
    left, right = pair(2)
    output = teacher(left, right, torch.full((2,), 0.54))
    (output.mu.square().mean() + output.log_b.square().mean() + output.scores.square().mean()).backward()
    unused = [name for name, parameter in teacher.named_parameters() if parameter.grad is None]
    assert not unused


def test_only_its_own_loss_teaches_the_matching():
    left, right = pair()
    teacher = Teacher(f_ref=185.0)
    output = teacher(left, right, torch.full((len(left),), 0.54))
    (output.mu.sum() + output.log_b.sum()).backward()
    taught = [p for part in (teacher.aggregation, teacher.matching_neck) for p in part.parameters()]
    assert all(parameter.grad is None for parameter in taught)
    assert teacher.decoder.bottleneck[0].weight.grad is not None


@pytest.mark.parametrize("encoder", ["convnext_atto", "swin_tiny_patch4_window7_224"])
def test_encoders_that_begin_at_stride_4_serve_teacher_and_student(encoder):
    left, right = pair()
    teacher, student = Teacher(185.0, encoder).eval(), Student(encoder).eval()
    with torch.no_grad():
        output, features = teacher(left, right, torch.tensor([0.5])), student.features(left, camera(left))
    assert [f.shape for f in output.features] == [f.shape for f in features]
    assert output.mu.shape == student(left, camera(left))[0].shape == (1, 1, 64, 160)


def test_an_encoder_without_levels_to_match_at_is_refused():
    with pytest.raises(ValueError, match="stereo matching needs 4, 8, 16"):
        Teacher(f_ref=185.0, encoder="vit_tiny_patch16_224")


def test_a_teacher_is_loaded_from_its_file_and_nothing_else_is(teacher, tmp_path):
    path = tmp_path / "teacher.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in teacher.state_dict().items()}, path)
    card = dataclasses.replace(read_card(default_model()), role="teacher", f_ref=185.0)
    loaded = load_teacher(path, card)
    left, right = pair()
    baseline = torch.tensor([0.5])
    assert torch.equal(loaded(left, right, baseline).mu, teacher(left, right, baseline).mu)
    with pytest.raises(ValueError, match="does not hold the weights of this Student"):
        load_weights(Student(), path)
    path.write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"teacher\.safetensors"):
        load_teacher(path, card)


def test_a_teacher_starts_from_a_students_encoder_and_decoder(tmp_path):
    torch.manual_seed(1)
    student = Student()
    path = tmp_path / "student.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in student.state_dict().items()}, path)
    teacher = Teacher(f_ref=185.0)
    missing = load_matching(teacher, path)
    assert not any(name.startswith("encoder.") for name in missing)
    # The two finest fusions also take geometry, so their first convolutions are wider.
    assert [n for n in missing if n.startswith("decoder.")] == [
        "decoder.up.0.fuse.0.weight",
        "decoder.up.1.fuse.0.weight",
    ]
    ours, theirs = teacher.state_dict(), student.state_dict()
    assert torch.equal(ours["decoder.bottleneck.0.weight"], theirs["decoder.bottleneck.0.weight"])
