"""From a drive of one's own vehicle to a model that fits its camera: calibrate and adapt."""
