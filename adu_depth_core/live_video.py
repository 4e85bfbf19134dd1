"""Cameras and network streams as sources of video."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

SCHEMES = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp")
"""Of addresses that OpenCV's FFmpeg opens."""


@dataclass(frozen=True)
class LiveVideo:
    """A source of frames that has no end and is no file.

    :param address: number of a camera (``/dev/videoN``), or the address of a stream
    """

    address: int | str

    def __str__(self) -> str:
        """For messages: without the password that an address may hold."""
        if isinstance(self.address, int):
            return f"webcam:{self.address}"
        return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:***@", self.address)

    @property
    def stem(self) -> str:
        """Name of its results."""
        if isinstance(self.address, int):
            return f"webcam{self.address}"
        parts = urlsplit(self.address)
        return re.sub(r"[^\w.-]+", "_", f"{parts.hostname or ''}{parts.path}").strip("_.") or "stream"


def live_video(text: str) -> LiveVideo | None:
    """The camera or stream that ``webcam``, ``webcam:N``, ``/dev/videoN`` or an address names; else None."""
    if camera := re.fullmatch(r"webcam(?::(\d{1,3}))?|/dev/video(\d{1,3})", text):
        return LiveVideo(int(camera[1] or camera[2] or 0))
    if re.match(rf"({'|'.join(SCHEMES)})://", text, re.IGNORECASE):
        return LiveVideo(text)
    return None
