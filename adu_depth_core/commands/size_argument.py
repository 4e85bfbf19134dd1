"""Image sizes on the command line."""

from __future__ import annotations

import argparse


def rows_x_columns(text: str) -> tuple[int, int]:
    """``(height, width)`` from text such as ``192x640``.

    :raises argparse.ArgumentTypeError: if it is not two whole numbers above 0
    """
    height, x, width = text.lower().partition("x")
    if not (x and text.isascii() and height.isdecimal() and width.isdecimal() and int(height) * int(width)):
        raise argparse.ArgumentTypeError(f"{text!r} is not HEIGHTxWIDTH such as 192x640")
    return int(height), int(width)
