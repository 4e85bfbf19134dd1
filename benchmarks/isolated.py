"""Tasks in a separate process: one that crashes, hangs or breaks CUDA does not affect the others."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from adu_depth_core.errors import UserError


class TaskFailed(Exception):
    """A task without a result; the text gives the reason."""


class Isolated:
    """Calls a function in another process, one call at a time.

    The process keeps the function's caches. After a failure other than a ``UserError`` it is replaced: after
    an illegal access, every further call in that CUDA context fails.

    :param task: function of one argument, importable by name
    """

    def __init__(self, task: Callable[[Any], Any]) -> None:
        self._task = task
        self._process: Any = None
        self._connection: Connection | None = None

    def __call__(self, argument: Any, seconds: float) -> Any:
        """
        :param seconds: timeout after which the process is killed
        :raises TaskFailed: if the function raises, the process exits, or the timeout expires
        """
        if self._process is None:
            self._start()
        self._connection.send(argument)
        if not self._connection.poll(seconds):
            self.close()
            raise TaskFailed(f"took longer than {seconds:.0f} s")
        try:
            succeeded, result, usable = self._connection.recv()
        except EOFError:
            self._process.join()
            status = self._process.exitcode
            self.close()
            raise TaskFailed(f"the process ended with status {status}") from None
        if not usable:
            self.close()
        if not succeeded:
            raise TaskFailed(result)
        return result

    def close(self) -> None:
        """Stop the process; the next call starts a new one."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would share the CUDA context
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._task), daemon=True)
        self._process.start()
        theirs.close()


def _serve(connection: Connection, task: Callable[[Any], Any]) -> None:
    while True:
        try:
            argument = connection.recv()
        except EOFError:  # the other process has exited
            return
        try:
            answer = (True, task(argument), True)
        except UserError as error:
            answer = (False, str(error), True)
        except Exception as error:
            answer = (False, f"{type(error).__name__}: {error}", False)
        connection.send(answer)
