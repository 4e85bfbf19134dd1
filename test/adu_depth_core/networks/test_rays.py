import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")

import numpy as np
import torch

from adu_depth_core.camera import Camera
from adu_depth_core.networks.rays import TYPICAL_LOG_FOCAL, RayEncoding, ray_map
from adu_depth_core.networks.student import Student

CAMERA = Camera(80.0, 90.0, 45.0, 30.0, 96, 64)
INTRINSICS = torch.tensor([[80.0, 90.0, 45.0, 30.0]])


def test_rays_are_those_of_the_camera():
    rays = ray_map(INTRINSICS, 64, 96, stride=1)[0].numpy()
    assert np.allclose(np.moveaxis(rays[:2], 0, -1), CAMERA.rays()[..., :2], atol=1e-6)
    assert np.allclose(rays[2], np.log(80.0) - TYPICAL_LOG_FOCAL, atol=1e-6)


@pytest.mark.parametrize("stride", [2, 8, 32])
def test_rays_of_a_feature_map_are_the_mean_rays_of_the_pixels_it_covers(stride):
    fine = ray_map(INTRINSICS, 64, 96, stride=1)
    coarse = ray_map(INTRINSICS, 64 // stride, 96 // stride, stride)
    assert torch.allclose(torch.nn.functional.avg_pool2d(fine, stride), coarse, atol=1e-5)


def test_an_untrained_encoding_changes_nothing():
    features = [torch.randn(1, 4, 32, 48), torch.randn(1, 6, 16, 24), torch.randn(1, 8, 8, 12)]
    told = RayEncoding((4, 6, 8), (2, 4, 8))(features, INTRINSICS)
    assert all(torch.equal(one, other) for one, other in zip(features, told, strict=True))


def test_a_trained_student_answers_differently_for_another_camera():
    student = Student().eval()
    for level in student.rays.levels:
        torch.nn.init.normal_(level[-1].weight)
    image = torch.randn(1, 3, 64, 96)
    mu, _, _ = student(image, INTRINSICS)
    pitched, _, _ = student(image, INTRINSICS + torch.tensor([0.0, 0.0, 0.0, 20.0]))
    assert not torch.allclose(mu, pitched)
