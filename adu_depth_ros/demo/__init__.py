"""The whole path in one command: a bag, the real node over DDS, and a judgement of what it publishes."""
