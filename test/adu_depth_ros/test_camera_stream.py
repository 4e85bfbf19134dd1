"""Faults of the node itself, as opposed to unusable frames."""

import threading
import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image

from adu_depth_core.camera import Camera
from adu_depth_core.inference.prediction import Prediction
from adu_depth_ros.camera_stream import CameraStream
from adu_depth_ros.depth_publishers import DepthPublishers
from adu_depth_ros.diagnostics import Condition, judge
from adu_depth_ros.inference_workers import InferenceWorkers
from adu_depth_ros.isolation import private_domain
from adu_depth_ros.mailbox import Mailbox
from adu_depth_ros.parameters import declare_parameters
from adu_depth_ros.vehicle_motion import VehicleMotion


class BrokenPredictor:
    """Fails a given number of times, with the exception of a bug of ours or of a runtime, or hangs until an
    event."""

    network_size = (64, 192)

    def __init__(self, faults, card):
        self.faults = list(faults)
        self.card = card

    def warm_up(self):
        self.predict(np.zeros((*self.network_size, 3), np.uint8), Camera(9, 9, 0, 0, 192, 64))

    def predict(self, image, camera, channels="rgb", output_size="image", whole=None):
        if self.faults and (fault := self.faults.pop(0)) is not None:
            if isinstance(fault, threading.Event):
                fault.wait(20)
            else:
                raise fault
        flat = np.ones(camera.size, np.float32)
        return Prediction(flat, flat, camera)


@pytest.fixture
def node(monkeypatch):
    with private_domain() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        context = rclpy.Context()
        rclpy.init(context=context)
        node = LifecycleNode("faulty", context=context)
        declare_parameters(node)
        yield node
        node.destroy_node()
        context.shutdown()


@pytest.fixture
def start(node, shipped_model):
    """A subscribed stream and a worker whose predictor has these faults; the first one hits its warm-up.
    ``then`` are the faults of the predictor that a replacement worker loads."""
    from adu_depth_core.model_card import read_card

    outputs = DepthPublishers(node)
    node.trigger_configure()
    node.trigger_activate()
    node.create_subscription(Image, "depth/image", lambda message: None, QoSProfile(depth=5))
    workers = []
    card = read_card(shipped_model)

    def start(*faults, then=()):
        mailbox = Mailbox()
        stream = CameraStream(node, outputs, mailbox, VehicleMotion(node, "none", ""))
        predictor = BrokenPredictor(faults, card)
        worker = InferenceWorkers(mailbox, predictor, lambda: BrokenPredictor(then, card), [stream])
        workers.append(worker)
        stream.worker = worker
        deadline = time.monotonic() + 10
        while not outputs.have_listeners():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return stream

    yield start
    for worker in workers:
        worker.stop()


INFO = CameraInfo(width=4, height=2, k=[4.0, 0.0, 1.5, 0.0, 4.0, 0.5, 0.0, 0.0, 1.0])
IMAGE = Image(width=4, height=2, step=12, encoding="rgb8", data=bytes(24))


def send(stream, **changes):
    """A frame and its outcome."""
    before = stream.statistics.snapshot().total
    fields = {"width": 4, "height": 2, "step": 12, "encoding": "rgb8", "data": bytes(24)} | changes
    stream.on_camera_info(INFO)
    stream.on_image(Image(**fields))
    deadline = time.monotonic() + 10
    while True:
        now = stream.statistics.snapshot().total
        for fate in now:
            if fate != "received" and now[fate] > before[fate]:
                return fate
        assert time.monotonic() < deadline
        time.sleep(0.01)


def diagnosis(stream):
    return judge(Condition("active", stream.statistics.snapshot(), "/image"))[:2]


def test_a_warm_up_that_fails_is_an_error_and_frames_are_tried_nevertheless(start, capfd):
    stream = start(RuntimeError("out of memory"), RuntimeError("out of memory"))
    assert send(stream) == "failed"
    level, message = diagnosis(stream)
    assert level == DiagnosticStatus.ERROR
    assert "RuntimeError: out of memory" in message
    assert send(stream) == "published"


@pytest.mark.parametrize("fault", [TypeError("no"), ValueError("ours"), KeyError("x")])
def test_a_fault_is_no_bad_frame_and_leaves_its_traceback(start, capfd, fault):
    stream = start(None, fault)
    assert send(stream) == "failed"
    level, message = diagnosis(stream)
    assert level == DiagnosticStatus.ERROR
    assert type(fault).__name__ in message
    assert send(stream) == "published"
    log = capfd.readouterr().err
    assert log.count("Traceback (most recent call last)") == 1
    assert "in predict" in log


def test_a_frame_that_cannot_be_used_leaves_none(start, capfd):
    stream = start()
    assert send(stream, encoding="infrared") == "rejected"
    assert send(stream, data=bytes(3)) == "rejected"
    assert send(stream) == "published"
    assert stream.statistics.snapshot().fault == ""
    assert "Traceback" not in capfd.readouterr().err


@pytest.fixture
def hang():
    """Event that a hanging predictor waits for; set at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def send_into_hang(stream, worker):
    """A frame that hangs until the worker exceeds its time limit."""
    before = stream.statistics.snapshot().total
    stream.on_image(IMAGE)
    time.sleep(0.3)
    worker.supervise(0.2)
    assert stream.statistics.snapshot().total["failed"] == before["failed"] + 1


def test_a_worker_that_hangs_is_replaced_and_its_late_answer_is_nobodys(start, hang, capfd):
    stream = start(None, None, hang)
    worker = stream.worker
    assert send(stream) == "published"
    worker.supervise(0.2)
    assert worker.restarts == 0
    send_into_hang(stream, worker)
    assert worker.restarts == 1
    assert send(stream) == "published"
    level, message = diagnosis(stream)
    assert level == DiagnosticStatus.ERROR
    assert "has been busy with one frame for" in message
    counts = stream.statistics.snapshot().total
    hang.set()
    time.sleep(0.3)
    assert stream.statistics.snapshot().total == counts
    assert counts["received"] == counts["published"] + counts["failed"]
    assert send(stream) == "published"
    assert worker.stop()


def test_time_in_which_the_whole_process_stood_still_is_no_hang(start, hang, capfd):
    """Swapping or suspending a machine also stops the supervisor."""
    stream = start(hang)
    time.sleep(0.5)
    stream.worker.supervise(0.2, stalled=0.5)
    assert stream.worker.restarts == 0
    time.sleep(0.3)
    stream.worker.supervise(0.2)
    assert stream.worker.restarts == 1


def test_a_worker_that_hangs_again_is_given_up(start, hang, capfd):
    stream = start(None, hang, then=(None, hang))
    stream.on_camera_info(INFO)
    send_into_hang(stream, stream.worker)
    wait_until(lambda: stream.worker.predictor.faults)
    send_into_hang(stream, stream.worker)
    assert "again after it was replaced" in stream.worker.failure
    condition = Condition("active", stream.statistics.snapshot(), worker=stream.worker.failure)
    assert judge(condition)[0] == DiagnosticStatus.ERROR
    threads = threading.active_count()
    stream.worker.supervise(0.2)
    assert threading.active_count() == threads


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_ends_is_replaced(start, capfd):
    stream = start(None, SystemExit())
    stream.on_camera_info(INFO)
    stream.on_image(IMAGE)
    time.sleep(0.3)
    stream.worker.supervise(20)
    assert stream.statistics.snapshot().total["failed"] == 1
    assert "ended unexpectedly" in capfd.readouterr().err
    assert send(stream) == "published"


def test_a_worker_that_hangs_at_its_start_is_replaced_too(start, hang, capfd):
    stream = start(hang)
    time.sleep(0.3)
    stream.worker.supervise(0.2)
    assert stream.worker.restarts == 1
    assert send(stream) == "published"
