"""Light and sensors: what cameras and LiDARs record of a scene."""
