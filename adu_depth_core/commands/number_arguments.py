"""Numbers on the command line, within the limits that make sense for them."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

MOST_THREADS = 1024
"""More threads, processes or machines are a slip of the pen, and can bring a machine down."""


def number(
    above: float | None = None,
    below: float | None = None,
    least: float | None = None,
    most: float | None = None,
) -> Callable[[str], float]:
    """Type of an option for a finite number within limits; ``above`` and ``below`` are excluded.

    :raises argparse.ArgumentTypeError: by the type, for anything else
    """
    limits = {"above": above, "below": below, "at least": least, "at most": most}
    given = " and ".join(f"{name} {limit:g}" for name, limit in limits.items() if limit is not None)
    wanted = f"a number {given}" if given else "a finite number"

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        inside = (
            math.isfinite(value)
            and (above is None or value > above)
            and (below is None or value < below)
            and (least is None or value >= least)
            and (most is None or value <= most)
        )
        if not inside:
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
        return value

    return read


def whole_number(least: int, most: int = 2**31 - 1) -> Callable[[str], int]:
    """Type of an option for a whole number of ``least`` to ``most``.

    :raises argparse.ArgumentTypeError: by the type, for anything else
    """

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            upper = f" to {most}" if most < 2**31 - 1 else " on"
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least}{upper}")
        return value

    return read
