"""A student fine-tuned on a drive: trained, judged on the end of the drive and elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adu_depth_core.datasets.registry import Frames, open_dataset
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.benchmarks import open_benchmark
from adu_depth_core.files import share_directory
from adu_depth_core.inference.depth_correction import DepthCorrection
from adu_depth_core.inference.network_size import fit_network_size
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.model_card import ModelCard, read_card
from adu_depth_core.own_vehicle.decision import measures
from adu_depth_core.own_vehicle.drive_folders import DriveFolders
from adu_depth_core.own_vehicle.observation import Observation, observe
from adu_depth_core.training.config import load_config
from adu_depth_core.training.run import Machine, train

WINDOW = 0.7
"""Share of the image's width that a training view shows: a third less work for little less to see."""


def start_weights(model: Path) -> Path:
    """The safetensors file of a student that is named by its ONNX.

    :raises UserError: if it is not there
    """
    weights = model.with_suffix(".safetensors")
    if not weights.is_file():
        raise UserError(
            f"{weights} does not exist: fine-tuning starts from weights, not from {model.name} alone"
        )
    return weights


def shipped_teacher() -> Path | None:
    """The stereo teacher of a checkout; an installation has none."""
    path = share_directory() / "models" / "adu_teacher.safetensors"
    return path if path.is_file() else None


def fine_tune(
    folders: DriveFolders,
    replay: Path,
    start: Path,
    teacher: Path | None,
    out: Path,
    minutes: float,
    workers: int,
) -> Path:
    """Train; an interrupted run goes on.

    :param folders: of the drive
    :param replay: synthetic folder
    :param start: safetensors file of the student to start from, its card beside it
    :param teacher: safetensors file of a stereo teacher for pairs, or None: pairs without depth are then
        labelled by stereo matching
    :param out: folder of the run
    :param minutes: time limit of training alone
    :param workers: processes that make training views
    :return: the student's ONNX, its weights and card beside it
    """
    card = read_card(start)
    height, width = fit_network_size(folders.camera, card)
    window = max(1, round(WINDOW * width / card.size_multiple)) * card.size_multiple
    asked = teacher if folders.pairs else None
    overrides = {
        "root": folders.root,
        "replay": replay,
        "start": start,
        "own_size": f"{height}x{window}",
        "out": out,
        "encoder": card.encoder,
        "f_ref": card.f_ref,
        "input_height": card.input_height,
        "input_width": card.input_width,
        "depth_min": card.depth_min,
        "depth_max": card.depth_max,
        "teacher": f'"{asked or ""}"',
        "max_hours": minutes / 60,
    }
    config = load_config("adapt", [f"{name}={value}" for name, value in overrides.items()])
    return train("student", config, Machine(workers=workers))[0]


@dataclass(frozen=True)
class Change:
    """Figures of the start and of the adapted student on the same frames, means over them.

    :param place: what the frames are
    """

    place: str
    frames: int
    before: dict[str, float]
    after: dict[str, float]


def changes(
    start: Path, adapted: Path, sets: Sequence[tuple[str, Frames]], backend: str = "auto"
) -> list[Change]:
    """Gains and losses.

    :param sets: names of places, and their labelled frames
    """
    models = [Predictor(path, backend, profile="none") for path in (start, adapted)]
    found = []
    for place, frames in sets:
        figures = [_figures(observed(model, frames), model.card) for model in models]
        found.append(Change(place, len(frames), *figures))
    return found


def observed(predictor: Predictor, frames: Frames) -> list[Observation]:
    """Observations of labelled frames, a second apart; those with too little truth are left out."""
    found = []
    for number in range(len(frames)):
        sample = frames[number]
        if sample.depth is not None:
            prediction = predictor.predict(sample.left, sample.camera)
            found.append(observe(prediction, sample.depth, predictor.card, float(number), 0, number))
    return [observation for observation in found if observation is not None]


def _figures(observations: Sequence[Observation], card: ModelCard) -> dict[str, float]:
    frames = [measures(o, DepthCorrection(), card) for o in observations]
    return {name: float(np.mean([frame[name] for frame in frames])) for name in frames[0]}


def held_out_frames(folders: DriveFolders) -> list[tuple[str, Frames]]:
    """The end of the drive: frames that nothing looked at, and those that decided when to stop.

    The names say where stereo matching stands in for a measurement.
    """
    marked = " (pseudo-labels)" if folders.truth == "stereo" else ""
    return [
        (f"end of the drive{marked}", open_dataset("stereo_folder", folders.root / "judging")),
        (f"stopped by{marked}", open_dataset("stereo_folder", folders.root / "stopping")),
    ]


def elsewhere_frames(root: Path, folder: Path | None) -> list[tuple[str, Frames]]:
    """Other cameras and places: synthetic streets, and a folder in KITTI's layout if one is named.

    Of a folder that holds frames out for validation, those are taken.
    """
    sets: list[tuple[str, Frames]] = [("other cameras", open_dataset("synthetic", root / "elsewhere"))]
    if folder is not None:
        try:
            frames = open_benchmark("kitti_folder", folder, "validation").samples
        except UserError:
            frames = open_benchmark("kitti_folder", folder, "all").samples
        sets.append((folder.name, frames))
    return sets
