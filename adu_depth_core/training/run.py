"""Run a training from its configuration to weights, ONNX and model card."""

from __future__ import annotations

import sys
from pathlib import Path

import lightning
from lightning.pytorch.callbacks import (
    EMAWeightAveraging,
    LearningRateMonitor,
    ModelCheckpoint,
    RichProgressBar,
    TQDMProgressBar,
)
from lightning.pytorch.loggers import TensorBoardLogger

from adu_depth_core.deploy.export import export_student, save_weights
from adu_depth_core.model_card import ModelCard
from adu_depth_core.training.config import TrainingConfig
from adu_depth_core.training.data import training_loader
from adu_depth_core.training.model_card import complete_card, student_card
from adu_depth_core.training.supervised import SupervisedTraining


def train_student(config: TrainingConfig, workers: int = 1) -> tuple[Path, ModelCard]:
    """Train, and write ``student.safetensors``, ``student.onnx`` and ``student.json`` to ``config.out``.

    A run that was interrupted resumes from ``config.out/last.ckpt`` when it is started again.

    :return: path of the ONNX file, and its card with fitted ``sigma_scale`` and measured accuracy
    """
    lightning.seed_everything(config.seed, workers=True)
    out = Path(config.out)
    card = student_card(config)
    module = SupervisedTraining(config)
    checkpoints = ModelCheckpoint(
        out, save_last=True, save_top_k=0, every_n_train_steps=config.checkpoint_every
    )
    trainer = lightning.Trainer(
        max_steps=config.steps,
        max_epochs=1,
        accelerator="auto",
        gradient_clip_val=config.gradient_clip,
        log_every_n_steps=10,
        logger=TensorBoardLogger(out, name="", version=""),
        callbacks=[
            checkpoints,
            EMAWeightAveraging(
                decay=config.ema_decay, update_starting_at_step=int(config.ema_start * config.steps)
            ),
            LearningRateMonitor("step"),
            # A live bar needs a terminal; a log file gets a line now and then.
            RichProgressBar() if sys.stdout.isatty() else TQDMProgressBar(refresh_rate=50),
        ],
    )
    last = out / "last.ckpt"
    trainer.fit(module, training_loader(config, card, workers), ckpt_path=last if last.is_file() else None)
    weights = out / "student.safetensors"
    save_weights(module.student, weights)
    model = out / "student.onnx"
    export_student(weights, card, model)
    return model, complete_card(model, config.calibration, config.validation)
