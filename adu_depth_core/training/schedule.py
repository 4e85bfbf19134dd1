"""Progress of a run: by steps, or by a limit in hours."""

from __future__ import annotations

import math
import time
from typing import Any

import lightning

WARM_UP = 0.1
"""Share of the run over which the learning rate rises."""

INITIAL, FINAL = 1 / 25, 1 / 25_000
"""Learning rate at both ends, as shares of the largest: those of PyTorch's one-cycle policy."""


def one_cycle(progress: float) -> float:
    """Learning rate as a share of the largest (Smith and Topin 2018, with cosines).

    :param progress: share of the run that is done, 0 to 1
    """
    if progress < WARM_UP:
        begin, end, done = INITIAL, 1.0, progress / WARM_UP
    else:
        begin, end, done = 1.0, FINAL, (min(progress, 1.0) - WARM_UP) / (1.0 - WARM_UP)
    return end + (begin - end) * (1.0 + math.cos(math.pi * done)) / 2.0


class Progress(lightning.Callback):
    """Keeps ``module.progress``, the share of the run that is done, and ends the run.

    With a time limit a run makes as many steps as fit, and everything that changes over a run is scaled to
    it. What was spent before a resume counts. All processes go by the clock of the first.

    :param steps: steps of the run; the most it makes where there is a time limit
    :param max_hours: time limit in hours; 0 for none
    """

    def __init__(self, steps: int, max_hours: float = 0.0) -> None:
        self.steps, self.limit = steps, 3600.0 * max_hours
        self._spent, self._since = 0.0, 0.0

    def on_train_start(self, *_: Any) -> None:
        self._since = time.monotonic()

    def on_train_batch_start(self, trainer: lightning.Trainer, module: Any, *_: Any) -> None:
        module.progress = trainer.global_step / self.steps
        if self.limit:
            spent = trainer.strategy.broadcast(self._elapsed())
            module.progress = max(module.progress, spent / self.limit)
            if module.progress >= 1.0:
                trainer.should_stop = True

    def state_dict(self) -> dict[str, float]:
        return {"spent": self._elapsed()}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self._spent = state["spent"]

    def _elapsed(self) -> float:
        return self._spent + (time.monotonic() - self._since if self._since else 0.0)
