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

from adu_depth_core.errors import UserError
from adu_depth_core.files import share_directory

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
SOURCE_KINDS = ("kitti2015", "kitti_folder", "synthetic")


@dataclass(frozen=True)
class SourceConfig:
    """One source of training views.

    :param kind: ``kitti2015``, ``kitti_folder`` (object and odometry layouts) or ``synthetic``
        (a KITTI 2015 folder written by ``adu_depth synth-drive``, where no disparity means sky)
    :param path: the data set's folder
    :param weight: share of the training views, relative to the other sources
    :param subset: ``training`` or ``testing`` of KITTI 2015
    :param scenes: ``all``, or ``training``: all but the validation and calibration scenes
    """

    kind: str
    path: str
    weight: float
    subset: str = "training"
    scenes: str = "all"

    def __post_init__(self) -> None:
        if self.kind not in SOURCE_KINDS:
            raise UserError(f"source kind {self.kind!r} is unknown; choose from {', '.join(SOURCE_KINDS)}")
        if self.scenes not in ("all", "training"):
            raise UserError(f"source scenes {self.scenes!r} is unknown; choose all or training")
        if not self.weight > 0:
            raise UserError(f"source {self.path}: weight is {self.weight}, must be positive")


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that a training run depends on; the YAML files in ``config/training`` explain each entry."""

    out: str
    encoder: str
    encoder_weights: str
    input_height: int
    input_width: int
    f_ref: float
    depth_min: float
    depth_max: float
    sources: tuple[SourceConfig, ...]
    crop_width: int
    max_zoom: float
    zoom_probability: float
    photometric: float
    batch_size: int
    steps: int
    learning_rate: float
    encoder_learning_rate: float
    weight_decay: float
    ema_decay: float
    gradient_clip: float
    seed: int


def load_config(name: str, overrides: Sequence[str]) -> TrainingConfig:
    """Read a training configuration.

    :param name: a YAML file, or the name of one in ``config/training``
    :param overrides: ``key=value`` (values are YAML); a key that is no entry fills ``${key}`` placeholders
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
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for source in content.get("sources", ()):
            source["path"] = _fill(str(source.get("path", "")), values, path)
        known = {field.name for field in dataclasses.fields(TrainingConfig)}
        placeholders = set(PLACEHOLDER.findall(path.read_text(encoding="utf-8")))
        content.update({k: yaml.safe_load(v) for k, v in values.items() if k in known or k not in placeholders})
    except yaml.YAMLError as error:
        raise UserError(f"{path}: {error}") from error
    sources = tuple(_build(SourceConfig, source, f"{path}: sources") for source in content.pop("sources", ()))
    config = _build(TrainingConfig, {**content, "sources": sources}, str(path))
    if not config.sources:
        raise UserError(f"{path}: sources is empty: there is nothing to train on")
    return config


def _fill(text: str, values: dict[str, str], config: Path) -> str:
    """``text`` with each ``${name}`` replaced by its value."""
    for name in PLACEHOLDER.findall(text):
        if name not in values:
            raise UserError(f"{config} needs {name}=...: add it to the command")
    return PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _build(kind: type, content: dict[str, Any], where: str) -> Any:
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for key in content:
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f" (known: {', '.join(fields)})"
            raise UserError(f"{where}: unknown entry {key!r}{hint}")
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
    expected = {"int": int, "str": str}.get(type_name)
    if expected and (not isinstance(value, expected) or isinstance(value, bool)):
        raise UserError(f"{where} is {value!r}: must be {'a whole number' if expected is int else 'text'}")
    return value
