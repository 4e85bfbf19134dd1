"""Model card: the JSON beside a weight file that says what the file is and how to use it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adu_depth_core.files import write_atomically
from adu_depth_core.model_card_form import check_card

FORMAT = "adu_depth-model-card"
FORMAT_VERSION = 1

NON_COMMERCIAL = "Non-commercial"
"""Start of the licence of weights that were trained on images for non-commercial use."""

PERMISSIVE = "Apache-2.0"
"""Start of the licence of weights that were trained on images that allow commercial use."""


class ModelCardError(ValueError):
    """A model card is missing, malformed, or belongs to another model file."""


@dataclass(frozen=True)
class ModelCard:
    """Description of a model for inference and for its users.

    :param name: name of the model
    :param role: ``student`` (one image) or ``teacher`` (stereo pair)
    :param encoder: timm name of the encoder
    :param input_height: network input rows, the size the model was trained for
    :param input_width: network input columns
    :param size_multiple: input sizes must be multiples of this (the encoder's largest stride)
    :param mean: per-channel RGB mean subtracted after scaling to 0..1
    :param std: per-channel RGB standard deviation divided by, above 0
    :param f_ref: reference focal in pixels at the network's input; see ``camera.metric_scale``
    :param depth_min: nearest depth in metres the model is meant for
    :param depth_max: farthest depth in metres the model is meant for
    :param sigma_scale: ``k`` in ``sigma = k * exp(log_b) * depth``, fitted so that 68.3 % of
        pixels have ``|error| <= sigma``
    :param novelty: consequences of an input's novelty (``inference.novelty``): ``threshold`` and
        ``fault_threshold``, beyond which it is unfamiliar; ``sigma_growth`` and ``reference``, by which sigma
        grows. Empty where unknown
    :param typical: typical outputs on frames of the training rig: ``depth``, the least and
        the largest of the frames' median depths in metres, and ``relative_sigma``, those of their median
        sigma / depth. Empty where unknown
    :param cameras: the cameras that the model was trained for (``inference.trained_cameras``): the range of
        ``horizontal_fov``, degrees that an image covers, and of ``network_focal``, pixels at the network's
        input. Empty where unknown
    :param files: SHA-256 of each file of this model, by file name
    :param training: data sets, their licences, split, recipe, seed
    :param accuracy: measured results, each with data set, split, metrics, command and machine
    :param licence: licence of the weights, in one line
    :param extra: further entries (precision, opset, engine facts, ...)
    :raises ModelCardError: if an entry that any code reads is not as ``model_card_form`` says
    """

    name: str
    role: str
    encoder: str
    input_height: int
    input_width: int
    f_ref: float
    depth_min: float
    depth_max: float
    sigma_scale: float
    size_multiple: int = 32
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    novelty: dict[str, float] = field(default_factory=dict)
    typical: dict[str, list[float]] = field(default_factory=dict)
    cameras: dict[str, list[float]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    accuracy: list[dict[str, Any]] = field(default_factory=list)
    licence: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            check_card({entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)})
        except ValueError as error:
            raise ModelCardError(str(error)) from error

    @property
    def commercial_use(self) -> bool | None:
        """True if the licence of the weights allows commercial use; None if it does not say."""
        if self.licence.startswith(NON_COMMERCIAL):
            return False
        return True if self.licence.startswith(PERMISSIVE) else None

    def to_json(self) -> str:
        content = {"format": FORMAT, "format_version": FORMAT_VERSION, **dataclasses.asdict(self)}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """:raises ModelCardError: if the text is not a model card this version reads"""
        try:
            content = json.loads(text)
        except RecursionError as error:
            raise ModelCardError("nested too deeply") from error
        except ValueError as error:  # also raised for a number of thousands of digits
            raise ModelCardError(f"not JSON: {error}") from error
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise ModelCardError(f'not a model card (no "format": "{FORMAT}")')
        version = content.pop("format_version", None)
        if version != FORMAT_VERSION:
            raise ModelCardError(f"format_version is {version!r}, this program reads {FORMAT_VERSION}")
        known = {f.name: f for f in dataclasses.fields(cls)}
        unknown = sorted(set(content) - set(known))
        if unknown:
            raise ModelCardError(f"unknown entries: {', '.join(unknown)}")
        required = {n for n, f in known.items() if f.default is f.default_factory is dataclasses.MISSING}
        missing = sorted(required - set(content))
        if missing:
            raise ModelCardError(f"missing entries: {', '.join(missing)}")
        for name in ("mean", "std"):
            if isinstance(content.get(name), list):
                content[name] = tuple(content[name])
        return cls(**content)

    def write(self, path: Path) -> None:
        """Write the card to ``path``, atomically."""
        with write_atomically(path) as temporary:
            temporary.write_text(self.to_json(), encoding="utf-8")

    def check_file(self, path: Path) -> None:
        """:raises ModelCardError: if the card does not name ``path`` or names another content"""
        expected = self.files.get(path.name)
        if expected is None:
            raise ModelCardError(
                f"the model card of {path} does not name that file (it names: "
                f"{', '.join(sorted(self.files)) or 'none'}): card and model do not belong together"
            )
        actual = file_sha256(path)
        if actual != expected:
            raise ModelCardError(
                f"{path} is not the file its model card was written for (SHA-256 {actual[:12]}..., "
                f"the card says {expected[:12]}...): one of the two was replaced or damaged; copy both again"
            )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def card_path(model: Path) -> Path:
    """Path of a model file's card: the same name with ``.json``; for an engine, ``NAME.engine.json``.

    An engine has a card of its own, also where it lies beside the ONNX it was built from.
    """
    return model.with_suffix(".engine.json" if model.suffix == ".engine" else ".json")


def read_card(model: Path) -> ModelCard:
    """Read and check the card beside a model file.

    :raises FileNotFoundError: if the model file or its card does not exist
    :raises ModelCardError: if the card is malformed or was written for another file
    """
    if not model.is_file():
        raise FileNotFoundError(f"model file {model} does not exist")
    path = card_path(model)
    if not path.is_file():
        raise FileNotFoundError(f"model card {path} does not exist: {model.name} needs its card beside it")
    try:
        card = ModelCard.from_json(path.read_text(encoding="utf-8"))
    except (ModelCardError, UnicodeDecodeError) as error:
        raise ModelCardError(f"{path}: {error}") from error
    card.check_file(model)
    return card
