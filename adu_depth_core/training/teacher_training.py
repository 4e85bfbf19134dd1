"""Training of the stereo teacher."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional as F

from adu_depth_core.datasets.sample import Sample
from adu_depth_core.losses.matching import matching_loss
from adu_depth_core.model_card import ModelCard
from adu_depth_core.networks.teacher import MATCHING_STRIDES, Teacher
from adu_depth_core.training.config import TrainingConfig
from adu_depth_core.training.module import DepthTraining, channels_last


class TeacherTraining(DepthTraining):
    """Ground truth supervises the depth and, as disparity, the matching."""

    stereo = True

    def __init__(self, config: TrainingConfig, card: ModelCard, validation: Sequence[Sample] = ()) -> None:
        super().__init__(
            config, card, Teacher(config.f_ref, config.encoder, config.encoder_weights), validation
        )
        channels_last(self.network.modules())

    def training_step(self, batch: dict[str, torch.Tensor], _index: int) -> torch.Tensor:
        left, right = (batch[name].to(memory_format=torch.channels_last) for name in ("image", "other"))
        depth, baseline = batch["depth"], batch["baseline"]
        output = self.network(left, right, baseline, whole_width=self.config.input_width)
        losses = self.supervise(output.mu, output.log_b, depth)
        losses["matching"] = matching_loss(
            output.scores, *self._true_disparity(depth, baseline, output.scores.shape[1])
        )
        self.show(image=batch["image"], truth=depth, mu=output.mu, log_b=output.log_b)
        return self.total(losses, len(left))

    def _true_disparity(
        self, depth: torch.Tensor, baseline: torch.Tensor, disparities: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Disparity in pixels of the matching maps, and where it is known.

        Of the 4x4 pixels that a matching pixel covers, the nearest counts: a mean over an edge would be a
        disparity that is not in the picture.
        """
        known = torch.isfinite(depth) & (depth > 0)
        focal_times_baseline = self.config.f_ref * baseline.view(-1, 1, 1, 1)
        disparity = torch.where(known, focal_times_baseline / depth.clamp(min=1e-3), 0.0)
        # Sky is infinitely far: its disparity is known, and 0.
        known |= torch.isinf(depth)
        stride = MATCHING_STRIDES[0]
        nearest = F.max_pool2d(disparity, stride) / stride
        return nearest, F.max_pool2d(known.float(), stride) > 0
