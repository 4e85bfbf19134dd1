"""Datasets: one file per dataset, one sample type, stereo-safe augmentation."""
