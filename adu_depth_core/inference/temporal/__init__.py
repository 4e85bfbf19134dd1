"""Temporal stabilisation: depth carried over from earlier frames by the camera's motion and fused."""
