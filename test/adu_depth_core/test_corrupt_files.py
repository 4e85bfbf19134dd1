"""Small corrupt files that once cost gigabytes, many seconds or a traceback: rejected in one line.

Each case writes a file of a few kB, and names the command that reads it and the expected error. The command
runs in a subprocess with tight limits on memory and time.
"""

import os
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("rosbags")
import yaml
import zstandard
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from adu_depth_core.bags import topics
from adu_depth_core.bags.messages import (
    IMAGE,
    TYPES,
    camera_info_message,
    compressed_image_message,
    image_message,
)
from adu_depth_core.bags.writer import BagWriter
from adu_depth_core.camera import Camera

MEMORY = 1 << 30
SECONDS = 10
ROOT = Path(__file__).resolve().parent.parent.parent

CAMERA = Camera(50.0, 50.0, 23.5, 15.5, 48, 32)
PIXELS = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
PNG = cv2.imencode(".png", PIXELS)[1].tobytes()
JPEG = cv2.imencode(".jpg", PIXELS)[1].tobytes()


def with_png_size(data, width, height, bits=8):
    """A PNG with a modified size or bit depth in its header, and a valid checksum."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, bits, 0 if bits == 16 else 2, 0, 0, 0)
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def with_jpeg_size(data, width, height):
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def stereo_messages(left_image):
    """Topics and messages of one stereo frame with a given left image."""
    for topic, frame, image, baseline in (
        ("/camera/left", topics.LEFT_FRAME, left_image, 0.0),
        ("/camera/right", topics.RIGHT_FRAME, None, 0.5),
    ):
        if left_image is not None:
            image = image or compressed_image_message(PNG, "png", 10**9, frame)
        image = image or image_message(PIXELS, "rgb8", 10**9, frame)
        suffix = "/image_rect" if left_image is None else "/image_rect/compressed"
        yield f"{topic}/camera_info", camera_info_message(CAMERA, 10**9, frame, baseline)
        yield topic + suffix, image


def write_bag(path, left_image=None):
    with BagWriter(path) as bag:
        for topic, message in stereo_messages(left_image):
            bag.write(topic, message, 10**9)
    return path


def extract(bag):
    return ["extract", str(bag), "--out", str(bag.parent / "out"), "--truth", "none"]


def bag_of_compressed(data):
    def case(folder):
        message = compressed_image_message(data, "png", 10**9, topics.LEFT_FRAME)
        return extract(write_bag(folder / "drive", message))

    return case


def folder_of_images(data):
    """A KITTI folder of one image for make-bag."""

    def case(folder):
        (folder / "kitti" / "image_2").mkdir(parents=True)
        (folder / "kitti" / "calib").mkdir()
        (folder / "kitti" / "image_2" / "000000.png").write_bytes(data)
        (folder / "kitti" / "calib" / "000000.txt").write_text("P2: 50 0 23.5 0 0 50 15.5 0 0 0 1 0\n")
        return ["make-bag", str(folder / "kitti"), "--out", str(folder / "bag")]

    return case


def ground_truth(folder):
    """A KITTI 2015 scene whose disparity map is huge."""
    training = folder / "kitti" / "training"
    disparity = with_png_size(cv2.imencode(".png", PIXELS[..., 0])[1].tobytes(), 30000, 30000, 16)
    for name, data in (
        ("image_2", PNG),
        ("image_3", PNG),
        ("disp_noc_0", disparity),
        ("disp_occ_0", disparity),
    ):
        (training / name).mkdir(parents=True)
        (training / name / "000000_10.png").write_bytes(data)
    (training / "calib_cam_to_cam").mkdir()
    (training / "calib_cam_to_cam" / "000000.txt").write_text(
        "P_rect_02: 50 0 23.5 0 0 50 15.5 0 0 0 1 0\nP_rect_03: 50 0 23.5 -25 0 50 15.5 0 0 0 1 0\n"
    )
    root = str(folder / "kitti")
    return ["evaluate", "--dataset", "kitti2015", "--root", root, "--split", "all", "--method", "sgbm"]


def own_definition(change, definition=IMAGE):
    """A bag with a non-standard definition of Image."""

    def case(folder):
        text = TYPES.generate_msgdef(IMAGE, ros_version=2)[0].replace(*change)
        types = get_typestore(Stores.EMPTY)
        types.register(get_types_from_msg(text, IMAGE))
        own = {"msgdef": text, "rihs01": types.hash_rihs01(IMAGE)}
        with Writer(folder / "drive", version=8, storage_plugin=StoragePlugin.MCAP) as writer:
            for topic, message in stereo_messages(None):
                kind = message.__msgtype__
                definition = own if kind == IMAGE else {"typestore": TYPES}
                connection = writer.add_connection(topic, kind, **definition)
                writer.write(connection, 10**9, TYPES.serialize_cdr(message, kind))
        return extract(folder / "drive")

    return case


def flipped(offset, name="drive.mcap"):
    """A bag with a flipped bit: at a fraction of a file's length, or at a byte offset from its end."""

    def case(folder):
        bag = write_bag(folder / "drive")
        content = bytearray((bag / name).read_bytes())
        content[int(offset * len(content)) if isinstance(offset, float) else offset] ^= 1
        (bag / name).write_bytes(content)
        return extract(bag)

    return case


def metadata(change):
    def case(folder):
        bag = write_bag(folder / "drive")
        info = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
        (bag / "metadata.yaml").write_text(yaml.safe_dump({"rosbag2_bagfile_information": info | change}))
        return extract(bag)

    return case


def class_image(folder):
    """A synthetic frame whose class image is huge."""
    ground_truth(folder)
    classes = folder / "kitti" / "training" / "class"
    classes.mkdir()
    disparity = folder / "kitti" / "training" / "disp_occ_0" / "000000_10.png"
    disparity.write_bytes(cv2.imencode(".png", np.full(PIXELS.shape[:2], 256, np.uint16))[1].tobytes())
    grey = cv2.imencode(".png", PIXELS[..., 0])[1].tobytes()
    (classes / "000000_10.png").write_bytes(with_png_size(grey, 30000, 30000))
    root = str(folder / "kitti")
    return ["evaluate", "--dataset", "synthetic", "--root", root, "--method", "sgbm"]


def message_bomb(folder):
    """Compressed messages of 100 bytes that declare 3 GB."""
    with BagWriter(folder / "drive") as bag:
        for topic, message in stereo_messages(None):
            packed = zstandard.compress(bytes(3_000_000))
            packed = packed.replace(struct.pack("<I", 3_000_000), struct.pack("<I", 3_000_000_000))
            bag.write_raw(topic, message.__msgtype__, packed, 10**9)
    path = folder / "drive" / "metadata.yaml"
    info = yaml.safe_load(path.read_text())
    info["rosbag2_bagfile_information"] |= {"compression_mode": "MESSAGE", "compression_format": "zstd"}
    path.write_text(yaml.safe_dump(info))
    return extract(folder / "drive")


def chunk_bomb(folder):
    """A chunk of some 100 kB that expands to 2 GB, as declared."""
    path = folder / "drive.mcap"
    with path.open("wb") as file:
        writer = McapWriter(file, compression=CompressionType.ZSTD, enable_crcs=False)
        writer.start("ros2", "test")
        for topic, message in stereo_messages(None):
            kind = message.__msgtype__
            text = TYPES.generate_msgdef(kind, ros_version=2)[0].encode()
            channel = writer.register_channel(topic, "cdr", writer.register_schema(kind, "ros2msg", text))
            writer.add_message(channel, 10**9, bytes(TYPES.serialize_cdr(message, kind)), 10**9)
        writer.finish()
    content = path.read_bytes()
    # The chunk's uncompressed size is in its record, and again in the index.
    start = content.index(b"zstd") - 4 - 12
    size = content[start : start + 8]
    path.write_bytes(content.replace(size, struct.pack("<Q", 2_000_000_000)))
    return extract(path)


def not_a_database(folder):
    with Writer(folder / "drive", version=8, storage_plugin=StoragePlugin.SQLITE3) as writer:
        for topic, message in stereo_messages(None):
            kind = message.__msgtype__
            connection = writer.add_connection(topic, kind, typestore=TYPES)
            writer.write(connection, 10**9, TYPES.serialize_cdr(message, kind))
    file = folder / "drive" / "drive.db3"
    content = bytearray(file.read_bytes())
    content[100:120] = b"\xff" * 20  # the cell pointer array of the first page
    file.write_bytes(content)
    return extract(folder / "drive")


OTHER_SIZE = "camera_info is of a 32x48 image"
TOO_LARGE = "announces more than 67108864 pixels"
CASES = {
    "a PNG of 30000x30000 in a bag": (bag_of_compressed(with_png_size(PNG, 30000, 30000)), TOO_LARGE),
    "a flipped bit of a PNG's width": (bag_of_compressed(with_png_size(PNG, 48 | 1 << 19, 32)), OTHER_SIZE),
    "a flipped bit of a PNG chunk's length": (
        bag_of_compressed(PNG[:33] + bytes([PNG[33] ^ 0x40]) + PNG[34:]),
        "its data is damaged",
    ),
    "a JPEG of 65500x65500 in a bag": (bag_of_compressed(with_jpeg_size(JPEG, 65500, 65500)), TOO_LARGE),
    "a Radiance picture of 20000x20000": (
        bag_of_compressed(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 20000 +X 20000\n" + bytes(999)),
        "no header of BMP, JPEG",
    ),
    "a PNG of 30000x30000 in a folder": (folder_of_images(with_png_size(PNG, 30000, 30000)), TOO_LARGE),
    "a JPEG of 65500x65500 in a folder": (folder_of_images(with_jpeg_size(JPEG, 65500, 65500)), TOO_LARGE),
    "a PPM of 20000x20000": (folder_of_images(b"P6 20000 20000 255\n" + bytes(999)), TOO_LARGE),
    "a depth map of 30000x30000": (ground_truth, TOO_LARGE),
    "a class image of 30000x30000": (class_image, TOO_LARGE),
    "string[3000000] data": (own_definition(("uint8[] data", "string[3000000] data")), "brings its own"),
    "uint8[2000000000] data": (own_definition(("uint8[] data", "uint8[2000000000] data")), "brings its own"),
    "a flipped bit of a chunk": (flipped(0.3), "their checksum fails"),
    "a flipped bit of the magic": (flipped(3), "cannot be read"),
    "other numbers of messages": (
        metadata({"message_count": 9, "topics_with_message_count": []}),
        "has 0 messages on /camera/left/camera_info",
    ),
    "a file that is not there": (metadata({"relative_file_paths": ["other.mcap"]}), "missing"),
    "no metadata": (metadata({"version": "x" * 9}), "cannot be read"),
    "compressed messages of 3 GB": (message_bomb, "a compressed message announces 3000000000 bytes"),
    "a chunk of 2 GB": (chunk_bomb, "messages are skipped"),
    "a broken database": (not_a_database, "drive cannot be read"),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_at_once_and_in_one_line(name, tmp_path):
    make, complaint = CASES[name]
    command = [sys.executable, "-m", "adu_depth_core.cli", *make(tmp_path)]
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 60_000

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")  # each reserves address space
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **threads}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, preexec_fn=limit, capture_output=True, text=True, timeout=120
    )
    errors = [line for line in done.stderr.splitlines() if line.startswith("adu_depth: error:")]
    assert done.returncode == 1, done.stderr
    assert len(errors) == 1
    assert complaint in errors[0]
    assert "Traceback" not in done.stderr
    assert not [
        path.name for path in tmp_path.iterdir() if path.name in ("out", "bag") or "partial" in path.name
    ]
