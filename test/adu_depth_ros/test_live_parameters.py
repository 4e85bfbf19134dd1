"""Every runtime parameter, changed while frames arrive: real node, real DDS."""

import dataclasses
import threading
import time

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("openvino", reason="needs an inference runtime")

from adu_depth_ros.parameters import FRAME, Parameters

TEXTS = {"region_of_interest": "0,0,80,48", "ego_mask": "0,40 159,40 159,47", "save_folder": "/tmp"}
"""Values for parameters declared merely as strings."""

LIVE = [field for field in dataclasses.fields(Parameters) if field.metadata["applies"] == FRAME]
WINDOW = 5
"""Frames sent after each change."""


def another_value(field):
    """A valid value that is not the default."""
    choices, limits, default = field.metadata["choices"], field.metadata["limits"], field.default
    if choices:
        return next(choice for choice in choices if choice != default)
    if isinstance(default, bool):
        return not default
    if limits:
        middle = (limits[0] + limits[1]) / 2
        return type(default)(middle if middle != default else limits[1])
    return TEXTS[field.name]


class Flow:
    """Send frames at 10 Hz in the background; frames and received depth by frame number."""

    def __init__(self, camera, depth):
        self.sent: list[int] = []
        self._camera = camera
        self._depth = depth
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self):
        while not self._stop.wait(0.1):
            self.sent.append(self._camera.send().stamp.nanosec)

    def stop(self):
        self._stop.set()
        self._thread.join()

    def lost_after(self, change, wait_for):
        """Number of frames without depth among the next ``WINDOW`` frames after a change."""
        start = len(self.sent)
        change()
        wait_for(lambda: len(self.sent) >= start + WINDOW, "frames")
        wait_for(
            lambda: any(m.header.stamp.nanosec >= self.sent[start + WINDOW - 1] for m in self._depth[-5:]),
            "depth",
        )
        answered = {message.header.stamp.nanosec for message in list(self._depth)}
        return len(set(self.sent[start : start + WINDOW]) - answered)


@pytest.fixture(scope="module")
def flow(start_node, client, camera, shipped_model, wait_for):
    # The vehicle motion that stabilise needs would require tf2_msgs.
    start_node("-p", f"model:={shipped_model}", "-p", "stabilise_motion:=none")
    camera.wait_for_subscriber()
    outputs = client.listen_to_outputs()
    wait_for(lambda: camera.send() and not time.sleep(0.1) and all(outputs.values()), "all outputs")
    flow = Flow(camera, outputs["depth/image"])
    yield flow
    flow.stop()


@pytest.mark.parametrize("field", LIVE, ids=lambda field: field.name)
def test_a_parameter_changes_at_run_time_and_loses_at_most_one_frame(field, flow, client, wait_for):
    name = field.name
    before = False if name == "lazy_subscription" else field.default  # as the tests start their nodes

    def set_to(value):
        result = client.set_parameter(name, value)
        assert result.successful, result.reason

    value = another_value(field) if before == field.default else field.default
    assert flow.lost_after(lambda: set_to(value), wait_for) <= 1
    assert flow.lost_after(lambda: set_to(before), wait_for) <= 1
