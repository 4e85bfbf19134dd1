"""Training: where networks, losses and datasets meet (torch, lightning)."""
