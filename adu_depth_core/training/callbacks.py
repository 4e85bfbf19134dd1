"""Further logs of a run: speed, and pictures for TensorBoard."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import lightning
import numpy as np
import torch

from adu_depth_core.progress import LINE_EVERY_S
from adu_depth_core.terminal import plain_console
from adu_depth_core.training.module import DepthTraining
from adu_depth_core.training.view_picture import draw


class Throughput(lightning.Callback):
    """Logs views per second and the share of the time spent waiting for data.

    :param batch_size: views of a step, over all processes
    :param every: steps a figure is taken over
    """

    def __init__(self, batch_size: int, every: int = 20) -> None:
        self.batch_size, self.every = batch_size, every
        self._begin = self._ready = 0.0
        self._computing, self._steps = 0.0, 0

    def on_train_start(self, *_: Any) -> None:
        self._begin = time.perf_counter()

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        # Validation is neither training nor waiting.
        self._begin, self._computing, self._steps = time.perf_counter(), 0.0, 0

    def on_train_batch_start(self, *_: Any) -> None:
        self._ready = time.perf_counter()

    def on_train_batch_end(self, trainer: lightning.Trainer, module: DepthTraining, *_: Any) -> None:
        now = time.perf_counter()
        self._computing += now - self._ready
        self._steps += 1
        if self._steps == self.every:
            whole = now - self._begin
            module.log_dict(
                {
                    "speed/views_per_second": self.every * self.batch_size / whole,
                    "speed/data_share": 1.0 - self._computing / whole,
                },
                batch_size=1,
            )
            self._begin, self._computing, self._steps = now, 0.0, 0


class ProgressLog(lightning.Callback):
    """Writes a line on standard error now and then, for log files: a bar would be one endless line there."""

    def on_train_start(self, trainer: lightning.Trainer, module: DepthTraining) -> None:
        self._began = self._told = time.monotonic()
        self._first_step = trainer.global_step
        self._first_share: float | None = None

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: DepthTraining, outputs: Any, *_: Any
    ) -> None:
        if self._first_share is None:  # a resumed run knows its share only once a step has begun
            self._first_share = module.progress
        now = time.monotonic()
        if now - self._told < LINE_EVERY_S or not trainer.is_global_zero:
            return
        self._told, elapsed = now, now - self._began
        # The share was set before this step.
        done = module.progress - self._first_share + 1 / trainer.max_steps
        left = timedelta(seconds=max(0, round(elapsed * (1.0 - self._first_share - done) / done)))
        rate = (trainer.global_step - self._first_step) / elapsed
        loss = float(outputs["loss"])
        self._print(
            f"step {trainer.global_step} of at most {trainer.max_steps}, loss {loss:.3f}, "
            f"{rate:.1f} steps/s, {left} left"
        )

    def on_train_end(self, trainer: lightning.Trainer, module: DepthTraining) -> None:
        if trainer.is_global_zero:
            elapsed = timedelta(seconds=round(time.monotonic() - self._began))
            self._print(f"step {trainer.global_step}, {elapsed} elapsed")

    @staticmethod
    def _print(text: str) -> None:
        plain_console(stderr=True).print(f"training: {text}", soft_wrap=True)


class Pictures(lightning.Callback):
    """Writes a picture of a training view, what is known and predicted of it, and its weights.

    :param every: steps between pictures; 0 for none
    """

    def __init__(self, every: int) -> None:
        self.every = every

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: DepthTraining, outputs: Any, batch: Any, index: int
    ) -> None:
        if not self.every or trainer.global_step % self.every or not trainer.is_global_zero:
            return
        maps = {name: _to_numpy(values) for name, values in module.pictures.items()}
        for logger in trainer.loggers:
            logger.experiment.add_image(
                "train/view", draw(maps, module.card), trainer.global_step, dataformats="HWC"
            )


def _to_numpy(values: torch.Tensor) -> np.ndarray:
    return np.moveaxis(values[0].cpu().numpy(), 0, -1)
