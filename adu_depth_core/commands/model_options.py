"""Options of the commands that run a model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from adu_depth_core.commands.number_arguments import MOST_THREADS, whole_number
from adu_depth_core.commands.size_argument import rows_x_columns
from adu_depth_core.completion import offer
from adu_depth_core.inference.backends.choice import BACKENDS
from adu_depth_core.inference.installed_models import DEFAULT, find_model, model_names
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.profile_choice import AUTO


def add_model_arguments(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """``--model``, ``--profile``, ``--backend``, ``--network-size``, ``--threads`` and ``--gpu``.

    :param several: ``--model`` may be given several times
    """
    group = parser.add_argument_group("model")
    add_model_argument(
        group,
        "--model",
        action="append" if several else "store",
        help="ONNX student, its card beside it" + ("; give it several times to compare models" * several),
    )
    group.add_argument(
        "--profile",
        default=AUTO,
        metavar="FILE",
        help="camera profile by `adu_depth calibrate`; auto: the one beside the model that matches the "
        "camera, if any; none: no profile (default: auto)",
    )
    group.add_argument(
        "--backend",
        choices=["auto", *BACKENDS],
        default="auto",
        metavar="NAME",
        help=f"runtime: auto, {', '.join(BACKENDS)} (default: auto)",
    )
    group.add_argument(
        "--network-size",
        type=rows_x_columns,
        metavar="HEIGHTxWIDTH",
        help="network input (default: matched to each camera's aspect ratio, if the model allows any size)",
    )
    group.add_argument(
        "--threads",
        type=whole_number(1, MOST_THREADS),
        metavar="N",
        help="CPU threads (default: the runtime's choice)",
    )
    add_gpu_argument(group)


def add_model_argument(parser: argparse._ActionsContainer, *names: str, help: str, **options: Any) -> None:
    """An argument that takes an installed model's name, or a file; it arrives as the file's path.

    :param names: of the argument
    :param help: the files it takes; model names are added
    :param options: further ones of ``add_argument``
    """
    if not options.get("required"):
        help += f" (default: {DEFAULT})"
    installed = model_names()
    named = f"{', '.join(installed)}, or a file: " if installed else ""
    action = parser.add_argument(*names, type=find_model, metavar="MODEL", help=named + help, **options)
    offer(action, installed)


def add_gpu_argument(parser: argparse._ActionsContainer) -> None:
    """``--gpu``"""
    parser.add_argument(
        "--gpu",
        type=whole_number(0),
        default=0,
        metavar="N",
        help="index of the GPU for GPU backends (default: 0)",
    )


def load_predictor(arguments: argparse.Namespace) -> Predictor:
    """The predictor that the options above describe."""
    return make_predictor(arguments, arguments.model)


def make_predictor(arguments: argparse.Namespace, model: Path | None) -> Predictor:
    """The predictor of one of several models."""
    return Predictor(
        model,
        arguments.backend,
        arguments.network_size,
        arguments.threads,
        gpu=arguments.gpu,
        profile=arguments.profile,
    )
