"""Console warnings of the node while its camera is silent, over real DDS."""

import pytest

pytest.importorskip("rclpy")

from sensor_msgs.msg import Image

REMAPPED = ("-r", "image:=/front/image_rect", "-r", "camera_info:=/front/camera_info")


def warnings_of(node):
    return [line for line in node.log if "no image on" in line]


@pytest.fixture
def node(start_node, client, shipped_model):
    """A node with a silent driver, and a subscriber to its depth."""
    listener = client.node.create_subscription(Image, "depth/image", lambda _message: None, 1)
    yield start_node("-p", f"model:={shipped_model}", *REMAPPED)
    client.node.destroy_subscription(listener)


def test_a_wrong_topic_is_told_once_with_the_topics_that_have_images(node, camera, wait_for):
    wait_for(
        lambda: any("subscribes to /front/image_rect and /front/camera_info" in e for e in node.log), "topics"
    )
    wait_for(lambda: warnings_of(node), "the warning")
    (warning,) = warnings_of(node)
    assert "[WARN]" in warning
    assert "no image on /front/image_rect for 5 s, nobody publishes there; images are on /image" in warning
    assert "no calibration on /front/camera_info either" in warning
    assert "/depth" not in warning  # its own topic
