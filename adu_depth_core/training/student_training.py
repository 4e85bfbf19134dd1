"""Training of the monocular student, alone or with a teacher."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from adu_depth_core.datasets.sample import Sample
from adu_depth_core.model_card import ModelCard
from adu_depth_core.networks.student import Student
from adu_depth_core.networks.teacher import Teacher
from adu_depth_core.training.config import TrainingConfig
from adu_depth_core.training.distiller import Distiller
from adu_depth_core.training.module import DepthTraining, channels_last


class StudentTraining(DepthTraining):
    """Supervision by ground truth, and by the teacher if there is one.

    :param teacher: frozen teacher with the same reference focal and encoder levels; None for none
    """

    def __init__(
        self,
        config: TrainingConfig,
        card: ModelCard,
        validation: Sequence[Sample] = (),
        teacher: Teacher | None = None,
    ) -> None:
        super().__init__(config, card, Student(config.encoder, config.encoder_weights), validation)
        channels_last(self.network.modules())
        # In a tuple, not a submodule: the teacher is not trained, averaged, synchronised or saved.
        self._teacher = () if teacher is None else (teacher.eval().requires_grad_(False),)
        if teacher is not None:
            channels_last(teacher.modules())
            self.distiller = Distiller(config.distillation, self.network.decoder.channels)

    def on_fit_start(self) -> None:
        for teacher in self._teacher:
            teacher.to(self.device)

    def training_step(self, batch: dict[str, torch.Tensor], _index: int) -> torch.Tensor:
        image, depth = batch["image"].to(memory_format=torch.channels_last), batch["depth"]
        features = self.network.features(image)
        mu, log_b = self.network.head(features[0])
        losses = self.supervise(mu, log_b, depth)
        self.show(image=image, truth=depth, mu=mu, log_b=log_b)
        for teacher in self._teacher:
            with torch.no_grad():
                views = (
                    batch[name].to(memory_format=torch.channels_last)
                    for name in ("clean_image", "clean_other")
                )
                baseline = batch["baseline"].clamp(min=1e-3)
                seen = teacher(*views, baseline, whole_width=self.config.input_width)
                seen = seen.mirrored(batch["mirrored"])
            pairs = batch["baseline"] > 0
            losses |= self.distiller(mu, log_b, features, seen, pairs, self.global_step / self.config.steps)
            self.show(teacher_mu=seen.mu, teacher_log_b=seen.log_b, **self.distiller.maps)
        return self.total(losses, len(image))
