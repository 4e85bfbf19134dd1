"""Message classes by their name in bags and the ROS graph."""

from __future__ import annotations

import importlib
from typing import Any


def message_class(name: str) -> Any:
    """The class of a message type such as ``sensor_msgs/msg/Image``.

    :raises ImportError: if its package is not installed or has no such message
    """
    package, _, message = name.split("/")
    module = importlib.import_module(f"{package}.msg")
    try:
        return getattr(module, message)
    except AttributeError as error:
        raise ImportError(f"package {package} has no message {message}") from error
