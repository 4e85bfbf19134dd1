"""Constants of `own_vehicle.road_truth`: errors of a road's pitch, and of its scale against the rest.

    python benchmarks/road_truth.py --data DIR [--model FILE]

DIR holds the folders of ``SETS``; SUSTechPOINTS, by which the result is judged, is not among them. The
camera's height and pitch to the road are those of the road in the ground truth.

road     pictures with a road in prediction and ground truth; of these, with vertical lines
pitch    root mean square error of the pitch's tangent by prediction and by lines
apart    standard deviation of ln(factor the road needs / factor the image needs) that best explains what the
         pitch's uncertainty does not: maximum likelihood of a normal distribution, and its 95 % interval
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adu_depth_core.evaluation.benchmarks import open_benchmark
from adu_depth_core.evaluation.road_plane import Road, fit_road
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.own_vehicle.fitting import fit_correction
from adu_depth_core.own_vehicle.observation import observe
from adu_depth_core.own_vehicle.road_truth import ROAD_APART, predicted_road, road_observation
from adu_depth_core.own_vehicle.vertical_lines import vertical_by_lines

SETS = {
    "kitti2015_more": "validation",
    "kitti_odometry_04_drive": "all",
    "other_cameras/train/kitti360": "all",
    "other_cameras/train/pandaset_002": "all",
    "other_cameras/dev/ddad_dgp": "all",
}

TRIED = np.arange(0.005, 0.3, 0.005)

LIKELIHOOD_DROP = 1.92
"""From the maximum to the ends of a 95 % interval: half of the 95 % quantile of chi squared, 1 degree."""


class Picture(NamedTuple):
    """Errors in a picture.

    :param by_prediction: of the pitch's tangent
    :param by_lines: of the pitch's tangent; NaN without lines
    :param apart: ln(factor the image needs / factor the road needs)
    :param by_pitch: standard deviation of ``apart`` by the pitch's uncertainty
    """

    by_prediction: float
    by_lines: float
    apart: float
    by_pitch: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, help="ONNX student (default: the installed one)")
    arguments = parser.parse_args()
    predictor = Predictor(arguments.model, profile="none")
    print("| set | road, with lines | pitch by prediction | by lines | apart | apart, with lines |")
    print("|---|---|---|---|---|---|")
    seen: list[Picture] = []
    for folder, split in SETS.items():
        pictures = _pictures(predictor, arguments.data / folder, split)
        seen += pictures
        print(_row(folder, pictures), flush=True)
    print(_row("all", seen))


def _pictures(predictor: Predictor, folder: Path, split: str) -> list[Picture]:
    found = []
    samples = open_benchmark("kitti_folder", folder, split).samples
    for number in range(len(samples)):
        sample = samples[number]
        prediction = predictor.predict(sample.left, sample.camera)
        place = (predictor.card, 0.0, 0, number)
        image = observe(prediction, sample.depth, *place)
        true = fit_road(np.nan_to_num(sample.depth), sample.camera, number)
        predicted = predicted_road(prediction, number)
        if image is None or true is None or predicted is None:
            continue
        road = road_observation(prediction, sample.left, true.camera_height, *place)
        if road is None:
            continue
        lines = vertical_by_lines(sample.left, sample.camera)
        needs = [fit_correction([one], "scale").log_scale for one in (image, road)]
        found.append(
            Picture(
                _pitch(predicted) - _pitch(true),
                np.nan if lines is None else lines.forward - _pitch(true),
                needs[0] - needs[1],
                float(np.sqrt(road.doubt**2 - ROAD_APART**2)),
            )
        )
    return found


def _pitch(road: Road) -> float:
    """Tangent of the camera's pitch to the road."""
    return -road.up[2] / road.up[1]


def _row(name: str, pictures: Sequence[Picture]) -> str:
    lines = [picture for picture in pictures if np.isfinite(picture.by_lines)]
    cells = [name, f"{len(pictures)}, {len(lines)}"]
    cells += [_root_mean_square([p.by_prediction for p in pictures])]
    cells += [_root_mean_square([p.by_lines for p in lines]), _apart(pictures), _apart(lines)]
    return f"| {' | '.join(cells)} |"


def _root_mean_square(values: Sequence[float]) -> str:
    return f"{np.sqrt(np.mean(np.square(values))):.3f}" if values else ""


def _apart(pictures: Sequence[Picture]) -> str:
    if not pictures:
        return ""
    errors, by_pitch = (np.array([getattr(p, name) for p in pictures]) for name in ("apart", "by_pitch"))
    variance = by_pitch**2 + TRIED[:, None] ** 2
    likelihood = -0.5 * np.sum(errors**2 / variance + np.log(variance), axis=1)
    inside = TRIED[likelihood > likelihood.max() - LIKELIHOOD_DROP]
    return f"{TRIED[likelihood.argmax()]:.3f} ({inside[0]:.3f} to {inside[-1]:.3f})"


if __name__ == "__main__":
    main()
