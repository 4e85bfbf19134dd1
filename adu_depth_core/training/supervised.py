"""Supervised training of the student, as a Lightning module."""

from __future__ import annotations

from typing import Any

import lightning
import torch

from adu_depth_core.losses.supervised import beyond_range, laplace_nll, silog
from adu_depth_core.networks.student import Student
from adu_depth_core.training.config import TrainingConfig


class SupervisedTraining(lightning.LightningModule):
    """Student with SILog and Laplace likelihood on ground truth, one-cycle learning rate."""

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__()
        self.config = config
        self.student = Student(config.encoder, config.encoder_weights).to(memory_format=torch.channels_last)

    def training_step(self, batch: dict[str, torch.Tensor], _index: int) -> torch.Tensor:
        mu, log_b = self.student(batch["image"].to(memory_format=torch.channels_last))
        depth = batch["depth"]
        valid = (depth > 0) & torch.isfinite(depth)
        error = mu - torch.where(valid, depth, 1.0).log()
        far = torch.tensor(1.25 * self.config.depth_max).log()
        losses = {
            "silog": silog(error, valid),
            "likelihood": laplace_nll(error, log_b, valid),
            "sky": beyond_range(mu, far, torch.isinf(depth)),
        }
        self.log_dict({f"train/{name}": value for name, value in losses.items()}, prog_bar=True)
        return sum(losses.values())

    def configure_optimizers(self) -> dict[str, Any]:
        encoder = list(self.student.encoder.parameters())
        others = [*self.student.decoder.parameters(), *self.student.head.parameters()]
        rates = [self.config.encoder_learning_rate, self.config.learning_rate]
        optimizer = torch.optim.AdamW(
            [{"params": encoder, "lr": rates[0]}, {"params": others, "lr": rates[1]}],
            weight_decay=self.config.weight_decay,
        )
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=rates, total_steps=self.config.steps, pct_start=0.1, final_div_factor=1e3
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
