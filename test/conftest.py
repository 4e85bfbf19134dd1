"""Shared fixtures: real driving images where available, and synthetic KITTI 2015 scenes."""

import gc
import logging
import os
import signal
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import hypothesis
import numpy as np
import pytest

from adu_depth_core.images import write_png16

# Tests must not fail because the machine is busy.
hypothesis.settings.register_profile("adu_depth", deadline=None)
hypothesis.settings.load_profile("adu_depth")

# Tests started in the background by a shell, and all their child processes, inherit an ignored SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_finish():
    """Exempt the imported libraries from garbage collection, which takes half a second with all of them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def black_png() -> Callable[..., bytes]:
    """Makes a valid black PNG of a given size, in a thousandth of the memory of its pixels.

    ``bits`` is 1, or 16 as for depth maps.
    """

    def make(width: int, height: int, bits: int = 1) -> bytes:
        def chunk(kind: bytes, content: bytes) -> bytes:
            checksum = zlib.crc32(kind + content)
            return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

        deflate = zlib.compressobj(1)
        row = bytes(1 + (width * bits + 7) // 8)
        pixels = b"".join(deflate.compress(row) for _ in range(height)) + deflate.flush()
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")

    return make


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real driving images (``ADU_DEPTH_DATA``, default ``../shared/data``); skips where missing."""
    folder = Path(os.environ.get("ADU_DEPTH_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real driving images not found at {folder}; set ADU_DEPTH_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def shipped_model() -> Path:
    """The ONNX student that the package ships."""
    return ROOT / "models" / "adu_student.onnx"


@pytest.fixture(scope="session")
def write_kitti2015_scene() -> Callable[..., None]:
    """Writes one scene in the published KITTI 2015 layout, 64x192 pixels, fx 350, baseline 0.5 m.

    Called with the data set's root, the scene's name, the left image's colour (RGB; the right one is black)
    and the disparity in pixels, one number or a map ``(64, 192)``.
    """

    def write(root: Path, scene: str, color: tuple[int, int, int], disparity: float | np.ndarray) -> None:
        folder = root / "training"
        for image, rgb in (("image_2", color), ("image_3", (0, 0, 0))):
            (folder / image).mkdir(parents=True, exist_ok=True)
            pixels = np.full((64, 192, 3), rgb[::-1], np.uint8)
            cv2.imwrite(str(folder / image / f"{scene}_10.png"), pixels)
            cv2.imwrite(str(folder / image / f"{scene}_11.png"), 255 - pixels)
        for truth in ("disp_noc_0", "disp_occ_0"):
            write_png16(folder / truth / f"{scene}_10.png", np.broadcast_to(disparity, (64, 192)))
        calibration = folder / "calib_cam_to_cam" / f"{scene}.txt"
        calibration.parent.mkdir(exist_ok=True)
        calibration.write_text(
            "S_rect_02: 192 64\n"
            "P_rect_02: 350 0 95.5 0 0 350 31.5 0 0 0 1 0\n"
            "P_rect_03: 350 0 95.5 -175 0 350 31.5 0 0 0 1 0\n",
            encoding="utf-8",
        )

    return write


@pytest.fixture(scope="session")
def textured_pair() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Makes a stereo pair ``(H, W, 3)`` of a textured plane at a whole number of pixels of disparity."""

    def make(seed: int, disparity: int, height: int = 64, width: int = 160) -> tuple[np.ndarray, np.ndarray]:
        texture = np.random.default_rng(seed).integers(0, 256, (height, width + disparity, 3), np.uint8)
        texture = cv2.GaussianBlur(texture, (0, 0), 1.0)
        # Column u of the left camera is column u - disparity of the right one.
        return texture[:, :width].copy(), texture[:, disparity:].copy()

    return make


@pytest.fixture(scope="session")
def write_kitti_raw_frame(textured_pair) -> Callable[..., None]:
    """Writes a frame in the layout of KITTI's raw recordings and depth benchmark: fx 150, baseline 0.5 m.

    Called with the root, the drive such as ``2011_09_26_drive_0001_sync``, the frame's number, ``train`` or
    ``val`` and the disparity in pixels; with ``depth=False`` the frame gets no depth map. Size 64x160.
    """

    def write(root: Path, drive: str, number: int, part: str, disparity: int = 5, depth: bool = True) -> None:
        date = root / drive[:10]
        for side, image in zip(("image_02", "image_03"), textured_pair(number, disparity), strict=True):
            folder = date / drive / side / "data"
            folder.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / f"{number:010d}.png"), image[..., ::-1])
        (date / "calib_cam_to_cam.txt").write_text(
            "calib_time: 09-Jan-2012 13:57:47\ncorner_dist: 9.950000e-02\n"
            "P_rect_02: 150 0 79.5 0 0 150 31.5 0 0 0 1 0\nP_rect_03: 150 0 79.5 -75 0 150 31.5 0 0 0 1 0\n",
            encoding="utf-8",
        )
        if depth:
            truth = root / part / drive / "proj_depth" / "groundtruth" / "image_02" / f"{number:010d}.png"
            write_png16(truth, np.full((64, 160), 75.0 / disparity))

    return write


@pytest.fixture(autouse=True)
def _fresh_log():
    """Undo the log setup of the command line (``stderr_log``) by earlier tests and fixtures."""
    log = logging.getLogger("adu_depth_core")
    log.handlers.clear()
    log.propagate = True
