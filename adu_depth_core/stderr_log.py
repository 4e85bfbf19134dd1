"""Warnings of the package on standard error, as a command shows them."""

from __future__ import annotations

import logging
import sys


class StderrHandler(logging.Handler):
    """Writes to what standard error is at the moment: a progress bar stands in for it."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"adu_depth: {record.levelname.lower()}: {record.getMessage()}", file=sys.stderr)


def name_warnings() -> None:
    """Prefix warnings with the program's name and level. For a process of ``adu_depth`` only."""
    logger = logging.getLogger("adu_depth_core")
    logger.addHandler(StderrHandler())
    logger.propagate = False
