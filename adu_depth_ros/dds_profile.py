"""Fast DDS settings for images: shared memory that holds several of them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from adu_depth_core.files import share_directory
from adu_depth_ros.distribution import profiles_variable

PROFILE = Path("config") / "fastdds_large_images.xml"
OLD_VARIABLE = "FASTRTPS_DEFAULT_PROFILES_FILE"
"""Still read by the middleware of Kilted and Lyrical, with a warning."""

SHARED_MEMORY = Path("/dev/shm")
NEEDED_BYTES = 64 << 20
"""Twice the profile's segment: Docker's default of 64 MB in total, partly in use, is not enough."""


def use_profile_for_images() -> str:
    """Let this process send through a segment of 32 MB, unless the environment names a profile, or none ("").

    Through Fast DDS's own 512 KB an image is sent in fragments, and later ones overwrite earlier ones before
    they are read, so that subscribers must request them again. If one of them stalls or is killed, the
    healthy ones lose frames. Call it before ROS is initialised.

    :return: reason why the profile is not used, with a remedy; empty if it is, or if another was chosen
    """
    variable = profiles_variable()
    if variable in os.environ or OLD_VARIABLE in os.environ:
        return ""
    try:
        profile = share_directory() / PROFILE
        free = shutil.disk_usage(SHARED_MEMORY).free
    except OSError as error:
        return f"Fast DDS sends images through its small shared memory: {error}"
    if free < NEEDED_BYTES:
        return (
            f"Fast DDS sends images through its small shared memory: {SHARED_MEMORY} has {free >> 20} MB "
            f"free, not {NEEDED_BYTES >> 20}. Subscribers can lose frames; in Docker --shm-size or --ipc=host"
        )
    os.environ[variable] = str(profile)
    return ""
