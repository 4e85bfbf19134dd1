"""Vehicles of the road, and the parts that they share."""
