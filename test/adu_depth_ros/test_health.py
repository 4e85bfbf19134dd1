"""Diagnostics of a node with hanging parts: the real node and DDS, with a network that hangs."""

import signal
import subprocess
import sys
import threading
import time

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("openvino", reason="needs an inference runtime")
import itertools

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.task import Future
from sensor_msgs.msg import Image

from adu_depth_core.inference.predictor import Predictor
from adu_depth_ros import lifecycle_node
from adu_depth_ros.lifecycle_node import DepthNode


class StandingStill(Predictor):
    """The shipped student with configurable loading and prediction times."""

    load_s = 0.0
    hang: threading.Event | None = None

    def __init__(self, **options):
        time.sleep(self.load_s)
        super().__init__(**options)

    def predict(self, image, *arguments, **options):
        if self.hang is not None:
            self.hang.wait(30)
        return super().predict(image, *arguments, **options)


@pytest.fixture
def start(client, shipped_model, monkeypatch):
    """Start the node in this process, as ``depth_node`` does, with the given parameters."""
    monkeypatch.setattr(lifecycle_node, "Predictor", StandingStill)
    monkeypatch.setattr(StandingStill, "load_s", 0.0)
    monkeypatch.setattr(StandingStill, "hang", None)
    started = []

    def start(**parameters):
        values = {
            "model": str(shipped_model),
            "network_size": "64x192",
            "threads": 1,
            "lazy_subscription": False,
        }
        overrides = [Parameter(name, value=value) for name, value in (values | parameters).items()]
        context = client.node.context
        node = DepthNode(threading.Event(), context=context, parameter_overrides=overrides)
        executor, stopped = SingleThreadedExecutor(context=context), Future()
        executor.add_node(node)

        def run():
            node.autostart()
            executor.spin_until_future_complete(stopped)

        thread = threading.Thread(target=run)
        thread.start()
        started.append((node, stopped, thread))
        return node

    yield start
    for node, stopped, thread in started:
        if StandingStill.hang is not None:
            StandingStill.hang.set()
        stopped.set_result(None)
        thread.join()
        node.destroy_node()


@pytest.fixture
def statuses(client):
    """The node's statuses with arrival times; the list grows as they arrive."""
    arrived = []

    def note(array):
        arrived.append((time.monotonic(), array.status[0]))

    subscription = client.node.create_subscription(DiagnosticArray, "/diagnostics", note, 100)
    yield arrived
    client.node.destroy_subscription(subscription)


@pytest.mark.parametrize("check_s", [0.0, 0.09], ids=["between checks", "during a check"])
def test_the_timer_tells_how_long_the_process_stood_still(check_s):
    code = f"""
import time
from adu_depth_ros.health import HealthTimer
HealthTimer(0.1, lambda late: (print(late, flush=True), time.sleep({check_s})), None)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert float(process.stdout.readline()) < 5.0
    process.send_signal(signal.SIGSTOP)
    time.sleep(6.0)
    process.send_signal(signal.SIGCONT)
    with process:
        assert any(float(process.stdout.readline()) > 5.0 for _ in range(100))
        process.kill()


def values(status):
    return {pair.key: pair.value for pair in status.values}


def test_diagnostics_come_while_a_transition_takes_long(start, statuses, wait_for, monkeypatch):
    monkeypatch.setattr(StandingStill, "load_s", 4.0)
    start()
    wait_for(lambda: any(values(status)["state"] == "active" for _, status in statuses), "activation")
    waiting = [arrival for arrival, status in statuses if values(status)["state"] == "unconfigured"]
    assert len(waiting) >= 3
    assert max(later - sooner for sooner, later in itertools.pairwise(waiting)) < 2.0


def test_a_hanging_worker_is_replaced_once_and_then_an_error(
    start, client, camera, statuses, wait_for, monkeypatch
):
    node = start(worker_timeout=2.0)
    depth = client.listen(Image, "depth/image")
    camera.wait_for_subscriber()
    wait_for(lambda: camera.send() and not time.sleep(0.1) and depth, "depth")
    first = threading.Event()
    monkeypatch.setattr(StandingStill, "hang", first)
    began = time.monotonic()
    camera.send()
    hung = wait_for(lambda: next((s for _, s in statuses if "it is replaced" in s.message), None), "the news")
    assert hung.level == DiagnosticStatus.ERROR
    arrivals = [arrival for arrival, _ in statuses if arrival > began]
    assert len(arrivals) >= 2
    assert max(later - sooner for sooner, later in itertools.pairwise(arrivals)) < 2.0

    monkeypatch.setattr(StandingStill, "hang", None)
    depth.clear()
    wait_for(lambda: camera.send() and not time.sleep(0.1) and depth, "depth of the new worker")
    monkeypatch.setattr(StandingStill, "hang", threading.Event())
    camera.send()
    wait_for(lambda: "again after it was replaced" in statuses[-1][1].message, "the error")
    assert statuses[-1][1].level == DiagnosticStatus.ERROR
    counts = values(statuses[-1][1])
    assert int(counts["frames failed"]) == 2
    fates = ("published", "dropped", "rejected", "failed", "idle")
    assert sum(int(counts[f"frames {fate}"]) for fate in fates) == int(counts["frames received"])
    first.set()
    assert node.get_name() == "depth_node"


def test_a_camera_that_stops_is_stale_and_is_well_again(start, camera, client, statuses, wait_for):
    start(stale_after=1.0)
    client.listen(Image, "depth/image")
    camera.wait_for_subscriber()

    def is_fresh_while_sending():
        camera.send()
        time.sleep(0.1)
        return statuses and statuses[-1][1].level != DiagnosticStatus.STALE

    wait_for(is_fresh_while_sending, "another level than STALE")
    wait_for(lambda: statuses[-1][1].level == DiagnosticStatus.STALE, "a STALE")
    assert "no image on /image for" in statuses[-1][1].message
    wait_for(is_fresh_while_sending, "another level than STALE again")
