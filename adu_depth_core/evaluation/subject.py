"""Subjects of ``adu_depth evaluate``: an exported model, a checkpoint, or a method without a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adu_depth_core.datasets.sample import Sample
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.flip import predict_with_flip
from adu_depth_core.evaluation.sgbm import SgbmPredictor
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.model_card import ModelCard

if TYPE_CHECKING:
    from adu_depth_core.inference.checkpoint_predictor import CheckpointPredictor

DepthAndSigma = tuple[np.ndarray, np.ndarray | None]
"""Depth and sigma of a left view, float32 ``(H, W)`` metres; sigma is None for methods without."""


@dataclass(frozen=True)
class Subject:
    """A depth predictor, and its description for reports.

    :param name: name of the model or method
    :param file: the model's file as the user named it; empty without
    :param card: the model's card; None without
    :param network_sizes: each ``(height, width)`` of the network's input that frames were predicted at so
        far; None without
    :param backend: short name of the runtime
    :param runtime: the same with its version
    :param stereo: whether it uses the right view too
    :param predict: depth and sigma of a sample
    :param profiles: camera profiles that frames were predicted with so far
    """

    name: str
    file: str
    card: ModelCard | None
    network_sizes: list[tuple[int, int]] | None
    backend: str
    runtime: str
    stereo: bool
    predict: Callable[[Sample], DepthAndSigma]
    profiles: Sequence[Path] = ()

    def record(self) -> dict[str, Any]:
        """The ``model`` entry of an evaluation's JSON."""
        entry: dict[str, Any] = {"name": self.name, "stereo": self.stereo, "backend": self.backend}
        if self.card is not None:
            name = self.file.rpartition("/")[2]
            entry |= {"file": name, "sha256": self.card.files[name], "sigma_scale": self.card.sigma_scale}
        if self.network_sizes is not None:
            entry["network_sizes"] = [list(size) for size in self.network_sizes]
        if self.profiles:
            entry["profiles"] = [path.name for path in self.profiles]
        return entry


def model_subject(predictor: Predictor, flip: bool = False) -> Subject:
    """An exported student.

    :param flip: average each prediction with that of the mirrored image
    """

    def predict(sample: Sample) -> DepthAndSigma:
        if flip:
            prediction = predict_with_flip(predictor, sample.left, sample.camera)
        else:
            prediction = predictor.predict(sample.left, sample.camera)
        return prediction.depth, prediction.sigma

    subject = _network_subject(predictor, predictor.model_path, predictor.backend_name, False, predict)
    return dataclasses.replace(subject, profiles=predictor.profile_files)


def checkpoint_subject(predictor: CheckpointPredictor, flip: bool = False) -> Subject:
    """A student or teacher in PyTorch.

    :param flip: average each prediction with that of the mirrored image
    :raises UserError: if ``flip`` is asked of a stereo network: mirrored, a pair's other view is the left one
    :raises ValueError: if the network comes from no file: a report names it
    """
    if predictor.model_path is None:
        raise ValueError(f"network {predictor.card.name} has no file that a report could name")
    if flip and predictor.stereo:
        raise UserError(f"{predictor.card.name} is a stereo network: --flip is for networks of one image")

    def predict(sample: Sample) -> DepthAndSigma:
        if flip:
            prediction = predict_with_flip(predictor, sample.left, sample.camera)
        else:
            prediction = predictor.predict(sample.left, sample.camera, sample.right, sample.baseline)
        return prediction.depth, prediction.sigma

    return _network_subject(predictor, predictor.model_path, "pytorch", predictor.stereo, predict)


def _network_subject(
    predictor: Predictor | CheckpointPredictor,
    model: Path,
    backend: str,
    stereo: bool,
    predict: Callable[[Sample], DepthAndSigma],
) -> Subject:
    return Subject(
        predictor.card.name,
        model.as_posix(),
        predictor.card,
        predictor.network_sizes,
        backend,
        predictor.backend.runtime,
        stereo,
        predict,
    )


def sgbm_subject() -> Subject:
    """OpenCV's semi-global matching, the reference for stereo."""
    predictor = SgbmPredictor()

    def predict(sample: Sample) -> DepthAndSigma:
        return predictor.predict(sample.left, sample.camera, sample.right, sample.baseline), None

    return Subject(predictor.name, "", None, None, "opencv", predictor.runtime, True, predict)
