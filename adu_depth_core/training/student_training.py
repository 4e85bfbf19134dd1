"""Training of the monocular student, alone or with a teacher."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from adu_depth_core.datasets.sample import Sample
from adu_depth_core.datasets.virtual_camera import DENSE
from adu_depth_core.losses.distillation import confidence
from adu_depth_core.losses.edges import gradient_matching, standing
from adu_depth_core.model_card import ModelCard
from adu_depth_core.networks.rays import ray_map
from adu_depth_core.networks.student import Student
from adu_depth_core.networks.teacher import Teacher
from adu_depth_core.training.config import TrainingConfig
from adu_depth_core.training.distiller import Distiller, Taught
from adu_depth_core.training.module import DepthTraining, channels_last


class StudentTraining(DepthTraining):
    """Supervision by ground truth, and by the teacher if there is one.

    :param teacher: frozen teacher with the same reference focal and encoder levels; None for none, or where
        its predictions are cached
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
        if config.teacher:
            self.distiller = Distiller(config.distillation, self.network.decoder.channels)

    def on_fit_start(self) -> None:
        for teacher in self._teacher:
            teacher.to(self.device)

    def training_step(self, batch: dict[str, torch.Tensor], _index: int) -> torch.Tensor:
        image, depth = batch["image"].to(memory_format=torch.channels_last), batch["depth"]
        features = self.network.features(image, batch["camera"])
        mu, log_b = self.network.head(features[0])
        sound = ~batch["fault"].view(-1, 1, 1, 1) if "fault" in batch else None
        taught = self._taught(batch, sound)
        dense = self._dense(depth, taught)
        losses = self.supervise(mu, log_b, depth, self._weight(dense, batch["camera"]), sound)
        if self.config.edges:
            losses["edges"] = self.config.edges * self._edges(mu, dense, taught, sound)
        self.show(image=image, truth=depth, mu=mu, log_b=log_b)
        if taught is not None:
            losses |= self.distiller(mu, log_b, features, taught, self.progress)
            self.show(teacher_mu=taught.mu, teacher_log_b=taught.log_b, **self.distiller.maps)
        return self.total(losses, len(image))

    def _taught(self, batch: dict[str, torch.Tensor], sound: torch.Tensor | None) -> Taught | None:
        """The teacher's predictions for pairs: computed now, or cached."""
        if self.config.teacher and self.config.teacher_predictions == "cached":
            depth, log_b = batch["taught"].chunk(2, dim=1)
            known = depth > 0
            return Taught(
                torch.where(known, depth, 1.0).log(), log_b, known if sound is None else known & sound
            )
        for teacher in self._teacher:
            with torch.no_grad():
                views = (
                    batch[name].to(memory_format=torch.channels_last)
                    for name in ("clean_image", "clean_other")
                )
                baseline = batch["baseline"].clamp(min=1e-3)
                seen = teacher(*views, baseline, whole_width=self.config.input_width)
                seen = seen.mirrored(batch["mirrored"])
            pairs = (batch["baseline"] > 0).view(-1, 1, 1, 1).expand_as(seen.mu)
            return Taught(seen.mu, seen.log_b, pairs, seen.features)
        return None

    @staticmethod
    def _dense(depth: torch.Tensor, taught: Taught | None) -> torch.Tensor:
        """Dense canonical depth, 0 unknown: the truth where it is dense, else the teacher's."""
        known = (depth > 0) & torch.isfinite(depth)
        dense = (depth > 0).float().mean((1, 2, 3), keepdim=True) > DENSE
        truth = torch.where(dense & known, depth, 0.0)
        if taught is None:
            return truth
        return torch.where(dense | ~taught.valid, truth, taught.mu.exp())

    def _weight(self, dense: torch.Tensor, camera: torch.Tensor) -> torch.Tensor | None:
        """Larger weights for surfaces that stand on the road; 1 without dense depth."""
        if self.config.obstacle_weight == 1.0:
            return None
        rays = ray_map(camera, *dense.shape[-2:], stride=1)[:, :2]
        return torch.where(standing(dense, dense > 0, rays), self.config.obstacle_weight, 1.0)

    @staticmethod
    def _edges(
        mu: torch.Tensor, dense: torch.Tensor, taught: Taught | None, sound: torch.Tensor | None
    ) -> torch.Tensor:
        valid = dense > 0
        if sound is not None:
            valid = valid & sound
        trust = torch.ones_like(mu)
        if taught is not None:
            trust = torch.where(taught.valid, confidence(taught.log_b), trust)
        return gradient_matching(mu - torch.where(valid, dense, 1.0).log(), valid, trust)
