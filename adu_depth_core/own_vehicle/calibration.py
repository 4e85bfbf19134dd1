"""Calibration: from a drive to a camera profile, or to the reason why there is none."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.evaluation.road_plane import HEIGHTS
from adu_depth_core.inference.camera_profile import SUFFIX, CameraProfile
from adu_depth_core.inference.depth_correction import DepthCorrection
from adu_depth_core.model_card import ModelCard
from adu_depth_core.own_vehicle.alignment import STEP, Alignment, align
from adu_depth_core.own_vehicle.decision import Decision, decide
from adu_depth_core.own_vehicle.drive import TRUTHS, Drive
from adu_depth_core.own_vehicle.fitting import KINDS
from adu_depth_core.own_vehicle.held_out import HeldOut, Interval, hold_out

SIGMA_METRICS = {
    "sigma_misfit": "the distance of the share within sigma from 0.683",
    "nll": "the negative log likelihood",
}

HEIGHTS_APART = 1.35
"""Ratio of the camera's heights above the road by the vehicle's motion and by tape from which one is wrong.
Roads are predicted up to some 15 % otherwise than the rest; miles for kilometres are 1.61."""

MOST_FACTOR = 3.0
"""Factor of depth, or 1 / it, from which the unit of the ground truth is wrong rather than the model: feet
for metres are 3.28."""

SPARSE = ("height", "speed", "distances")
"""Kinds of ground truth too sparse for more than one factor."""


@dataclass(frozen=True)
class Calibration:
    """Result of a calibration.

    :param decision: figures before and after, and what is kept
    :param held_out: what it was judged on, in words
    :param truth: key of ``drive.TRUTHS``
    :param frames: with truth
    :param refusal: why there is no profile; empty if there is one
    :param warnings: what to tell with it
    """

    decision: Decision
    held_out: str
    truth: str
    frames: int
    refusal: str
    warnings: tuple[str, ...]

    def profile(self, card: ModelCard, camera: Camera, command: str) -> CameraProfile:
        """The profile; of a refused calibration there is none.

        :raises ValueError: if it was refused
        """
        if self.refusal:
            raise ValueError(self.refusal)
        correction, sigma = self.decision.correction, self.decision.sigma
        profile = CameraProfile(
            card.name, card.files, camera, correction or DepthCorrection(), record=self._record(command)
        )
        return (
            profile if sigma is None else replace(profile, sigma_factor=sigma.factor, novelty=sigma.novelty)
        )

    def _record(self, command: str) -> dict[str, Any]:
        decision = self.decision
        gains = {"log_error": decision.depth_gain, decision.sigma_metric: decision.sigma_gain}
        return {
            "truth": TRUTHS[self.truth],
            "frames": self.frames,
            "held_out": self.held_out,
            "before": decision.before,
            "after": decision.after,
            "gains": {name: list(gain[:3]) for name, gain in gains.items() if gain is not None},
            "shrunk": {name: dataclasses.asdict(told) for name, told in decision.shrunk.items()},
            "warnings": list(self.warnings),
            "command": command,
        }


def calibrate(drive: Drive, card: ModelCard, camera_height: float | None = None) -> Calibration:
    """Fit what helps on parts of the drive that were held out.

    :param card: of the model, without a profile
    :param camera_height: metres above the road, to check a drive by the vehicle's motion; None if not known
    :raises UserError: if there are too few frames to hold any out
    """
    alignment = align(drive.alignments)
    held_out = hold_out(drive.observations)
    found = judged(held_out, drive.truth, card, len(drive.observations), alignment, drive.warnings)
    return _checked_by_height(found, drive.heights, camera_height) if drive.truth == "speed" else found


def _checked_by_height(
    found: Calibration, heights: Sequence[float], camera_height: float | None
) -> Calibration:
    """The calibration with the height of the camera that the vehicle's motion implies: a wrong unit or wheel
    size is wrong in all frames alike, and only something else in metres tells."""
    if not heights:
        told = (
            "no road was seen, so nothing checks the speed: a wrong unit or wheel size would scale all depth"
        )
        return replace(found, warnings=(*found.warnings, told))
    implied = float(np.median(heights))
    by_motion = f"by the vehicle's motion the camera is {implied:.2f} m above the road"
    low, high = HEIGHTS
    if camera_height is not None and max(implied / camera_height, camera_height / implied) > HEIGHTS_APART:
        reason = f"{by_motion}, by --camera-height {camera_height:.2f} m: check the unit of the speed"
    elif not low <= implied <= high:
        reason = f"{by_motion}, outside {low:g} to {high:g} m of road vehicles: check the unit of the speed"
    else:
        told = f"{by_motion}: measure that, since nothing else tells a wrong unit or wheel size"
        return found if camera_height is not None else replace(found, warnings=(*found.warnings, told))
    return replace(found, refusal=reason)


def judged(
    held_out: HeldOut,
    truth: str,
    card: ModelCard,
    frames: int,
    alignment: Alignment | None = None,
    warnings: list[str] | tuple[str, ...] = (),
) -> Calibration:
    """The calibration of observations that are held out against each other."""
    # Parts of a few frames are too few to show that more than a factor generalises to other times.
    simple = truth in SPARSE or not held_out.in_time
    decision = decide(held_out, card, KINDS[:1] if simple else KINDS)
    refusal = ""
    if alignment is not None and alignment.contradicts:
        refusal = (
            f"inconsistent ground truth: {alignment}. No depth correction can fix this: check the "
            "transform "
            "between camera and sensor (/tf), the time stamps, and that nothing moved on the vehicle"
        )
    elif decision.correction is not None and abs(decision.correction.log_scale) > np.log(MOST_FACTOR):
        refusal = (
            f"depth would be multiplied by {decision.correction.scale:.3g}, which no camera needs: check the "
            "unit of the ground truth, which must be metres"
        )
    elif held_out.in_doubt and decision.depth_gain.low > 0 and not decision.helps:
        refusal = (
            "the camera's height does not tell whether depth is wrong, because a road may be predicted "
            f"otherwise than the rest, at another pitch for one: {_likely(decision, 'that')}. Record streets "
            "with walls, poles and fences, which show the pitch, or use LiDAR, stereo or --distance"
        )
    elif not decision.helps:
        refusal = (
            "it does not help on the parts of the drive that were held out: "
            f"mean |ln(p / g)| falls by {_interval(decision.depth_gain)}"
        )
        if decision.sigma_gain is not None:
            refusal += f", {SIGMA_METRICS[decision.sigma_metric]} by {_interval(decision.sigma_gain)}"
        if decision.shrunk:
            refusal += f"; {_likely(decision, 'the road' if held_out.in_doubt else 'its scenes')}"
    told = [*warnings, *_doubts(held_out, decision, truth)]
    if (
        alignment is not None
        and not alignment.contradicts
        and max(abs(alignment.usual.up), abs(alignment.usual.right)) > STEP
    ):
        told.append(
            f"in all frames the truth fits best {alignment.usual}: either the transform between camera and "
            "sensor "
            "is off, or the model misjudges how the camera is tilted"
        )
    return Calibration(decision, held_out.description, truth, frames, refusal, tuple(told))


def _interval(interval: Interval) -> str:
    return f"{interval.mean:.4f} (95 % interval {interval.low:.4f} to {interval.high:.4f})"


def _likely(decision: Decision, chance: str) -> str:
    """Errors that a drive makes likely, and how they are corrected.

    :param chance: what else may have made them
    """
    kept = {}
    if decision.correction is not None:
        kept["depth"] = f"{_percent(decision.shrunk['depth'].weight)} of the error seen is corrected"
    if decision.sigma is not None:
        kept["sigma"] = f"multiplied by {decision.sigma.factor:.2f}"
    return ", ".join(
        f"{name} is wrong for more than {chance} with a probability of {_percent(told.probability)}, and "
        + kept.get(name, "left as it is")
        for name, told in decision.shrunk.items()
    )


def _percent(share: float) -> str:
    """In whole percent, never certain."""
    return f"{min(max(round(100 * share), 1), 99)} %"


def _doubts(held_out: HeldOut, decision: Decision, truth: str) -> list[str]:
    told = []
    if held_out.in_doubt and decision.helps:
        told.append(f"the road may be predicted otherwise than the rest: {_likely(decision, 'that')}")
    if not held_out.in_time:
        told.append(f"judged on {held_out.description}: that says nothing of other times and places")
    elif held_out.short and not held_out.in_doubt:
        told.append(
            "the drive is too short to show effects that outlast it: "
            f"{_likely(decision, 'its scenes')}; record a minute or more"
        )
    elif not decision.depth_gain.decided:
        told.append("the drive is too short to show effects that outlast it: record a minute or more")
    if truth in SPARSE:
        told.append("sigma stays as it was: this truth cannot judge it")
    return told


def profile_name(model: Path, camera: Camera) -> str:
    """File name of a profile, by model and camera."""
    return f"{model.stem}-{camera.width}x{camera.height}-fx{camera.fx:.0f}{SUFFIX}"
