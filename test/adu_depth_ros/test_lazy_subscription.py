"""Images are subscribed only while depth has subscribers: the real node and DDS."""

import time

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2 (rclpy)")
pytest.importorskip("openvino", reason="needs an inference runtime")
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Image


@pytest.mark.parametrize("topic", ["depth/image", "confidence/image"])
def test_images_are_subscribed_only_while_someone_listens(
    start_node, client, camera, shipped_model, wait_for, topic
):
    start_node("-p", f"model:={shipped_model}", "-p", "lazy_subscription:=true")
    diagnostics = client.listen(DiagnosticArray, "/diagnostics")
    wait_for(lambda: any("not subscribed" in a.status[0].message for a in diagnostics), "the reason")
    assert camera.infos.get_subscription_count() == 1
    assert camera.images.get_subscription_count() == 0
    received = []
    subscription = client.node.create_subscription(Image, topic, received.append, 10)
    wait_for(camera.images.get_subscription_count, "the node to subscribe the image")
    wait_for(lambda: camera.send() and not time.sleep(0.1) and received, "the output")
    client.node.destroy_subscription(subscription)
    wait_for(lambda: not camera.images.get_subscription_count(), "the subscription to go")
    assert client.set_parameter("lazy_subscription", False).successful
    wait_for(camera.images.get_subscription_count, "the node to subscribe the image for good")
