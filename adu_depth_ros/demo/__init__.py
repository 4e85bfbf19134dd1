"""End-to-end demo in one command: a bag, the real node over DDS, and an evaluation of its output."""
