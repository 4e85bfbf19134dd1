"""Several cameras in one depth_node, over real DDS: outputs, shares, calibration, parameters, diagnostics."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("openvino", reason="needs an inference runtime")
import cv2
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

NAMES = ("front", "rear", "left", "right")
FOCAL = {"front": 100.0, "rear": 80.0, "left": 120.0, "right": 60.0}
MARK = {name: 40 * (number + 1) for number, name in enumerate(NAMES)}
"""Grey of each camera's images, so that they can be told apart at the network."""

WIDTH, HEIGHT = 160, 48


class Rig:
    """Publishers of all cameras, and the messages received for each."""

    def __init__(self, client):
        node = client.node
        self.images = {name: node.create_publisher(Image, f"{name}/image", 10) for name in NAMES}
        self.infos = {name: node.create_publisher(CameraInfo, f"{name}/camera_info", 10) for name in NAMES}
        self.depth = {name: client.listen(Image, f"{name}/depth/image") for name in NAMES}
        self.info = {name: client.listen(CameraInfo, f"{name}/depth/camera_info") for name in NAMES}
        self.count = 0

    def send(self, *names):
        for name in names or NAMES:
            self.count += 1
            header = Header(frame_id=f"{name}_optical")
            header.stamp.sec, header.stamp.nanosec = int(time.time()), self.count
            f = FOCAL[name]
            matrix = [f, 0.0, 80.0, 0.0, f, 24.0, 0.0, 0.0, 1.0]
            self.infos[name].publish(CameraInfo(header=header, width=WIDTH, height=HEIGHT, k=matrix))
            pixels = np.full((HEIGHT, WIDTH, 3), MARK[name], np.uint8)
            pixels[24:] //= 2
            self.images[name].publish(
                Image(
                    header=header,
                    width=WIDTH,
                    height=HEIGHT,
                    step=3 * WIDTH,
                    encoding="rgb8",
                    data=pixels.tobytes(),
                )
            )

    def clear(self):
        for messages in (*self.depth.values(), *self.info.values()):
            messages.clear()


@pytest.fixture(scope="module")
def node(start_node, shipped_model, tmp_path_factory):
    return start_node(
        *("-p", f"model:={shipped_model}", "-p", "cameras:=[front, rear, left, right]"),
        *("-p", "max_relative_sigma:=100.0", "-p", "rear.ego_mask:=0,40 159,40 159,47 0,47"),
        *("-p", f"save_folder:={tmp_path_factory.mktemp('saved')}"),
    )


@pytest.fixture(scope="module")
def statuses(client, node):
    return client.listen(DiagnosticArray, "/diagnostics")


@pytest.fixture(scope="module")
def rig(client, node, statuses, wait_for):
    rig = Rig(client)
    wait_for(lambda: all(p.get_subscription_count() for p in rig.images.values()), "the node to subscribe")
    wait_for(lambda: rig.send() or time.sleep(0.1) or all(rig.depth.values()), "depth of all")
    time.sleep(0.5)
    return rig


def values_of(status):
    return {pair.key: pair.value for pair in status.values}


def latest(statuses):
    return {status.name.partition(": ")[2]: status for status in statuses[-1].status}


def test_each_camera_gets_its_own_depth_and_calibration(rig, wait_for):
    from adu_depth_core.camera import Camera
    from adu_depth_core.inference.predictor import Predictor

    predictor = Predictor(network_size=(64, 192), threads=1)
    for name in NAMES:
        rig.clear()
        rig.send(name)
        wait_for(lambda name=name: rig.depth[name] and rig.info[name], f"depth of {name}")
        time.sleep(0.1)
        assert not any(rig.depth[other] for other in NAMES if other != name)
        message = rig.depth[name][0]
        assert message.header.frame_id == f"{name}_optical"
        assert rig.info[name][0].k[0] == FOCAL[name]
        pixels = np.full((HEIGHT, WIDTH, 3), MARK[name], np.uint8)
        pixels[24:] //= 2
        camera = Camera(FOCAL[name], FOCAL[name], 80.0, 24.0, WIDTH, HEIGHT)
        expected = predictor.predict(pixels, camera).depth
        depth = np.frombuffer(message.data, np.float32).reshape(HEIGHT, WIDTH)
        finite = np.isfinite(depth)
        assert np.allclose(depth[finite], expected[finite], rtol=1e-3)
        assert np.isnan(depth[41:]).all() == (name == "rear")


def test_the_outputs_are_never_swapped_and_shares_are_even_at_an_overload(rig, statuses, wait_for):
    """All cameras at once, far faster than the network: each gets a quarter of it, and its own depth."""
    time.sleep(0.5)
    rig.clear()
    before = {name: values_of(status) for name, status in latest(statuses).items()}
    end = time.monotonic() + 6
    while time.monotonic() < end:
        rig.send()
        time.sleep(0.004)
    time.sleep(1.5)
    count = len(statuses)
    wait_for(lambda: len(statuses) > count + 1, "diagnostics")
    after = {name: values_of(status) for name, status in latest(statuses).items()}
    for name in NAMES:
        assert {m.header.frame_id for m in rig.depth[name]} == {f"{name}_optical"}
        stamps = [m.header.stamp.nanosec for m in rig.depth[name]]
        assert stamps == sorted(stamps)

    def grown(name, key):
        return int(after[name][key]) - int(before[name][key])

    published = {name: grown(name, "frames published") for name in NAMES}
    assert sum(grown(name, "frames dropped") for name in NAMES) > 0, published
    assert min(published.values()) > 20
    assert max(published.values()) <= 1.05 * min(published.values()) + 2, published
    fates = ("published", "dropped", "rejected", "failed", "idle", "limited")
    for values in after.values():
        assert sum(int(values[f"frames {fate}"]) for fate in fates) == int(values["frames received"])


def test_a_camera_that_stops_is_stale_and_the_others_are_not(rig, statuses, wait_for):
    def only_the_rear_one_is_stale():
        rig.send("front", "left", "right")
        time.sleep(0.1)
        stale = [n for n, s in latest(statuses).items() if s.level == DiagnosticStatus.STALE]
        return stale == ["rear"]

    wait_for(only_the_rear_one_is_stale, "the rear camera to be stale, and no other")
    assert "/rear/image" in latest(statuses)["rear"].message
    assert latest(statuses)["rear"].hardware_id == "rear_optical"
    assert [status.name for status in statuses[-1].status] == [f"depth_node: {name}" for name in NAMES]


def test_a_camera_without_calibration_does_not_hold_up_the_others(node, rig, wait_for):
    rig.clear()
    header = Header(frame_id="unknown")
    header.stamp.sec = int(time.time())
    image = {"width": WIDTH, "height": HEIGHT, "step": 3 * WIDTH, "encoding": "rgb8"}
    for _ in range(2):
        rig.images["front"].publish(Image(header=header, data=bytes(3 * WIDTH * HEIGHT), **image))
    rig.send("rear")
    wait_for(lambda: rig.depth["rear"], "depth of the rear camera")
    node.wait_for_error("front: frame rejected: no camera_info of frame 'unknown' on /front/camera_info")


def test_parameters_of_a_camera_are_its_own(node, client, rig, wait_for):
    refused = client.set_parameter("ego_mask", "0,0 159,0 159,9")
    assert not refused.successful
    assert "front.ego_mask" in refused.reason
    assert client.set_parameter("left.region_of_interest", "0,0,80,48").successful
    time.sleep(0.2)
    rig.clear()
    rig.send()
    wait_for(lambda: all(rig.depth.values()), "depth")
    assert {name: rig.depth[name][0].width for name in NAMES} == {**dict.fromkeys(NAMES, 160), "left": 80}
    assert client.set_parameter("left.region_of_interest", "").successful
    assert not client.set_parameter("front.ego_mask", "nonsense").successful


def test_a_frame_of_each_camera_is_saved(client, rig):
    results = []
    caller = threading.Thread(target=lambda: results.append(client.call(Trigger, "save_frame")))
    caller.start()
    while caller.is_alive():
        rig.send()
        time.sleep(0.1)
    assert results[0].success, results[0].message
    folders = [Path(line) for line in results[0].message.splitlines()]
    assert [folder.name.split("_")[2] for folder in folders] == list(NAMES)
    greys = [int(cv2.imread(str(folder / "image.png"))[0, 0, 0]) for folder in folders]
    assert greys == [MARK[name] for name in NAMES]


def test_a_reload_serves_all_cameras(client, rig, node, wait_for):
    assert client.call(Trigger, "reload").success
    rig.clear()
    wait_for(lambda: rig.send() or time.sleep(0.1) or all(rig.depth.values()), "depth of all")
    assert not [line for line in node.log if "Traceback" in line]


def resident_mib(pid):
    (line,) = (x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def test_four_cameras_take_hardly_more_memory_than_one(
    node, start_node, client, camera, rig, shipped_model, wait_for
):
    four = resident_mib(node.pid)
    one = start_node("-p", f"model:={shipped_model}", "-p", "max_relative_sigma:=100.0")
    camera.wait_for_subscriber()
    depth = client.listen(Image, "depth/image")
    wait_for(lambda: camera.send() and not time.sleep(0.05) and len(depth) > 20, "depth of one camera")
    single = resident_mib(one.pid)
    print(f"{four:.0f} MiB of four cameras, {single:.0f} MiB of one")
    assert four < 1.3 * single


@pytest.mark.parametrize("cameras", ["[front, front]", "[front/left]", "[2nd]", '[front, ""]'])
def test_names_that_cannot_be_topics_end_the_start_with_one_line(start_node, wait_for, cameras):
    process = start_node("-p", f"cameras:={cameras}")
    wait_for(lambda: not process.is_alive(), "the node to end")
    assert process.end(15) == 1
    assert len(process.log) == 1
    assert "cameras" in process.log[0]
