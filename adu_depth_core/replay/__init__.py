"""Models judged on recorded drives, offline and against a live node; their report pages and recordings."""

from adu_depth_core.errors import require

require("rosbags", "bags", "to read and write bags")
