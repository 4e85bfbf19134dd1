"""Common Lightning module for training teacher and student."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from torch import nn

from adu_depth_core.datasets.sample import Sample
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.metrics import depth_metrics
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.inference.checkpoint_predictor import CheckpointPredictor, network_infer
from adu_depth_core.losses.supervised import beyond_range, laplace_nll, silog
from adu_depth_core.model_card import ModelCard
from adu_depth_core.networks.weights import load_matching
from adu_depth_core.training.config import TrainingConfig
from adu_depth_core.training.resume import KEY, check_same_training, origin
from adu_depth_core.training.schedule import one_cycle

VALIDATION_METRIC = "val/abs_rel"

Losses = dict[str, torch.Tensor]


class DepthTraining(lightning.LightningModule):
    """Supervision by ground truth, one-cycle learning rate, validation on whole frames.

    :param config: the run
    :param card: what the network's inputs and outputs mean
    :param network: ``Student`` or ``Teacher``
    :param validation: labelled frames to validate on, read one by one

    :ivar progress: share of the run that is done, 0 to 1 (``schedule.Progress`` keeps it)
    :ivar pictures: maps of the latest step for pictures, ``name -> (1, 1 or 3, H, W)``
    """

    stereo = False

    def __init__(
        self, config: TrainingConfig, card: ModelCard, network: nn.Module, validation: Sequence[Sample] = ()
    ) -> None:
        super().__init__()
        self.config, self.card = config, card
        self.network = network
        if config.initial_weights:
            _initialise(network, Path(config.initial_weights))
        if config.keep_fingerprint:
            network.encoder.eval()
        self.progress = 0.0
        self.pictures: dict[str, torch.Tensor] = {}
        self.validation = validation
        self._errors: list[float] = []

    def train(self, mode: bool = True) -> DepthTraining:
        """As of any module; an encoder whose fingerprint stays keeps its running statistics, too."""
        super().train(mode)
        if self.config.keep_fingerprint:
            self.network.encoder.eval()
        return self

    def supervise(
        self,
        mu: torch.Tensor,
        log_b: torch.Tensor,
        depth: torch.Tensor,
        weight: torch.Tensor | None = None,
        sound: torch.Tensor | None = None,
    ) -> Losses:
        """Losses against ground truth.

        :param mu: log canonical depth, ``(N, 1, H, W)``
        :param log_b: log Laplace scale, same shape
        :param depth: canonical depth, same shape, 0 unknown, +inf beyond range
        :param weight: how much each pixel counts, same shape; None for all alike
        :param sound: views that supervise depth, bool, broadcastable; the others train the uncertainty
            only. None for all
        """
        valid = (depth > 0) & torch.isfinite(depth)
        if sound is None:
            sound = torch.ones_like(valid)
        error = mu - torch.where(valid, depth, 1.0).log()
        far = math.log(1.25 * self.config.depth_max)
        return {
            "silog": silog(error, valid & sound, weight),
            "likelihood": laplace_nll(torch.where(sound, error, error.detach()), log_b, valid, weight),
            "sky": beyond_range(mu, far, torch.isinf(depth) & sound),
        }

    def total(self, losses: Losses, batch_size: int) -> torch.Tensor:
        """Sum of the losses; each is logged."""
        loss = sum(losses.values())
        values = {f"train/{name}": value.detach() for name, value in losses.items()}
        self.log_dict(values, batch_size=batch_size)
        self.log("train/loss", loss.detach(), prog_bar=True, batch_size=batch_size)
        return loss

    def show(self, **maps: torch.Tensor) -> None:
        """Remember the first of each batch of maps for a picture."""
        self.pictures |= {name: values[:1].detach().float() for name, values in maps.items()}

    def validation_step(self, index: int, _batch: int) -> None:
        """Absolute relative error of one frame at the image's resolution, as in ``adu_depth evaluate``."""
        if index >= len(self.validation):
            return
        sample = self.validation[int(index)]
        predictor = CheckpointPredictor(self.card, network_infer(self.network, self.stereo), self.stereo)
        prediction = predictor.predict(sample.left, sample.camera, sample.right, sample.baseline)
        protocol = Protocol()
        mask = protocol.mask(sample.depth)
        if mask.any():
            metrics = depth_metrics(protocol.clamp(prediction.depth), sample.depth, mask)
            self._errors.append(metrics["abs_rel"])

    def on_validation_epoch_end(self) -> None:
        own = torch.tensor([sum(self._errors), len(self._errors)], dtype=torch.float64, device=self.device)
        total, count = self.all_gather(own.float()).view(-1, 2).sum(0).tolist()
        self._errors.clear()
        if count:
            # Already averaged over all processes.
            self.log(VALIDATION_METRIC, total / count, prog_bar=True, rank_zero_only=False, batch_size=1)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint[KEY] = origin(self.card)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        check_same_training(checkpoint, self.card, self.config.out)

    def configure_optimizers(self) -> dict[str, Any]:
        encoder = list(self.network.encoder.parameters())
        known = {id(parameter) for parameter in encoder}
        others = [p for p in self.parameters() if p.requires_grad and id(p) not in known]
        rates = [self.config.encoder_learning_rate, self.config.learning_rate]
        optimizer = torch.optim.AdamW(
            [
                {"name": "encoder", "params": encoder, "lr": rates[0]},
                {"name": "rest", "params": others, "lr": rates[1]},
            ],
            weight_decay=self.config.weight_decay,
        )
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _step: one_cycle(self.progress))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def channels_last(modules: Iterable[nn.Module]) -> None:
    """Store the weights of convolutions the way that CPUs and tensor cores compute fastest."""
    for module in modules:
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)
        elif isinstance(module, nn.Conv3d):
            module.to(memory_format=torch.channels_last_3d)


def _initialise(network: nn.Module, weights: Path) -> None:
    try:
        load_matching(network, weights)
    except (FileNotFoundError, ValueError) as error:
        raise UserError(f"initial_weights: {error}") from error
