"""Temporal stabilisation in the node, over real DDS."""

import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("openvino", reason="needs an inference runtime")
pytest.importorskip("nav_msgs", reason="needs nav_msgs")
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image

from adu_depth_core.camera import Camera
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.temporal.stabiliser import TemporalFusion
from adu_depth_ros.message_types import message_class

CAMERA = Camera(100.0, 100.0, 80.0, 24.0, 160, 48)
FRAME_NS = 100_000_000
STEP = 0.02
"""Metres per frame."""


def pictures(count):
    """A textured scene with noise: the network's depth flickers."""
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[:48, :160].astype(np.float32)
    scene = 120 + 60 * np.sin(columns / 9 + rows / 31) + 30 * np.sin(columns / 14)
    return [
        np.clip(scene[..., None] + rng.normal(0, 4, (48, 160, 3)), 0, 255).astype(np.uint8)
        for _ in range(count)
    ]


class Vehicle:
    """Publishes frames of a moving camera, stamped 0.1 s apart, and its poses."""

    def __init__(self, client, camera, wait_for):
        self.client, self.camera, self.wait_for = client, camera, wait_for
        self.depth = client.listen(Image, "depth/image")
        self.diagnostics = client.listen(DiagnosticArray, "/diagnostics")
        self.sent = 0
        self.start_ns = time.time_ns() // FRAME_NS * FRAME_NS

    def header(self, index):
        header = self.camera.header()
        header.stamp.sec, header.stamp.nanosec = divmod(self.start_ns + index * FRAME_NS, 10**9)
        return header

    def send(self, index, image):
        """The depth of a frame."""
        header = self.header(index)
        self.depth.clear()
        self.sent += 1
        self.camera.send_info(header)
        self.camera.send_image(header, data=image.tobytes())
        self.wait_for(lambda: self.depth, f"depth of frame {index}")
        message = self.depth[0]
        assert message.header == header
        return np.frombuffer(message.data, np.float32).reshape(message.height, message.width)

    def warm_up(self, image):
        """Send earlier frames until one comes back: what is sent before both ends have matched is lost."""
        for index in range(-100, -10):
            header = self.header(index)
            self.camera.send_info(header)
            self.camera.send_image(header, data=image.tobytes())
            time.sleep(0.2)
            if self.depth:
                break
        time.sleep(0.5)
        self.sent = len(self.depth)

    def values(self, stabilised):
        """Diagnostics once that many frames are stabilised; they are counted after publishing."""

        def found():
            status = self.diagnostics[-1].status[0] if self.diagnostics else None
            values = {value.key: value.value for value in status.values} if status else {}
            enough = values.get("frames stabilised") == str(stabilised)
            return enough and values["frames published"] == str(self.sent) and (status, values)

        return self.wait_for(found, f"{stabilised} stabilised frames in diagnostics")


def expected(model, images, motion):
    """Depth of the last frame from the core, fused and single-frame."""
    predictor = Predictor(model, network_size=(64, 192), threads=1)
    fusion = TemporalFusion(predictor.card.depth_max)
    for i, image in enumerate(images):
        small = predictor.predict(image, CAMERA, output_size="network")
        fused = fusion.update(small, image, (i + 1) * FRAME_NS, motion).prediction.depth
    return fused, small.depth


@pytest.fixture
def launch(client, camera, start_node, shipped_model, wait_for):
    def start(*arguments):
        start_node(
            *(
                "-p",
                f"model:={shipped_model}",
                "-p",
                "max_relative_sigma:=100.0",
                "-p",
                "output_size:=network",
            ),
            *arguments,
        )
        camera.wait_for_subscriber()
        vehicle = Vehicle(client, camera, wait_for)
        wait_for(lambda: client.node.count_subscribers("depth/image") >= 1, "the subscription")
        return vehicle

    return start


def ahead(before_ns, now_ns):
    motion = np.eye(4)
    motion[2, 3] = STEP * (now_ns - before_ns) / FRAME_NS
    return motion


def drive(vehicle, send_pose, images):
    """Depth of the last of the frames, each with its pose sent before the image."""
    for i, image in enumerate(images):
        send_pose(vehicle.header(i).stamp, STEP * i)
        time.sleep(0.1)  # pose and image are on different topics
        depth = vehicle.send(i, image)
    return depth


def test_frames_are_fused_by_odometry_as_the_core_does(client, launch, wait_for, shipped_model):
    vehicle = launch("-p", "stabilise:=true", "-p", "stabilise_motion:=odometry")
    publisher = client.node.create_publisher(Odometry, "odometry", 10)
    wait_for(publisher.get_subscription_count, "the node to subscribe to odometry")

    def send_pose(stamp, z):
        message = Odometry(child_frame_id="camera")
        message.header.stamp, message.header.frame_id = stamp, "odom"
        message.pose.pose.position.z = z
        message.pose.pose.orientation.w = 1.0
        publisher.publish(message)

    images = pictures(5)
    depth = drive(vehicle, send_pose, images)
    fused, alone = expected(shipped_model, images, ahead)
    np.testing.assert_allclose(depth, fused, rtol=1e-3)
    assert np.mean(np.abs(np.log(depth / alone))) > 0.002
    _, values = vehicle.values(stabilised=4)
    assert values["frames not stabilised"] == "first frame 1"


def test_switched_off_and_on_while_frames_flow(client, launch, wait_for, shipped_model):
    """Without motion and with a static scene, depth is fused where the images match."""
    vehicle = launch("-p", "stabilise_motion:=none")
    images = pictures(6)
    vehicle.warm_up(images[0])
    first = [vehicle.send(i, image) for i, image in enumerate(images[:2])][-1]
    np.testing.assert_allclose(first, expected(shipped_model, images[:2], ahead)[1], rtol=1e-3)
    assert client.set_parameter("stabilise", True).successful
    for i in (2, 3):
        depth = vehicle.send(i, images[i])
    fused, alone = expected(shipped_model, images[2:4], lambda before, now: np.eye(4))
    np.testing.assert_allclose(depth, fused, rtol=1e-3)
    assert np.mean(np.abs(np.log(depth / alone))) > 0.002
    for i in (4, 5):
        vehicle.send(i, np.roll(images[i], 33 * i, axis=1))
    status, values = vehicle.values(stabilised=1)
    assert values["frames not stabilised"] == "first frame 1, motion unknown 2"
    assert "3 of 4 frames are not stabilised: motion unknown: stabilise_motion is none" in (
        status.message + values["also"]
    )
    assert client.set_parameter("stabilise", False).successful


def test_frames_are_fused_by_transforms(client, launch, wait_for, shipped_model):
    try:
        tf_message = message_class("tf2_msgs/msg/TFMessage")
    except ImportError:
        pytest.skip("tf2_msgs is not installed: it is not on PyPI")
    vehicle = launch("-p", "stabilise:=true")
    moving = client.node.create_publisher(tf_message, "/tf", 10)
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    static = client.node.create_publisher(tf_message, "/tf_static", latched)
    wait_for(moving.get_subscription_count, "the node to subscribe to /tf")

    def transform(stamp, parent, child, z, x=0.0):
        message = TransformStamped(child_frame_id=child)
        message.header.stamp, message.header.frame_id = stamp, parent
        message.transform.translation.x, message.transform.translation.z = x, z
        message.transform.rotation.w = 1.0
        return message

    static.publish(
        tf_message(transforms=[transform(vehicle.header(0).stamp, "base_link", "camera", 0.5, 1.0)])
    )

    def send_pose(stamp, z):
        map_jumps = transform(stamp, "map", "odom", 100 * z)
        moving.publish(tf_message(transforms=[transform(stamp, "odom", "base_link", z), map_jumps]))

    images = pictures(5)
    depth = drive(vehicle, send_pose, images)
    fused, alone = expected(shipped_model, images, ahead)
    np.testing.assert_allclose(depth, fused, rtol=1e-3)
    assert np.mean(np.abs(np.log(depth / alone))) > 0.002
    vehicle.values(stabilised=4)


def test_without_its_messages_the_source_is_refused_with_the_remedy(client, start_node, shipped_model):
    """Rejected both at configure and when switched on later."""
    try:
        message_class("tf2_msgs/msg/TFMessage")
    except ImportError:
        pass
    else:
        pytest.skip("tf2_msgs is installed")
    process = start_node("-p", f"model:={shipped_model}", "-p", "stabilise:=true")
    error = process.wait_for_error("tf2_msgs")
    assert "could not be configured: stabilise with stabilise_motion tf needs the package tf2_msgs" in error
    assert client.set_parameter("stabilise", False).successful
    assert client.change_state("configure")
    result = client.set_parameter("stabilise", True)
    assert not result.successful
    assert "tf2_msgs" in result.reason
