"""The TensorRT engine of the node's model: found in the cache, or built with its progress in the
diagnostics."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.choice import ENGINE_SUFFIX
from adu_depth_core.inference.installed_models import find_model
from adu_depth_core.inference.tensorrt.engine_file import check_verified
from adu_depth_ros.parameters import Parameters, parse_network_size

if TYPE_CHECKING:
    from adu_depth_core.deploy.tensorrt_progress import BuildProgress
    from adu_depth_ros.lifecycle_node import DepthNode

TELL_EVERY_S = 1.0
"""Interval of diagnostics during a build; every tenth is logged."""


class BuildStopped(Exception):
    """The node is shutting down during a build; the build leaves nothing behind."""


def chosen_model(parameters: Parameters) -> Path:
    """The file that parameter ``model`` names.

    :raises UserError: if it is the name of no installed model
    """
    return find_model(os.path.expanduser(parameters.model) or None)


def model_to_load(node: DepthNode, parameters: Parameters, tell: Callable[[str], None]) -> Path:
    """The file for the predictor: the model itself, or the engine built from it for backend ``tensorrt``.

    :param tell: publishes the progress of a build
    :raises UserError: if no model has that name, or the engine cannot be built or has not been compared with
        the original
    :raises BuildStopped: if the node shuts down during the build
    """
    if parameters.engine_compute_capability and not parameters.build_only:
        raise UserError(
            f"engine_compute_capability is {parameters.engine_compute_capability!r}: it requires "
            f"build_only; a node always runs an engine for its own GPU"
        )
    model = chosen_model(parameters)
    if model.suffix == ENGINE_SUFFIX:
        engine = model
    elif parameters.backend == "tensorrt":
        engine = build_or_find(node, parameters, tell)
    else:
        return model
    check_verified(engine, parameters.allow_unverified_engine, parameters.gpu)
    return engine


def build_or_find(node: DepthNode, parameters: Parameters, tell: Callable[[str], None]) -> Path:
    """The cached engine of the model, built if it is not in the cache.

    :raises UserError: if it cannot be built, or the parameters do not describe a build
    :raises BuildStopped: if the node shuts down during the build
    """
    model = chosen_model(parameters)
    if parameters.backend != "tensorrt" or model.suffix == ENGINE_SUFFIX:
        raise UserError(
            f"build_only builds an engine: backend must be tensorrt (it is {parameters.backend}) and model "
            f"an ONNX file (it is {model})"
        )
    # Imported here because nodes without engines do not need it.
    from adu_depth_core.deploy.build_options import BuildOptions
    from adu_depth_core.deploy.engine_cache import EngineCache

    size = parse_network_size(parameters.network_size)
    # sm86 means 8.6, which ROS would parse as a number and refuse.
    capability = re.sub(r"^sm_?(\d+)(\d)$", r"\1.\2", parameters.engine_compute_capability)
    options = BuildOptions(
        compute_capability=capability or None, sizes=(size,) if size else (), on_gpu=parameters.gpu
    )
    folder = Path(parameters.engine_cache).expanduser() if parameters.engine_cache else None
    started = time.monotonic()

    def on_build(path: Path) -> None:
        node.get_logger().info(f"building engine {path} from {model}: this may take minutes")

    engine = EngineCache(folder).engine(model, options, _Watcher(node, model, tell), on_build=on_build)
    node.get_logger().info(f"engine {engine}, ready after {time.monotonic() - started:.1f} s")
    return engine


class _Watcher:
    """Reports the progress of a build, and stops it when the node shuts down."""

    def __init__(self, node: DepthNode, model: Path, tell: Callable[[str], None]) -> None:
        self._node = node
        self._name = model.name
        self._tell = tell
        self._started = time.monotonic()
        self._told = -1

    def __call__(self, progress: BuildProgress) -> None:
        if self._node.stop.is_set():
            raise BuildStopped
        seconds = time.monotonic() - self._started
        if seconds < (self._told + 1) * TELL_EVERY_S:
            return
        self._told = int(seconds / TELL_EVERY_S)
        text = f"building the engine of {self._name}: {progress.describe()}, {seconds:.0f} s"
        self._tell(text)
        if self._told and self._told % 10 == 0:
            self._node.get_logger().info(text)
