import numpy as np
import pytest

pytest.importorskip("trimesh")

from hypothesis import given
from hypothesis import strategies as st

from adu_depth_core.synthetic.drive.mounting import Mounting

RIGHT, DOWN, AHEAD = np.eye(3)


def direction(mounting, optical):
    """Direction of the optical frame in the vehicle frame: x forward, y left, z up."""
    return mounting.base_from_left(0.5)[:3, :3] @ optical


def test_kittis_camera_looks_ahead_over_the_axle():
    pose = Mounting().base_from_left(0.532)
    np.testing.assert_allclose(pose[:3, 3], [1.0, 0.266, 1.65])
    np.testing.assert_allclose(pose[:3, :3], [[0, 0, 1], [-1, 0, 0], [0, -1, 0]], atol=1e-12)


def test_a_negative_pitch_looks_down():
    assert direction(Mounting(pitch=-6.0), AHEAD)[2] == pytest.approx(-np.sin(np.radians(6)))


def test_a_positive_roll_lowers_the_right_side():
    assert direction(Mounting(roll=3.0), RIGHT)[2] == pytest.approx(-np.sin(np.radians(3)))


@pytest.mark.parametrize(("yaw", "expected"), [(90, [0, 1, 0]), (180, [-1, 0, 0]), (-90, [0, -1, 0])])
def test_yaw_turns_to_the_left(yaw, expected):
    np.testing.assert_allclose(direction(Mounting(yaw=yaw), AHEAD), expected, atol=1e-12)


@given(st.floats(0.2, 10), st.floats(-60, 60), st.floats(-60, 60), st.floats(-360, 360), st.floats(0.05, 2.0))
def test_a_pair_is_turned_as_a_whole_about_its_middle(height, pitch, roll, yaw, baseline):
    pose = Mounting(height, pitch, roll, yaw).base_from_left(baseline)
    np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
    middle = pose @ [baseline / 2, 0, 0, 1]
    assert middle[2] == pytest.approx(height)
    assert np.hypot(*middle[:2]) <= 1.0 + 1e-9


@pytest.mark.parametrize(
    "option",
    [{"height": 0.0}, {"height": float("nan")}, {"pitch": -90.0}, {"roll": 61.0}, {"yaw": 400.0}],
    ids=str,
)
def test_a_value_out_of_range_is_named(option):
    ((name, _),) = option.items()
    with pytest.raises(ValueError, match=name):
        Mounting(**option)
