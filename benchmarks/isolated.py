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
    """Calls a function in another process, one call after the other.

    The process keeps what the function caches. After a failure other than a ``UserError`` it is replaced: a
    CUDA context that has seen an illegal access answers all that follows with an error.

    :param task: function of one argument, importable by its name
    """

    def __init__(self, task: Callable[[Any], Any]) -> None:
        self._task = task
        self._process: Any = None
        self._connection: Connection | None = None

    def __call__(self, argument: Any, seconds: float) -> Any:
        """
        :param seconds: after which the process is killed
        :raises TaskFailed: if the function raised, the process ended, or time ran out
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
        """End the process; the next call starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would share a CUDA context
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
