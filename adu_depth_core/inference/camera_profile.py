"""Camera profile: the result of ``adu_depth calibrate`` for one camera and one model.

A JSON file beside the model or anywhere else. It is valid for the model whose SHA-256 it names, for engines
and exports built from it, and for images from the camera with its intrinsics, at any size.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.files import read_text, write_atomically
from adu_depth_core.inference.depth_correction import DepthCorrection
from adu_depth_core.json_checks import anything, array, exactly, fixed, mapping, number, text
from adu_depth_core.model_card import ModelCard
from adu_depth_core.model_card_form import FILES, POSITIVE, SIZE, check_novelty

FORMAT = "adu_depth-camera-profile"
FORMAT_VERSION = 1
SUFFIX = ".profile.json"

MISFIT = 0.005
"""Share of the image's longer side by which the same camera, calibrated again, may differ at the edges."""

_COORDINATE = number(-1e6, 1e6)
_LOG = number(-5.0, 5.0)

_FORM = {
    "model": exactly({"name": text, "files": FILES}),
    "camera": exactly(
        {"fx": POSITIVE, "fy": POSITIVE, "cx": _COORDINATE, "cy": _COORDINATE, "width": SIZE, "height": SIZE}
    ),
    "correction": exactly(
        {
            "log_scale": _LOG,
            "distance_exponent": number(-0.9, 2.0),
            "row_slopes": array(number(-100.0, 100.0)),
            "row_logs": array(_LOG),
        }
    ),
    "sigma_factor": number(1e-3, 1e3),
    "novelty": check_novelty,
    "record": mapping(anything),
}


@dataclass(frozen=True)
class CameraProfile:
    """A camera and a model, and the corrections of the model's outputs for it.

    :param model_name: name of the model
    :param model_files: SHA-256 of each of its files, by file name
    :param camera: intrinsics of the images that it was measured on
    :param correction: of depth
    :param sigma_factor: of the card's ``sigma_scale``
    :param novelty: entries that replace the card's (``inference.novelty``); empty to keep the card's
    :param record: method of measurement and gain; for people, not read by code
    """

    model_name: str
    model_files: dict[str, str]
    camera: Camera
    correction: DepthCorrection
    sigma_factor: float = 1.0
    novelty: dict[str, float] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write to ``path``, atomically."""
        content = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "model": {"name": self.model_name, "files": self.model_files},
            "camera": dataclasses.asdict(self.camera),
            "correction": dataclasses.asdict(self.correction),
            "sigma_factor": self.sigma_factor,
            "novelty": self.novelty,
            "record": self.record,
        }
        with write_atomically(path) as temporary:
            temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def is_of_model(self, card: ModelCard) -> bool:
        """True for the model that was measured, and for exports and engines that its files became."""
        theirs = {*card.files.values(), *card.extra.get("source_files", {}).values()}
        return not theirs.isdisjoint(self.model_files.values())

    def is_of_camera(self, camera: Camera) -> bool:
        """True for the camera that was measured, with images of its size, resized as a whole, or mirrored."""
        same_size = self.camera.resize(camera.width, camera.height)
        apart = (max(same_size.disagreement(other)) for other in (camera, camera.flip_horizontal()))
        return min(apart) <= MISFIT * max(camera.size)

    def applied_to(self, card: ModelCard) -> ModelCard:
        """The card with this camera's scale of sigma and its novelty entries."""
        return dataclasses.replace(
            card, sigma_scale=card.sigma_scale * self.sigma_factor, novelty=self.novelty or card.novelty
        )


def read_profile(path: Path) -> CameraProfile:
    """Read and check a profile.

    :raises UserError: if it cannot be read or is no profile that this version reads; the text names the entry
    """
    try:
        content = json.loads(read_text(path))
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise ValueError(f'it has no "format": "{FORMAT}"')
        if (version := content.pop("format_version", None)) != FORMAT_VERSION:
            raise ValueError(f"format_version is {version!r}, this program reads {FORMAT_VERSION}")
        exactly(_FORM)(content, "profile")
        entries = content["correction"]
        slopes, logs = tuple(entries.pop("row_slopes")), tuple(entries.pop("row_logs"))
        fixed(*[anything] * len(slopes))(logs, "profile.correction.row_logs")
        if any(b <= a for a, b in itertools.pairwise(slopes)):
            raise ValueError("profile.correction.row_slopes must rise")
        return CameraProfile(
            content["model"]["name"],
            content["model"]["files"],
            Camera(**content["camera"]),
            DepthCorrection(**entries, row_slopes=slopes, row_logs=logs),
            content["sigma_factor"],
            content["novelty"],
            content["record"],
        )
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path} is not a camera profile: {error}; `adu_depth calibrate` writes one"
        ) from error


class ProfileMismatch(UserError):
    """A profile belongs to another camera or another model."""


def check_model(path: Path, profile: CameraProfile, card: ModelCard) -> None:
    """:raises ProfileMismatch: if the profile at ``path`` is not of the card's model"""
    if not profile.is_of_model(card):
        raise ProfileMismatch(
            f"camera profile {path} is of model {profile.model_name} {_short(profile.model_files.values())}, "
            f"this is {card.name} {_short(card.files.values())}: run `adu_depth calibrate` with this model"
        )


def check_camera(path: Path, profile: CameraProfile, camera: Camera) -> None:
    """:raises ProfileMismatch: if the profile at ``path`` is not of the camera"""
    if not profile.is_of_camera(camera):
        raise ProfileMismatch(
            f"camera profile {path} is of a camera with {profile.camera}, this one has {camera}: run "
            "`adu_depth calibrate` on a drive of this camera"
        )


def _short(hashes: Iterable[str]) -> str:
    return f"({', '.join(f'{value[:12]}...' for value in sorted(hashes))})"
