"""Profiles that `adu_depth calibrate` would write for cameras without error, and what they change.

    python benchmarks/calibration_nulls.py [--drives 100]

Simulated drives of a model without bias: depth and sigma errors vary by scene (an Ornstein-Uhlenbeck process)
with the spread measured on familiar data (``short_drive.SCALE`` and ``SIGMA``). Every written profile is a
false accept: the table gives their share, and their long-run effect, on 60 other scenes. The last rows have
cameras with errors, drawn with the spread between cameras.

rule      short drives: shrunk factors (``short_drive``); longer ones: the interval
interval  all drives: the interval of ``evaluation.confidence``
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from adu_depth_core.inference.depth_correction import DepthCorrection
from adu_depth_core.model_card import ModelCard
from adu_depth_core.own_vehicle.decision import decide, measures
from adu_depth_core.own_vehicle.held_out import HeldOut, hold_out
from adu_depth_core.own_vehicle.observation import Observation
from adu_depth_core.own_vehicle.short_drive import SCALE, SIGMA

CARD = ModelCard("simulated", "student", "none", 32, 64, 100.0, 1.0, 100.0, 1.0)
PIXELS, NOISE = 80, 0.1
LONG_RUN = 60
"""Scenes."""

DRIVES = [(1.9, 10.0, memory) for memory in (0.3, 2.0, 8.0)] + [
    (5.0, 5.0, 2.0),
    (20.0, 2.0, 2.0),
    (60.0, 1.0, 2.0),
]
"""Seconds, frames per second, and correlation time of scenes in seconds (1/e)."""


class OneInterval(HeldOut):
    """Decides on short drives by the same interval as on long ones."""

    short = False


@dataclass(frozen=True)
class Errors:
    """Mean errors of a camera in log units; 0 and 0 without errors."""

    depth: float = 0.0
    sigma: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drives", type=int, default=100, help="drives of each kind (default: 100)")
    count = parser.parse_args().drives
    heads = ("drive", "scenes forgotten after", "cameras", "rule", "depth written", "sigma written")
    print(f"| {' | '.join(heads)} | mean log error | its worst 5 % | nll |")
    print("|---|---|---|---|---|---|---|---|---|")
    for spread in (0.0, 1.0):
        for duration, rate, memory in DRIVES:
            for rule in ("rule", "interval"):
                print(_row(duration, rate, memory, spread, rule, count), flush=True)


def _row(duration: float, rate: float, memory: float, spread: float, rule: str, count: int) -> str:
    depth = sigma = 0
    changes = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        errors = Errors(spread * SCALE.cameras * rng.normal(), spread * SIGMA.cameras * rng.normal())
        held_out = hold_out(_drive(rng, np.arange(0.0, duration, 1 / rate), memory, errors))
        if rule == "interval":
            held_out = OneInterval(**vars(held_out))
        decision = decide(held_out, CARD, ["scale"])
        depth += decision.correction is not None
        sigma += decision.sigma is not None
        scenes = _drive(rng, np.arange(LONG_RUN) * 10 * memory, memory, errors)
        before = [measures(o, DepthCorrection(), CARD) for o in scenes]
        after = [measures(o, decision.correction or DepthCorrection(), CARD, decision.sigma) for o in scenes]
        means = [
            [np.mean([frame[name] for frame in frames]) for name in ("log_error", "nll")]
            for frames in (before, after)
        ]
        changes.append((means[1][0] / means[0][0] - 1, means[1][1] - means[0][1]))
    log_error, nll = np.array(changes).T
    cells = [f"{duration:g} s", f"{memory:g} s", "with errors" if spread else "right", rule]
    cells += [f"{depth / count:.2f}", f"{sigma / count:.2f}", f"{100 * log_error.mean():+.1f} %"]
    cells += [f"{100 * np.quantile(log_error, 0.95):+.1f} %", f"{nll.mean():+.3f}"]
    return f"| {' | '.join(cells)} |"


def _drive(rng: np.random.Generator, seconds: np.ndarray, memory: float, errors: Errors) -> list[Observation]:
    """Frames of a drive with ``PIXELS`` pixels each."""
    scene = rng.normal(size=2)
    made = []
    for step, time in zip(np.diff(seconds, prepend=seconds[0]), seconds, strict=True):
        kept = np.exp(-step / memory)
        scene = kept * scene + np.sqrt(1 - kept**2) * rng.normal(size=2)
        truth = np.exp(rng.uniform(np.log(4), np.log(60), PIXELS))
        log = errors.depth + SCALE.scenes * scene[0]
        log += rng.laplace(0, NOISE * np.exp(errors.sigma + SIGMA.scenes * scene[1]), PIXELS)
        arrays = (truth * np.exp(log), truth, rng.uniform(-0.1, 0.3, PIXELS), rng.random(PIXELS))
        arrays = (*arrays, np.full(PIXELS, 1.149 * NOISE))
        made.append(Observation(float(time), 0, *(a.astype(np.float32) for a in arrays), None))
    return made


if __name__ == "__main__":
    main()
