"""Values, ranges and lists of them on the command line."""

from __future__ import annotations

import argparse

from adu_depth_core.commands.size_argument import rows_x_columns
from adu_depth_core.synthetic.drive.random_rig import Choice


def choice(text: str) -> Choice:
    """Values to draw from: ``2.2``, ``1.2:2.6``, or a list such as ``0,-60,60,170:190``.

    :raises argparse.ArgumentTypeError: if it is none of these
    """
    ranges = []
    for part in text.split(","):
        low, colon, high = part.partition(":")
        try:
            ends = float(low), float(high if colon else low)
        except ValueError:
            ends = (1.0, 0.0)
        if not -float("inf") < ends[0] <= ends[1] < float("inf"):
            raise argparse.ArgumentTypeError(f"{part!r} is not a number or a range such as 1.2:2.6")
        ranges.append(ends)
    return Choice(tuple(ranges))


def sizes(text: str) -> tuple[tuple[int, int], ...]:
    """Image sizes to choose from, such as ``192x640`` or ``192x640,384x512``.

    :raises argparse.ArgumentTypeError: if one is not HEIGHTxWIDTH
    """
    return tuple(rows_x_columns(part) for part in text.split(","))
