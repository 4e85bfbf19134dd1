"""Run a training from its configuration to weights and model card, for a student also ONNX."""

from __future__ import annotations

import dataclasses
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import (
    EarlyStopping,
    LearningRateMonitor,
    ModelCheckpoint,
    RichProgressBar,
)
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

from adu_depth_core.deploy.onnx_export import export_student, save_weights
from adu_depth_core.errors import UserError
from adu_depth_core.evaluation.benchmarks import Benchmark
from adu_depth_core.evaluation.subject import Subject, checkpoint_subject, model_subject
from adu_depth_core.files import check_folder_writable
from adu_depth_core.inference.checkpoint_predictor import load_checkpoint_predictor
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.typical import typical_entry
from adu_depth_core.model_card import ModelCard, ModelCardError, card_path, file_sha256, read_card
from adu_depth_core.networks.teacher import Teacher, load_teacher
from adu_depth_core.training.averaging import LateAverage
from adu_depth_core.training.callbacks import Pictures, ProgressLog, Throughput
from adu_depth_core.training.camera_range import camera_range
from adu_depth_core.training.card_entries import complete_card, new_card, open_all_unseen
from adu_depth_core.training.config import TrainingConfig
from adu_depth_core.training.data import SourceViews, TrainingData, TrainingViews, read_sources
from adu_depth_core.training.familiarity import NEUTRAL, fit_fingerprint, measure_novelty
from adu_depth_core.training.module import VALIDATION_METRIC, DepthTraining
from adu_depth_core.training.schedule import Progress
from adu_depth_core.training.student_training import StudentTraining
from adu_depth_core.training.teacher_predictions import TeacherPredictions
from adu_depth_core.training.teacher_training import TeacherTraining
from adu_depth_core.training.twin import judged_by, read_twin, with_held_out


@dataclass(frozen=True)
class Machine:
    """Hardware of a run. The views of a step do not depend on it: ``batch_size`` is the total.

    :param workers: data loading processes of each training process
    :param accelerator: ``auto``, ``cpu`` or ``gpu``
    :param devices: processes (GPUs) on each node
    :param nodes: machines
    """

    workers: int = 1
    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1


def train(
    network: str,
    config: TrainingConfig,
    machine: Machine | None = None,
    sources: Sequence[SourceViews] | None = None,
) -> tuple[Path, ModelCard]:
    """Train, and write ``NETWORK.safetensors``, its card and a student's ``NETWORK.onnx`` to ``config.out``.

    A run that was interrupted resumes from ``config.out/last.ckpt`` when it is started again.

    :param network: ``student`` or ``teacher``
    :param sources: training data that is in memory already; None reads that of the configuration
    :return: the model (a student's ONNX, a teacher's weights), and its card with fitted ``sigma_scale`` and
        measured accuracy, or those of its twin. Under several processes only the first writes; the others
        return what it will write
    :raises UserError: if data, teacher or initial weights are missing or do not fit or were trained on the
        validation frames, or the folder holds a checkpoint of another training
    """
    machine = machine or Machine()
    if network == "teacher":
        _check_teacher_recipe(config)
    out = Path(config.out)
    check_folder_writable(out)
    lightning.seed_everything(config.seed, workers=True)
    if config.twin:
        config = with_held_out(config)
    teacher, teacher_card = _read_teacher(config) if network == "student" else (None, None)
    kept = teacher is not None and config.teacher_predictions == "cached"
    start = _read_start(config)
    if start is not None:
        _say_licence(config.initial_weights, start)
    card = new_card(config, network, teacher_card, start)
    twin = read_twin(Path(config.twin), card, len(config.sources)) if config.twin else None
    # The calibration frames are only needed at the end; errors in them are reported at the beginning.
    judged = (
        () if twin else open_all_unseen([*config.calibration, *config.other_rigs, config.validation], card)
    )
    validation = judged[-1].samples if judged else ()
    if judged and sum(len(frames.samples) for frames in (*judged[: len(config.calibration)], judged[-1])) < 2:
        raise UserError(
            "1 frame in calibration and validation: an uncertainty scale needs two or more; name more frames"
        )
    module: DepthTraining
    if network == "teacher":
        module = TeacherTraining(config, card, validation)
    else:
        module = StudentTraining(config, card, validation, None if kept else teacher)
    mirroring = "stereo" if network == "teacher" else "random"
    if sources is None:
        cache = out / "teacher_predictions"
        predictions = TeacherPredictions.load(Path(config.teacher), cache) if kept else None
        sources = read_sources(config, network == "teacher", predictions)
    views = TrainingViews(config, card, sources, mirroring, clean=teacher is not None and not kept)
    card = dataclasses.replace(card, cameras=camera_range(views))
    trainer = _trainer(config, machine, out, module)
    last = out / "last.ckpt"
    trainer.fit(
        module,
        datamodule=TrainingData(views, len(validation), config, machine.workers),
        ckpt_path=last if last.is_file() else None,
        weights_only=True,
    )
    if config.keep == "best":
        _load_best(module, out / "best.ckpt")
    model = out / (f"{network}.onnx" if network == "student" else f"{network}.safetensors")
    if trainer.is_global_zero:
        card = dataclasses.replace(card, training={**card.training, "steps": trainer.global_step})
        if network == "student" and not config.keep_fingerprint:
            fit_fingerprint(module.network.cpu(), card, views, [source.dataset for source in sources])
        card = _finish(network, module, card, model, config, twin, start)
    return model, card


def _check_teacher_recipe(config: TrainingConfig) -> None:
    """:raises UserError: if the recipe has what only students are trained with"""
    for name, present in (
        ("virtual_cameras", config.virtual_cameras is not None),
        ("obstacle_weight", config.obstacle_weight != 1.0),
        ("edges", config.edges != 0.0),
    ):
        if present:
            raise UserError(f"{name} is for students: leave it out to train a teacher")


def _read_start(config: TrainingConfig) -> ModelCard | None:
    """The card of the initial weights: what they have seen, the new network has seen."""
    if not config.initial_weights:
        return None
    try:
        return read_card(Path(config.initial_weights))
    except (FileNotFoundError, ModelCardError) as error:
        raise UserError(f"initial_weights: {error}") from error


@rank_zero_only
def _say_licence(weights: str, start: ModelCard) -> None:
    """Print the licence of the initial weights, which binds the new ones, before training starts."""
    print(f"starts from {start.name} ({weights}), whose licence holds for what comes of it: {start.licence}")


def _read_teacher(config: TrainingConfig) -> tuple[Teacher | None, ModelCard | None]:
    if not config.teacher:
        return None, None
    path = Path(config.teacher)
    try:
        card = read_card(path)
        if card.role != "teacher":
            raise UserError(f"teacher {path}: its card says it is a {card.role}")
        if card.f_ref != config.f_ref:
            raise UserError(
                f"teacher {path} has f_ref {card.f_ref}, the student {config.f_ref}: train both with the same"
            )
        return load_teacher(path, card), card
    except (FileNotFoundError, ModelCardError, ValueError) as error:
        raise UserError(f"teacher: {error}") from error


def _trainer(config: TrainingConfig, machine: Machine, out: Path, module: DepthTraining) -> lightning.Trainer:
    logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(_is_of_this_run)
    on_terminal = sys.stdout.isatty()
    callbacks = [
        Progress(config.steps, config.max_hours),
        ModelCheckpoint(
            out,
            save_last=True,
            save_top_k=0,
            every_n_train_steps=config.checkpoint_every,
            enable_version_counter=False,
        ),
        LateAverage(config.ema_start, config.ema_decay),
        LearningRateMonitor("step"),
        Throughput(config.batch_size),
        Pictures(config.pictures_every),
        RichProgressBar() if on_terminal else ProgressLog(),
    ]
    if config.keep == "best":
        callbacks.append(
            ModelCheckpoint(out, "best", monitor=VALIDATION_METRIC, enable_version_counter=False)
        )
    if config.patience:
        callbacks.append(EarlyStopping(VALIDATION_METRIC, patience=config.patience))
    processes = machine.devices * machine.nodes
    return lightning.Trainer(
        max_steps=config.steps,
        max_epochs=1,
        accelerator=machine.accelerator,
        devices=machine.devices,
        num_nodes=machine.nodes,
        strategy="ddp" if processes > 1 else "auto",
        precision=config.precision,
        use_distributed_sampler=False,
        gradient_clip_val=config.gradient_clip,
        val_check_interval=min(config.validate_every, config.steps) or None,
        limit_val_batches=1.0 if config.validate_every else 0,
        num_sanity_val_steps=0,
        log_every_n_steps=config.log_every,
        logger=TensorBoardLogger(out, name="", version=""),
        callbacks=callbacks,
        enable_progress_bar=on_terminal,
    )


def _is_of_this_run(record: logging.LogRecord) -> bool:
    """Logging filter: False for Lightning's advertisements."""
    return "Tip: For seamless cloud" not in record.getMessage()


def _load_best(module: DepthTraining, checkpoint: Path) -> None:
    """Load the averaged weights with the best validation score."""
    module.load_state_dict(torch.load(checkpoint, weights_only=True, map_location="cpu")["state_dict"])


def _finish(
    network: str,
    module: DepthTraining,
    card: ModelCard,
    model: Path,
    config: TrainingConfig,
    twin: ModelCard | None,
    start: ModelCard | None,
) -> ModelCard:
    if twin is not None:
        card = judged_by(card, twin)
    weights = model.with_suffix(".safetensors")
    save_weights(module.network.cpu(), weights)

    def load(path: Path) -> Subject:
        if network == "student":
            return model_subject(Predictor(path))
        return checkpoint_subject(load_checkpoint_predictor(path))

    home: Sequence[Benchmark] = ()
    if network == "student" and twin is None:
        home = open_all_unseen([*config.calibration, config.validation], card)
    if network == "student":
        if config.keep_fingerprint:  # and the novelty thresholds with it
            card = dataclasses.replace(card, novelty=start.novelty)
        elif twin is None:
            card = dataclasses.replace(card, novelty=NEUTRAL)
        export_student(weights, card, model)
        if twin is None and not config.keep_fingerprint:
            card = read_card(model)
            entries = measure_novelty(weights, home, open_all_unseen(config.other_rigs, card))
            dataclasses.replace(card, novelty=entries).write(card_path(model))
    else:
        card = dataclasses.replace(card, files={weights.name: file_sha256(weights)})
        card.write(card_path(weights))
    if twin is not None:
        return read_card(model)
    card = complete_card(model, load, config.calibration, config.validation)
    if network == "student":
        card = dataclasses.replace(card, typical=_typical(model, home))
        card.write(card_path(model))
    return card


def _typical(model: Path, home: Sequence[Benchmark]) -> dict[str, list[float]]:
    """The card's entry of that name; with the uncertainty scale that was fitted before."""
    predictor = Predictor(model)
    return typical_entry(
        predictor.predict(sample.left, sample.camera) for frames in home for sample in frames.samples
    )
