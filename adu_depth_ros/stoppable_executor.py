"""An executor that another thread can stop."""

from __future__ import annotations

import threading

from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor


class StoppableExecutor(SingleThreadedExecutor):
    """Executes callbacks until ``stop``.

    ``spin_until_future_complete`` of a future that other threads complete would do the same, but registers
    one more callback with the future for each callback it executes and so never stops growing
    (https://github.com/ros2/rclpy/issues/1371, rclpy 7.1): 0.7 kB per frame.

    :param stopped: set by ``stop``; if it is set already, nothing is executed
    """

    def __init__(self, stopped: threading.Event, *, context: Context | None = None) -> None:
        super().__init__(context=context)
        self._stopped = stopped

    def spin_until_stopped(self) -> None:
        """Execute callbacks until ``stop``.

        :raises rclpy.executors.ExternalShutdownException: if the context is shut down before
        """
        while not self._stopped.is_set():
            self.spin_once()

    def stop(self) -> None:
        """End ``spin_until_stopped`` after the current callback; callable from any thread."""
        self._stopped.set()
        self.create_task(lambda: None)  # ends a wait
