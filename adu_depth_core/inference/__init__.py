"""Preprocess, backend, postprocess: runs without torch."""
