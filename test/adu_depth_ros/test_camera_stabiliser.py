"""A camera's stabiliser without DDS: axes of rectified views, models, sources of motion."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.transforms import rigid
from adu_depth_ros.camera_stabiliser import CameraStabiliser
from adu_depth_ros.image_reader import SeenImage
from adu_depth_ros.parameters import Parameters
from adu_depth_ros.vehicle_motion import VehicleMotion, check_source

CAMERA = Camera(100.0, 100.0, 79.5, 31.5, 160, 64)
PLAIN = np.full((64, 160, 3), 90, np.uint8)
QUARTER = rigid(np.zeros(3), np.array([0, np.sqrt(0.5), 0, np.sqrt(0.5)]))[:3, :3]
"""A quarter turn about the vertical axis: the raw camera's x is the view's -z."""


class Forward:
    """Motion of 1 m per frame along an axis of the message's frame."""

    def __init__(self, *axis):
        self.motion = np.eye(4)
        self.motion[:3, 3] = axis

    def between(self, frame_id, before_ns, now_ns):
        assert (frame_id, before_ns, now_ns) == ("camera", 100_000_000, 200_000_000)
        return self.motion


def seen(index, rotation=None):
    time = Time(nanoseconds=index * 100_000_000)
    return SeenImage(time, PLAIN, "rgb", CAMERA, CAMERA, CameraInfo(), None, rotation)


def prediction(depth):
    depth = np.full(CAMERA.size, depth, np.float32)
    return Prediction(depth, depth / 10, CAMERA)


def model(far=100.0):
    return SimpleNamespace(card=SimpleNamespace(depth_max=far))


@pytest.mark.parametrize(
    ("axis", "rotation"), [((0, 0, 1), None), ((0, 0, 1), np.eye(3)), ((-1, 0, 0), QUARTER)]
)
def test_motion_is_in_the_axes_of_the_rectified_view(axis, rotation):
    """The wall comes 1 m closer: fused, it stays at its predicted position."""
    stabiliser = CameraStabiliser(Forward(*axis))
    predictor = model()
    stabiliser.update(prediction(20.0), seen(1, rotation), "camera", predictor)
    answer = stabiliser.update(prediction(19.0), seen(2, rotation), "camera", predictor)
    assert answer.unfused == ""
    np.testing.assert_allclose(answer.prediction.depth, 19.0, rtol=1e-4)
    assert np.median(answer.prediction.sigma) < 1.9


def test_another_model_and_a_pause_begin_from_their_first_frame():
    stabiliser = CameraStabiliser(Forward(0, 0, 1))
    predictor = model()
    stabiliser.update(prediction(20.0), seen(1), "camera", predictor)
    assert stabiliser.update(prediction(19.0), seen(2), "camera", model()).unfused == "first frame"
    stabiliser.reset()
    assert stabiliser.update(prediction(18.0), seen(3), "camera", predictor).unfused == "first frame"


def test_the_reason_for_an_unknown_motion_is_passed_on():
    class Lost:
        def between(self, frame_id, before_ns, now_ns):
            raise LookupError("no pose of 'base'")

    stabiliser, predictor = CameraStabiliser(Lost()), model()
    stabiliser.update(prediction(20.0), seen(1), "camera", predictor)
    assert stabiliser.update(prediction(20.0), seen(2), "camera", predictor).unfused == ""  # static
    moved = SeenImage(Time(nanoseconds=300_000_000), 255 - PLAIN, "rgb", CAMERA, CAMERA, CameraInfo(), None)
    answer = stabiliser.update(prediction(20.0), moved, "camera", predictor)
    assert answer.unfused == "motion unknown: no pose of 'base'"


def test_without_a_source_no_motion_is_known():
    with pytest.raises(LookupError, match="stabilise_motion is none"):
        VehicleMotion(None, "none", "odom").between("camera", 0, 1)
    check_source("none")


def test_a_source_whose_messages_are_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "nav_msgs", None)
    monkeypatch.setitem(sys.modules, "nav_msgs.msg", None)
    with pytest.raises(UserError, match="stabilise_motion odometry needs the package nav_msgs"):
        check_source("odometry")


def test_off_by_default():
    assert Parameters().stabilise is False
