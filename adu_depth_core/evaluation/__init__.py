"""Depth and uncertainty metrics, and the protocols they are computed under."""
