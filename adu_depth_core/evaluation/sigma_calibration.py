"""The uncertainty scale of a model: fitted on few labelled frames, without bias on those frames.

``sigma_scale`` of the model card is the mean of the calibration frames' own scales
(``uncertainty.image_sigma_scale``): every image weighs the same, as in all metrics. Labelled frames that
a model has not been trained on are rare, so the same frames serve to fit the scale and to judge it, but
never at once: where a calibration frame is evaluated, its sigma is that of the scale fitted without it
(leave-one-out).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from adu_depth_core.model_card import ModelCard


@dataclass(frozen=True)
class Calibration:
    """Scales of the frames that a model's uncertainty was fitted on.

    :param dataset: data set that the accuracy was measured on, as model cards name it
    :param scales: each frame's own k, two or more: those of ``dataset`` by their name, those of others as
        ``data set/name``
    :param pseudo: those of them whose truth was a pseudo-label: stereo matching, not a measurement
    :raises ValueError: if there are fewer than two frames
    """

    dataset: str
    scales: dict[str, float]
    pseudo: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.scales) < 2:
            raise ValueError(f"an uncertainty scale needs two or more frames, got {list(self.scales)}")

    @classmethod
    def fit(
        cls,
        dataset: str,
        scales: Mapping[tuple[str, str], float],
        pseudo: Collection[tuple[str, str]] = (),
    ) -> Calibration:
        """
        :param dataset: see above
        :param scales: by data set and name
        :param pseudo: frames with pseudo-labels, by data set and name
        :raises ValueError: if there are fewer than two frames
        """
        by_key = {_key(dataset, *frame): scale for frame, scale in scales.items()}
        return cls(dataset, by_key, tuple(sorted(_key(dataset, *frame) for frame in pseudo)))

    @classmethod
    def of(cls, card: ModelCard) -> Calibration | None:
        """The calibration that a card holds, if any."""
        entry = card.training.get("calibration")
        return cls(entry["data"], entry["scales"], tuple(entry.get("pseudo", ()))) if entry else None

    def to_card(self) -> dict[str, object]:
        """The ``calibration`` entry of a card's ``training``."""
        entry: dict[str, object] = {"data": self.dataset, "scales": self.scales}
        return entry | ({"pseudo": list(self.pseudo)} if self.pseudo else {})

    @property
    def sigma_scale(self) -> float:
        """The scale fitted on all frames."""
        return float(np.mean(list(self.scales.values())))

    def covers(self, dataset: str, frame: str) -> bool:
        """True if the scale was fitted on this frame of a data set."""
        return _key(self.dataset, dataset, frame) in self.scales

    def sigma_scale_without(self, dataset: str, frame: str) -> float:
        """The scale fitted on all frames but this one."""
        left_out = _key(self.dataset, dataset, frame)
        return float(np.mean([scale for key, scale in self.scales.items() if key != left_out]))


def _key(home: str, dataset: str, frame: str) -> str:
    # Drives may name their frames alike, as synthetic ones do: 000000, 000001, ...
    return frame if dataset == home else f"{dataset}/{frame}"


def judged_sigma(card: ModelCard, dataset: str, frame: str, sigma: np.ndarray) -> np.ndarray:
    """``sigma`` as it is to be judged on a frame: predicted by a scale that was fitted without it.

    :param card: card of the model that predicted
    :param dataset: data set of the frame, as model cards name it
    :param frame: its name
    :param sigma: predicted, metres ``(H, W)``
    """
    calibration = Calibration.of(card)
    if calibration is None or not calibration.covers(dataset, frame):
        return sigma
    factor = np.float32(calibration.sigma_scale_without(dataset, frame) / card.sigma_scale)
    judged: np.ndarray = sigma * factor
    return judged
