"""Ctrl-C for the command line, from its first line to its last."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType

STATUS = 130
"""Exit status of an interrupted command: 128 + SIGINT."""

MESSAGE = "adu_depth: interrupted"


def install() -> None:
    """Let Ctrl-C raise KeyboardInterrupt, as Python does, but not in the middle of an import.

    There the exception can vanish in a callback of Python's import system, so that the command goes on (seen
    once in 40), or a module takes it for a failure of its own. So the process ends at once: commands import
    what they need before they write anything.
    """
    # Unless the parent ignores it, as nohup and shells do for background processes.
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, _on_interrupt)
    # The parent may have blocked signals until here, as scripts/adu_depth does.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT, signal.SIGTERM])


def ignore() -> None:
    """Block interrupts at the end of the process, where nothing can catch them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def stop_on_interrupt() -> Iterator[Callable[[], bool]]:
    """Ctrl-C makes the yielded function true, so that work can end in order; a second one interrupts."""
    pressed = []

    def note(number: int, frame: object) -> None:
        pressed.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)


def _on_interrupt(number: int, frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            os.write(sys.__stderr__.fileno(), f"{MESSAGE}\n".encode())
            os._exit(STATUS)
        frame = frame.f_back
    raise KeyboardInterrupt
