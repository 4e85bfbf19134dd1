"""The camera_info messages of a bag by time, and the rectifiers built from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from adu_depth_core.bags.reader import BagMessage
from adu_depth_core.rectification import Rectifier, says_rectified

_AFTER_STAMP = 12
"""Bytes of CDR encapsulation and stamp before the rest of a message that begins with its header."""


def header_stamp(message: BagMessage) -> int:
    """Header stamp in nanoseconds (time of the bag where there is none), from the bytes.

    Decoding a point cloud or an image for it would be slow.
    """
    order = "little" if message.data[1] & 1 else "big"
    sec, nanosec = (int.from_bytes(message.data[i : i + 4], order) for i in (4, 8))
    return sec * 1_000_000_000 + nanosec or message.time_ns


class Calibrations:
    """Takes camera_info messages in order of time; keeps those that differ from the one before.

    :param rectify: see ``ReadingOptions``
    """

    def __init__(self, rectify: str) -> None:
        self._rectify = rectify
        self._kept: dict[str, list[BagMessage]] = {}
        self._rectifiers: dict[bytes, Rectifier] = {}

    def add(self, message: BagMessage) -> None:
        kept = self._kept.setdefault(message.topic, [])
        if not kept or kept[-1].data[_AFTER_STAMP:] != message.data[_AFTER_STAMP:]:
            kept.append(message)

    def at(self, topic: str | None, stamp: int) -> Any:
        """The calibration valid at a time: the last before it, or the first; None without any."""
        kept = self._kept.get(topic or "", [])
        return next(
            (m.content for m in reversed(kept) if header_stamp(m) <= stamp),
            kept[0].content if kept else None,
        )

    def rectifier(self, topic: str, info: Any) -> Rectifier | None:
        """Rectifier of the images of a topic; None if they are already rectified.

        :param info: their calibration
        :raises ValueError: see ``Rectifier``
        """
        if self._rectify == "auto":
            raw = bool(np.any(info.d)) and not says_rectified(topic)
        else:
            raw = self._rectify == "yes"
        if not raw:
            return None
        key = b"".join(np.asarray(v).tobytes() for v in (info.k, info.d, info.r, info.p))
        key += f"{info.width}x{info.height} {info.distortion_model}".encode()
        if key not in self._rectifiers:
            self._rectifiers[key] = Rectifier(info)
        return self._rectifiers[key]
