"""The cameras in a network's training, for its card."""

from __future__ import annotations

import numpy as np

from adu_depth_core.training.data import TrainingViews

DRAWS = 4000

TAIL = 0.005
"""Share of the values excluded at each end: the network hardly learned from those."""


def camera_range(views: TrainingViews) -> dict[str, list[float]]:
    """The ``cameras`` entry of a model card, from cameras drawn as for training.

    :return: ``horizontal_fov``, degrees covered by the views, without a border that repeats the image's edge,
        and by the whole images that they are crops of, and ``network_focal``, pixels at the network's input:
        each the range of all but ``TAIL`` of the values at either end
    """
    of_source = [source.cameras() for source in views.sources]
    random = np.random.default_rng(views.seed)
    drawn = [views.draw_camera(random, of_source) for _ in range(DRAWS)]
    fovs = [min(view.horizontal_fov, frame.horizontal_fov) for frame, view in drawn]
    fovs += [frame.horizontal_fov for frame, _ in drawn]  # Inference is given whole images.
    focals = [view.fx for _, view in drawn]

    def ends(values: list[float]) -> list[float]:
        return [round(float(end), 1) for end in np.quantile(values, (TAIL, 1.0 - TAIL))]

    return {"horizontal_fov": ends(fovs), "network_focal": ends(focals)}
