"""Exponential moving average of the weights, which begins late in a run."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import nn


class LateAverage(WeightAveraging):
    """Averages over the last part of a run; before that it follows the current weights.

    Begun at the first step, the average would still hold a part of the untrained weights at the end of a
    short run. It lives on the device that trains and never makes the CPU wait for a GPU.

    :param start: share of the run after which it begins
    :param decay: share of the average that a step keeps
    """

    def __init__(self, start: float, decay: float) -> None:
        super().__init__()
        self.start, self.decay = start, decay
        self._averages: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
        self._currents: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])

    def setup(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        # The module itself is still on the CPU here, where Lightning's own callback would keep the average.
        self._device = trainer.strategy.root_device
        super().setup(trainer, pl_module, stage)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self._averages = _tensors(self._average_model.module)
        self._currents = _tensors(pl_module)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any
    ) -> None:
        if trainer.global_step > self._latest_update_step:
            self.update(pl_module.progress)
            self._latest_update_step = trainer.global_step

    @torch.no_grad()
    def update(self, progress: float) -> None:
        """One step of the average.

        :param progress: share of the run that is done
        """
        averages, counts = self._averages
        currents, current_counts = self._currents
        if progress > self.start:
            torch._foreach_lerp_(averages, currents, 1.0 - self.decay)
        else:
            torch._foreach_copy_(averages, currents)
        torch._foreach_copy_(counts, current_counts)


def _tensors(module: nn.Module) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Parameters and buffers: floating point, and the others (how many batches a norm has seen)."""
    tensors = [tensor.detach() for tensor in (*module.parameters(), *module.buffers())]
    floating = [tensor for tensor in tensors if tensor.is_floating_point()]
    return floating, [tensor for tensor in tensors if not tensor.is_floating_point()]
