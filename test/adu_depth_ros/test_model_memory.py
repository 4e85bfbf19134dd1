"""Memory of models that the node no longer uses: the real node, with frames over DDS."""

import gc
import threading
import time
import weakref

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("openvino", reason="needs an inference runtime")
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.task import Future
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from adu_depth_core.inference.predictor import Predictor
from adu_depth_ros import lifecycle_node
from adu_depth_ros.lifecycle_node import DepthNode

LOADED: list[weakref.ref[Predictor]] = []


class Watched(Predictor):
    """The shipped student, tracked by weak references."""

    def __init__(self, **options):
        super().__init__(**options)
        LOADED.append(weakref.ref(self))


def in_memory():
    return sum(model() is not None for model in LOADED)


@pytest.fixture
def node(client, shipped_model, monkeypatch):
    monkeypatch.setattr(lifecycle_node, "Predictor", Watched)
    values = {"model": str(shipped_model), "network_size": "64x192", "threads": 1, "lazy_subscription": False}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    context = client.node.context
    node = DepthNode(threading.Event(), context=context, parameter_overrides=overrides)
    executor, stopped = SingleThreadedExecutor(context=context), Future()
    executor.add_node(node)
    thread = threading.Thread(target=lambda: executor.spin_until_future_complete(stopped))
    thread.start()
    LOADED.clear()
    # Python's collector would free models eventually; a dozen would stay in memory until then.
    gc.collect()
    gc.disable()
    yield node
    gc.enable()
    stopped.set_result(None)
    thread.join()
    node.destroy_node()


def test_a_model_is_freed_when_the_node_is_cleaned_up_or_has_another(node, client, camera, wait_for):
    depth = client.listen(Image, "depth/image")
    for _ in range(2):
        assert client.change_state("configure")
        assert client.change_state("activate")
        camera.wait_for_subscriber()
        wait_for(lambda: camera.send() and not time.sleep(0.05) and depth, "depth")
        count = len(LOADED)
        assert client.call(Trigger, "reload").success
        assert len(LOADED) == count + 1
        depth.clear()
        wait_for(lambda: camera.send() and not time.sleep(0.05) and depth, "depth of the reloaded model")
        wait_for(lambda: in_memory() == 1, "the former model to be freed", seconds=3)
        assert client.change_state("deactivate")
        assert client.change_state("cleanup")
        wait_for(lambda: in_memory() == 0, "the model to be freed", seconds=3)
