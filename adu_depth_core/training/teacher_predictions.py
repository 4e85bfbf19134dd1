"""Predictions of a frozen teacher for the pairs of a data set, computed once and cached on disk."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from adu_depth_core.datasets.sample import Sample
from adu_depth_core.errors import UserError
from adu_depth_core.files import write_atomically
from adu_depth_core.inference.checkpoint_predictor import CheckpointPredictor, load_checkpoint_predictor


@dataclass(frozen=True)
class TeacherPredictions:
    """A teacher and the cache folder of its predictions.

    A prediction is float16 ``(2, H, W)`` at the image's size: metric depth and the log of its Laplace scale
    in log depth. The folder is named after the hash of the teacher's weights and each file after that of its
    images, so predictions of another teacher or for other images are never used.

    :param predictor: the teacher; None for cached predictions only
    :param folder: the cache
    """

    predictor: CheckpointPredictor | None
    folder: Path

    @classmethod
    def load(cls, teacher: Path, folder: Path) -> TeacherPredictions:
        """:raises UserError: if the teacher's weights or card are missing or damaged, or it is no teacher"""
        predictor = load_checkpoint_predictor(teacher)
        if predictor.card.role != "teacher":
            raise UserError(f"teacher {teacher}: its card says it is a {predictor.card.role}")
        return cls(predictor, folder / predictor.card.files[teacher.name][:16])

    def without_teacher(self) -> TeacherPredictions:
        """The cached predictions only: for data processes, which have no GPU and cannot receive a network."""
        return dataclasses.replace(self, predictor=None)

    def of(self, sample: Sample) -> np.ndarray | None:
        """The prediction for the left view of a pair; None for a single image.

        :raises UserError: if the cached prediction is damaged, or is missing and there is no teacher
        """
        if sample.right is None or sample.baseline is None:
            return None
        path = self.folder / f"{_key(sample)}.safetensors"
        if path.is_file():
            return _read(path, sample)
        if self.predictor is None:
            raise UserError(
                f"{path}, the teacher's prediction for {sample.name}, is missing: start the run again"
            )
        prediction = self.predictor.predict(sample.left, sample.camera, sample.right, sample.baseline)
        log_b = np.log(prediction.sigma / (self.predictor.card.sigma_scale * prediction.depth))
        taught = np.stack([prediction.depth, log_b]).astype(np.float16)
        self.folder.mkdir(parents=True, exist_ok=True)
        with write_atomically(path) as temporary:
            temporary.write_bytes(save({"left": taught}))
        return taught


def _key(sample: Sample) -> str:
    """Hash of the teacher's input: names and folders may be reused for other images."""
    digest = hashlib.sha256(repr((sample.camera, sample.baseline)).encode())
    for image in (sample.left, sample.right):
        digest.update(np.ascontiguousarray(image))
    return digest.hexdigest()[:32]


def _read(path: Path, sample: Sample) -> np.ndarray:
    try:
        taught = load_file(path)["left"]
        if taught.shape != (2, *sample.camera.size):
            raise ValueError(f"its shape is {taught.shape}")
    except (SafetensorError, KeyError, ValueError) as error:
        raise UserError(f"{path} is damaged ({error}): delete it to have it computed again") from error
    return taught
