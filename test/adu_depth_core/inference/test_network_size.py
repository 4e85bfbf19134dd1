"""A suggested network size fits the camera's aspect ratio at the model's nominal cost."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.camera import Camera
from adu_depth_core.inference.network_size import check_network_size, fit_network_size, fixed_network_size
from adu_depth_core.inference.placement import Placement
from adu_depth_core.model_card import ModelCard

CARD = ModelCard(
    "m", "student", "none", 192, 640, f_ref=370.0, depth_min=1.0, depth_max=80.0, sigma_scale=1.0
)


def camera(width, height):
    return Camera(700.0, 700.0, width / 2, height / 2, width, height)


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1242, 375, (192, 640)),  # KITTI, and its other sizes
        (1226, 370, (192, 640)),
        (1241, 376, (192, 640)),
        (640, 480, (288, 384)),
        (2048, 1536, (288, 384)),
        (1936, 1216, (288, 448)),
        (1920, 1080, (256, 448)),
        (448, 256, (256, 448)),
        (480, 640, (384, 288)),
    ],
)
def test_common_cameras(width, height, expected):
    assert fit_network_size(camera(width, height), CARD) == expected


ENGINE = {
    "precision": "fp16",
    "source_files": {},
    "parity": "not run",
    "engine": {
        "flavour": "tensorrt",
        "version": "10.3.0",
        "gpu": {"name": "RTX", "compute_capability": "8.6"},
        "options": {"version_compatible": False, "hardware_compatible": False},
        "profiles": [],
        "precisions": {},
        "layers": [],
    },
}


@pytest.mark.parametrize(
    ("extra", "fixed"),
    [
        ({}, None),
        ({"input_shape": ["batch", 3, "height", "width"]}, None),
        ({"input_shape": ["batch", 3, 192, 640]}, (192, 640)),
        (ENGINE, (192, 640)),
    ],
)
def test_exports_and_engines_keep_their_size(extra, fixed):
    assert fixed_network_size(dataclasses.replace(CARD, extra=extra)) == fixed


@given(st.integers(100, 4000), st.integers(100, 4000))
def test_size_is_valid_and_costs_about_as_much_as_the_models(width, height):
    size = fit_network_size(camera(width, height), CARD)
    check_network_size(size, CARD)
    if 1 / 6 < width / height < 6:
        assert 0.7 < size[0] * size[1] / (192 * 640) < 1.4
        assert Placement.fit(camera(width, height), size).border_share < 0.25


@pytest.mark.parametrize("size", [(100, 640), (192, 0), (-32, 64)])
def test_invalid_size_is_refused_with_the_nearest_valid_one(size):
    with pytest.raises(ValueError, match="multiples of 32; the nearest is"):
        check_network_size(size, CARD)
