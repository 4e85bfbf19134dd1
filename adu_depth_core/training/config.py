"""Training configuration: a YAML file, `key=value` overrides, and checks."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from adu_depth_core.datasets.virtual_camera import VirtualCameras
from adu_depth_core.errors import UserError
from adu_depth_core.files import read_text, share_directory
from adu_depth_core.inference.installed_models import find_model, is_name
from adu_depth_core.training.sources import BenchmarkConfig, SourceConfig

SHIPPED = "shipped"
"""``initial_weights`` of the default student; the names of installed models stand for theirs."""

RENAMED = {"teacher_answers": "teacher_predictions"}
"""Former names of entries."""

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class DistillationConfig:
    """Distillation from the teacher. A weight of 0 disables a term.

    :param response: weight of the divergence of the student's distribution from the teacher's
    :param feature: weight of the distance of decoder features, mean over the levels
    :param attention: whether the adapters attend over the whole map, or are a 1x1 convolution alone
    :param focal: which pixels count more in the response: ``disagreement``, ``agreement``, ``none``
    :param focal_alpha: how fast that weight changes with the relative depth difference
    :param focal_gamma: its exponent
    :param uncertainty: whether the teacher's confidence and the student's doubt weigh the pixels
    :param warmup: share of the steps over which both terms grow from 0 to their weight
    """

    response: float = 1.0
    feature: float = 1.0
    attention: bool = True
    focal: str = "disagreement"
    focal_alpha: float = 5.0
    focal_gamma: float = 1.0
    uncertainty: bool = True
    warmup: float = 0.1

    def __post_init__(self) -> None:
        if self.focal not in ("disagreement", "agreement", "none"):
            raise UserError(
                f"distillation focal {self.focal!r} is unknown; choose disagreement, agreement or none"
            )
        if not 0.0 <= self.warmup < 1.0:
            raise UserError(f"distillation warmup is {self.warmup}: a share of the steps, 0 to below 1")


@dataclass(frozen=True, kw_only=True)
class VirtualCameraConfig(VirtualCameras):
    """Cameras that a student is trained with, made from those of the data.

    :param sizes: training inputs, HEIGHTxWIDTH; each step has one of them
    :param faults: share of views that are shown as a broken camera delivers them; they train the uncertainty
    only
    """

    sizes: tuple[str, ...]
    faults: float = 0.04

    def __post_init__(self) -> None:
        if not self.sizes:
            raise UserError("virtual_cameras: sizes is empty: name at least one, such as 192x448")
        for size in self.sizes:
            if not re.fullmatch(r"[1-9]\d*x[1-9]\d*", size):
                raise UserError(f"virtual_cameras: size {size!r} is not of the form HEIGHTxWIDTH")
        for name in ("zoom_probability", "rotation_probability", "faults"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise UserError(f"virtual_cameras: {name} is {getattr(self, name):g}: a share, 0 to 1")
        for name in ("pitch", "yaw", "roll"):
            if not 0.0 <= getattr(self, name) <= 45.0:
                raise UserError(f"virtual_cameras: {name} is {getattr(self, name):g}: 0 to 45 degrees")
        if not 0.0 <= self.stretch <= 0.5:
            raise UserError(f"virtual_cameras: stretch is {self.stretch:g}: a share, 0 to 0.5")
        if not 0.0 < self.min_zoom <= 1.0 <= self.max_zoom:
            raise UserError(
                f"virtual_cameras: zoom is {self.min_zoom:g} to {self.max_zoom:g}: "
                "must be above 0 and include 1"
            )

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """``sizes`` as ``(height, width)``."""
        return [tuple(map(int, size.split("x"))) for size in self.sizes]


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that a training run depends on; the YAML files in ``config/training`` explain each entry.

    ``initial_weights`` is a safetensors file with its card beside it, or empty; ``load_config`` also takes
    ``shipped``, the installed student, and ``none``.
    """

    out: str
    encoder: str
    encoder_weights: str
    input_height: int
    input_width: int
    f_ref: float
    depth_min: float
    depth_max: float
    sources: tuple[SourceConfig, ...]
    calibration: tuple[BenchmarkConfig, ...]
    validation: BenchmarkConfig
    photometric: float
    batch_size: int
    steps: int
    learning_rate: float
    encoder_learning_rate: float
    weight_decay: float
    ema_decay: float
    ema_start: float
    gradient_clip: float
    checkpoint_every: int
    seed: int
    crop_width: int = 448
    max_zoom: float = 1.35
    zoom_probability: float = 0.5
    initial_weights: str = ""
    teacher: str = ""
    twin: str = ""
    distillation: DistillationConfig = DistillationConfig()
    virtual_cameras: VirtualCameraConfig | None = None
    teacher_predictions: str = "live"
    other_rigs: tuple[BenchmarkConfig, ...] = ()
    obstacle_weight: float = 1.0
    edges: float = 0.0
    max_hours: float = 0.0
    validate_every: int = 0
    keep: str = "last"
    patience: int = 0
    keep_fingerprint: bool = False
    cache: bool = True
    precision: str = "32-true"
    pictures_every: int = 200
    log_every: int = 10

    def __post_init__(self) -> None:
        if self.keep not in ("last", "best"):
            raise UserError(f"keep is {self.keep!r}: choose last or best")
        if self.keep == "best" and not self.validate_every:
            raise UserError("keep is best: set validate_every, the steps between validations, above 0")
        if self.keep_fingerprint and not self.initial_weights:
            raise UserError("keep_fingerprint keeps that of the weights to start from: name initial_weights")
        if self.patience and not self.validate_every:
            raise UserError(
                "patience counts validations: set validate_every, the steps between them, above 0"
            )
        if self.precision not in ("32-true", "16-mixed", "bf16-mixed"):
            raise UserError(f"precision is {self.precision!r}: choose 32-true, 16-mixed or bf16-mixed")
        if self.teacher_predictions not in ("live", "cached"):
            raise UserError(f"teacher_predictions is {self.teacher_predictions!r}: choose live or cached")
        if self.teacher and self.teacher_predictions == "cached" and self.distillation.feature:
            raise UserError(
                "cached teacher predictions hold no features: set distillation.feature=0 or "
                "teacher_predictions=live"
            )
        if self.teacher and self.teacher_predictions == "live" and self.virtual_cameras:
            raise UserError(
                "a live teacher sees no pairs under virtual_cameras: set teacher_predictions=cached"
            )
        for name in ("obstacle_weight", "edges", "max_hours"):
            if not getattr(self, name) >= 0.0:
                raise UserError(f"{name} is {getattr(self, name):g}: must not be negative")
        for name in ("steps", "batch_size", "checkpoint_every", "crop_width", "log_every"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}: must be at least 1")


def load_config(name: str, overrides: Sequence[str]) -> TrainingConfig:
    """Read a training configuration.

    :param name: a YAML file, or the name of one in ``config/training``
    :param overrides: ``key=value`` (values are YAML), also ``distillation.response=0``; a key that is no
        entry fills ``${key}`` placeholders
    :raises UserError: for a file that is missing or not YAML, an unknown key (with the nearest known one),
        a placeholder without a value, a value of the wrong type
    """
    path = Path(name)
    if not path.is_file():
        folder = share_directory() / "config" / "training"
        path = folder / f"{name}.yaml"
        if not path.is_file():
            known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
            raise UserError(f"no training configuration {name!r}: give a YAML file or one of {known}")
    values: dict[str, str] = {}
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise UserError(f"override {override!r} is not of the form key=value")
        values[key] = value
    try:
        content = yaml.safe_load(read_text(path))
        if not isinstance(content, dict):
            raise UserError(f"{path}: expected entries of the form key: value")
        known = {field.name for field in dataclasses.fields(TrainingConfig)}
        _override(content, values, known)
        content = _fill(content, {k: v for k, v in values.items() if _entry(k) not in known}, path)
    except yaml.YAMLError as error:
        raise UserError(f"{path}: {error}") from error
    content["sources"] = tuple(
        _build(SourceConfig, s, f"{path}: sources") for s in content.get("sources", ())
    )
    for name in {"calibration", "other_rigs"} & content.keys():
        entries = content[name]
        content[name] = tuple(
            _build(BenchmarkConfig, entry, f"{path}: {name}")
            for entry in (entries if isinstance(entries, list) else [entries])
        )
    if "validation" in content:
        content["validation"] = _build(BenchmarkConfig, content["validation"], f"{path}: validation")
    if "distillation" in content:
        content["distillation"] = _build(DistillationConfig, content["distillation"], f"{path}: distillation")
    if content.get("virtual_cameras"):
        virtual = _build(VirtualCameraConfig, content["virtual_cameras"], f"{path}: virtual_cameras")
        content["virtual_cameras"] = virtual
    content["initial_weights"] = _initial_weights(content.get("initial_weights"))
    config = _build(TrainingConfig, content, str(path))
    if not config.sources:
        raise UserError(f"{path}: sources is empty: there is nothing to train on")
    return config


def _initial_weights(start: Any) -> Any:
    """The path for ``shipped``, a name of an installed model, ``none`` or a path; nothing else is changed."""
    if start in (None, "", "none"):
        return ""
    if not isinstance(start, str) or not is_name(start):
        return start
    return str(find_model(None if start == SHIPPED else start).with_suffix(".safetensors"))


def _entry(key: str) -> str:
    return key.partition(".")[0]


def _override(content: dict[str, Any], values: dict[str, str], known: set[str]) -> None:
    """Set entries in place; ``entry.part=value`` sets one part of an entry that has parts."""
    for key, value in values.items():
        entry, dot, part = key.partition(".")
        if entry not in known:
            continue
        if not dot:
            content[entry] = yaml.safe_load(value)
        elif isinstance(content.setdefault(entry, {}), dict):
            content[entry][part] = yaml.safe_load(value)
        else:
            raise UserError(f"override {key}={value}: {entry} has no parts")


def _fill(content: Any, values: dict[str, str], config: Path) -> Any:
    """``content`` with each ``${name}`` in its texts replaced by a value; every value must be used."""
    used: set[str] = set()

    def fill(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: fill(value) for key, value in node.items()}
        if isinstance(node, list):
            return [fill(value) for value in node]
        return PLACEHOLDER.sub(replacement, node) if isinstance(node, str) else node

    def replacement(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            raise UserError(f"{config} needs {name}=...: add it to the command")
        used.add(name)
        return values[name]

    filled = fill(content)
    entries = [field.name for field in dataclasses.fields(TrainingConfig)]
    for name in values.keys() - used:
        raise UserError(f"{config}: {_unknown(name, entries)}")
    return filled


def _unknown(name: str, known: Sequence[str]) -> str:
    if name in RENAMED:
        return f"entry {name!r} is now called {RENAMED[name]!r}"
    near = difflib.get_close_matches(name, known, n=1)
    return f"unknown entry {name!r}" + (
        f"; did you mean {near[0]!r}?" if near else f" (known: {', '.join(known)})"
    )


def _build(kind: type, content: dict[str, Any], where: str) -> Any:
    if not isinstance(content, dict):
        raise UserError(f"{where} is {content!r}: expected entries of the form key: value")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for key in content:
        if key not in fields:
            raise UserError(f"{where}: {_unknown(key, list(fields))}")
    missing = [n for n, f in fields.items() if n not in content and f.default is dataclasses.MISSING]
    if missing:
        raise UserError(f"{where}: missing {', '.join(missing)}")
    return kind(**{key: _typed(fields[key].type, value, f"{where}: {key}") for key, value in content.items()})


def _typed(type_name: str, value: Any, where: str) -> Any:
    """Check a scalar; YAML reads ``6e-4`` as text and ``1`` as a whole number, both meant as float."""
    try:
        if type_name == "float" and not isinstance(value, bool):
            return float(value)
    except (TypeError, ValueError):
        raise UserError(f"{where} is {value!r}: must be a number") from None
    if type_name == "tuple[str, ...]":
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise UserError(f"{where} is {value!r}: must be a list of texts")
        return tuple(value)
    expected = {"int": int, "str": str, "bool": bool}.get(type_name)
    if expected and (not isinstance(value, expected) or isinstance(value, bool) != (expected is bool)):
        wanted = {int: "a whole number", str: "text", bool: "true or false"}[expected]
        raise UserError(f"{where} is {value!r}: must be {wanted}")
    return value
