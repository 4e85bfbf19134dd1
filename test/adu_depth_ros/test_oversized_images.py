"""A small compressed image that declares a huge size costs the running node neither memory nor time."""

import re
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")
from sensor_msgs.msg import CompressedImage, Image


def peak_memory(pid: int) -> int:
    """Peak resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) // 1000


def test_the_node_refuses_another_size_than_its_cameras(start_node, client, camera, wait_for, black_png):
    node = start_node("-p", "image_transport:=compressed")
    images = client.node.create_publisher(CompressedImage, "image/compressed", 10)
    depth = client.listen(Image, "depth/image")
    wait_for(lambda: images.get_subscription_count() and camera.infos.get_subscription_count(), "the node")
    good = cv2.imencode(".png", np.full((48, 160, 3), 128, np.uint8))[1].tobytes()

    def send(data):
        header = camera.header()
        camera.send_info(header)
        images.publish(CompressedImage(header=header, format="png", data=data))
        time.sleep(0.1)

    wait_for(lambda: send(good) or depth, "depth")
    before, received = peak_memory(node.pid), len(depth)
    # One is a size that a real camera could have.
    for size, complaint in ((8000, "camera_info is of a 48x160 image"), (30000, "announces more than")):
        send(black_png(size, size))
        node.wait_for_error(complaint)
    wait_for(lambda: send(good) or len(depth) > received, "depth after that")
    assert peak_memory(node.pid) - before < 100
