"""Model card entries written by training: origin, uncertainty scale, accuracy."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.benchmarks import Benchmark, open_benchmark
from adu_depth_core.evaluation.judged_sets import evaluate
from adu_depth_core.evaluation.leakage import check_leakage
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.sigma_calibration import Calibration
from adu_depth_core.evaluation.subject import Subject
from adu_depth_core.evaluation.uncertainty import QUANTILE, image_sigma_scale
from adu_depth_core.machine import cpu_model
from adu_depth_core.model_card import NON_COMMERCIAL, ModelCard, card_path
from adu_depth_core.training.config import TrainingConfig
from adu_depth_core.training.sources import BenchmarkConfig, describe_source, weights_licence

PATHS = ("out", "teacher", "twin", "initial_weights")
"""Entries of a configuration that say where files are: not for a card."""

CARD_METRICS = ("abs_rel", "rmse", "silog", "d1", "coverage_1sigma", "nll", "ause_abs_rel", "aurg_abs_rel")
STEREO_METRICS = ("d1_all", "epe")


def new_card(
    config: TrainingConfig, role: str, teacher: ModelCard | None = None, start: ModelCard | None = None
) -> ModelCard:
    """Card of a network before it is trained; its uncertainty scale is that of a perfect Laplace.

    :param role: ``student`` or ``teacher``
    :param teacher: card of the student's teacher, whose training data is the student's too
    :param start: card of the weights that it starts from, whose training data is its own too
    """
    recipe = {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(config)
        if field.name
        not in (
            *PATHS,
            "distillation",
            "sources",
            "calibration",
            "validation",
            "other_rigs",
            "virtual_cameras",
        )
    }
    if config.virtual_cameras is not None:
        recipe["virtual_cameras"] = {
            **dataclasses.asdict(config.virtual_cameras),
            "sizes": list(config.virtual_cameras.sizes),
        }
    training = {"data": [describe_source(source) for source in config.sources], "recipe": recipe}
    licence = weights_licence(config.sources)
    for ancestor in filter(None, (start, teacher)):
        training["data"] += _unseen(ancestor.training["data"], training["data"])
        licence = licence if licence.startswith(NON_COMMERCIAL) else ancestor.licence
    if start is not None:
        training["start"] = {"name": start.name, "files": start.files}
    if teacher is not None:
        training["teacher"] = {"name": teacher.name, "files": teacher.files, "data": teacher.training["data"]}
        recipe["distillation"] = dataclasses.asdict(config.distillation)
    return ModelCard(
        name=f"adu_{role}",
        role=role,
        encoder=config.encoder,
        input_height=config.input_height,
        input_width=config.input_width,
        f_ref=config.f_ref,
        depth_min=config.depth_min,
        depth_max=config.depth_max,
        sigma_scale=float(QUANTILE),
        training=training,
        licence=licence,
    )


def _unseen(entries: list[dict[str, Any]], known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those entries whose frames are not in ``known``, whatever their share was; old cards name no kind."""

    def frames(entry: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in entry.items() if key not in ("weight", "kind")}

    return [entry for entry in entries if frames(entry) not in map(frames, known)]


def complete_card(
    model: Path,
    load: Callable[[Path], Subject],
    calibration: Sequence[BenchmarkConfig],
    validation: BenchmarkConfig,
) -> ModelCard:
    """Fit the uncertainty scale, measure the accuracy, and write both into the card beside ``model``.

    The scale is fitted on the frames of all; on each validation frame it is judged without that frame.

    :param model: the trained model, with its card
    :param load: makes it ready to be judged
    :param calibration: frames that serve the uncertainty scale only, of any number of rigs
    :param validation: frames the accuracy is measured on
    :return: the card as written
    :raises UserError: if the network was trained on any of the frames, or two folders hold frames of one name
        under one data set's
    """
    subject = load(model)
    *further, judged = open_all_unseen([*calibration, validation], subject.card)
    scales, pseudo = {}, []
    for frames in (*further, judged):
        of_frames = _image_scales(subject, frames)
        scales |= {(frames.dataset, name): scale for name, scale in of_frames.items()}
        pseudo += [(frames.dataset, name) for name in frames.pseudo]
    fitted = Calibration.fit(judged.dataset, scales, pseudo)
    card = dataclasses.replace(
        subject.card,
        sigma_scale=fitted.sigma_scale,
        training={**subject.card.training, "calibration": fitted.to_card()},
    )
    card.write(card_path(model))
    card = dataclasses.replace(card, accuracy=[accuracy_entry(load(model), judged)])
    card.write(card_path(model))
    return card


def open_all_unseen(entries: Sequence[BenchmarkConfig], card: ModelCard) -> list[Benchmark]:
    """The labelled frames of a configuration's entries, to judge a network on.

    :raises UserError: if the network, its teacher or the weights that it starts from were trained on any, or
        two entries have a frame of one name in common
    """
    opened: list[Benchmark] = []
    taken: dict[tuple[str, str], BenchmarkConfig] = {}
    for entry in entries:
        frames = open_benchmark(entry.dataset, Path(entry.path), entry.split)
        check_leakage(
            card, frames.dataset, frames.subset, frames.frames, drives=frames.drives, kind=frames.kind
        )
        for name in frames.frames:
            other = taken.get((frames.dataset, name))
            if other is not None:
                raise UserError(
                    f"frame {frames.dataset}/{name} is of {other.path} (split {other.split}) and of "
                    f"{entry.path} (split {entry.split}): calibration and validation must tell all frames "
                    "apart; give folders names of their own, and a frame to one split"
                )
        taken |= {(frames.dataset, name): entry for name in frames.frames}
        opened.append(frames)
    return opened


def _image_scales(subject: Subject, benchmark: Benchmark) -> dict[str, float]:
    protocol = Protocol()
    scales = {}
    for sample in benchmark.samples:
        depth, sigma = subject.predict(sample)
        depth, mask = protocol.clamp(depth), protocol.mask(sample.depth)
        unit_sigma = sigma / subject.card.sigma_scale
        scales[sample.name] = round(image_sigma_scale(depth, unit_sigma, sample.depth, mask), 4)
    return scales


def accuracy_entry(subject: Subject, benchmark: Benchmark) -> dict[str, Any]:
    """Entry of a card's ``accuracy``: metrics of a network on labelled frames, and how they were measured."""
    protocol = Protocol()
    metrics = evaluate(subject, benchmark.dataset, benchmark.samples, protocol).metrics
    names = CARD_METRICS + (STEREO_METRICS if subject.stereo else ())
    # Only the name of a list: local paths do not belong in a card.
    split = Path(benchmark.split).name
    command = f"adu_depth evaluate --dataset {benchmark.kind} --root DIR --split {split}"
    option = f" --checkpoint {subject.card.name}.safetensors" if subject.stereo else ""
    return {
        "data": benchmark.dataset,
        "split": split,
        "scenes": list(benchmark.frames),
        # Scenes evaluated against stereo matching: the errors include the labels'.
        **({"pseudo": len(benchmark.pseudo)} if benchmark.pseudo else {}),
        "protocol": protocol.describe(),
        "metrics": {name: round(metrics[name], 4) for name in names},
        "command": command + option,
        "machine": f"{cpu_model()}, {subject.runtime}",
    }
