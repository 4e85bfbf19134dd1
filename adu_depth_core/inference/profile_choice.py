"""Selection of a camera's profile: the given one, or a matching one beside the model."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from adu_depth_core.camera import Camera
from adu_depth_core.errors import UserError
from adu_depth_core.inference.camera_profile import (
    SUFFIX,
    CameraProfile,
    check_camera,
    check_model,
    read_profile,
)
from adu_depth_core.inference.depth_correction import DepthCorrection
from adu_depth_core.model_card import ModelCard

AUTO, NONE = "auto", "none"
"""Values other than a file: the matching profile beside the model, if any; and no profile."""


@dataclass(frozen=True)
class Adaptation:
    """Card and correction for a camera.

    :param card: the model's card, with the profile's scale of sigma
    :param correction: of depth, or None
    :param source: the profile's file, or None
    """

    card: ModelCard
    correction: DepthCorrection | None = None
    source: Path | None = None


class ProfileChoice:
    """Finds the profile of each camera once. Safe to share between threads.

    :param choice: ``AUTO``, ``NONE`` or a file
    :param model: the model's file
    :param card: its card
    :raises UserError: if the file cannot be read or is of another model, or one beside the model is damaged
    """

    def __init__(self, choice: str | Path, model: Path, card: ModelCard) -> None:
        self.choice = choice
        self._named: tuple[Path, CameraProfile] | None = None
        self._beside: list[tuple[Path, CameraProfile]] = []
        self._plain = Adaptation(card)
        self._known: dict[Camera, Adaptation] = {}
        self._searching = threading.Lock()
        if choice == AUTO:
            found = [(path, read_profile(path)) for path in sorted(model.parent.glob(f"*{SUFFIX}"))]
            self._beside = [(path, profile) for path, profile in found if profile.is_of_model(card)]
        elif choice != NONE:
            self._named = Path(choice), read_profile(Path(choice))
            check_model(*self._named, card)

    def of(self, camera: Camera) -> Adaptation:
        """Card and correction for a camera.

        :raises ProfileMismatch: if the named profile is of another camera
        :raises UserError: if several profiles beside the model are of this camera
        """
        with self._searching:
            if camera not in self._known:
                self._known[camera] = self._search(camera)
            return self._known[camera]

    def _search(self, camera: Camera) -> Adaptation:
        if self._named is not None:
            check_camera(*self._named, camera)
            return self._adaptation(*self._named)
        fitting = [item for item in self._beside if item[1].is_of_camera(camera)]
        if len(fitting) > 1:
            names = ", ".join(path.name for path, _ in fitting)
            raise UserError(
                f"several camera profiles in {fitting[0][0].parent} are of this camera ({camera}): {names}; "
                "name one with profile, or move the others away"
            )
        return self._adaptation(*fitting[0]) if fitting else self._plain

    def _adaptation(self, path: Path, profile: CameraProfile) -> Adaptation:
        return Adaptation(profile.applied_to(self._plain.card), profile.correction, path)
