"""Materials of surfaces and the painted pictures on them."""
