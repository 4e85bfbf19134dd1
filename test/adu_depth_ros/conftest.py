"""depth_node in a separate process, and a client that talks to it over real DDS."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

try:
    import rclpy
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState, GetState
    from rcl_interfaces.srv import SetParameters
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.parameter import Parameter
    from rclpy.qos import QoSProfile
    from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
    from std_msgs.msg import Header
except ImportError:
    rclpy = None  # fixtures that need it skip

WIDTH, HEIGHT = 160, 48

REPEAT_S = 6.0
"""Longer than any service under test takes."""


def wait_for(condition: Callable, what: str, seconds: float = 20.0):
    """Wait until the condition is true; its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.01)
    return value


class Client:
    """A ROS node in this process, spinning on a thread, in a DDS domain shared only with its children."""

    def __init__(self) -> None:
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.node = rclpy.create_node("client", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._open = True
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    def _spin(self) -> None:
        while self._open:
            self._executor.spin_once(0.1)

    def close(self) -> None:
        self._open = False
        self._thread.join()
        self.node.destroy_node()
        self._context.shutdown()

    def call(self, service_type, name: str, **fields):
        """Call a service, ``get_state`` of the node under test or a full name; the response.

        The response is lost if the server has not yet discovered the client's reader (rmw_fastrtps
        issue 842): a request without one is repeated.
        """
        client = self.node.create_client(service_type, name if "/" in name else f"/depth_node/{name}")
        assert client.wait_for_service(20), f"no service {name}"
        futures = []

        def answered():
            if time.monotonic() >= began + REPEAT_S * len(futures):
                futures.append(client.call_async(service_type.Request(**fields)))
            return next((future for future in futures if future.done()), None)

        began = time.monotonic()
        future = wait_for(answered, f"an answer of {name}")
        self.node.destroy_client(client)
        return future.result()

    def state(self) -> str:
        return self.call(GetState, "get_state").current_state.label

    def change_state(self, label: str) -> bool:
        transition = Transition(label=label)
        return self.call(ChangeState, "change_state", transition=transition).success

    def set_parameter(self, name: str, value):
        parameter = Parameter(name, value=value).to_parameter_msg()
        return self.call(SetParameters, "set_parameters", parameters=[parameter]).results[0]

    def listen_to_outputs(self) -> dict[str, list]:
        """Received messages of every output topic of a camera."""
        types = {
            "depth/image": Image,
            "depth/image/compressedDepth": CompressedImage,
            "depth/camera_info": CameraInfo,
            "uncertainty/image": Image,
            "confidence/image": Image,
            "depth/color": Image,
            "depth/points": PointCloud2,
        }
        return {topic: self.listen(message_type, topic) for topic, message_type in types.items()}

    def listen(self, message_type, topic: str) -> list:
        """The messages of a topic: the list grows as they arrive."""
        messages: list = []
        qos = QoSProfile(depth=100)
        self.node.create_subscription(message_type, topic, messages.append, qos)
        return messages


class NodeProcess:
    """``depth_node`` as users start it, with a small network input to keep tests fast.

    It subscribes to the image before depth has subscribers: the tests' camera waits for that.
    """

    def __init__(self, *ros_arguments: str) -> None:
        command = [sys.executable, "-m", "adu_depth_ros.depth_node", "--ros-args", "-p", "threads:=1"]
        command += ["-p", "network_size:=64x192", "-p", "lazy_subscription:=false", *ros_arguments]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.pid = self._process.pid
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read_log)
        self._reader.start()

    def _read_log(self) -> None:
        with self._process.stderr as lines:
            self.log.extend(lines)

    def errors(self) -> list[str]:
        return [line for line in self.log if "[ERROR]" in line or "Traceback" in line]

    def wait_for_error(self, part: str) -> str:
        return wait_for(lambda: next((e for e in self.errors() if part in e), None), f"the error {part!r}")

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self, *signal_numbers: int) -> int:
        """Send signals 0.05 s apart; return the exit status."""
        for signal_number in signal_numbers:
            self._process.send_signal(signal_number)
            time.sleep(0.05)
        status = self._process.wait(20)
        self._reader.join()
        return status

    def stop(self) -> None:
        """Shut down DDS cleanly, or the next node's services would be mistaken for those of the dead one."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()


class CameraDriver:
    """Publishes images with calibration, like a driver."""

    def __init__(self, client: Client) -> None:
        self.images = client.node.create_publisher(Image, "image", 10)
        self.infos = client.node.create_publisher(CameraInfo, "camera_info", 10)
        self._pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        self._count = 0

    def wait_for_subscriber(self) -> None:
        publishers = (self.images, self.infos)
        wait_for(lambda: all(p.get_subscription_count() for p in publishers), "the node to subscribe")

    def header(self):
        """A new stamp."""
        self._count += 1
        header = Header(frame_id="camera")
        header.stamp.sec, header.stamp.nanosec = int(time.time()), self._count
        return header

    def send_info(self, header, **changes) -> None:
        calibration = {
            "width": WIDTH,
            "height": HEIGHT,
            "k": [100.0, 0.0, 80.0, 0.0, 100.0, 24.0, 0.0, 0.0, 1.0],
            "p": [100.0, 0.0, 80.0, -54.0, 0.0, 100.0, 24.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        }
        self.infos.publish(CameraInfo(header=header, **(calibration | changes)))

    def send_image(self, header, **changes) -> None:
        image = {"width": WIDTH, "height": HEIGHT, "step": 3 * WIDTH, "encoding": "rgb8"}
        image["data"] = self._pixels.tobytes()
        self.images.publish(Image(header=header, **(image | changes)))

    def send(self, **image_changes):
        """Publish a frame, optionally with altered image fields; return its header."""
        header = self.header()
        self.send_info(header)
        self.send_image(header, **image_changes)
        return header


@pytest.fixture(scope="module")
def client():
    """A client in a private DDS domain, inherited by the nodes started here."""
    if rclpy is None:
        pytest.skip("needs ROS 2 (rclpy and its messages)")
    from adu_depth_ros.isolation import private_domain

    with pytest.MonkeyPatch.context() as patch, private_domain() as environment:
        for name, value in environment.items():
            patch.setenv(name, value)
        client = Client()
        yield client
        client.close()


@pytest.fixture(scope="module")
def start_node(client):
    """Start ``depth_node`` with ROS arguments. The previous one is stopped: they share a name."""
    started: list[NodeProcess] = []

    def start(*ros_arguments: str) -> NodeProcess:
        for process in started:
            process.stop()
        started.append(NodeProcess(*ros_arguments))
        return started[-1]

    yield start
    started[-1].stop()


@pytest.fixture(scope="module")
def camera(client):
    return CameraDriver(client)


@pytest.fixture(scope="session", name="wait_for")
def wait_for_fixture():
    return wait_for
