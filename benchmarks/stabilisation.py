"""Gain and cost of temporal stabilisation on synthetic drives and on a recorded stereo drive.

python benchmarks/stabilisation.py --drive DIR/kitti_odometry_04_drive --vehicle 575,168,630,212

Camera motion is exact in synthetic drives; in the recorded one it comes from stereo odometry
(``stereo_odometry.py``), used both for the fusion and for tracking static points. Moving vehicles are those
in the class image whose depth is inconsistent with a static world; in the recorded drive, the one in the
given box.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from stereo_odometry import before_from_now

from adu_depth_core.camera import Camera
from adu_depth_core.datasets.classes import PixelClass
from adu_depth_core.datasets.kitti_calibration import read_cameras
from adu_depth_core.datasets.kitti_sequence import find_frames
from adu_depth_core.evaluation.temporal_metrics import Followed, flicker, follow
from adu_depth_core.images import read_png16, read_rgb
from adu_depth_core.inference.installed_models import default_model
from adu_depth_core.inference.postprocess import enlarge
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.inference.temporal.fusion import FusionOptions
from adu_depth_core.inference.temporal.stabiliser import TemporalFusion
from adu_depth_core.memory import keep_freed_memory
from adu_depth_core.synthetic.drive import DriveConfig, generate_drive

CAP = 80.0
"""Maximum distance of ground truth in metres."""

LEAST_PIXELS = 200
"""Minimum pixels of a moving vehicle in an image with dense ground truth."""

COLUMNS = ("flicker", "abs_rel", "within sigma", "moving abs_rel", "moving within sigma", "latency ms")


@dataclass
class Frame:
    """A frame with all data needed to evaluate it.

    :param before_from_now: motion since the previous frame; None for the first
    :param vehicle: bool ``(H, W)``: pixels of vehicles that may move
    """

    stamp_ns: int
    image: np.ndarray
    camera: Camera
    truth: np.ndarray
    before_from_now: np.ndarray | None
    vehicle: np.ndarray
    one_by_one: bool
    """True to classify vehicles as moving or static by the ground truth; otherwise all count as moving."""


def synthetic(seed: int, count: int) -> Iterator[Frame]:
    """A synthetic drive of ``count`` frames at 10 Hz with KITTI's camera."""
    rig, frames = generate_drive(DriveConfig(seed=seed, frames=count, mono=True, lidar=None))
    pose = None
    for frame in frames:
        now = frame.world_from_base @ rig.base_from_left
        motion = None if pose is None else np.linalg.inv(pose) @ now
        truth = np.where(frame.depth <= CAP, frame.depth, 0).astype(np.float32)
        vehicle = frame.classes == PixelClass.VEHICLE
        yield Frame(frame.stamp_ns, frame.left, rig.camera, truth, motion, vehicle, True)
        pose = now


def recorded(folder: Path, box: tuple[int, int, int, int]) -> Iterator[Frame]:
    """A stereo drive in KITTI layout with depth for every frame.

    :param box: left, top, right, bottom of a vehicle at constant distance, in pixels, for all images
    """
    left, top, right, bottom = box
    before = None
    for entry in find_frames(folder):
        image, truth = read_rgb(entry.left), read_png16(entry.depth)
        camera, baseline = read_cameras(entry.calibration, image.shape[1], image.shape[0])
        motion = None if before is None else before_from_now(before, image, camera, baseline)
        before = image, read_rgb(entry.right)
        truth = np.where(truth <= CAP, truth, 0).astype(np.float32)
        window = truth[top:bottom, left:right]
        vehicle = np.zeros(truth.shape, bool)
        if window.any():  # the background next to the vehicle is not part of it
            distance = np.median(window[window > 0])
            vehicle[top:bottom, left:right] = np.abs(window / distance - 1) < 0.1
        yield Frame(entry.time_ns or 0, image, camera, truth, motion, vehicle, False)


def moving(frame: Frame, points: Followed) -> np.ndarray:
    """Pixels of moving vehicles, bool ``(H, W)``: vehicles mostly inconsistent with a static world."""
    if not frame.one_by_one:
        return frame.vehicle & (frame.truth > 0)
    known = frame.vehicle & (frame.truth > 0)
    static = np.zeros(frame.truth.size, bool)
    static[points.place[points.static]] = True
    count, label = cv2.connectedComponents(known.astype(np.uint8))
    pixels = np.bincount(label.ravel(), minlength=count)
    resting = np.bincount(label.ravel()[static], minlength=count)
    moves = (pixels >= LEAST_PIXELS) & (resting < pixels / 2)
    moves[0] = False
    return moves[label]


class Score:
    """Means over frames of one kind of output."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {name: [] for name in COLUMNS}
        self._before: tuple[np.ndarray, np.ndarray] | None = None

    def add(self, frame: Frame, prediction: Prediction, points: Followed | None, milliseconds: float) -> None:
        """:param points: ground truth points, tracked to the previous frame; None for the first frame"""
        depth, sigma, truth = prediction.depth, prediction.sigma, frame.truth
        known = truth > 0
        error = np.abs(depth - truth)
        self._mean("abs_rel", (error / np.where(known, truth, 1))[known])
        self._mean("within sigma", (error <= sigma)[known])
        self._mean("latency ms", [milliseconds])
        if points is not None and self._before is not None:
            before, truth_before = self._before
            change = flicker(before, depth, (truth_before, truth), points)
            self._mean("flicker", [] if change is None else [change])
            moves = moving(frame, points)
            self._mean("moving abs_rel", (error[moves] / truth[moves]))
            self._mean("moving within sigma", (error <= sigma)[moves])
        self._before = depth, truth

    def _mean(self, name: str, values: np.ndarray | list[float]) -> None:
        if len(values):
            self.values[name].append(float(np.mean(values)))

    def means(self) -> dict[str, float]:
        """Means by column, NaN without frames."""
        means = {name: float(np.mean(v)) if v else float("nan") for name, v in self.values.items()}
        means["latency ms"] = float(np.median(self.values["latency ms"]))
        return means


def judge(frames: Iterator[Frame], predictor: Predictor, options: FusionOptions) -> list[dict[str, float]]:
    """Means without and with stabilisation, on the same predictions."""
    fusion = TemporalFusion(predictor.card.depth_max, options)
    alone, stabilised = Score(), Score()
    truth_before = None
    for frame in frames:
        points = None
        if frame.before_from_now is not None and truth_before is not None:
            points = follow(truth_before, frame.truth, frame.camera, frame.before_from_now)
        truth_before = frame.truth
        image, motion = np.ascontiguousarray(frame.image), frame.before_from_now
        started = time.perf_counter()
        small = predictor.predict(image, frame.camera, output_size="network")
        raw = enlarge(small, frame.camera)
        predicted = time.perf_counter()
        answer = fusion.update(small, image, frame.stamp_ns, lambda before_ns, now_ns, motion=motion: motion)
        fused = time.perf_counter()
        alone.add(frame, raw, points, 1e3 * (predicted - started))
        stabilised.add(frame, enlarge(answer.prediction, frame.camera), points, 1e3 * (fused - started))
    return [alone.means(), stabilised.means()]


def print_table(name: str, rows: list[dict[str, float]]) -> None:
    """Markdown table of the means and their change."""
    alone, stabilised = rows
    print(f"\n| {name} | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}")
    for label, row in (("alone", alone), ("stabilised", stabilised)):
        values = [f"{row[c]:.1f}" if "ms" in c else f"{row[c]:.4f}" for c in COLUMNS]
        print(f"| {label} | {' | '.join(values)} |")
    change = [
        f"{stabilised[c] - alone[c]:+.3f}"
        if "within" in c
        else f"{stabilised[c] - alone[c]:+.1f}"
        if "ms" in c
        else f"{100 * (stabilised[c] / alone[c] - 1):+.1f} %"
        for c in COLUMNS
    ]
    print(f"| change | {' | '.join(change)} |", flush=True)


def box(text: str) -> tuple[int, int, int, int]:
    """``LEFT,TOP,RIGHT,BOTTOM``."""
    left, top, right, bottom = map(int, text.split(","))
    if not (0 <= left < right and 0 <= top < bottom):
        raise ValueError(text)
    return left, top, right, bottom


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds",
        type=int,
        nargs="*",
        default=[9100, 9101, 9102],
        metavar="S",
        help="synthetic drives (9100 9101 9102)",
    )
    parser.add_argument("--frames", type=int, default=30, metavar="N", help="frames per drive (30)")
    parser.add_argument(
        "--drive", type=Path, metavar="DIR", help="stereo drive in KITTI's layout, with gt_depth"
    )
    parser.add_argument(
        "--vehicle", type=box, default=None, metavar="L,T,R,B", help="a vehicle ahead in that drive, pixels"
    )
    parser.add_argument(
        "--model", type=Path, default=default_model(), help="ONNX student (the installed one)"
    )
    parser.add_argument("--threads", type=int, default=1, help="threads of the runtime (1)")
    arguments = parser.parse_args()
    cv2.setNumThreads(arguments.threads)
    keep_freed_memory()  # as the node does
    predictor = Predictor(arguments.model, threads=arguments.threads)
    options = FusionOptions()
    print(options)
    drives = []
    for seed in arguments.seeds:
        drives.append(judge(synthetic(seed, arguments.frames), predictor, options))
        print_table(f"synthetic drive {seed}", drives[-1])
    if drives:
        means = [{c: float(np.nanmean([drive[i][c] for drive in drives])) for c in COLUMNS} for i in range(2)]
        print_table(f"mean of {len(drives)} synthetic drives", means)
    if arguments.drive is not None:
        frames = recorded(arguments.drive, arguments.vehicle or (0, 0, 0, 0))
        print_table(arguments.drive.name, judge(frames, predictor, options))


if __name__ == "__main__":
    main()
