"""The executor stops from any thread, and holds on to nothing that it has executed."""

import gc
import threading
import time

import pytest

rclpy = pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")

from adu_depth_ros.stoppable_executor import StoppableExecutor  # noqa: E402

LIMIT_S = 10.0


@pytest.fixture
def executor():
    context = rclpy.Context()
    rclpy.init(context=context)
    made = StoppableExecutor(threading.Event(), context=context)
    yield made
    made.shutdown()
    rclpy.shutdown(context=context)


@pytest.fixture
def node(executor):
    made = rclpy.create_node("stoppable", context=executor.context)
    executor.add_node(made)
    yield made
    made.destroy_node()


@pytest.mark.parametrize("after_s", [0.0, 0.001, 0.05, 0.3])
def test_it_stops_from_another_thread_while_it_waits(executor, node, after_s):
    spinning = threading.Thread(target=executor.spin_until_stopped, daemon=True)
    spinning.start()
    time.sleep(after_s)
    executor.stop()
    spinning.join(LIMIT_S)
    assert not spinning.is_alive()


def test_stopped_before_it_began_it_executes_nothing(executor, node):
    executed = []
    node.create_guard_condition(lambda: executed.append(1)).trigger()
    executor.stop()
    executor.spin_until_stopped()
    assert executed == []


def test_its_memory_does_not_grow_with_the_callbacks(executor, node):
    counts = []

    def count():
        counts.append(len(gc.get_objects()))
        if len(counts) < 1500:
            again.trigger()
        else:
            executor.stop()

    again = node.create_guard_condition(count)
    again.trigger()
    executor.spin_until_stopped()
    assert len(counts) == 1500
    assert counts[-1] - counts[500] < 100
