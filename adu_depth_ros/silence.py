"""Console warning about silent camera topics, the most common mistake on first start."""

from __future__ import annotations

from rclpy.lifecycle import LifecycleNode

IMAGE_TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")


class SilenceWarning:
    """Warns once after a period without images, and again only after images have arrived.

    :param node: whose log and view of the ROS graph are used
    :param limit: seconds
    """

    def __init__(self, node: LifecycleNode, limit: float = 5.0) -> None:
        self._node = node
        self._limit = limit
        self._told = False

    def update(self, silent_for: float | None, image_topic: str, info_topic: str, calibrated: bool) -> None:
        """Check the current state.

        :param silent_for: seconds since the last image; None while none is expected
        :param image_topic: full name of the topic that images come from
        :param info_topic: full name of the topic that calibration comes from
        :param calibrated: whether calibration has arrived
        """
        if silent_for is None or silent_for < self._limit:
            self._told = False
        elif not self._told:
            self._told = True
            self._node.get_logger().warning(self._complaint(image_topic, info_topic, calibrated))

    def _complaint(self, image_topic: str, info_topic: str, calibrated: bool) -> str:
        complaint = f"no image on {image_topic} for {self._limit:g} s"
        if self._node.count_publishers(image_topic):
            complaint += f"; it has a publisher: compare its QoS by ros2 topic info -v {image_topic}"
        elif elsewhere := self._image_topics(image_topic):
            complaint += f", nobody publishes there; images are on {', '.join(elsewhere)}: remap the topic"
        else:
            complaint += ", nobody publishes there, nor an image anywhere: is the camera driver running?"
        if not calibrated:
            complaint += f"; no calibration on {info_topic} either"
        return complaint

    def _image_topics(self, besides: str) -> list[str]:
        own = {besides, *(publisher.topic_name for publisher in self._node.publishers)}
        return sorted(
            name
            for name, types in self._node.get_topic_names_and_types()
            if name not in own and set(types) & set(IMAGE_TYPES) and self._node.count_publishers(name)
        )
