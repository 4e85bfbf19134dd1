"""Training losses (torch): small pure functions."""
