"""Long-running services, on their own thread."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Mapping

import rclpy
from rclpy.node import Node
from std_srvs.srv import Trigger

from adu_depth_core.errors import UserError
from adu_depth_ros.stoppable_executor import StoppableExecutor

Answer = Callable[[Trigger.Request, Trigger.Response], Trigger.Response]
"""Callback of a service."""


class ControlServices:
    """``std_srvs/Trigger`` services below a node's name that may take seconds, while the node keeps running.

    They belong to a hidden node with its own executor: rclpy answers when the callback returns, and a waiting
    coroutine keeps a core busy (rclpy 7.1 polls it), so on the node's own executor a call would delay frames.

    :param node: node below whose name the services are
    :param handlers: by name; each returns the message of success, or raises ``UserError``
    """

    def __init__(self, node: Node, handlers: Mapping[str, Callable[[], str]]) -> None:
        self._log = node.get_logger()
        self._node = rclpy.create_node(
            f"_{node.get_name()}_control",
            namespace=node.get_namespace(),
            context=node.context,
            # Remappings such as __node:=NAME would give it the node's name.
            use_global_arguments=False,
            start_parameter_services=False,
            enable_rosout=False,
        )
        for name, handler in handlers.items():
            service = f"{node.get_fully_qualified_name()}/{name}"
            self._node.create_service(Trigger, service, self._answering(name, handler))
        self._executor = StoppableExecutor(threading.Event(), context=node.context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._executor.spin_until_stopped, name="control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let the current call finish, and remove the services."""
        self._executor.stop()
        self._thread.join()
        self._node.destroy_node()

    def _answering(self, name: str, handler: Callable[[], str]) -> Answer:
        def answer(request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            try:
                response.success, response.message = True, handler()
            except UserError as error:
                response.message = str(error)
            except Exception as error:  # it would end the thread, and the caller would wait forever
                response.message = f"{type(error).__name__}: {error}"
                self._log.error("".join(traceback.format_exception(error)).rstrip())
            if not response.success:
                self._log.error(f"{name}: {response.message}")
            return response

        return answer
