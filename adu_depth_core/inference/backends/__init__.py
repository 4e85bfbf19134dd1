"""Inference runtimes, one file each, imported only when chosen."""
