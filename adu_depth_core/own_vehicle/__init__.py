"""From a drive of your own vehicle to a model that fits its camera: calibrate and adapt."""
