"""Depth networks (torch)."""
