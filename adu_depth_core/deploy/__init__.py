"""From a trained network to a deployable file."""
