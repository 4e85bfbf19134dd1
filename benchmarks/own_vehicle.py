"""Gain from `adu_depth calibrate` and `adapt` on drives the model has never seen, and rejected cases.

    python benchmarks/own_vehicle.py --data DIR --out DIR [--model FILE] [--only kitti synthetic ...]

DIR of ``--data`` holds ``kitti_odometry_04_drive`` and ``other_cameras/dev/sustechpoints``. Each drive is
split by time with a gap: calibrated on the first part, evaluated on the last. The table lists the frames of
both.

kitti          31 frames, 3 s: 60 % for calibration with LiDAR, stereo, or the camera's height alone
sustechpoints  three cameras at three times 2.5 s apart: one for calibration, two for evaluation
synthetic      60 s with another camera: 2.2 m high, 6 degrees down, 90 degrees wide
speed          20 s at 5 Hz with that camera, calibrated from its motion alone
adapt          the KITTI drive: `adu_depth adapt` with stereo alone and with LiDAR; 20 minutes each
wrong          the KITTI drive with a wrong LiDAR extrinsic in half of its frames: must be rejected
spread         the constants of ``own_vehicle.short_drive``, from places and cameras not used in training

The camera's height is taken from the road in the calibration frames' ground truth, in place of a tape
measure.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adu_depth_core.bags.drive_bag import DriveBagWriter
from adu_depth_core.bags.frames import FrameReader, ReadingOptions
from adu_depth_core.bags.kitti_bag import write_kitti_bag
from adu_depth_core.bags.reader import BagReader
from adu_depth_core.bags.skipped import SkippedFrames
from adu_depth_core.bags.topic_choice import TopicOptions, choose_topics
from adu_depth_core.camera import Camera
from adu_depth_core.cli import main as adu_depth
from adu_depth_core.datasets.kitti_lidar import read_scan
from adu_depth_core.datasets.kitti_sequence import KittiFrame, find_frames
from adu_depth_core.evaluation.benchmarks import open_benchmark
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.evaluation.road_plane import fit_road
from adu_depth_core.inference.camera_profile import read_profile
from adu_depth_core.inference.predictor import Predictor
from adu_depth_core.model_card import ModelCard
from adu_depth_core.own_vehicle.adaptation import observed
from adu_depth_core.own_vehicle.fitting import fit_correction, fit_sigma
from adu_depth_core.own_vehicle.observation import Observation
from adu_depth_core.synthetic.drive import KITTI_PRINCIPAL, DriveConfig, generate_drive
from adu_depth_core.synthetic.drive.mounting import Mounting
from adu_depth_core.synthetic.imaging.lidar import Lidar

CALIBRATED, GAP = 0.6, 0.06
"""Shares of a drive's frames, from its start; the rest is used for evaluation."""


SYNTHETIC = DriveConfig(
    seed=77,
    frames=60,
    width=768,
    height=480,
    focal=384.0,
    rate_hz=1.0,
    principal=KITTI_PRINCIPAL,
    mounting=Mounting(height=2.2, pitch=-6.0),
    lidar=Lidar(),
)


@dataclass(frozen=True)
class Figures:
    """Means over frames.

    :param scale: mean ``|median(p / g) - 1|``
    :param scales: the same for each frame
    """

    frames: int
    abs_rel: float
    within_sigma: float
    scale: float
    scales: tuple[float, ...]


@dataclass(frozen=True)
class Row:
    """A row of the table; ``after`` is None if no profile was written."""

    drive: str
    truth: str
    judged_by: str
    before: Figures
    after: Figures | None
    profile: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path, help="ONNX student (default: the installed one)")
    parser.epilog = "spread prints constants instead of rows"
    quick = [part for part in PARTS if part not in ("adapt", "spread")]
    parser.add_argument("--only", nargs="+", choices=PARTS, default=quick, help="default: all but adapt")
    parser.add_argument("--minutes", type=float, default=15.0, help="time of each training in adapt")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for part in arguments.only:
        for row in PARTS[part](arguments):
            print(_markdown(row), flush=True)
            rows.append(dataclasses.asdict(row))
    (arguments.out / "own_vehicle.json").write_text(json.dumps(rows, indent=1))
    for truth in ("lidar", "height"):  # several cameras of one vehicle
        some = [row for row in rows if row["drive"].startswith("sustech") and row["truth"] == truth]
        for when in ("before", "after"):
            scales = [scale for row in some for scale in (row[when] or row["before"])["scales"]]
            if scales:
                print(
                    f"sustechpoints, {truth}, {when}: median error of scale {100 * np.median(scales):.1f} %"
                )


def kitti(arguments: argparse.Namespace) -> Iterator[Row]:
    frames = find_frames(arguments.data / "kitti_odometry_04_drive")
    first, last = _split(len(frames))
    mine, others = arguments.out / "kitti_calibrate", arguments.out / "kitti_judge"
    write_kitti_bag(frames[:first], mine, overwrite=True)
    write_kitti_bag(frames[last:], others, overwrite=True)
    height = _camera_height(mine, "lidar")
    ways = {
        "lidar": ["--truth", "lidar"],
        "stereo": ["--truth", "stereo"],
        "height": ["--camera-height", f"{height:.2f}"],
    }
    yield from _measured(arguments, "kitti_odometry_04_drive", mine, others, ways, ("lidar", "stereo"))


def sustechpoints(arguments: argparse.Namespace) -> Iterator[Row]:
    all_frames = find_frames(arguments.data / "other_cameras" / "dev" / "sustechpoints")
    for camera in ("front", "left", "right"):
        frames = [frame for frame in all_frames if frame.left.stem.endswith(camera)]
        mine, others = (arguments.out / f"sustechpoints_{camera}_{part}" for part in ("calibrate", "judge"))
        write_kitti_bag(frames[:1], mine, rate=0.4, overwrite=True)
        write_kitti_bag(frames[1:], others, rate=0.4, overwrite=True)
        height = _camera_height(mine, "depth")
        ways = {"lidar": [], "height": ["--camera-height", f"{height:.2f}"]}
        yield from _measured(arguments, f"sustechpoints {camera}", mine, others, ways, ("depth",))


def synthetic(arguments: argparse.Namespace) -> Iterator[Row]:
    mine, others = arguments.out / "synthetic_calibrate", arguments.out / "synthetic_judge"
    _write_split(SYNTHETIC, mine, others)
    ways = {
        "lidar": ["--truth", "lidar"],
        "stereo": ["--truth", "stereo"],
        "height": ["--camera-height", f"{_camera_height(mine, 'lidar'):.2f}"],
    }
    yield from _measured(arguments, "synthetic", mine, others, ways, ("lidar", "depth"))


def speed(arguments: argparse.Namespace) -> Iterator[Row]:
    mine, others = arguments.out / "speed_calibrate", arguments.out / "speed_judge"
    config = dataclasses.replace(SYNTHETIC, frames=100, rate_hz=5.0, mono=True, lidar=None)
    _write_split(config, mine, others)
    ways = {
        "speed": ["--truth", "speed"],
        "depth": ["--truth", "depth"],
        "height": ["--camera-height", f"{SYNTHETIC.mounting.height:.2f}"],
    }
    yield from _measured(arguments, "synthetic, 20 s", mine, others, ways, ("depth",))


def wrong(arguments: argparse.Namespace) -> Iterator[Row]:
    frames = find_frames(arguments.data / "kitti_odometry_04_drive")
    for name, axis, degrees, every in (
        ("pitched by 2 degrees in the second half", 1, 2.0, None),
        ("pitched by 2 degrees in every other frame", 1, 2.0, 2),
        ("yawed by 3 degrees in the second half", 2, 3.0, None),
    ):
        scans = arguments.out / "wrong_scans"
        shutil.rmtree(scans, ignore_errors=True)
        scans.mkdir()
        wrong = [i >= len(frames) // 2 if every is None else i % every > 0 for i in range(len(frames))]
        turned = [
            _turned(frame, scans, axis, degrees) if it_is else frame
            for frame, it_is in zip(frames, wrong, strict=True)
        ]
        bag = arguments.out / "wrong"
        write_kitti_bag(turned, bag, overwrite=True)
        ways = {f"lidar, {name}": ["--truth", "lidar"]}
        yield from _measured(arguments, "kitti_odometry_04_drive", bag, bag, ways, ("lidar",))


def adapt(arguments: argparse.Namespace) -> Iterator[Row]:
    frames = find_frames(arguments.data / "kitti_odometry_04_drive")
    first, last = _split(len(frames))
    mine, others = arguments.out / "kitti_calibrate", arguments.out / "kitti_judge"
    write_kitti_bag(frames[:first], mine, overwrite=True)
    write_kitti_bag(frames[last:], others, overwrite=True)
    plain = Predictor(arguments.model, profile="none")
    before = {judge: judged(others, plain, judge) for judge in ("lidar", "stereo")}
    for truth, option in (("stereo alone", "none"), ("lidar", "lidar")):
        out = arguments.out / f"adapted_{option}"
        command = [
            "adapt",
            str(mine),
            "--truth",
            option,
            "--out",
            str(out),
            "--minutes",
            str(arguments.minutes),
        ]
        command += ["--elsewhere", str(arguments.data / "kitti2015_more")]
        command += ["--model", str(arguments.model)] if arguments.model else []
        status = adu_depth(command)
        adapted = Predictor(out / "run" / "student.onnx")
        kept = f"adapted, status {status}"
        for judge, figures in before.items():
            after = judged(others, adapted, judge)
            yield Row("kitti_odometry_04_drive", truth, judge, figures, after, kept)


def spread(arguments: argparse.Namespace) -> Iterator[Row]:
    """Print the constants of ``own_vehicle.short_drive``; no rows."""
    predictor = Predictor(arguments.model, profile="none")
    found = {}
    for folder, split in (
        ("kitti2015_more", "validation"),
        ("other_cameras/dev/ddad_dgp", "all"),
        ("other_cameras/dev/sustechpoints", "all"),
    ):
        frames = open_benchmark("kitti_folder", arguments.data / folder, split).samples
        factors = [_log_factors(o, predictor.card) for o in observed(predictor, frames)]
        names = [frames[number].name for number in range(len(frames))]
        if split == "validation":
            found["scenes"] = np.array(factors)
            continue
        cameras = np.array([name.rsplit("_", 1)[-1] for name in names])
        means = [np.mean(np.array(factors)[cameras == camera], axis=0) for camera in np.unique(cameras)]
        found["cameras"] = np.array([*found.get("cameras", []), *means])
    for name, values in found.items():
        depth, sigma = np.sqrt(np.mean(values**2, axis=0))
        print(
            f"{name}: {len(values)}, root mean square log factor of depth {depth:.3f}, of sigma {sigma:.2f}"
        )
    yield from ()


def _log_factors(frame: Observation, card: ModelCard) -> tuple[float, float]:
    """Corrections that a frame needs: of depth, then of sigma."""
    depth = fit_correction([frame], "scale")
    return depth.log_scale, float(np.log(fit_sigma([frame], depth, card, own_novelty=False).factor))


PARTS = {
    "kitti": kitti,
    "sustechpoints": sustechpoints,
    "synthetic": synthetic,
    "speed": speed,
    "wrong": wrong,
    "adapt": adapt,
    "spread": spread,
}


def _write_split(config: DriveConfig, mine: Path, others: Path) -> None:
    """Bags of a synthetic drive, generated unless they exist."""
    if mine.exists() and others.exists():
        return
    first, last = _split(config.frames)
    rig, frames = generate_drive(config)
    with DriveBagWriter(mine, rig, True) as some, DriveBagWriter(others, rig, True) as rest:
        for frame in frames:
            if frame.index < first:
                some.write(frame)
            elif frame.index >= last:
                rest.write(frame)


def _split(count: int) -> tuple[int, int]:
    """Frames for calibration, and the first one for evaluation."""
    first = round(CALIBRATED * count)
    return first, first + max(2, round(GAP * count))


def _turned(frame: KittiFrame, folder: Path, axis: int, degrees: float) -> KittiFrame:
    """The frame with its scan rotated about an axis of the LiDAR: 1 is pitch, 2 is yaw."""
    points = read_scan(frame.scan)
    i, j = [k for k in range(3) if k != axis]
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned = points.copy()
    turned[:, i] = cos * points[:, i] + sin * points[:, j]
    turned[:, j] = cos * points[:, j] - sin * points[:, i]
    turned.tofile(folder / frame.scan.name)
    return dataclasses.replace(frame, scan=folder / frame.scan.name)


def _measured(
    arguments: argparse.Namespace,
    drive: str,
    mine: Path,
    others: Path,
    ways: dict[str, Sequence[str]],
    judges: Sequence[str],
) -> Iterator[Row]:
    plain = Predictor(arguments.model, profile="none")
    model = ["--model", str(arguments.model)] if arguments.model else []
    before = {judge: judged(others, plain, judge) for judge in judges}
    for truth, options in ways.items():
        name = f"{mine.name}-{truth.split(',')[0]}"
        profile = arguments.out / f"{name}.profile.json"
        profile.unlink(missing_ok=True)
        command = ["calibrate", str(mine), "--out", str(arguments.out), "--name", name, *options, *model]
        written = adu_depth(command) == 0
        after = Predictor(arguments.model, profile=profile) if written else None
        kept = "nothing written"
        if written:
            said = read_profile(profile)
            kept = f"{said.correction}, sigma x {said.sigma_factor:.2f}"
        for judge in judges:
            figures = judged(others, after, judge) if after else None
            yield Row(drive, truth, judge, before[judge], figures, kept)


def judged(bag: Path, predictor: Predictor, truth: str) -> Figures:
    """Metrics of a model over all frames of a bag."""
    protocol = Protocol()
    abs_rel, within, scales = [], [], []
    for image, camera, depth in _frames(bag, truth):
        prediction = predictor.predict(image, camera)
        mask = protocol.mask(depth)
        p, g, s = prediction.depth[mask], depth[mask], prediction.sigma[mask]
        abs_rel.append(np.mean(np.abs(p - g) / g))
        within.append(np.mean(np.abs(p - g) <= s))
        scales.append(float(abs(np.median(p / g) - 1)))
    means = (float(np.mean(values)) for values in (abs_rel, within, scales))
    return Figures(len(scales), *means, tuple(scales))


def _camera_height(bag: Path, truth: str) -> float:
    roads = [fit_road(np.nan_to_num(depth), camera) for _, camera, depth in _frames(bag, truth)]
    return float(np.median([road.camera_height for road in roads if road is not None]))


def _frames(bag: Path, truth: str) -> Iterator[tuple[np.ndarray, Camera, np.ndarray]]:
    with BagReader(bag) as reader:
        topics = choose_topics(reader.topics, bag.name, TopicOptions(truth=truth))
    for frame in FrameReader(bag, topics, ReadingOptions(), SkippedFrames()):
        yield frame.image, frame.camera, frame.truth


def _markdown(row: Row) -> str:
    def text(figures: Figures | None) -> str:
        if figures is None:
            return " | | "
        scale = 100 * np.median(figures.scales)
        return f" {figures.abs_rel:.3f} | {figures.within_sigma:.2f} | {scale:.1f} % "

    return (
        f"| {row.drive} | {row.truth} | {row.judged_by}, {row.before.frames} frames |{text(row.before)}|"
        f"{text(row.after)}| {row.profile} |"
    )


if __name__ == "__main__":
    main()
