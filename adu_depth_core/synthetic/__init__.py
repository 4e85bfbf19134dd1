"""Procedural stereo driving scenes with exact depth."""
