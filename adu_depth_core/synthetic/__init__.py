"""Procedural stereo driving scenes with exact depth."""

from adu_depth_core.errors import require

require("trimesh", "synthetic", "to make synthetic drives")
