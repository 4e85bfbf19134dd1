"""Check of the runtimes and tools that the package can use on this machine. ROS is searched for, never
imported."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.inference.backends.choice import BACKENDS, CPU_BACKENDS, ENGINE_SUFFIX
from adu_depth_core.inference.installed_models import default_model
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.tensorrt.cuda import current_gpu
from adu_depth_core.machine import cpu_model
from adu_depth_core.model_card import ModelCardError, read_card

BACKEND, MODEL = "inference backend", "model"

ROS_DEBIAN_ONLY = ("launch_ros", "ros2cli", "rosbag2_py", "cv_bridge")
"""Python modules that come with a ROS installation and not with pip."""


@dataclass(frozen=True)
class Check:
    """The result of one check.

    :param group: purpose
    :param name: what it is
    :param found: true if it is installed and, if tried, works
    :param detail: its version and result, or the problem
    :param remedy: how to fix it if it is not found
    :param tried: whether ``found`` means that it works; a backend may only have been looked for
    """

    group: str
    name: str
    found: bool
    detail: str = ""
    remedy: str = ""
    tried: bool = True


def examine(model: Path | None = None, try_all: bool = False) -> list[Check]:
    """Check everything, and predict with the model on each backend, in the order of ``auto``.

    :param model: ONNX student; None for the installed one
    :param try_all: every backend, which takes some seconds; else until one has predicted
    """
    model_check = check_model(model)
    return [
        Check("machine", "processor", True, f"{cpu_model()}, {os.cpu_count()} threads"),
        Check("machine", "Python", True, platform.python_version()),
        Check("machine", "NumPy, OpenCV", True, f"{np.__version__}, {cv2.__version__}"),
        check_gpu(),
        model_check,
        *check_backends(model, model_check.found, try_all),
        check_tensorrt(model, try_it=model_check.found),
        *check_onnxruntime(),
        *check_ros(),
        *(check_module("training", name, "train") for name in ("torch", "timm", "lightning", "safetensors")),
        *(check_module("bags", name, "bags") for name in ("rosbags", "mcap")),
        *(check_module("synthetic drives", name, "synthetic") for name in ("trimesh", "embreex")),
    ]


def can_infer(checks: Iterable[Check]) -> bool:
    """True if the model is intact and at least one backend predicted with it."""
    works = {check.group for check in checks if check.found and check.tried}
    return {BACKEND, MODEL} <= works


def check_model(model: Path | None) -> Check:
    """The model file and its card belong together."""
    try:
        path = model if model is not None else default_model()
        card = read_card(path)
    except (FileNotFoundError, ModelCardError) as error:
        return Check(MODEL, "student", False, str(error), "copy the model and its card again, or reinstall")
    size = f"{card.input_height}x{card.input_width}"
    return Check(
        MODEL, "student", True, f"{card.name}, {size}, {card.depth_min:g} to {card.depth_max:g} m, {path}"
    )


def check_backends(model: Path | None, model_found: bool, try_all: bool) -> Iterator[Check]:
    """Those for ONNX files: tried until one has predicted, or all; the others are looked for."""
    works = False
    for name in BACKENDS:
        if name == "tensorrt":
            continue
        check = _look_for_backend(name) if works and not try_all else check_backend(name, model, model_found)
        works = works or check.found
        yield check


def _look_for_backend(name: str) -> Check:
    module, on_gpu = BACKENDS[name].module, name not in CPU_BACKENDS
    if not _is_installed(module):
        return Check(BACKEND, name, False, "not found", "" if on_gpu else _pip(BACKENDS[name].extra))
    # Only a trial run shows which of a runtime's packages is installed, and whether there is a GPU.
    return Check(BACKEND, name, not on_gpu, f"{_version(module)}, not tried (--all tries it)", tried=False)


def check_backend(name: str, model: Path | None, try_it: bool) -> Check:
    """The backend's runtime can be imported and, if it is tried, predicts with the model."""
    backend = BACKENDS[name]
    # If a GPU is missing, or a runtime lacks CUDA, the error gives the remedy.
    remedy = _pip(backend.extra) if name in CPU_BACKENDS else ""
    if not _is_installed(backend.module):
        return Check(BACKEND, name, False, "not found", remedy)
    if not try_it:
        return Check(BACKEND, name, False, f"{_version(backend.module)}, not tried without a model")
    try:
        predictor = Predictor(model, name)
    except UserError as error:
        return Check(BACKEND, name, False, str(error), remedy)
    rows, columns = predictor.network_size
    milliseconds = 1e3 * statistics.median(_prediction_times(predictor))
    return Check(
        BACKEND, name, True, f"{predictor.backend.runtime}: {milliseconds:.0f} ms for {rows}x{columns}"
    )


def check_tensorrt(model: Path | None, try_it: bool) -> Check:
    """Check of TensorRT and a GPU for its engines; if the model is an engine, a prediction with it."""
    if model is not None and model.suffix == ENGINE_SUFFIX:
        return check_backend("tensorrt", model, try_it)
    from adu_depth_core.inference.tensorrt.api import load_flavour

    try:
        flavour = load_flavour()
        gpu = current_gpu()
    except UserError as error:
        return Check("engines", "tensorrt", False, str(error))
    kind = f"{gpu['name']}, compute capability {gpu['compute_capability']}"
    return Check("engines", "tensorrt", True, f"{flavour.name} {flavour.version}, {kind}")


def check_onnxruntime() -> list[Check]:
    """One of the packages that bring the same module; a check where several do."""
    brought = importlib.metadata.packages_distributions().get("onnxruntime", ())
    packages = sorted({name for name in brought if name.startswith("onnxruntime")})
    if len(packages) < 2:
        return []
    return [
        Check(
            BACKEND,
            " and ".join(packages),
            False,
            "overwrite each other's files: the last one installed is in effect",
            f"pip uninstall {' '.join(packages)}, then {_pip('onnxruntime')} or {_pip('onnxruntime-cuda')}",
        )
    ]


def check_gpu() -> Check:
    """The output of ``nvidia-smi``."""
    name = "NVIDIA GPU"
    program = shutil.which("nvidia-smi")
    if program is None:
        return Check("machine", name, False, "no driver (nvidia-smi); inference runs on the CPU")
    query = [program, "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        result = subprocess.run(query, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("machine", name, False, f"nvidia-smi does not respond ({error})")
    output = (result.stdout.strip() or result.stderr.strip()).replace("\n", "; ")
    return Check("machine", name, result.returncode == 0, output)


def check_ros() -> list[Check]:
    """Python modules and middlewares of ROS 2 that this Python finds."""
    group = "ROS 2"
    modules = ("rclpy", "sensor_msgs", "diagnostic_msgs", "lifecycle_msgs")
    prefixes = [*filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)), sys.prefix]
    middlewares = {
        path.name
        for prefix in prefixes
        for path in Path(prefix, "share/ament_index/resource_index/packages").glob("rmw_*_cpp")
        if not path.name.endswith("_shared_cpp")
    }
    listed = ", ".join(sorted(middlewares)) or "none"
    return [
        *(check_module(group, name, "ros") for name in modules),
        Check(group, "middleware", bool(middlewares), listed, _pip("ros")),
        *(
            Check(group, name, _is_installed(name), _version(name), _ros_remedy(name))
            for name in ROS_DEBIAN_ONLY
        ),
    ]


def check_module(group: str, module: str, extra: str) -> Check:
    """A Python module that an extra of this package installs."""
    return Check(group, module, _is_installed(module), _version(module), _pip(extra))


def _pip(extra: str) -> str:
    return f"pip install 'adu_depth[{extra}]'"


def _ros_remedy(module: str) -> str:
    """Remedy: source ROS if it is installed but not sourced; else the Debian package of the module."""
    installed = sorted(Path("/opt/ros").glob("*/setup.bash"))
    if installed and "ROS_DISTRO" not in os.environ:
        return f"source {installed[-1]}"
    return f"apt install ros-{os.environ.get('ROS_DISTRO', 'jazzy')}-{module.replace('_', '-')}"


def _is_installed(module: str) -> bool:
    """True if the module would be imported from an installation.

    A folder of that name in the working directory (``launch/`` of a checkout) is a namespace package
    to Python too, and only counts if a distribution provides it.
    """
    spec = importlib.util.find_spec(module)
    return spec is not None and (spec.origin is not None or module in _packages())


@functools.cache
def _packages() -> Mapping[str, list[str]]:
    """Import packages by name; reading the metadata of all distributions takes half a second."""
    return importlib.metadata.packages_distributions()


def _version(module: str) -> str:
    if not _is_installed(module):
        return "not found"
    try:
        return importlib.metadata.version(module)
    except importlib.metadata.PackageNotFoundError:
        return "found"


def _prediction_times(predictor: Predictor, count: int = 3) -> list[float]:
    """Seconds of each of some predictions of a random image at network size, after one to warm up."""
    rows, columns = predictor.network_size
    camera = Camera(predictor.card.f_ref, predictor.card.f_ref, columns / 2, rows / 2, columns, rows)
    image = np.random.default_rng(0).integers(0, 256, (rows, columns, 3), np.uint8)
    predictor.predict(image, camera)
    times = []
    for _ in range(count):
        started = time.perf_counter()
        predictor.predict(image, camera)
        times.append(time.perf_counter() - started)
    return times
