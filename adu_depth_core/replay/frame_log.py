"""Compact storage of the figures of many frames."""

from __future__ import annotations

import math
from array import array

from adu_depth_core.replay.evaluation_result import FrameRecord


class FrameLog:
    """Keeps records as columns of numbers: a drive of an hour has 36,000 frames.

    Besides being larger, thousands of small objects between the images that come and go would keep the
    memory of those from being used again.
    """

    def __init__(self) -> None:
        self._whole = {name: array("q") for name in ("index", "stamp_ns", "pixels", "bag")}
        self._metrics: dict[str, array] = {}

    def __len__(self) -> int:
        return len(self._whole["index"])

    def add(self, record: FrameRecord) -> None:
        """Take the next frame."""
        for name in (name for name in record.metrics if name not in self._metrics):
            self._metrics[name] = array("d", [math.nan]) * len(self)
        for name, column in self._metrics.items():
            column.append(record.metrics.get(name, math.nan))
        for name, column in self._whole.items():
            column.append(getattr(record, name))

    def records(self) -> list[FrameRecord]:
        """All frames in the order they came, without the metrics that a frame does not have."""
        return [
            FrameRecord(
                **{name: column[i] for name, column in self._whole.items()},
                metrics={
                    name: column[i] for name, column in self._metrics.items() if not math.isnan(column[i])
                },
            )
            for i in range(len(self))
        ]
