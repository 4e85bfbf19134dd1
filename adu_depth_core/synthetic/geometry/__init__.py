"""Meshes, vectors and ray casting; the course of a road."""
